#include <fstream>
#include <memory>
#include <optional>

#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/own_words.h"
#include "cli/words.h"
#include "gridwhistle/v1/records.pb.h"
#include "model/choices.h"
#include "schema/tables.h"
#include "terminal/columns.h"
#include "terminal/help.h"
#include "terminal/times.h"
#include "terminal/usage.h"

// Visits, households, and what works alike for every kind: list, show, search, set, erase.
namespace gridwhistle::cli {

namespace {

using nlohmann::json;

const FieldSchema& field_named(const char* kind, const char* name) {
  return *built_schema().kind(std::string_view(kind))->field(std::string_view(name));
}

Exit recorded(const Output& output, const RecordId& id, const char* chinese, const char* english) {
  if (output.wants_json()) {
    output.document({{"id", id.text()}});
  } else {
    output.line(std::string(output.say(chinese, english)) + "  " + id.text());
  }
  return Exit::kOk;
}

template <typename T>
void place_at(T& record, const Position& at) {
  record.set_latitude(at.latitude);
  record.set_longitude(at.longitude);
  record.set_accuracy_m(at.accuracy_m);
  record.set_coordinate_source(v1::COORDINATE_SOURCE_GNSS);
}

/// The visit of this worker that has not ended, or why there is none.
Result<RecordId> open_visit(Client& client) {
  const auto open = open_visits(client);
  if (!open) return std::unexpected(open.error());
  if (open->empty())
    return fail(ErrorCode::kNotFound,
                both("没有进行中的走访；请先开始", "no visit is open; begin one first"));
  return open->front().info.id;
}

/// A household is visited in the course of a patrol, but nobody makes two patrols at once.
Result<void> none_open_like(Client& client, v1::VisitKind kind) {
  const auto open = open_visits(client);
  if (!open) return std::unexpected(open.error());
  for (const Found<v1::Visit>& one : *open) {
    if (one.record.kind() != kind) continue;
    const std::string grid = one.record.grid();
    const std::string since = terminal::time_text(one.record.started_ms());
    const std::string end = "gw visit end " + one.info.id.text();
    return fail(ErrorCode::kConflict,
                both(grid + " 自 " + since + " 起有一次走访还在进行；请先结束：" + end,
                     "one is open in " + grid + " since " + since + "; end it first: " + end));
  }
  return {};
}

/// What an option says that takes one of a field's words.
std::string one_of(const char* kind, const char* name) {
  const Line known = choices(field_named(kind, name));
  return both(known.zh, known.en);
}

struct VisitWords {
  std::string id, grid, kind = "patrol", at, purpose, notes, outcome, household, task;
};

Exit start_visit(Phone& phone, const Output& output, const VisitWords& words) {
  v1::Visit visit;
  const auto kind = enum_from(field_named("Visit", "kind"), words.kind);
  if (!kind) return output.failed(kind.error());
  visit.set_kind(static_cast<v1::VisitKind>(*kind));
  if (words.grid.empty() && words.at.empty()) {
    return output.failed(terminal::typed_wrong(both("请用 --grid 或 --at 说明在哪里",
                                                    "say where with --grid or --at"))
                             .error());
  }
  visit.set_grid(words.grid);
  visit.set_started_ms(phone.clock().now().wall_ms);
  visit.set_worker(std::string(phone.client().status().worker.bytes()));
  if (!words.purpose.empty()) visit.set_purpose(words.purpose);
  if (!words.household.empty()) {
    const auto household = RecordId::parse(words.household);
    if (!household)
      return output.failed(
          terminal::typed_wrong(about("--household", not_an_id(words.household))).error());
    visit.set_household(std::string(household->bytes()));
  }
  if (!words.task.empty()) {
    const auto task = RecordId::parse(words.task);
    if (!task)
      return output.failed(terminal::typed_wrong(about("--task", not_an_id(words.task))).error());
    if (const auto known = phone.client().get("Task", *task); !known) {
      return output.failed(
          {known.error().code,
           both("本机没有任务 " + words.task, "this phone has no task " + words.task), ""});
    }
    visit.set_task(std::string(task->bytes()));
  }
  if (!words.at.empty()) {
    const auto at = position_from(words.at);
    if (!at) return output.failed(at.error());
    place_at(visit, *at);
    if (words.grid.empty()) {
      const auto grid = grid_at(phone.client(), *at);
      if (!grid) return output.failed(grid.error());
      visit.set_grid(*grid);
    }
  }
  if (auto none = none_open_like(phone.client(), visit.kind()); !none) {
    return output.failed(none.error());
  }
  const auto id = phone.client().put(visit);
  if (!id) return output.failed(with_areas(phone.client(), id.error()));
  return recorded(output, *id, "走访开始", "visit started");
}

Exit end_visit(Phone& phone, const Output& output, const VisitWords& words) {
  auto id = RecordId::parse(words.id);
  if (!id && !words.id.empty())
    return output.failed(terminal::typed_wrong(not_an_id(words.id)).error());
  if (!id) {
    const auto open = open_visit(phone.client());
    if (!open) return output.failed(open.error());
    id = *open;
  }
  v1::Visit visit;
  visit.set_id(std::string(id->bytes()));
  visit.set_ended_ms(phone.clock().now().wall_ms);
  if (!words.notes.empty()) visit.set_notes(words.notes);
  if (!words.outcome.empty()) {
    const auto outcome = enum_from(field_named("Visit", "outcome"), words.outcome);
    if (!outcome) return output.failed(outcome.error());
    visit.set_outcome(static_cast<v1::VisitOutcome>(*outcome));
  }
  const auto written = phone.client().put(visit);
  if (!written) return output.failed(written.error());
  return recorded(output, *id, "走访结束", "visit ended");
}

void add_visit(CLI::App& app, Chosen& chosen) {
  auto words = std::make_shared<VisitWords>();
  CLI::App* visit =
      app.add_subcommand("visit", both("开始或结束走访巡查", "begin or end a visit or patrol"));
  visit->require_subcommand(1);
  CLI::App* start = visit->add_subcommand("start", both("签入，开始", "check in"));
  start->add_option("--grid", words->grid, both("网格的 15 位编码", "the grid's 15 digits"));
  start->add_option("--at", words->at,
                    both("纬度,经度 或 纬度,经度,精度（米）；自动找到网格",
                         "LAT,LON or LAT,LON,METRES; finds the grid by itself"));
  start->add_option("--kind", words->kind, one_of("Visit", "kind"))->capture_default_str();
  start->add_option("--why", words->purpose, both("为什么走访", "what the visit is for"));
  start->add_option("--household", words->household, both("户的标识", "the household's id"));
  start->add_option("--task", words->task,
                    both("所完成的任务，见 gw tasks", "the task it answers, see gw tasks"));
  terminal::add_examples(*start, {"gw visit start --grid 440811100001001",
                                  "gw visit start --at 21.2630,110.3340,15 --kind night",
                                  "gw visit start --grid 440811100001001 --kind care --why 探望"});
  start->callback([words, &chosen] {
    chosen.action = [words](Phone& p, const Output& o) { return start_visit(p, o, *words); };
  });
  CLI::App* end = visit->add_subcommand("end", both("签出，结束", "check out"));
  end->add_option("id", words->id,
                  both("走访的标识；不写则为进行中的那次", "the visit; the open one if not given"));
  end->add_option("--notes", words->notes, both("看到什么、做了什么", "what was seen and done"));
  end->add_option("--outcome", words->outcome, one_of("Visit", "outcome"));
  terminal::add_examples(*end,
                         {"gw visit end --notes 一切正常", "gw visit end --outcome nobody_home"});
  end->callback([words, &chosen] {
    chosen.action = [words](Phone& p, const Output& o) { return end_visit(p, o, *words); };
  });
}

struct HouseholdWords {
  std::string grid, address, dwelling, contact, phone;
  std::vector<std::string> members;
  bool consent = false;
};

/// "NAME,RELATION,BIRTH_YEAR,PHONE"; what stands behind the name may be left out.
Result<v1::Resident> member_from(const std::string& word) {
  v1::Resident member;
  std::vector<std::string> parts(1);
  for (const char c : word) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  if (parts[0].empty() || parts.size() > 4) {
    return terminal::typed_wrong(about(
        "--member", both("请写 姓名,关系,出生年,电话", "write NAME,RELATION,BIRTH_YEAR,PHONE")));
  }
  member.set_name(parts[0]);
  if (parts.size() > 1 && !parts[1].empty()) member.set_relation(parts[1]);
  if (parts.size() > 2 && !parts[2].empty()) {
    const auto year = number_from(field_named("Resident", "birth_year"), parts[2], 0);
    if (!year) return terminal::typed_wrong(about("--member", year.error().message));
    member.set_birth_year(*year);
  }
  if (parts.size() > 3 && !parts[3].empty()) member.set_phone(parts[3]);
  return member;
}

Exit add_household(Phone& phone, const Output& output, const HouseholdWords& words) {
  if (is_blank(words.address)) {
    return output.failed(
        terminal::typed_wrong(
            about("--address", both("不能为空，请说明在哪里", "is empty; say where it is")))
            .error());
  }
  v1::Household household;
  household.set_grid(words.grid);
  household.set_address(words.address);
  if (!words.dwelling.empty()) {
    const auto dwelling = enum_from(field_named("Household", "dwelling"), words.dwelling);
    if (!dwelling) return output.failed(dwelling.error());
    household.set_dwelling(static_cast<v1::DwellingType>(*dwelling));
  }
  if (!words.contact.empty()) household.set_contact_name(words.contact);
  if (!words.phone.empty()) household.set_contact_phone(words.phone);
  const std::int64_t now = phone.clock().now().wall_ms;
  household.set_notice_ms(now);
  household.set_consent(words.consent ? v1::CONSENT_STATE_GIVEN : v1::CONSENT_STATE_ASKED);
  if (words.consent) household.set_consent_ms(now);

  Transaction transaction = phone.client().transaction();
  const auto id = transaction.put(household);
  if (!id) return output.failed(id.error());
  for (const std::string& word : words.members) {
    auto member = member_from(word);
    if (!member) return output.failed(member.error());
    member->set_household(std::string(id->bytes()));
    if (auto added = transaction.put(*member); !added) return output.failed(added.error());
  }
  if (auto done = transaction.commit(); !done) {
    return output.failed(with_areas(phone.client(), done.error()));
  }
  return recorded(output, *id, "户已登记", "household recorded");
}

void add_household_commands(CLI::App& app, Chosen& chosen) {
  auto words = std::make_shared<HouseholdWords>();
  CLI::App* household = app.add_subcommand("household", both("户", "households"));
  household->require_subcommand(1);
  CLI::App* add = household->add_subcommand(
      "add", both("登记一户和住在里面的人", "record a household and who lives there"));
  add->add_option("--grid", words->grid, both("网格的 15 位编码", "the grid's 15 digits"))
      ->required();
  add->add_option("--address", words->address, both("在哪里", "where it is"))->required();
  add->add_option("--dwelling", words->dwelling, one_of("Household", "dwelling"));
  add->add_option("--contact", words->contact, both("联系人", "whom to ask for"));
  add->add_option("--phone", words->phone, both("联系人的电话", "the contact's telephone"));
  add->add_option(
      "--member", words->members,
      both("姓名,关系,出生年,电话；每人写一次", "NAME,RELATION,BIRTH_YEAR,PHONE; once a person"));
  add->add_flag("--consent", words->consent,
                both("已告知并取得同意", "they were given notice and agreed"));
  terminal::add_examples(
      *add, {"gw household add --grid 440811100001001 --address 福民路3号 --dwelling owner "
             "--consent --member 赵小例,子女,2015"});
  add->callback([words, &chosen] {
    chosen.action = [words](Phone& p, const Output& o) { return add_household(p, o, *words); };
  });
}

struct ListWords {
  std::string kind, grid, state, since, near;
  std::vector<std::string> where;
  std::size_t limit = 50;
};

Result<Query> query_from(const KindSchema& kind, const ListWords& words, std::int64_t now_ms) {
  Query query;
  query.first(words.limit + 1);  // one more tells that there are more
  if (words.grid.find_first_not_of("0123456789") != std::string::npos) {
    return terminal::typed_wrong(
        about("--grid", both("须为网格的 15 位编码，或其开头几位",
                             "takes a grid's 15 digits, or the first of them")));
  }
  if (!words.grid.empty()) query.that("grid", Compare::kStartsWith, {words.grid});
  std::vector<std::string> pairs = words.where;
  if (!words.state.empty()) pairs.push_back("state=" + words.state);
  for (const std::string& pair : pairs) {
    const std::size_t at = pair.find('=');
    const FieldSchema* field = field_called(kind, std::string_view(pair).substr(0, at));
    if (at == std::string::npos || field == nullptr) {
      return terminal::typed_wrong(
          about(pair, both("请写 --where 字段=值，字段属于" + std::string(kind.name_zh),
                           "write --where FIELD=VALUE with a field of " + std::string(kind.name))));
    }
    const std::string value = pair.substr(at + 1);
    if (field->type == FieldType::kEnum) {
      const auto number = enum_from(*field, value);
      if (!number) return std::unexpected(number.error());
      query.is(std::string(field->name), *number);
    } else if (field->type == FieldType::kString) {
      query.is(std::string(field->name), value);
    } else if (field->type == FieldType::kBytes) {
      const auto bytes = bytes_from(*field, value);
      if (!bytes) return std::unexpected(bytes.error());
      query.is(std::string(field->name), *bytes);
    } else {
      const auto number = number_from(*field, value, now_ms);
      if (!number) return std::unexpected(number.error());
      query.is(std::string(field->name), *number);
    }
  }
  if (!words.since.empty()) {
    const auto since = time_from(words.since, now_ms, true);
    if (!since) return std::unexpected(since.error());
    for (const char* name : {"started_ms", "reported_ms", "at_ms", "created_ms", "noted_ms"}) {
      const FieldSchema* field = kind.field(std::string_view(name));
      if (field == nullptr || !field->indexed) continue;
      query.that(name, Compare::kAtLeast, {*since}).by(name, true);
      break;
    }
    if (query.order.empty()) {
      return terminal::typed_wrong(both(std::string(kind.name_zh) + "没有可供筛选的时间",
                                        std::string(kind.name) + " has no time to select by"));
    }
  }
  if (!words.near.empty()) {
    const auto at = position_from(words.near);
    if (!at) return std::unexpected(at.error());
    if (std::ranges::count(words.near, ',') != 2) {
      return terminal::typed_wrong(
          about("--near", both("请写明范围：纬度,经度,范围（米）", "say how far: LAT,LON,METRES")));
    }
    query.within({at->latitude, at->longitude, at->accuracy_m});
  }
  return query;
}

Exit list(Phone& phone, const Output& output, const ListWords& words, const Settings& settings) {
  const auto kind = kind_from(words.kind);
  if (!kind) return output.failed(kind.error());
  const auto query = query_from(**kind, words, phone.clock().now().wall_ms);
  if (!query) return output.failed(query.error());
  const auto found = phone.client().query((*kind)->name, *query, {settings.purpose});
  if (!found) return output.failed(found.error());
  output.records(**kind, *found, words.limit);
  return Exit::kOk;
}

Exit show(Phone& phone, const Output& output, const std::string& word, const Settings& settings) {
  const auto named = record_from(phone.client(), word);
  if (!named) return output.failed(named.error());
  const auto found = phone.client().get(named->kind->name, named->id, {settings.purpose});
  if (!found) return output.failed(found.error());
  output.record(*named->kind, *found, [&](KindId kind, const RecordId& id) {
    return name_of_record(phone.client(), kind, id);
  });
  return Exit::kOk;
}

Exit search(Phone& phone, const Output& output, const std::string& text,
            const std::vector<std::string>& kinds, const Settings& settings) {
  Search wanted;
  wanted.text = text;
  for (const std::string& word : kinds) {
    const auto kind = kind_from(word);
    if (!kind) return output.failed(kind.error());
    wanted.kinds.emplace_back((*kind)->name);
  }
  const std::size_t limit = wanted.limit++;  // one more tells that there are more
  auto hits = phone.client().search(wanted, {settings.purpose});
  if (!hits) return output.failed(hits.error());
  const bool more = hits->size() > limit;
  if (more) hits->resize(limit);
  json documents = json::array();
  Table table({"id", output.say("种类", "kind"), output.say("标题", "title"), ""});
  for (const Hit& hit : *hits) {
    const KindSchema* kind = built_schema().kind(hit.info.kind);
    const std::string name(kind == nullptr ? ""
                                           : output.say(kind->name_zh.data(), kind->name.data()));
    documents.push_back({{"id", hit.info.id.text()},
                         {"record_kind", kind == nullptr ? "" : std::string(kind->name)},
                         {"title", hit.title},
                         {"snippet", hit.snippet}});
    table.add({hit.info.id.text(), name, terminal::shortened(hit.title, 30),
               terminal::shortened(hit.snippet, 40)});
  }
  if (output.wants_json()) {
    output.document(documents);
  } else if (table.empty()) {
    output.line(settings.purpose.empty()
                    ? output.say("没有找到；姓名、电话等个人信息要用 --purpose 写明用途才能搜索",
                                 "nothing found; names, telephones and what else is personal are "
                                 "searched with a --purpose alone")
                    : output.say("没有找到", "nothing found"));
  } else {
    output.table(table);
    output.count(hits->size(), more);
  }
  return Exit::kOk;
}

Exit set(Phone& phone, const Output& output, const std::string& word,
         const std::vector<std::string>& pairs) {
  const auto named = record_from(phone.client(), word);
  if (!named) return output.failed(named.error());
  auto change = change_from(*named->kind, pairs, phone.clock().now().wall_ms);
  if (!change) return output.failed(change.error());
  // Field 1 of every kind is its id, as bytes of length 16.
  change->record.insert(0, std::string("\x0A\x10", 2) + std::string(named->id.bytes()));
  const auto id = phone.client().put(std::move(*change));
  if (!id) return output.failed(id.error());
  return recorded(output, *id, "已修改", "changed");
}

Exit add(Phone& phone, const Output& output, const std::string& kind_word,
         const std::vector<std::string>& pairs) {
  const auto kind = kind_from(kind_word);
  if (!kind) return output.failed(kind.error());
  auto change = change_from(**kind, pairs, phone.clock().now().wall_ms);
  if (!change) return output.failed(change.error());
  const auto id = phone.client().put(std::move(*change));
  if (!id) return output.failed(with_areas(phone.client(), id.error()));
  return recorded(output, *id, "已记录", "recorded");
}

Exit erase(Phone& phone, const Output& output, const std::string& word) {
  const auto named = record_from(phone.client(), word);
  if (!named) return output.failed(named.error());
  if (auto erased = phone.client().erase(named->kind->name, named->id); !erased) {
    return output.failed(erased.error());
  }
  return recorded(output, named->id, "已删除", "removed");
}

struct Words {
  std::string word;
  std::vector<std::string> more;
};

void add_reading(CLI::App& app, const Settings& settings, Chosen& chosen) {
  auto words = std::make_shared<ListWords>();
  CLI::App* all = app.add_subcommand("list", both("一类记录的列表", "records of one kind"));
  all->add_option("kind", words->kind,
                  both("whistle 哨声、visit 走访、household 户、task 任务……",
                       "whistle, visit, household, task …"))
      ->required();
  all->add_option(
      "--grid", words->grid,
      both("网格的 15 位编码，或其开头几位", "a grid's 15 digits, or the first of them"));
  all->add_option("--state", words->state,
                  both("状态，如 checking 待核查", "as the kind names its states: checking"));
  all->add_option(
      "--since", words->since,
      both("起始日期 2026-11-22，或 3d 表示三天内", "2026-11-22, or 3d for three days"));
  all->add_option("--near", words->near, both("纬度,经度,范围（米）", "LAT,LON,METRES"));
  all->add_option("--where", words->where,
                  both("字段=值，须为有索引的字段", "FIELD=VALUE, an indexed field"));
  all->add_option("--limit", words->limit, both("最多多少条", "at most so many"))
      ->check(CLI::Range(1, 100'000).description("1-100000"))
      ->capture_default_str();
  terminal::add_examples(*all, {"gw list whistle --state reported --since 3d",
                                "gw list household --grid 440811100001001 --purpose 走访核对",
                                "gw list facility --near 21.2630,110.3340,200"});
  all->callback([words, &settings, &chosen] {
    chosen.reads_only = true;
    chosen.action = [words, &settings](Phone& p, const Output& o) {
      return list(p, o, *words, settings);
    };
  });

  auto one = std::make_shared<Words>();
  CLI::App* shown = app.add_subcommand("show", both("一条记录的全部内容", "one record in full"));
  shown
      ->add_option("record", one->word,
                   both("记录的标识，或哨声的编号", "its id, or a whistle's number"))
      ->required();
  terminal::add_examples(*shown, {"gw show EAP6-000008-6", "gw show ID --purpose 核对电话"});
  shown->callback([one, &settings, &chosen] {
    chosen.reads_only = true;
    chosen.action = [one, &settings](Phone& p, const Output& o) {
      return show(p, o, one->word, settings);
    };
  });

  auto text = std::make_shared<Words>();
  CLI::App* found =
      app.add_subcommand("search", both("按文字搜索记录", "records that contain the words"));
  found
      ->add_option("text", text->word,
                   both("要找的字词，一个字也可以", "words; Chinese ones of one character too"))
      ->required();
  found->add_option("--kind", text->more,
                    both("只找这类记录；可重复", "only this kind; may be given again"));
  terminal::add_examples(*found,
                         {"gw search 井盖", "gw search 福民路 --kind whistle --kind visit"});
  found->callback([text, &settings, &chosen] {
    chosen.reads_only = true;
    chosen.action = [text, &settings](Phone& p, const Output& o) {
      return search(p, o, text->word, text->more, settings);
    };
  });
}

void add_writing(CLI::App& app, Chosen& chosen) {
  auto made = std::make_shared<Words>();
  CLI::App* adding = app.add_subcommand("add", both("登记任何一类记录", "record anything"));
  adding
      ->add_option("kind", made->word,
                   both("place 场所、facility 部件、dispute 矛盾纠纷、signal 弱信号……",
                        "place, facility, dispute, signal …"))
      ->required();
  adding->add_option("fields", made->more, both("字段=值……", "FIELD=VALUE …"))->required();
  terminal::add_examples(*adding, {"gw add place grid=440811100001001 name=示例小卖部"});
  adding->callback([made, &chosen] {
    chosen.action = [made](Phone& p, const Output& o) { return add(p, o, made->word, made->more); };
  });

  auto edited = std::make_shared<Words>();
  CLI::App* setting =
      app.add_subcommand("set", both("修改一条记录的字段", "change fields of a record"));
  setting
      ->add_option("record", edited->word,
                   both("记录的标识，或哨声的编号", "its id, or a whistle's number"))
      ->required();
  setting
      ->add_option("fields", edited->more,
                   both("字段=值……；“字段=”清空", "FIELD=VALUE …; FIELD= empties it"))
      ->required();
  terminal::add_examples(*setting, {"gw set EAP6-000008-6 address=福民路口", "gw set ID notes="});
  setting->callback([edited, &chosen] {
    chosen.action = [edited](Phone& p, const Output& o) {
      return set(p, o, edited->word, edited->more);
    };
  });

  auto gone = std::make_shared<Words>();
  CLI::App* erasing = app.add_subcommand("erase", both("删除一条记录", "remove a record"));
  erasing->add_option("record", gone->word, both("记录的标识", "its id"))->required();
  erasing->callback([gone, &chosen] {
    chosen.action = [gone](Phone& p, const Output& o) { return erase(p, o, gone->word); };
  });
}

}  // namespace

void add_record_commands(CLI::App& app, const Settings& settings, Chosen& chosen) {
  add_visit(app, chosen);
  add_household_commands(app, chosen);
  add_reading(app, settings, chosen);
  add_writing(app, chosen);
}

}  // namespace gridwhistle::cli

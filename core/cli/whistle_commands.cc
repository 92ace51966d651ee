#include <memory>

#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/evidence.h"
#include "cli/own_words.h"
#include "cli/words.h"
#include "gridwhistle/road.h"
#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/reference.pb.h"
#include "model/choices.h"
#include "model/workflow_codes.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "terminal/details.h"
#include "terminal/help.h"
#include "terminal/usage.h"

// Blowing the whistle, and what is done about it.
namespace gridwhistle::cli {

namespace {

using nlohmann::json;

const FieldSchema& field_of_kind(const char* kind, const char* name) {
  return *built_schema().kind(std::string_view(kind))->field(std::string_view(name));
}

/// What an option says that takes one of a field's words.
std::string one_of(const char* kind, const char* name) {
  const Line known = choices(field_of_kind(kind, name));
  return both(known.zh, known.en);
}

/// The same, for an option of some actions only.
std::string for_action(const std::string& english, const std::string& chinese, const char* kind,
                       const char* name) {
  const Line known = choices(field_of_kind(kind, name));
  return both(english + " " + chinese + "：" + known.zh, english + ": " + known.en);
}

struct WhistleWords {
  std::string grid, at, title, text, category, whistle_class = "routine", address, handled;
  std::string contact, phone;
  bool emergency = false;
};

/// A code that the county's list does not have was mistyped. A phone without the list records any:
/// the whistle matters more, and the server leads it on or shows it to the county.
Result<void> check_category(Client& client, const std::string& code) {
  const auto known = client.query("Category", Query().is("code", code).first(1));
  if (!known) return std::unexpected(known.error());
  if (!known->empty()) return {};
  const auto any = client.query("Category", Query().first(1));
  if (!any) return std::unexpected(any.error());
  if (any->empty()) return {};
  return fail(ErrorCode::kNotFound,
              about("--category", both("没有事项分类 " + code + "；见 gw list category",
                                       "there is no category " + code + "; see gw list category")));
}

Result<v1::Whistle> whistle_from(Phone& phone, const WhistleWords& words) {
  v1::Whistle whistle;
  const auto whistle_class =
      enum_from(field_of_kind("Whistle", "whistle_class"), words.whistle_class);
  if (!whistle_class) return std::unexpected(whistle_class.error());
  whistle.set_whistle_class(static_cast<v1::WhistleClass>(*whistle_class));
  if (is_blank(words.title)) {
    return terminal::typed_wrong(about("--title", both("不能为空，请用几个字说明是什么",
                                                       "is empty; say in a few words what it is")));
  }
  whistle.set_title(words.title);
  if (!words.text.empty()) whistle.set_text(words.text);
  if (!words.category.empty()) {
    if (auto known = check_category(phone.client(), words.category); !known) {
      return std::unexpected(std::move(known.error()));
    }
    whistle.set_category(words.category);
  }
  if (!words.address.empty()) whistle.set_address(words.address);
  if (words.emergency) whistle.set_emergency(true);
  if (!words.handled.empty()) {
    whistle.set_handled_on_spot(true);
    whistle.set_handled_text(words.handled);
  }
  if (!words.grid.empty()) whistle.set_grid(words.grid);
  if (words.at.empty()) {
    if (!words.grid.empty()) return whistle;
    const auto open = open_visits(phone.client());
    if (!open) return std::unexpected(open.error());
    if (open->empty()) {
      return terminal::typed_wrong(both("请用 --grid 或 --at 说明在哪里，或先开始走访",
                                        "say where with --grid or --at, or begin a visit first"));
    }
    whistle.set_grid(open->front().record.grid());
    return whistle;
  }
  const auto at = position_from(words.at);
  if (!at) return std::unexpected(at.error());
  whistle.set_latitude(at->latitude);
  whistle.set_longitude(at->longitude);
  whistle.set_accuracy_m(at->accuracy_m);
  whistle.set_coordinate_source(v1::COORDINATE_SOURCE_GNSS);
  if (!words.grid.empty()) return whistle;
  auto grid = grid_at(phone.client(), *at);
  if (!grid) return std::unexpected(std::move(grid.error()));
  whistle.set_grid(*grid);
  return whistle;
}

Exit blow(Phone& phone, const Output& output, const WhistleWords& words) {
  const auto whistle = whistle_from(phone, words);
  if (!whistle) return output.failed(whistle.error());
  Transaction transaction = phone.client().transaction();
  const auto id = transaction.put(*whistle);
  if (!id) return output.failed(id.error());
  if (!words.contact.empty() || !words.phone.empty()) {
    v1::WhistleContact contact;
    contact.set_whistle(std::string(id->bytes()));
    if (!words.contact.empty()) contact.set_name(words.contact);
    if (!words.phone.empty()) contact.set_phone(words.phone);
    if (auto added = transaction.put(contact); !added) return output.failed(added.error());
  }
  if (auto done = transaction.commit(); !done) {
    return output.failed(with_areas(phone.client(), done.error()));
  }
  const auto kept = phone.client().get<v1::Whistle>(*id);
  const std::string number = kept ? kept->record.number() : "";
  if (output.wants_json()) {
    output.document({{"id", id->text()}, {"number", number}});
  } else {
    output.line(std::string(output.say("哨声已记录 ", "whistle recorded ")) + number + "  " +
                id->text());
  }
  return Exit::kOk;
}

struct ActWords {
  std::string whistle, action, assignment, note, lead, until, level, whistle_class, result, reason;
  std::string item, other;
  std::vector<std::string> co, evidence, before, after;
};

Result<std::string> id_bytes(const char* option, const std::string& word) {
  const auto id = RecordId::parse(word);
  if (!id) return terminal::typed_wrong(about(option, not_an_id(word)));
  return std::string(id->bytes());
}

/// The latest assignment of the acting worker's organisation that was not withdrawn. A closed one
/// too: objecting to it, or asking for it again, is for the road to judge.
std::string own_assignment(const Road& road, const std::string& organisation) {
  std::string found;
  for (const RoadPart& part : road.parts) {
    if (part.assignment.record.organisation() != organisation) continue;
    if (part.assignment.record.state() == v1::ASSIGNMENT_STATE_WITHDRAWN) continue;
    found = part.assignment.record.id();
  }
  return found;
}

bool belongs_to_assignment(v1::WhistleActionType type) {
  switch (type) {
    case v1::WHISTLE_ACTION_TYPE_OBJECT:
    case v1::WHISTLE_ACTION_TYPE_CHECK_IN:
    case v1::WHISTLE_ACTION_TYPE_START:
    case v1::WHISTLE_ACTION_TYPE_REPORT_BACK:
    case v1::WHISTLE_ACTION_TYPE_REQUEST_EXTENSION:
    case v1::WHISTLE_ACTION_TYPE_REQUEST_SUSPENSION:
    case v1::WHISTLE_ACTION_TYPE_RESUME:
      return true;
    default:
      return false;
  }
}

/// Granted by one organisation, about the part of another.
bool is_granted(v1::WhistleActionType type) {
  return type == v1::WHISTLE_ACTION_TYPE_GRANT_EXTENSION ||
         type == v1::WHISTLE_ACTION_TYPE_GRANT_SUSPENSION;
}

/// The worker's own organisation, from the phone's reference data.
std::string own_organisation(Client& client) {
  const auto worker = client.get<v1::Worker>(client.status().worker, {"own record"});
  return worker ? worker->record.organisation() : std::string();
}

/// Why a whistle is not taken in is a word; objections have numbers of the county's own.
Result<std::int64_t> reason_from(v1::WhistleActionType type, const std::string& word) {
  if (type != v1::WHISTLE_ACTION_TYPE_OBJECT) {
    return enum_from(field_of_kind("Whistle", "refusal_reason"), word);
  }
  if (const auto number = objection_reason(word)) return *number;
  const Line wrong = not_an_objection_reason();
  return terminal::typed_wrong(both(wrong.zh, wrong.en));
}

Result<void> fill_choices(v1::WhistleAction& action, const ActWords& words, std::int64_t now_ms) {
  const auto choice = [](const char* field, const std::string& word) {
    return enum_from(field_of_kind("WhistleAction", field), word);
  };
  if (!words.level.empty()) {
    const auto level = choice("level", words.level);
    if (!level) return std::unexpected(level.error());
    action.set_level(static_cast<v1::Level>(*level));
  }
  if (!words.whistle_class.empty()) {
    const auto decided = choice("whistle_class", words.whistle_class);
    if (!decided) return std::unexpected(decided.error());
    action.set_whistle_class(static_cast<v1::WhistleClass>(*decided));
  }
  if (!words.result.empty()) {
    const auto result = choice("return_visit_result", words.result);
    if (!result) return std::unexpected(result.error());
    action.set_return_visit_result(static_cast<v1::ReturnVisitResult>(*result));
  }
  if (!words.reason.empty()) {
    const auto reason = reason_from(action.type(), words.reason);
    if (!reason) return std::unexpected(reason.error());
    action.set_reason(*reason);
  }
  if (!words.until.empty()) {
    const auto until = time_from(words.until, now_ms, false);
    if (!until) return std::unexpected(until.error());
    action.set_until_ms(*until);
  }
  return {};
}

Result<void> fill_references(Client& client, v1::WhistleAction& action, const ActWords& words) {
  if (!words.lead.empty()) {
    const auto lead = organisation_from(client, "--lead", words.lead);
    if (!lead) return std::unexpected(lead.error());
    action.set_lead(std::string(lead->bytes()));
  }
  if (!words.other.empty()) {
    const auto other = record_from(client, words.other);
    if (!other) return std::unexpected(other.error());
    action.set_other_whistle(std::string(other->id.bytes()));
  }
  if (!words.assignment.empty()) {
    auto assignment = id_bytes("--assignment", words.assignment);
    if (!assignment) return std::unexpected(std::move(assignment.error()));
    action.set_assignment(*assignment);
  }
  for (const std::string& word : words.co) {
    const auto co = organisation_from(client, "--co", word);
    if (!co) return std::unexpected(co.error());
    action.add_co_departments(std::string(co->bytes()));
  }
  for (const std::string& word : words.evidence) {
    auto evidence = id_bytes("--evidence", word);
    if (!evidence) return std::unexpected(std::move(evidence.error()));
    action.add_evidence(*evidence);
  }
  return {};
}

Result<v1::WhistleAction> action_from(Phone& phone, const ActWords& words) {
  const auto named = record_from(phone.client(), words.whistle);
  if (!named) return std::unexpected(named.error());
  v1::WhistleAction action;
  action.set_whistle(std::string(named->id.bytes()));
  const auto type = enum_from(field_of_kind("WhistleAction", "type"), words.action);
  if (!type) return std::unexpected(type.error());
  action.set_type(static_cast<v1::WhistleActionType>(*type));
  if (!words.note.empty()) action.set_note(words.note);
  if (!words.item.empty()) action.set_responsibility_item(words.item);
  if (auto filled = fill_choices(action, words, phone.clock().now().wall_ms); !filled) {
    return std::unexpected(std::move(filled.error()));
  }
  if (auto filled = fill_references(phone.client(), action, words); !filled) {
    return std::unexpected(std::move(filled.error()));
  }
  if (words.assignment.empty() && belongs_to_assignment(action.type())) {
    const auto road = phone.client().road(named->id);
    if (!road) return std::unexpected(road.error());
    const std::string own = own_assignment(*road, own_organisation(phone.client()));
    if (!own.empty()) action.set_assignment(own);
  }
  if (words.assignment.empty() && is_granted(action.type())) {
    const auto road = phone.client().road(named->id);
    if (!road) return std::unexpected(road.error());
    const auto asked = assignment_to_grant(*road, words.whistle);
    if (!asked) return std::unexpected(asked.error());
    action.set_assignment(*asked);
  }
  return action;
}

Result<std::vector<v1::Attachment>> evidence_of(Client& client, const ActWords& words) {
  std::vector<v1::Attachment> all;
  const auto add = [&](const std::vector<std::string>& paths,
                       v1::AttachmentStage stage) -> Result<void> {
    for (const std::string& path : paths) {
      auto one = evidence_from(client, path, stage);
      if (!one) return std::unexpected(std::move(one.error()));
      all.push_back(std::move(*one));
    }
    return {};
  };
  if (auto added = add(words.before, v1::ATTACHMENT_STAGE_BEFORE); !added) {
    return std::unexpected(std::move(added.error()));
  }
  if (auto added = add(words.after, v1::ATTACHMENT_STAGE_AFTER); !added) {
    return std::unexpected(std::move(added.error()));
  }
  return all;
}

/// An action that the state does not allow: what the state is, and what it does allow.
Error with_state(Client& client, const v1::WhistleAction& action, Error error) {
  if (error.detail != name_of(WorkflowCode::kWrongState)) return error;
  const auto road = client.road(RecordId::from_bytes(action.whistle()).value_or(RecordId()));
  if (!road) return error;
  std::vector<AssignmentState> parts;
  for (const RoadPart& part : road->parts) {
    if (part.assignment.record.round() != road->whistle.record.round()) continue;
    parts.push_back(static_cast<AssignmentState>(part.proposed));
  }
  const WorkflowMessage words = message_of(WorkflowCode::kWrongState);
  error.message =
      followed_by(both(std::string(words.zh), std::string(words.en)),
                  terminal::possible_now(static_cast<WhistleState>(road->proposed), parts));
  return error;
}

Exit act(Phone& phone, const Output& output, const ActWords& words) {
  const auto action = action_from(phone, words);
  if (!action) return output.failed(action.error());
  const auto evidence = evidence_of(phone.client(), words);
  if (!evidence) return output.failed(evidence.error());
  const auto id = phone.client().act(*action, *evidence);
  if (!id) return output.failed(with_state(phone.client(), *action, id.error()));
  if (output.wants_json()) {
    output.document({{"id", id->text()}});
  } else {
    output.line(
        std::string(output.say("已提出，待服务器确认  ", "proposed, the server decides  ")) +
        id->text());
  }
  return Exit::kOk;
}

Exit show_road(Phone& phone, const Output& output, const std::string& word) {
  const auto named = record_from(phone.client(), word);
  if (!named) return output.failed(named.error());
  const auto road = phone.client().road(named->id);
  if (!road) return output.failed(road.error());
  output.road(*road, [&phone](KindId kind, const RecordId& id) {
    return name_of_record(phone.client(), kind, id);
  });
  return Exit::kOk;
}

constexpr std::size_t kTasksMax = 200;

/// A task that does not say where it stands is open. One more than are shown tells that there are
/// more.
Query open_tasks() {
  Query open;
  open.that("state", Compare::kNotEqual, {std::int64_t{v1::TASK_STATE_DONE}});
  open.that("state", Compare::kNotEqual, {std::int64_t{v1::TASK_STATE_CANCELLED}});
  return open.by("due_ms").first(kTasksMax + 1);
}

Exit tasks(Phone& phone, const Output& output) {
  Client& client = phone.client();
  const std::string me(client.status().worker.bytes());
  auto found = client.query("Task", open_tasks().is("assignee", me));
  if (!found) return output.failed(found.error());
  const auto everybodys = client.query("Task", open_tasks().that("assignee", Compare::kUnset));
  if (!everybodys) return output.failed(everybodys.error());
  found->insert(found->end(), everybodys->begin(), everybodys->end());
  output.records(*built_schema().kind("Task"), *found, kTasksMax);
  return Exit::kOk;
}

void add_blow(CLI::App& app, Chosen& chosen) {
  auto words = std::make_shared<WhistleWords>();
  CLI::App* whistle = app.add_subcommand("whistle", both("吹哨上报", "blow the whistle"));
  whistle->add_option("--title", words->title, both("几个字说明是什么", "in a few words"))
      ->required();
  whistle->add_option("--text", words->text, both("看到了什么", "what was seen"));
  whistle->add_option("--grid", words->grid,
                      both("网格的 15 位编码；不写则为进行中走访的网格",
                           "the grid's 15 digits; the open visit's if not given"));
  whistle->add_option("--at", words->at,
                      both("纬度,经度 或 纬度,经度,精度（米）；自动找到网格",
                           "LAT,LON or LAT,LON,METRES; finds the grid by itself"));
  whistle->add_option("--category", words->category,
                      both("事项编码，见 gw list category", "the matter's code: gw list category"));
  whistle->add_option("--class", words->whistle_class, one_of("Whistle", "whistle_class"))
      ->capture_default_str();
  whistle->add_option("--address", words->address,
                      both("在哪里，用文字说明", "where it is, in words"));
  whistle->add_flag("--emergency", words->emergency,
                    both("紧急：同时请打电话", "now: also telephone"));
  whistle->add_option("--handled", words->handled,
                      both("就地办结：怎样解决的", "settled on the spot: how"));
  whistle->add_option("--contact", words->contact, both("向你反映的人", "who reported it to you"));
  whistle->add_option("--phone", words->phone, both("反映人的电话", "that person's telephone"));
  terminal::add_examples(*whistle,
                         {"gw whistle --title 井盖松动 --category 01001",
                          "gw whistle --title 路灯不亮 --at 21.2630,110.3340,15 --class key",
                          "gw whistle --title 楼道堆物 --handled 当场劝导，已清理"});
  whistle->callback([words, &chosen] {
    chosen.action = [words](Phone& p, const Output& o) { return blow(p, o, *words); };
  });
}

void add_act(CLI::App& app, Chosen& chosen) {
  auto words = std::make_shared<ActWords>();
  CLI::App* acting = app.add_subcommand("act", both("办理哨声", "do something about a whistle"));
  acting->add_option("whistle", words->whistle, both("哨声的编号或标识", "its number or id"))
      ->required();
  acting->add_option("action", words->action, one_of("WhistleAction", "type"))->required();
  acting->add_option("--note", words->note, both("说明", "in words"));
  acting->add_option(
      "--lead", words->lead,
      both("assign 交办：主办单位的代码或名称", "assign: the leading organisation's code or name"));
  acting->add_option("--co", words->co,
                     both("assign 交办：协办单位；可重复",
                          "assign: an organisation that helps; may be given again"));
  acting->add_option("--item", words->item,
                     both("责任清单条目的代码", "the responsibility item's code"));
  acting->add_option("--reason", words->reason,
                     followed_by(for_action("refuse", "不予受理", "Whistle", "refusal_reason"),
                                 objection_reasons()));
  acting->add_option(
      "--until", words->until,
      both("延期或挂账：到哪一天，2026-12-31", "extension or suspension: until when, 2026-12-31"));
  acting->add_option("--level", words->level,
                     for_action("pull_up, push_down", "提级、下沉", "WhistleAction", "level"));
  acting->add_option("--class", words->whistle_class,
                     for_action("accept", "受理", "WhistleAction", "whistle_class"));
  acting->add_option("--result", words->result,
                     for_action("return_visit", "回访", "WhistleAction", "return_visit_result"));
  acting->add_option("--other", words->other,
                     both("merge 并单：并入的哨声", "merge: the whistle it goes on with"));
  acting->add_option("--assignment", words->assignment,
                     both("哪个单位的交办，见 gw road；不写则为本单位的，或唯一的那个",
                          "whose part, see gw road; your own, or the only one, if not given"));
  acting->add_option(
      "--before", words->before,
      both("处置前情况的文件；可重复", "a file that shows what was found; may be given again"));
  acting->add_option(
      "--after", words->after,
      both("处置后情况的文件；可重复", "a file that shows what was done; may be given again"));
  acting->add_option("--evidence", words->evidence,
                     both("附件的标识；可重复", "an attachment's id; may be given again"));
  acting->footer(
      both("--before 和 --after 的文件随动作一并保存，排在上报之后发送；有的事项要等照片到达才结案。",
           "The files of --before and --after are kept with the action and sent behind reports; some\n"
           "categories are closed only when such a picture has arrived."));
  terminal::add_examples(
      *acting, {"gw act EAP6-000008-6 accept --class key", "gw act EAP6-000008-6 check_in",
                "gw act EAP6-000008-6 report_back --note 已更换井盖 --after b.jpg",
                "gw act EAP6-000008-6 return_visit --result satisfied"});
  acting->callback([words, &chosen] {
    chosen.action = [words](Phone& p, const Output& o) { return act(p, o, *words); };
  });

  auto word = std::make_shared<std::string>();
  CLI::App* way = app.add_subcommand("road", both("一条哨声的流转", "a whistle's way so far"));
  way->add_option("whistle", *word, both("哨声的编号或标识", "its number or id"))->required();
  terminal::add_examples(*way, {"gw road EAP6-000008-6"});
  way->callback([word, &chosen] {
    chosen.reads_only = true;
    chosen.action = [word](Phone& p, const Output& o) { return show_road(p, o, *word); };
  });
}

}  // namespace

void add_whistle_commands(CLI::App& app, const Settings&, Chosen& chosen) {
  add_blow(app, chosen);
  add_act(app, chosen);
  CLI::App* open =
      app.add_subcommand("tasks", both("中心交给你的任务，然后是交给你所在区域所有人的",
                                       "what the centre asks: of you, then of all in your areas"));
  open->callback([&chosen] {
    chosen.reads_only = true;
    chosen.action = tasks;
  });
}

}  // namespace gridwhistle::cli

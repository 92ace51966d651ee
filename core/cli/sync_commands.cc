#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>

#include "base/durable_file.h"
#include "base/sha256.h"
#include "cli/commands.h"
#include "cli/own_words.h"
#include "cli/words.h"
#include "gridwhistle/v1/records.pb.h"
#include "model/record.h"
#include "model/workflow_codes.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "terminal/columns.h"
#include "terminal/help.h"
#include "terminal/times.h"
#include "terminal/told.h"
#include "terminal/usage.h"

// The line to the server: enrolment, sync, how things stand, what became of everything.
namespace gridwhistle::cli {

namespace {

using nlohmann::json;

volatile std::sig_atomic_t interrupted = 0;

/// Waits for the network: until the loop is stopped or, in good order, ctrl-C or SIGTERM. No loop
/// may be stopped from within a signal, so it is looked at ten times a second.
void wait_for(RunLoop& loop) {
  for (const int number : {SIGINT, SIGTERM}) {
    std::signal(number, [](int) { interrupted = 1; });
  }
  while (interrupted == 0 && !loop.run_for(std::chrono::milliseconds(100))) {
  }
}

Exit enrol(Phone& phone, const Output& output, const std::string& word, const std::string& name) {
  const auto code = EnrolmentCode::parse(word);
  if (!code) return output.failed(code.error());
  std::optional<Result<void>> how;
  phone.client().enrol(*code, name, [&](Result<void> done) {
    how = std::move(done);
    phone.loop().stop();
  });
  wait_for(phone.loop());
  if (!how) return output.failed({ErrorCode::kTimeout, both("已中断", "interrupted"), ""});
  if (!*how) return output.failed(how->error());
  const ClientStatus status = phone.client().status();
  if (output.wants_json()) {
    output.document({{"county", status.county}, {"short_code", status.short_code}});
  } else {
    output.line(std::string(output.say("已注册：", "enrolled: ")) + status.county + " " +
                status.short_code);
  }
  return Exit::kOk;
}

/// Tells people that there is nothing more for them here, where that is so.
void tell_no_area(const Output& output, const ClientStatus& status) {
  if (const auto why = why_no_area(status))
    output.line(output.say(why->zh.c_str(), why->en.c_str()));
}

json media_json(const Output& output, const ClientStatus& status) {
  json refused = json::array();
  for (const MediaRefusal& one : status.media.refused) {
    refused.push_back({{"sha256", to_hex(one.sha256)},
                       {"size_bytes", one.size},
                       {"error", name_of(one.why.code)},
                       {"why", output.words_of(one.why)}});
  }
  json document = {{"unsent", status.media.unsent},
                   {"unsent_bytes", status.media.unsent_bytes},
                   {"refused", refused}};
  if (status.media.last_error) {
    document["last_error"] = output.words_of(*status.media.last_error);
    document["last_error_code"] = name_of(status.media.last_error->code);
  }
  return document;
}

/// What there is to say of attachments' bytes; nothing where all are sent.
void tell_media(const Output& output, const MediaStatus& media) {
  if (media.unsent > 0) {
    output.line(std::string(output.say("附件未发送 ", "attachments unsent ")) +
                std::to_string(media.unsent) + output.say("，字节 ", ", bytes ") +
                std::to_string(media.unsent_bytes));
  }
  for (const MediaRefusal& one : media.refused) {
    output.line("  " + to_hex(one.sha256).substr(0, 16) + "  " + output.words_of(one.why));
  }
}

/// `pictures`: what became of attachments behind the reports; none where nobody asked.
Exit report(const Output& output, const Result<SyncReport>& how,
            const std::optional<Result<MediaReport>>& pictures, const ClientStatus& status) {
  if (!how) return output.failed(how.error());
  const std::uint64_t files = pictures && *pictures ? (*pictures)->files_sent : 0;
  if (output.wants_json()) {
    json media = media_json(output, status);
    media["sent"] = files;
    output.document({{"sent", how->sent},
                     {"acknowledged", how->acknowledged},
                     {"rows", how->rows},
                     {"bytes_up", how->bytes_up},
                     {"bytes_down", how->bytes_down},
                     {"held_back", how->held_back},
                     {"caught_up", how->caught_up},
                     {"compared", how->compared},
                     {"repaired", how->repaired},
                     {"attachments", media}});
    return Exit::kOk;
  }
  output.line(std::string(output.say("发送 ", "sent ")) + std::to_string(how->sent) +
              output.say("，送达 ", ", acknowledged ") + std::to_string(how->acknowledged) +
              output.say("，接收 ", ", received ") + std::to_string(how->rows) +
              output.say("，字节 ", ", bytes ") + std::to_string(how->bytes_up) + "+" +
              std::to_string(how->bytes_down));
  if (how->held_back > 0) {
    output.line(std::string(output.say("留到下次发送 ", "left for another call ")) +
                std::to_string(how->held_back));
  }
  if (!how->caught_up) {
    output.line(output.say("还有内容未接收，下次继续",
                           "there is more to receive; it goes on with the next call"));
  }
  if (how->compared) {
    output.line(
        how->repaired == 0
            ? std::string(output.say("与服务器核对：一致", "compared with the server: the same"))
            : output.say("与服务器核对：已修正 ", "compared with the server: put right ") +
                  std::to_string(how->repaired));
  }
  if (files > 0) {
    output.line(std::string(output.say("发送附件 ", "attachments sent ")) + std::to_string(files));
  }
  if (pictures && !*pictures) output.note(pictures->error());
  tell_media(output, status.media);
  tell_no_area(output, status);
  return Exit::kOk;
}

Exit sync_once(Phone& phone, const Output& output, const SyncOptions& options) {
  std::optional<Result<SyncReport>> how;
  phone.client().sync_once(options, [&](Result<SyncReport> done) {
    how = std::move(done);
    phone.loop().stop();
  });
  wait_for(phone.loop());
  if (!how)
    return output.failed({ErrorCode::kTimeout,
                          both("已中断；没有丢失任何内容", "interrupted; nothing is lost"), ""});
  std::optional<Result<MediaReport>> pictures;
  if (*how && !options.metered && options.budget_bytes == 0 &&
      phone.client().status().media.unsent > 0) {
    phone.client().send_media([&](Result<MediaReport> done) {
      pictures = std::move(done);
      phone.loop().stop();
    });
    wait_for(phone.loop());
  }
  return report(output, *how, pictures, phone.client().status());
}

/// What is wrong with a live line at its end. `came`: it received everything, at least once.
std::optional<Error> wrong_with(const ClientStatus& status, bool came) {
  // What trying again does not mend is told, whatever had come before it.
  const bool for_good = status.last_error && status.last_error->retry() != Retry::kLater;
  if (for_good) return status.last_error;
  if (!came && status.phase != SyncPhase::kLive) {
    if (status.last_error) return status.last_error;
    return Error{ErrorCode::kUnavailable,
                 both("没有连上；没有丢失任何内容", "no connection came about; nothing is lost"),
                 ""};
  }
  if (status.unsent == 0) return std::nullopt;
  if (status.last_error) return status.last_error;
  return Error{
      ErrorCode::kUnavailable,
      both(std::to_string(status.unsent) + " 条尚未发送，保存在本机",
           std::to_string(status.unsent) + " are not sent yet; they are safe on this phone"),
      ""};
}

Exit sync_live(Phone& phone, const Output& output, double seconds) {
  if (!output.wants_json()) {
    output.line(output.say("保持连接，按 Ctrl-C 结束", "staying connected, ctrl-C ends it"));
  }
  const std::uint64_t begun_ms = phone.clock().now().boot_ms;
  phone.client().start_live();
  if (seconds > 0) {
    phone.loop().run_for(std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)));
  } else {
    wait_for(phone.loop());
  }
  const ClientStatus status = phone.client().status();
  const std::uint64_t ran_ms = phone.clock().now().boot_ms - begun_ms;
  phone.client().stop();
  const bool came = status.since_sync_ms && *status.since_sync_ms <= ran_ms;
  if (const auto wrong = wrong_with(status, came)) return output.failed(*wrong);
  if (output.wants_json()) {
    output.document({{"caught_up", came},
                     {"unsent", status.unsent},
                     {"attachments", media_json(output, status)}});
  } else {
    tell_media(output, status.media);
  }
  return Exit::kOk;
}

const char* lane_text(const Output& output, Lane lane) {
  switch (lane) {
    case Lane::kWhistles:
      return output.say("哨声", "whistles");
    case Lane::kRecords:
      return output.say("记录", "records");
    case Lane::kBulk:
      return output.say("轨迹", "tracks");
  }
  return "";
}

/// What became of it and why, in one line; the server's own words where they say more.
std::string why(const Output& output, const OutcomeView& one) {
  std::string words = output.settings().chinese ? one.why_zh : one.why_en;
  const bool from_road = one.code >= static_cast<std::uint32_t>(WorkflowCode::kUnknownAction);
  const auto more = terminal::told_in(one.message, output.settings().chinese);
  if (more && !more->empty() && !from_road) words += output.say("：", ": ") + *more;
  return words;
}

json status_json(const Output& output, const ClientStatus& status) {
  json lanes = json::array();
  for (const LaneStatus& lane : status.lanes) {
    lanes.push_back({{"lane", static_cast<int>(lane.lane)},
                     {"unsent", lane.unsent},
                     {"sent", lane.sent},
                     {"delivered", lane.delivered},
                     {"not_backed_up", lane.not_backed_up}});
  }
  json emergencies = json::array();
  for (const EmergencyUnsent& one : status.emergencies) {
    emergencies.push_back({{"whistle", one.whistle.text()},
                           {"number", one.number},
                           {"unsent_ms", one.unsent_ms},
                           {"advice", one.advice}});
  }
  json document = {{"enrolled", status.enrolled},   {"county", status.county},
                   {"server", status.server},       {"short_code", status.short_code},
                   {"scopes", status.scopes},       {"unsent", status.unsent},
                   {"refused", status.refused},     {"caught_up", status.caught_up},
                   {"cursor", status.cursor.value}, {"lanes", lanes},
                   {"emergencies", emergencies},    {"worker", status.worker.text()}};
  document["attachments"] = media_json(output, status);
  document["newest_refused"] = json::array();
  for (const OutcomeView& one : status.newest_refused) {
    document["newest_refused"].push_back({{"id", one.outcome.text()},
                                          {"record_kind", one.record_kind},
                                          {"record", one.record.text()},
                                          {"why", why(output, one)},
                                          {"at_ms", one.at_ms}});
  }
  if (status.last_error) {
    document["last_error"] = output.words_of(*status.last_error);
    document["last_error_code"] = name_of(status.last_error->code);
  }
  if (status.since_sync_ms) document["since_sync_ms"] = *status.since_sync_ms;
  if (status.poisoned) document["poisoned"] = status.poisoned->message;
  return document;
}

Exit status(Phone& phone, const Output& output) {
  const ClientStatus now = phone.client().status();
  if (output.wants_json()) {
    output.document(status_json(output, now));
    return Exit::kOk;
  }
  for (const EmergencyUnsent& one : now.emergencies)
    output.line("!! " + one.number + " " + one.advice);
  if (!now.enrolled) {
    output.line(output.say("未注册：gw enrol CODE", "not enrolled: gw enrol CODE"));
  } else {
    output.line(now.county + "  " + now.server + "  " + now.short_code);
    tell_no_area(output, now);
  }
  Table table({output.say("通道", "lane"), output.say("未发送", "unsent"),
               output.say("发送中", "on its way"), output.say("已送达", "delivered"),
               output.say("待备份", "not backed up")});
  for (const LaneStatus& lane : now.lanes) {
    table.add({lane_text(output, lane.lane), std::to_string(lane.unsent), std::to_string(lane.sent),
               std::to_string(lane.delivered), std::to_string(lane.not_backed_up)});
  }
  output.table(table);
  tell_media(output, now.media);
  if (now.refused > 0) {
    output.line(std::to_string(now.refused) +
                output.say(" 条回执待阅，见 gw outcomes",
                           now.refused == 1 ? " outcome to look at, see gw outcomes"
                                            : " outcomes to look at, see gw outcomes"));
    for (const OutcomeView& one : now.newest_refused) {
      output.line("  " + terminal::time_text(one.at_ms) + "  " + why(output, one));
    }
  }
  if (now.last_error)
    output.line(std::string(output.say("上次：", "last: ")) + output.words_of(*now.last_error));
  if (now.poisoned)
    output.line(std::string(output.say("停止写入：", "writes stopped: ")) + now.poisoned->message);
  return Exit::kOk;
}

json lost_names(const KindSchema* kind, const OutcomeView& one) {
  json names = json::array();
  for (const std::uint32_t number : one.lost_fields) {
    const FieldSchema* field = kind == nullptr ? nullptr : kind->field(number);
    if (field != nullptr) names.push_back(field->name);
  }
  return names;
}

FoundBytes lost_values(const OutcomeView& one) {
  FoundBytes values;
  values.record = one.lost;
  return values;
}

json lost_json(const Output& output, const KindSchema* kind, const OutcomeView& one) {
  return kind == nullptr ? json::object() : output.record_json(*kind, lost_values(one))["fields"];
}

/// "备注: 门未关", one behind the other.
std::string lost_text(const Output& output, const KindSchema* kind, const OutcomeView& one) {
  return kind == nullptr ? std::string() : output.fields_text(*kind, lost_values(one));
}

/// The whistle that an outcome is about, as far as the phone still has it or the outcome kept it:
/// "EAP6-000008-6 井盖松动".
std::string whistle_text(Client& client, const KindSchema& kind, const OutcomeView& one) {
  v1::Whistle whistle;
  RecordId id = one.record;
  if (kind.id == kinds::kWhistle) {
    whistle.ParseFromString(one.lost);
  } else {
    const FieldSchema* field = kind.field(std::string_view("whistle"));
    if (field == nullptr) return {};
    const auto kept = values_of(field_of(one.lost, field->number).entries);
    id = kept.empty() ? RecordId() : RecordId::from_bytes(kept.back().bytes).value_or(RecordId());
  }
  if (const auto here = client.get<v1::Whistle>(id)) whistle = here->record;
  std::string text = whistle.number();
  if (!whistle.title().empty()) text += (text.empty() ? "" : " ") + whistle.title();
  return text;
}

Exit outcomes(Phone& phone, const Output& output, const Settings& settings) {
  const auto found = phone.client().outcomes({settings.purpose});
  if (!found) return output.failed(found.error());
  const FieldSchema* statuses = built_schema().kind("Outcome")->field(std::string_view("status"));
  json documents = json::array();
  Table table({"id", output.say("时间", "time"), output.say("结果", "result"),
               output.say("记录", "record"), output.say("说明", "why"), output.say("内容", "value"),
               output.say("可恢复", "restorable")});
  for (const OutcomeView& one : *found) {
    const EnumValue* value = statuses->enum_value(one.status);
    const std::string name(value == nullptr ? "unknown" : value->name);
    const KindSchema* kind = built_schema().kind(std::string_view(one.record_kind));
    const std::string whistle =
        kind == nullptr ? std::string() : whistle_text(phone.client(), *kind, one);
    documents.push_back({{"id", one.outcome.text()},
                         {"whistle", whistle.empty() ? json() : json(whistle)},
                         {"status", name},
                         {"code", one.code},
                         {"record_kind", one.record_kind},
                         {"record", one.record.text()},
                         {"why", why(output, one)},
                         {"lost", lost_json(output, kind, one)},
                         {"lost_fields", lost_names(kind, one)},
                         {"masked", one.masked},
                         {"winner", one.winner.is_nil() ? json() : json(one.winner.text())},
                         {"restorable", one.restorable},
                         {"at_ms", one.at_ms}});
    table.add(
        {one.outcome.text(), terminal::time_text(one.at_ms),
         value == nullptr ? name : output.say(std::string(value->name_zh).c_str(), name.c_str()),
         (kind == nullptr ? one.record_kind : output.kind_name(*kind)) +
             (whistle.empty() ? "" : " " + terminal::shortened(whistle, 34)),
         why(output, one), terminal::shortened(lost_text(output, kind, one), 40),
         one.restorable ? output.say("是", "yes") : ""});
  }
  if (output.wants_json()) {
    output.document(documents);
    return Exit::kOk;
  }
  if (table.empty()) {
    output.line(output.say("全部已生效", "everything was applied"));
  } else {
    output.table(table);
  }
  if (std::ranges::any_of(*found, &OutcomeView::masked)) output.line(output.masked_advice());
  return Exit::kOk;
}

Exit restore(Phone& phone, const Output& output, const std::string& word) {
  const auto id = RecordId::parse(word);
  if (!id) return output.failed(terminal::typed_wrong(not_an_id(word)).error());
  const auto restored = phone.client().restore(*id);
  if (!restored) return output.failed(restored.error());
  if (output.wants_json()) {
    output.document({{"id", restored->record.text()}, {"before", restored->before}});
  } else {
    output.line(std::string(restored->before
                                ? output.say("此前已重新写入，这次未再写入 ",
                                             "it was written again before, and not once more: ")
                                : output.say("已重新写入 ", "written again ")) +
                restored->record.text());
  }
  return Exit::kOk;
}

Exit dismiss(Phone& phone, const Output& output, const std::string& word) {
  const auto id = RecordId::parse(word);
  if (!id) return output.failed(terminal::typed_wrong(not_an_id(word)).error());
  if (auto done = phone.client().dismiss(*id); !done) return output.failed(done.error());
  if (output.wants_json()) {
    output.document({{"id", id->text()}});
  } else {
    output.line(output.say("不再列出", "no longer listed"));
  }
  return Exit::kOk;
}

/// The phone's own log is read here: whose data it was stands there by id, never by name.
Exit access(Phone& phone, const Output& output, std::size_t limit) {
  auto log = phone.client().access_log(limit + 1);  // one more tells that there are more
  if (!log) return output.failed(log.error());
  const bool more = log->size() > limit;
  if (more) log->resize(limit);
  json documents = json::array();
  Table table({output.say("时间", "time"), output.say("人员", "worker"),
               output.say("记录", "record"), output.say("条数", "count"),
               output.say("用途", "purpose")});
  for (const AccessEntry& one : *log) {
    json ids = json::array();
    for (const RecordId& id : one.records) ids.push_back(id.text());
    documents.push_back({{"number", one.number},
                         {"at_ms", one.at_ms},
                         {"worker", one.worker.is_nil() ? json() : json(one.worker.text())},
                         {"kind", one.kind},
                         {"records", std::move(ids)},
                         {"purpose", one.purpose}});
    const KindSchema* kind = built_schema().kind(std::string_view(one.kind));
    const std::string name = kind == nullptr ? one.kind : output.kind_name(*kind);
    table.add({terminal::time_text(one.at_ms),
               name_of_record(phone.client(), kinds::kWorker, one.worker),
               one.records.size() == 1 ? name + " " + one.records.front().text() : name,
               std::to_string(one.records.size()),
               one.purpose.empty() ? output.say("（已脱敏）", "(masked)") : one.purpose});
  }
  if (output.wants_json()) {
    output.document(documents);
    return Exit::kOk;
  }
  if (table.empty()) {
    output.line(output.say("本机没有查看过个人信息", "no personal data was read here"));
  } else {
    output.table(table);
    output.count(log->size(), more);
  }
  return Exit::kOk;
}

/// The file is there whole or not at all.
Exit export_bundle(Phone& phone, const Output& output, const std::string& path) {
  std::string bytes;
  const auto exported = phone.client().export_bundle([&](std::string_view part) -> Result<void> {
    bytes += part;
    return {};
  });
  if (!exported) return output.failed(exported.error());
  if (exported->operations > 0) {
    if (auto made = create_private_file(path, bytes); !made) return output.failed(made.error());
  }
  if (output.wants_json()) {
    output.document({{"operations", exported->operations},
                     {"whistles", exported->whistles},
                     {"bytes", bytes.size()}});
    return Exit::kOk;
  }
  if (exported->operations == 0) {
    output.line(output.say("没有未发送的内容，未建文件", "nothing is unsent; no file was made"));
    return Exit::kOk;
  }
  output.line(std::string(output.say("已导出 ", "exported ")) +
              std::to_string(exported->operations) +
              output.say(" 条，其中哨声相关 ", ", of these of whistles ") +
              std::to_string(exported->whistles));
  output.line(output.say(
      "请交给县服务器管理员：gridwhistle-server import-bundle；只有服务器能打开。本机内容不变",
      "bring it to the county's operator: gridwhistle-server import-bundle. The server alone can "
      "open "
      "it; this phone keeps everything"));
  return Exit::kOk;
}

Exit salvage(const Settings& settings, const Output& output) {
  const auto salvaged = Phone::salvage(settings);
  if (!salvaged) return output.failed(salvaged.error());
  if (output.wants_json()) {
    output.document(
        {{"unsent", salvaged->unsent}, {"whole", salvaged->whole}, {"kept", salvaged->kept}});
    return Exit::kOk;
  }
  const std::string count = std::to_string(salvaged->unsent);
  output.line(output.say("待发送 ", "unsent: ") + count);
  if (!salvaged->whole) {
    output.line(output.say("有些未发送的内容无法读出；损坏的文件保留在 ",
                           "some of what was unsent cannot be read; the damaged file is kept as ") +
                salvaged->kept);
  } else {
    output.line(output.say("本机独有的内容都已读出；损坏的文件保留在 ",
                           "all that only this phone had is saved; the damaged file is kept as ") +
                salvaged->kept);
  }
  output.line(
      output.say("其余记录由下一次 gw sync 重新接收。", "gw sync brings the records again."));
  return Exit::kOk;
}

}  // namespace

void add_sync_commands(CLI::App& app, const Settings& settings, Chosen& chosen) {
  struct Words {
    std::string code, name = "gw", outcome, bundle;
    bool live = false;
    bool compare = false;
    bool metered = false;
    double seconds = 0;
    std::uint64_t bytes = 0;
    std::size_t limit = 100;
  };
  auto words = std::make_shared<Words>();
  CLI::App* enrolling = app.add_subcommand(
      "enrol", both("向县服务器注册这部手机", "register this phone with a county"));
  enrolling
      ->add_option("code", words->code,
                   both("管理员给的注册码，gw1:…", "what the operator gave you, gw1:…"))
      ->required();
  enrolling
      ->add_option(
          "--name", words->name,
          both("这部手机在管理员列表中的名称", "this device's name in the operator's list"))
      ->capture_default_str();
  terminal::add_examples(*enrolling,
                         {"gw enrol gw1:sync.example.gov.cn:7443:ef08…0934:AQDC-C40V-4KA8"});
  enrolling->callback([words, &chosen] {
    chosen.action = [words](Phone& p, const Output& o) {
      return enrol(p, o, words->code, words->name);
    };
  });

  CLI::App* syncing = app.add_subcommand("sync", both("发送并接收", "send and receive"));
  syncing->add_flag("--live", words->live,
                    both("保持连接；其间其他 gw 只能读，不能登记",
                         "stay connected; meanwhile every other gw can only read"));
  syncing->add_flag("--compare", words->compare,
                    both("并与服务器逐条核对本机内容，修正不一致之处；每周自动进行一次",
                         "also compare what this phone holds with the server, and put right what "
                         "differs; once a week it happens by itself"));
  syncing
      ->add_flag("--metered", words->metered,
                 both("流量计费：轨迹和附件留待下次，上下行各约 256 KB，最紧急的优先",
                      "the line costs money: tracks and attachments stay for another time, each "
                      "way takes some 256 KB, the most urgent first"))
      ->excludes("--live");
  syncing
      ->add_option("--bytes", words->bytes,
                   both("上下行各最多约多少字节，最紧急的优先；附件留待下次",
                        "each way at most about so many, the most urgent first; attachments stay "
                        "for another time"))
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40).description("1 or more"))
      ->excludes("--live");
  syncing
      ->add_option(
          "--seconds", words->seconds,
          both("最多多少秒：到时结束，下次从中断处继续；与 --live 同用时为保持多少秒",
               "at most so many: it then ends, and goes on from there next time; with --live: "
               "for so many"))
      ->check(CLI::Range(0.0, 1e6).description("0-1000000"));
  terminal::add_examples(*syncing,
                         {"gw sync", "gw sync --live --seconds 600", "gw sync --metered"});
  syncing->callback([words, &chosen] {
    chosen.action = [words](Phone& p, const Output& o) {
      return words->live
                 ? sync_live(p, o, words->seconds)
                 : sync_once(p, o,
                             {.budget_bytes = words->bytes,
                              .budget_ms = static_cast<std::uint64_t>(words->seconds * 1000),
                              .compare = words->compare,
                              .metered = words->metered});
    };
  });

  CLI::App* bundle = app.add_subcommand(
      "bundle", both("没有网络时：未发送的内容由人带到服务器",
                     "without a network: what is unsent, carried to the server by hand"));
  bundle->require_subcommand(1);
  CLI::App* out = bundle->add_subcommand(
      "export", both("把未发送的内容写入一个只有服务器能打开的文件",
                     "write what is unsent into a file that the server alone can open"));
  out->add_option("file", words->bundle, both("新文件", "a new file"))->required();
  terminal::add_examples(*out, {"gw bundle export unsent.gwbundle"});
  out->callback([words, &chosen] {
    chosen.action = [words](Phone& p, const Output& o) {
      return export_bundle(p, o, words->bundle);
    };
  });

  app.add_subcommand("salvage", both("文件损坏时：保存未发送的内容，换用新文件",
                                     "of a damaged file: save what is unsent, go on in a new one"))
      ->callback([&settings, &chosen] {
        chosen.without_phone = [&settings](const Output& o) { return salvage(settings, o); };
      });

  app.add_subcommand("status", both("哪些未发送、已发送、被退回", "what is unsent, sent, refused"))
      ->callback([&chosen] {
        chosen.reads_only = true;
        chosen.action = status;
      });

  CLI::App* reads = app.add_subcommand(
      "access", both("谁在这部手机上查看过个人信息", "who read personal data on this phone"));
  reads->add_option("--limit", words->limit, both("最新的多少条", "at most so many, the newest"))
      ->check(CLI::Range(1, 100'000).description("1-100000"))
      ->capture_default_str();
  reads->callback([words, &chosen] {
    chosen.action = [words](Phone& p, const Output& o) { return access(p, o, words->limit); };
  });

  CLI::App* what = app.add_subcommand("outcomes", both("回执：哪些没有直接生效，以及原因",
                                                       "what was not simply accepted, and why"));
  CLI::App* again = what->add_subcommand(
      "restore", both("重新写入被覆盖或退回的内容", "write a lost value again"));
  again->add_option("id", words->outcome, both("回执的标识", "the outcome's id"))->required();
  CLI::App* seen =
      what->add_subcommand("dismiss", both("已阅，不再列出", "leave it at that: no longer listed"));
  seen->add_option("id", words->outcome, both("回执的标识", "the outcome's id"))->required();
  terminal::add_examples(*what,
                         {"gw outcomes", "gw outcomes restore ID", "gw outcomes dismiss ID"});
  what->callback([words, again, seen, &settings, &chosen] {
    chosen.reads_only = !again->parsed() && !seen->parsed();
    chosen.action = [words, &settings, restoring = again->parsed(), dismissing = seen->parsed()](
                        Phone& p, const Output& o) {
      if (restoring) return restore(p, o, words->outcome);
      return dismissing ? dismiss(p, o, words->outcome) : outcomes(p, o, settings);
    };
  });
}

}  // namespace gridwhistle::cli

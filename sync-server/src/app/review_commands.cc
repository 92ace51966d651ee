#include <algorithm>
#include <utility>

#include "app/commands.h"
#include "app/listing.h"
#include "app/whistle_listing.h"
#include "base/line.h"
#include "base/utf8.h"
#include "model/record.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "terminal/details.h"

namespace gridwhistle::app {
namespace {

Value kind_value(KindId id, Language language) {
  const KindSchema* kind = built_schema().kind(id);
  if (!kind) return number_value(id.value);
  return {kind->name, std::string(language == Language::kChinese ? kind->name_zh : kind->name)};
}

/// Which fields it writes, never what: the content may be personal.
std::string field_names(const SealedOperation& operation, Language language) {
  const KindSchema* kind = built_schema().kind(operation.kind);
  std::string names;
  for (const FieldView& view : fields_of(operation.set)) {
    const FieldSchema* field = kind ? kind->field(view.number) : nullptr;
    const std::string_view name = !field                           ? "?"
                                  : language == Language::kChinese ? field->name_zh
                                                                   : field->name;
    names += (names.empty() ? "" : " ") + std::string(name);
  }
  return names;
}

std::string plain(const nlohmann::ordered_json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// A field's value as people read it: a date, a word of theirs.
std::string shown(const FieldSchema* field, const nlohmann::ordered_json& value,
                  const Output& output) {
  if (field == nullptr) return plain(value);
  if (field->type == FieldType::kInt && field->name.ends_with("_ms") && value.is_number()) {
    return time_text(value.get<std::int64_t>());
  }
  if (value.is_boolean()) {
    return std::string(value.get<bool>() ? output.say("yes", "是") : output.say("no", "否"));
  }
  const auto word = std::ranges::find_if(field->enum_values, [&](const EnumValue& known) {
    return value.is_string() && value.get<std::string>() == known.name;
  });
  if (word == field->enum_values.end()) return plain(value);
  return std::string(output.say(word->name, word->name_zh));
}

/// "grid 440811001001001" for "grid:440811001001001".
std::string scope_text(const std::string& scope, const Output& output) {
  static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"grid", "网格"},   {"village", "村/社区"}, {"town", "镇/街道"},
      {"county", "县区"}, {"org", "机构"},        {"worker", "人员"}};
  const std::size_t colon = scope.find(':');
  for (const auto& [english, chinese] : kWords) {
    if (colon == std::string::npos || scope.substr(0, colon) != english) continue;
    return std::string(output.say(english, chinese)) + " " + scope.substr(colon + 1);
  }
  return scope;
}

/// A line a field, for people.
Sheet content_sheet(const Output& output, const nlohmann::ordered_json& operation) {
  Sheet sheet;
  const KindSchema* kind = built_schema().kind(operation["kind"].get<std::string>());
  const auto field_of = [&](const std::string& name) { return kind ? kind->field(name) : nullptr; };
  const auto name_of = [&](const std::string& name) -> Listing::Column {
    const FieldSchema* field = field_of(name);
    if (field == nullptr) return {"other", "other", "其他"};
    return {field->name, terminal::title_of(*field, false), field->name_zh};
  };
  sheet.add({"kind", "Kind", "类型"}, kind_value(kind ? kind->id : KindId(), output.language));
  sheet.add({"record", "Record", "记录"}, text_value(plain(operation["id"])));
  sheet.add({"scope", "Where", "范围"}, text_value(scope_text(plain(operation["scope"]), output)));
  if (operation["type"] == "ERASE") sheet.add({"type", "Erases it", "删除"}, text_value(""));
  for (const auto& [name, value] : operation["fields"].items()) {
    sheet.add(name_of(name), text_value(shown(field_of(name), value, output)));
  }
  for (const auto& [name, value] : operation["removes"].items()) {
    sheet.add(name_of(name), text_value("- " + shown(field_of(name), value, output)));
  }
  for (const auto& name : operation["clears"]) {
    sheet.add(name_of(name.get<std::string>()), text_value("-"));
  }
  return sheet;
}

Listing sealed_listing(Context& context, const ReviewList& review) {
  const Language language = context.output.language;
  Listing listing({{"number", "Number", "序号"},
                   {"received_ms", "Received", "接收时间"},
                   {"effective_ms", "Recorded", "记录时间"},
                   {"worker", "Author", "作者"},
                   {"device", "Device", "设备"},
                   {"kind", "Kind", "类型"},
                   {"record", "Record", "记录"},
                   {"writes", "Writes", "内容字段"}});
  for (const SealedOperation& sealed : review.sealed) {
    const bool erases = sealed.type == OperationType::kErase;
    listing.add({number_value(sealed.number), time_value(sealed.received_ms),
                 time_value(sealed.effective_ms),
                 text_value(context.directory.worker_code(sealed.worker)),
                 text_value(device_text(sealed.device)), kind_value(sealed.kind, language),
                 id_value(sealed.record),
                 text_value(erases ? std::string(context.output.say("(erases it)", "（删除）"))
                                   : field_names(sealed, language))});
  }
  return listing;
}

Listing waiting_listing(Context& context, const ReviewList& review) {
  Listing listing({{"number", "Number", "序号"},
                   {"received_ms", "Received", "接收时间"},
                   {"worker", "Author", "作者"},
                   {"device", "Device", "设备"},
                   {"record", "Record", "记录"},
                   {"awaits", "Waits for", "等待"}});
  for (const WaitingOperation& operation : review.waiting) {
    listing.add({number_value(operation.number), time_value(operation.received_ms),
                 text_value(context.directory.worker_code(operation.worker)),
                 text_value(device_text(operation.device)), id_value(operation.record),
                 id_value(operation.awaits)});
  }
  return listing;
}

Listing flagged_listing(const Context& context, const ReviewList& review) {
  Listing listing({{"seq", "Number", "序号"},
                   {"at_ms", "When", "时间"},
                   {"kind", "Kind", "类型"},
                   {"record", "Record", "记录"}});
  for (const FlaggedRecord& flagged : review.flagged) {
    listing.add({number_value(flagged.seq.value), time_value(flagged.at_ms),
                 kind_value(flagged.kind, context.output.language), id_value(flagged.record)});
  }
  return listing;
}

}  // namespace

ExitCode run_command(Context& context, const ReviewListCommand&) {
  const Output& output = context.output;
  const auto review = context.county.review();
  if (!review) return output.fail(review.error());
  const Listing sealed = sealed_listing(context, *review);
  const Listing waiting = waiting_listing(context, *review);
  const Listing flagged = flagged_listing(context, *review);
  if (output.json) {
    const nlohmann::ordered_json json = {{"sealed", sealed.json()},
                                         {"waiting", waiting.json()},
                                         {"flagged", flagged.json()},
                                         {"parked", review->parked}};
    output.out(json.dump() + "\n");
    return ExitCode::kDone;
  }
  output.line("Sealed: recorded when its author no longer held the grid",
              "已封存：作者已无权限时记录");
  sealed.print(output, "  none", "  无");
  output.line("", "");
  output.line("Waiting: their whistle has not arrived; they are decided when it does",
              "等待：所属哨声尚未送达，送达后自动处理");
  waiting.print(output, "  none", "  无");
  output.line("", "");
  output.line("Came back: an erasure met an edit", "已恢复：删除与修改相遇");
  flagged.print(output, "  none", "  无");
  const std::string parked = std::to_string(review->parked);
  output.line("", "");
  output.line("Parked for an upgrade of this server: " + parked, "待服务器升级：" + parked);
  return ExitCode::kDone;
}

ExitCode run_command(Context& context, const ReviewShowCommand& command) {
  const Output& output = context.output;
  const auto told = context.county.show_kept(
      command.number, command.purpose, context.surroundings.by,
      [&](std::string_view line) -> Result<void> {
        if (output.json) {
          output.out(std::string(line) + "\n");
        } else {
          content_sheet(output, nlohmann::ordered_json::parse(line)).print(output);
        }
        return {};
      });
  return told ? ExitCode::kDone : output.fail(told.error());
}

ExitCode run_command(Context& context, const ReviewAcceptCommand& command) {
  const Output& output = context.output;
  const auto status = context.county.accept_sealed(command.number, context.surroundings.by);
  if (!status) return output.fail(status.error());
  Sheet sheet;
  sheet.add({"outcome", "Outcome", "处理结果"},
            word_value(field_schema(kinds::kWhistleAction, "status"), static_cast<int>(*status),
                       output.language));
  sheet.print(output);
  return was_applied(*status) ? ExitCode::kDone : ExitCode::kRefused;
}

ExitCode run_command(Context& context, const ReviewReturnCommand& command) {
  if (is_blank(command.reason)) {
    return context.output.fail(
        {ErrorCode::kInvalid,
         both("--reason 不能为空，请告诉作者原因", "--reason is empty; tell its author why"),
         {}});
  }
  const auto done =
      context.county.return_sealed(command.number, command.reason, context.surroundings.by);
  if (!done) return context.output.fail(done.error());
  context.output.line("Its author is told.", "已告知作者。");
  return ExitCode::kDone;
}

ExitCode run_command(Context& context, const ReviewDoneCommand& command) {
  const auto done = context.county.close_flagged(command.number, context.surroundings.by);
  if (!done) return context.output.fail(done.error());
  context.output.line("It is off the list.", "已从列表移除。");
  return ExitCode::kDone;
}

}  // namespace gridwhistle::app

#include "cli/output.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <optional>

#include "base/line.h"
#include "base/sha256.h"
#include "cli/own_words.h"
#include "cli/words.h"
#include "gridwhistle/messages.h"
#include "model/record.h"
#include "model/workflow_codes.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "terminal/columns.h"
#include "terminal/details.h"
#include "terminal/printable.h"
#include "terminal/times.h"
#include "terminal/told.h"
#include "terminal/usage.h"

namespace gridwhistle::cli {

namespace {

using nlohmann::json;

constexpr std::size_t kColumnsUsual = 5;

/// An enum's value: in words for people, by its name for programs.
std::string enum_text(bool chinese, std::string_view kind, std::string_view field,
                      std::int64_t number) {
  const EnumValue* value = built_schema().kind(kind)->field(field)->enum_value(number);
  if (value == nullptr || value->number == 0) return chinese ? "未知" : "unknown";
  return std::string(chinese ? value->name_zh : value->name);
}

std::string id_or_hex(std::string_view bytes) {
  const auto id = RecordId::from_bytes(bytes);
  return id ? id->text() : to_hex(bytes);
}

double double_from(const ValueView& value) {
  double number = 0;
  static_assert(sizeof number == sizeof value.scalar);
  std::memcpy(&number, &value.scalar, sizeof number);
  return number;
}

json value_json(const FieldSchema& field, const ValueView& value) {
  switch (field.type) {
    case FieldType::kString:
      return std::string(value.bytes);
    case FieldType::kBytes:
      return id_or_hex(value.bytes);
    case FieldType::kMessage:
      return to_hex(value.bytes);
    case FieldType::kBool:
      return value.scalar != 0;
    case FieldType::kDouble:
      return double_from(value);
    case FieldType::kEnum: {
      const EnumValue* known = field.enum_value(static_cast<std::int64_t>(value.scalar));
      return known != nullptr ? json(known->name) : json(value.scalar);
    }
    case FieldType::kFixed64:
      return value.scalar;
    case FieldType::kInt:
      return static_cast<std::int64_t>(value.scalar);
  }
  return nullptr;
}

std::string one_value_text(const FieldSchema& field, const ValueView& value, bool chinese) {
  switch (field.type) {
    case FieldType::kEnum: {
      const EnumValue* known = field.enum_value(static_cast<std::int64_t>(value.scalar));
      if (known == nullptr || known->number == 0) return chinese ? "未知" : "unknown";
      return std::string(chinese ? known->name_zh : known->name);
    }
    case FieldType::kBool:
      return value.scalar != 0 ? (chinese ? "是" : "yes") : (chinese ? "否" : "no");
    case FieldType::kInt:
      if (field.name.ends_with("_ms"))
        return terminal::time_text(static_cast<std::int64_t>(value.scalar));
      return std::to_string(static_cast<std::int64_t>(value.scalar));
    case FieldType::kMessage:
      return chinese ? "（明细）" : "(details)";
    default: {
      const json plain = value_json(field, value);
      return plain.is_string() ? plain.get<std::string>() : plain.dump();
    }
  }
}

/// The fields that tell a record of its kind apart from others, for tables.
std::vector<std::string_view> telling_fields(std::string_view kind) {
  if (kind == "Whistle") return {"number", "state", "whistle_class", "grid", "title"};
  if (kind == "Visit") return {"grid", "kind", "started_ms", "ended_ms", "notes"};
  if (kind == "Household") return {"grid", "address", "dwelling", "contact_name"};
  if (kind == "Resident") return {"household", "name", "relation", "phone"};
  if (kind == "WhistleAction") return {"whistle", "type", "at_ms", "note"};
  if (kind == "Assignment") return {"whistle", "organisation", "part", "state"};
  if (kind == "Task") return {"area", "state", "due_ms", "title"};
  if (kind == "Grid") return {"code15", "name", "type"};
  return {};
}

/// The telling fields; of a kind without any its first ones.
std::vector<const FieldSchema*> columns_of(const KindSchema& kind) {
  std::vector<const FieldSchema*> columns;
  for (const std::string_view name : telling_fields(kind.name)) {
    if (const FieldSchema* field = kind.field(name)) columns.push_back(field);
  }
  if (!columns.empty()) return columns;
  for (const FieldSchema& field : kind.fields) {
    if (columns.size() == kColumnsUsual) break;
    if (field.number != 1 && field.type != FieldType::kMessage) columns.push_back(&field);
  }
  return columns;
}

/// What the road says, which has words in both languages for each of its codes; its error names
/// the code as the detail.
std::optional<WorkflowMessage> workflow_words(const Error& error) {
  if (error.code != ErrorCode::kConflict && error.code != ErrorCode::kForbidden) return {};
  for (auto number = static_cast<std::uint16_t>(WorkflowCode::kUnknownAction);; ++number) {
    const auto code = static_cast<WorkflowCode>(number);
    if (name_of(code) == "unknown") return {};
    if (name_of(code) == error.detail) return message_of(code);
  }
}

/// The meaning of the code is all there is to say; the message would say it a second time.
bool says_all(ErrorCode code) {
  return code == ErrorCode::kCodeWrong || code == ErrorCode::kCodeUsed ||
         code == ErrorCode::kCodeExpired || code == ErrorCode::kCodeSpent ||
         code == ErrorCode::kNotEnrolled || code == ErrorCode::kForked;
}

/// The record's message in canonical form; an empty one when the file holds something unreadable.
std::string canonical_of(const KindSchema& kind, const FoundBytes& found) {
  return canonical_record(kind, found.record).value_or(std::string());
}

}  // namespace

Exit exit_of(const Error& error) {
  if (terminal::is_typed_wrong(error)) return Exit::kUsage;
  switch (error.code) {
    case ErrorCode::kNotFound:
    case ErrorCode::kGone:
      return Exit::kNotFound;
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout:
    case ErrorCode::kBusy:
      return Exit::kOffline;
    case ErrorCode::kNotEnrolled:
    case ErrorCode::kRevoked:
    case ErrorCode::kDeviceLost:
    case ErrorCode::kWrongServerKey:
    case ErrorCode::kBadSignature:
      return Exit::kNotEnrolled;
    case ErrorCode::kDiskFull:
    case ErrorCode::kReadOnly:
    case ErrorCode::kIo:
    case ErrorCode::kNotADatabase:
    case ErrorCode::kCorrupt:
    case ErrorCode::kLocked:
    case ErrorCode::kNewerFile:
    case ErrorCode::kPoisoned:
      return Exit::kFile;
    default:
      return Exit::kRefused;
  }
}

void Table::add(std::vector<std::string> cells) {
  std::ranges::transform(cells, cells.begin(), terminal::printable);
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const std::string& head : heads_) widths.push_back(terminal::width_of(head));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], terminal::width_of(row[i]));
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string out;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      out += i + 1 == cells.size() ? cells[i] : terminal::padded(cells[i], widths[i]) + "  ";
    }
    return out + '\n';
  };
  std::string out = line(heads_);
  for (const auto& row : rows_) out += line(row);
  return out;
}

void Output::line(std::string_view text) const { std::cout << terminal::printable(text) << '\n'; }

void Output::table(const Table& table) const { std::cout << table.text() << '\n'; }

void Output::document(const json& document) const {
  // What was typed comes back in complaints, and need not be text.
  std::cout << document.dump(-1, ' ', false, json::error_handler_t::replace) << std::endl;
}

std::string Output::words_of(const Error& error) const {
  if (const auto refused = workflow_words(error)) {
    // In both languages it says more: what the state is, say.
    if (in_both(error.message)) return half_of(error.message, settings_.chinese);
    return say(refused->zh.data(), refused->en.data());
  }
  const Wording words = message_of(error.code);
  std::string meaning(settings_.chinese ? words.zh : words.en);
  if (error.code == ErrorCode::kForked) {
    meaning += say("：gw --home 新文件夹 enrol CODE", ": gw --home NEWFOLDER enrol CODE");
  }
  if (error.code == ErrorCode::kCorrupt && error.detail.starts_with("sqlite")) {
    meaning += say("；gw salvage 保存未发送的内容，换用新文件",
                   "; gw salvage saves what is unsent and goes on in a new file");
  }
  const auto more = terminal::told_in(error.message, settings_.chinese);
  const bool says_more = more && !more->empty() && !says_all(error.code);
  return says_more ? meaning + say("：", ": ") + *more : meaning;
}

/// What the message says in English to somebody who reads Chinese, for a line of its own.
std::string Output::untold(const Error& error) const {
  const bool told = terminal::told_in(error.message, settings_.chinese).has_value();
  return told || workflow_words(error) || says_all(error.code) ? "" : error.message;
}

void Output::complain(const Error& error) const {
  std::cerr << "gw: " << terminal::printable(words_of(error)) << " [" << name_of(error.code)
            << "]\n";
  const std::string more = untold(error);
  if (!more.empty()) std::cerr << "    " << terminal::printable(more) << '\n';
}

void Output::note(const Error& error) const {
  if (settings_.json) return;
  // Only who wants to write has to end the other program.
  if (error.code == ErrorCode::kLocked) {
    std::cerr << say("gw: 另一个程序正在使用这个文件，这里只读：",
                     "gw: another program has the file; it is only read here: ")
              << terminal::printable(half_of(error.message, settings_.chinese)) << '\n';
    return;
  }
  complain(error);
}

Exit Output::failed(const Error& error) const {
  if (settings_.json) {
    json told = {{"error", name_of(error.code)}, {"message", words_of(error)}};
    if (const std::string more = untold(error); !more.empty()) told["detail"] = more;
    document(told);
  } else {
    complain(error);
  }
  return exit_of(error);
}

std::string Output::field_name(const FieldSchema& field) const {
  return std::string(terminal::title_of(field, settings_.chinese));
}

std::string Output::kind_name(const KindSchema& kind) const {
  return std::string(settings_.chinese ? kind.name_zh : kind.name);
}

std::string Output::fields_text(const KindSchema& kind, const FoundBytes& found) const {
  std::string text;
  const std::string message = canonical_of(kind, found);
  for (const FieldView& view : fields_of(message)) {
    const FieldSchema* field = kind.field(view.number);
    if (field == nullptr || view.number == 1) continue;
    if (!text.empty()) text += say("；", "; ");
    text += field_name(*field) + say("：", ": ") + value_text(*field, view.entries);
  }
  return text;
}

const char* Output::masked_advice() const {
  return say("个人信息已脱敏；加 --purpose 说明用途后可见",
             "personal values are masked; say why you need them with --purpose");
}

std::string Output::value_text(const FieldSchema& field, std::string_view entries) const {
  std::string text;
  for (const ValueView& value : values_of(entries)) {
    if (!text.empty()) text += settings_.chinese ? "、" : ", ";
    text += one_value_text(field, value, settings_.chinese);
  }
  return text;
}

std::string Output::delivery_text(Delivery delivery) const {
  switch (delivery) {
    case Delivery::kUnsent:
      return say("未发送", "unsent");
    case Delivery::kDelivered:
      return say("已送达", "delivered");
    case Delivery::kRefused:
      return say("已退回", "refused");
    case Delivery::kNone:
      return say("已同步", "synced");
  }
  return "";
}

json Output::record_json(const KindSchema& kind, const FoundBytes& found) const {
  json object = {
      {"id", found.info.id.text()},
      {"record_kind", kind.name},
      {"delivery", Output(Settings{.chinese = false}).delivery_text(found.info.delivery)},
      {"masked", found.info.masked}};
  json values = json::object();
  const std::string message = canonical_of(kind, found);
  for (const FieldView& view : fields_of(message)) {
    const FieldSchema* field = kind.field(view.number);
    if (field == nullptr) continue;
    const auto all = values_of(view.entries);
    if (!field->repeated) {
      values[std::string(field->name)] = value_json(*field, all.back());
      continue;
    }
    json list = json::array();
    for (const ValueView& value : all) list.push_back(value_json(*field, value));
    values[std::string(field->name)] = std::move(list);
  }
  object["fields"] = std::move(values);
  return object;
}

void Output::record(const KindSchema& kind, const FoundBytes& found, const NameOf& name_of) const {
  if (settings_.json) return document(record_json(kind, found));
  Table table({std::string(settings_.chinese ? kind.name_zh : kind.name), found.info.id.text()});
  table.add({say("状态", "delivery"), delivery_text(found.info.delivery)});
  const std::string message = canonical_of(kind, found);
  for (const FieldView& view : fields_of(message)) {
    const FieldSchema* field = kind.field(view.number);
    if (field == nullptr) continue;
    const bool named = field->refers_to && !field->repeated;
    const auto id = named ? RecordId::from_bytes(values_of(view.entries).back().bytes)
                          : std::optional<RecordId>();
    table.add({field_name(*field),
               id ? name_of(field->refers_to, *id) : value_text(*field, view.entries)});
  }
  if (found.info.masked) {
    table.add({"", masked_advice()});
  }
  std::cout << table.text();
}

void Output::count(std::size_t shown, bool more) const {
  std::string text =
      say("共 ", "") + std::to_string(shown) + say(" 条", shown == 1 ? " record" : " records");
  if (more)
    text = std::string(say("只列出前 ", "the first ")) + std::to_string(shown) +
           say(" 条，还有更多", "; there are more");
  std::cout << text << '\n';
}

void Output::records(const KindSchema& kind, std::vector<FoundBytes> found,
                     std::size_t limit) const {
  const bool more = found.size() > limit;
  if (more) found.resize(limit);
  if (settings_.json) {
    json list = json::array();
    for (const FoundBytes& one : found) list.push_back(record_json(kind, one));
    return document(list);
  }
  const auto columns = columns_of(kind);
  std::vector<std::string> heads = {"id", say("状态", "delivery")};
  for (const FieldSchema* column : columns) heads.push_back(field_name(*column));
  Table table(heads);
  for (const FoundBytes& one : found) {
    std::vector<std::string> cells = {one.info.id.text(), delivery_text(one.info.delivery)};
    const std::string message = canonical_of(kind, one);
    for (const FieldSchema* column : columns) {
      const FieldView view = field_of(message, column->number);
      cells.push_back(terminal::shortened(value_text(*column, view.entries), 40));
    }
    table.add(std::move(cells));
  }
  if (!table.empty()) std::cout << table.text();
  count(found.size(), more);
}

namespace {

/// A record of the first round need not say so.
template <typename Message>
std::int64_t round_of(const Message& record) {
  return record.has_round() ? record.round() : 1;
}

}  // namespace

json Output::road_json(const Road& road, const NameOf& name_of) const {
  const auto word = [](std::string_view kind, std::string_view field, std::int64_t number) {
    return enum_text(false, kind, field, number);
  };
  const auto name = [&](KindId kind, const std::string& id) {
    return name_of(kind, RecordId::from_bytes(id).value_or(RecordId()));
  };
  json actions = json::array();
  for (const auto& one : road.actions) {
    const v1::WhistleAction& action = one.record;
    json object = {{"id", one.info.id.text()},
                   {"type", word("WhistleAction", "type", action.type())},
                   {"status", action.has_status() ? word("WhistleAction", "status", action.status())
                                                  : std::string("proposed")},
                   {"actor", name(kinds::kWorker, action.actor())},
                   {"organisation", name(kinds::kOrgUnit, action.organisation())},
                   {"at_ms", action.at_ms()},
                   {"round", round_of(action)},
                   {"note", action.note()}};
    terminal::add_to(object, terminal::action_details(action.SerializeAsString(), false, name_of));
    actions.push_back(std::move(object));
  }
  json parts = json::array();
  for (const RoadPart& part : road.parts) {
    const v1::Assignment& one = part.assignment.record;
    parts.push_back({{"id", part.assignment.info.id.text()},
                     {"organisation", name(kinds::kOrgUnit, one.organisation())},
                     {"part", word("Assignment", "part", one.part())},
                     {"round", round_of(one)},
                     {"state", word("Assignment", "state", one.state())}});
  }
  json whole = {{"whistle", road.whistle.info.id.text()},
                {"number", road.whistle.record.number()},
                {"state", word("Whistle", "state", road.whistle.record.state())},
                {"proposed", word("Whistle", "state", road.proposed)},
                {"actions", actions},
                {"parts", parts}};
  terminal::add_to(
      whole, terminal::whistle_details(road.whistle.record.SerializeAsString(), false, name_of));
  return whole;
}

void Output::road(const Road& road, const NameOf& name_of) const {
  if (settings_.json) return document(road_json(road, name_of));
  const auto word = [this](std::string_view kind, std::string_view field, std::int64_t number) {
    return enum_text(settings_.chinese, kind, field, number);
  };
  const auto name = [&](KindId kind, const std::string& id) {
    return name_of(kind, RecordId::from_bytes(id).value_or(RecordId()));
  };
  const std::string state = word("Whistle", "state", road.whistle.record.state());
  line(road.whistle.record.number() + "  " + state +
       (road.proposed == road.whistle.record.state()
            ? ""
            : " → " + word("Whistle", "state", road.proposed) + " ?"));
  const std::string stands =
      terminal::in_words(terminal::whistle_details(road.whistle.record.SerializeAsString(),
                                                   settings_.chinese, name_of),
                         settings_.chinese);
  if (!stands.empty()) line(stands);
  Table timeline({say("时间", "time"), say("动作", "action"), say("谁", "who"),
                  say("单位", "organisation"), say("结果", "result"), say("轮次", "round"),
                  say("内容", "what"), say("说明", "note")});
  for (const auto& one : road.actions) {
    const v1::WhistleAction& action = one.record;
    timeline.add(
        {terminal::time_text(action.at_ms()), word("WhistleAction", "type", action.type()),
         name(kinds::kWorker, action.actor()), name(kinds::kOrgUnit, action.organisation()),
         action.has_status() ? word("WhistleAction", "status", action.status())
                             : say("待确认", "proposed"),
         std::to_string(round_of(action)),
         terminal::in_words(
             terminal::action_details(action.SerializeAsString(), settings_.chinese, name_of),
             settings_.chinese),
         action.note()});
  }
  table(timeline);
  // `act --assignment` takes the id.
  Table shares({say("单位", "organisation"), say("角色", "part"), say("轮次", "round"),
                say("办理状态", "state"), say("交办标识", "assignment")});
  for (const RoadPart& part : road.parts) {
    const v1::Assignment& one = part.assignment.record;
    shares.add({name(kinds::kOrgUnit, one.organisation()), word("Assignment", "part", one.part()),
                std::to_string(round_of(one)), word("Assignment", "state", one.state()),
                part.assignment.info.id.text()});
  }
  if (!shares.empty()) table(shares);
}

}  // namespace gridwhistle::cli

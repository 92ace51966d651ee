#include "app/whistle_listing.h"

#include "schema/kinds.h"
#include "schema/tables.h"

namespace gridwhistle::app {

const FieldSchema& field_schema(KindId kind, std::string_view name) {
  return *built_schema().kind(kind)->field(name);
}

std::vector<Listing::Column> whistle_columns() {
  return {{"number", "Number", "编号"}, {"received_ms", "Received", "接收时间"},
          {"state", "State", "状态"},   {"class", "Class", "类别"},
          {"urgent", "Urgent", "紧急"}, {"category", "Category", "分类"},
          {"grid", "Grid", "网格"},     {"title", "Title", "标题"}};
}

std::vector<Value> whistle_values(const Context& context, const WhistleSummary& whistle) {
  const Output& output = context.output;
  const Language language = output.language;
  return {
      text_value(whistle.number),
      time_value(whistle.received_ms),
      word_value(field_schema(kinds::kWhistle, "state"), static_cast<int>(whistle.state), language),
      word_value(field_schema(kinds::kWhistle, "whistle_class"),
                 static_cast<int>(whistle.whistle_class), language),
      flag_value(whistle.emergency, output.say("!", "紧急")),
      text_value(whistle.category),
      text_value(whistle.grid),
      text_value(whistle.title)};
}

Listing inbox_listing() {
  auto columns = whistle_columns();
  columns.insert(columns.begin() + 1, {{"organisation", "Organisation", "机构"},
                                       {"part", "Part", "角色"},
                                       {"part_state", "Their state", "办理状态"},
                                       {"round", "Round", "轮次"},
                                       {"assigned_ms", "Called", "交办时间"}});
  return Listing(columns);
}

void add_inbox_item(Context& context, const InboxItem& item, Listing& listing) {
  const Language language = context.output.language;
  RecordId organisation = item.whistle.owner_org;
  if (const auto assignment = context.directory.assignment_record(item.assignment)) {
    organisation = RecordId::from_bytes(assignment->organisation()).value_or(RecordId());
  }
  auto values = whistle_values(context, item.whistle);
  const auto part = static_cast<int>(item.part);
  const Value owns = {"OWNER", std::string(context.output.say("owner", "责任"))};
  values.insert(
      values.begin() + 1,
      {text_value(context.directory.organisation_name(organisation)),
       part == 0 ? owns : word_value(field_schema(kinds::kAssignment, "part"), part, language),
       word_value(field_schema(kinds::kAssignment, "state"), static_cast<int>(item.state),
                  language),
       item.round == 0 ? text_value("") : number_value(static_cast<std::uint64_t>(item.round)),
       time_value(item.assigned_ms)});
  listing.add(std::move(values));
}

terminal::NameOf names_in(Context& context) {
  return [&context](KindId kind, const RecordId& id) {
    if (kind == kinds::kWorker) return context.directory.worker_code(id);
    if (kind == kinds::kOrgUnit) return context.directory.organisation_name(id);
    if (kind == kinds::kWhistle) return context.directory.whistle_number(id);
    return id.text();
  };
}

Value details_value(const std::vector<terminal::Detail>& details, Language language) {
  auto json = nlohmann::ordered_json::object();
  terminal::add_to(json, details);
  const std::string words = terminal::in_words(details, language == Language::kChinese);
  return {std::move(json), words.empty() ? "-" : words};
}

}  // namespace gridwhistle::app

#include "app/commands.h"
#include "app/listing.h"
#include "app/whistle_listing.h"
#include "model/record.h"
#include "model/workflow_codes.h"
#include "schema/fields.h"
#include "schema/kinds.h"
#include "terminal/told.h"

namespace gridwhistle::app {
namespace {

Result<std::vector<RecordId>> organisations(const Context& context,
                                            const std::vector<std::string>& codes) {
  std::vector<RecordId> ids;
  for (const std::string& code : codes) {
    const auto id = context.directory.organisation(code);
    if (!id) return std::unexpected(id.error());
    ids.push_back(*id);
  }
  return ids;
}

// The organisation that was called to lead last; empty when none was.
std::string lead_of(Context& context, const Explanation& why) {
  std::int64_t latest_ms = -1;
  std::string lead;
  for (const InboxItem& item : why.assignments) {
    if (item.part != AssignmentPart::kLead || item.assigned_ms < latest_ms) continue;
    const auto called = context.directory.assignment_record(item.assignment);
    const auto id = called ? RecordId::from_bytes(called->organisation()) : std::nullopt;
    if (!id) continue;
    latest_ms = item.assigned_ms;
    lead = context.directory.organisation_name(*id);
  }
  return lead;
}

// Whether a joint meeting, and no rule, called those who are called now.
bool met(const Explanation& why) {
  bool by_meeting = false;
  for (const Explanation::Step& step : why.steps) {
    if (step.round != why.round || step.status != OutcomeStatus::kAccepted) continue;
    if (step.type == WhistleActionType::kBlow || step.type == WhistleActionType::kAssign) {
      by_meeting = false;
    }
    if (step.type != WhistleActionType::kJointMeeting) continue;
    by_meeting |= text_of(step.record, fields::whistle_action::kLead).has_value();
  }
  return by_meeting;
}

// The whistle keeps the words of its routing in Chinese, as they were then; in English they are
// made of what decided. Of a whistle that had no head and was given one both say so.
std::string route_words(Context& context, const Explanation& why) {
  if (why.reason.empty()) return why.reason;
  const std::string lead = lead_of(context, why);
  if (met(why)) {
    const std::string before = why.routing_rule.empty() ? "no rule" : "rule " + why.routing_rule;
    return std::string(context.output.say(
        "A joint meeting called " + lead + " to lead; before that it was " + before,
        "会商决定由" + lead + "主办；会商前：" + why.reason));
  }
  const bool by_county = why.routing_rule.empty() && !why.whistle.headless && !lead.empty();
  if (context.output.language == Language::kChinese) {
    return why.reason + (by_county ? "；县级已交" + lead + "主办" : "");
  }
  if (by_county) return "No rule matched: the county called " + lead + " to lead";
  if (why.routing_rule.empty()) return "No rule matches: the county decides";
  const std::string by = "rule " + why.routing_rule;
  if (why.responsibility_item.empty()) return "The list has no item for " + by;
  const std::string both = by + " and item " + why.responsibility_item;
  if (why.whistle.headless) return "Nobody answers for " + both + ": the county decides";
  return "By " + both + (lead.empty() ? "" : ", led by " + lead);
}

Sheet explanation_sheet(Context& context, const Explanation& why) {
  const Language language = context.output.language;
  Sheet sheet;
  const auto columns = whistle_columns();
  auto values = whistle_values(context, why.whistle);
  for (std::size_t i = 0; i < columns.size(); ++i) sheet.add(columns[i], std::move(values[i]));
  sheet.add({"level", "Level", "层级"}, word_value(field_schema(kinds::kWhistle, "level"),
                                                   static_cast<int>(why.whistle.level), language));
  sheet.add({"owner", "Owner", "责任机构"},
            text_value(context.directory.organisation_name(why.whistle.owner_org)));
  sheet.add({"item", "Item", "责任清单项"}, text_value(why.responsibility_item));
  sheet.add({"list_version", "List", "清单版本"}, text_value(why.responsibility_version));
  sheet.add({"rule", "Rule", "分派规则"}, text_value(why.routing_rule));
  sheet.add({"reason", "Why", "分派说明"}, text_value(route_words(context, why)));
  sheet.add({"details", "Stands at", "现况"},
            details_value(terminal::whistle_details(why.record, context.output.reads_chinese(),
                                                    names_in(context)),
                          language));
  return sheet;
}

Value outcome_value(const Output& output, const Explanation::Step& step) {
  Value value = word_value(field_schema(kinds::kWhistleAction, "status"),
                           static_cast<int>(step.status), output.language);
  if (step.code != 0) {
    const WorkflowMessage message = message_of_outcome(static_cast<std::uint32_t>(step.code));
    value.text += ": " + std::string(output.say(message.en, message.zh));
  }
  return value;
}

Listing timeline(Context& context, const Explanation& why) {
  const Output& output = context.output;
  Listing listing({{"at_ms", "When", "时间"},
                   {"action", "Action", "动作"},
                   {"actor", "Who", "经办人"},
                   {"organisation", "For", "机构"},
                   {"outcome", "Outcome", "处理结果"},
                   {"round", "Round", "轮次"},
                   {"details", "What", "内容"},
                   {"note", "Note", "说明"}});
  for (const Explanation::Step& step : why.steps) {
    listing.add({time_value(step.effective_ms),
                 word_value(field_schema(kinds::kWhistleAction, "type"),
                            static_cast<int>(step.type), output.language),
                 text_value(context.directory.worker_code(step.actor)),
                 text_value(context.directory.organisation_name(step.organisation)),
                 outcome_value(output, step), number_value(static_cast<std::uint64_t>(step.round)),
                 details_value(terminal::action_details(step.record, output.reads_chinese(),
                                                        names_in(context)),
                               output.language),
                 text_value(step.note)});
  }
  return listing;
}

}  // namespace

ExitCode run_command(Context& context, const QueueListCommand&) {
  const auto whistles = context.county.headless();
  if (!whistles) return context.output.fail(whistles.error());
  Listing listing(whistle_columns());
  for (const WhistleSummary& whistle : *whistles) listing.add(whistle_values(context, whistle));
  listing.print(context.output, "No whistle waits for an organisation.", "没有无头事项。");
  return ExitCode::kDone;
}

ExitCode run_command(Context& context, const QueueAssignCommand& command) {
  const auto whistle = context.directory.whistle(command.whistle);
  if (!whistle) return context.output.fail(whistle.error());
  const auto lead = context.directory.organisation(command.lead);
  if (!lead) return context.output.fail(lead.error());
  const auto co = organisations(context, command.co);
  if (!co) return context.output.fail(co.error());
  const auto result = context.county.assign_headless(*whistle, *lead, *co, context.surroundings.by);
  if (!result) return context.output.fail(result.error());
  return tell_result(context, *result);
}

ExitCode run_command(Context& context, const InboxCommand& command) {
  const auto organisation = context.directory.organisation(command.organisation);
  if (!organisation) return context.output.fail(organisation.error());
  const auto items = context.county.inbox(*organisation);
  if (!items) return context.output.fail(items.error());
  Listing listing = inbox_listing();
  for (const InboxItem& item : *items) add_inbox_item(context, item, listing);
  listing.print(context.output, "Nothing to do.", "没有待办事项。");
  return ExitCode::kDone;
}

ExitCode run_command(Context& context, const ExplainCommand& command) {
  const Output& output = context.output;
  const auto whistle = context.directory.whistle(command.whistle);
  if (!whistle) return output.fail(whistle.error());
  const auto why = context.county.explain(*whistle);
  if (!why) return output.fail(why.error());
  const Sheet sheet = explanation_sheet(context, *why);
  const Listing steps = timeline(context, *why);
  Listing assignments = inbox_listing();
  for (const InboxItem& item : why->assignments) add_inbox_item(context, item, assignments);
  if (output.json) {
    auto json = sheet.json();
    json["steps"] = steps.json();
    json["assignments"] = assignments.json();
    output.out(json.dump() + "\n");
    return ExitCode::kDone;
  }
  sheet.print(output);
  output.out("\n");
  steps.print(output, "Nobody has acted yet.", "尚无流转。");
  output.out("\n");
  assignments.print(output, "No organisation is called.", "尚未交办。");
  return ExitCode::kDone;
}

ExitCode tell_result(const Context& context, const ActionResult& result, const Line& more) {
  const Output& output = context.output;
  const WorkflowMessage message = message_of_outcome(static_cast<std::uint32_t>(result.code));
  std::string why(result.code == 0 ? "" : output.say(message.en, message.zh));
  // What a road's code says is all there is to say; of others the message tells the case at hand.
  const bool from_road = result.code >= static_cast<std::int64_t>(WorkflowCode::kUnknownAction);
  const auto told = terminal::told_in(result.message, output.reads_chinese());
  if (result.code != 0 && !from_road && told && !told->empty()) {
    why += std::string(output.say(": ", "：")) + *told;
  }
  why += output.say(more);
  Sheet sheet;
  sheet.add({"outcome", "Outcome", "处理结果"},
            word_value(field_schema(kinds::kWhistleAction, "status"),
                       static_cast<int>(result.status), output.language));
  if (result.code != 0) {
    if (output.json)
      sheet.add({"code", "", ""}, number_value(static_cast<std::uint64_t>(result.code)));
    sheet.add({"why", "Why", "原因"}, text_value(why));
  }
  if (output.json) sheet.add({"action", "", ""}, id_value(result.action));
  sheet.print(output);
  return result.status == OutcomeStatus::kAccepted ? ExitCode::kDone : ExitCode::kRefused;
}

}  // namespace gridwhistle::app

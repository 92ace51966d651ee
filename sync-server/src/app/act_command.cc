#include <cctype>

#include "app/commands.h"
#include "app/whistle_listing.h"
#include "base/line.h"
#include "import/text.h"
#include "model/choices.h"
#include "model/record.h"
#include "model/workflow_codes.h"
#include "model/workflow_table.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "terminal/details.h"
#include "terminal/usage.h"

namespace gridwhistle::app {
namespace {

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) {
    return static_cast<char>(c == '-' ? '_' : std::toupper(c));
  });
  return text;
}

/// A word of a field's enum in small letters, or in Chinese.
Result<int> word(const FieldSchema& field, const std::string& text, const char* option) {
  for (const EnumValue& value : field.enum_values) {
    if (value.number == 0) continue;
    if (upper(text) == value.name || text == value.name_zh) return value.number;
  }
  const Line known = choices(field);
  const std::string name(option);
  return terminal::typed_wrong(
      both(name + " 须为其中之一：" + known.zh, name + " must be one of " + known.en));
}

Result<int> word(std::string_view field_name, const std::string& text, const char* option) {
  return word(field_schema(kinds::kWhistleAction, field_name), text, option);
}

/// Why a whistle is not taken in is a word; objections have numbers of the county's own.
Result<std::int64_t> reason_of(const ActCommand& command) {
  if (upper(command.action) != "OBJECT") {
    return word(field_schema(kinds::kWhistle, "refusal_reason"), command.reason, "--reason");
  }
  if (const auto number = objection_reason(command.reason)) return *number;
  const Line wrong = not_an_objection_reason();
  return terminal::typed_wrong(both(wrong.zh, wrong.en));
}

/// Collects the first error of several steps.
class Steps {
 public:
  template <typename T, typename Use>
  void take(const Result<T>& result, Use use) {
    if (result) {
      use(*result);
    } else if (!error_) {
      error_ = result.error();
    }
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<Error> error_;
};

std::string bytes_of(RecordId id) { return std::string(id.bytes()); }

Result<std::int64_t> day(const std::string& text) {
  if (const auto ms = import::date_ms_of(text)) return *ms;
  return terminal::typed_wrong(
      both("--until 须为日期，如 2026-01-31", "--until must be a day like 2026-01-31"));
}

void set_organisations(const Context& context, const ActCommand& command, v1::WhistleAction& action,
                       Steps& steps) {
  if (!command.lead.empty()) {
    steps.take(context.directory.organisation(command.lead),
               [&](RecordId id) { action.set_lead(bytes_of(id)); });
  }
  for (const std::string& co : command.co) {
    steps.take(context.directory.organisation(co),
               [&](RecordId id) { action.add_co_departments(bytes_of(id)); });
  }
  if (!command.other.empty()) {
    steps.take(context.directory.whistle(command.other),
               [&](RecordId id) { action.set_other_whistle(bytes_of(id)); });
  }
}

void set_words(const ActCommand& command, v1::WhistleAction& action, Steps& steps) {
  if (!command.level.empty()) {
    steps.take(word("level", command.level, "--level"),
               [&](int v) { action.set_level(static_cast<v1::Level>(v)); });
  }
  if (!command.whistle_class.empty()) {
    steps.take(word("whistle_class", command.whistle_class, "--class"),
               [&](int v) { action.set_whistle_class(static_cast<v1::WhistleClass>(v)); });
  }
  if (!command.result.empty()) {
    steps.take(word("return_visit_result", command.result, "--result"), [&](int v) {
      action.set_return_visit_result(static_cast<v1::ReturnVisitResult>(v));
    });
  }
}

/// The fields beside those of StaffAction itself, canonical.
Result<std::string> details(const Context& context, const ActCommand& command) {
  v1::WhistleAction action;
  Steps steps;
  set_organisations(context, command, action, steps);
  set_words(command, action, steps);
  if (!command.until.empty()) {
    steps.take(day(command.until), [&](std::int64_t ms) { action.set_until_ms(ms); });
  }
  if (!command.item.empty()) action.set_responsibility_item(command.item);
  if (!command.reason.empty()) {
    steps.take(reason_of(command), [&](std::int64_t v) { action.set_reason(v); });
  }
  if (command.on_site) action.set_on_site(true);
  if (steps.error()) return std::unexpected(*steps.error());
  return canonical(*built_schema().kind(kinds::kWhistleAction), action.SerializeAsString());
}

/// The newest part of that whistle that the organisation is called to.
Result<RecordId> part_of(const Context& context, RecordId whistle, RecordId organisation) {
  const auto why = context.county.explain(whistle);
  if (!why) return std::unexpected(why.error());
  RecordId newest;
  for (const InboxItem& item : why->assignments) {
    const auto assignment = context.directory.assignment_record(item.assignment);
    if (assignment && assignment->organisation() == organisation.bytes()) newest = item.assignment;
  }
  if (newest.is_nil()) {
    return fail(ErrorCode::kNotFound, both("这条哨声没有交办给该机构",
                                           "that organisation is not called to this whistle"));
  }
  return newest;
}

Result<StaffAction> staff_action(Context& context, const ActCommand& command) {
  StaffAction action;
  Steps steps;
  steps.take(word("type", command.action, "action"),
             [&](int v) { action.type = static_cast<WhistleActionType>(v); });
  steps.take(context.directory.whistle(command.whistle), [&](RecordId id) { action.whistle = id; });
  steps.take(context.directory.worker(command.actor), [&](RecordId id) { action.actor = id; });
  if (!command.organisation.empty()) {
    steps.take(context.directory.organisation(command.organisation),
               [&](RecordId id) { action.organisation = id; });
  }
  if (steps.error()) return std::unexpected(*steps.error());
  if (needs_assignment(action.type)) {
    RecordId called = action.organisation;
    if (!command.part_of.empty()) {
      steps.take(context.directory.organisation(command.part_of),
                 [&](RecordId id) { called = id; });
    } else if (called.is_nil()) {
      steps.take(context.directory.worker_record(action.actor), [&](const v1::Worker& worker) {
        called = RecordId::from_bytes(worker.organisation()).value_or(RecordId());
      });
    }
    steps.take(part_of(context, action.whistle, called),
               [&](RecordId id) { action.assignment = id; });
  }
  action.note = command.note;
  steps.take(details(context, command), [&](const std::string& set) { action.details = set; });
  if (steps.error()) return std::unexpected(*steps.error());
  return action;
}

/// Where the state did not allow it: what the state is, and what it does allow.
Line possible_from(const Context& context, RecordId whistle, const ActionResult& result) {
  if (result.code != static_cast<std::int64_t>(WorkflowCode::kWrongState)) return {};
  const auto why = context.county.explain(whistle);
  if (!why) return {};
  std::vector<AssignmentState> parts;
  for (const InboxItem& item : why->assignments) {
    if (item.round == why->round) parts.push_back(item.state);
  }
  return terminal::possible_now(why->whistle.state, parts);
}

}  // namespace

ExitCode run_command(Context& context, const ActCommand& command) {
  const auto action = staff_action(context, command);
  if (!action) return context.output.fail(action.error());
  const auto result = context.county.act(*action, context.surroundings.by);
  if (!result) return context.output.fail(result.error());
  return tell_result(context, *result, possible_from(context, action->whistle, *result));
}

}  // namespace gridwhistle::app

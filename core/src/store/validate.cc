#include <algorithm>
#include <set>

#include "model/audience.h"
#include "model/merge.h"
#include "model/patrol.h"
#include "model/record.h"
#include "store/state.h"
#include "wire/checks.h"
#include "wire/limits.h"

namespace gridwhistle::store {

namespace {

std::string label(const KindSchema& kind, std::uint32_t number) {
  const FieldSchema* field = kind.field(number);
  return std::string(kind.name) + "." +
         (field != nullptr ? std::string(field->name) : std::to_string(number));
}

std::unexpected<Error> refuse(ErrorCode code, const KindSchema& kind, std::uint32_t number,
                              std::string_view why) {
  const std::string name = label(kind, number);
  return fail(code, name + " " + std::string(why), name);
}

std::string_view entries_of(std::string_view message, std::uint32_t number) {
  return field_of(message, number).entries;
}

MergePolicy policy_of(const KindSchema& kind, std::uint32_t number) {
  const FieldSchema* field = kind.field(number);
  return field != nullptr ? field->merge : MergePolicy::kLww;
}

Result<void> check_cleared(const KindSchema& kind, const Change& change, std::string_view set) {
  for (const std::uint32_t number : change.clear) {
    const FieldSchema* field = kind.field(number);
    if (field == nullptr || number == 1) {
      return refuse(ErrorCode::kInvalid, kind, number, "cannot be emptied: no such field");
    }
    if (field->required) return refuse(ErrorCode::kInvalid, kind, number, "must not be empty");
    if (field->merge == MergePolicy::kServer) {
      return refuse(ErrorCode::kForbidden, kind, number, "is written by the server alone");
    }
    if (!entries_of(set, number).empty()) {
      return refuse(ErrorCode::kInvalid, kind, number, "is both written and emptied");
    }
  }
  return {};
}

Result<void> check_removed(const KindSchema& kind, std::string_view remove) {
  for (const FieldView& field : fields_of(remove)) {
    if (policy_of(kind, field.number) != MergePolicy::kSet) {
      return refuse(ErrorCode::kInvalid, kind, field.number, "is no set: nothing to remove from");
    }
  }
  return {};
}

// An IMMUTABLE field may still be given while the server has not heard of the record.
Result<void> check_policies(const KindSchema& kind, std::string_view before, std::string_view after,
                            bool creates) {
  FieldCursor old_fields(before);
  FieldCursor new_fields(after);
  for (const FieldSchema& field : kind.fields) {
    const std::string_view old_entries = old_fields.entries(field.number);
    if (old_entries == new_fields.entries(field.number)) continue;
    if (field.merge == MergePolicy::kServer) {
      return refuse(ErrorCode::kForbidden, kind, field.number, "is written by the server alone");
    }
    if (field.merge == MergePolicy::kImmutable && !(creates && old_entries.empty())) {
      return refuse(ErrorCode::kInvalid, kind, field.number, "cannot be changed any more");
    }
  }
  return {};
}

// A group stands or falls together: one member that differs writes them all.
std::set<std::uint16_t> changed_groups(const KindSchema& kind, std::string_view before,
                                       std::string_view after) {
  std::set<std::uint16_t> groups;
  FieldCursor old_fields(before);
  FieldCursor new_fields(after);
  for (const FieldSchema& field : kind.fields) {
    if (field.group != 0 && old_fields.entries(field.number) != new_fields.entries(field.number)) {
      groups.insert(field.group);
    }
  }
  return groups;
}

std::string new_elements(std::string_view before, const FieldView& field) {
  std::set<std::string_view> known;
  for (const ValueView& value : values_of(entries_of(before, field.number))) {
    known.insert(value.entry);
  }
  std::string added;
  for (const ValueView& value : values_of(field.entries)) {
    if (known.insert(value.entry).second) added += value.entry;
  }
  return added;
}

// What a change says beyond what the record says already. Without this an editor that puts a whole
// record would compete with everybody who edits another field of it.
std::string news_in(const KindSchema& kind, std::string_view set, std::string_view before,
                    std::string_view after) {
  const std::set<std::uint16_t> groups = changed_groups(kind, before, after);
  std::string news;
  for (const FieldView& field : fields_of(set)) {
    const FieldSchema* known = kind.field(field.number);
    const MergePolicy policy = policy_of(kind, field.number);
    if (policy == MergePolicy::kAppend) {
      news += field.entries;
    } else if (policy == MergePolicy::kSet) {
      news += new_elements(before, field);
    } else if (known != nullptr && known->group != 0) {
      if (groups.contains(known->group)) news += field.entries;
    } else if (entries_of(before, field.number) != field.entries) {
      news += field.entries;
    }
  }
  return news;
}

// A field that is empty here is emptied for nobody: the server would take it for a write that beats
// a colleague's. Of a group that is written all members travel.
std::vector<std::uint32_t> news_in_clear(const KindSchema& kind, std::vector<std::uint32_t> clear,
                                         std::string_view before, std::string_view after) {
  if (clear.empty()) return clear;
  const std::set<std::uint16_t> groups = changed_groups(kind, before, after);
  std::ranges::sort(clear);
  clear.erase(std::ranges::unique(clear).begin(), clear.end());
  std::erase_if(clear, [&](std::uint32_t number) {
    const FieldSchema* field = kind.field(number);
    const bool grouped = field != nullptr && field->group != 0 && groups.contains(field->group);
    return !grouped && entries_of(before, number).empty();
  });
  return clear;
}

// A record is made in one's own name. Before the enrolment nobody knows whose name that is.
Result<void> check_author(const StoreState& state, const KindSchema& kind, std::string_view before,
                          std::string_view set) {
  if (!state.position.enrolment) return {};
  const std::string_view worker = state.position.enrolment->worker.bytes();
  FieldCursor given(set);
  for (const FieldSchema& field : kind.fields) {
    if (!field.by_author) continue;
    const std::string_view named = given.entries(field.number);
    if (named.empty() || named == entries_of(before, field.number)) continue;
    if (text_of(set, field.number) != worker) {
      return refuse(ErrorCode::kForbidden, kind, field.number, "names somebody else");
    }
  }
  return {};
}

Result<std::string> checked_scope(const StoreState& state, const KindSchema& kind,
                                  std::string_view body) {
  GW_TRY_LET(scope, scope_of(state, kind, body));
  if (kind.scope_field != 0 && !is_scope(scope)) {
    return refuse(ErrorCode::kInvalid, kind, kind.scope_field, "names no grid, area or worker");
  }
  const Position& position = state.position;
  const bool known = position.grants_version != 0 || !position.grants.empty();
  const auto is_allowed = [&] {
    return is_private(kind) ? covers(position.grants, scope, kind) : holds(position.grants, scope);
  };
  if (known && kind.scope_field != 0 && !is_allowed()) {
    return fail(ErrorCode::kOutOfScope, "none of your areas holds this record",
                "kind " + std::string(kind.name));
  }
  return std::move(scope);
}

std::unexpected<Error> no_location() {
  return fail(ErrorCode::kNoLocation, "positions are recorded during an open patrol only",
              "TrackBatch");
}

// The patrol is the worker's own, and still open.
Result<void> check_patrol(StoreState& state, const KindSchema& kind, std::string_view batch) {
  if (kind.name != "TrackBatch") return {};
  const KindSchema* visits = state.schema.kind("Visit");
  const FieldSchema* visit_field = kind.field("visit");
  if (visits == nullptr || visit_field == nullptr) return {};
  const auto id = RecordId::from_bytes(text_of(batch, visit_field->number).value_or(""));
  if (!id) return no_location();
  GW_TRY_LET(visit, load_row(state, *table_of(state, visits->id), *id));
  if (!visit || !visit->body) return no_location();
  const bool own = check_author(state, *visits, {}, *visit->body).has_value();
  const bool open = field_of(*visit->body, visits->field("ended_ms")->number).entries.empty();
  const TrackClock clock{.recorded_ms = state.options.clock->now().wall_ms};
  if (!own || !open || !lies_within_patrol(kind, batch, clock, *visits, *visit->body)) {
    return no_location();
  }
  return {};
}

// A child that follows parents of many kinds would show, to all who see its own kind, that a
// personal record is there and what is said of it.
Result<void> check_exposure(const StoreState& state, const KindSchema& kind,
                            std::string_view body) {
  if (kind.scope_parent_kind_field == 0) return {};
  const std::int64_t number = int_of(body, kind.scope_parent_kind_field).value_or(0);
  const KindSchema* parent = state.schema.kind(KindId(static_cast<std::uint32_t>(number)));
  if (parent == nullptr || parent->audience <= kind.audience) return {};
  return fail(ErrorCode::kForbidden, "nothing may be attached to personal records",
              std::string(kind.name) + " on " + std::string(parent->name));
}

Result<std::string> numbered(const KindSchema& kind, std::string set, std::string_view number) {
  const FieldSchema* field = kind.field("number");
  if (kind.name != "Whistle" || number.empty() || field == nullptr) return set;
  if (!entries_of(set, field->number).empty()) return set;
  std::string minted;
  append_text(minted, field->number, number);
  return overlay(kind, set, minted, {}, {});
}

}  // namespace

std::string as_creation(const KindSchema& kind, std::string_view set, std::string_view body) {
  std::set<std::uint16_t> groups;
  const auto needed = [&](const FieldSchema& field) {
    if (field.merge == MergePolicy::kAppend || field.merge == MergePolicy::kSet ||
        field.merge == MergePolicy::kServer) {
      return false;  // elements given twice would be there twice; the creation brings them
    }
    return field.required || field.merge == MergePolicy::kImmutable ||
           field.number == kind.scope_field || field.number == kind.scope_parent ||
           field.number == kind.scope_parent_kind_field;
  };
  for (const FieldSchema& field : kind.fields) {
    if (field.group != 0 && needed(field)) groups.insert(field.group);
  }
  std::string first;
  for (const FieldSchema& field : kind.fields) {
    if (!entries_of(set, field.number).empty()) continue;
    const bool grouped = field.group != 0 && groups.contains(field.group);
    if (field.number != 1 && (needed(field) || grouped)) first += entries_of(body, field.number);
  }
  return first.empty() ? std::string(set) : overlay(kind, first, set, {}, {});
}

Result<void> check_writable(const KindTable* table) {
  if (table == nullptr || table->schema == nullptr) {
    return fail(ErrorCode::kInvalid, "no such kind of record", "kind");
  }
  const KindSchema& kind = *table->schema;
  if (kind.server_written || kind.reference) {
    return fail(ErrorCode::kForbidden, std::string(kind.name) + " is written by the server alone",
                std::string(kind.name));
  }
  if (kind.audience == Audience::kCare) {
    return fail(ErrorCode::kEncryptionRequired,
                std::string(kind.name) + " is kept in encrypted files only",
                std::string(kind.name));
  }
  return {};
}

bool is_fragment(const KindSchema& kind, const RecordRow& row) {
  return row.body && !check_required(kind, *row.body);
}

Result<Checked> check_put(StoreState& state, const KindTable& table, const Change& change,
                          const RecordRow* before, bool creates, std::string_view number) {
  const KindSchema& kind = table.rules();
  // A record that is put whole may hold fields that many writes made larger than one may be.
  GW_TRY_LET(given, canonical_record(kind, change.set));
  GW_TRY_LET(set, numbered(kind, std::move(given), before == nullptr ? number : ""));
  GW_TRY_LET(remove, canonical(kind, change.remove));
  GW_TRY(check_cleared(kind, change, set));
  GW_TRY(check_removed(kind, remove));
  const std::string_view old_body = before != nullptr ? std::string_view(*before->body) : "";
  GW_TRY(check_author(state, kind, old_body, set));
  Checked checked;
  checked.body = overlay(kind, old_body, set, change.clear, remove);
  GW_TRY(check_policies(kind, old_body, checked.body, creates));
  const bool fragment =
      before != nullptr && is_fragment(kind, *before) && !check_required(kind, checked.body);
  if (!fragment) {
    GW_TRY(check_required(kind, checked.body));
    GW_TRY(check_patrol(state, kind, checked.body));
    GW_TRY(check_exposure(state, kind, checked.body));
  }
  if (checked.body.size() > limits::kRecordBytes) {
    return fail(ErrorCode::kTooLarge, "the record is too large; put long things into attachments",
                std::string(kind.name));
  }
  checked.set = before != nullptr ? news_in(kind, set, old_body, checked.body) : std::move(set);
  if (checked.set.size() > limits::kFieldBytes) GW_TRY(canonical(kind, checked.set));
  GW_TRY(check_values(kind, checked.set));
  if (!fragment) {
    GW_TRY_LET(scope, checked_scope(state, kind, checked.body));
    checked.scope = std::move(scope);
  }
  checked.remove = std::move(remove);
  checked.clear = news_in_clear(kind, change.clear, old_body, checked.body);
  // An element both added and removed: what is seen is what the operation does, here as elsewhere.
  if (before != nullptr && !checked.remove.empty()) {
    checked.body = overlay(kind, old_body, checked.set, change.clear, checked.remove);
  }
  checked.empty = before != nullptr && checked.body == old_body;
  return checked;
}

}  // namespace gridwhistle::store

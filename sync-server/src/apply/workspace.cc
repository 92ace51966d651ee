#include "apply/workspace.h"

#include <algorithm>

#include "apply/staff.h"
#include "model/record.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

std::unexpected<Error> nowhere(const KindSchema& kind) {
  std::string what = std::string(kind.name) + " names no scope of this county";
  return fail(ErrorCode::kInvalid, what, what);
}

bool contains(const std::vector<ScopeNo>& numbers, ScopeNo number) {
  return std::ranges::find(numbers, number) != numbers.end();
}

// A record's memberships once it lies in `leaves` and nowhere else; what it stays in moves to
// `seq`.
void move_to(std::vector<Membership>& memberships, const std::vector<ScopeNo>& leaves, Seq seq) {
  for (Membership& m : memberships) {
    const bool stays = contains(leaves, m.scope);
    if (!stays && !m.in) continue;
    if (stays != m.in && stays) m.entered = seq;
    m.in = stays;
    m.seq = seq;
  }
  for (const ScopeNo leaf : leaves) {
    const auto same = std::ranges::find(memberships, leaf, &Membership::scope);
    if (same == memberships.end()) memberships.push_back({leaf, seq, seq, true});
  }
}

void leave_out_own_scopes(std::vector<std::string>& leaves) {
  std::erase_if(leaves, [](const std::string& leaf) { return is_worker_scope(leaf); });
}

bool is_in(const std::vector<Membership>& memberships, const std::vector<ScopeNo>& leaves) {
  const auto held = std::ranges::count_if(memberships, &Membership::in);
  return static_cast<std::size_t>(held) == leaves.size() &&
         std::ranges::all_of(
             memberships, [&](const Membership& m) { return !m.in || contains(leaves, m.scope); });
}

// Which kind a record follows, if it follows any.
KindId parent_kind_of(const KindSchema& kind, std::string_view body) {
  if (kind.scope_parent_kind_field == 0) return kind.scope_parent_kind;
  return KindId(static_cast<std::uint32_t>(int_of(body, kind.scope_parent_kind_field).value_or(0)));
}

// Leaves out what stands there already; false when nothing is left to do. A group goes whole.
bool keep_differing(const Workspace::Page& page, std::string_view set,
                    const std::vector<std::uint32_t>& clear, Operation& operation) {
  const std::vector<FieldView> held = fields_of(page.record.state.body);
  const auto differs = [&](std::string_view entries, std::uint32_t number) {
    const FieldSchema* field = page.kind->field(number);
    return (field != nullptr && field->group != 0) || entries_in(held, number) != entries;
  };
  for (const FieldView& field : fields_of(set)) {
    if (differs(field.entries, field.number)) operation.set += field.entries;
  }
  for (const std::uint32_t number : clear) {
    if (!entries_in(held, number).empty()) operation.clear.push_back(number);
  }
  return !page.record.state.exists || page.record.state.erased || !operation.set.empty() ||
         !operation.clear.empty();
}

}  // namespace

Seq Workspace::next_seq() {
  const Seq seq(storage_.last_seq().value + 1);
  storage_.set_last_seq(seq);
  return seq;
}

Result<Workspace::Page*> Workspace::open(const RecordKey& key) {
  if (const auto page = pages_.find(key); page != pages_.end()) return &page->second;
  const KindSchema* kind = schema_.kind(key.kind);
  if (kind == nullptr) return fail(ErrorCode::kInternal, "a kind this build does not know");
  auto stored = storage_.record(key);
  if (!stored) return std::unexpected(std::move(stored.error()));
  const auto opened = pages_.emplace(key, Page{}).first;
  opened_.push_back(&*opened);
  Page& page = opened->second;
  page.kind = kind;
  if (*stored) {
    page.record = **stored;
    page.before = page.record.memberships;
    page.parent = parent_of(*kind, page.record.state.body).id;
  }
  return &page;
}

RecordKey parent_of(const Schema& schema, const KindSchema& kind, std::string_view body) {
  if (kind.scope_parent == 0) return {};
  const auto id = RecordId::from_bytes(text_of(body, kind.scope_parent).value_or(""));
  const KindId parent = parent_kind_of(kind, body);
  if (!id || schema.kind(parent) == nullptr) return {};
  return {parent, *id};
}

RecordKey Workspace::parent_of(const KindSchema& kind, std::string_view body) const {
  return gridwhistle::parent_of(schema_, kind, body);
}

Result<std::vector<std::string>> Workspace::leaves_of(const RecordKey& key) {
  auto page = open(key);
  if (!page) return std::unexpected(std::move(page.error()));
  std::vector<std::string> leaves;
  for (const Membership& m : (*page)->record.memberships) {
    if (m.in) leaves.push_back(storage_.scope_name(m.scope));
  }
  return leaves;
}

Result<std::vector<std::string>> Workspace::leaves_by_content(const KindSchema& kind,
                                                              std::string_view body) {
  std::string_view named = kind.fixed_scope;
  if (kind.scope_field != 0) named = text_of(body, kind.scope_field).value_or("");
  if (kind.scope_parent == 0) {
    std::optional<std::string> leaf = leaf_scope(storage_.county(), named);
    if (!leaf) return nowhere(kind);
    return std::vector<std::string>{std::move(*leaf)};
  }
  const RecordKey parent = parent_of(kind, body);
  if (!parent.kind) return nowhere(kind);
  auto leaves = leaves_of(parent);
  if (leaves && is_of_whistle(kind, body)) leave_out_own_scopes(*leaves);
  return leaves;
}

bool is_of_whistle(const KindSchema& kind, std::string_view body) {
  const KindId parent = parent_kind_of(kind, body);
  return kind.id == kinds::kWhistle || parent == kinds::kWhistle || parent == kinds::kWhistleAction;
}

Result<std::vector<std::string>> Workspace::leaves_left(RecordKey key, std::string_view set) {
  std::vector<std::string> leaves;
  std::vector<RecordKey> passed;  // a damaged file may hold a ring
  while (key.kind && std::ranges::find(passed, key) == passed.end()) {
    passed.push_back(key);
    auto page = open(key);
    if (!page) return std::unexpected(std::move(page.error()));
    const RecordState& state = (*page)->record.state;
    for (const Membership& m : (*page)->record.memberships) {
      if (!m.in) leaves.push_back(storage_.scope_name(m.scope));
    }
    key = parent_of(*(*page)->kind, state.exists ? std::string_view(state.body) : set);
    set = {};
  }
  return leaves;
}

Result<std::vector<RecordKey>> Workspace::children(RecordId parent) {
  auto keys = storage_.children(parent);
  if (!keys) return keys;
  const auto [first, last] = new_children_.equal_range(parent);
  for (auto child = first; child != last; ++child) {
    if (std::ranges::find(*keys, child->second) == keys->end()) keys->push_back(child->second);
  }
  return keys;
}

Result<bool> Workspace::is_gone(const RecordKey& key) {
  auto page = open(key);
  if (!page) return std::unexpected(std::move(page.error()));
  if ((*page)->record.state.exists) return false;
  if ((*page)->gone) return true;
  return storage_.is_gone(key);
}

Result<Merged> Workspace::merge_in(const Operation& operation, DeviceId device, Seq seq) {
  const RecordKey key{operation.kind, operation.id};
  auto page = open(key);
  if (!page) return std::unexpected(std::move(page.error()));
  Merged merged = merge(*(*page)->kind, (*page)->record.state, operation, device, seq, now_ms_);
  if (!merged.changed) return merged;
  const KindSchema& kind = *(*page)->kind;
  // An erasure that came before its creation has no content to be placed by yet.
  const bool has_content = !merged.next.body.empty();
  std::vector<std::string> leaves;
  if (has_content) {
    auto named = leaves_by_content(kind, merged.next.body);
    if (!named) return std::unexpected(std::move(named.error()));
    leaves = std::move(*named);
  }
  (*page)->record.state = std::move(merged.next);
  (*page)->dirty = true;
  const RecordKey parent = parent_of(kind, (*page)->record.state.body);
  if (parent.id != (*page)->parent) new_children_.emplace(parent.id, key);
  if (!has_content) return merged;
  if (auto settled = settle(key, **page, std::move(leaves), seq); !settled) {
    return std::unexpected(settled.error());
  }
  return merged;
}

Result<void> Workspace::write(const RecordKey& key, std::string_view set,
                              const std::vector<std::uint32_t>& clear, Seq seq) {
  auto page = open(key);
  if (!page) return std::unexpected(std::move(page.error()));
  Operation operation;
  operation.kind = key.kind;
  operation.id = key.id;
  operation.creates = true;
  operation.hlc = Hlc(static_cast<std::uint64_t>(now_ms_) << 16);
  if (!keep_differing(**page, set, clear, operation)) return {};
  auto merged = merge_in(operation, DeviceId(), seq);
  if (!merged) return std::unexpected(std::move(merged.error()));
  if (merged->status == OutcomeStatus::kRejected) return fail(merged->code, merged->message);
  return {};
}

Result<void> Workspace::write_bytes(const RecordKey& key, std::string_view message,
                                    const std::vector<std::uint32_t>& clear, Seq seq) {
  const KindSchema* kind = schema_.kind(key.kind);
  if (kind == nullptr) return fail(ErrorCode::kInternal, "a kind this build does not know");
  auto set = canonical(*kind, message);
  if (!set) return std::unexpected(std::move(set.error()));
  return write(key, *set, clear, seq);
}

// The server's additions to a whistle's places: the organisations called and, of the whistle and
// what was said of it, its reporter's own scope.
void Workspace::add_kept(const Page& page, std::vector<std::string>& leaves) {
  if (!is_of_whistle(*page.kind, page.record.state.body)) return;
  for (const Membership& m : page.record.memberships) {
    const std::string& name = storage_.scope_name(m.scope);
    const bool called = page.kind->id == kinds::kWhistle && name.starts_with("org:");
    if (m.in && (called || is_worker_scope(name))) leaves.push_back(name);
  }
}

// After a change: the record's places, which its content names, and those of what follows it. What
// the server has added stays.
Result<void> Workspace::settle(const RecordKey& key, const Page& page,
                               std::vector<std::string> leaves, Seq seq) {
  add_kept(page, leaves);
  if (key.kind == kinds::kWorker) {
    auto places = places_of_worker(*this, key.id, page.record.state.body);
    if (!places) return std::unexpected(std::move(places.error()));
    leaves = std::move(*places);
  }
  return place(key, leaves, seq);
}

Result<void> Workspace::place(const RecordKey& key, const std::vector<std::string>& leaves,
                              Seq seq) {
  auto page = open(key);
  if (!page) return std::unexpected(std::move(page.error()));
  std::vector<ScopeNo> numbers;
  for (const std::string& leaf : leaves) {
    auto number = storage_.scope_no(leaf);
    if (!number) return std::unexpected(std::move(number.error()));
    if (!contains(numbers, *number)) numbers.push_back(*number);
  }
  std::vector<Membership>& memberships = (*page)->record.memberships;
  const bool moved = !is_in(memberships, numbers);
  move_to(memberships, numbers, seq);
  (*page)->dirty = true;
  if (!moved) return {};
  return move_children(key.id, leaves);
}

Result<void> Workspace::move_children(RecordId parent, const std::vector<std::string>& leaves) {
  auto keys = children(parent);
  if (!keys) return std::unexpected(std::move(keys.error()));
  for (const RecordKey& key : *keys) {
    auto page = open(key);
    if (!page) return std::unexpected(std::move(page.error()));
    // What was moved to another parent, or is not written yet, does not follow this one.
    if (parent_of(*(*page)->kind, (*page)->record.state.body).id != parent) continue;
    std::vector<std::string> own = leaves;
    if (is_of_whistle(*(*page)->kind, (*page)->record.state.body)) leave_out_own_scopes(own);
    add_kept(**page, own);
    if (auto placed = place(key, own, next_seq()); !placed) return placed;
  }
  return {};
}

Result<void> Workspace::flush() {
  for (auto* opened : opened_) {
    auto& [key, page] = *opened;
    if (page.gone) {
      if (auto noted = storage_.note_gone(key, now_ms_); !noted) return noted;
    }
    if (!page.dirty) continue;
    const RecordKey parent = parent_of(*page.kind, page.record.state.body);
    const RecordId new_parent = parent.id == page.parent ? RecordId{} : parent.id;
    if (auto put = storage_.put_record(*page.kind, key.id, std::move(page.record), page.before,
                                       new_parent);
        !put) {
      return put;
    }
  }
  opened_.clear();
  pages_.clear();
  new_children_.clear();
  return {};
}

bool Workspace::claim(std::string_view name, RecordId by) {
  return claimed_.try_emplace(std::string(name), by).first->second == by;
}

std::vector<RecordKey> Workspace::touched() const {
  std::vector<RecordKey> keys;
  for (const auto* opened : opened_) {
    if (opened->second.dirty) keys.push_back(opened->first);
  }
  return keys;
}

}  // namespace gridwhistle

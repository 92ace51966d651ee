#include "feed/feed.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <string>
#include <utility>

#include "base/limits.h"
#include "feed/limits.h"
#include "model/merge.h"

namespace gridwhistle {

namespace {

// Whether a device's file may hold something of a record by its own hand, whatever the feed
// brought. What it created the id tells, too: a copy of its file may have taken over the writing.
bool has_written(const RecordId& id, const RecordState& state, const Reader& reader) {
  const auto is_it = [&](DeviceId writer) {
    return writer == reader.device ||
           std::ranges::find(reader.before, writer) != reader.before.end();
  };
  const auto is_own = [&](const auto& stamp) { return is_it(stamp.writer); };
  return is_it(id.device()) || is_own(state.common) || is_it(state.last_writer) ||
         std::ranges::any_of(state.fields, is_own, &FieldStamp::stamp) ||
         std::ranges::any_of(state.elements, is_own);
}

std::optional<Seq> exception_for(const v1::Cursor& cursor, const std::string& scope) {
  for (const v1::ScopeCursor& exception : cursor.exceptions()) {
    if (exception.scope() == scope) return Seq(exception.seq());
  }
  return std::nullopt;
}

}  // namespace

// What a device can know of a record by the scopes it holds.
struct Feed::Place {
  bool visible = false;
  bool may_have = false;  ///< the feed may have brought it the record
  bool has = false;       ///< it does, as of `base` or later
  Seq base;
  bool since_creation = false;  ///< it was in a held scope from its first moment
  std::vector<std::string> scopes;
};

Feed::Feed(Storage& storage, const Schema& schema, Reader reader, const ScopeSet& grants,
           const v1::Cursor& cursor)
    : storage_(storage),
      schema_(schema),
      reader_(reader),
      cursor_(cursor.seq()),
      reached_(cursor.reached()),
      grants_(grants) {
  // A cursor from a future that was lost reads on from what there is.
  cursor_ = std::min(cursor_, storage_.last_seq());
  for (const ScopeGrant& grant : grants.grants()) {
    const std::optional<Seq> said = exception_for(cursor, grant.scope);
    // A cursor from before the grant cannot speak of its scope, unless who says it knew of the
    // grant: a first call that broke off goes on where it stood.
    const Seq granted = std::max(grant.granted, reader_.since);
    const bool speaks = reader_.knows_grants || granted <= cursor_;
    const Seq from = said ? *said : speaks ? cursor_ : Seq();
    const Seq complete(said || granted.value > cursor.complete() ? 0 : cursor.complete());
    const Seq urgent(said || speaks ? cursor.urgent() : 0);
    held_.push_back({grant,
                     std::min(from, storage_.last_seq()),
                     std::min(complete, from),
                     std::min(urgent, storage_.last_seq()),
                     0,
                     {}});
  }
  if (!reader_.urgent_first) return;
  urgent_ = Urgent::kPerhaps;
  for (const KindSchema& kind : schema_.kinds) {
    if (kind.lane == kLanes.front()) urgent_kinds_.push_back(kind.id);
  }
}

bool Feed::is_urgent(KindId kind) const {
  return std::ranges::find(urgent_kinds_, kind) != urgent_kinds_.end();
}

void Feed::look_up_leaves() {
  for (Held& held : held_) {
    if (held.leaves_known == storage_.scope_count()) continue;
    held.leaves_known = storage_.scope_count();
    held.leaves = storage_.leaves_of(held.grant);
    pass_open_ = false;
  }
}

std::size_t Feed::first_behind() const {
  const auto behind =
      std::ranges::find_if(held_, [&](const Held& held) { return held.cursor < cursor_; });
  return behind == held_.end() ? kAll : static_cast<std::size_t>(behind - held_.begin());
}

bool Feed::may_have_more() const {
  const std::size_t scopes = storage_.scope_count();
  return std::ranges::any_of(held_, [&](const Held& held) {
    return held.cursor < cursor_ || held.leaves_known != scopes ||
           std::ranges::any_of(
               held.leaves, [&](ScopeNo leaf) { return storage_.scope_last(leaf) > held.cursor; });
  });
}

void Feed::begin_pass(std::size_t held) {
  pass_ = held;
  pass_open_ = true;
  sources_.clear();
  for (std::size_t i = 0; i < held_.size(); ++i) {
    if (held != kAll && held != i) continue;
    const Held& scope = held_[i];
    const Seq read_to =
        urgent_ == Urgent::kNow ? std::max(scope.cursor, scope.urgent) : scope.cursor;
    for (const ScopeNo leaf : scope.leaves) {
      const auto same = std::ranges::find(sources_, leaf, &Source::leaf);
      if (same == sources_.end()) {
        sources_.push_back({leaf, read_to, scope.urgent, {}});
      } else {
        same->read_to = std::min(same->read_to, read_to);
        same->urgent = std::min(same->urgent, scope.urgent);
      }
    }
  }
}

Result<bool> Feed::refill(Source& source, Seq upto) {
  if (!source.lines.empty()) return source.lines.front().seq <= upto;
  if (storage_.scope_last(source.leaf) <= source.read_to) return false;
  const bool ahead = urgent_ == Urgent::kNow;
  auto lines =
      storage_.feed(source.leaf, source.read_to, limits::kFeedLinesRead,
                    ahead ? std::span<const KindId>(urgent_kinds_) : std::span<const KindId>());
  if (!lines) return std::unexpected(std::move(lines.error()));
  source.lines.assign(lines->begin(), lines->end());
  if (source.lines.empty()) return false;
  source.read_to = source.lines.back().seq;
  return source.lines.front().seq <= upto;
}

Result<std::optional<CutDown>> Feed::next(std::size_t raw_bytes) {
  const Seq upto = storage_.last_seq();
  for (;;) {
    look_up_leaves();
    if (!may_have_more()) {
      advance(upto);
      for (Held& held : held_) held.complete = upto;
      if (reader_.urgent_first) urgent_ = Urgent::kPerhaps;
      return std::nullopt;
    }
    if (urgent_ == Urgent::kNow) {
      auto cut = next_urgent(upto, raw_bytes);
      if (!cut || *cut) return cut;
    }
    const std::size_t behind = first_behind();
    if (!pass_open_ || (behind != kAll && pass_ != behind)) begin_pass(behind);
    auto cut = fill(upto, raw_bytes);
    if (!cut) return std::unexpected(std::move(cut.error()));
    const bool read_all = cut->upto == upto;
    if (urgent_ == Urgent::kPerhaps && !read_all) {
      urgent_ = Urgent::kNow;
      pass_open_ = false;
      continue;
    }
    if (pass_ == kAll) {
      advance(cut->upto);
      for (Held& held : held_) {
        if (read_all) held.complete = upto;
      }
    } else {
      cut->scope = held_[pass_].grant.scope;
      held_[pass_].cursor = cut->upto;
      if (read_all) held_[pass_].complete = upto;
      if (read_all) pass_open_ = false;
    }
    if (!cut->rows.empty()) return std::move(*cut);
  }
}

// The urgent rows of every scope, from where each stands; nothing when there are no more.
Result<std::optional<CutDown>> Feed::next_urgent(Seq upto, std::size_t raw_bytes) {
  if (!pass_open_) begin_pass(kAll);
  auto cut = fill(upto, raw_bytes);
  if (!cut) return std::unexpected(std::move(cut.error()));
  for (Held& held : held_) held.urgent = std::max(held.urgent, cut->upto);
  if (cut->upto == upto) {
    urgent_ = Urgent::kNoMore;
    pass_open_ = false;
  }
  if (cut->rows.empty()) return std::nullopt;
  cut->urgent = true;
  return std::move(*cut);
}

void Feed::advance(Seq upto) {
  cursor_ = std::max(cursor_, upto);
  for (Held& held : held_) held.cursor = std::max(held.cursor, cursor_);
}

// Rows until the cut is full or everything up to `upto` is read. It ends between two places of the
// log, never within one.
Result<CutDown> Feed::fill(Seq upto, std::size_t raw_bytes) {
  CutDown cut;
  std::set<RecordKey> done;
  std::size_t bytes = 0;
  // The next line of every source that has one, the earliest on top.
  std::priority_queue<std::pair<Seq, std::size_t>, std::vector<std::pair<Seq, std::size_t>>,
                      std::greater<>>
      next;
  const auto queue = [&](std::size_t source) -> Result<void> {
    auto ready = refill(sources_[source], upto);
    if (!ready) return std::unexpected(std::move(ready.error()));
    if (*ready) next.emplace(sources_[source].lines.front().seq, source);
    return {};
  };
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (auto queued = queue(i); !queued) return std::unexpected(queued.error());
  }
  while (!next.empty()) {
    if (bytes >= raw_bytes || cut.rows.size() >= limits::kCutRows) return cut;
    const FeedEntry line = sources_[next.top().second].lines.front();
    bool came_ahead = is_urgent(line.key.kind);
    while (!next.empty() && next.top().first == line.seq) {
      const std::size_t source = next.top().second;
      came_ahead &= line.seq <= sources_[source].urgent;
      next.pop();
      sources_[source].lines.pop_front();
      if (auto queued = queue(source); !queued) return std::unexpected(queued.error());
    }
    cut.upto = line.seq;
    if (came_ahead || done.contains(line.key)) continue;
    auto row = row_of(line);
    if (!row) return std::unexpected(std::move(row.error()));
    if (!*row) continue;
    done.insert(line.key);
    bytes += (*row)->set.size() + limits::kRowOverheadBytes;
    cut.rows.push_back(std::move(**row));
  }
  cut.upto = upto;
  return cut;
}

Feed::Place Feed::place_of(const KindSchema& kind, const StoredRecord& stored) const {
  Place place;
  for (const Membership& m : stored.memberships) {
    const std::string& leaf = storage_.scope_name(m.scope);
    bool named = false;
    for (const std::size_t at : grants_.reaching(leaf)) {
      const Held& held = held_[at];
      if (!shows(held.grant, kind, leaf)) continue;
      if (m.in) {
        place.visible = true;
        if (!named) place.scopes.push_back(leaf);
        named = true;
        // Of a report that lies elsewhere too, a phone cannot tell by itself that it may keep it.
        place.since_creation |= m.entered == stored.state.created && !is_worker_scope(leaf);
      }
      if (!m.in && m.seq <= held.cursor) continue;
      // A scope may lag because the device holds it again, or more of it: the rows it read then may
      // still be in its file.
      const Seq urgent = is_urgent(kind.id) ? held.urgent : Seq();
      // Of a record that left and came again only the last time is known: it may have been here
      // ever since it was created.
      place.may_have |= stored.state.created <= std::max({held.cursor, cursor_, urgent, reached_});
      if (m.entered <= held.complete) {
        place.has = true;
        place.base = std::max(place.base, held.complete);
      }
    }
  }
  return place;
}

// Whether the record has a later line than this one, read already or still to be read.
bool Feed::shown_after(const KindSchema& kind, const StoredRecord& stored, Seq seq) const {
  return std::ranges::any_of(stored.memberships, [&](const Membership& m) {
    if (m.seq <= seq) return false;
    return grants_.sees(kind, storage_.scope_name(m.scope));
  });
}

Row Feed::row_with(const FeedEntry& line, const StoredRecord& stored, RowChange change,
                   std::vector<std::string> scopes) const {
  Row row;
  row.kind = line.key.kind;
  row.id = line.key.id;
  // A record that went on changing where the device does not see it left when it left.
  row.last_seq = std::min(stored.state.last_seq, line.seq);
  row.hlc = stored.state.hlc;
  row.change = change;
  row.forgotten = stored.state.forgotten;
  row.scopes = std::move(scopes);
  return row;
}

Result<std::optional<Row>> Feed::row_of(const FeedEntry& line) {
  const KindSchema* kind = schema_.kind(line.key.kind);
  if (kind == nullptr || kind->since > reader_.schema) return std::nullopt;
  auto found = storage_.record(line.key);
  if (!found) return std::unexpected(std::move(found.error()));
  if (!*found) return std::nullopt;
  const StoredRecord& stored = **found;
  const RecordState& state = stored.state;
  // It has moved on since the line was written, or read: it comes at its later place.
  if (shown_after(*kind, stored, line.seq)) return std::nullopt;
  Place place = place_of(*kind, stored);
  const bool own_creation = state.common.writer == reader_.device &&
                            state.common.dev_seq > reader_.own_since && place.since_creation;
  const auto may_have = [&] { return place.may_have || has_written(line.key.id, state, reader_); };
  if (!place.visible) {
    if (!may_have()) return std::nullopt;
    return row_with(line, stored, RowChange::kLeft, {});
  }
  const bool known = place.has || own_creation;
  const Seq base = place.has ? place.base : own_creation ? Seq(state.created.value - 1) : Seq();
  const RowDelta delta =
      delta_since(*kind, state, base, known ? reader_.device : DeviceId(), reader_.own_since);
  if (known && delta.empty) return std::nullopt;
  if (state.erased) {
    if (!known && !may_have()) return std::nullopt;
    return row_with(line, stored, RowChange::kErased, std::move(place.scopes));
  }
  const bool whole = !known || (delta.whole && !own_creation);
  Row row = row_with(line, stored, whole ? RowChange::kWhole : RowChange::kFields,
                     std::move(place.scopes));
  row.set = whole ? state.body : delta.set;
  row.clear = whole ? std::vector<std::uint32_t>{} : delta.clear;
  return row;
}

}  // namespace gridwhistle

#include "apply/sweeping.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "apply/workspace.h"

namespace gridwhistle {

namespace {

class Sweeping {
 public:
  Sweeping(Storage& storage, const Schema& schema, SweepProgress& progress, std::size_t limit)
      : storage_(storage),
        schema_(schema),
        workspace_(storage, schema, 0),
        progress_(progress),
        limit_(limit) {}

  Result<Swept> run() {
    while (seen_ < limit_ && !progress_.done(schema_)) {
      const auto done = progress_.exits_done ? take_tombstones() : take_exits();
      if (!done) return std::unexpected(done.error());
    }
    return swept_;
  }

 private:
  Result<void> take_exits() {
    const auto lines = storage_.exits(progress_.exits_to, progress_.upto, limit_ - seen_);
    if (!lines) return std::unexpected(lines.error());
    progress_.exits_done = lines->empty();
    for (const FeedEntry& line : *lines) {
      ++seen_;
      progress_.exits_to = line.seq;
      const KindSchema* kind = schema_.kind(line.key.kind);
      if (kind == nullptr) continue;
      auto stored = storage_.record(line.key);
      if (!stored) return std::unexpected(std::move(stored.error()));
      if (!*stored) continue;
      StoredRecord next = **stored;
      swept_.exits += std::erase_if(
          next.memberships, [&](const Membership& m) { return !m.in && m.seq == line.seq; });
      const std::vector<Membership> before = (*stored)->memberships;
      auto put = storage_.put_record(*kind, line.key.id, std::move(next), before, {});
      if (!put) return put;
    }
    return {};
  }

  Result<void> take_tombstones() {
    const KindId kind = schema_.kinds[progress_.kind].id;
    const auto found =
        storage_.tombstones(kind, progress_.tombstones_to, progress_.upto, limit_ - seen_);
    if (!found) return std::unexpected(found.error());
    if (found->empty()) {
      ++progress_.kind;
      progress_.tombstones_to = {};
    }
    for (const Tombstone& tombstone : *found) {
      ++seen_;
      progress_.tombstones_to = tombstone;
      if (auto taken = take_whole({kind, tombstone.id}); !taken) return taken;
    }
    return {};
  }

  struct Part {
    RecordKey key;
    std::shared_ptr<const StoredRecord> stored;
    RecordId parent;
  };

  // With its parts, at every depth, or not at all: a part whose whole is not there would wait for
  // it where nobody sees it. And a part whose whole is erased goes with that one alone: should it
  // come back, it brings all that went along.
  Result<void> take_whole(const RecordKey& first) {
    std::vector<Part> all;
    auto goes = add(first, all);
    if (!goes) return std::unexpected(std::move(goes.error()));
    if (!all.empty()) {
      auto waits = waits_for_whole(all.front());
      if (!waits) return std::unexpected(std::move(waits.error()));
      if (*waits) return {};
    }
    for (std::size_t at = 0; *goes && at < all.size(); ++at) {
      const RecordKey whole = all[at].key;
      auto keys = storage_.children(whole.id);
      if (!keys) return std::unexpected(std::move(keys.error()));
      for (const RecordKey& key : *keys) {
        auto is_part = follows(key, whole);
        if (!is_part) return std::unexpected(std::move(is_part.error()));
        if (!*is_part) continue;
        goes = add(key, all);
        if (!goes) return std::unexpected(std::move(goes.error()));
        if (!*goes) break;
      }
    }
    if (!*goes) return {};
    for (auto part = all.rbegin(); part != all.rend(); ++part) {
      if (auto gone = storage_.remove_record(part->key, *part->stored, part->parent); !gone) {
        return gone;
      }
      ++seen_;
      ++swept_.records;
    }
    return {};
  }

  Result<bool> waits_for_whole(const Part& part) {
    const KindSchema& kind = *schema_.kind(part.key.kind);
    const RecordKey whole = workspace_.parent_of(kind, part.stored->state.body);
    if (!whole.kind) return false;
    auto stored = storage_.record(whole);
    if (!stored) return std::unexpected(std::move(stored.error()));
    return *stored && (*stored)->state.erased && !(*stored)->state.forgotten;
  }

  Result<bool> follows(const RecordKey& key, const RecordKey& whole) {
    const KindSchema* kind = schema_.kind(key.kind);
    if (kind == nullptr) return true;
    auto stored = storage_.record(key);
    if (!stored) return std::unexpected(std::move(stored.error()));
    return *stored && workspace_.parent_of(*kind, (*stored)->state.body) == whole;
  }

  // False: it stays, and whatever it belongs to stays with it.
  Result<bool> add(const RecordKey& key, std::vector<Part>& all) {
    const KindSchema* kind = schema_.kind(key.kind);
    if (kind == nullptr) return false;
    auto stored = storage_.record(key);
    if (!stored) return std::unexpected(std::move(stored.error()));
    if (!*stored) return true;  // taken with its whole a moment ago
    const RecordState& state = (*stored)->state;
    const auto is_younger = [&](const Membership& m) { return m.seq > progress_.upto; };
    if (!state.erased || state.forgotten || state.last_seq > progress_.upto ||
        std::ranges::any_of((*stored)->memberships, is_younger)) {
      return false;
    }
    const RecordId parent = workspace_.parent_of(*kind, state.body).id;
    all.push_back({key, std::move(*stored), parent});
    return true;
  }

  Storage& storage_;
  const Schema& schema_;
  Workspace workspace_;  ///< only asked who follows whom
  SweepProgress& progress_;
  const std::size_t limit_;
  std::size_t seen_ = 0;
  Swept swept_;
};

}  // namespace

Result<Swept> sweep_some(Storage& storage, const Schema& schema, SweepProgress& progress,
                         std::size_t limit) {
  return Sweeping(storage, schema, progress, limit).run();
}

}  // namespace gridwhistle

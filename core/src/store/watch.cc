#include "store/watch.h"

#include <algorithm>

#include "base/sha256.h"
#include "store/state.h"

namespace gridwhistle::store {

namespace {

// A result in brief, to tell whether it differs from the one before.
std::string digest_of(const Result<std::vector<FoundBytes>>& result) {
  if (!result) return "error " + std::to_string(static_cast<int>(result.error().code));
  std::string all;
  for (const FoundBytes& found : *result) {
    all += std::to_string(found.record.size()) + ":" + found.record;
    all += static_cast<char>(found.info.delivery);
    all += std::to_string(found.info.last_seq.value) + ";";
  }
  return sha256(all);
}

void ask_again(StoreState& state, const std::shared_ptr<WatchEntry>& entry) {
  if (entry->queued) return;
  entry->queued = true;
  state.options.executor->post([alive = state.alive, watch = std::weak_ptr(entry)] {
    const std::shared_ptr<WatchEntry> held = watch.lock();
    if (!*alive || held == nullptr) return;
    held->queued = false;
    held->run();
  });
}

Result<WatchHandle> add(StoreState& state, KindId kind, std::function<void()> run) {
  if (state.options.executor == nullptr) {
    return fail(ErrorCode::kConflict, "this store was opened without an executor", "watch");
  }
  auto entry = std::make_shared<WatchEntry>(WatchEntry{kind, false, std::move(run)});
  std::erase_if(state.watches, [](const auto& watch) { return watch.expired(); });
  state.watches.push_back(entry);
  return WatchHandle(std::move(entry));
}

}  // namespace

void touched(StoreState& state, const std::vector<KindId>& kinds) {
  const KindSchema* grids = state.schema.kind("Grid");
  if (grids != nullptr && std::ranges::find(kinds, grids->id) != kinds.end()) forget_grids(state);
  for (const auto& watch : state.watches) {
    const std::shared_ptr<WatchEntry> entry = watch.lock();
    if (entry == nullptr || std::ranges::find(kinds, entry->kind) == kinds.end()) continue;
    ask_again(state, entry);
  }
}

Result<WatchHandle> Store::watch(KindId kind, Query query, Purpose purpose,
                                 std::function<void(Result<std::vector<FoundBytes>>)> changed) {
  auto run = [state = state_.get(), kind, query = std::move(query), purpose = std::move(purpose),
              changed = std::move(changed), last = std::string()]() mutable {
    Result<std::vector<FoundBytes>> result = query_records(*state, kind, query, purpose);
    std::string digest = digest_of(result);
    if (digest == last) return;
    if (result) {
      if (auto logged = log_found(*state, kind, *result, purpose); !logged) {
        result = std::unexpected(std::move(logged.error()));
      }
    }
    last = result ? std::move(digest) : digest_of(result);
    changed(std::move(result));
  };
  GW_TRY_LET(handle, add(*state_, kind, std::move(run)));
  ask_again(*state_, state_->watches.back().lock());
  return std::move(handle);
}

}  // namespace gridwhistle::store

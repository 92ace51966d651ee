#include <algorithm>
#include <iterator>
#include <utility>

#include "client/change.h"
#include "client/state.h"

namespace gridwhistle {

Result<RecordId> Transaction::put(Change change) {
  const auto given = id_in(change.record);
  if (!given) return std::unexpected(given.error());
  Item item;
  item.id = *given;
  if (item.id.is_nil()) {
    const auto fresh = state_->write([](store::Store& store) { return store.new_id(); });
    if (!fresh) return std::unexpected(fresh.error());
    item.id = *fresh;
    change.record += with_id(item.id);
  }
  item.change = std::move(change);
  items_.push_back(std::move(item));
  return items_.back().id;
}

void Transaction::erase(std::string kind, const RecordId& id) {
  Item item;
  item.erases = true;
  item.change.kind = std::move(kind);
  item.id = id;
  items_.push_back(std::move(item));
}

Result<void> Transaction::commit() {
  auto committed = state_->record([this](store::Store& store) -> Result<void> {
    store::Changes changes;
    for (const Item& item : items_) {
      if (item.erases) {
        const auto known = state_->kind(item.change.kind);
        if (!known) return std::unexpected(known.error());
        store::Change erasure;
        erasure.kind = (*known)->id;
        erasure.id = item.id;
        erasure.type = OperationType::kErase;
        changes.push_back(std::move(erasure));
      } else {
        auto wanted = state_->change(store, item.change);
        if (!wanted) return std::unexpected(std::move(wanted.error()));
        changes.push_back(std::move(*wanted));
      }
    }
    if (changes.empty()) return {};
    auto done = store.commit(changes);
    if (!done) return std::unexpected(std::move(done.error()));
    return {};
  });
  if (committed) items_.clear();
  return committed;
}

}  // namespace gridwhistle

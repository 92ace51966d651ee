#include "sqlite/transaction.h"

#include <utility>

namespace gridwhistle::sqlite {

Result<Transaction> Transaction::begin(Connection& connection) {
  if (auto begun = connection.begin(); !begun) return std::unexpected(std::move(begun.error()));
  return Transaction(&connection);
}

Result<Transaction> Transaction::begin_unsynced(Connection& connection) {
  if (auto undone = connection.catch_up(); !undone) return std::unexpected(undone.error());
  if (auto set = connection.sync_commits(false); !set) {
    return std::unexpected(std::move(set.error()));
  }
  auto begun = begin(connection);
  if (begun) {
    begun->unsynced_ = true;
  } else {
    static_cast<void>(connection.sync_commits(true));
  }
  return begun;
}

Result<Transaction> Transaction::begin_read(Connection& connection) {
  if (auto begun = connection.run("BEGIN"); !begun) return std::unexpected(begun.error());
  return Transaction(&connection);
}

Transaction::Transaction(Transaction&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)), unsynced_(other.unsynced_) {}

Transaction::~Transaction() {
  if (connection_ == nullptr) return;
  connection_->roll_back();
  if (unsynced_) static_cast<void>(connection_->sync_commits(true));
}

Result<void> Transaction::commit() {
  Result<void> committed = connection_->commit();
  if (!committed) return committed;
  if (unsynced_) static_cast<void>(connection_->sync_commits(true));
  connection_ = nullptr;
  return committed;
}

}  // namespace gridwhistle::sqlite

#include "sqlite/transaction.h"

#include <utility>

namespace gridwhistle::sqlite {

Result<Transaction> Transaction::start(Connection& connection, std::string_view sql) {
  if (auto begun = connection.run(sql); !begun) return std::unexpected(std::move(begun.error()));
  return Transaction(&connection);
}

Result<Transaction> Transaction::begin(Connection& connection) {
  return start(connection, "BEGIN IMMEDIATE");
}

Result<Transaction> Transaction::begin_read(Connection& connection) {
  return start(connection, "BEGIN");
}

Transaction::Transaction(Transaction&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {}

Transaction::~Transaction() {
  if (connection_ != nullptr) connection_->roll_back();
}

Result<void> Transaction::commit() {
  Result<void> committed = connection_->run("COMMIT");
  if (committed) connection_ = nullptr;
  return committed;
}

}  // namespace gridwhistle::sqlite

#pragma once

#include <string_view>

#include "gridwhistle/status.h"
#include "sqlite/connection.h"

namespace gridwhistle::sqlite {

/// All or nothing. Whatever was not committed when the object goes is undone. The connection
/// outlives it and must not move meanwhile. Not nested.
class Transaction {
 public:
  /// A writing transaction: from here on nobody else writes. kLocked after the busy timeout.
  static Result<Transaction> begin(Connection& connection);
  /// A reading transaction: every read sees the same moment.
  static Result<Transaction> begin_read(Connection& connection);

  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&& other) = delete;
  ~Transaction();

  /// Returns when the changes have the connection's durability. After an error nothing is changed.
  Result<void> commit();

 private:
  static Result<Transaction> start(Connection& connection, std::string_view sql);
  explicit Transaction(Connection* connection) : connection_(connection) {}

  Connection* connection_ = nullptr;
};

}  // namespace gridwhistle::sqlite

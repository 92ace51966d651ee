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
  /// As `begin`, but the commit does not wait for the disk: a power cut may undo it, and with it
  /// all that was committed so since. The next commit of the connection's durability, or a
  /// checkpoint, puts it on the disk too.
  static Result<Transaction> begin_unsynced(Connection& connection);
  /// A reading transaction: every read sees the same moment.
  static Result<Transaction> begin_read(Connection& connection);

  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&& other) = delete;
  ~Transaction();

  /// Returns when the changes have the durability they began with. After an error nothing is
  /// changed.
  Result<void> commit();

 private:
  explicit Transaction(Connection* connection) : connection_(connection) {}

  Connection* connection_ = nullptr;
  bool unsynced_ = false;
};

}  // namespace gridwhistle::sqlite

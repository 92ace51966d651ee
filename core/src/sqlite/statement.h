#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"

struct sqlite3_stmt;

namespace gridwhistle::sqlite {

struct Prepared;  // a cached statement; connection.cc

/// Bytes to bind. Plain string views are bound as text.
struct Blob {
  std::string_view bytes;
};

/// Whether bound text and bytes are copied, or stay the caller's until the statement is reset.
enum class Lifetime : std::uint8_t { kCopied, kBorrowed };

/// A prepared statement on loan from its connection's cache. Destroying it resets it and gives it
/// back. Used on the connection's thread, and not after the connection is gone.
///
/// A failed bind is remembered; the next `step` or `run` returns it.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  /// Binds parameter `index`, from 1. Unsigned numbers keep their bits.
  void bind_null(int index);
  void bind_int(int index, std::int64_t value);
  void bind_double(int index, double value);
  void bind_text(int index, std::string_view text, Lifetime lifetime = Lifetime::kCopied);
  void bind_blob(int index, std::string_view bytes, Lifetime lifetime = Lifetime::kCopied);

  /// Binds parameters 1, 2, 3… to integers, enums, strong numbers, doubles, text, Blob, RecordId,
  /// nullptr, and optionals of those.
  template <typename... Values>
  void bind(const Values&... values) {
    int index = 0;
    (bind_value(++index, values, Lifetime::kCopied), ...);
  }

  /// As `bind`, without copies: text and bytes stay alive until `reset` or destruction.
  template <typename... Values>
  void borrow(const Values&... values) {
    int index = 0;
    (bind_value(++index, values, Lifetime::kBorrowed), ...);
  }

  /// To the next row. False: there is none.
  Result<bool> step();

  /// To the end; rows are dropped. Afterwards it may be bound and run again.
  Result<void> run();

  /// Ready to be bound and stepped again; bindings are forgotten.
  void reset();

  /// Columns of the current row, from 0. Text and bytes live until the next step, reset or
  /// destruction. NULL reads as 0 or empty.
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  double real(int column) const;
  std::string_view text(int column) const;
  std::string_view blob(int column) const;
  /// Nil when the column does not hold 16 bytes.
  RecordId record_id(int column) const;

 private:
  friend class Connection;
  Statement(sqlite3_stmt* statement, Prepared* cached) : statement_(statement), cached_(cached) {}

  template <typename T>
  void bind_value(int index, const T& value, Lifetime lifetime) {
    if constexpr (std::is_same_v<T, std::nullptr_t>) {
      bind_null(index);
    } else if constexpr (std::is_same_v<T, Blob>) {
      bind_blob(index, value.bytes, lifetime);
    } else if constexpr (std::is_same_v<T, RecordId>) {
      bind_blob(index, value.bytes(), lifetime);
    } else if constexpr (std::floating_point<T>) {
      bind_double(index, value);
    } else if constexpr (std::integral<T> || std::is_enum_v<T>) {
      bind_int(index, static_cast<std::int64_t>(value));
    } else if constexpr (requires { value.has_value(); }) {
      if (value.has_value()) {
        bind_value(index, *value, lifetime);
      } else {
        bind_null(index);
      }
    } else if constexpr (requires { value.value; }) {
      bind_int(index, static_cast<std::int64_t>(value.value));
    } else {
      bind_text(index, std::string_view(value), lifetime);
    }
  }

  void note(int sqlite_code);
  void release();

  sqlite3_stmt* statement_ = nullptr;
  Prepared* cached_ = nullptr;  // null: this object owns the statement
  int bind_error_ = 0;
  bool used_ = false;  // bound or stepped since it was last reset
};

}  // namespace gridwhistle::sqlite

#include "sqlite/statement.h"

#include <sqlite3.h>

#include <utility>

#include "sqlite/internal.h"

namespace gridwhistle::sqlite {

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      cached_(std::exchange(other.cached_, nullptr)),
      bind_error_(other.bind_error_),
      used_(other.used_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  if (this != &other) {
    release();
    statement_ = std::exchange(other.statement_, nullptr);
    cached_ = std::exchange(other.cached_, nullptr);
    bind_error_ = other.bind_error_;
    used_ = other.used_;
  }
  return *this;
}

Statement::~Statement() { release(); }

void Statement::release() {
  if (statement_ == nullptr) return;
  if (cached_ == nullptr) {
    sqlite3_finalize(statement_);
  } else {
    reset();
    cached_->on_loan = false;
  }
  statement_ = nullptr;
  cached_ = nullptr;
}

void Statement::note(int sqlite_code) {
  used_ = true;
  if (sqlite_code != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = sqlite_code;
}

void Statement::bind_null(int index) { note(sqlite3_bind_null(statement_, index)); }

void Statement::bind_int(int index, std::int64_t value) {
  note(sqlite3_bind_int64(statement_, index, value));
}

void Statement::bind_double(int index, double value) {
  note(sqlite3_bind_double(statement_, index, value));
}

void Statement::bind_text(int index, std::string_view text, Lifetime lifetime) {
  const char* data = text.data() == nullptr ? "" : text.data();
  note(sqlite3_bind_text64(statement_, index, data, text.size(),
                           lifetime == Lifetime::kCopied ? SQLITE_TRANSIENT : SQLITE_STATIC,
                           SQLITE_UTF8));
}

// A null pointer would bind NULL; no bytes are not the same as no value.
void Statement::bind_blob(int index, std::string_view bytes, Lifetime lifetime) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  note(sqlite3_bind_blob64(statement_, index, data, bytes.size(),
                           lifetime == Lifetime::kCopied ? SQLITE_TRANSIENT : SQLITE_STATIC));
}

Result<bool> Statement::step() {
  if (bind_error_ != SQLITE_OK) return error_of(std::exchange(bind_error_, SQLITE_OK), nullptr);
  used_ = true;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite3* handle = sqlite3_db_handle(statement_);
  auto error = error_of(sqlite3_extended_errcode(handle), handle);
  sqlite3_reset(statement_);
  return error;
}

Result<void> Statement::run() {
  for (;;) {
    const Result<bool> row = step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
  }
  reset();
  return {};
}

void Statement::reset() {
  bind_error_ = SQLITE_OK;
  if (!std::exchange(used_, false)) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string_view Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Statement::blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

RecordId Statement::record_id(int column) const {
  return RecordId::from_bytes(blob(column)).value_or(RecordId{});
}

}  // namespace gridwhistle::sqlite

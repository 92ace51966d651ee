#pragma once

#include "gridwhistle/status.h"

struct sqlite3;
struct sqlite3_stmt;

// Shared by the sources of this folder; not for others.
namespace gridwhistle::sqlite {

struct Prepared {
  sqlite3_stmt* statement = nullptr;
  bool on_loan = false;
};

/// SQLite's result code as ours. `handle` adds SQLite's own words; may be null.
std::unexpected<Error> error_of(int sqlite_code, sqlite3* handle);

}  // namespace gridwhistle::sqlite

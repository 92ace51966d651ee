#include "support/failing_allocations.h"

#include <sqlite3.h>

#include <stdexcept>

namespace gridwhistle::test {

namespace {

sqlite3_mem_methods& system_methods() {
  static sqlite3_mem_methods methods{};
  return methods;
}

}  // namespace

FailingAllocations& FailingAllocations::of_process() {
  static FailingAllocations allocations;
  return allocations;
}

FailingAllocations::FailingAllocations() {
  sqlite3_config(SQLITE_CONFIG_GETMALLOC, &system_methods());
  sqlite3_mem_methods failing = system_methods();
  failing.xMalloc = allocate;
  failing.xRealloc = reallocate;
  if (sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) != SQLITE_OK) {
    throw std::runtime_error("SQLite is in use already; its allocations cannot fail any more");
  }
}

bool FailingAllocations::allows() {
  ++allocations_;
  if (fails_at_ == 0 || allocations_ < fails_at_) return true;
  fails_at_ = 0;
  ++failures_;
  return false;
}

void* FailingAllocations::allocate(int size) {
  return of_process().allows() ? system_methods().xMalloc(size) : nullptr;
}

void* FailingAllocations::reallocate(void* old, int size) {
  return of_process().allows() ? system_methods().xRealloc(old, size) : nullptr;
}

void FailingAllocations::fail_after(std::uint64_t count) { fails_at_ = allocations_ + count + 1; }

void FailingAllocations::heal() { fails_at_ = 0; }

}  // namespace gridwhistle::test

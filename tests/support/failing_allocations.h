#pragma once

#include <cstdint>

namespace gridwhistle::test {

/// SQLite's allocations of this process, one of which fails when told to. One thread.
class FailingAllocations {
 public:
  /// The only one. First called before SQLite is used at all; throws std::runtime_error otherwise.
  static FailingAllocations& of_process();

  /// The allocation after the next `count` ones fails, and no other, unless `heal` comes first.
  void fail_after(std::uint64_t count);
  void heal();
  /// That failed so far.
  std::uint64_t failures() const { return failures_; }
  std::uint64_t allocations() const { return allocations_; }

 private:
  FailingAllocations();

  static void* allocate(int size);
  static void* reallocate(void* old, int size);
  bool allows();

  std::uint64_t allocations_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t fails_at_ = 0;  ///< 0: none
};

}  // namespace gridwhistle::test

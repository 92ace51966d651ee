#include "memory_faults.h"

#include <exception>
#include <string>

namespace gridwhistle::sim {

void MemoryFaults::during(const char* phase, std::uint64_t per_mille,
                          const std::function<void()>& does) {
  if (hardness_ == 0 || !dice_.chance(per_mille * hardness_)) return does();
  // What is done with few allocations is to meet them as well as what is done with thousands.
  allocations_.fail_after(dice_.below(std::uint64_t{1} << dice_.between(1, 13)));
  const std::uint64_t before = allocations_.failures();
  std::exception_ptr hindered;
  try {
    does();
  } catch (...) {
    hindered = std::current_exception();
  }
  allocations_.heal();
  if (allocations_.failures() != before) {
    marks_.hit(std::string(name_of(Fault::kNoMemory)) + ": " + phase);
    timeline_.note(std::string(phase) + ", and an allocation failed");
  }
  if (hindered) std::rethrow_exception(hindered);
}

}  // namespace gridwhistle::sim

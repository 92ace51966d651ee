#include <time.h>

#include <fstream>
#include <string>

#include "base/sha256.h"
#include "gridwhistle/default_ports.h"

namespace gridwhistle {
namespace {

std::int64_t milliseconds_of(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

// Where the kernel does not name its start, the moment of it does, to within the ten seconds by
// which a wall clock is usually corrected.
std::string name_of_this_boot() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string name;
  if (std::getline(file, name) && !name.empty()) return name;
  const std::int64_t started_ms = milliseconds_of(CLOCK_REALTIME) - milliseconds_of(CLOCK_BOOTTIME);
  return std::to_string(started_ms / 10'000);
}

// Hashed, because the kernel's own name for it could tie this device to other programs' records.
std::uint64_t this_boot() {
  const std::string hash = sha256("gridwhistle boot " + name_of_this_boot());
  std::uint64_t id = 0;
  for (int i = 0; i < 8; ++i) id = id << 8 | static_cast<unsigned char>(hash[i]);
  return id == 0 ? 1 : id;
}

class SystemClock final : public Clock {
 public:
  ClockReading now() override {
    return {.wall_ms = milliseconds_of(CLOCK_REALTIME),
            .boot_ms = static_cast<std::uint64_t>(milliseconds_of(CLOCK_BOOTTIME)),
            .boot_id = boot_id_};
  }

 private:
  const std::uint64_t boot_id_ = this_boot();
};

}  // namespace

std::unique_ptr<Clock> system_clock() { return std::make_unique<SystemClock>(); }

}  // namespace gridwhistle

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/p256.h"
#include "gridwhistle/ports.h"
#include "timeline.h"

// The doors of one simulated device or server.
namespace gridwhistle::sim {

/// A wall clock that may be wrong and jump, and a boot clock that never goes back.
class SimClock final : public Clock {
 public:
  SimClock(const Timeline& timeline, std::uint64_t boot_id) : timeline_(timeline) {
    restart(boot_id);
  }
  ClockReading now() override;
  void set_error_ms(std::int64_t error_ms) { error_ms_ = error_ms; }
  void restart(std::uint64_t boot_id);

 private:
  const Timeline& timeline_;
  std::int64_t error_ms_ = 0;
  std::uint64_t boot_id_ = 0;
  std::uint64_t booted_ms_ = 0;
};

/// Runs tasks in virtual time. Dropping it drops what has not run, as a killed process does.
class SimExecutor final : public Executor {
 public:
  explicit SimExecutor(Timeline& timeline) : timeline_(timeline) {}
  void post(std::function<void()> task) override;
  std::uint64_t post_after(std::chrono::milliseconds delay, std::function<void()> task) override;
  void cancel(std::uint64_t timer) override { waiting_->erase(timer); }

 private:
  Timeline& timeline_;
  std::uint64_t last_ = 0;
  std::shared_ptr<std::set<std::uint64_t>> waiting_ = std::make_shared<std::set<std::uint64_t>>();
};

/// A real P-256 key, held in memory.
class SimSecretStore final : public SecretStore {
 public:
  Result<std::string> public_key(std::string_view name) override { return key(name).public_key(); }
  Result<std::string> sign(std::string_view name, std::string_view message) override {
    // Of one length, so that a slow line carries each in the same time: most are of this one.
    constexpr std::size_t kBytes = 71;
    for (;;) {
      auto signature = key(name).sign(message);
      if (!signature || signature->size() == kBytes) return signature;
    }
  }

 private:
  P256Key& key(std::string_view name) {
    const std::lock_guard lock(mutex_);
    const auto known = keys_.find(name);
    return known != keys_.end() ? known->second
                                : keys_.emplace(name, *P256Key::make()).first->second;
  }

  std::mutex mutex_;
  std::map<std::string, P256Key, std::less<>> keys_;
};

}  // namespace gridwhistle::sim

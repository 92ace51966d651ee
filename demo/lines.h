#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "phone.h"

// The phones' line to the server, while the network does what it wants.
namespace gridwhistle::demo {

/// What it took until every phone had sent everything and read everything.
struct LineReport {
  std::uint64_t calls = 0;
  std::uint64_t failed_calls = 0;
  std::uint64_t operations = 0;     ///< acknowledged
  std::uint64_t rows = 0;           ///< received
  std::vector<std::string> behind;  ///< phones that did not get there in time, and why
};

/// Calls for all phones at once, again where a call fails, until each is through or the time is
/// over.
LineReport sync_all(const std::vector<Phone*>& phones, std::chrono::seconds time);

/// A phone and the code its worker was given.
struct Enrolling {
  Phone* phone = nullptr;
  std::string code;
};

/// Registers all. The error of the first that fails for a reason that is not the network's.
Result<void> enrol_all(const std::vector<Enrolling>& phones, std::chrono::seconds time);

}  // namespace gridwhistle::demo

#include "access/call_window.h"

namespace gridwhistle {

bool CallWindow::take(std::uint64_t counter) {
  if (counter == 0) return false;
  if (counter > highest) {
    const std::uint64_t step = counter - highest;
    used = step < kWidth ? used << step | 1 : 1;
    highest = counter;
    return true;
  }
  const std::uint64_t age = highest - counter;
  if (age >= kWidth || (used >> age & 1) != 0) return false;
  used |= std::uint64_t{1} << age;
  return true;
}

}  // namespace gridwhistle

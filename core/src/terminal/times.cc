#include "terminal/times.h"

#include <ctime>

namespace gridwhistle::terminal {

std::string time_text(std::int64_t ms) {
  const auto seconds = static_cast<std::time_t>(ms / 1000 + kChinaAhead_s);
  std::tm time{};
  ::gmtime_r(&seconds, &time);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &time));
}

}  // namespace gridwhistle::terminal

#include "terminal/language.h"

#include <cstdlib>
#include <string_view>

namespace gridwhistle::terminal {

bool reads_chinese(const std::vector<std::string>& words) {
  constexpr std::string_view kJoined = "--lang=";
  std::string wanted;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--lang" && i + 1 < words.size()) wanted = words[i + 1];
    if (words[i].starts_with(kJoined)) wanted = words[i].substr(kJoined.size());
  }
  if (wanted == "zh" || wanted == "en") return wanted == "zh";
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return std::string_view(value).starts_with("zh");
  }
  return false;
}

}  // namespace gridwhistle::terminal

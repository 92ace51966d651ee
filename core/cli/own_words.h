#pragma once

#include <string>
#include <string_view>

// What gw itself has against a command, in both languages: whoever finds it does not know the
// reader. Output shows the reader's half.
namespace gridwhistle::cli {

/// Stands between the halves; what people type on a terminal does not hold it.
inline constexpr char kBetweenLanguages = '\x1F';

/// An error's message in both languages.
inline std::string both(const std::string& chinese, const std::string& english) {
  return chinese + kBetweenLanguages + english;
}

/// The reader's half; the whole of what was said in one language.
inline std::string half_of(std::string_view message, bool chinese) {
  const std::size_t at = message.find(kBetweenLanguages);
  if (at == std::string_view::npos) return std::string(message);
  return std::string(chinese ? message.substr(0, at) : message.substr(at + 1));
}

/// A message with what it is about before each half: a field, an option, a file.
inline std::string about(const std::string& what, std::string_view message) {
  return both(what + "：" + half_of(message, true), what + ": " + half_of(message, false));
}

inline std::string not_an_id(std::string_view word) {
  const std::string text(word);
  return both("不是标识 " + text, "not an id: " + text);
}

}  // namespace gridwhistle::cli

#pragma once

#include <string>
#include <string_view>

// What is said to people in both languages: whoever finds it does not know who reads it.
namespace gridwhistle {

/// A line for people, in both languages.
struct Line {
  std::string zh;
  std::string en;

  bool operator==(const Line&) const = default;
};

/// Stands between the halves; what people type on a terminal does not hold it.
inline constexpr char kBetweenLanguages = '\x1F';

/// A line as an error's message. Only for errors that end in a program of ours, which shows its
/// reader's half: an app or another machine would show both.
inline std::string both(const std::string& chinese, const std::string& english) {
  return chinese + kBetweenLanguages + english;
}

/// The reader's half; the whole of what was said in one language.
inline std::string half_of(std::string_view message, bool chinese) {
  const std::size_t at = message.find(kBetweenLanguages);
  if (at == std::string_view::npos) return std::string(message);
  return std::string(chinese ? message.substr(0, at) : message.substr(at + 1));
}

/// Whether both languages are in it.
inline bool in_both(std::string_view message) {
  return message.find(kBetweenLanguages) != std::string_view::npos;
}

/// A message with what it is about before each half: a field, an option, a file.
inline std::string about(const std::string& what, std::string_view message) {
  return both(what + "：" + half_of(message, true), what + ": " + half_of(message, false));
}

/// A message with what to do about it after each half.
inline std::string followed_by(std::string_view message, const Line& more) {
  return both(half_of(message, true) + more.zh, half_of(message, false) + more.en);
}

}  // namespace gridwhistle

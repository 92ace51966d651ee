#include "model/whistle_number.h"

#include <algorithm>

namespace gridwhistle {

namespace {

constexpr std::size_t kDigitsMin = 6;
constexpr std::size_t kDigitsMax = 20;
constexpr std::string_view kCharacters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

// ISO 7064, MOD 37,36: finds every single wrong character and nearly every swap of two neighbours.
char check_character(std::string_view text) {
  constexpr std::size_t kModulus = 36;
  std::size_t sum = kModulus;
  for (const char c : text) {
    const std::size_t value = kCharacters.find(c);
    if (value == std::string_view::npos) continue;
    sum = (sum + value) % kModulus;
    if (sum == 0) sum = kModulus;
    sum = sum * 2 % (kModulus + 1);
  }
  return kCharacters[(kModulus + 1 - sum) % kModulus];
}

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

std::string whistle_number(std::string_view short_code, std::uint64_t counter) {
  std::string number;
  for (const char c : short_code) number += upper(c);
  std::string digits = std::to_string(counter);
  if (digits.size() < kDigitsMin) digits.insert(0, kDigitsMin - digits.size(), '0');
  number += "-" + digits;
  return number + "-" + check_character(number);
}

std::optional<std::string_view> short_code_in(std::string_view number) {
  const std::size_t dash = number.find('-');
  if (dash == 0 || dash == std::string_view::npos || number.size() < dash + 3) return std::nullopt;
  const std::string_view short_code = number.substr(0, dash);
  const std::string_view made = number.substr(0, number.size() - 2);
  const std::string_view digits = made.substr(std::min(made.size(), dash + 1));
  const bool counted = digits.size() >= kDigitsMin && digits.size() <= kDigitsMax &&
                       (digits.size() == kDigitsMin || digits.front() != '0') &&
                       digits.find_first_not_of("0123456789") == std::string_view::npos;
  if (!counted || short_code.find_first_not_of(kCharacters) != std::string_view::npos ||
      number[number.size() - 2] != '-' || number.back() != check_character(made)) {
    return std::nullopt;
  }
  return short_code;
}

}  // namespace gridwhistle

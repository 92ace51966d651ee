#include <string>

#include "store/state.h"

namespace gridwhistle::store {

namespace {

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

// "A7K-000123-5": short enough to read out on the telephone.
std::string whistle_number(std::string_view short_code, std::uint64_t counter) {
  constexpr std::size_t kDigitsMin = 6;
  std::string number;
  for (const char c : short_code) number += upper(c);
  std::string digits = std::to_string(counter);
  if (digits.size() < kDigitsMin) digits.insert(0, kDigitsMin - digits.size(), '0');
  number += "-" + digits;
  return number + "-" + check_character(number);
}

}  // namespace gridwhistle::store

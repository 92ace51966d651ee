#include "terminal/spelling.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace gridwhistle::terminal {

namespace {

constexpr std::size_t kLettersApartMax = 2;

/// Letters to put in, leave out or exchange until one word is the other (Levenshtein).
std::size_t letters_apart(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t corner = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t exchanged = corner + (a[i] == b[j] ? 0 : 1);
      corner = row[j + 1];
      row[j + 1] = std::min({exchanged, corner + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::vector<std::string> closest(std::string_view word, const std::vector<std::string>& known) {
  std::multimap<std::size_t, std::string> found;
  for (const std::string& one : known) {
    const std::size_t apart = one.starts_with(word) ? 0 : letters_apart(word, one);
    // Of a word of two letters, nothing would be left.
    if (apart <= kLettersApartMax && apart < word.size()) found.emplace(apart, one);
  }
  std::vector<std::string> words;
  for (const auto& [apart, one] : found) words.push_back(one);
  return words;
}

}  // namespace gridwhistle::terminal

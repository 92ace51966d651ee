#include "store/terms.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>

namespace gridwhistle::store {

namespace {

using Characters = std::vector<std::string_view>;

Characters characters_of(std::string_view text) {
  Characters characters;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    characters.push_back(text.substr(at, end - at));
    at = end;
  }
  return characters;
}

bool is_ascii(std::string_view character) {
  return static_cast<unsigned char>(character[0]) < 0x80;
}

constexpr std::string_view kWideSpace = "\u3000";

bool is_space(std::string_view character) {
  return character == kWideSpace || static_cast<unsigned char>(character[0]) <= ' ';
}

// Runs are broken where the index's tokenizer would break a term.
bool in_run(std::string_view character) {
  if (!is_ascii(character)) return character != kWideSpace;
  const char c = character[0];
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

// U+FF01 to U+FF5E are U+0021 to U+007E, wide.
std::optional<char> narrow(std::string_view character) {
  if (character.size() != 3 || character[0] != '\xEF') return std::nullopt;
  const auto second = static_cast<unsigned char>(character[1]);
  const auto third = static_cast<unsigned char>(character[2]);
  if (second == 0xBC && third >= 0x81) return static_cast<char>(third - 0x81 + 0x21);
  if (second == 0xBD && third <= 0x9E) return static_cast<char>(third - 0x80 + 0x60);
  return std::nullopt;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::vector<Characters> runs_of(std::string_view text) {
  std::vector<Characters> runs;
  bool open = false;
  for (const std::string_view character : characters_of(text)) {
    const bool belongs = in_run(character);
    if (belongs && !open) runs.emplace_back();
    if (belongs) runs.back().push_back(character);
    open = belongs;
  }
  return runs;
}

std::string pair_at(const Characters& run, std::size_t at) {
  return std::string(run[at]) + std::string(run[at + 1]);
}

}  // namespace

std::string folded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const std::string_view character : characters_of(text)) {
    if (const std::optional<char> plain = narrow(character)) {
      out += lower(*plain);
    } else if (is_ascii(character)) {
      out += lower(character[0]);
    } else {
      out += character;
    }
  }
  return out;
}

std::string terms_of(std::string_view folded_text) {
  std::set<std::string> terms;
  for (const Characters& run : runs_of(folded_text)) {
    for (std::size_t at = 0; at + 1 < run.size(); ++at) terms.insert(pair_at(run, at));
    terms.emplace(run.back());
  }
  std::string out;
  for (const std::string& term : terms) out += term + ' ';
  return out;
}

std::vector<std::string> words_of(std::string_view search) {
  std::vector<std::string> words(1);
  for (const std::string_view character : characters_of(search)) {
    if (is_space(character)) {
      words.emplace_back();
    } else {
      words.back() += folded(character);
    }
  }
  std::erase_if(words, [](const std::string& word) { return runs_of(word).empty(); });
  return words;
}

std::string match_of(const std::vector<std::string>& words) {
  std::set<std::string> terms;
  for (const std::string& word : words) {
    for (const Characters& run : runs_of(word)) {
      if (run.size() == 1) terms.insert("\"" + std::string(run[0]) + "\"*");
      for (std::size_t at = 0; at + 1 < run.size(); ++at) {
        terms.insert("\"" + pair_at(run, at) + "\"");
      }
    }
  }
  std::string match;
  for (const std::string& term : terms) match += (match.empty() ? "" : " AND ") + term;
  return match;
}

std::string snippet_of(std::string_view text, std::string_view word, std::size_t characters_max) {
  const std::string plain = folded(text);
  const std::size_t byte = plain.find(word);
  if (byte == std::string::npos) return {};
  const std::size_t first = characters_of(std::string_view(plain).substr(0, byte)).size();
  const Characters all = characters_of(text);
  const std::size_t before = characters_max / 3;
  std::size_t begin = first;
  while (begin > 0 && first - begin < before && all[begin - 1] != "\n") --begin;
  std::string snippet;
  for (std::size_t at = begin; at < all.size() && at < begin + characters_max; ++at) {
    if (all[at] == "\n") break;
    snippet += all[at];
  }
  return snippet;
}

}  // namespace gridwhistle::store

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gridwhistle::store {

// How text becomes findable. Nothing here knows where Chinese words end: a text is indexed as its
// pairs of neighbouring characters, and the last character of each run for itself, so that a word
// of one character is the beginning of some term and a longer one is a set of terms. What the index
// finds is checked against the text, so the order of the pairs need not be kept.

/// Lower case, full-width forms as plain ones; one character for one.
std::string folded(std::string_view text);

/// The terms of a folded text, with spaces between, each once.
std::string terms_of(std::string_view folded_text);

/// The words of a search, folded; those without a letter, digit or Chinese character are left out.
std::vector<std::string> words_of(std::string_view search);

/// What every text with all the words has among its terms, in FTS5's language. Empty without words.
std::string match_of(const std::vector<std::string>& words);

/// About `characters_max` characters of `text` around where `word` (folded) first occurs, from one
/// line. Empty when it does not.
std::string snippet_of(std::string_view text, std::string_view word, std::size_t characters_max);

}  // namespace gridwhistle::store

#include <algorithm>

#include "model/audience.h"
#include "model/record.h"
#include "store/state.h"

namespace gridwhistle::store {

namespace {

// Bytes of the character that begins at `at`.
std::size_t character_size(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  return end - at;
}

std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string_view last_characters(std::string_view text, std::size_t count) {
  const std::size_t all = characters_in(text);
  for (std::size_t skip = all > count ? all - count : 0; skip > 0; --skip) {
    text.remove_prefix(character_size(text, 0));
  }
  return text;
}

std::string_view first_characters(std::string_view text, std::size_t count) {
  std::size_t end = 0;
  for (; count > 0 && end < text.size(); --count) end += character_size(text, end);
  return text.substr(0, end);
}

// Of a short number head and tail would be nearly all.
std::string masked_phone(std::string_view text) {
  constexpr std::size_t kHead = 3;
  constexpr std::size_t kTail = 4;
  constexpr std::ptrdiff_t kDigitsMin = 11;
  const auto digits = std::ranges::count_if(text, [](char c) { return c >= '0' && c <= '9'; });
  if (digits < kDigitsMin) return "****";
  return std::string(text.substr(0, kHead)) + "****" +
         std::string(text.substr(text.size() - kTail));
}

// Before the first digit, be it 3, ３ or 三: house numbers are written in all three ways. A house
// without a number goes by its name, so of such an address the village's part alone is shown.
std::string masked_address(std::string_view text) {
  static constexpr std::string_view kWideDigits[] = {"０", "１", "２", "３", "４", "５", "６",
                                                     "７", "８", "９", "〇", "一", "二", "三",
                                                     "四", "五", "六", "七", "八", "九", "十"};
  for (std::size_t at = 0; at < text.size(); at += character_size(text, at)) {
    const std::string_view character = text.substr(at, character_size(text, at));
    const bool digit = character[0] >= '0' && character[0] <= '9';
    if (digit || std::ranges::find(kWideDigits, character) != std::end(kWideDigits)) {
      return std::string(text.substr(0, at));
    }
  }
  constexpr std::size_t kWithoutNumber = 6;
  return std::string(first_characters(text, kWithoutNumber));
}

void append_masked(std::string& record, const FieldSchema& field, std::string_view entries) {
  if (field.type != FieldType::kString || field.mask == Mask::kDefault) return;
  for (const ValueView& value : values_of(entries)) {
    append_text(record, field.number, masked_text(field.mask, value.bytes));
  }
}

}  // namespace

std::string masked_text(Mask mask, std::string_view text) {
  constexpr std::size_t kLast = 4;
  if (text.empty()) return {};
  switch (mask) {
    case Mask::kPhone:
      return masked_phone(text);
    case Mask::kName:
      return std::string(text.substr(0, character_size(text, 0))) + "*";
    case Mask::kLast4:
      return std::string(last_characters(text, kLast));
    case Mask::kAddress:
      return masked_address(text);
    case Mask::kDefault:
      break;
  }
  return {};
}

std::string masked_record(const KindSchema& kind, std::string_view body, bool& masked) {
  std::string record;
  for (const FieldView& field : fields_of(body)) {
    const FieldSchema* known = kind.field(field.number);
    // How sensitive a field of a newer build is, nobody here can say.
    const bool open =
        known != nullptr ? known->sensitivity == Sensitivity::kPublic : !is_private(kind);
    if (open) {
      record += field.entries;
      continue;
    }
    masked = true;
    if (known != nullptr) append_masked(record, *known, field.entries);
  }
  return record;
}

}  // namespace gridwhistle::store

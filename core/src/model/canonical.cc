#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "base/limits.h"
#include "base/utf8.h"
#include "base/varint.h"
#include "model/record.h"

namespace gridwhistle {
namespace {

constexpr std::uint32_t kNumberMax = (1U << 29) - 1;
constexpr std::uint8_t kVarint = 0;
constexpr std::uint8_t kFixed64 = 1;
constexpr std::uint8_t kBytes = 2;
constexpr std::uint8_t kFixed32 = 5;

std::size_t varint_size(std::uint64_t value) {
  return value == 0 ? 1 : (static_cast<std::size_t>(std::bit_width(value)) + 6) / 7;
}

// One value as it stands in a message from outside.
struct Raw {
  std::uint32_t number = 0;
  std::uint8_t wire_type = 0;
  bool minimal = true;  // every varint of it is as short as it can be
  std::uint64_t scalar = 0;
  std::string_view bytes;
  std::string_view entry;
};

// Reads values one by one; nothing once the message is malformed.
class Scanner {
 public:
  explicit Scanner(std::string_view message) : reader_(message) {}

  bool at_end() const { return reader_.at_end(); }

  std::optional<Raw> next() {
    const std::string_view from = reader_.rest();
    Raw raw;
    const auto tag = varint(raw);
    if (!tag || *tag >> 3 == 0 || *tag >> 3 > kNumberMax) return std::nullopt;
    raw.number = static_cast<std::uint32_t>(*tag >> 3);
    raw.wire_type = static_cast<std::uint8_t>(*tag & 7);
    if (!read_value(raw)) return std::nullopt;
    raw.entry = from.substr(0, from.size() - reader_.rest().size());
    return raw;
  }

 private:
  std::optional<std::uint64_t> varint(Raw& raw) {
    const std::size_t before = reader_.rest().size();
    const auto value = reader_.varint();
    const std::size_t size = before - reader_.rest().size();
    if (size > 1 && value && size != varint_size(*value)) raw.minimal = false;
    return value;
  }

  template <typename T>
  static bool keep(Raw& raw, std::optional<T> value) {
    raw.scalar = value.value_or(0);
    return value.has_value();
  }

  bool read_value(Raw& raw) {
    switch (raw.wire_type) {
      case kVarint:
        return keep(raw, varint(raw));
      case kFixed64:
        return keep(raw, reader_.fixed64());
      case kFixed32:
        return keep(raw, reader_.fixed32());
      case kBytes: {
        const auto size = varint(raw);
        const auto bytes = size ? reader_.take(*size) : std::nullopt;
        raw.bytes = bytes.value_or(std::string_view{});
        return bytes.has_value();
      }
      default:
        return false;
    }
  }

  ByteReader reader_;
};

std::uint8_t wire_type_of(FieldType type) {
  switch (type) {
    case FieldType::kInt:
    case FieldType::kBool:
    case FieldType::kEnum:
      return kVarint;
    case FieldType::kDouble:
    case FieldType::kFixed64:
      return kFixed64;
    case FieldType::kString:
    case FieldType::kBytes:
    case FieldType::kMessage:
      return kBytes;
  }
  return kBytes;
}

const char* fault_in(const FieldSchema& field, std::uint64_t scalar, std::string_view bytes,
                     int depth);

bool packed_is_sound(const FieldSchema& field, std::string_view bytes, int depth) {
  ByteReader reader(bytes);
  while (!reader.at_end()) {
    const auto scalar = wire_type_of(field.type) == kVarint ? reader.varint() : reader.fixed64();
    if (!scalar || fault_in(field, *scalar, {}, depth) != nullptr) return false;
  }
  return true;
}

// A message inside a record is merged as one value, but it must be one that every parser takes:
// else the record could be stored and passed on, and then be read by nobody.
bool nested_is_sound(const FieldSchema& message, std::string_view bytes, int depth) {
  if (depth > limits::kMessageDepth) return false;
  Scanner scanner(bytes);
  while (!scanner.at_end()) {
    const auto raw = scanner.next();
    if (!raw) return false;
    const FieldSchema* field = message.nested_field(raw->number);
    if (field == nullptr) continue;
    const bool packed =
        field->repeated && raw->wire_type == kBytes && wire_type_of(field->type) != kBytes;
    const bool sound = packed ? packed_is_sound(*field, raw->bytes, depth)
                              : raw->wire_type == wire_type_of(field->type) &&
                                    fault_in(*field, raw->scalar, raw->bytes, depth) == nullptr;
    if (!sound) return false;
  }
  return true;
}

// What is wrong with the value of a known field, or null.
const char* fault_in(const FieldSchema& field, std::uint64_t scalar, std::string_view bytes,
                     int depth) {
  switch (field.type) {
    case FieldType::kInt:
    case FieldType::kFixed64:
      return nullptr;
    case FieldType::kBool:
      return scalar <= 1 ? nullptr : "is neither true nor false";
    case FieldType::kEnum: {
      const auto value = static_cast<std::int64_t>(scalar);
      const bool fits = value == static_cast<std::int32_t>(value);
      return fits ? nullptr : "is no enum value";
    }
    case FieldType::kDouble:
      return std::isfinite(std::bit_cast<double>(scalar)) ? nullptr : "is not a finite number";
    case FieldType::kString:
      return is_text(bytes) ? nullptr : "is not UTF-8 text without NUL";
    case FieldType::kBytes:
      return !field.refers_to || bytes.size() == RecordId::kSize ? nullptr : "is not a record's id";
    case FieldType::kMessage:
      return nested_is_sound(field, bytes, depth + 1) ? nullptr : "holds a malformed message";
  }
  return nullptr;
}

std::string path_of(const KindSchema& kind, std::uint32_t number) {
  const FieldSchema* field = kind.field(number);
  return std::string(kind.name) + "." +
         (field != nullptr ? std::string(field->name) : std::to_string(number));
}

std::unexpected<Error> refused(const KindSchema& kind, std::uint32_t number, ErrorCode code,
                               const char* why) {
  std::string what = path_of(kind, number) + " " + why;
  return fail(code, what, what);
}

// Brings a message into canonical form: once through it to check, and only where something stands
// in the wrong form a second time to rebuild it.
class Canonicalizer {
 public:
  Canonicalizer(const KindSchema& kind, std::string_view message, std::size_t field_max)
      : kind_(kind), message_(message), field_max_(field_max) {}

  Result<std::string> run() {
    // Repacking can double the size at most, and the id is dropped.
    if (message_.size() > 2 * limits::kRecordBytes) return too_large();
    Scanner scanner(message_);
    while (!scanner.at_end()) {
      const auto raw = scanner.next();
      if (!raw) {
        std::string what = std::string(kind_.name) + " is not a well-formed message";
        return fail(ErrorCode::kInvalid, what, what);
      }
      if (auto taken = take(*raw); !taken) return std::unexpected(taken.error());
    }
    if (in_form_) return finish(std::string(message_));
    return finish(in_order_ ? std::move(out_) : ordered(out_));
  }

 private:
  Result<void> take(const Raw& raw) {
    if (raw.number == 1) {
      drop(raw);
      return {};
    }
    const FieldSchema* field = lookup(raw.number);
    const bool packed = field != nullptr && field->repeated && raw.wire_type == kBytes &&
                        wire_type_of(field->type) != kBytes;
    if (raw.number < last_ || (raw.number == last_ && field != nullptr && !field->repeated)) {
      in_order_ = false;
    }
    if (!raw.minimal || packed || !in_order_) leave_form(raw);
    last_ = std::max(last_, raw.number);
    if (packed) return take_packed(*field, raw);
    if (field != nullptr) {
      if (raw.wire_type != wire_type_of(field->type)) {
        return refused(kind_, raw.number, ErrorCode::kInvalid, "has the wrong wire type");
      }
      if (const char* fault = fault_in(*field, raw.scalar, raw.bytes, 0)) {
        return refused(kind_, raw.number, ErrorCode::kInvalid, fault);
      }
    }
    if (!in_form_) keep(raw);
    return {};
  }

  Result<void> take_packed(const FieldSchema& field, const Raw& raw) {
    ByteReader reader(raw.bytes);
    const std::uint8_t wire_type = wire_type_of(field.type);
    while (!reader.at_end()) {
      const auto scalar = wire_type == kVarint ? reader.varint() : reader.fixed64();
      if (!scalar) return refused(kind_, raw.number, ErrorCode::kInvalid, "is cut off");
      if (const char* fault = fault_in(field, *scalar, {}, 0)) {
        return refused(kind_, raw.number, ErrorCode::kInvalid, fault);
      }
      keep({.number = raw.number, .wire_type = wire_type, .minimal = false, .scalar = *scalar});
    }
    return {};
  }

  // Fields mostly come in order, so the next one is looked for from the last one on.
  const FieldSchema* lookup(std::uint32_t number) {
    while (at_ < kind_.fields.size() && kind_.fields[at_].number < number) ++at_;
    if (at_ < kind_.fields.size() && kind_.fields[at_].number == number) return &kind_.fields[at_];
    return number < last_ ? kind_.field(number) : nullptr;
  }

  // The id mostly comes first, where dropping it costs nothing.
  void drop(const Raw& id) {
    if (in_form_ && id.entry.data() == message_.data()) {
      message_.remove_prefix(id.entry.size());
    } else {
      leave_form(id);
    }
  }

  // From here on the message is rebuilt: what stood before `raw` was in form.
  void leave_form(const Raw& raw) {
    if (!in_form_) return;
    in_form_ = false;
    out_ = message_.substr(0, static_cast<std::size_t>(raw.entry.data() - message_.data()));
  }

  void keep(const Raw& raw) {
    if (raw.minimal) {
      out_ += raw.entry;
      return;
    }
    append_varint(out_, std::uint64_t{raw.number} << 3 | raw.wire_type);
    switch (raw.wire_type) {
      case kVarint:
        append_varint(out_, raw.scalar);
        break;
      case kFixed64:
        append_fixed64(out_, raw.scalar);
        break;
      case kFixed32:
        for (unsigned i = 0; i < 4; ++i) out_ += static_cast<char>(raw.scalar >> (8 * i));
        break;
      default:
        append_varint(out_, raw.bytes.size());
        out_ += raw.bytes;
    }
  }

  // By number, and within it as they came; of a singular field the last.
  std::string ordered(std::string_view message) const {
    std::vector<Raw> entries;
    Scanner scanner(message);
    while (const auto raw = scanner.next()) entries.push_back(*raw);
    std::ranges::stable_sort(entries, {}, &Raw::number);
    std::string out;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const FieldSchema* field = kind_.field(entries[i].number);
      const bool followed = i + 1 < entries.size() && entries[i + 1].number == entries[i].number;
      if (followed && field != nullptr && !field->repeated) continue;
      out += entries[i].entry;
    }
    return out;
  }

  Result<std::string> finish(std::string message) {
    if (message.size() > limits::kRecordBytes) return too_large();
    // Only a message larger than a field may be can hold a field that is too large.
    if (message.size() > field_max_) {
      for (const FieldView& field : fields_of(message)) {
        if (field.entries.size() > field_max_ && content_bytes(field) > field_max_) {
          return refused(kind_, field.number, ErrorCode::kTooLarge, "exceeds 16 KB");
        }
      }
    }
    return message;
  }

  // A text's own bytes, without what says that it is one: a page of 16 KB is 16 KB.
  static std::size_t content_bytes(const FieldView& field) {
    std::size_t bytes = 0;
    for (const ValueView& value : values_of(field.entries)) {
      bytes += value.wire_type == 2 ? value.bytes.size() : value.entry.size();
    }
    return bytes;
  }

  std::unexpected<Error> too_large() const {
    std::string what = "a record of the kind " + std::string(kind_.name) + " exceeds 64 KB";
    return fail(ErrorCode::kTooLarge, what, what);
  }

  const KindSchema& kind_;
  std::string_view message_;
  const std::size_t field_max_;
  bool in_form_ = true;
  bool in_order_ = true;
  std::uint32_t last_ = 0;
  std::size_t at_ = 0;
  std::string out_;  // once out of form
};

struct Impossible {
  std::uint32_t number = 0;
  const char* why = nullptr;
};

const char* beyond_measure(Measure measure, std::uint64_t scalar) {
  const auto within = [scalar](double least, double most) {
    const double value = std::bit_cast<double>(scalar);
    return value >= least && value <= most;
  };
  constexpr double kPole = 90;
  constexpr double kHalfWay = 180;
  switch (measure) {
    case Measure::kNone:
      return nullptr;
    case Measure::kTime:
      return scalar <= static_cast<std::uint64_t>(limits::kClockMaxMs)
                 ? nullptr
                 : "is no time between 1970 and 2200";
    case Measure::kLatitude:
      return within(-kPole, kPole) ? nullptr : "lies beyond 90 degrees";
    case Measure::kLongitude:
      return within(-kHalfWay, kHalfWay) ? nullptr : "lies beyond 180 degrees";
    case Measure::kAccuracy:
      return within(0, std::numeric_limits<double>::max()) ? nullptr : "is less than nothing";
  }
  return nullptr;
}

const char* no_place(PlaceCode wanted, std::string_view text) {
  constexpr std::size_t kGridDigits = 15;
  constexpr std::size_t kAreaDigits = 12;
  const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  const bool grid = digits && text.size() == kGridDigits;
  switch (wanted) {
    case PlaceCode::kUnspecified:
      return nullptr;
    case PlaceCode::kGrid:
      return grid ? nullptr : "takes the 15 digits of a grid";
    case PlaceCode::kGridOrArea:
      return grid || (digits && text.size() == kAreaDigits)
                 ? nullptr
                 : "takes the 15 digits of a grid, or the 12 of an area";
  }
  return nullptr;
}

// How a value stands to the others of its message.
const char* unlike_others(const FieldSchema& field, std::uint64_t scalar,
                          const std::vector<std::pair<std::uint32_t, std::uint64_t>>& measured) {
  const auto value_of = [&](std::uint32_t number) -> const std::uint64_t* {
    for (const auto& [known, value] : measured) {
      if (known == number) return &value;
    }
    return nullptr;
  };
  if (field.beside != 0 && value_of(field.beside) == nullptr) return "is half a position";
  if (field.not_before == 0) return nullptr;
  const std::uint64_t* const begun = value_of(field.not_before);
  return begun != nullptr && scalar < *begun ? "ends before it begins" : nullptr;
}

// `whole` is a kind's, `part` a message's inside of it.
Impossible impossible_in(std::string_view message, const KindSchema* whole, const FieldSchema* part,
                         int depth) {
  const auto lookup = [&](std::uint32_t number) {
    return whole != nullptr ? whole->field(number) : part->nested_field(number);
  };
  std::vector<std::pair<std::uint32_t, std::uint64_t>> measured;
  Scanner scanner(message);
  while (!scanner.at_end() && depth <= limits::kMessageDepth) {
    const auto raw = scanner.next();
    if (!raw) break;
    const FieldSchema* field = lookup(raw->number);
    if (field == nullptr) continue;
    if (field->place_code != PlaceCode::kUnspecified && raw->wire_type == kBytes) {
      if (const char* why = no_place(field->place_code, raw->bytes)) return {raw->number, why};
    } else if (field->type == FieldType::kMessage && raw->wire_type == kBytes) {
      const Impossible inside = impossible_in(raw->bytes, nullptr, field, depth + 1);
      if (inside.why != nullptr) return {raw->number, inside.why};
    } else if (field->measure != Measure::kNone && raw->wire_type != kBytes) {
      if (const char* why = beyond_measure(field->measure, raw->scalar)) return {raw->number, why};
      measured.emplace_back(raw->number, raw->scalar);
    }
  }
  for (const auto& [number, scalar] : measured) {
    if (const char* why = unlike_others(*lookup(number), scalar, measured)) return {number, why};
  }
  return {};
}

}  // namespace

Result<std::string> canonical(const KindSchema& kind, std::string_view message) {
  return Canonicalizer(kind, message, limits::kFieldBytes).run();
}

Result<std::string> canonical_record(const KindSchema& kind, std::string_view message) {
  return Canonicalizer(kind, message, limits::kRecordBytes).run();
}

Result<void> check_values(const KindSchema& kind, std::string_view message) {
  const Impossible found = impossible_in(message, &kind, nullptr, 0);
  if (found.why == nullptr) return {};
  return refused(kind, found.number, ErrorCode::kInvalid, found.why);
}

bool is_canonical(std::string_view message) {
  Scanner scanner(message);
  std::uint32_t last = 2;
  while (!scanner.at_end()) {
    const auto raw = scanner.next();
    if (!raw || !raw->minimal || raw->number < last) return false;
    last = raw->number;
  }
  return true;
}

}  // namespace gridwhistle

#include <algorithm>

#include "base/varint.h"
#include "model/fields.h"
#include "model/merge.h"

// A record that was written once costs its common stamp and nothing else; everything further is
// counted from the stamp before it.
namespace gridwhistle {
namespace {

enum RecordFlag : unsigned {
  kExists = 1,
  kErased = 2,
  kOwnCreated = 4,
  kOwnLastSeq = 8,
  kOwnHlc = 16,
  kOwnLastWrite = 32,
  kHasFields = 64,
  kHasElements = 128,
  kForgotten = 256,
};

enum StampFlag : unsigned {
  kSameSeq = 1,
  kSameWriter = 2,
  kSameDevSeq = 4,
  kSameHlc = 8,
  kOwnFeedSeq = 16,
  kUnknownToWriter = 32,
  kWholeMilliseconds = 64,
  kIsAgreed = 128,
};

std::uint64_t difference(std::uint64_t to, std::uint64_t from) {
  return zigzag(static_cast<std::int64_t>(to - from));
}

void append_hlc(std::string& out, Hlc hlc, bool whole_milliseconds) {
  append_varint(out, whole_milliseconds ? hlc.value >> 16 : hlc.value);
}

void append_stamp(std::string& out, const Stamp& stamp, const Stamp& before,
                  bool is_agreed = false) {
  const bool whole = (stamp.hlc.value & 0xFFFF) == 0;
  const unsigned flags = (stamp.seq == before.seq ? kSameSeq : 0U) |
                         (stamp.writer == before.writer ? kSameWriter : 0U) |
                         (stamp.dev_seq == before.dev_seq ? kSameDevSeq : 0U) |
                         (stamp.hlc == before.hlc ? kSameHlc : 0U) |
                         (stamp.feed_seq == stamp.seq ? kOwnFeedSeq : 0U) |
                         (stamp.known_to_writer ? 0U : kUnknownToWriter) |
                         (whole ? kWholeMilliseconds : 0U) | (is_agreed ? kIsAgreed : 0U);
  out += static_cast<char>(flags);
  if ((flags & kSameSeq) == 0) append_varint(out, difference(stamp.seq.value, before.seq.value));
  if ((flags & kSameWriter) == 0) append_fixed64(out, stamp.writer.value);
  if ((flags & kSameDevSeq) == 0) append_varint(out, stamp.dev_seq.value);
  if ((flags & kSameHlc) == 0) append_hlc(out, stamp.hlc, whole);
  if ((flags & kOwnFeedSeq) == 0) append_varint(out, stamp.feed_seq.value - stamp.seq.value);
}

Stamp stamp_of(const ElementStamp& e) { return {e.seq, e.writer, e.dev_seq, e.hlc, e.seq, true}; }

// Where an element stands in its field, from 1, so that its bytes are stored once; 0 for a removal,
// which stands nowhere and is spelled out.
class Places {
 public:
  explicit Places(std::string_view body) : body_(body) {}

  std::uint64_t take(const ElementStamp& e) {
    if (e.removed) return 0;
    enter(e.number);
    // Additions of one entry by several writers share a place, those of a log have one each.
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (!taken_[i] && entries_[i] == e.entry) {
        taken_[i] = true;
        return i + 1;
      }
    }
    const auto shared = std::find(entries_.begin(), entries_.end(), e.entry);
    return shared == entries_.end() ? 0 : static_cast<std::uint64_t>(shared - entries_.begin()) + 1;
  }

  std::optional<std::string_view> at(std::uint32_t number, std::uint64_t place) {
    enter(number);
    if (place == 0 || place > entries_.size()) return std::nullopt;
    return entries_[place - 1];
  }

 private:
  void enter(std::uint32_t number) {
    if (number == number_) return;
    number_ = number;
    entries_ = entries_of(body_, number);
    taken_.assign(entries_.size(), false);
  }

  std::string_view body_;
  std::uint32_t number_ = 0;
  std::vector<std::string_view> entries_;
  std::vector<bool> taken_;
};

void append_elements(std::string& out, const RecordState& state) {
  append_varint(out, state.elements.size());
  Places places(state.body);
  Stamp before = state.common;
  std::uint32_t number = 0;
  for (const ElementStamp& e : state.elements) {
    append_varint(out, difference(e.number, number));
    const std::uint64_t place = places.take(e);
    append_varint(out, place << 1 | (e.removed ? 1 : 0));
    if (place == 0) {
      append_varint(out, e.entry.size());
      out += e.entry;
    }
    append_stamp(out, stamp_of(e), before);
    before = stamp_of(e);
    number = e.number;
  }
}

// Reads what append_* wrote; once something is missing or impossible, `failed` stays set.
class StampReader {
 public:
  StampReader(std::string_view bytes, RecordState& state) : reader_(bytes), state_(state) {}

  bool run() {
    const std::uint64_t flags = number();
    state_.exists = (flags & kExists) != 0;
    if (!state_.exists) return done();
    state_.erased = (flags & kErased) != 0;
    state_.forgotten = (flags & kForgotten) != 0;
    state_.common = stamp({});
    const Stamp& common = state_.common;
    state_.created = Seq((flags & kOwnCreated) != 0 ? common.seq.value : number());
    state_.last_seq = Seq((flags & kOwnLastSeq) != 0 ? common.seq.value : number());
    state_.hlc = Hlc((flags & kOwnHlc) != 0 ? common.hlc.value : number());
    state_.last_writer = common.writer;
    state_.last_write = common.seq;
    if ((flags & kOwnLastWrite) == 0) {
      state_.last_writer = DeviceId(fixed());
      state_.last_write = Seq(number());
      state_.last_write_by_others = Seq(number());
    }
    if (state_.erased) state_.erasure = stamp(common);
    if ((flags & kHasFields) != 0) read_fields();
    if ((flags & kHasElements) != 0) read_elements();
    return done();
  }

 private:
  bool done() const { return !failed_ && reader_.at_end(); }

  template <typename T>
  T sound(std::optional<T> value) {
    if (!value) failed_ = true;
    return value.value_or(T{});
  }

  std::uint64_t number() { return sound(reader_.varint()); }
  std::uint64_t fixed() { return sound(reader_.fixed64()); }
  std::uint64_t from(std::uint64_t before) {
    return before + static_cast<std::uint64_t>(unzigzag(number()));
  }

  Stamp stamp(const Stamp& before) {
    const std::string_view byte = sound(reader_.take(1));
    const unsigned flags = byte.empty() ? 0U : static_cast<std::uint8_t>(byte[0]);
    Stamp read = before;
    if ((flags & kSameSeq) == 0) read.seq = Seq(from(before.seq.value));
    if ((flags & kSameWriter) == 0) read.writer = DeviceId(fixed());
    if ((flags & kSameDevSeq) == 0) read.dev_seq = DevSeq(number());
    if ((flags & kSameHlc) == 0) {
      read.hlc = Hlc((flags & kWholeMilliseconds) != 0 ? number() << 16 : number());
    }
    read.feed_seq = Seq(read.seq.value + ((flags & kOwnFeedSeq) != 0 ? 0 : number()));
    read.known_to_writer = (flags & kUnknownToWriter) == 0;
    is_agreed_ = (flags & kIsAgreed) != 0;
    return read;
  }

  void read_fields() {
    Stamp before = state_.common;
    std::uint64_t at = 0;
    for (std::uint64_t left = number(); left > 0 && !failed_; --left) {
      at += number();
      before = stamp(before);
      FieldStamp& field = state_.fields.emplace_back(static_cast<std::uint32_t>(at), before);
      std::uint64_t agreed = is_agreed_ ? number() : 0;
      for (; agreed > 0 && !failed_; --agreed) field.agreed.push_back(stamp(before));
    }
  }

  void read_elements() {
    Places places(state_.body);
    Stamp before = state_.common;
    std::uint64_t at = 0;
    for (std::uint64_t left = number(); left > 0 && !failed_; --left) {
      at = from(at);
      const std::uint64_t place = number();
      ElementStamp e;
      e.number = static_cast<std::uint32_t>(at);
      e.removed = (place & 1) != 0;
      e.entry =
          place >> 1 == 0 ? sound(reader_.take(number())) : sound(places.at(e.number, place >> 1));
      before = stamp(before);
      e.seq = before.seq;
      e.writer = before.writer;
      e.dev_seq = before.dev_seq;
      e.hlc = before.hlc;
      state_.elements.push_back(std::move(e));
    }
  }

  ByteReader reader_;
  RecordState& state_;
  bool failed_ = false;
  bool is_agreed_ = false;  // others wrote the value of the stamp read last
};

}  // namespace

std::string encode_stamps(const RecordState& state) {
  std::string out;
  if (!state.exists) return std::string(1, '\0');
  const Stamp& common = state.common;
  const bool own_last_write = state.last_writer == common.writer &&
                              state.last_write == common.seq && !state.last_write_by_others;
  append_varint(
      out, kExists | (state.erased ? kErased : 0U) |
               (state.created == common.seq ? kOwnCreated : 0U) |
               (state.last_seq == common.seq ? kOwnLastSeq : 0U) |
               (state.hlc == common.hlc ? kOwnHlc : 0U) | (own_last_write ? kOwnLastWrite : 0U) |
               (state.fields.empty() ? 0U : kHasFields) |
               (state.elements.empty() ? 0U : kHasElements) | (state.forgotten ? kForgotten : 0U));
  append_stamp(out, common, {});
  if (state.created != common.seq) append_varint(out, state.created.value);
  if (state.last_seq != common.seq) append_varint(out, state.last_seq.value);
  if (state.hlc != common.hlc) append_varint(out, state.hlc.value);
  if (!own_last_write) {
    append_fixed64(out, state.last_writer.value);
    append_varint(out, state.last_write.value);
    append_varint(out, state.last_write_by_others.value);
  }
  if (state.erased) append_stamp(out, state.erasure, common);
  if (!state.fields.empty()) {
    append_varint(out, state.fields.size());
    Stamp before = common;
    std::uint32_t number = 0;
    for (const FieldStamp& field : state.fields) {
      append_varint(out, field.number - number);
      append_stamp(out, field.stamp, before, !field.agreed.empty());
      before = field.stamp;
      if (!field.agreed.empty()) append_varint(out, field.agreed.size());
      for (const Stamp& agreed : field.agreed) append_stamp(out, agreed, field.stamp);
      number = field.number;
    }
  }
  if (!state.elements.empty()) append_elements(out, state);
  return out;
}

Result<RecordState> decode_stamps(std::string_view bytes, std::string body) {
  RecordState state;
  state.body = std::move(body);
  if (!StampReader(bytes, state).run()) {
    return fail(ErrorCode::kCorrupt, "the stamps of a record are damaged");
  }
  return state;
}

}  // namespace gridwhistle

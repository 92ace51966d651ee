#include <algorithm>

#include "model/fields.h"
#include "model/merge.h"

namespace gridwhistle {
namespace {

class Delta {
 public:
  Delta(const KindSchema& kind, const RecordState& state, Seq cursor, DeviceId device,
        DevSeq own_since)
      : kind_(kind), state_(state), cursor_(cursor), device_(device), own_since_(own_since) {}

  RowDelta run() {
    if (!state_.exists) return {.empty = true};
    if (state_.erased) return {.empty = !is_new(state_.erasure)};
    const bool fields_are_new = std::ranges::any_of(
        state_.fields, [&](const FieldStamp& field) { return is_new(field.stamp); });
    RowDelta delta;
    // What is new as a record comes whole, the device's own later writes too: it may have let the
    // record go before they were acknowledged, when it heard of an erasure that they undid.
    delta.whole = is_new(state_.common);
    if (!delta.whole && !fields_are_new) return {.empty = true};
    // A device that has read nothing, and holds nothing of its own, has nothing to empty.
    if (fields_are_new && (!delta.whole || cursor_)) delta.clear = emptied();
    if (delta.whole) {
      delta.set = state_.body;
    } else {
      for (const FieldView& field : fields_of(state_.body)) {
        if (is_new(stamp_of(field.number))) delta.set += field.entries;
      }
    }
    delta.empty = delta.set.empty() && delta.clear.empty() && !delta.whole;
    return delta;
  }

 private:
  bool is_new(const Stamp& stamp) const {
    if (stamp.feed_seq <= cursor_) return false;
    const bool own = device_ && stamp.writer == device_ && stamp.dev_seq > own_since_;
    return !(own && stamp.known_to_writer);
  }

  const Stamp& stamp_of(std::uint32_t number) const {
    const std::uint32_t unit = unit_of(kind_, number);
    for (const FieldStamp& field : state_.fields) {
      if (field.number == unit) return field.stamp;
    }
    return state_.common;
  }

  // What was newly written, and left empty.
  std::vector<std::uint32_t> emptied() const {
    std::vector<std::uint32_t> clear;
    const std::vector<FieldView> present = fields_of(state_.body);
    for (const FieldStamp& field : state_.fields) {
      if (!is_new(field.stamp)) continue;
      for (const std::uint32_t number : members_of(kind_, field.number)) {
        if (entries_in(present, number).empty()) clear.push_back(number);
      }
    }
    return clear;
  }

  const KindSchema& kind_;
  const RecordState& state_;
  const Seq cursor_;
  const DeviceId device_;
  const DevSeq own_since_;
};

}  // namespace

RowDelta delta_since(const KindSchema& kind, const RecordState& state, Seq cursor, DeviceId device,
                     DevSeq own_since) {
  return Delta(kind, state, cursor, device, own_since).run();
}

}  // namespace gridwhistle

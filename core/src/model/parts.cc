#include "model/parts.h"

#include <algorithm>

namespace gridwhistle {

bool is_same_erasure(const Stamp& a, const Stamp& b) {
  return a.writer == b.writer && a.dev_seq == b.dev_seq && a.hlc == b.hlc;
}

void erase_along(RecordState& part, const Stamp& erasure, Seq seq) {
  part.erased = true;
  part.erasure = erasure;
  part.erasure.seq = seq;
  part.erasure.feed_seq = seq;
  part.erasure.known_to_writer = false;
  part.last_seq = seq;
  part.hlc = std::max(part.hlc, erasure.hlc);
}

void stand_again(RecordState& record, Seq seq) {
  const auto show = [&](Stamp& stamp) {
    stamp.feed_seq = seq;
    stamp.known_to_writer = false;
  };
  record.erased = false;
  record.erasure = Stamp{};
  show(record.common);
  for (FieldStamp& field : record.fields) show(field.stamp);
  record.last_seq = seq;
}

void show_to_writer(RecordState& record, Seq seq) {
  const auto show = [&](Stamp& stamp) {
    if (stamp.seq == seq) stamp.known_to_writer = false;
  };
  show(record.common);
  show(record.erasure);
  for (FieldStamp& field : record.fields) show(field.stamp);
}

}  // namespace gridwhistle

#include "model/forget.h"

#include <algorithm>

namespace gridwhistle {

void forget(RecordState& record, Seq seq, std::int64_t at_ms) {
  const Hlc now(static_cast<std::uint64_t>(at_ms) << 16);
  if (!record.exists) record = RecordState{.exists = true, .created = seq};
  record.erased = true;
  record.forgotten = true;
  record.body.clear();
  record.elements.clear();
  for (FieldStamp& field : record.fields) field.agreed.clear();
  record.erasure = Stamp{.seq = seq, .hlc = now, .feed_seq = seq, .known_to_writer = false};
  record.last_seq = seq;
  record.hlc = std::max(record.hlc, now);
}

void forget(Operation& operation) {
  operation.hash_before = hash_of(operation);
  operation.type = OperationType::kPut;
  operation.creates = false;
  operation.set.clear();
  operation.clear.clear();
  operation.remove.clear();
  operation.fault.clear();
}

}  // namespace gridwhistle

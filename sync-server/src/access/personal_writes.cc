#include "access/personal_writes.h"

#include <algorithm>
#include <string_view>

namespace gridwhistle {

namespace {

std::string_view words_of(const PersonalWrite& write) {
  switch (write.status) {
    case OutcomeStatus::kBeaten:
      return ", beaten";
    case OutcomeStatus::kRevived:
      return ", revived";
    default:
      return {};
  }
}

// The next of a row of records that one device made one after the other.
bool continues(const PersonalWrite& before, const PersonalWrite& write) {
  return write.key.kind == before.key.kind && write.status == before.status &&
         write.erases == before.erases && write.seq.value == before.seq.value + 1 &&
         write.key.id.well_formed() && write.key.id.device() == before.key.id.device() &&
         write.key.id.counter() == before.key.id.counter() + 1;
}

}  // namespace

std::string audit_text(const Schema& schema, const DeviceRow& device,
                       const std::vector<PersonalWrite>& writes) {
  std::string text = "device " + std::to_string(device.device.value) + " of worker " +
                     device.worker.text() + " wrote";
  for (std::size_t first = 0; first < writes.size();) {
    std::size_t next = first + 1;
    while (next < writes.size() && continues(writes[next - 1], writes[next])) ++next;
    const PersonalWrite& write = writes[first];
    text += (first == 0 ? " " : "; ") + std::string(schema.kind(write.key.kind)->name) + " " +
            write.key.id.text();
    if (next - first > 1) text += " and " + std::to_string(next - first - 1) + " more";
    text += " at " + std::to_string(write.seq.value);
    if (write.erases) text += ", erased";
    text += words_of(write);
    first = next;
  }
  return text;
}

}  // namespace gridwhistle

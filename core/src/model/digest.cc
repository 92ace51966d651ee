#include "model/digest.h"

#include <string>

#include "base/sha256.h"
#include "base/varint.h"

namespace gridwhistle {

std::size_t range_of(const RecordId& id) {
  return static_cast<unsigned char>(id.bytes().back()) % kDigestRanges;
}

std::uint64_t digest_of(KindId kind, const RecordId& id, std::string_view body) {
  std::string record;
  record.reserve(body.size() + RecordId::kSize + 4);
  append_varint(record, kind.value);
  record += id.bytes();
  record += body;
  return ByteReader(sha256(record)).fixed64().value_or(0);
}

bool is_compared(const KindSchema& kind) {
  return kind.audience != Audience::kCare && kind.name != "Outcome";
}

}  // namespace gridwhistle

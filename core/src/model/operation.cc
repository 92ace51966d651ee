#include "model/operation.h"

#include "base/sha256.h"
#include "base/varint.h"

namespace gridwhistle {
namespace {

void append_sized(std::string& out, std::string_view bytes) {
  append_varint(out, bytes.size());
  out += bytes;
}

}  // namespace

std::string hash_of(const Operation& operation) {
  if (!operation.hash_before.empty()) return operation.hash_before;
  if (!operation.recorded_hash.empty()) return operation.recorded_hash;
  std::string bytes;
  bytes.reserve(128 + operation.scope.size() + operation.set.size() + operation.remove.size());
  append_varint(bytes, operation.kind.value);
  bytes += operation.id.bytes();
  bytes += static_cast<char>(operation.type);
  bytes += static_cast<char>((operation.creates ? 1 : 0) | (operation.more ? 2 : 0));
  bytes += static_cast<char>(operation.lane);
  append_varint(bytes, operation.lane_seq.value);
  append_varint(bytes, operation.dev_seq.value);
  append_varint(bytes, operation.base_seq.value);
  append_varint(bytes, operation.hlc.value);
  append_varint(bytes, zigzag(operation.claimed.wall_ms));
  append_varint(bytes, operation.claimed.boot_ms);
  append_fixed64(bytes, operation.claimed.boot_id);
  append_sized(bytes, operation.scope);
  append_sized(bytes, operation.set);
  append_varint(bytes, operation.clear.size());
  for (const std::uint32_t number : operation.clear) append_varint(bytes, number);
  append_sized(bytes, operation.remove);
  // Came later: an operation without it has the hash it had before.
  if (operation.own_since) append_varint(bytes, operation.own_since.value);
  return sha256(bytes);
}

}  // namespace gridwhistle

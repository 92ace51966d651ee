#include "import/reference.h"

#include "base/sha256.h"

namespace gridwhistle::import {

RecordId reference_id(KindId kind, std::string_view code) {
  const auto digest = sha256(std::to_string(kind.value) + "/" + std::string(code));
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | static_cast<unsigned char>(digest[i]);
  // The server counts its own ids from 1, so the upper half of the 62 bits is free.
  constexpr std::uint64_t kUpperHalf = std::uint64_t{1} << 61;
  return RecordId::make(DeviceId(0), number | kUpperHalf);
}

}  // namespace gridwhistle::import

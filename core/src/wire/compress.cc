#include "wire/compress.h"

#include <zstd.h>

#include <memory>

#include "base/limits.h"

namespace gridwhistle {
namespace {

constexpr int kLevel = 3;

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* thing) const {
    kFree(thing);
  }
};

// Making a context costs more than packing a small frame with it.
ZSTD_CCtx* compressor() {
  thread_local const std::unique_ptr<ZSTD_CCtx, Free<ZSTD_freeCCtx>> context(ZSTD_createCCtx());
  return context.get();
}

ZSTD_DCtx* decompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, Free<ZSTD_freeDCtx>> context(ZSTD_createDCtx());
  return context.get();
}

// No more compression than limits::kFrameRatio, where a frame is large enough to matter.
bool is_moderate(std::size_t packed_size, std::size_t raw_size) {
  return raw_size <= limits::kFrameRatioFreeBytes || raw_size / limits::kFrameRatio <= packed_size;
}

}  // namespace

Packed pack(std::string raw) {
  Packed packed;
  packed.raw_size = static_cast<std::uint32_t>(raw.size());
  std::string bytes(ZSTD_compressBound(raw.size()), '\0');
  const std::size_t size =
      ZSTD_compressCCtx(compressor(), bytes.data(), bytes.size(), raw.data(), raw.size(), kLevel);
  packed.zstd = ZSTD_isError(size) == 0 && size < raw.size() && is_moderate(size, raw.size());
  if (packed.zstd) bytes.resize(size);
  packed.bytes = packed.zstd ? std::move(bytes) : std::move(raw);
  return packed;
}

Result<std::string> unpack(std::string_view packed, std::uint32_t raw_size, bool zstd) {
  if (raw_size > limits::kFrameRawBytes) {
    return fail(ErrorCode::kTooLarge, "a frame's content exceeds 4 MB");
  }
  if (!zstd) {
    if (packed.size() == raw_size) return std::string(packed);
    return fail(ErrorCode::kProtocol, "a frame's content has another size than it says");
  }
  if (!is_moderate(packed.size(), raw_size)) {
    return fail(ErrorCode::kTooLarge, "a frame's content is over-compressed");
  }
  if (ZSTD_getFrameContentSize(packed.data(), packed.size()) != raw_size) {
    return fail(ErrorCode::kProtocol, "a frame's content has another size than it says");
  }
  std::string raw(raw_size, '\0');
  const std::size_t size =
      ZSTD_decompressDCtx(decompressor(), raw.data(), raw.size(), packed.data(), packed.size());
  if (size != raw_size) {
    return fail(ErrorCode::kProtocol, "a frame's content cannot be unpacked");
  }
  return raw;
}

}  // namespace gridwhistle

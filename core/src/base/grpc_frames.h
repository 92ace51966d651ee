#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <cstddef>
#include <string>

namespace gridwhistle {

/// Smaller frames wait for the next one that is queued, to travel in one packet with it. A larger
/// one goes at once: the other side works on it while the next is written.
inline constexpr std::size_t kJoinedFrameBytes = 4 << 10;

/// A frame in gRPC's own form.
inline grpc::ByteBuffer to_buffer(const std::string& frame) {
  const grpc::Slice slice(frame);
  return grpc::ByteBuffer(&slice, 1);
}

/// The bytes of a buffer that gRPC delivered.
inline std::string to_frame(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  // Only an invalid buffer cannot be read, and gRPC delivers none.
  if (!buffer.Valid() || !buffer.DumpToSingleSlice(&slice).ok()) return {};
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

}  // namespace gridwhistle

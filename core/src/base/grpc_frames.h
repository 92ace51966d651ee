#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <string>

namespace gridwhistle {

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

#pragma once

#include <google/protobuf/io/coded_stream.h>

#include <string_view>

#include "base/limits.h"

namespace gridwhistle {

/// Parses a whole message that is nested no deeper than limits::kMessageDepth.
template <typename Message>
bool parse_shallow(std::string_view bytes, Message& into) {
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  stream.SetRecursionLimit(limits::kMessageDepth);
  return into.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage();
}

}  // namespace gridwhistle

#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>

#include <string_view>

#include "base/limits.h"

namespace gridwhistle {

/// Parses a whole message that is nested no deeper than limits::kMessageDepth. Says nothing of what
/// it refuses on standard error, as the runtime would: whoever sends it could fill a log.
template <typename Message>
bool parse_shallow(std::string_view bytes, Message& into) {
  const google::protobuf::LogSilencer silent;
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  stream.SetRecursionLimit(limits::kMessageDepth);
  return into.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage();
}

}  // namespace gridwhistle

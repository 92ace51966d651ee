#pragma once

#include <google/protobuf/descriptor.h>

#include <string>

namespace gridwhistle::plugin {

/// The file as proto source, comments kept, without its annotations and for the lite runtime: so
/// that what links the classes needs neither descriptor.proto nor the full runtime.
/// Empty, with the reason in `error`, when the result is not a valid file.
std::string plain_proto(const google::protobuf::FileDescriptor& file, std::string* error);

}  // namespace gridwhistle::plugin

#include "rpc/reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>

#include <deque>
#include <string>

#include "schema/descriptors.h"

namespace gridwhistle::rpc {
namespace {

bool add_descriptors() {
  using google::protobuf::DescriptorPool;
  const auto bytes = file_descriptor_set();
  google::protobuf::FileDescriptorSet set;
  if (!set.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  // The pool keeps pointers, for as long as the process lives.
  static auto& files = *new std::deque<std::string>;
  for (const auto& file : set.file()) {
    if (DescriptorPool::generated_pool()->FindFileByName(file.name()) != nullptr) continue;
    const auto& encoded = files.emplace_back(file.SerializeAsString());
    DescriptorPool::InternalAddGeneratedFile(encoded.data(), static_cast<int>(encoded.size()));
  }
  return true;
}

}  // namespace

void enable_reflection() {
  static const bool added = add_descriptors();
  if (added) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
}

}  // namespace gridwhistle::rpc

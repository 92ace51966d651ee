#include "plain_proto.h"

#include <google/protobuf/descriptor.pb.h>

namespace gridwhistle::plugin {

using google::protobuf::DescriptorPool;
using google::protobuf::DescriptorProto;
using google::protobuf::EnumDescriptorProto;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;

namespace {

constexpr char kOptionsFile[] = "gridwhistle/v1/options.proto";

void strip(EnumDescriptorProto* type) {
  type->clear_options();
  for (auto& value : *type->mutable_value()) value.clear_options();
}

void strip(DescriptorProto* message) {
  // A map's entry is told from a message by an option.
  if (!message->options().map_entry()) message->clear_options();
  for (auto& field : *message->mutable_field()) {
    field.clear_options();
    field.clear_json_name();
  }
  for (auto& nested : *message->mutable_nested_type()) strip(&nested);
  for (auto& type : *message->mutable_enum_type()) strip(&type);
}

FileDescriptorProto stripped(const FileDescriptor& file) {
  FileDescriptorProto proto;
  file.CopyTo(&proto);
  file.CopySourceCodeInfoTo(&proto);
  proto.clear_options();
  proto.mutable_options()->set_optimize_for(google::protobuf::FileOptions::LITE_RUNTIME);
  proto.clear_dependency();
  for (int i = 0; i < file.dependency_count(); ++i) {
    if (file.dependency(i)->name() != kOptionsFile)
      proto.add_dependency(file.dependency(i)->name());
  }
  for (auto& message : *proto.mutable_message_type()) strip(&message);
  for (auto& type : *proto.mutable_enum_type()) strip(&type);
  return proto;
}

const FileDescriptor* build_with_dependencies(const FileDescriptor& file, DescriptorPool* pool) {
  if (const FileDescriptor* built = pool->FindFileByName(file.name())) return built;
  for (int i = 0; i < file.dependency_count(); ++i) {
    if (file.dependency(i)->name() == kOptionsFile) continue;
    if (build_with_dependencies(*file.dependency(i), pool) == nullptr) return nullptr;
  }
  return pool->BuildFile(stripped(file));
}

}  // namespace

std::string plain_proto(const FileDescriptor& file, std::string* error) {
  DescriptorPool pool;
  const FileDescriptor* plain = build_with_dependencies(file, &pool);
  if (plain == nullptr) {
    *error = file.name() + ": cannot do without its annotations";
    return {};
  }
  google::protobuf::DebugStringOptions options;
  options.include_comments = true;
  return plain->DebugStringWithOptions(options);
}

}  // namespace gridwhistle::plugin

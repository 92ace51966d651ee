#include "descriptors.h"

#include <google/protobuf/descriptor.pb.h>

#include <set>

namespace gridwhistle::plugin {

using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorSet;

namespace {

/// Imports stand before what imports them, as whoever loads the set expects.
void add_file(const FileDescriptor& file, std::set<std::string>* done, FileDescriptorSet* set) {
  if (!done->insert(file.name()).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) add_file(*file.dependency(i), done, set);
  file.CopyTo(set->add_file());
}

}  // namespace

std::string descriptors_header() {
  return "// Written by protoc-gen-gridwhistle. Not edited by hand.\n#pragma once\n\n"
         "#include <string_view>\n\nnamespace gridwhistle {\n\n"
         "/// A serialized google.protobuf.FileDescriptorSet of the annotated protos and all they\n"
         "/// import, imports first. Constant; any thread.\n"
         "std::string_view file_descriptor_set();\n\n}  // namespace gridwhistle\n";
}

std::string descriptors_source(const Files& files) {
  FileDescriptorSet set;
  std::set<std::string> done;
  for (const FileDescriptor* file : files) add_file(*file, &done, &set);
  std::string bytes;
  set.SerializeToString(&bytes);
  std::string out =
      "// Written by protoc-gen-gridwhistle. Not edited by hand.\n"
      "#include \"schema/descriptors.h\"\n\nnamespace gridwhistle {\n\nnamespace {\n\n"
      "constexpr unsigned char kBytes[] = {";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out += i % 24 == 0 ? "\n    " : "";
    out += std::to_string(static_cast<unsigned char>(bytes[i])) + ",";
  }
  return out +
         "\n};\n\n}  // namespace\n\nstd::string_view file_descriptor_set() {\n"
         "  return {reinterpret_cast<const char*>(kBytes), sizeof(kBytes)};\n}\n\n"
         "}  // namespace gridwhistle\n";
}

}  // namespace gridwhistle::plugin

// protoc-gen-gridwhistle: from the annotated protos to the schema tables and to protos without the
// annotations. Run by the build, on all files at once.
#include <google/protobuf/compiler/code_generator.h>
#include <google/protobuf/compiler/plugin.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include <cstring>
#include <memory>

#include "descriptors.h"
#include "kinds.h"
#include "plain_proto.h"
#include "tables.h"

namespace gridwhistle::plugin {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::compiler::GeneratorContext;

bool write(GeneratorContext* context, const std::string& path, const std::string& text,
           std::string* error) {
  const std::unique_ptr<google::protobuf::io::ZeroCopyOutputStream> stream(context->Open(path));
  std::size_t written = 0;
  while (written < text.size()) {
    void* block = nullptr;
    int size = 0;
    if (!stream->Next(&block, &size)) {
      *error = "cannot write " + path;
      return false;
    }
    const std::size_t part = std::min(text.size() - written, static_cast<std::size_t>(size));
    std::memcpy(block, text.data() + written, part);
    written += part;
    stream->BackUp(size - static_cast<int>(part));
  }
  return true;
}

std::uint32_t schema_version(const Files& files) {
  std::uint32_t version = 0;
  for (const FileDescriptor* file : files) {
    version = std::max(version, file->options().GetExtension(v1::schema_version));
  }
  return version;
}

class Generator : public google::protobuf::compiler::CodeGenerator {
 public:
  bool Generate(const FileDescriptor* file, const std::string& parameter, GeneratorContext* context,
                std::string* error) const override {
    return GenerateAll({file}, parameter, context, error);
  }

  bool GenerateAll(const Files& files, const std::string&, GeneratorContext* context,
                   std::string* error) const override {
    for (const FileDescriptor* file : files) {
      const std::string plain = plain_proto(*file, error);
      if (plain.empty() || !write(context, file->name(), plain, error)) return false;
    }
    std::vector<Kind> kinds;
    if (!read_kinds(files, &kinds, error)) return false;
    return write(context, "schema/tables.h", tables_header(), error) &&
           write(context, "schema/tables.cc", tables_source(kinds, schema_version(files)), error) &&
           write(context, "schema/kinds.h", kinds_header(kinds), error) &&
           write(context, "schema/fields.h", fields_header(kinds), error) &&
           write(context, "schema/descriptors.h", descriptors_header(), error) &&
           write(context, "schema/descriptors.cc", descriptors_source(files), error);
  }

  std::uint64_t GetSupportedFeatures() const override { return FEATURE_PROTO3_OPTIONAL; }
};

}  // namespace
}  // namespace gridwhistle::plugin

int main(int argc, char** argv) {
  const gridwhistle::plugin::Generator generator;
  return google::protobuf::compiler::PluginMain(argc, argv, &generator);
}

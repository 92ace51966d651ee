#include "proto_files.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <catch2/catch.hpp>
#include <utility>

namespace gridwhistle::lint {

class ProtoFiles::Tree : public google::protobuf::compiler::SourceTree {
 public:
  explicit Tree(std::map<std::string, std::string> over) : over_(std::move(over)) {
    disk_.MapPath("", GRIDWHISTLE_PROTO_FOLDER);
    disk_.MapPath("", GRIDWHISTLE_PROTOBUF_INCLUDE);
  }

  google::protobuf::io::ZeroCopyInputStream* Open(const std::string& name) override {
    const auto found = over_.find(name);
    if (found == over_.end()) return disk_.Open(name);
    return new google::protobuf::io::ArrayInputStream(found->second.data(),
                                                      static_cast<int>(found->second.size()));
  }

 private:
  std::map<std::string, std::string> over_;
  google::protobuf::compiler::DiskSourceTree disk_;
};

class ProtoFiles::Errors : public google::protobuf::compiler::MultiFileErrorCollector {
 public:
  void AddError(const std::string& file, int line, int, const std::string& message) override {
    text += file + ":" + std::to_string(line + 1) + ": " + message + "\n";
  }

  std::string text;
};

ProtoFiles::ProtoFiles(std::map<std::string, std::string> over)
    : tree_(std::make_unique<Tree>(std::move(over))),
      errors_(std::make_unique<Errors>()),
      importer_(tree_.get(), errors_.get()) {}

ProtoFiles::~ProtoFiles() = default;

plugin::Files ProtoFiles::read(const std::vector<std::string>& names) {
  plugin::Files files;
  for (const std::string& name : names) {
    const auto* file = importer_.Import("gridwhistle/v1/" + name);
    INFO(errors_->text);
    REQUIRE(file != nullptr);
    files.push_back(file);
  }
  return files;
}

plugin::Files ProtoFiles::read_all() {
  return read({"workflow.proto", "records.proto", "reference.proto", "sync.proto", "admin.proto"});
}

}  // namespace gridwhistle::lint

#pragma once

#include <google/protobuf/compiler/importer.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plugin/kinds.h"

namespace gridwhistle::lint {

/// The project's proto files as they stand in the source tree, comments included, with others laid
/// over them by name. Owns the descriptors it hands out.
class ProtoFiles {
 public:
  explicit ProtoFiles(std::map<std::string, std::string> over = {});
  ~ProtoFiles();

  /// The named files, from "gridwhistle/v1/". Fails the test when one cannot be read.
  plugin::Files read(const std::vector<std::string>& names);

  /// All annotated files of the project.
  plugin::Files read_all();

 private:
  class Tree;
  class Errors;
  std::unique_ptr<Tree> tree_;
  std::unique_ptr<Errors> errors_;
  google::protobuf::compiler::Importer importer_;
};

}  // namespace gridwhistle::lint

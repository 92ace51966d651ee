#include "base/durable_file.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

using namespace gridwhistle;

namespace {

struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "gridwhistle.XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path), {}));
  }
  std::string path;
};

}  // namespace

TEST_CASE(
    "A private file is put in place whole, belongs to its owner alone and leaves nothing beside") {
  const Folder folder;
  const auto path = folder.path + "/file";
  CHECK(create_private_file(path, std::string(100'000, 'x')));
  CHECK(read_small_file(path, 100'000).value() == std::string(100'000, 'x'));
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(folder.files() == 1);
}

TEST_CASE("Creating never replaces") {
  const Folder folder;
  const auto path = folder.path + "/file";
  CHECK(create_private_file(path, "first"));
  CHECK(create_private_file(path, "second").error().code == ErrorCode::kAlreadyExists);
  CHECK(read_small_file(path, 100).value() == "first");
  CHECK(folder.files() == 1);
}

TEST_CASE("A file that is missing or too large is refused, to the byte") {
  const Folder folder;
  const auto path = folder.path + "/file";
  CHECK(read_small_file(path, 100).error().code == ErrorCode::kNotFound);
  REQUIRE(create_private_file(path, std::string(100, 'x')));
  CHECK(read_small_file(path, 100));
  CHECK(read_small_file(path, 99).error().code == ErrorCode::kTooLarge);
}

TEST_CASE("Without its folder nothing is written") {
  const Folder folder;
  const auto path = folder.path + "/missing/file";
  CHECK(create_private_file(path, "x").error().code == ErrorCode::kNotFound);
}

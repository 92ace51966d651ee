#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/p256.h"
#include "gridwhistle/default_ports.h"

using namespace gridwhistle;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "gridwhistle.XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("The machine's clock goes on, and names this start of the machine") {
  const auto clock = system_clock();
  const auto first = clock->now();
  auto second = first;
  while (second.boot_ms == first.boot_ms) second = clock->now();
  CHECK(first.wall_ms > 1'600'000'000'000);
  CHECK(second.boot_ms > first.boot_ms);
  CHECK(first.boot_id != 0);
  CHECK(second.boot_id == first.boot_id);
  CHECK(system_clock()->now().boot_id == first.boot_id);
}

TEST_CASE("Random numbers differ") {
  const auto random = system_random();
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random->next());
  CHECK(seen.size() == 1000);
}

TEST_CASE("A device's key is made once, kept for its owner alone, and found again") {
  const Folder folder;
  const auto path = folder.file("device.key");
  const auto store = file_secret_store(path);
  CHECK_FALSE(std::filesystem::exists(path));
  const auto key = store->public_key("").value();
  const auto signature = store->sign("", "hello").value();
  CHECK(verify_p256(key, "hello", signature).value());
  CHECK(file_secret_store(path)->public_key("").value() == key);
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(folder.files() == 1);
}

TEST_CASE("Of many that make the key at once, all get the same") {
  const Folder folder;
  std::vector<std::future<std::string>> keys;
  for (int i = 0; i < 8; ++i) {
    keys.push_back(std::async(std::launch::async, [&] {
      return file_secret_store(folder.file("device.key"))->public_key("").value();
    }));
  }
  std::set<std::string> seen;
  for (auto& key : keys) seen.insert(key.get());
  CHECK(seen.size() == 1);
  CHECK(folder.files() == 1);
}

TEST_CASE("A file that is not a key is left as it is") {
  const Folder folder;
  const auto path = folder.file("device.key");
  const std::string contents = GENERATE("", "not a key", std::string(10'000, 'x'));
  std::ofstream(path) << contents;
  const auto key = file_secret_store(path)->public_key("");
  REQUIRE_FALSE(key);
  CHECK((key.error().code == ErrorCode::kCorrupt || key.error().code == ErrorCode::kTooLarge));
  std::ifstream file(path);
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == contents);
}

TEST_CASE("A folder that is not there is an error, not a key in memory") {
  const Folder folder;
  const auto store = file_secret_store(folder.file("missing/device.key"));
  CHECK(store->public_key("").error().code == ErrorCode::kNotFound);
  CHECK(store->sign("", "hello").error().code == ErrorCode::kNotFound);
}

#include "files.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace gridwhistle::sim {

namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder(bool keep) : keep_(keep) {
  const fs::path memory = "/dev/shm";
  std::string path =
      ((fs::exists(memory) ? memory : fs::temp_directory_path()) / "gw-sim-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = path;
  if (keep_) std::printf("files are in %s\n", path_.c_str());
}

TemporaryFolder::~TemporaryFolder() {
  if (keep_) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void die_with_files(const std::string& path, const std::function<void()>& die) {
  constexpr const char* kParts[] = {"", "-wal"};
  for (const char* part : kParts) {
    if (!fs::exists(path + part)) continue;
    fs::copy_file(path + part, path + part + ".dead", fs::copy_options::overwrite_existing);
  }
  die();
  for (const char* part : kParts) {
    fs::remove(path + part);
    if (fs::exists(path + part + ".dead")) fs::rename(path + part + ".dead", path + part);
  }
  fs::remove(path + "-shm");
}

}  // namespace gridwhistle::sim

#include "files.h"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace gridwhistle::sim {

namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder(const std::string& kept) : path_(kept), keeps_(!kept.empty()) {
  if (keeps_) {
    fs::create_directories(path_);
    if (!fs::is_empty(path_))
      throw std::runtime_error(path_ + " is not empty; name another folder");
    return;
  }
  const fs::path memory = "/dev/shm";
  path_ = ((fs::exists(memory) ? memory : fs::temp_directory_path()) / "gw-sim-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary folder");
}

TemporaryFolder::~TemporaryFolder() {
  if (keeps_) return;
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

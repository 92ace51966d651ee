#pragma once

#include <functional>
#include <string>

namespace gridwhistle::sim {

/// A folder in memory where there is one, removed at the end; or one to keep.
class TemporaryFolder {
 public:
  /// Makes `kept` and everything above it. Throws where that holds something already.
  explicit TemporaryFolder(const std::string& kept = {});
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  const bool keeps_;
};

/// Runs `die`, which closes the database at `path`, and puts the files back as they were before:
/// what a process that dies at this moment leaves on the disk.
void die_with_files(const std::string& path, const std::function<void()>& die);

}  // namespace gridwhistle::sim

#include "app/argument_files.h"

#include <filesystem>

#include "base/durable_file.h"
#include "base/limits.h"
#include "base/line.h"
#include "import/import.h"
#include "import/limits.h"

namespace gridwhistle::app {
namespace {

namespace fs = std::filesystem;

Result<void> read_into(Files& files, const std::string& path, std::size_t bytes_max) {
  auto bytes = read_small_file(path, bytes_max);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  files[path] = std::move(*bytes);
  return {};
}

Result<void> read_folder(Files& files, const std::string& folder) {
  bool any = false;
  for (const std::string_view name : import::file_names()) {
    const std::string path = (fs::path(folder) / name).string();
    std::error_code ignored;
    if (!fs::exists(path, ignored)) continue;
    any = true;
    if (auto read = read_into(files, path, import::limits::kFileBytes); !read) return read;
  }
  if (!any)
    return fail(ErrorCode::kNotFound,
                both(folder + " 没有可导入的文件",
                     folder + " holds none of the files that can be imported"));
  return {};
}

}  // namespace

Result<Files> read_argument_files(const CountyCommand& command) {
  Files files;
  if (const auto* bundle = std::get_if<ImportBundleCommand>(&command)) {
    const auto read = read_into(files, bundle->path, limits::kBundleFileBytes);
    if (!read) return std::unexpected(read.error());
    return files;
  }
  const auto* import = std::get_if<ImportCommand>(&command);
  if (!import) return files;
  for (const std::string& path : import->paths) {
    std::error_code ignored;
    const auto read =
        fs::is_directory(path, ignored) ? read_folder(files, path) : read_into(files, path, import::limits::kFileBytes);
    if (!read) return std::unexpected(read.error());
  }
  return files;
}

}  // namespace gridwhistle::app

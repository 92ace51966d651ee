#include "cli/evidence.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/sha256.h"
#include "cli/own_words.h"

namespace gridwhistle::cli {

namespace {

// What an attachment may hold; a larger one could never be sent.
constexpr std::uintmax_t kFileBytesMax = 64 * 1024 * 1024;

std::string media_type_of(const std::filesystem::path& path) {
  static constexpr std::array<std::pair<std::string_view, const char*>, 9> kTypes{{
      {".jpg", "image/jpeg"},
      {".jpeg", "image/jpeg"},
      {".png", "image/png"},
      {".webp", "image/webp"},
      {".heic", "image/heic"},
      {".mp4", "video/mp4"},
      {".mov", "video/quicktime"},
      {".m4a", "audio/mp4"},
      {".pdf", "application/pdf"},
  }};
  std::string end = path.extension().string();
  std::transform(end.begin(), end.end(), end.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto& [known, type] : kTypes) {
    if (end == known) return type;
  }
  return "application/octet-stream";
}

}  // namespace

Result<v1::Attachment> evidence_from(const std::string& path, v1::AttachmentStage stage) {
  std::error_code wrong;
  const std::uintmax_t size = std::filesystem::file_size(path, wrong);
  std::ifstream file(path, std::ios::binary);
  if (wrong || !file)
    return fail(ErrorCode::kNotFound,
                about(path, both("没有可读的文件", "no file that can be read")));
  if (size == 0)
    return fail(ErrorCode::kInvalid, about(path, both("文件是空的", "the file is empty")));
  if (size > kFileBytesMax)
    return fail(ErrorCode::kTooLarge, about(path, both("超过 64 MB", "more than 64 MB")));
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  v1::Attachment attachment;
  attachment.set_sha256(sha256(bytes));
  attachment.set_size_bytes(static_cast<std::int64_t>(bytes.size()));
  attachment.set_media_type(media_type_of(path));
  attachment.set_stage(stage);
  return attachment;
}

}  // namespace gridwhistle::cli

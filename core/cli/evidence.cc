#include "cli/evidence.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <string_view>
#include <utility>

namespace gridwhistle::cli {

std::string media_type_of(const std::string& path) {
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
  std::string end = std::filesystem::path(path).extension().string();
  std::transform(end.begin(), end.end(), end.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto& [known, type] : kTypes) {
    if (end == known) return type;
  }
  return "application/octet-stream";
}

Result<v1::Attachment> evidence_from(Client& client, const std::string& path,
                                     v1::AttachmentStage stage) {
  auto attachment = client.keep_file(path, {media_type_of(path), true});
  if (!attachment) return attachment;
  attachment->set_stage(stage);
  return attachment;
}

}  // namespace gridwhistle::cli

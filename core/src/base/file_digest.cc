#include "base/file_digest.h"

#include <fstream>
#include <vector>

#include "base/sha256.h"

namespace gridwhistle {

namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;

}  // namespace

Result<std::string> sha256_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::kNotFound, path + " cannot be opened", "file");
  Sha256 digest;
  std::vector<char> chunk(kChunkBytes);
  while (file) {
    file.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    digest.add({chunk.data(), static_cast<std::size_t>(file.gcount())});
  }
  if (!file.eof()) return fail(ErrorCode::kIo, path + " cannot be read", "file");
  return to_hex(digest.end());
}

std::optional<std::string> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    int byte = 0;
    for (const char c : hex.substr(i, 2)) {
      const bool digit = c >= '0' && c <= '9';
      if (!digit && !(c >= 'a' && c <= 'f')) return std::nullopt;
      byte = byte * 16 + (digit ? c - '0' : c - 'a' + 10);
    }
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace gridwhistle

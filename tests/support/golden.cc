#include "golden.h"

#include <zstd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

namespace gridwhistle::test {

namespace {

std::string path_of(std::string_view name, std::string_view ending) {
  return std::string(GRIDWHISTLE_GOLDEN_FOLDER) + "/" + std::string(name) + std::string(ending);
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  INFO(path);
  REQUIRE(in);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return std::move(bytes).str();
}

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(at, 2)), nullptr, 16));
  }
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  std::string digits;
  for (const char byte : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto value = static_cast<unsigned char>(byte);
    digits += kDigits[value >> 4U];
    digits += kDigits[value & 15U];
  }
  return digits;
}

void write_new(const std::string& path, std::string_view bytes) {
  INFO(path);
  REQUIRE_FALSE(std::ifstream(path));
  std::ofstream out(path, std::ios::binary);
  out << bytes;
  out.close();
  REQUIRE(out);
}

}  // namespace

std::string golden_file(std::string_view name) {
  const std::string packed = read(path_of(name, ".zst"));
  std::string bytes(ZSTD_getFrameContentSize(packed.data(), packed.size()), '\0');
  const std::size_t size =
      ZSTD_decompress(bytes.data(), bytes.size(), packed.data(), packed.size());
  REQUIRE_FALSE(ZSTD_isError(size));
  return bytes;
}

void keep_golden_file(std::string_view name, const std::string& bytes) {
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size =
      ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), ZSTD_maxCLevel());
  REQUIRE_FALSE(ZSTD_isError(size));
  write_new(path_of(name, ".zst"), std::string_view(packed).substr(0, size));
}

void keep_golden_lines(std::string_view name,
                       const std::vector<std::pair<std::string, std::string>>& lines) {
  std::string text;
  for (const auto& [what, bytes] : lines) text += what + " " + to_hex(bytes) + "\n";
  write_new(path_of(name, ".txt"), text);
}

std::vector<std::string> golden_lines(std::string_view name, std::string_view what) {
  std::istringstream lines(read(path_of(name, ".txt")));
  std::vector<std::string> found;
  for (std::string kind, digits; lines >> kind >> digits;) {
    if (kind == what) found.push_back(from_hex(digits));
  }
  return found;
}

}  // namespace gridwhistle::test

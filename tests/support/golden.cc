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

}  // namespace

std::string golden_file(std::string_view name) {
  const std::string packed = read(path_of(name, ".zst"));
  std::string bytes(ZSTD_getFrameContentSize(packed.data(), packed.size()), '\0');
  const std::size_t size =
      ZSTD_decompress(bytes.data(), bytes.size(), packed.data(), packed.size());
  REQUIRE_FALSE(ZSTD_isError(size));
  return bytes;
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

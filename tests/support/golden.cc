#include "golden.h"

#include <zstd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "base/sha256.h"

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

void write(const std::string& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << bytes;
  out.close();
  INFO(path);
  REQUIRE(out);
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

void write_golden_file(std::string_view name, std::string_view bytes) {
  constexpr int kSmallest = 19;
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size =
      ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), kSmallest);
  REQUIRE_FALSE(ZSTD_isError(size));
  packed.resize(size);
  write(path_of(name, ".zst"), packed);
}

std::vector<std::string> golden_lines(std::string_view name, std::string_view what) {
  std::istringstream lines(read(path_of(name, ".txt")));
  std::vector<std::string> found;
  for (std::string kind, digits; lines >> kind >> digits;) {
    if (kind == what) found.push_back(from_hex(digits));
  }
  return found;
}

void write_golden_lines(std::string_view name, const std::vector<GoldenLine>& lines) {
  std::string text;
  for (const GoldenLine& line : lines) text += line.what + " " + to_hex(line.bytes) + "\n";
  write(path_of(name, ".txt"), text);
}

}  // namespace gridwhistle::test

#include <zstd.h>

#include <catch2/catch.hpp>

#include "samples.h"
#include "thing.h"

namespace gridwhistle {
namespace {

std::size_t zstd_size(const std::string& raw) {
  std::string out(ZSTD_compressBound(raw.size()), '\0');
  return ZSTD_compress(out.data(), out.size(), raw.data(), raw.size(), 3);
}

}  // namespace

TEST_CASE("operations on the wire cost a tenth more than their bare records compressed") {
  const std::vector<Operation> operations = sample_operations(10'000);
  std::size_t floor = 0;
  for (std::size_t from = 0; from < operations.size(); from += 1000) {
    std::string batch;
    for (std::size_t i = from; i < from + 1000; ++i) batch += bare(operations[i]);
    floor += zstd_size(batch);
  }
  std::size_t sent = 0;
  std::span<const Operation> left = operations;
  while (!left.empty()) {
    std::size_t taken = 0;
    sent += encode_operations(kSender, left, taken).size();
    left = left.subspan(taken);
  }
  const double ratio = static_cast<double>(sent) / static_cast<double>(floor);
  INFO("sent " << sent << ", floor " << floor << ", ratio " << ratio);
  CHECK(ratio <= 1.1);
}

}  // namespace gridwhistle

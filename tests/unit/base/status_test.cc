#include "gridwhistle/status.h"

#include <catch2/catch.hpp>
#include <set>
#include <string_view>

namespace gridwhistle {

TEST_CASE("every error code has a name of its own, and an unknown one says so") {
  std::set<std::string_view> names;
  for (std::uint16_t code = 1; code <= static_cast<std::uint16_t>(ErrorCode::kInternal); ++code) {
    names.insert(name_of(static_cast<ErrorCode>(code)));
  }
  CHECK(names.size() == static_cast<std::size_t>(ErrorCode::kInternal));
  CHECK_FALSE(names.contains("unknown"));
  CHECK(name_of(static_cast<ErrorCode>(9999)) == "unknown");
}

TEST_CASE("a code alone says when trying again makes sense") {
  CHECK(retry_of(ErrorCode::kInvalid) == Retry::kNever);
  CHECK(retry_of(ErrorCode::kUnavailable) == Retry::kLater);
  CHECK(retry_of(ErrorCode::kRevoked) == Retry::kAfterEnrol);
  CHECK(retry_of(ErrorCode::kDiskFull) == Retry::kAfterUser);
  CHECK(retry_of(static_cast<ErrorCode>(9999)) == Retry::kNever);
}

TEST_CASE("a failure keeps what people read apart from what may be logged") {
  const Result<int> result = fail(ErrorCode::kInvalid, "张三 is no number", "Visit.count");
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().detail == "Visit.count");
  CHECK(result.error().retry() == Retry::kNever);
}

}  // namespace gridwhistle

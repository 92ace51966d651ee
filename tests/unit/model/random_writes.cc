#include "random_writes.h"

#include <string>

#include "thing.h"

namespace gridwhistle {
namespace {

std::string word(unsigned value) { return std::string(1, static_cast<char>('a' + value)); }

}  // namespace

void RandomWrites::fill(Operation& operation) {
  using namespace thing;
  const unsigned what = 1 + pick(255);
  const bool clears = pick(4) == 0;
  const auto number = [&] { return static_cast<std::int64_t>(pick(4)); };
  if ((what & 1) != 0) {
    clears ? operation.clear.push_back(kTitle) : append_text(operation.set, kTitle, word(pick(4)));
  }
  if ((what & 2) != 0) append_int(operation.set, kCount, number());
  if ((what & 4) != 0) append_int(operation.set, kX, number());
  if ((what & 8) != 0) append_int(operation.set, kY, number());
  if ((what & 16) != 0) append_text(operation.set, kTags, word(pick(3)));
  if ((what & 32) != 0) append_text(operation.set, kLog, word(pick(3)));
  if ((what & 64) != 0) append_text(operation.remove, kTags, word(pick(3)));
  if ((what & 128) != 0) {
    switch (pick(4)) {
      case 0:
        operation.clear.push_back(kTags);
        break;
      case 1:
        operation.clear.push_back(kZ);
        break;
      case 2:
        append_int(operation.set, kZ, number());
        break;
      default:
        append_text(operation.set, kUnknown, word(pick(3)));
    }
  }
}

std::string RandomWrites::body() {
  using namespace thing;
  std::string body = text_field(kGrid, "440811001001001");
  if (pick(2) == 0) append_text(body, kTitle, word(pick(4)));
  if (pick(2) == 0) append_int(body, kX, pick(4));
  for (unsigned i = 0; i < pick(3); ++i) append_text(body, kTags, word(pick(3)));
  for (unsigned i = 0; i < pick(3); ++i) append_text(body, kLog, word(pick(3)));
  return body;
}

}  // namespace gridwhistle

#include "mutate.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace gridwhistle::fuzz {
namespace {

// What parsers stumble over: the ends of ranges, long varints, syntax, half a character.
constexpr std::array<std::string_view, 16> kTelling = {std::string_view("\0", 1),
                                                       "\xff",
                                                       "\x7f",
                                                       "\x80",
                                                       "\xff\xff\xff\xff\x0f",
                                                       "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                                                       "\x28\xb5\x2f\xfd",
                                                       "\xe4\xba",
                                                       "\"",
                                                       ",",
                                                       "\r\n",
                                                       "[[",
                                                       "-1",
                                                       "1e999",
                                                       "999999999999999999999",
                                                       "\xef\xbb\xbf"};

class Mutation {
 public:
  Mutation(const std::vector<std::string>& seeds, std::mt19937_64& random)
      : seeds_(seeds), random_(random), bytes_(seeds[below(seeds.size())]) {}

  std::string run() {
    for (std::size_t left = 1 + below(8); left > 0; --left) change();
    return std::move(bytes_);
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  std::string piece_of(const std::string& bytes) {
    const std::size_t at = below(bytes.size());
    return bytes.substr(at, 1 + below(std::min<std::size_t>(bytes.size() - at, 64)));
  }

  void change() {
    const std::size_t at = below(bytes_.size() + 1);
    switch (bytes_.empty() ? 3 : below(7)) {
      case 0:
        bytes_[at % bytes_.size()] ^= static_cast<char>(1U << below(8));
        break;
      case 1:
        bytes_[at % bytes_.size()] = static_cast<char>(below(256));
        break;
      case 2:
        bytes_.erase(at, 1 + below(16));
        break;
      case 3:
        bytes_.insert(at, kTelling[below(kTelling.size())]);
        break;
      case 4:
        bytes_.insert(at, piece_of(bytes_));
        break;
      case 5:
        bytes_.insert(at, piece_of(seeds_[below(seeds_.size())]));
        break;
      default:
        bytes_.resize(at);
    }
  }

  const std::vector<std::string>& seeds_;
  std::mt19937_64& random_;
  std::string bytes_;
};

}  // namespace

std::string mutated(const std::vector<std::string>& seeds, std::mt19937_64& random) {
  return Mutation(seeds, random).run();
}

}  // namespace gridwhistle::fuzz

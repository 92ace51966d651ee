#include <openssl/rand.h>

#include <cstdio>
#include <cstdlib>

#include "gridwhistle/default_ports.h"

namespace gridwhistle {
namespace {

class SystemRandom final : public Random {
 public:
  std::uint64_t next() override {
    std::uint64_t value = 0;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value) != 1) {
      std::fputs("gridwhistle: the system gives no random bytes\n", stderr);
      std::abort();
    }
    return value;
  }
};

}  // namespace

std::unique_ptr<Random> system_random() { return std::make_unique<SystemRandom>(); }

}  // namespace gridwhistle

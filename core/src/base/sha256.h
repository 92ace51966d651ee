#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace gridwhistle {

/// SHA-256 (FIPS 180-4): 32 bytes.
std::string sha256(std::string_view bytes);

/// The same of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  /// Of all that was added. Nothing is added afterwards.
  std::string end();

 private:
  std::shared_ptr<evp_md_ctx_st> context_;
};

/// Lower-case hexadecimal.
std::string to_hex(std::string_view bytes);

}  // namespace gridwhistle

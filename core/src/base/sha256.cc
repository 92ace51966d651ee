#include "base/sha256.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <memory>

namespace gridwhistle {

namespace {

struct Free {
  void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Looking the algorithm up costs more than hashing a record with it.
const EVP_MD* algorithm() {
  static const std::unique_ptr<EVP_MD, Free> digest(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  return digest.get();
}

}  // namespace

std::string sha256(std::string_view bytes) {
  thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  EVP_DigestInit_ex2(context.get(), algorithm(), nullptr);
  EVP_DigestUpdate(context.get(), bytes.data(), bytes.size());
  EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(out.data()), nullptr);
  return out;
}

Sha256::Sha256() : context_(EVP_MD_CTX_new(), [](EVP_MD_CTX* it) { EVP_MD_CTX_free(it); }) {
  EVP_DigestInit_ex2(context_.get(), algorithm(), nullptr);
}

void Sha256::add(std::string_view bytes) {
  EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

std::string Sha256::end() {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(out.data()), nullptr);
  return out;
}

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace gridwhistle

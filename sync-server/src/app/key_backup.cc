#include "app/key_backup.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <memory>

#include "base/durable_file.h"
#include "base/line.h"
#include "base/p256.h"

namespace gridwhistle::app {
namespace {

constexpr std::size_t kFileBytes = 64 * 1024;
constexpr std::size_t kPassphraseBytes = 12;
/// scrypt with 16 MB, the most that OpenSSL reads back: a tenth of a second for whoever knows the
/// passphrase.
constexpr std::uint64_t kScryptN = 1 << 14;
constexpr std::uint64_t kScryptR = 8;
constexpr std::uint64_t kScryptP = 1;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
template <typename T, auto Free>
using Owned = std::unique_ptr<T, Freer<Free>>;

using Bio = Owned<BIO, BIO_free_all>;

std::unexpected<Error> broken() {
  return fail(ErrorCode::kInternal, both("密钥不能加密", "the key could not be encrypted"));
}

Result<std::string> encrypted(const P256Key& key, const std::string& passphrase) {
  const Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> plain(EVP_PKEY2PKCS8(key.native()));
  X509_ALGOR* scheme =
      PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), nullptr, 0, nullptr, kScryptN, kScryptR, kScryptP);
  if (!plain || !scheme) return broken();
  const Owned<X509_SIG, X509_SIG_free> sealed(
      PKCS8_set0_pbe(passphrase.data(), static_cast<int>(passphrase.size()), plain.get(), scheme));
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!sealed || !bio || PEM_write_bio_PKCS8(bio.get(), sealed.get()) != 1) return broken();
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Result<std::string> decrypted(const std::string& pem, const std::string& passphrase) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Owned<X509_SIG, X509_SIG_free> sealed(
      bio ? PEM_read_bio_PKCS8(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!sealed)
    return fail(ErrorCode::kCorrupt, both("这不是加密的密钥", "this is not an encrypted key"));
  const Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> plain(
      PKCS8_decrypt(sealed.get(), passphrase.data(), static_cast<int>(passphrase.size())));
  if (!plain)
    return fail(ErrorCode::kForbidden,
                both("口令打不开服务器的密钥", "the passphrase does not open the server's key"));
  const Bio out(BIO_new(BIO_s_mem()));
  if (!out || PEM_write_bio_PKCS8_PRIV_KEY_INFO(out.get(), plain.get()) != 1) return broken();
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace

Result<void> back_up_key(const std::string& key_path, const std::string& passphrase,
                         const std::string& to) {
  const auto pem = read_small_file(key_path, kFileBytes);
  if (!pem) return std::unexpected(pem.error());
  const auto key = P256Key::from_pem(*pem);
  if (!key) return std::unexpected(key.error());
  const auto sealed = encrypted(*key, passphrase);
  if (!sealed) return std::unexpected(sealed.error());
  return create_private_file(to, *sealed);
}

Result<void> restore_key(const std::string& backup, const std::string& passphrase,
                         const std::string& key_path) {
  const auto sealed = read_small_file(backup, kFileBytes);
  if (!sealed) return std::unexpected(sealed.error());
  const auto pem = decrypted(*sealed, passphrase);
  if (!pem) return std::unexpected(pem.error());
  return create_private_file(key_path, *pem);
}

Result<std::string> read_passphrase(const std::string& path) {
  const auto text = read_small_file(path, kFileBytes);
  if (!text) return std::unexpected(text.error());
  const std::string line = text->substr(0, text->find_first_of("\r\n"));
  if (line.size() < kPassphraseBytes) {
    return fail(ErrorCode::kInvalid, about(path, both("口令至少要有 12 个字符",
                                                      "a passphrase has at least 12 characters")));
  }
  return line;
}

}  // namespace gridwhistle::app

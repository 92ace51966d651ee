#include "rpc/server_identity.h"

#include <cstddef>

#include "base/durable_file.h"
#include "base/line.h"
#include "base/p256.h"
#include "base/rpc_names.h"
#include "base/sha256.h"

namespace gridwhistle::rpc {
namespace {

constexpr std::size_t kKeyFileBytesMax = 4096;

Result<std::string> make_key(const std::string& path) {
  const auto key = P256Key::make();
  if (!key) return std::unexpected(key.error());
  auto pem = key->pem();
  if (!pem) return pem;
  const auto created = create_private_file(path, *pem);
  if (!created) return std::unexpected(created.error());
  return pem;
}

}  // namespace

Result<ServerIdentity> load_or_make_identity(const std::string& key_path) {
  auto pem = read_small_file(key_path, kKeyFileBytesMax);
  if (!pem && pem.error().code == ErrorCode::kNotFound) pem = make_key(key_path);
  if (!pem) return std::unexpected(pem.error());
  const auto key = P256Key::from_pem(*pem);
  if (!key) {
    const std::string& why = key.error().message;
    return fail(ErrorCode::kCorrupt, both(key_path + " 不是服务器的密钥",
                                          key_path + " is not the server's key: " + why));
  }
  const auto public_key = key->public_key();
  if (!public_key) return std::unexpected(public_key.error());
  auto certificate = self_signed_certificate(*key, rpc_names::kServerName);
  if (!certificate) return std::unexpected(certificate.error());
  return ServerIdentity{.private_key_pem = *std::move(pem),
                        .certificate_pem = *std::move(certificate),
                        .key_sha256 = sha256(*public_key)};
}

}  // namespace gridwhistle::rpc

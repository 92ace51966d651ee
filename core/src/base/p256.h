#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gridwhistle/status.h"

struct evp_pkey_st;

namespace gridwhistle {

/// A P-256 key pair, held in memory. Any thread.
class P256Key {
 public:
  static Result<P256Key> make();

  /// From PKCS#8 in PEM, without passphrase. kInvalid: something else, or a key on another curve.
  static Result<P256Key> from_pem(std::string_view pem);

  /// The private half, as PKCS#8 in PEM.
  Result<std::string> pem() const;

  /// The public half, as SubjectPublicKeyInfo in DER.
  Result<std::string> public_key() const;

  /// ECDSA over SHA-256 of the message, as ASN.1 DER.
  Result<std::string> sign(std::string_view message) const;

  /// For code that speaks OpenSSL. Lives as long as this object.
  evp_pkey_st* native() const { return key_.get(); }

 private:
  explicit P256Key(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}

  std::shared_ptr<evp_pkey_st> key_;
};

/// Whether `signature` is the signature of `message` by the key of `spki_der`: ASN.1 DER, or
/// compact. A signature that is not even well formed is false. kInvalid: `spki_der` is not a P-256
/// public key.
Result<bool> verify_p256(std::string_view spki_der, std::string_view message,
                         std::string_view signature);

/// A signature as its two numbers r and s alone, 32 bytes each. What is no signature stays as it
/// is.
std::string compact_signature(std::string_view signature_der);

/// The public key of a certificate in PEM (the first, if there are several), as
/// SubjectPublicKeyInfo in DER. kInvalid: it is not a certificate.
Result<std::string> public_key_of_certificate(std::string_view certificate_pem);

/// A certificate for the key that says nothing but `name`, signed by the key itself, without an
/// end. PEM.
Result<std::string> self_signed_certificate(const P256Key& key, const std::string& name);

}  // namespace gridwhistle

#include "base/p256.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <climits>
#include <utility>

namespace gridwhistle {
namespace {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* thing) const {
    kFree(thing);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using SharedKey = std::shared_ptr<EVP_PKEY>;

SharedKey own(EVP_PKEY* key) { return {key, EVP_PKEY_free}; }

// OpenSSL queues its reasons per thread; what stays there would be taken for the next call's.
std::unexpected<Error> openssl_failed(std::string what) {
  const unsigned long reason = ERR_get_error();
  ERR_clear_error();
  return fail(ErrorCode::kInternal, std::move(what), "openssl " + std::to_string(reason));
}

std::unexpected<Error> refused(std::string why) {
  ERR_clear_error();
  return fail(ErrorCode::kInvalid, std::move(why));
}

Bio reading(std::string_view bytes) {
  if (bytes.size() > INT_MAX) return nullptr;
  return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string written(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  return std::string(text, static_cast<std::size_t>(size));
}

bool is_p256(EVP_PKEY* key) {
  char name[32] = {};
  std::size_t size = 0;
  return key != nullptr && EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, name, sizeof name, &size) == 1 &&
         std::string_view(name, size) == SN_X9_62_prime256v1;
}

Result<std::string> spki(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return openssl_failed("the public key could not be written");
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

const unsigned char* unsigned_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

bool add_subject_alternative(X509* certificate, const std::string& name) {
  const auto extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + name).c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool fill(X509* certificate, const std::string& name) {
  const auto* text = unsigned_bytes(name);
  X509_NAME* subject = X509_get_subject_name(certificate);
  // RFC 5280's way to say that there is no end: the key is pinned, its certificate never renewed.
  return X509_set_version(certificate, X509_VERSION_3) == 1 &&
         ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
         ASN1_TIME_set_string(X509_getm_notBefore(certificate), "20000101000000Z") == 1 &&
         ASN1_TIME_set_string(X509_getm_notAfter(certificate), "99991231235959Z") == 1 &&
         X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, text,
                                    static_cast<int>(name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, subject) == 1 &&
         add_subject_alternative(certificate, name);
}

// Everything of a SubjectPublicKeyInfo on P-256 that comes before its point, and the byte by which
// an uncompressed point begins.
constexpr std::string_view kUsualPrefix(
    "\x30\x59\x30\x13\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01\x06\x08\x2A\x86\x48\xCE\x3D\x03\x01\x07"
    "\x03\x42\x00\x04",
    27);
constexpr std::size_t kPointBytes = 65;

// The key of an encoding such as every phone has. To find out what a key is takes OpenSSL's general
// decoder ten times as long as to check a signature with it, and here it is known. Null for any
// other encoding, and for a point that is not on the curve.
SharedKey usual_public_key(std::string_view spki_der) {
  constexpr std::size_t kSize = kUsualPrefix.size() - 1 + kPointBytes;
  if (spki_der.size() != kSize || !spki_der.starts_with(kUsualPrefix)) return nullptr;
  static const SharedKey curve = own(EVP_EC_gen("P-256"));
  const SharedKey key = own(EVP_PKEY_new());
  const auto* point = unsigned_bytes(spki_der.substr(kUsualPrefix.size() - 1));
  if (!curve || !key || EVP_PKEY_copy_parameters(key.get(), curve.get()) != 1 ||
      EVP_PKEY_set1_encoded_public_key(key.get(), point, kPointBytes) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return key;
}

// Of a signature, r and s.
constexpr int kNumberBytes = 32;
using Numbers = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;

// A compact signature in DER; nothing where memory fails.
std::string spelled_out(std::string_view compact) {
  const Numbers numbers(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(unsigned_bytes(compact), kNumberBytes, nullptr);
  BIGNUM* s = BN_bin2bn(unsigned_bytes(compact) + kNumberBytes, kNumberBytes, nullptr);
  if (!numbers || ECDSA_SIG_set0(numbers.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(numbers.get(), &der);
  if (size <= 0) return {};
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

// A key file with a passphrase must fail, not ask on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

}  // namespace

Result<P256Key> P256Key::make() {
  SharedKey key = own(EVP_EC_gen("P-256"));
  if (!key) return openssl_failed("a P-256 key could not be made");
  return P256Key(std::move(key));
}

Result<P256Key> P256Key::from_pem(std::string_view pem) {
  const Bio bio = reading(pem);
  SharedKey key =
      own(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
  if (!is_p256(key.get())) return refused("this is not a P-256 private key in PEM");
  return P256Key(std::move(key));
}

Result<std::string> P256Key::pem() const {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                            nullptr) != 1) {
    return openssl_failed("the private key could not be written");
  }
  return written(bio.get());
}

Result<std::string> P256Key::public_key() const { return spki(key_.get()); }

Result<std::string> P256Key::sign(std::string_view message) const {
  const Digest digest(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (!digest ||
      EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(digest.get(), nullptr, &size, unsigned_bytes(message), message.size()) != 1) {
    return openssl_failed("the message could not be signed");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     unsigned_bytes(message), message.size()) != 1) {
    return openssl_failed("the message could not be signed");
  }
  signature.resize(size);
  return signature;
}

std::string compact_signature(std::string_view signature_der) {
  const unsigned char* der = unsigned_bytes(signature_der);
  const Numbers numbers(d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(signature_der.size())));
  std::string compact(2 * kNumberBytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(compact.data());
  const bool sound =
      numbers && BN_bn2binpad(ECDSA_SIG_get0_r(numbers.get()), out, kNumberBytes) > 0 &&
      BN_bn2binpad(ECDSA_SIG_get0_s(numbers.get()), out + kNumberBytes, kNumberBytes) > 0;
  ERR_clear_error();
  return sound ? compact : std::string(signature_der);
}

Result<bool> verify_p256(std::string_view spki_der, std::string_view message,
                         std::string_view signature) {
  SharedKey key = usual_public_key(spki_der);
  if (!key) {
    const unsigned char* der = unsigned_bytes(spki_der);
    key = own(d2i_PUBKEY(nullptr, &der, static_cast<long>(spki_der.size())));
    const bool whole = der == unsigned_bytes(spki_der) + spki_der.size();
    if (!is_p256(key.get()) || !whole) return refused("this is not a P-256 public key");
  }
  const Digest digest(EVP_MD_CTX_new());
  if (!digest ||
      EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1) {
    return openssl_failed("the signature could not be checked");
  }
  const std::string der = signature.size() == 2 * kNumberBytes ? spelled_out(signature) : "";
  if (!der.empty()) signature = der;
  const int verdict = EVP_DigestVerify(digest.get(), unsigned_bytes(signature), signature.size(),
                                       unsigned_bytes(message), message.size());
  ERR_clear_error();
  return verdict == 1;
}

Result<std::string> self_signed_certificate(const P256Key& key, const std::string& name) {
  const Certificate certificate(X509_new());
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!certificate || !bio || !fill(certificate.get(), name) ||
      X509_set_pubkey(certificate.get(), key.native()) != 1 ||
      X509_sign(certificate.get(), key.native(), EVP_sha256()) == 0 ||
      PEM_write_bio_X509(bio.get(), certificate.get()) != 1) {
    return openssl_failed("the certificate could not be made");
  }
  return written(bio.get());
}

Result<std::string> public_key_of_certificate(std::string_view certificate_pem) {
  const Bio bio = reading(certificate_pem);
  const Certificate certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)
                                    : nullptr);
  EVP_PKEY* key = certificate ? X509_get0_pubkey(certificate.get()) : nullptr;
  if (key == nullptr) return refused("this is not a certificate in PEM");
  return spki(key);
}

}  // namespace gridwhistle

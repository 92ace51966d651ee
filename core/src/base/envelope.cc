#include "base/envelope.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>

#include <memory>

#include "base/sha256.h"

namespace gridwhistle {
namespace {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* thing) const {
    kFree(thing);
  }
};
template <typename T, auto kFree>
using Owned = std::unique_ptr<T, Free<kFree>>;

using Bio = Owned<BIO, BIO_free_all>;
using Cms = Owned<CMS_ContentInfo, CMS_ContentInfo_free>;
using Certificate = Owned<X509, X509_free>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;

const unsigned char* unsigned_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// Reasons that stay in OpenSSL's queue would be taken for the next call's.
std::unexpected<Error> failed(ErrorCode code, std::string why) {
  ERR_clear_error();
  return fail(code, std::move(why));
}

// CMS names a recipient by a certificate's issuer and number. Ours have a key alone, so the issuer
// is called as the key's hash.
Certificate named_by_its_key(EVP_PKEY* key, std::string_view spki_der) {
  const std::string name = to_hex(sha256(spki_der));
  Certificate certificate(X509_new());
  if (!certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1) != 1 ||
      X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate.get()), NID_commonName,
                                 MBSTRING_UTF8, unsigned_bytes(name), static_cast<int>(name.size()),
                                 -1, 0) != 1 ||
      X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get())) != 1 ||
      X509_set_pubkey(certificate.get(), key) != 1) {
    return nullptr;
  }
  return certificate;
}

// The RFC's own choice of hash is SHA-1.
bool derive_with_sha256(CMS_RecipientInfo* recipient) {
  EVP_PKEY_CTX* agreement = CMS_RecipientInfo_get0_pkey_ctx(recipient);
  return agreement != nullptr && EVP_PKEY_CTX_set_ecdh_kdf_md(agreement, EVP_sha256()) == 1;
}

bool is_for(CMS_ContentInfo* cms, X509* reader) {
  STACK_OF(CMS_RecipientInfo)* recipients = CMS_get0_RecipientInfos(cms);
  for (int i = 0; i < sk_CMS_RecipientInfo_num(recipients); ++i) {
    CMS_RecipientInfo* recipient = sk_CMS_RecipientInfo_value(recipients, i);
    if (CMS_RecipientInfo_type(recipient) != CMS_RECIPINFO_AGREE) continue;
    auto* keys = CMS_RecipientInfo_kari_get0_reks(recipient);
    for (int j = 0; j < sk_CMS_RecipientEncryptedKey_num(keys); ++j) {
      auto* key = sk_CMS_RecipientEncryptedKey_value(keys, j);
      if (CMS_RecipientEncryptedKey_cert_cmp(key, reader) == 0) return true;
    }
  }
  return false;
}

std::string written(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace

Result<std::string> seal(std::string_view spki_der, std::string_view content) {
  const unsigned char* der = unsigned_bytes(spki_der);
  const Key key(d2i_PUBKEY(nullptr, &der, static_cast<long>(spki_der.size())));
  if (!key || EVP_PKEY_is_a(key.get(), "EC") != 1) {
    return failed(ErrorCode::kInvalid, "this is not a P-256 public key");
  }
  const Certificate reader = named_by_its_key(key.get(), spki_der);
  const Bio in(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
  const Bio out(BIO_new(BIO_s_mem()));
  const unsigned flags = CMS_BINARY | CMS_PARTIAL;
  const Cms cms(CMS_encrypt(nullptr, nullptr, EVP_aes_256_gcm(), flags));
  CMS_RecipientInfo* recipient =
      cms && reader ? CMS_add1_recipient_cert(cms.get(), reader.get(), CMS_KEY_PARAM) : nullptr;
  if (recipient == nullptr || !in || !out || !derive_with_sha256(recipient) ||
      CMS_final(cms.get(), in.get(), nullptr, flags) != 1 ||
      i2d_CMS_bio(out.get(), cms.get()) != 1) {
    return failed(ErrorCode::kInternal, "the content could not be sealed");
  }
  return written(out.get());
}

Result<std::string> open_envelope(const P256Key& key, std::string_view& bytes) {
  const auto spki_der = key.public_key();
  if (!spki_der) return std::unexpected(spki_der.error());
  const unsigned char* der = unsigned_bytes(bytes);
  const Cms cms(d2i_CMS_ContentInfo(nullptr, &der, static_cast<long>(bytes.size())));
  if (!cms || OBJ_obj2nid(CMS_get0_type(cms.get())) != NID_id_smime_ct_authEnvelopedData) {
    return failed(ErrorCode::kCorrupt, "this is no sealed content, or only a part of it");
  }
  const Certificate reader = named_by_its_key(key.native(), *spki_der);
  const Bio out(BIO_new(BIO_s_mem()));
  if (!reader || !out) return failed(ErrorCode::kInternal, "the content could not be opened");
  if (!is_for(cms.get(), reader.get())) {
    return failed(ErrorCode::kWrongServerKey, "it is sealed for another key");
  }
  if (CMS_decrypt(cms.get(), key.native(), reader.get(), nullptr, out.get(), CMS_BINARY) != 1) {
    return failed(ErrorCode::kCorrupt, "the sealed content is not as it was made");
  }
  bytes.remove_prefix(static_cast<std::size_t>(der - unsigned_bytes(bytes)));
  return written(out.get());
}

}  // namespace gridwhistle

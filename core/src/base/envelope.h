#pragma once

#include <string>
#include <string_view>

#include "base/p256.h"
#include "gridwhistle/status.h"

// Bytes that only one reader may see: CMS AuthEnvelopedData (RFC 5083) in DER, the content
// encrypted with AES-256-GCM (RFC 5084) under a key agreed by ephemeral ECDH on P-256 (RFC 5753).
namespace gridwhistle {

/// Seals `content` for who has the private half of a P-256 key, given as SubjectPublicKeyInfo in
/// DER. Says nothing of who sealed it. kInvalid: it is no P-256 public key.
Result<std::string> seal(std::string_view spki_der, std::string_view content);

/// Opens the envelope that `bytes` begins with and takes it off their front, so that several may
/// stand behind each other.
///
/// Errors: kWrongServerKey (sealed for another key), kCorrupt (no envelope, or not as it was made).
Result<std::string> open_envelope(const P256Key& key, std::string_view& bytes);

}  // namespace gridwhistle

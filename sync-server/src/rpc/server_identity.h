#pragma once

#include <string>

#include "gridwhistle/status.h"

namespace gridwhistle::rpc {

/// Who the server is to its phones.
struct ServerIdentity {
  std::string private_key_pem;
  std::string certificate_pem;
  /// What phones pin: SHA-256 of the public key (SPKI), 32 bytes.
  std::string key_sha256;
};

/// Reads the server's P-256 key from a file (PKCS#8, PEM, mode 0600), making it when there is none.
/// Only the key is kept: phones look at nothing else, so the certificate is made anew each time and
/// cannot be out of step with it. Losing the file means enrolling every phone again.
///
/// Errors: kCorrupt (the file holds something else; it is left alone), and the file's own.
Result<ServerIdentity> load_or_make_identity(const std::string& key_path);

}  // namespace gridwhistle::rpc

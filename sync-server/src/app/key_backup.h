#pragma once

#include <string>

#include "gridwhistle/status.h"

namespace gridwhistle::app {

/// Puts the server's key, encrypted with a passphrase (PKCS#8 with scrypt and AES-256), into a new
/// file. Without its key a restored server is a stranger to every phone.
///
/// Errors: those of files.
Result<void> back_up_key(const std::string& key_path, const std::string& passphrase,
                         const std::string& to);

/// The other way. Never writes over a key. Errors: kForbidden (the passphrase is another),
/// kCorrupt, kAlreadyExists, those of files.
Result<void> restore_key(const std::string& backup, const std::string& passphrase,
                         const std::string& key_path);

/// The first line of the file. Errors: kInvalid (shorter than 12 characters), those of files.
Result<std::string> read_passphrase(const std::string& path);

}  // namespace gridwhistle::app

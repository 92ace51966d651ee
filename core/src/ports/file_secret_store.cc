#include <mutex>
#include <optional>
#include <utility>

#include "base/durable_file.h"
#include "base/line.h"
#include "base/p256.h"
#include "gridwhistle/default_ports.h"

namespace gridwhistle {
namespace {

constexpr std::size_t kKeyFileBytesMax = 4096;

/// An app shows a message as it is, in English.
std::unexpected<Error> in_english(Error error) {
  error.message = half_of(error.message, false);
  return std::unexpected(std::move(error));
}

Result<P256Key> load(const std::string& path) {
  const auto pem = read_small_file(path, kKeyFileBytesMax);
  if (!pem) return in_english(pem.error());
  auto key = P256Key::from_pem(*pem);
  if (!key) {
    return fail(ErrorCode::kCorrupt, path + " is not this device's key: " + key.error().message);
  }
  return key;
}

Result<P256Key> make(const std::string& path) {
  const auto key = P256Key::make();
  if (!key) return key;
  const auto pem = key->pem();
  if (!pem) return std::unexpected(pem.error());
  const auto created = create_private_file(path, *pem);
  if (created) return key;
  // Another process was first, and what it may have registered already is its key.
  if (created.error().code == ErrorCode::kAlreadyExists) return load(path);
  return in_english(created.error());
}

class FileSecretStore final : public SecretStore {
 public:
  explicit FileSecretStore(std::string path) : path_(std::move(path)) {}

  Result<std::string> public_key() override {
    const auto loaded = key();
    if (!loaded) return std::unexpected(loaded.error());
    return loaded->public_key();
  }

  Result<std::string> sign(std::string_view message) override {
    const auto loaded = key();
    if (!loaded) return std::unexpected(loaded.error());
    return loaded->sign(message);
  }

 private:
  Result<P256Key> key() {
    const std::lock_guard lock(mutex_);
    if (key_) return *key_;
    auto key = load(path_);
    if (!key && key.error().code == ErrorCode::kNotFound) key = make(path_);
    if (key) key_ = *key;
    return key;
  }

  const std::string path_;
  std::mutex mutex_;
  std::optional<P256Key> key_;
};

}  // namespace

std::unique_ptr<SecretStore> file_secret_store(std::string path) {
  return std::make_unique<FileSecretStore>(std::move(path));
}

}  // namespace gridwhistle

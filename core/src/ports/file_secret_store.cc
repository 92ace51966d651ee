#include <functional>
#include <map>
#include <mutex>
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

  Result<std::string> public_key(std::string_view name) override {
    const auto loaded = key(name);
    if (!loaded) return std::unexpected(loaded.error());
    return loaded->public_key();
  }

  Result<std::string> sign(std::string_view name, std::string_view message) override {
    const auto loaded = key(name);
    if (!loaded) return std::unexpected(loaded.error());
    return loaded->sign(message);
  }

 private:
  Result<P256Key> key(std::string_view name) {
    const std::lock_guard lock(mutex_);
    if (const auto known = keys_.find(name); known != keys_.end()) return known->second;
    const std::string path = name.empty() ? path_ : path_ + "." + std::string(name);
    auto key = load(path);
    if (!key && key.error().code == ErrorCode::kNotFound) key = make(path);
    if (key) keys_.emplace(name, *key);
    return key;
  }

  const std::string path_;
  std::mutex mutex_;
  std::map<std::string, P256Key, std::less<>> keys_;
};

}  // namespace

std::unique_ptr<SecretStore> file_secret_store(std::string path) {
  return std::make_unique<FileSecretStore>(std::move(path));
}

}  // namespace gridwhistle

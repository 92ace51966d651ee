#include "apply/purging.h"

#include <sstream>
#include <string_view>
#include <utility>

#include "base/file_digest.h"
#include "base/sha256.h"
#include "schema/fields.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

constexpr std::string_view kToPurge = "media_to_purge";

}  // namespace

Result<std::vector<std::string>> unnamed_media(Storage& storage, const Schema& schema,
                                               const std::vector<std::string>& sha256s) {
  const KindSchema& attachment = *schema.kind(kinds::kAttachment);
  std::vector<std::string> unnamed;
  for (const std::string& sha256 : sha256s) {
    auto ids = storage.find(attachment, fields::attachment::kSha256, sha256);
    if (!ids) return std::unexpected(std::move(ids.error()));
    if (ids->empty()) unnamed.push_back(sha256);
  }
  return unnamed;
}

Result<void> note_to_purge(Storage& storage, const Schema& schema,
                           const std::vector<std::string>& sha256s) {
  const auto unnamed = unnamed_media(storage, schema, sha256s);
  if (!unnamed) return std::unexpected(unnamed.error());
  if (unnamed->empty()) return {};
  auto noted = storage.fact(kToPurge);
  if (!noted) return std::unexpected(std::move(noted.error()));
  for (const std::string& sha256 : *unnamed) {
    if (!noted->contains(to_hex(sha256))) *noted += to_hex(sha256) + " ";
  }
  return storage.set_fact(kToPurge, *noted);
}

Result<std::vector<std::string>> media_to_purge(Storage& storage, const Schema& schema) {
  const auto noted = storage.fact(kToPurge);
  if (!noted) return std::unexpected(noted.error());
  std::vector<std::string> sha256s;
  std::istringstream words(*noted);
  for (std::string hex; words >> hex;) {
    auto sha256 = from_hex(hex);
    if (sha256) sha256s.push_back(std::move(*sha256));
  }
  return unnamed_media(storage, schema, sha256s);
}

Result<void> media_purged(Storage& storage) { return storage.set_fact(kToPurge, ""); }

}  // namespace gridwhistle

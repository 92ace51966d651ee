#include "access/audit.h"

#include "base/sha256.h"
#include "base/varint.h"

namespace gridwhistle {

namespace {

std::string chain_of(std::string_view before, const AuditRow& row) {
  std::string text(before);
  append_fixed64(text, row.number);
  append_fixed64(text, static_cast<std::uint64_t>(row.at_ms));
  text += row.content_hash;
  return sha256(text);
}

}  // namespace

Result<void> add_audit_entry(Storage& storage, Random& random, std::int64_t at_ms,
                             std::string_view content) {
  auto last = storage.last_audit();
  if (!last) return std::unexpected(std::move(last.error()));
  AuditRow row;
  row.number = *last ? (*last)->number + 1 : 1;
  row.at_ms = at_ms;
  append_fixed64(row.salt, random.next());
  append_fixed64(row.salt, random.next());
  row.content = content;
  row.content_hash = sha256(row.salt + row.content);
  row.chain = chain_of(*last ? (*last)->chain : std::string(), row);
  return storage.add_audit(row);
}

Result<AuditVerdict> verify_audit(Storage& storage) {
  AuditVerdict verdict;
  std::string before;
  const auto scanned = storage.scan_audit([&](const AuditRow& row) -> Result<void> {
    const std::string number = std::to_string(row.number);
    const auto find = [&](const std::string& zh, const std::string& en) {
      verdict.faults.push_back({"第 " + number + " 条审计" + zh, "audit entry " + number + en});
    };
    if (row.number != ++verdict.entries) find("之前有缺失", " has a gap before it");
    verdict.entries = row.number;
    const bool forgotten = row.salt.empty() && row.content.empty();
    if (!forgotten && sha256(row.salt + row.content) != row.content_hash) {
      find("被改动", " was changed");
    }
    if (chain_of(before, row) != row.chain) find("与前一条接不上", " breaks the chain");
    before = row.chain;
    return {};
  });
  if (!scanned) return std::unexpected(scanned.error());
  return verdict;
}

}  // namespace gridwhistle

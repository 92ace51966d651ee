#include "access/audit.h"

#include "base/sha256.h"
#include "base/varint.h"

namespace gridwhistle {

namespace {

// Where the chain ends.
constexpr std::string_view kHead = "audit_head";

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
  if (auto added = storage.add_audit(row); !added) return added;
  return storage.set_fact(kHead, to_hex(row.chain));
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
  // The chain says nothing of its own end. A file of a build that noted none is taken as it is.
  auto head = storage.fact(kHead);
  if (!head) return std::unexpected(std::move(head.error()));
  if (!head->empty() && *head != to_hex(before)) {
    verdict.faults.push_back({"审计的最新条目已缺失或被替换",
                              "the newest entries of the audit are missing or replaced"});
  }
  return verdict;
}

}  // namespace gridwhistle

#include "storage/sqlite/packed.h"
#include "storage/sqlite/rows_of.h"
#include "storage/sqlite/sqlite_storage.h"

namespace gridwhistle {

using sqlite::Blob;
using sqlite::Statement;

namespace {

AuditRow audit_of(const Statement& row) {
  return {.number = row.number(0),
          .at_ms = row.integer(1),
          .salt = std::string(row.blob(2)),
          .content = std::string(row.text(3)),
          .content_hash = std::string(row.blob(4)),
          .chain = std::string(row.blob(5))};
}

constexpr std::string_view kAuditColumns =
    "SELECT number, at_ms, salt, content, content_hash, chain FROM audit ORDER BY number";

constexpr std::string_view kKeptColumns =
    "SELECT number, why, state, device, worker, kind, id, received_ms, effective_ms, frame FROM "
    "kept WHERE ";

KeptOperation kept_of(const Statement& row) {
  return {.number = row.number(0),
          .why = static_cast<OutcomeStatus>(row.integer(1)),
          .state = static_cast<KeptState>(row.integer(2)),
          .device = DeviceId(row.number(3)),
          .worker = row.record_id(4),
          .key = {KindId(static_cast<std::uint32_t>(row.integer(5))), row.record_id(6)},
          .received_ms = row.integer(7),
          .effective_ms = row.integer(8),
          .frame = std::string(row.blob(9))};
}

}  // namespace

Result<std::vector<EpochRow>> SqliteStorage::epochs() {
  std::vector<EpochRow> all;
  const auto read = sqlite::rows_of(
      connection_, "SELECT id, start_seq, started_ms FROM epoch ORDER BY position DESC",
      [&](Statement& row) { all.push_back({row.number(0), Seq(row.number(1)), row.integer(2)}); });
  if (!read) return std::unexpected(read.error());
  return all;
}

Result<void> SqliteStorage::add_epoch(const EpochRow& row) {
  grow(Book::kEpochs, 1);
  return connection_.run("INSERT INTO epoch VALUES(NULL,?,?,?)", row.id, row.start_seq,
                         row.started_ms);
}

Result<std::vector<LogMark>> SqliteStorage::log_marks() {
  std::vector<LogMark> all;
  const auto read =
      sqlite::rows_of(connection_, "SELECT at_ms, seq FROM log_mark ORDER BY at_ms",
                      [&](Statement& row) { all.push_back({row.integer(0), Seq(row.number(1))}); });
  if (!read) return std::unexpected(read.error());
  return all;
}

Result<void> SqliteStorage::add_log_mark(const LogMark& mark) {
  return connection_.run("INSERT OR REPLACE INTO log_mark VALUES(?,?)", mark.at_ms, mark.seq);
}

Result<void> SqliteStorage::drop_log_marks_before(std::int64_t at_ms) {
  return connection_.run("DELETE FROM log_mark WHERE at_ms<?", at_ms);
}

Result<std::optional<AuditRow>> SqliteStorage::last_audit() {
  std::optional<AuditRow> last;
  const auto read = sqlite::rows_of(connection_, std::string(kAuditColumns) + " DESC LIMIT 1",
                                    [&](Statement& row) { last = audit_of(row); });
  if (!read) return std::unexpected(read.error());
  return last;
}

Result<void> SqliteStorage::add_audit(const AuditRow& row) {
  return connection_.run("INSERT INTO audit VALUES(?,?,?,?,?,?)", row.number, row.at_ms,
                         Blob{row.salt}, row.content, Blob{row.content_hash}, Blob{row.chain});
}

Result<void> SqliteStorage::scan_audit(const std::function<Result<void>(const AuditRow&)>& each) {
  return sqlite::rows_of(connection_, kAuditColumns,
                         [&](Statement& row) { return each(audit_of(row)); });
}

Result<void> SqliteStorage::forget_audit(std::uint64_t number) {
  return connection_.run("UPDATE audit SET salt=x'', content='' WHERE number=?", number);
}

Result<void> SqliteStorage::add_lost_value(const LostValue& value) {
  const std::string cleared = pack(value.clear);
  grow(Book::kLostValues, 1);
  return connection_.run("INSERT INTO merge_audit VALUES(NULL,?,?,?,?,?,?,?,?,?,?,?)",
                         value.decided, value.key.kind, value.key.id, value.writer, value.dev_seq,
                         value.seq, value.hlc, Blob{value.set}, Blob{cleared},
                         value.by_erasure ? 1 : 0, value.at_ms);
}

Result<std::vector<LostValue>> SqliteStorage::lost_values_of(std::string_view condition,
                                                             const RecordKey& key) {
  std::vector<LostValue> all;
  const auto read = sqlite::rows_of(
      connection_,
      "SELECT decided, kind, id, writer, dev_seq, seq, hlc, lost, cleared, by_erasure, at_ms FROM "
      "merge_audit WHERE " +
          std::string(condition) + " ORDER BY number",
      [&](Statement& row) -> Result<void> {
        auto clear = unpack_numbers(row.blob(8));
        if (!clear) return std::unexpected(std::move(clear.error()));
        all.push_back(
            {.decided = Seq(row.number(0)),
             .key = {KindId(static_cast<std::uint32_t>(row.integer(1))), row.record_id(2)},
             .writer = DeviceId(row.number(3)),
             .dev_seq = DevSeq(row.number(4)),
             .seq = Seq(row.number(5)),
             .hlc = Hlc(row.number(6)),
             .set = std::string(row.blob(7)),
             .clear = std::move(*clear),
             .by_erasure = row.integer(9) != 0,
             .at_ms = row.integer(10)});
        return {};
      },
      key.id, key.kind);
  if (!read) return std::unexpected(read.error());
  return all;
}

Result<std::vector<LostValue>> SqliteStorage::lost_values(const RecordKey& key) {
  return lost_values_of("id=?1 AND kind=?2", key);
}

Result<void> SqliteStorage::drop_lost_values(const RecordKey& key) {
  auto dropped = connection_.run("DELETE FROM merge_audit WHERE id=? AND kind=?", key.id, key.kind);
  if (dropped) grow(Book::kLostValues, -connection_.changes());
  return dropped;
}

Result<std::vector<LostValue>> SqliteStorage::revivals() {
  return lost_values_of("by_erasure=1 AND ?1 IS NOT NULL AND ?2 IS NOT NULL", {});
}

Result<std::uint64_t> SqliteStorage::keep_operation(const KeptOperation& o) {
  grow(Book::kKept, 1);
  if (auto put = connection_.run("INSERT INTO kept VALUES(NULL,?,?,?,?,?,?,?,?,?)", o.why, o.state,
                                 o.device, o.worker, o.key.kind, o.key.id, o.received_ms,
                                 o.effective_ms, Blob{o.frame});
      !put) {
    return std::unexpected(put.error());
  }
  return static_cast<std::uint64_t>(connection_.last_insert_rowid());
}

Result<std::optional<KeptOperation>> SqliteStorage::kept_operation(std::uint64_t number) {
  std::optional<KeptOperation> found;
  const auto read = sqlite::rows_of(
      connection_, std::string(kKeptColumns) + "number=?",
      [&](Statement& row) { found = kept_of(row); }, number);
  if (!read) return std::unexpected(read.error());
  return found;
}

Result<std::vector<KeptOperation>> SqliteStorage::waiting_operations(OutcomeStatus why) {
  std::vector<KeptOperation> all;
  const auto read = sqlite::rows_of(
      connection_, std::string(kKeptColumns) + "why=? AND state=1 ORDER BY number",
      [&](Statement& row) { all.push_back(kept_of(row)); }, why);
  if (!read) return std::unexpected(read.error());
  return all;
}

Result<std::vector<KeptOperation>> SqliteStorage::kept_operations() {
  std::vector<KeptOperation> all;
  const auto read = sqlite::rows_of(connection_, std::string(kKeptColumns) + "1 ORDER BY number",
                                    [&](Statement& row) { all.push_back(kept_of(row)); });
  if (!read) return std::unexpected(read.error());
  return all;
}

Result<void> SqliteStorage::set_kept_frame(std::uint64_t number, std::string_view frame) {
  return connection_.run("UPDATE kept SET frame=? WHERE number=?", Blob{frame}, number);
}

Result<void> SqliteStorage::set_kept_state(std::uint64_t number, KeptState state) {
  return connection_.run("UPDATE kept SET state=? WHERE number=?", state, number);
}

}  // namespace gridwhistle

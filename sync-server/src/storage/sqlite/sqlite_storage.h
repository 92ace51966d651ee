#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sqlite/connection.h"
#include "sqlite/transaction.h"
#include "storage/sqlite/tables.h"
#include "storage/storage.h"

namespace gridwhistle {

/// A county in one SQLite file: a table a kind, and the books beside them.
class SqliteStorage final : public Storage {
 public:
  SqliteStorage(sqlite::Connection connection, const Schema& schema)
      : connection_(std::move(connection)), schema_(schema) {}

  /// Brings the tables up to date and reads what is kept in memory.
  Result<void> load();

  const std::string& county() const override { return county_; }
  Result<void> begin() override;
  Result<void> begin_unsynced() override;
  Result<void> commit() override;
  void rollback() override;

  Seq last_seq() const override { return last_seq_; }
  void set_last_seq(Seq seq) override { last_seq_ = seq; }
  Result<std::string> fact(std::string_view name) override;
  Result<void> set_fact(std::string_view name, std::string_view value) override;

  Result<std::shared_ptr<const StoredRecord>> record(const RecordKey& key) override;
  Result<void> put_record(const KindSchema& kind, RecordId id, StoredRecord next,
                          const std::vector<Membership>& before, RecordId new_parent) override;
  Result<std::vector<RecordKey>> children(RecordId parent) override;
  Result<std::vector<RecordId>> find(const KindSchema& kind, std::uint32_t field,
                                     const LookupValue& value) override;
  Result<std::vector<Tombstone>> tombstones(KindId kind, const Tombstone& after, Seq upto,
                                            std::size_t limit) override;
  Result<void> remove_record(const RecordKey& key, const StoredRecord& stored,
                             RecordId parent) override;
  Result<void> note_gone(const RecordKey& key, std::int64_t erased_ms) override;
  Result<bool> is_gone(const RecordKey& key) override;
  Result<void> scan_gone(
      KindId kind,
      const std::function<Result<void>(RecordId, std::int64_t erased_ms)>& each) override;
  Result<void> scan(KindId kind,
                    const std::function<Result<void>(RecordId, StoredRecord)>& each) override;
  Result<void> scan_digests(KindId kind,
                            const std::function<Result<void>(RecordId, bool)>& each) override;
  Result<std::uint64_t> count(KindId kind) override;

  Result<ScopeNo> scope_no(std::string_view leaf) override;
  const std::string& scope_name(ScopeNo scope) const override;
  Seq scope_last(ScopeNo scope) const override;
  std::vector<ScopeNo> leaves_of(const ScopeGrant& grant) const override;
  std::size_t scope_count() const override { return scopes_.size(); }
  Result<std::vector<FeedEntry>> feed(ScopeNo scope, Seq after, std::size_t limit,
                                      std::span<const KindId> kinds) override;
  Result<void> scan_feed(
      const std::function<Result<void>(ScopeNo, const FeedEntry&)>& each) override;

  Result<std::vector<FeedEntry>> exits(Seq after, Seq upto, std::size_t limit) override;

  Result<LaneRow> lane(DeviceId device, Lane lane) override;
  Result<void> put_lane(DeviceId device, Lane lane, const LaneRow& row) override;
  Result<std::vector<LaneChunk>> chunks(DeviceId device, Lane lane, LaneSeq first,
                                        LaneSeq last) override;
  Result<void> add_chunk(DeviceId device, Lane lane, const LaneChunk& chunk) override;
  Result<void> drop_chunk(DeviceId device, Lane lane, LaneSeq first) override;

  Result<std::optional<DeviceRow>> device(DeviceId device) override;
  Result<void> put_device(const DeviceRow& row) override;
  Result<std::vector<DeviceRow>> devices() override;
  Result<std::vector<HolderRow>> holders(DeviceId device) override;
  Result<void> add_holder(DeviceId device, const HolderRow& row) override;
  Result<std::vector<GrantRow>> grants(RecordId worker) override;
  Result<void> put_grants(RecordId worker, const std::vector<GrantRow>& rows) override;
  Result<std::optional<CodeRow>> code(std::string_view lookup) override;
  Result<void> put_code(const CodeRow& row) override;

  Result<std::vector<EpochRow>> epochs() override;
  Result<void> add_epoch(const EpochRow& row) override;
  Result<std::vector<LogMark>> log_marks() override;
  Result<void> add_log_mark(const LogMark& mark) override;
  Result<void> drop_log_marks_before(std::int64_t at_ms) override;
  Result<std::optional<AuditRow>> last_audit() override;
  Result<void> add_audit(const AuditRow& row) override;
  Result<void> scan_audit(const std::function<Result<void>(const AuditRow&)>& each) override;
  Result<void> forget_audit(std::uint64_t number) override;
  Result<void> add_lost_value(const LostValue& value) override;
  Result<std::vector<LostValue>> lost_values(const RecordKey& key) override;
  Result<void> drop_lost_values(const RecordKey& key) override;
  Result<std::vector<LostValue>> revivals() override;
  Result<std::uint64_t> keep_operation(const KeptOperation& operation) override;
  Result<std::optional<KeptOperation>> kept_operation(std::uint64_t number) override;
  Result<std::vector<KeptOperation>> waiting_operations(OutcomeStatus why) override;
  Result<void> set_kept_state(std::uint64_t number, KeptState state) override;
  Result<std::vector<KeptOperation>> kept_operations() override;
  Result<void> set_kept_frame(std::uint64_t number, std::string_view frame) override;

  Result<std::vector<std::string>> damage() override;
  Result<std::vector<Line>> short_books() override;
  Result<std::uint64_t> wipe(std::uint64_t from, std::uint64_t bytes) override {
    return connection_.wipe(from, bytes);
  }
  Result<void> cut_log() override { return connection_.cut_log(); }
  Result<void> back_up(const std::string& path, std::string_view fact,
                       std::string_view value) override;

 private:
  struct Scope {
    std::string name;
    Seq last;
  };

  /// Books whose rows nothing else speaks for: how many there are is noted with every commit.
  enum class Book : std::uint8_t { kDevices, kGrants, kEpochs, kLostValues, kKept, kGone };
  static constexpr std::size_t kBookCount = 6;
  using RowCounts = std::array<std::int64_t, kBookCount>;

  Result<void> take(Result<sqlite::Transaction> transaction);
  void grow(Book book, std::int64_t rows) { counted_[static_cast<std::size_t>(book)] += rows; }
  Result<std::int64_t> rows_in(std::size_t book);
  Result<void> load_counts();
  Result<void> load_scopes();
  Result<void> put_line(const Membership& membership, const RecordKey& key);
  Result<void> drop_line(const Membership& membership);
  Result<void> put_part(RecordId parent, const RecordKey& key);
  /// What is still to be written of the feed, or of `child`: before anybody reads it.
  Result<void> write_lines();
  Result<void> write_parts();
  const std::string& upsert_of(const KindSchema& kind);
  void keep_recent(const RecordKey& key, std::shared_ptr<const StoredRecord> record);
  void forget_recent();
  Result<bool> is_beyond_newest(KindId table, RecordId id);
  Result<void> index_tombstones();
  void note_newest(KindId table, RecordId id);
  Result<std::vector<LostValue>> lost_values_of(std::string_view condition, const RecordKey& key);

  sqlite::Connection connection_;
  ServerSchema schema_;
  std::optional<sqlite::Transaction> transaction_;
  std::string county_;
  Seq last_seq_;
  Seq committed_seq_;
  std::vector<Scope> scopes_;  ///< number i + 1
  std::map<std::string, ScopeNo, std::less<>> scope_numbers_;
  RowCounts counted_{};  ///< by book
  /// What a rollback undoes in memory.
  RowCounts committed_counts_{};
  std::size_t committed_scopes_ = 0;
  std::vector<std::pair<std::size_t, Seq>> moved_;
  std::unordered_map<KindId, std::string> upserts_;
  /// Lines of this transaction that are not in the file yet: many of them take one statement.
  struct FeedLine {
    Membership membership;
    RecordKey key;
  };
  struct Part {
    RecordId parent;
    RecordKey key;
  };
  std::vector<FeedLine> lines_;
  std::vector<Part> parts_;
  /// Records as they were last read or written: what one phone sent is read for all others at once.
  std::unordered_map<RecordKey, std::shared_ptr<const StoredRecord>> recent_;
  std::size_t recent_bytes_ = 0;
  /// The newest id of a device in a kind's table; under kind 0 the newest that is a parent, under
  /// kGoneIds the newest that is gone. Devices count their ids, so one beyond it is not there.
  /// After a rollback it may be too high, which costs a lookup and no more.
  std::map<std::pair<KindId, DeviceId>, RecordId> newest_;
};

}  // namespace gridwhistle

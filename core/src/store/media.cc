#include <algorithm>

#include "base/limits.h"
#include "model/record.h"
#include "store/state.h"

// Which files of attachments this phone has, which of them it alone may have, and which may go.
namespace gridwhistle::store {

namespace {

constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;
// What was kept for a record that nobody has recorded yet: a draft, most likely.
constexpr std::int64_t kUnnamedMs = 30 * kDayMs;
constexpr std::int64_t kRefusedAgainMs = std::int64_t{3600} * 1000;

// Where records say which file they name.
struct Attachments {
  const KindTable* table = nullptr;
  std::uint32_t sha256 = 0;
  std::uint32_t stored = 0;
};

Attachments attachments_of(StoreState& state) {
  const KindSchema* kind = state.schema.kind("Attachment");
  const KindTable* table = kind != nullptr ? table_of(state, kind->id) : nullptr;
  const FieldSchema* sha256 = kind != nullptr ? kind->field("sha256") : nullptr;
  const FieldSchema* stored = kind != nullptr ? kind->field("stored") : nullptr;
  if (table == nullptr || sha256 == nullptr || stored == nullptr) return {};
  return {table, sha256->number, stored->number};
}

// Whether any record names it that this file shows, or that it has recorded and may offer again.
Result<bool> is_named(StoreState& state, const Attachments& kind, std::string_view sha256) {
  if (kind.table == nullptr) return false;
  GW_TRY_LET(shown, state.connection.number("SELECT count(*) FROM " + kind.table->name + " WHERE " +
                                                sqlite::column_name(kind.sha256) + "=?",
                                            0, sqlite::Blob{sha256}));
  if (shown != 0) return true;
  GW_TRY_LET(recorded,
             state.connection.number("SELECT count(*) FROM outbox WHERE kind=? AND state<>3 AND "
                                     "instr(fields, ?)>0",
                                     0, kind.table->id, sqlite::Blob{sha256}));
  return recorded != 0;
}

// Not the server's, or only said to be and not so any more: its backup lacked the bytes.
std::string lacking(const Attachments& kind) {
  if (kind.table == nullptr) return "seq=0";
  return "(seq=0 OR EXISTS(SELECT 1 FROM " + kind.table->name + " WHERE " +
         sqlite::column_name(kind.sha256) + "=media.sha256 AND ifnull(" +
         sqlite::column_name(kind.stored) + ",0)=0 AND last_seq>media.seq))";
}

constexpr std::string_view kColumnsOfMedia =
    "SELECT sha256, size, own, seq, code, message FROM media ";

MediaKept read_media(const sqlite::Statement& row) {
  MediaKept kept;
  kept.file = {std::string(row.blob(0)), row.number(1)};
  kept.own = row.integer(2) != 0;
  kept.seq = Seq(row.number(3));
  if (row.integer(4) != 0) {
    kept.refused = Error{static_cast<ErrorCode>(row.integer(4)), std::string(row.text(5)), "media"};
  }
  return kept;
}

struct Candidate {
  std::string sha256;
  std::uint64_t size = 0;
  std::int64_t used_ms = 0;
};

}  // namespace

Result<void> Store::note_media(const MediaFile& file, bool own) {
  const std::int64_t now = state_->options.clock->now().wall_ms;
  GW_TRY_LET(transaction, begin(*state_));
  // Kept once more it is this phone's to send once more, if the server should not have it.
  GW_TRY(state_->connection.run(
      "INSERT INTO media(sha256, size, own, kept_ms, used_ms) VALUES(?, ?, ?, ?, ?) "
      "ON CONFLICT(sha256) DO UPDATE SET own=max(own, excluded.own), used_ms=excluded.used_ms, "
      "kept_ms=CASE WHEN named=0 THEN excluded.kept_ms ELSE kept_ms END, code=0, retry_ms=0",
      sqlite::Blob{file.sha256}, file.size, own, now, now));
  return transaction.commit();
}

Result<void> Store::adopt_media(const std::vector<MediaFile>& files) {
  const std::int64_t now = state_->options.clock->now().wall_ms;
  GW_TRY_LET(transaction, begin(*state_));
  for (const MediaFile& file : files) {
    GW_TRY(state_->connection.run(
        "INSERT OR IGNORE INTO media(sha256, size, own, named, kept_ms, used_ms) "
        "VALUES(?, ?, 1, 1, ?, ?)",
        sqlite::Blob{file.sha256}, file.size, now, now));
  }
  return transaction.commit();
}

Result<std::optional<MediaKept>> Store::media(std::string_view sha256) {
  if (!state_->has_media) return std::nullopt;
  GW_TRY_LET(query, state_->connection.prepare(std::string(kColumnsOfMedia) + "WHERE sha256=?"));
  query.bind(sqlite::Blob{sha256});
  GW_TRY_LET(row, query.step());
  if (!row) return std::nullopt;
  return read_media(query);
}

Result<std::optional<MediaFile>> Store::next_unsent_media() {
  const std::int64_t now = state_->options.clock->now().wall_ms;
  // A clock that was set back makes nothing wait for longer than a day.
  GW_TRY_LET(query, state_->connection.prepare(
                        std::string(kColumnsOfMedia) + "WHERE own=1 AND named=1 AND " +
                        lacking(attachments_of(*state_)) +
                        " AND (retry_ms<=? OR retry_ms>?) ORDER BY kept_ms, sha256 LIMIT 1"));
  query.bind(now, now + kDayMs);
  GW_TRY_LET(row, query.step());
  if (!row) return std::nullopt;
  return read_media(query).file;
}

Result<std::vector<MediaKept>> Store::unsent_media() {
  std::vector<MediaKept> unsent;
  if (!state_->has_media) return unsent;
  GW_TRY_LET(query, state_->connection.prepare(std::string(kColumnsOfMedia) + "WHERE own=1 AND " +
                                               lacking(attachments_of(*state_)) +
                                               " ORDER BY kept_ms, sha256"));
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) return unsent;
    unsent.push_back(read_media(query));
  }
}

Result<void> Store::media_stored(std::string_view sha256, Seq seq) {
  const Attachments kind = attachments_of(*state_);
  const KindId of_kind = kind.table != nullptr ? kind.table->id : KindId();
  GW_TRY_LET(transaction, begin(*state_));
  // A record that names it and is unsent yet will be told when it is shown once more.
  GW_TRY(state_->connection.run(
      "UPDATE media SET seq=CASE WHEN EXISTS(SELECT 1 FROM outbox WHERE kind=? AND state=? AND "
      "instr(fields, ?)>0) THEN 0 ELSE ? END, code=0, message='', retry_ms=0 WHERE sha256=?",
      of_kind, OutboxState::kPending, sqlite::Blob{sha256}, seq, sqlite::Blob{sha256}));
  return transaction.commit();
}

Result<void> Store::media_refused(std::string_view sha256, const Error& why,
                                  std::uint32_t retry_after_ms) {
  const std::int64_t now = state_->options.clock->now().wall_ms;
  const std::int64_t wait = retry_after_ms != 0 ? retry_after_ms : kRefusedAgainMs;
  GW_TRY_LET(transaction, begin(*state_));
  bool nobodys = false;
  if (why.code == ErrorCode::kNotFound) {
    GW_TRY_LET(named, is_named(*state_, attachments_of(*state_), sha256));
    nobodys = !named;
  }
  GW_TRY(state_->connection.run(
      "UPDATE media SET code=?, message=?, retry_ms=?, own=CASE WHEN ? THEN 0 ELSE own END "
      "WHERE sha256=?",
      why.code, why.message, now + std::min(wait, kDayMs), nobodys, sqlite::Blob{sha256}));
  return transaction.commit();
}

Result<bool> Store::has_media() {
  if (!state_->has_media) return false;
  GW_TRY_LET(any, state_->connection.number("SELECT count(*) FROM media LIMIT 1", 0));
  return any != 0;
}

Result<bool> Store::names_media(std::string_view sha256) {
  return is_named(*state_, attachments_of(*state_), sha256);
}

Result<void> Store::note_media_used(std::string_view sha256) {
  GW_TRY_LET(transaction, begin(*state_));
  GW_TRY(state_->connection.run("UPDATE media SET used_ms=? WHERE sha256=?",
                                state_->options.clock->now().wall_ms, sqlite::Blob{sha256}));
  return transaction.commit();
}

Result<std::vector<std::string>> Store::spare_media(std::uint64_t cache_bytes) {
  const std::int64_t now = state_->options.clock->now().wall_ms;
  const Attachments kind = attachments_of(*state_);
  // What only this phone may have is not among them.
  GW_TRY_LET(query, state_->connection.prepare(
                        "SELECT sha256, size, used_ms FROM media WHERE own=0 OR (seq>0 AND seq<=? "
                        "AND NOT " +
                        lacking(kind) + ") OR (named=0 AND kept_ms<?) ORDER BY used_ms DESC"));
  query.bind(state_->position.backed_up, now - kUnnamedMs);
  std::vector<Candidate> candidates;
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) break;
    candidates.push_back({std::string(query.blob(0)), query.number(1), query.integer(2)});
  }
  std::vector<std::string> spare;
  std::uint64_t bytes = 0;
  for (Candidate& one : candidates) {
    GW_TRY_LET(named, is_named(*state_, kind, one.sha256));
    if (named) bytes += one.size;
    if (!named || bytes > cache_bytes) spare.push_back(std::move(one.sha256));
  }
  return spare;
}

Result<void> Store::media_gone(const std::vector<std::string>& sha256s) {
  GW_TRY_LET(transaction, begin(*state_));
  for (const std::string& sha256 : sha256s) {
    GW_TRY(state_->connection.run("DELETE FROM media WHERE sha256=?", sqlite::Blob{sha256}));
  }
  return transaction.commit();
}

Result<void> note_media_named(StoreState& state, const Operation& operation) {
  const Attachments kind = attachments_of(state);
  if (kind.table == nullptr || operation.kind != kind.table->id) return {};
  const auto sha256 = text_of(operation.set, kind.sha256);
  if (!sha256) return {};
  // What the server has it has for other records: of this one it has yet to hear.
  return state.connection.run("UPDATE media SET named=1, seq=0 WHERE sha256=?",
                              sqlite::Blob{*sha256});
}

Result<void> note_media_owed(StoreState& state, KindId kind, std::string_view record) {
  const Attachments attachments = attachments_of(state);
  if (attachments.table == nullptr || kind != attachments.table->id) return {};
  const auto sha256 = text_of(record, attachments.sha256);
  if (!sha256 || number_in(*state.schema.kind(kind), record, "stored") != 0) return {};
  return state.connection.run("UPDATE media SET own=1, named=1 WHERE sha256=?",
                              sqlite::Blob{*sha256});
}

Result<void> forget_media(StoreState& state, std::string_view attachment) {
  const Attachments kind = attachments_of(state);
  const auto sha256 =
      kind.table != nullptr ? text_of(attachment, kind.sha256) : std::optional<std::string_view>();
  if (!sha256) return {};
  GW_TRY_LET(named, is_named(state, kind, *sha256));
  if (named) return {};
  return state.connection.run("UPDATE media SET own=0, named=1 WHERE sha256=?",
                              sqlite::Blob{*sha256});
}

Result<void> rewind_media(StoreState& state, Seq shared) {
  return state.connection.run("UPDATE media SET seq=0, code=0, message='', retry_ms=0 WHERE seq>?",
                              shared);
}

}  // namespace gridwhistle::store

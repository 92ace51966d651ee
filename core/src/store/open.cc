#include <algorithm>

#include "base/varint.h"
#include "store/geo.h"
#include "store/state.h"

namespace gridwhistle::store {

namespace {

constexpr std::uint64_t kDeviceMask = (1ULL << 60) - 1;

// `key` is lane and lane_seq in one, so that a lane is a range and its end is found at once. The
// indexes hold exceptions only; an ordinary operation is in none.
constexpr std::string_view kTables = R"(
CREATE TABLE IF NOT EXISTS outbox(
  key INTEGER PRIMARY KEY, dev_seq INTEGER NOT NULL, kind INTEGER NOT NULL, id BLOB NOT NULL,
  type INTEGER NOT NULL, creates INTEGER NOT NULL, more INTEGER NOT NULL,
  base_seq INTEGER NOT NULL, hlc INTEGER NOT NULL, wall_ms INTEGER NOT NULL,
  boot_ms INTEGER NOT NULL, boot_id INTEGER NOT NULL, scope TEXT NOT NULL, fields BLOB NOT NULL,
  clear BLOB NOT NULL, remove BLOB NOT NULL, state INTEGER NOT NULL DEFAULT 0,
  status INTEGER NOT NULL DEFAULT 0, code INTEGER NOT NULL DEFAULT 0,
  seq INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS outbox_refused ON outbox(key) WHERE state=2;
CREATE INDEX IF NOT EXISTS outbox_parked ON outbox(id) WHERE state=4;
CREATE TABLE IF NOT EXISTS scope_sets(number INTEGER PRIMARY KEY, scopes TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS drafts(
  name TEXT NOT NULL PRIMARY KEY, kind INTEGER NOT NULL, record BLOB NOT NULL,
  saved_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS access_log(
  number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, worker BLOB NOT NULL, kind INTEGER NOT NULL,
  id BLOB NOT NULL, purpose TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS restored(
  outcome BLOB NOT NULL PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS renamed(
  before BLOB NOT NULL PRIMARY KEY, now BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS media(
  sha256 BLOB NOT NULL PRIMARY KEY, size INTEGER NOT NULL, own INTEGER NOT NULL,
  named INTEGER NOT NULL DEFAULT 0, kept_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL,
  seq INTEGER NOT NULL DEFAULT 0, code INTEGER NOT NULL DEFAULT 0,
  message TEXT NOT NULL DEFAULT '', retry_ms INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS search_docs(
  doc INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id BLOB NOT NULL, text TEXT NOT NULL,
  personal TEXT NOT NULL, UNIQUE(kind, id));
CREATE TABLE IF NOT EXISTS search_unindexed(
  kind INTEGER NOT NULL, id BLOB NOT NULL, PRIMARY KEY(kind, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS search_cuts(number INTEGER PRIMARY KEY, places BLOB NOT NULL);
CREATE VIRTUAL TABLE IF NOT EXISTS search_terms USING fts5(
  terms, content='', columnsize=0, detail=none, tokenize='ascii');
)";

Result<void> load_predecessors(StoreState& state) {
  GW_TRY_LET(query, state.connection.prepare("SELECT value FROM meta WHERE key='predecessors'"));
  GW_TRY_LET(row, query.step());
  if (!row) return {};
  ByteReader reader(query.blob(0));
  while (const auto device = reader.fixed64()) state.predecessors.emplace_back(*device);
  return {};
}

Result<void> load_device(StoreState& state) {
  GW_TRY(load_predecessors(state));
  GW_TRY_LET(known, meta_number(state, "device"));
  state.device = DeviceId(static_cast<std::uint64_t>(known));
  if (state.device) return {};
  if (state.options.read_only) return fail(ErrorCode::kReadOnly, "the file is empty", "open");
  state.device = random_device(*state.options.random);
  return put_meta(state, "device", static_cast<std::int64_t>(state.device.value));
}

// The outbox itself is the counter; `meta` has what was forgotten from it.
Result<void> load_lanes(StoreState& state) {
  GW_TRY_LET(dev_seq, meta_number(state, "dev_seq"));
  GW_TRY_LET(highest, meta_number(state, "hlc"));
  state.dev_seq = DevSeq(static_cast<std::uint64_t>(dev_seq));
  state.highest = Hlc(static_cast<std::uint64_t>(highest));
  for (const Lane lane : kLanes) {
    LaneProgress& progress = state.lanes[index_of(lane)];
    const std::string number = std::to_string(static_cast<int>(lane));
    GW_TRY_LET(noted, meta_number(state, "noted" + number));
    GW_TRY_LET(last, meta_number(state, "last" + number));
    GW_TRY_LET(forgotten, meta_number(state, "forgotten" + number));
    progress.noted = LaneSeq(static_cast<std::uint64_t>(noted));
    progress.last = LaneSeq(static_cast<std::uint64_t>(std::max(last, noted)));
    progress.first = LaneSeq(static_cast<std::uint64_t>(forgotten) + 1);
    GW_TRY_LET(newest, state.connection.prepare(
                           "SELECT key, dev_seq, hlc FROM outbox WHERE key BETWEEN ? AND ? "
                           "ORDER BY key DESC LIMIT 1"));
    newest.bind(key_of(lane, LaneSeq(0)), key_of(lane, LaneSeq(0)) | ((1LL << 56) - 1));
    GW_TRY_LET(row, newest.step());
    if (!row) continue;
    progress.last = std::max(progress.last, lane_seq_of(newest.integer(0)));
    state.dev_seq = std::max(state.dev_seq, DevSeq(newest.number(1)));
    state.highest = std::max(state.highest, Hlc(newest.number(2)));
  }
  return {};
}

Result<void> load_counter(StoreState& state, Counter& counter, std::string_view key) {
  GW_TRY_LET(reserved, meta_number(state, key));
  counter.reserved_upto = static_cast<std::uint64_t>(reserved);
  counter.next = counter.reserved_upto + 1;
  return {};
}

Result<void> load_kinds(StoreState& state) {
  GW_TRY_LET(kinds, sqlite::kinds_in_file(state.connection));
  for (const KindId kind : kinds) state.kinds.emplace(kind, make_table(state.schema, kind));
  return {};
}

Result<void> build(StoreState& state) {
  GW_TRY(sqlite::claim_file(state.connection, kFormat));
  if (state.options.read_only) {
    GW_TRY_LET(current, sqlite::tables_current(state.connection, state.schema, kLayout));
    if (current) return {};
    return fail(ErrorCode::kReadOnly, "the file has to be brought up to date first", "open");
  }
  GW_TRY(state.connection.script(kTables));
  GW_TRY(sqlite::add_missing_column(state.connection, "outbox", kOwnSince));
  GW_TRY(sqlite::add_missing_column(state.connection, "outbox", kHashBefore));
  GW_TRY(sqlite::add_missing_column(state.connection, "outbox", kRecordedHash));
  GW_TRY(sqlite::add_missing_column(state.connection, "outbox", kKnownBy));
  return sqlite::build_tables(state.connection, state.schema, kLayout);
}

Result<void> load(StoreState& state) {
  GW_TRY(load_device(state));
  GW_TRY(load_lanes(state));
  GW_TRY(load_counter(state, state.ids, "ids"));
  GW_TRY(load_counter(state, state.numbers, "numbers"));
  GW_TRY(load_counter(state, state.calls, "calls"));
  GW_TRY(load_kinds(state));
  GW_TRY(reload_refused(state));
  GW_TRY(load_scope_sets(state));
  GW_TRY(load_position(state));
  GW_TRY_LET(media,
             state.connection.number("SELECT count(*) FROM sqlite_master WHERE name='media'", 0));
  state.has_media = media != 0;
  return read_new_kinds(state);
}

}  // namespace

StoreState::StoreState(StoreOptions options_given, sqlite::Connection opened)
    : options(std::move(options_given)), connection(std::move(opened)), schema(*options.schema) {}

StoreState::~StoreState() { *alive = false; }

const KindSchema& KindTable::rules() const {
  static constexpr KindSchema kUndeclared{};
  return schema != nullptr ? *schema : kUndeclared;
}

KindTable make_table(const Schema& schema, KindId kind) {
  KindTable table;
  table.id = kind;
  table.schema = schema.kind(kind);
  table.name = sqlite::table_name(kind);
  table.select = "SELECT body,base,pending,base_seq,last_seq,scopes,own_since FROM " + table.name +
                 " WHERE id=?";
  static constexpr std::string_view kNames[] = {"base",     "pending", "base_seq",
                                                "last_seq", "scopes",  "own_since"};
  table.upsert = sqlite::upsert_sql(kind, table.schema, kNames);
  table.hidden = "SELECT pending FROM " + table.name + " WHERE id=? AND body IS NULL";
  table.remove = "DELETE FROM " + table.name + " WHERE id=?";
  table.acknowledge = "UPDATE " + table.name +
                      " SET base=NULL, pending=NULL, last_seq=max(last_seq, ?) "
                      "WHERE id=? AND pending=? AND body IS NOT NULL AND scopes>=0";
  for (const FieldSchema& field : table.rules().fields) {
    table.searchable |= field.searchable;
    table.sensitive |= field.sensitivity > Sensitivity::kPublic;
    table.personal |= field.sensitivity >= Sensitivity::kPersonal;
  }
  return table;
}

DeviceId random_device(Random& random) {
  DeviceId device;
  while (!device) device = DeviceId(random.next() & kDeviceMask);  // 0 is the server
  return device;
}

KindTable* table_of(StoreState& state, KindId kind) {
  const auto found = state.kinds.find(kind);
  return found != state.kinds.end() ? &found->second : nullptr;
}

Result<std::int64_t> meta_number(StoreState& state, std::string_view key) {
  return state.connection.number("SELECT value FROM meta WHERE key=?", 0, key);
}

Result<void> put_meta(StoreState& state, std::string_view key, std::int64_t value) {
  return state.connection.run("INSERT OR REPLACE INTO meta VALUES(?, ?)", key, value);
}

Result<void> put_meta(StoreState& state, std::string_view key, std::string_view bytes) {
  return state.connection.run("INSERT OR REPLACE INTO meta VALUES(?, ?)", key, sqlite::Blob{bytes});
}

Result<void> reload_refused(StoreState& state) {
  std::unordered_set<RecordId> records;
  GW_TRY_LET(refused, state.connection.prepare("SELECT id FROM outbox WHERE state=2"));
  for (;;) {
    GW_TRY_LET(row, refused.step());
    if (!row) break;
    records.insert(refused.record_id(0));
  }
  state.refused_records = std::move(records);
  return {};
}

Result<sqlite::Transaction> begin(StoreState& state) {
  if (state.options.read_only) {
    return fail(ErrorCode::kReadOnly, "this file was opened for reading", "store");
  }
  return sqlite::Transaction::begin(state.connection);
}

Result<sqlite::Transaction> begin_unsynced(StoreState& state) {
  if (state.options.read_only) return begin(state);
  return sqlite::Transaction::begin_unsynced(state.connection);
}

Store::Store(std::unique_ptr<StoreState> state) : state_(std::move(state)) {}
// Whistle numbers are read out on the telephone, where a gap looks like a lost whistle: those
// reserved and not given out are given back. A kill leaves the gap.
Store::~Store() {
  const Counter& numbers = state_->numbers;
  if (state_->options.read_only || numbers.next > numbers.reserved_upto) return;
  static_cast<void>(put_meta(*state_, kNumbers.key, static_cast<std::int64_t>(numbers.next - 1)));
}

Result<std::unique_ptr<Store>> Store::open(StoreOptions options) {
  if (options.schema == nullptr || options.clock == nullptr || options.random == nullptr) {
    return fail(ErrorCode::kInvalid, "a store needs a schema, a clock and randomness", "open");
  }
  GW_TRY_LET(connection, sqlite::Connection::open({.path = options.path,
                                                   .read_only = options.read_only,
                                                   .exclusive = true,
                                                   .application_id = kFormat.application_id,
                                                   .vfs = options.vfs}));
  auto state = std::make_unique<StoreState>(std::move(options), std::move(connection));
  GW_TRY(build(*state));
  GW_TRY(load(*state));
  // What a killed process has left in the log may have been forgotten since.
  if (!state->options.read_only) wipe(*state);
  return std::unique_ptr<Store>(new Store(std::move(state)));
}

const Schema& Store::schema() const { return state_->schema; }
DeviceId Store::device() const { return state_->device; }
bool Store::is_caught_up() const { return state_->position.caught_up; }

}  // namespace gridwhistle::store

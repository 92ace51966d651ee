#include <algorithm>

#include "base/varint.h"
#include "store/state.h"

namespace gridwhistle::store {

namespace {

constexpr int kLaneShift = 56;
constexpr OutboxKey kLaneSeqMask = (OutboxKey{1} << kLaneShift) - 1;

std::string packed(const std::vector<std::uint32_t>& numbers) {
  std::string bytes;
  for (const std::uint32_t number : numbers) append_varint(bytes, number);
  return bytes;
}

std::vector<std::uint32_t> unpacked(std::string_view bytes) {
  std::vector<std::uint32_t> numbers;
  ByteReader reader(bytes);
  while (!reader.at_end()) {
    const std::optional<std::uint64_t> number = reader.varint();
    if (!number) break;
    numbers.push_back(static_cast<std::uint32_t>(*number));
  }
  return numbers;
}

// Bytes an operation takes on the wire before compression, about.
std::size_t size_of(const Operation& operation) {
  return operation.set.size() + operation.remove.size() + operation.clear.size() +
         operation.scope.size() + 48;
}

}  // namespace

OutboxKey key_of(Lane lane, LaneSeq lane_seq) {
  return OutboxKey{static_cast<std::uint8_t>(lane)} << kLaneShift |
         static_cast<OutboxKey>(lane_seq.value);
}

Lane lane_of(OutboxKey key) { return static_cast<Lane>(key >> kLaneShift); }

LaneSeq lane_seq_of(OutboxKey key) {
  return LaneSeq(static_cast<std::uint64_t>(key & kLaneSeqMask));
}

Result<void> append_operation(StoreState& state, const Operation& operation) {
  return state.connection.run(
      "INSERT INTO outbox(key,dev_seq,kind,id,type,creates,more,base_seq,hlc,wall_ms,boot_ms,"
      "boot_id,scope,fields,clear,remove,own_since) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
      key_of(operation.lane, operation.lane_seq), operation.dev_seq, operation.kind, operation.id,
      operation.type, operation.creates, operation.more, operation.base_seq, operation.hlc,
      operation.claimed.wall_ms, operation.claimed.boot_ms, operation.claimed.boot_id,
      operation.scope, sqlite::Blob{operation.set}, sqlite::Blob{packed(operation.clear)},
      sqlite::Blob{operation.remove}, operation.own_since);
}

Operation read_operation(const sqlite::Statement& row) {
  Operation operation;
  operation.lane = lane_of(row.integer(0));
  operation.lane_seq = lane_seq_of(row.integer(0));
  operation.dev_seq = DevSeq(row.number(1));
  operation.kind = KindId(static_cast<std::uint32_t>(row.integer(2)));
  operation.id = row.record_id(3);
  operation.type = static_cast<OperationType>(row.integer(4));
  operation.creates = row.integer(5) != 0;
  operation.more = row.integer(6) != 0;
  operation.base_seq = Seq(row.number(7));
  operation.hlc = Hlc(row.number(8));
  operation.claimed = {row.integer(9), row.number(10), row.number(11)};
  operation.scope = row.text(12);
  operation.set = row.blob(13);
  operation.clear = unpacked(row.blob(14));
  operation.remove = row.blob(15);
  operation.own_since = DevSeq(row.number(16));
  operation.hash_before = row.blob(17);
  operation.recorded_hash = row.blob(18);
  return operation;
}

Result<std::optional<Operation>> load_operation(StoreState& state, OutboxKey key) {
  GW_TRY_LET(query, state.connection.prepare(
                        "SELECT key,dev_seq,kind,id,type,creates,more,base_seq,hlc,wall_ms,boot_ms,"
                        "boot_id,scope,fields,clear,remove,own_since,hash_before,recorded_hash "
                        "FROM outbox WHERE key=?"));
  query.bind(key);
  GW_TRY_LET(row, query.step());
  if (!row) return std::optional<Operation>();
  return std::optional(read_operation(query));
}

// An operation that a later one of the same record must not be overwritten by stays: whatever was
// recorded after the first unacknowledged one may still be asked for, and what was recorded of a
// record that a parked one is of.
Result<void> forget_backed_up(StoreState& state, Seq backed_up) {
  auto first_open = static_cast<std::int64_t>(state.dev_seq.value) + 1;
  for (const Lane lane : kLanes) {
    const LaneProgress& progress = state.lanes[index_of(lane)];
    GW_TRY_LET(dev_seq,
               state.connection.number("SELECT dev_seq FROM outbox WHERE key=?", first_open,
                                       key_of(lane, LaneSeq(progress.noted.value + 1))));
    first_open = std::min(first_open, dev_seq);
  }
  GW_TRY(put_meta(state, "dev_seq", static_cast<std::int64_t>(state.dev_seq.value)));
  GW_TRY(put_meta(state, "hlc", static_cast<std::int64_t>(state.highest.value)));
  for (const Lane lane : kLanes) {
    LaneProgress& progress = state.lanes[index_of(lane)];
    const OutboxKey first = key_of(lane, LaneSeq(0));
    const OutboxKey last = key_of(lane, progress.noted);
    GW_TRY(put_meta(state, "last" + std::to_string(static_cast<int>(lane)),
                    static_cast<std::int64_t>(progress.last.value)));
    // Search reads the outbox to learn what is new; what it has not read yet it is told otherwise.
    GW_TRY(state.connection.run(
        "INSERT OR IGNORE INTO search_unindexed SELECT kind, id FROM outbox "
        "WHERE key BETWEEN max(?, 1 + ifnull((SELECT value FROM meta WHERE key=?), 0)) AND ? "
        "AND seq<=? AND dev_seq<? AND state IN (1, 3)",
        first, "indexed" + std::to_string(static_cast<int>(lane)), last, backed_up, first_open));
    GW_TRY_LET(newest, state.connection.number(
                           "SELECT key FROM outbox WHERE key BETWEEN ? AND ? AND seq<=? AND "
                           "dev_seq<? AND state IN (1, 3) ORDER BY key DESC LIMIT 1",
                           first, first, last, backed_up, first_open));
    const LaneSeq forgotten = lane_seq_of(newest);
    if (forgotten >= progress.first) {
      progress.first = LaneSeq(forgotten.value + 1);
      GW_TRY(put_meta(state, "forgotten" + std::to_string(static_cast<int>(lane)),
                      static_cast<std::int64_t>(forgotten.value)));
    }
    GW_TRY(state.connection.run(
        "DELETE FROM outbox WHERE key BETWEEN ? AND ? AND seq<=? AND dev_seq<? AND state IN (1, 3) "
        "AND id NOT IN (SELECT id FROM outbox WHERE state=4)",
        first, last, backed_up, first_open));
  }
  return {};
}

Result<std::vector<Operation>> Store::operations(Lane lane, LaneSeq after, std::size_t bytes_max) {
  GW_TRY_LET(
      query,
      state_->connection.prepare(
          "SELECT key,dev_seq,kind,id,type,creates,more,base_seq,hlc,wall_ms,boot_ms,boot_id,"
          "scope,fields,clear,remove,own_since,hash_before,recorded_hash FROM outbox WHERE key>? "
          "AND key<=? "
          "ORDER BY key"));
  query.bind(key_of(lane, after), key_of(lane, LaneSeq(0)) | kLaneSeqMask);
  std::vector<Operation> operations;
  std::size_t whole = 0;  // operations whose transactions are complete
  std::size_t bytes = 0;
  // What is missing up to here was acknowledged and forgotten.
  LaneSeq upto = std::max(after, state_->lanes[index_of(lane)].noted);
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) break;
    Operation operation = read_operation(query);
    // Frames number by counting: behind a gap one would be taken for another.
    if (operation.lane_seq.value > upto.value + 1) break;
    upto = std::max(upto, operation.lane_seq);
    bytes += size_of(operation);
    if (whole > 0 && bytes > bytes_max) break;
    const bool more = operation.more;
    operations.push_back(std::move(operation));
    if (!more) whole = operations.size();
  }
  operations.resize(whole);
  return operations;
}

void Store::note_sent(Lane lane, LaneSeq upto) {
  LaneSeq& sent = state_->sent[index_of(lane)];
  sent = std::max(sent, std::min(upto, state_->lanes[index_of(lane)].last));
}

void Store::note_call_ended() { state_->sent = {}; }

}  // namespace gridwhistle::store

#include "wire/batch.h"

#include <limits>

#include "base/limits.h"
#include "model/hlc.h"
#include "wire/checks.h"
#include "wire/packed.h"

namespace gridwhistle {
namespace {

constexpr std::uint32_t kItem = 1;  // the one field of OperationBatch and of RowBatch
constexpr std::size_t kSha256Bytes = 32;
constexpr std::uint64_t kCounterMax = (1ULL << 62) - 1;

std::uint64_t ms_of(Hlc hlc) { return hlc.value >> 16; }
std::uint32_t counter_of(Hlc hlc) { return static_cast<std::uint32_t>(hlc.value & 0xFFFF); }

// What the next one is counted from.
struct Predecessor {
  std::uint32_t kind = 0;
  std::uint64_t own_counter = 0;
  std::uint64_t seq = 0;  // an operation's base_seq, a row's last_seq
  std::uint64_t dev_seq = 0;
  std::uint64_t hlc_ms = 0;
  std::uint64_t wall_ms = 0;
  std::uint64_t boot_ms = 0;
  std::uint64_t boot_id = 0;
  std::string scope;
  std::vector<std::string> scopes;
};

std::unexpected<Error> malformed(std::string_view what) {
  return refuse_frame(ErrorCode::kProtocol, std::string(what) + " is malformed");
}

std::string packed_numbers(const std::vector<std::uint32_t>& numbers) {
  std::string out;
  for (const std::uint32_t number : numbers) append_varint(out, number);
  return out;
}

// A repeated uint32, packed or not.
bool read_numbers(const PackedField& field, std::vector<std::uint32_t>& into) {
  const auto keep = [&](std::uint64_t number) {
    into.push_back(static_cast<std::uint32_t>(number));
    return number <= std::numeric_limits<std::uint32_t>::max() &&
           into.size() <= limits::kClearedFields + 1;
  };
  if (field.is_uint()) return keep(field.scalar);
  ByteReader reader(field.bytes);
  while (field.is_bytes() && !reader.at_end()) {
    const auto number = reader.varint();
    if (!number || !keep(*number)) return false;
  }
  return field.is_bytes();
}

// --- operations ---

void write_operation(DeviceId device, const Operation& op, Predecessor& before, std::string& out) {
  const std::uint64_t hlc_ms = ms_of(op.hlc);
  const auto wall_ms = static_cast<std::uint64_t>(op.claimed.wall_ms);
  const std::uint64_t wall_expected = before.wall_ms + (hlc_ms - before.hlc_ms);
  const std::uint64_t boot_expected = before.boot_ms + (wall_ms - before.wall_ms);
  if (op.kind.value != before.kind) append_uint(out, 1, op.kind.value);
  if (op.id.well_formed() && op.id.device() == device) {
    const std::uint64_t counter = op.id.counter();
    append_uint(out, 2, zigzag(static_cast<std::int64_t>(counter - before.own_counter)));
    before.own_counter = counter;
  } else {
    append_bytes(out, 3, op.id.bytes());
  }
  if (op.type != OperationType::kPut) append_uint(out, 4, static_cast<std::uint8_t>(op.type));
  if (op.creates) append_uint(out, 5, 1);
  if (op.more) append_uint(out, 6, 1);
  append_step(out, 7, op.base_seq.value, before.seq);
  append_step(out, 8, op.dev_seq.value, before.dev_seq + 1);
  append_step(out, 9, hlc_ms, before.hlc_ms);
  append_step(out, 10, wall_ms, wall_expected);
  append_step(out, 11, op.claimed.boot_ms, boot_expected);
  if (op.claimed.boot_id != before.boot_id) append_fixed(out, 12, op.claimed.boot_id);
  if (op.scope != before.scope) append_bytes(out, 13, op.scope);
  if (!op.set.empty()) append_bytes(out, 14, op.set);
  if (!op.clear.empty()) append_bytes(out, 15, packed_numbers(op.clear));
  if (!op.remove.empty()) append_bytes(out, 16, op.remove);
  if (counter_of(op.hlc) != 0) append_uint(out, 17, counter_of(op.hlc));
  if (op.own_since) append_uint(out, 18, op.own_since.value);
  if (!op.hash_before.empty()) append_bytes(out, 19, op.hash_before);
  if (!op.recorded_hash.empty()) append_bytes(out, 20, op.recorded_hash);
  before.kind = op.kind.value;
  before.seq = op.base_seq.value;
  before.dev_seq = op.dev_seq.value;
  before.hlc_ms = hlc_ms;
  before.wall_ms = wall_ms;
  before.boot_ms = op.claimed.boot_ms;
  before.boot_id = op.claimed.boot_id;
  before.scope = op.scope;
}

// A PackedOperation as it stands: the differences, and parts not looked into yet.
struct OperationFields {
  std::uint64_t kind = 0;
  std::uint64_t type = 0;
  std::uint64_t creates = 0;
  std::uint64_t more = 0;
  std::uint64_t hlc_counter = 0;
  std::uint64_t own_since = 0;
  PackedField own_counter, base_seq, dev_seq, hlc_ms, wall_ms, boot_ms;
  std::optional<std::uint64_t> boot_id;
  std::optional<std::string_view> scope;
  std::string_view id, set, remove, hash_before, recorded_hash;
  std::vector<std::uint32_t> clear;
};

bool take(const PackedField& field, OperationFields& into) {
  switch (field.number) {
    case 1:
      into.kind = field.scalar;
      return field.is_uint();
    case 2:
      into.own_counter = field;
      return field.is_uint();
    case 3:
      into.id = field.bytes;
      return field.is_bytes();
    case 4:
      into.type = field.scalar;
      return field.is_uint();
    case 5:
      into.creates = field.scalar;
      return field.is_uint();
    case 6:
      into.more = field.scalar;
      return field.is_uint();
    case 7:
      into.base_seq = field;
      return field.is_uint();
    case 8:
      into.dev_seq = field;
      return field.is_uint();
    case 9:
      into.hlc_ms = field;
      return field.is_uint();
    case 10:
      into.wall_ms = field;
      return field.is_uint();
    case 11:
      into.boot_ms = field;
      return field.is_uint();
    case 12:
      into.boot_id = field.scalar;
      return field.is_fixed();
    case 13:
      into.scope = field.bytes;
      return field.is_bytes();
    case 14:
      into.set = field.bytes;
      return field.is_bytes();
    case 15:
      return read_numbers(field, into.clear);
    case 16:
      into.remove = field.bytes;
      return field.is_bytes();
    case 17:
      into.hlc_counter = field.scalar;
      return field.is_uint();
    case 18:
      into.own_since = field.scalar;
      return field.is_uint();
    case 19:
      into.hash_before = field.bytes;
      return field.is_bytes() && field.bytes.size() == kSha256Bytes;
    case 20:
      into.recorded_hash = field.bytes;
      return field.is_bytes() && field.bytes.size() == kSha256Bytes;
    default:
      return true;  // of a newer phone
  }
}

class OperationReader {
 public:
  OperationReader(const Schema& schema, DeviceId device, Lane lane, LaneSeq first)
      : schema_(schema), device_(device), lane_(lane), lane_seq_(first) {}

  Result<Operation> read(std::string_view bytes) {
    OperationFields fields;
    ByteReader reader(bytes);
    while (!reader.at_end()) {
      const auto field = next_field(reader);
      if (!field || !take(*field, fields)) return malformed("an operation");
    }
    return checked(fields);
  }

 private:
  Result<Operation> checked(OperationFields& fields) {
    Operation op;
    if (auto sound = identify(fields, op); !sound) return std::unexpected(sound.error());
    if (auto sound = count(fields, op); !sound) return std::unexpected(sound.error());
    // Enough of a scope that is too long for it to stay one.
    if (fields.scope) before_.scope = std::string(fields.scope->substr(0, limits::kScopeBytes + 1));
    op.scope = before_.scope;
    if (!op.scope.empty() && !is_scope(op.scope)) op.fault = "an operation's scope is malformed";
    if (auto sound = take_parts(fields, op); !sound) return std::unexpected(sound.error());
    return op;
  }

  Result<void> identify(const OperationFields& fields, Operation& op) {
    if (fields.kind > std::numeric_limits<std::uint32_t>::max()) return malformed("a kind");
    if (fields.kind != 0) before_.kind = static_cast<std::uint32_t>(fields.kind);
    if (before_.kind == 0) return malformed("a first operation without kind");
    op.kind = KindId(before_.kind);
    if (fields.own_counter.number != 0) {
      before_.own_counter = fields.own_counter.step(before_.own_counter);
      if (before_.own_counter > kCounterMax || !fields.id.empty())
        return malformed("a record's id");
      op.id = RecordId::make(device_, before_.own_counter);
    } else {
      const auto id = RecordId::from_bytes(fields.id);
      if (!id || !id->well_formed()) return malformed("a record's id");
      op.id = *id;
    }
    if (fields.type > 1) {
      return refuse_frame(ErrorCode::kProtocol,
                          "operation type " + std::to_string(fields.type) + " is unknown");
    }
    op.type = static_cast<OperationType>(fields.type);
    if (fields.creates > 1 || fields.more > 1) return malformed("an operation");
    op.creates = fields.creates == 1;
    op.more = fields.more == 1;
    return {};
  }

  Result<void> count(const OperationFields& fields, Operation& op) {
    const std::uint64_t hlc_ms = fields.hlc_ms.step(before_.hlc_ms);
    if (hlc_ms >> 48 != 0 || fields.hlc_counter >> 16 != 0) return malformed("a hybrid clock");
    const std::uint64_t wall_ms = fields.wall_ms.step(before_.wall_ms + (hlc_ms - before_.hlc_ms));
    const std::uint64_t boot_ms =
        fields.boot_ms.step(before_.boot_ms + (wall_ms - before_.wall_ms));
    const std::uint64_t dev_seq = fields.dev_seq.step(before_.dev_seq + 1);
    const std::uint64_t base_seq = fields.base_seq.step(before_.seq);
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    if (dev_seq <= before_.dev_seq || dev_seq > kMax || base_seq > kMax ||
        fields.own_since >= dev_seq) {
      return malformed("an operation's number");
    }
    op.lane = lane_;
    op.lane_seq = lane_seq_;
    lane_seq_ = LaneSeq(lane_seq_.value + 1);
    op.base_seq = Seq(base_seq);
    op.dev_seq = DevSeq(dev_seq);
    op.own_since = DevSeq(fields.own_since);
    op.hlc = Hlc(hlc_ms << 16 | fields.hlc_counter);
    if (fields.boot_id) before_.boot_id = *fields.boot_id;
    op.claimed = {static_cast<std::int64_t>(wall_ms), boot_ms, before_.boot_id};
    before_.seq = base_seq;
    before_.dev_seq = dev_seq;
    before_.hlc_ms = hlc_ms;
    before_.wall_ms = wall_ms;
    before_.boot_ms = boot_ms;
    return {};
  }

  Result<void> take_parts(OperationFields& fields, Operation& op) {
    if (fields.clear.size() > limits::kClearedFields) return check_clear(fields.clear);
    if (auto sound = check_clear(fields.clear); !sound) op.fault = sound.error().message;
    op.clear = std::move(fields.clear);
    op.hash_before = fields.hash_before;
    op.recorded_hash = fields.recorded_hash;
    const bool speaks = op.creates || op.type != OperationType::kPut || !fields.set.empty() ||
                        !fields.remove.empty() || !op.clear.empty();
    if (!op.hash_before.empty() && speaks) return malformed("a forgotten operation");
    if (auto sound = take_part(fields.set, op, op.set); !sound) return sound;
    return take_part(fields.remove, op, op.remove);
  }

  // A part that breaks its kind's rules stays as it came, and its operation is refused; the frame
  // is sound, and what comes behind must not wait for it.
  Result<void> take_part(std::string_view bytes, Operation& op, std::string& part) {
    auto checked = checked_part(schema_.kind(op.kind), bytes);
    if (!checked && bytes.size() > limits::kRecordBytes) return std::unexpected(checked.error());
    if (!checked) op.fault = checked.error().message;
    part = checked ? std::move(*checked) : std::string(bytes);
    return {};
  }

  const Schema& schema_;
  const DeviceId device_;
  const Lane lane_;
  LaneSeq lane_seq_;
  Predecessor before_;
};

// Holds transactions against their limits as their operations come by.
class TransactionGuard {
 public:
  Result<void> pass(const Operation& op) {
    operations_ += 1;
    bytes_ += op.set.size() + op.remove.size();
    if (operations_ > limits::kTransactionOperations) {
      return refuse_frame(ErrorCode::kTooMany, "a transaction has more than 1,024 operations");
    }
    if (bytes_ > limits::kTransactionBytes) {
      return refuse_frame(ErrorCode::kTooLarge, "a transaction exceeds 1 MB");
    }
    if (!op.more) {
      operations_ = 0;
      bytes_ = 0;
    }
    return {};
  }

  bool is_between() const { return operations_ == 0; }

 private:
  std::size_t operations_ = 0;
  std::size_t bytes_ = 0;
};

// --- rows ---

void write_row(const Row& row, Predecessor& before, std::string& out) {
  if (row.kind.value != before.kind) append_uint(out, 1, row.kind.value);
  append_bytes(out, 2, row.id.bytes());
  append_step(out, 3, row.last_seq.value, before.seq);
  if (row.change != RowChange::kFields) append_uint(out, 4, static_cast<std::uint8_t>(row.change));
  if (row.scopes != before.scopes) {
    for (const std::string& scope : row.scopes) append_bytes(out, 5, scope);
    if (row.scopes.empty()) append_bytes(out, 5, {});
  }
  if (!row.set.empty()) append_bytes(out, 6, row.set);
  if (!row.clear.empty()) append_bytes(out, 7, packed_numbers(row.clear));
  append_step(out, 8, ms_of(row.hlc), before.hlc_ms);
  if (counter_of(row.hlc) != 0) append_uint(out, 9, counter_of(row.hlc));
  if (row.forgotten) append_uint(out, 10, 1);
  before.kind = row.kind.value;
  before.seq = row.last_seq.value;
  before.hlc_ms = ms_of(row.hlc);
  if (row.scopes != before.scopes) before.scopes = row.scopes;
}

struct RowFields {
  std::uint64_t kind = 0;
  std::uint64_t change = 0;
  std::uint64_t hlc_counter = 0;
  std::uint64_t forgotten = 0;
  PackedField last_seq, hlc_ms;
  std::string_view id, set;
  std::vector<std::string_view> scopes;
  std::vector<std::uint32_t> clear;
};

bool take(const PackedField& field, RowFields& into) {
  switch (field.number) {
    case 1:
      into.kind = field.scalar;
      return field.is_uint();
    case 2:
      into.id = field.bytes;
      return field.is_bytes();
    case 3:
      into.last_seq = field;
      return field.is_uint();
    case 4:
      into.change = field.scalar;
      return field.is_uint();
    case 5:
      into.scopes.push_back(field.bytes);
      return field.is_bytes() && into.scopes.size() <= limits::kScopesPerRow;
    case 6:
      into.set = field.bytes;
      return field.is_bytes();
    case 7:
      return read_numbers(field, into.clear);
    case 8:
      into.hlc_ms = field;
      return field.is_uint();
    case 9:
      into.hlc_counter = field.scalar;
      return field.is_uint();
    case 10:
      into.forgotten = field.scalar;
      return field.is_uint();
    default:
      return true;  // of a newer server
  }
}

class RowReader {
 public:
  explicit RowReader(const Schema& schema) : schema_(schema) {}

  Result<Row> read(std::string_view bytes) {
    RowFields fields;
    ByteReader reader(bytes);
    while (!reader.at_end()) {
      const auto field = next_field(reader);
      if (!field || !take(*field, fields)) return malformed("a row");
    }
    return checked(fields);
  }

 private:
  Result<Row> checked(RowFields& fields) {
    Row row;
    if (fields.kind > std::numeric_limits<std::uint32_t>::max()) return malformed("a kind");
    if (fields.kind != 0) before_.kind = static_cast<std::uint32_t>(fields.kind);
    if (before_.kind == 0) return malformed("a first row without kind");
    row.kind = KindId(before_.kind);
    const auto id = RecordId::from_bytes(fields.id);
    if (!id || !id->well_formed()) return malformed("a record's id");
    row.id = *id;
    if (fields.change > 3) {
      return refuse_frame(ErrorCode::kProtocol,
                          "row change " + std::to_string(fields.change) + " is unknown");
    }
    row.change = static_cast<RowChange>(fields.change);
    const bool is_there = row.change != RowChange::kLeft && row.change != RowChange::kErased;
    if (fields.forgotten > 1 || (fields.forgotten == 1 && is_there)) {
      return malformed("a forgotten row");
    }
    row.forgotten = fields.forgotten == 1;
    before_.seq = fields.last_seq.step(before_.seq);
    before_.hlc_ms = fields.hlc_ms.step(before_.hlc_ms);
    if (before_.hlc_ms >> 48 != 0 || fields.hlc_counter >> 16 != 0 || before_.seq >> 63 != 0) {
      return malformed("a row's number");
    }
    row.last_seq = Seq(before_.seq);
    row.hlc = Hlc(before_.hlc_ms << 16 | fields.hlc_counter);
    if (auto sound = take_scopes(fields); !sound) return std::unexpected(sound.error());
    row.scopes = before_.scopes;
    auto set = checked_record(schema_.kind(row.kind), fields.set);
    if (!set) return std::unexpected(set.error());
    row.set = std::move(*set);
    if (auto sound = check_clear(fields.clear); !sound) return std::unexpected(sound.error());
    row.clear = std::move(fields.clear);
    return row;
  }

  Result<void> take_scopes(const RowFields& fields) {
    if (fields.scopes.empty()) return {};
    before_.scopes.clear();
    if (fields.scopes.size() == 1 && fields.scopes[0].empty()) return {};
    for (const std::string_view scope : fields.scopes) {
      if (!is_scope(scope)) return refuse_frame(ErrorCode::kInvalid, "a row's scope is malformed");
      before_.scopes.emplace_back(scope);
    }
    return {};
  }

  const Schema& schema_;
  Predecessor before_;
};

// The next item of a batch.
Result<std::string_view> next_item(ByteReader& reader) {
  const auto field = next_field(reader);
  if (!field || field->number != kItem || !field->is_bytes()) return malformed("a batch");
  return field->bytes;
}

}  // namespace

std::string write_operations(DeviceId device, std::span<const Operation> operations,
                             std::vector<std::size_t>& ends) {
  std::string out;
  std::string item;
  Predecessor before;
  for (const Operation& operation : operations) {
    item.clear();
    write_operation(device, operation, before, item);
    append_bytes(out, kItem, item);
    ends.push_back(out.size());
  }
  return out;
}

Result<std::vector<Operation>> read_operations(const Schema& schema, DeviceId device, Lane lane,
                                               LaneSeq first, std::size_t count_max,
                                               std::string_view batch) {
  std::vector<Operation> operations;
  OperationReader packed(schema, device, lane, first);
  TransactionGuard guard;
  ByteReader reader(batch);
  while (!reader.at_end()) {
    const auto item = next_item(reader);
    if (!item) return std::unexpected(item.error());
    auto operation = packed.read(*item);
    if (!operation) return std::unexpected(operation.error());
    if (auto sound = guard.pass(*operation); !sound) return std::unexpected(sound.error());
    if (operations.size() == count_max) {
      return refuse_frame(ErrorCode::kTooMany, "a frame has more operations than it says");
    }
    operations.push_back(std::move(*operation));
  }
  if (!guard.is_between()) {
    return refuse_frame(ErrorCode::kProtocol, "a frame ends within a transaction");
  }
  return operations;
}

std::string write_rows(std::span<const Row> rows) {
  std::string out;
  std::string item;
  Predecessor before;
  for (const Row& row : rows) {
    item.clear();
    write_row(row, before, item);
    append_bytes(out, kItem, item);
  }
  return out;
}

Result<std::vector<Row>> read_rows(const Schema& schema, std::size_t count_max,
                                   std::string_view batch) {
  std::vector<Row> rows;
  RowReader packed(schema);
  ByteReader reader(batch);
  while (!reader.at_end()) {
    const auto item = next_item(reader);
    if (!item) return std::unexpected(item.error());
    auto row = packed.read(*item);
    if (!row) return std::unexpected(row.error());
    if (rows.size() == count_max) {
      return refuse_frame(ErrorCode::kTooMany, "a cut has more rows than it says");
    }
    rows.push_back(std::move(*row));
  }
  return rows;
}

}  // namespace gridwhistle

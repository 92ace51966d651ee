#include "samples.h"

#include "model/hlc.h"
#include "model/record.h"
#include "schema/tables.h"

namespace gridwhistle::fuzz {
namespace {

constexpr std::int64_t kNow = 1'763'600'000'000;

void append_sample(std::string& message, const FieldSchema& field) {
  switch (field.type) {
    case FieldType::kInt:
    case FieldType::kBool:
    case FieldType::kEnum:
      return append_int(message, field.number, 1);
    case FieldType::kDouble:
      return append_double(message, field.number, 21.2632);
    case FieldType::kFixed64:
      // The same wire type as a double; the value is any.
      return append_double(message, field.number, 1);
    case FieldType::kString:
      return append_text(message, field.number, "井盖破损 440811001001001");
    case FieldType::kBytes:
      return append_text(message, field.number, RecordId::make(kDevice, field.number).bytes());
    case FieldType::kMessage:
      // Whatever its fields are, all of them may be left out.
      return append_text(message, field.number, "");
  }
}

}  // namespace

std::string refusal_law(const Error& error) {
  switch (error.code) {
    case ErrorCode::kProtocol:
    case ErrorCode::kTooLarge:
    case ErrorCode::kTooMany:
    case ErrorCode::kInvalid:
      return error.message.empty() ? "a refusal says why" : "";
    default:
      return "a frame is refused with a code of frames";
  }
}

std::string full_message(const KindSchema& kind) {
  std::string message;
  for (const FieldSchema& field : kind.fields) {
    if (field.number == 1) continue;
    append_sample(message, field);
    if (field.repeated) append_sample(message, field);
  }
  return message;
}

std::vector<Operation> operations_of(Lane lane) {
  std::vector<Operation> operations;
  for (const KindSchema& kind : built_schema().kinds) {
    if (kind.lane != lane || kind.server_written || kind.reference) continue;
    const std::uint64_t number = operations.size() + 1;
    Operation operation;
    operation.kind = kind.id;
    operation.id = RecordId::make(kDevice, number);
    operation.creates = number % 3 != 0;
    operation.more = number % 2 == 1;
    operation.lane = lane;
    operation.lane_seq = LaneSeq(number);
    operation.dev_seq = DevSeq(number);
    operation.base_seq = Seq(number * 7);
    operation.hlc = hlc_at(kNow + static_cast<std::int64_t>(number));
    operation.claimed = {kNow, number * 1000, 99};
    operation.scope = "grid:440811001001001";
    operation.set = full_message(kind);
    operation.clear = {2, 3};
    operations.push_back(std::move(operation));
  }
  if (!operations.empty()) operations.back().more = false;
  return operations;
}

std::vector<Row> rows() {
  std::vector<Row> rows;
  for (const KindSchema& kind : built_schema().kinds) {
    const std::uint64_t number = rows.size() + 1;
    Row row;
    row.kind = kind.id;
    row.id = RecordId::make(kDevice, number);
    row.last_seq = Seq(number * 3);
    row.hlc = hlc_at(kNow);
    row.change = static_cast<RowChange>(number % 4);
    row.scopes = {"grid:440811001001001", "county"};
    if (row.change == RowChange::kFields || row.change == RowChange::kWhole) {
      row.set = full_message(kind);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace gridwhistle::fuzz

#include "client/change.h"

#include <optional>
#include <utility>

#include "base/varint.h"
#include "client/state.h"
#include "gridwhistle/v1/records.pb.h"

namespace gridwhistle {

namespace {

std::unexpected<Error> unreadable() {
  return fail(ErrorCode::kInvalid, "the record is no message of its kind", "unreadable record");
}

/// Passes over one value; its bytes, for a value that has any.
std::optional<std::string_view> skip(ByteReader& reader, std::uint64_t wire_type) {
  switch (wire_type) {
    case 0:
      return reader.varint() ? std::optional<std::string_view>("") : std::nullopt;
    case 1:
      return reader.take(8);
    case 2: {
      const auto size = reader.varint();
      return size ? reader.take(*size) : std::nullopt;
    }
    case 5:
      return reader.take(4);
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<RecordId> id_in(std::string_view record) {
  constexpr std::uint64_t kIdTag = 1 << 3 | 2;
  ByteReader reader(record);
  RecordId id;
  while (!reader.at_end()) {
    const auto tag = reader.varint();
    if (!tag) return unreadable();
    const auto value = skip(reader, *tag & 7);
    if (!value) return unreadable();
    if (*tag != kIdTag || value->empty()) continue;
    const auto given = RecordId::from_bytes(*value);
    if (!given) return fail(ErrorCode::kInvalid, "an id has 16 bytes", "id");
    id = *given;
  }
  return id;
}

std::string with_id(const RecordId& id) {
  std::string part{'\x0A', static_cast<char>(RecordId::kSize)};
  part += id.bytes();
  return part;
}

Result<std::string> with_reporter(std::string_view whistle, const RecordId& worker,
                                  std::int64_t now_ms) {
  v1::Whistle record;
  if (!record.ParseFromArray(whistle.data(), static_cast<int>(whistle.size()))) {
    return unreadable();
  }
  if (!record.has_source()) record.set_source(v1::SOURCE_WORKER);
  if (!record.has_reporter()) record.set_reporter(std::string(worker.bytes()));
  if (!record.has_reported_ms()) record.set_reported_ms(now_ms);
  return record.SerializeAsString();
}

Result<std::string> with_author(std::string_view task, const RecordId& worker,
                                std::int64_t now_ms) {
  v1::Task record;
  if (!record.ParseFromArray(task.data(), static_cast<int>(task.size()))) return unreadable();
  if (!record.has_state()) record.set_state(v1::TASK_STATE_OPEN);
  if (!record.has_author()) record.set_author(std::string(worker.bytes()));
  if (!record.has_created_ms()) record.set_created_ms(now_ms);
  return record.SerializeAsString();
}

Result<store::Change> ClientState::change(store::Store& store, const Change& change) const {
  const auto known = kind(change.kind);
  if (!known) return std::unexpected(known.error());
  const auto id = id_in(change.record);
  if (!id) return std::unexpected(id.error());
  store::Change wanted;
  wanted.kind = (*known)->id;
  wanted.id = *id;
  wanted.set = change.record;
  wanted.clear = change.clear;
  wanted.remove = change.remove;
  if (!enrolment_) {
    return fail(ErrorCode::kNotEnrolled, "this phone is not enrolled: enrol it first");
  }
  const auto complete = (*known)->name == "Whistle" ? with_reporter
                        : (*known)->name == "Task"  ? with_author
                                                    : nullptr;
  if (complete == nullptr) return wanted;
  if (!id->is_nil()) {
    const auto there = store.get(wanted.kind, *id);
    if (there) return wanted;
    if (there.error().code != ErrorCode::kNotFound) return std::unexpected(there.error());
    if (id->device() != store.device()) return wanted;
  }
  auto completed = complete(change.record, enrolment_->worker, wall_ms());
  if (!completed) return std::unexpected(std::move(completed.error()));
  wanted.set = std::move(*completed);
  return wanted;
}

}  // namespace gridwhistle

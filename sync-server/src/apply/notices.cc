#include "apply/notices.h"

#include <algorithm>
#include <set>

#include "base/limits.h"
#include "base/varint.h"
#include "model/record.h"
#include "schema/fields.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

namespace field = fields::outcome;

constexpr std::uint64_t kFixed64 = 1;  // protobuf's wire type
// Room for everything else in an Outcome; what does not fit is kept in the audit alone.
constexpr std::size_t kLostBytesMax = limits::kRecordBytes - 4096;

// Whether a receipt may carry the lost values themselves: not what cannot be read, nor what may lie
// in encrypted files alone.
bool is_quotable(const Workspace& workspace, KindId kind, const Loser& lost) {
  const KindSchema* known = workspace.schema().kind(kind);
  return known != nullptr && known->audience != Audience::kCare && lost.set.size() <= kLostBytesMax;
}

struct Subject {
  RecordId worker;
  DeviceId device;
  Lane lane = Lane::kRecords;
  LaneSeq lane_seq;  ///< 0: not known any more
  DevSeq dev_seq;
  RecordKey record;
};

std::string outcome_body(const Subject& subject, OutcomeStatus status, std::uint32_t code,
                         std::string_view message, const Loser& lost, bool quote, RecordId winner,
                         std::int64_t now_ms) {
  std::string body;
  append_text(body, field::kWorker, worker_scope(subject.worker));
  append_varint(body, std::uint64_t{field::kDevice} << 3 | kFixed64);
  append_fixed64(body, subject.device.value);
  if (subject.lane_seq) {
    append_int(body, field::kLane, static_cast<std::int64_t>(subject.lane));
    append_int(body, field::kLaneSeq, static_cast<std::int64_t>(subject.lane_seq.value));
  }
  append_int(body, field::kDevSeq, static_cast<std::int64_t>(subject.dev_seq.value));
  append_int(body, field::kRecordKind, subject.record.kind.value);
  append_text(body, field::kRecord, subject.record.id.bytes());
  append_int(body, field::kStatus, static_cast<std::int64_t>(status));
  if (code != 0) append_int(body, field::kCode, code);
  if (!message.empty()) append_text(body, field::kMessage, message);
  if (quote && !lost.set.empty()) append_text(body, field::kLostSet, lost.set);
  for (const std::uint32_t number : lost.clear) append_int(body, field::kLostClear, number);
  std::set<std::uint32_t> numbers(lost.clear.begin(), lost.clear.end());
  for (const FieldView& view : fields_of(lost.set)) {
    if (numbers.size() < limits::kClearedFields) numbers.insert(view.number);
  }
  for (const std::uint32_t number : numbers) append_int(body, field::kLostFields, number);
  if (!winner.is_nil()) append_text(body, field::kWinner, winner.bytes());
  append_int(body, field::kAtMs, now_ms);
  return body;
}

Result<void> keep(Workspace& workspace, const RecordKey& key, const Loser& lost, Seq decided) {
  return workspace.storage().add_lost_value({.decided = decided,
                                             .key = key,
                                             .writer = lost.writer,
                                             .dev_seq = lost.dev_seq,
                                             .seq = lost.seq,
                                             .hlc = lost.hlc,
                                             .set = lost.set,
                                             .clear = lost.clear,
                                             .by_erasure = lost.by_erasure,
                                             .at_ms = workspace.now_ms()});
}

// Who held the device when it wrote at this place of the log: it may have been handed on since.
Result<RecordId> holder_at(Storage& storage, const DeviceRow& device, Seq seq) {
  auto holders = storage.holders(device.device);
  if (!holders) return std::unexpected(std::move(holders.error()));
  RecordId worker = holders->empty() ? device.worker : holders->front().worker;
  for (const HolderRow& holder : *holders) {
    if (holder.since < seq) worker = holder.worker;
  }
  return worker;
}

Result<void> tell_loser(Workspace& workspace, const MintId& mint, const RecordKey& key,
                        const Loser& lost, OutcomeStatus status, ErrorCode code, RecordId winner) {
  auto device = workspace.storage().device(lost.writer);
  if (!device) return std::unexpected(std::move(device.error()));
  if (!*device) return {};
  auto worker = holder_at(workspace.storage(), **device, lost.seq);
  if (!worker) return std::unexpected(std::move(worker.error()));
  const Subject subject{
      .worker = *worker, .device = lost.writer, .dev_seq = lost.dev_seq, .record = key};
  return workspace.write(
      {kinds::kOutcome, mint()},
      outcome_body(subject, status, static_cast<std::uint32_t>(code), {}, lost,
                   is_quotable(workspace, key.kind, lost), winner, workspace.now_ms()),
      {}, workspace.next_seq());
}

}  // namespace

Result<void> tell_author(Workspace& workspace, const MintId& mint, const Author& author,
                         const Operation& operation, const Receipt& receipt, const Loser& lost,
                         RecordId winner) {
  const RecordKey key{operation.kind, operation.id};
  const bool quote = operation.fault.empty() && is_quotable(workspace, key.kind, lost);
  if (!quote && !lost.set.empty()) {
    if (auto kept = keep(workspace, key, lost, receipt.seq); !kept) return kept;
  }
  const Subject subject{.worker = author.device.worker,
                        .device = author.device.device,
                        .lane = operation.lane,
                        .lane_seq = operation.lane_seq,
                        .dev_seq = operation.dev_seq,
                        .record = key};
  return workspace.write({kinds::kOutcome, mint()},
                         outcome_body(subject, receipt.status, receipt.code, receipt.message, lost,
                                      quote, winner, workspace.now_ms()),
                         {}, workspace.next_seq());
}

Result<void> keep_losers(Workspace& workspace, const MintId& mint, const Author& author,
                         const Operation& operation, const Receipt& receipt,
                         const std::vector<Loser>& losers) {
  const RecordKey key{operation.kind, operation.id};
  const Loser* own = nullptr;
  for (const Loser& lost : losers) {
    if (auto kept = keep(workspace, key, lost, receipt.seq); !kept) return kept;
    if (lost.writer == author.device.device && lost.dev_seq == operation.dev_seq) {
      own = &lost;
    } else if (lost.writer) {
      const OutcomeStatus status =
          lost.by_erasure ? OutcomeStatus::kRevived : OutcomeStatus::kBeaten;
      auto told = tell_loser(workspace, mint, key, lost, status, {}, author.device.worker);
      if (!told) return told;
    }
  }
  if (receipt.status == OutcomeStatus::kAccepted) return {};
  return tell_author(workspace, mint, author, operation, receipt, own ? *own : Loser{}, {});
}

Result<void> tell_forgotten(Workspace& workspace, const MintId& mint, const RecordKey& key,
                            DeviceId writer) {
  Loser nothing;
  nothing.writer = writer;
  nothing.seq = workspace.storage().last_seq();
  return tell_loser(workspace, mint, key, nothing, OutcomeStatus::kGone, ErrorCode::kForgotten, {});
}

Result<void> tell_taken_along(Workspace& workspace, const MintId& mint, const RecordKey& key,
                              const Loser& lost, RecordId eraser) {
  if (auto kept = keep(workspace, key, lost, workspace.storage().last_seq()); !kept) return kept;
  return tell_loser(workspace, mint, key, lost, OutcomeStatus::kGone, ErrorCode::kGone, eraser);
}

}  // namespace gridwhistle

#include <algorithm>

#include "base/line.h"
#include "county/impl.h"

// What waits for a reviewer.
namespace gridwhistle {

namespace {

/// The fact that a reviewer has dealt with the records that came back with this change.
std::string seen_mark(std::uint64_t number) { return "revival_done:" + std::to_string(number); }

// What a reviewer does not decide: what waits for something else than a reviewer.
Result<void> check_for_reviewer(const WaitingList& list, const KeptOperation& kept) {
  if (const std::uint64_t first = list.followed_by(kept.number); first != 0) {
    const std::string number = std::to_string(first);
    return fail(ErrorCode::kConflict,
                both("它附属于 " + number + " 号新建的记录；请处理那一条，它会一并处理",
                     "it follows the record that number " + number +
                         " makes; decide about that one, it goes along"));
  }
  if (list.awaited_by(kept.number)) {
    return fail(
        ErrorCode::kConflict,
        both("它在等所属的记录，送达后自动处理；也可退回",
             "it waits for the record it belongs to and is decided when that arrives; it can be "
             "returned"));
  }
  if (kept.why != OutcomeStatus::kSealed) {
    return fail(ErrorCode::kConflict,
                both("它在等本服务器升级", "it waits for an upgrade of this server"));
  }
  return {};
}

}  // namespace

Result<KeptOperation> waiting_one(Storage& storage, std::uint64_t number) {
  auto kept = storage.kept_operation(number);
  if (!kept) return std::unexpected(std::move(kept.error()));
  if (!*kept || (*kept)->state != KeptState::kWaiting) {
    return fail(ErrorCode::kNotFound,
                both("没有这个序号的待办", "nothing that waits has this number"));
  }
  return std::move(**kept);
}

Result<ReviewList> County::review() const {
  Impl& impl = *impl_;
  ReviewList list;
  auto sealed = impl.storage->waiting_operations(OutcomeStatus::kSealed);
  if (!sealed) return std::unexpected(std::move(sealed.error()));
  for (const KeptOperation& kept : *sealed) {
    auto operations = operations_of(impl.schema, kept);
    if (!operations) return std::unexpected(std::move(operations.error()));
    for (const Operation& operation : *operations) {
      list.sealed.push_back({.number = kept.number,
                             .device = kept.device,
                             .worker = kept.worker,
                             .kind = operation.kind,
                             .record = operation.id,
                             .type = operation.type,
                             .received_ms = kept.received_ms,
                             .effective_ms = kept.effective_ms,
                             .set = operation.set});
    }
  }
  auto revivals = impl.storage->revivals();
  if (!revivals) return std::unexpected(std::move(revivals.error()));
  for (const LostValue& value : *revivals) {
    auto done = impl.storage->fact(seen_mark(value.decided.value));
    if (!done) return std::unexpected(std::move(done.error()));
    if (!done->empty()) continue;
    list.flagged.push_back({value.key.kind, value.key.id, value.decided, value.at_ms});
  }
  auto parked = impl.storage->waiting_operations(OutcomeStatus::kParked);
  if (!parked) return std::unexpected(std::move(parked.error()));
  auto waiting = impl.applier.waiting();
  if (!waiting) return std::unexpected(std::move(waiting.error()));
  for (const KeptOperation& kept : *parked) {
    if (const auto whole = (*waiting)->awaited_by(kept.number)) {
      list.waiting.push_back({.number = kept.number,
                              .device = kept.device,
                              .worker = kept.worker,
                              .record = kept.key.id,
                              .awaits = whole->id,
                              .received_ms = kept.received_ms});
    } else {
      ++list.parked;
    }
  }
  return list;
}

Result<void> County::close_flagged(std::uint64_t number, std::string_view by) {
  Impl& impl = *impl_;
  auto open = review();
  if (!open) return std::unexpected(std::move(open.error()));
  if (std::ranges::find(open->flagged, Seq(number), &FlaggedRecord::seq) == open->flagged.end()) {
    return fail(ErrorCode::kNotFound,
                both("没有这个序号的已恢复记录", "no record that came back has this number"));
  }
  return impl.in_batch([&]() -> Result<void> {
    if (auto set = impl.storage->set_fact(seen_mark(number), "1"); !set) return set;
    return impl.audit(by, "records that came back with " + std::to_string(number) + " seen to");
  });
}

Result<OutcomeStatus> County::accept_sealed(std::uint64_t number, std::string_view by) {
  Impl& impl = *impl_;
  return impl.in_batch([&]() -> Result<OutcomeStatus> {
    auto kept = waiting_one(*impl.storage, number);
    if (!kept) return std::unexpected(std::move(kept.error()));
    auto waiting = impl.applier.waiting();
    if (!waiting) return std::unexpected(std::move(waiting.error()));
    if (auto allowed = check_for_reviewer(**waiting, *kept); !allowed) {
      return std::unexpected(std::move(allowed.error()));
    }
    auto receipts = impl.applier.apply_kept(*kept, impl.now_ms());
    if (!receipts) return std::unexpected(std::move(receipts.error()));
    auto noted = impl.audit(by, "sealed operation " + std::to_string(number) + " applied, on " +
                                    std::string(impl.schema.kind(kept->key.kind)->name) + " " +
                                    kept->key.id.text());
    if (!noted) return std::unexpected(noted.error());
    return receipts->front().status;
  });
}

Result<void> County::return_sealed(std::uint64_t number, std::string_view reason,
                                   std::string_view by) {
  Impl& impl = *impl_;
  return impl.in_batch([&]() -> Result<void> {
    auto kept = waiting_one(*impl.storage, number);
    if (!kept) return std::unexpected(std::move(kept.error()));
    auto waiting = impl.applier.waiting();
    if (!waiting) return std::unexpected(std::move(waiting.error()));
    if (!(*waiting)->awaited_by(number)) {
      if (auto allowed = check_for_reviewer(**waiting, *kept); !allowed) return allowed;
    }
    if (auto told = impl.applier.return_kept(*kept, reason, impl.now_ms()); !told) {
      return told;
    }
    return impl.audit(by, "sealed operation " + std::to_string(number) + " returned");
  });
}

}  // namespace gridwhistle

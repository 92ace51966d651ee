#include <algorithm>

#include "apply/applier.h"
#include "apply/limits.h"
#include "schema/kinds.h"
#include "wire/frames.h"

// What is kept and waits: for a reviewer, for an upgrade, or for a record that has not arrived.
namespace gridwhistle {

namespace {

Receipt waits(Seq seq, OutcomeStatus why) {
  if (why == OutcomeStatus::kSealed) {
    return {seq, why, static_cast<std::uint32_t>(ErrorCode::kOutOfScope),
            "随所属记录待复核 / it goes with its record, which a reviewer has"};
  }
  return {seq, why, static_cast<std::uint32_t>(ErrorCode::kNotFound),
          "所属记录尚未送达，送达后处理 / the record it belongs to has not arrived; it waits for "
          "that"};
}

}  // namespace

Result<const WaitingList*> Applier::waiting() {
  if (!waiting_) {
    auto read = WaitingList::read(storage_, schema_);
    if (!read) return std::unexpected(std::move(read.error()));
    waiting_ = std::move(*read);
  }
  return &*waiting_;
}

Result<bool> Applier::exists(const RecordKey& key) {
  auto record = storage_.record(key);
  if (!record) return std::unexpected(std::move(record.error()));
  return *record && (*record)->state.exists;
}

// An edit of a record whose creation is kept would find nothing to edit, and a part of it would lie
// where nobody sees it: they are kept with it.
Result<std::optional<Receipt>> Applier::follows_kept(Workspace& workspace, const Author& author,
                                                     const Operation& operation, Seq seq) {
  auto list = waiting();
  if (!list) return std::unexpected(std::move(list.error()));
  const bool makes = makes_whole(schema_, operation);
  const auto first = makes ? whole_of(schema_, operation) : std::optional(operation.id);
  if (!first) return std::nullopt;
  const auto why = (*list)->creation_kept(author.device.device, *first);
  if (!why) return std::nullopt;
  const KindSchema& kind = *schema_.kind(operation.kind);
  const RecordKey whole = workspace.parent_of(kind, operation.set);
  auto page = workspace.open(makes ? whole : RecordKey{operation.kind, operation.id});
  if (!page) return std::unexpected(std::move(page.error()));
  if ((*page)->record.state.exists) return std::nullopt;
  return waits(seq, *why);
}

Result<std::optional<Receipt>> Applier::before_whole(Workspace& workspace, const Author& author,
                                                     const Operation& operation, Seq seq) {
  const std::optional<RecordKey> whole = awaited_by(schema_, operation);
  if (!whole || !operation.creates) return std::nullopt;
  auto page = workspace.open(*whole);
  if (!page) return std::unexpected(std::move(page.error()));
  if ((*page)->record.state.exists) return std::nullopt;
  auto list = waiting();
  if (!list) return std::unexpected(std::move(list.error()));
  if ((*list)->awaiting_of(author.device.device) >= limits::kWaitingPerDevice) {
    return Receipt{
        seq, OutcomeStatus::kRejected, static_cast<std::uint32_t>(ErrorCode::kTooMany),
        "等待所属记录送达的过多 / too much of this phone's work waits for records of others"};
  }
  return waits(seq, OutcomeStatus::kParked);
}

// A transaction that makes the record behind what belongs to it would wait for itself.
Receipt Applier::kept_or_not(Receipt cause, std::span<const Operation> operations) {
  const bool makes_it = std::ranges::any_of(operations, [&](const Operation& made) {
    return makes_whole(schema_, made) &&
           std::ranges::any_of(operations, [&](const Operation& operation) {
             return awaited_by(schema_, operation) == RecordKey{made.kind, made.id};
           });
  });
  if (cause.status == OutcomeStatus::kParked && makes_it &&
      cause.code == static_cast<std::uint32_t>(ErrorCode::kNotFound)) {
    cause.status = OutcomeStatus::kRejected;
    cause.message = "所属记录应在前 / in a transaction a record comes before what belongs to it";
  }
  return cause;
}

// Records have come into being: what was waiting for them is judged now.
Result<void> Applier::take_up_waiting(std::span<const Operation> operations, std::int64_t now_ms) {
  auto list = waiting();
  if (!list) return std::unexpected(std::move(list.error()));
  for (const Operation& operation : operations) {
    const std::vector<std::uint64_t> parts = (*list)->awaiting(operation.id);
    if (parts.empty()) continue;
    auto here = exists({operation.kind, operation.id});
    if (!here) return std::unexpected(std::move(here.error()));
    if (!*here) continue;
    for (const std::uint64_t number : parts) {
      auto kept = storage_.kept_operation(number);
      if (!kept) return std::unexpected(std::move(kept.error()));
      if (auto applied = apply_kept(**kept, now_ms); !applied) {
        return std::unexpected(std::move(applied.error()));
      }
    }
  }
  return {};
}

// A kept transaction comes off the list: it is decided now.
Result<Applier::TakenOff> Applier::take_off(const KeptOperation& kept) {
  auto operations = operations_of(schema_, kept);
  if (!operations) return std::unexpected(std::move(operations.error()));
  auto author = author_of(storage_, kept, *operations);
  if (!author) return std::unexpected(std::move(author.error()));
  auto list = waiting();
  if (!list) return std::unexpected(std::move(list.error()));
  TakenOff taken{std::move(*author), std::move(*operations), (*list)->made_by(kept.number)};
  waiting_->remove(kept.number);
  return taken;
}

Result<std::vector<Receipt>> Applier::apply_kept(const KeptOperation& kept, std::int64_t now_ms) {
  auto taken = take_off(kept);
  if (!taken) return std::unexpected(std::move(taken.error()));
  const auto& [author, operations, made] = *taken;
  const Authority authority =
      kept.why == OutcomeStatus::kSealed ? Authority::kGivenByReviewer : Authority::kChecked;
  auto receipts = apply_transaction(author, operations, now_ms, authority);
  if (!receipts) return receipts;
  if (auto set = storage_.set_kept_state(kept.number, KeptState::kApplied); !set) {
    return std::unexpected(set.error());
  }
  if (auto told = tell_applied(author, operations, *receipts, now_ms); !told) {
    return std::unexpected(told.error());
  }
  for (const RecordId& record : made) {
    const auto maker = std::ranges::find(operations, record, &Operation::id);
    const Receipt& receipt = (*receipts)[static_cast<std::size_t>(maker - operations.begin())];
    if (auto done = deal_with_followers(record, receipt, now_ms); !done) {
      return std::unexpected(done.error());
    }
  }
  return receipts;
}

// Its author was told that it waits.
Result<void> Applier::tell_applied(const Author& author, std::span<const Operation> operations,
                                   const std::vector<Receipt>& receipts, std::int64_t now_ms) {
  Workspace workspace(storage_, schema_, now_ms);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (receipts[i].status != OutcomeStatus::kAccepted) continue;
    if (auto told = tell_author(workspace, mint_, author, operations[i], receipts[i], {}, {});
        !told) {
      return told;
    }
  }
  return finish(workspace);
}

// What follows a record is taken up once that is there, goes back when it never will be, and waits
// on where the record does.
Result<void> Applier::deal_with_followers(RecordId record, const Receipt& receipt,
                                          std::int64_t now_ms) {
  if (receipt.status == OutcomeStatus::kSealed || receipt.status == OutcomeStatus::kParked) {
    return {};
  }
  for (const std::uint64_t number : waiting_->followers_of(record)) {
    auto kept = storage_.kept_operation(number);
    if (!kept) return std::unexpected(std::move(kept.error()));
    if (was_applied(receipt.status)) {
      auto applied = apply_kept(**kept, now_ms);
      if (!applied) return std::unexpected(std::move(applied.error()));
    } else if (auto told = return_kept(**kept, receipt.message, now_ms); !told) {
      return told;
    }
  }
  return {};
}

Result<void> Applier::return_kept(const KeptOperation& kept, std::string_view reason,
                                  std::int64_t now_ms) {
  auto taken = take_off(kept);
  if (!taken) return std::unexpected(std::move(taken.error()));
  const auto& [author, operations, made] = *taken;
  const Seq seq(storage_.last_seq().value + 1);
  storage_.set_last_seq(seq);
  const Receipt returned{seq, OutcomeStatus::kRejected,
                         static_cast<std::uint32_t>(ErrorCode::kOutOfScope), std::string(reason)};
  std::vector<Receipt> receipts(operations.size(), returned);
  if (auto told = refuse(author, operations, receipts, now_ms); !told) return told;
  if (auto set = storage_.set_kept_state(kept.number, KeptState::kReturned); !set) return set;
  for (const RecordId& record : made) {
    if (auto done = deal_with_followers(record, returned, now_ms); !done) return done;
  }
  return {};
}

// A transaction waits for the last of its kinds and for its record, or it would be parked anew at
// every start.
Result<bool> Applier::waits_still(const KeptOperation& kept) {
  auto operations = operations_of(schema_, kept);
  if (!operations) return true;
  if (std::ranges::any_of(*operations, [&](const Operation& operation) {
        return schema_.kind(operation.kind) == nullptr;
      })) {
    return true;
  }
  if (waiting_->followed_by(kept.number) != 0) return true;
  const auto whole = waiting_->awaited_by(kept.number);
  if (!whole) return false;
  auto here = exists(*whole);
  if (!here) return std::unexpected(std::move(here.error()));
  return !*here;
}

Result<void> Applier::replay_parked(std::int64_t now_ms) {
  if (auto list = waiting(); !list) return std::unexpected(std::move(list.error()));
  auto parked = storage_.waiting_operations(OutcomeStatus::kParked);
  if (!parked) return std::unexpected(std::move(parked.error()));
  for (const KeptOperation& kept : *parked) {
    if (!waiting_->contains(kept.number)) continue;  // taken up with what it follows
    auto waits = waits_still(kept);
    if (!waits) return std::unexpected(std::move(waits.error()));
    if (*waits) continue;
    if (auto applied = apply_kept(kept, now_ms); !applied) {
      return std::unexpected(std::move(applied.error()));
    }
  }
  return {};
}

}  // namespace gridwhistle

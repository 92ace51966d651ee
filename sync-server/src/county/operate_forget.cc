#include <algorithm>
#include <set>

#include "access/audit.h"
#include "base/line.h"
#include "county/impl.h"
#include "schema/kinds.h"

// Deletion for good: a resident's right, and the end of what may be kept.
namespace gridwhistle {

namespace {

/// Set while something that was forgotten may still stand between what the file holds.
constexpr std::string_view kTraces = "traces";
// A tenth of a second's reading, or two: calls wait for no longer.
constexpr std::uint64_t kWipedAtOnce = std::uint64_t{64} << 20;

std::string named(const Schema& schema, const RecordKey& key) {
  return std::string(schema.kind(key.kind)->name) + " " + key.id.text();
}

ForgetReport report_of(Forgotten forgotten) {
  return {.records = std::move(forgotten.records),
          .receipts = forgotten.receipts,
          .lost_values = forgotten.lost_values,
          .kept = forgotten.kept.size(),
          .not_wiped = {}};
}

// What the rules stand on ends with the county's lists; receipts lose what they quote with the
// records that they are of.
Result<void> check_forgettable(const Schema& schema, const std::vector<RecordKey>& keys) {
  for (const RecordKey& key : keys) {
    const KindSchema* kind = schema.kind(key.kind);
    if (kind == nullptr)
      return fail(ErrorCode::kNotFound, both("没有这种记录", "there is no such kind of record"));
    if (!kind->reference && kind->id != kinds::kOutcome) continue;
    return fail(ErrorCode::kForbidden,
                both(std::string(kind->name_zh) + "不能这样删除；名录和规则请在清单中停用",
                     "a record of the kind " + std::string(kind->name) +
                         " is not forgotten; what the county's lists name ends there"));
  }
  return {};
}

// The audit never holds values; a purpose that somebody typed may. So an entry that names kept work
// which spoke of a forgotten record loses what it says, and keeps its place in the chain.
Result<void> forget_purposes(Storage& storage, const std::vector<std::uint64_t>& kept) {
  std::vector<std::uint64_t> entries;
  const auto looked = storage.scan_audit([&](const AuditRow& row) -> Result<void> {
    const bool speaks = std::ranges::any_of(kept, [&](std::uint64_t number) {
      return row.content.find(shown_kept_text(number)) != std::string::npos;
    });
    if (speaks) entries.push_back(row.number);
    return {};
  });
  if (!looked) return looked;
  for (const std::uint64_t number : entries) {
    if (auto gone = storage.forget_audit(number); !gone) return gone;
  }
  return {};
}

}  // namespace

// What was forgotten before the process ended is wiped after the next start.
std::optional<Error> County::Impl::wipe(std::uint64_t bytes) {
  const auto traces = storage->fact(kTraces);
  const bool has_traces = !traces || !traces->empty();
  if (!has_traces) {
    const auto cut = storage->cut_log();
    wipe_due = !cut;
    return cut ? std::nullopt : std::optional(cut.error());
  }
  const auto next = storage->wipe(wiped_bytes, bytes);
  if (!next) return next.error();
  wiped_bytes = *next;
  wipe_due = *next != 0;
  if (!wipe_due) static_cast<void>(in_batch([&] { return storage->set_fact(kTraces, ""); }));
  return std::nullopt;
}

Result<RecordKey> County::locate(RecordId id) const {
  for (const KindSchema& kind : impl_->schema.kinds) {
    auto record = impl_->storage->record({kind.id, id});
    if (!record) return std::unexpected(std::move(record.error()));
    if (!*record) {
      auto gone = impl_->storage->is_gone({kind.id, id});
      if (!gone) return std::unexpected(std::move(gone.error()));
      if (*gone) return RecordKey{kind.id, id};
      continue;
    }
    if (!(*record)->state.forgotten) return RecordKey{kind.id, id};
    return fail(ErrorCode::kForgotten,
                both(id.text() + " 已经彻底删除", id.text() + " is forgotten already"));
  }
  return fail(ErrorCode::kNotFound,
              both("没有标识为 " + id.text() + " 的记录；export 列出每条记录的标识",
                   "there is no record " + id.text() + "; `export` lists every record's id"));
}

std::optional<Error> County::Impl::wipe_all() {
  wipe_begins();
  return wipe(kWholeFile);
}

void County::Impl::wipe_begins() {
  wipe_due = true;
  wiped_bytes = 0;
}

Result<void> County::wipe_some() {
  if (!impl_->wipe_due) return {};
  if (auto failed = impl_->wipe(kWipedAtOnce)) return std::unexpected(std::move(*failed));
  return {};
}

Result<ForgetReport> County::forget(const std::vector<RecordKey>& keys, std::string_view by,
                                    bool dry_run, const NoteForgotten& note, Wiping wiping) {
  Impl& impl = *impl_;
  if (auto fine = check_forgettable(impl.schema, keys); !fine) return std::unexpected(fine.error());
  if (dry_run) {
    if (auto begun = impl.begin(); !begun) return std::unexpected(begun.error());
    auto tried = impl.applier.forget_records(keys, impl.now_ms());
    impl.storage->rollback();
    impl.applier.rolled_back();
    if (!tried) return std::unexpected(std::move(tried.error()));
    return report_of(std::move(*tried));
  }
  auto done = impl.in_batch([&]() -> Result<ForgetReport> {
    auto forgotten = impl.applier.forget_records(keys, impl.now_ms());
    if (!forgotten) return std::unexpected(std::move(forgotten.error()));
    if (auto gone = forget_purposes(*impl.storage, forgotten->kept); !gone) {
      return std::unexpected(gone.error());
    }
    std::string which;
    for (const RecordKey& key : keys)
      which += (which.empty() ? "" : ", ") + named(impl.schema, key);
    auto audited = impl.audit(by, "forgot " + which + "; with what belongs to it " +
                                      std::to_string(forgotten->records.size()) + " records");
    if (!audited) return std::unexpected(audited.error());
    if (auto noted = note(forgotten->records); !noted) return std::unexpected(noted.error());
    if (auto due = impl.storage->set_fact(kTraces, "1"); !due) return std::unexpected(due.error());
    return report_of(std::move(*forgotten));
  });
  if (!done) return done;
  if (wiping == Wiping::kAtOnce) {
    done->not_wiped = impl.wipe_all();
  } else {
    impl.wipe_begins();
  }
  return done;
}

Result<std::vector<RecordKey>> County::due(const RetentionPeriods& periods) const {
  return due_records(*impl_->storage, impl_->schema, periods, impl_->now_ms());
}

Result<std::vector<RecordKey>> County::still_due(const RetentionPeriods& periods,
                                                 const std::vector<RecordKey>& keys) const {
  return still_due_records(*impl_->storage, periods, impl_->now_ms(), keys);
}

Result<std::size_t> County::forget_again(const std::vector<RecordKey>& keys) {
  Impl& impl = *impl_;
  std::vector<RecordKey> back;
  for (const RecordKey& key : keys) {
    if (impl.schema.kind(key.kind) == nullptr) continue;
    auto record = impl.storage->record(key);
    if (!record) return std::unexpected(std::move(record.error()));
    if (!*record || !(*record)->state.forgotten) back.push_back(key);
  }
  if (back.empty()) return 0;
  const auto done = impl.in_batch([&]() -> Result<std::size_t> {
    if (impl.epochs.empty() || impl.epochs.front().id != impl.epoch) {
      if (auto added = impl.add_epoch(); !added) return std::unexpected(added.error());
    }
    auto forgotten = impl.applier.forget_records(back, impl.now_ms());
    if (!forgotten) return std::unexpected(std::move(forgotten.error()));
    if (auto due = impl.storage->set_fact(kTraces, "1"); !due) return std::unexpected(due.error());
    auto audited = impl.audit(
        "restore", "forgot again " + std::to_string(forgotten->records.size()) + " records");
    if (!audited) return std::unexpected(audited.error());
    return forgotten->records.size();
  });
  if (!done) return done;
  auto epochs = impl.storage->epochs();
  if (!epochs) return std::unexpected(std::move(epochs.error()));
  impl.epochs = std::move(*epochs);
  impl.wipe_all();
  return done;
}

}  // namespace gridwhistle

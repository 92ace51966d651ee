#include "access/grants.h"
#include "base/line.h"
#include "county/impl.h"
#include "model/record.h"
#include "schema/fields.h"
#include "schema/kinds.h"

// What operators do to records, and to the devices that may write them.
namespace gridwhistle {

namespace {

StoredRow row_of(const RecordKey& key, const StoredRecord& stored) {
  return {key.kind, key.id, stored.state.body, stored.state.last_seq, stored.state.erased};
}

Result<std::string> whole_record(const KindSchema& kind, std::string_view message) {
  auto body = canonical(kind, message);
  if (!body) return body;
  if (auto fine = check_required(kind, *body); !fine) return std::unexpected(fine.error());
  return body;
}

// The fields that a record has and its successor lacks.
std::vector<std::uint32_t> dropped_fields(std::string_view before, std::string_view after) {
  std::vector<std::uint32_t> dropped;
  for (const FieldView& field : fields_of(before)) {
    if (field_of(after, field.number).entries.empty()) dropped.push_back(field.number);
  }
  return dropped;
}

}  // namespace

Result<std::optional<StoredRow>> County::get(KindId kind, RecordId id) const {
  auto stored = impl_->storage->record({kind, id});
  if (!stored) return std::unexpected(std::move(stored.error()));
  if (!*stored) return std::nullopt;
  return row_of({kind, id}, **stored);
}

Result<std::optional<StoredRow>> County::find(KindId kind, std::uint32_t field,
                                              std::string_view text) const {
  const KindSchema* known = impl_->schema.kind(kind);
  if (known == nullptr)
    return fail(ErrorCode::kNotFound, both("没有这种记录", "there is no such kind of record"));
  auto ids = impl_->storage->find(*known, field, text);
  if (!ids) return std::unexpected(std::move(ids.error()));
  if (ids->empty()) return std::nullopt;
  if (ids->size() > 1) {
    const std::string count = std::to_string(ids->size());
    return fail(
        ErrorCode::kConflict,
        both("有 " + count + " 条" + std::string(known->name_zh) + "是这个值；请用标识指明一条",
             count + " records of the kind " + std::string(known->name) +
                 " have this value; name one by its id"));
  }
  return get(kind, ids->front());
}

Result<std::vector<StoredRow>> County::all(KindId kind) const {
  std::vector<StoredRow> rows;
  const auto scanned =
      impl_->storage->scan(kind, [&](RecordId id, StoredRecord stored) -> Result<void> {
        if (!stored.state.erased) rows.push_back(row_of({kind, id}, stored));
        return {};
      });
  if (!scanned) return std::unexpected(scanned.error());
  return rows;
}

Result<std::size_t> County::Impl::lead_headless() {
  auto ids =
      storage->find(*schema.kind(kinds::kWhistle), fields::whistle::kHeadless, std::int64_t{1});
  if (!ids) return std::unexpected(std::move(ids.error()));
  auto reference = applier.reference();
  if (!reference) return std::unexpected(std::move(reference.error()));
  Workspace workspace(*storage, schema, now_ms());
  Road road(workspace, **reference, applier.mint());
  std::size_t led = 0;
  for (const RecordId id : *ids) {
    auto left = road.rules_changed(id);
    if (!left) return std::unexpected(std::move(left.error()));
    led += *left ? 1 : 0;
  }
  if (auto done = applier.finish(workspace); !done) return std::unexpected(done.error());
  return led;
}

Result<ImportReport> County::import_records(const std::vector<ImportedRecord>& records,
                                            std::string_view by, bool dry_run) {
  Impl& impl = *impl_;
  ImportReport report;
  Workspace workspace(*impl.storage, impl.schema, impl.now_ms());
  const auto lay_in = [&](const ImportedRecord& record) -> Result<void> {
    const KindSchema* kind = impl.schema.kind(record.kind);
    if (kind == nullptr)
      return fail(ErrorCode::kInvalid, both("没有这种记录", "there is no such kind of record"));
    auto body = whole_record(*kind, record.body);
    if (!body) return std::unexpected(std::move(body.error()));
    const RecordKey key{record.kind, record.id};
    auto page = workspace.open(key);
    if (!page) return std::unexpected(std::move(page.error()));
    const RecordState& state = (*page)->record.state;
    const bool fresh = !state.exists || state.erased;
    if (!fresh && state.body == *body) {
      ++report.unchanged;
      return {};
    }
    ++(fresh ? report.created : report.changed);
    return workspace.write(key, *body, dropped_fields(state.body, *body), workspace.next_seq());
  };
  const auto import = [&]() -> Result<void> {
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (auto laid = lay_in(records[i]); !laid) {
        laid.error().message =
            "record " + std::to_string(i + 1) + ": " + std::move(laid.error().message);
        return laid;
      }
    }
    if (auto done = impl.applier.finish(workspace); !done) return done;
    auto led = impl.lead_headless();
    if (!led) return std::unexpected(std::move(led.error()));
    report.led = *led;
    return impl.audit(by, "import of " + std::to_string(report.created) + " new and " +
                              std::to_string(report.changed) + " changed records");
  };
  if (dry_run) {
    if (auto begun = impl.begin(); !begun) return std::unexpected(begun.error());
    const auto tried = import();
    impl.storage->rollback();
    impl.applier.rolled_back();
    if (!tried) return std::unexpected(tried.error());
    return report;
  }
  if (auto imported = impl.in_batch(import); !imported) return std::unexpected(imported.error());
  return report;
}

Result<RecordId> County::write(KindId kind_id, RecordId id, std::string_view set,
                               const std::vector<std::uint32_t>& clear, std::string_view by) {
  Impl& impl = *impl_;
  const KindSchema* kind = impl.schema.kind(kind_id);
  if (kind == nullptr)
    return fail(ErrorCode::kNotFound, both("没有这种记录", "there is no such kind of record"));
  auto part = canonical(*kind, set);
  if (!part) return std::unexpected(std::move(part.error()));
  return impl.in_batch([&]() -> Result<RecordId> {
    Workspace workspace(*impl.storage, impl.schema, impl.now_ms());
    const RecordKey key{kind_id, id};
    auto page = workspace.open(key);
    if (!page) return std::unexpected(std::move(page.error()));
    const bool fresh = !(*page)->record.state.exists;
    const Seq seq = workspace.next_seq();
    if (auto written = workspace.write(key, *part, clear, seq); !written) {
      return std::unexpected(written.error());
    }
    if (auto fine = check_required(*kind, (*page)->record.state.body); !fine) {
      return std::unexpected(fine.error());
    }
    if (fresh && kind_id == kinds::kWhistle) {
      auto reference = impl.applier.reference();
      if (!reference) return std::unexpected(std::move(reference.error()));
      Road road(workspace, **reference, impl.applier.mint());
      if (auto opened = road.opened(id, Actor{}, seq); !opened) {
        return std::unexpected(opened.error());
      }
    }
    if (auto done = impl.applier.finish(workspace); !done) return std::unexpected(done.error());
    if (auto noted = impl.audit(by, "write " + std::string(kind->name) + " " + id.text()); !noted) {
      return std::unexpected(noted.error());
    }
    return id;
  });
}

}  // namespace gridwhistle

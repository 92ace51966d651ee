#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "access/audit.h"
#include "base/line.h"
#include "base/sha256.h"
#include "county/impl.h"
#include "model/record.h"
#include "schema/fields.h"
#include "schema/kinds.h"

// The county as a whole: how it is, whether it is sound, and its backup.
namespace gridwhistle {

namespace {

// A line about a record.
Line line_of(const KindSchema& kind, RecordId id, const std::string& zh, const std::string& en) {
  return {std::string(kind.name_zh) + " " + id.text() + " " + zh,
          std::string(kind.name) + " " + id.text() + " " + en};
}

// Holds every record against the feed's lines and the records it refers to.
class Inspection {
 public:
  Inspection(Storage& storage, const Schema& schema, VerifyReport& report)
      : storage_(storage), schema_(schema), report_(report) {}

  Result<void> run() {
    const auto read = storage_.scan_feed([&](ScopeNo scope, const FeedEntry& line) -> Result<void> {
      lines_[{scope, line.seq}] = {line.key, line.entered, line.in};
      ++report_.memberships;
      return {};
    });
    if (!read) return read;
    for (const KindSchema& kind : schema_.kinds) {
      const auto compared = storage_.scan_digests(kind.id, [&](RecordId id, bool as_written) {
        if (as_written) return Result<void>();
        report_.faults.push_back(line_of(kind, id, "与写入时不同", "is not as it was written"));
        return Result<void>();
      });
      if (!compared) return compared;
      if (auto looked = look_at(kind); !looked) return looked;
    }
    for (const auto& [place, line] : lines_) {
      const KindSchema* kind = schema_.kind(std::get<0>(line).kind);
      if (kind == nullptr) continue;
      report_.faults.push_back(line_of(*kind, std::get<0>(line).id, "列在分发目录中，却不存在",
                                       "stands in a feed and is not there"));
    }
    return {};
  }

 private:
  Result<void> look_at(const KindSchema& kind) {
    return storage_.scan(kind.id, [&](RecordId id, StoredRecord stored) -> Result<void> {
      ++report_.records;
      if (stored.state.last_seq > storage_.last_seq()) {
        report_.faults.push_back(line_of(kind, id, "超前于日志", "is ahead of the log"));
      }
      for (const Membership& m : stored.memberships) {
        const auto line = lines_.find({m.scope, m.seq});
        if (line == lines_.end() ||
            line->second != std::tuple(RecordKey{kind.id, id}, m.entered, m.in)) {
          const std::string scope(storage_.scope_name(m.scope));
          report_.faults.push_back(line_of(kind, id, "不在 " + scope + " 的分发目录中",
                                           "lacks its line in the feed of " + scope));
        } else {
          lines_.erase(line);
        }
      }
      if (auto looked = look_at_parent(kind, id, stored); !looked) return looked;
      return look_at_references(kind, id, stored);
    });
  }

  // What a record follows must know of it.
  Result<void> look_at_parent(const KindSchema& kind, RecordId id, const StoredRecord& stored) {
    if (kind.scope_parent == 0) return {};
    const auto parent =
        RecordId::from_bytes(text_of(stored.state.body, kind.scope_parent).value_or(""));
    if (!parent) return {};
    auto children = storage_.children(*parent);
    if (!children) return std::unexpected(std::move(children.error()));
    if (std::ranges::find(*children, RecordKey{kind.id, id}) != children->end()) return {};
    report_.faults.push_back(
        line_of(kind, id, "没有列在所属记录之下", "is not listed under what it follows"));
    return {};
  }

  Result<void> look_at_references(const KindSchema& kind, RecordId id, const StoredRecord& stored) {
    if (stored.state.erased) return {};
    for (const FieldSchema& field : kind.fields) {
      if (!field.refers_to) continue;
      for (const ValueView& value : values_of(field_of(stored.state.body, field.number).entries)) {
        const auto target = RecordId::from_bytes(value.bytes);
        if (!target) continue;
        auto found = storage_.record({field.refers_to, *target});
        if (!found) return std::unexpected(std::move(found.error()));
        if (*found && !(*found)->state.erased) continue;
        const std::string name(field.name);
        Line words =
            line_of(kind, id, (*found ? "所指的记录已删除：" : "所指的记录不存在：") + name,
                    (*found ? "names an erased " : "names a missing ") + name);
        // A part may come before its whole, but for those that only the server's rules make.
        const bool is_orphan = field.number == kind.scope_parent && (*found || kind.never_erased);
        (is_orphan ? report_.orphans : report_.notes).push_back(std::move(words));
      }
    }
    return {};
  }

  Storage& storage_;
  const Schema& schema_;
  VerifyReport& report_;
  std::map<std::pair<ScopeNo, Seq>, std::tuple<RecordKey, Seq, bool>> lines_;
};

Result<void> inspect_lanes(Storage& storage, VerifyReport& report) {
  auto devices = storage.devices();
  if (!devices) return std::unexpected(std::move(devices.error()));
  for (const DeviceRow& device : *devices) {
    for (const Lane lane : kLanes) {
      auto row = storage.lane(device.device, lane);
      if (!row) return std::unexpected(std::move(row.error()));
      auto chunks = storage.chunks(device.device, lane, LaneSeq(), row->last);
      if (!chunks) return std::unexpected(std::move(chunks.error()));
      const std::string number = std::to_string(static_cast<int>(lane));
      const std::string owner = std::to_string(device.device.value);
      const auto find = [&](const std::string& zh, const std::string& en) {
        report.faults.push_back({"设备 " + owner + " 的通道 " + number + " " + zh,
                                 "lane " + number + " of device " + owner + " " + en});
      };
      LaneSeq next = chunks->empty() ? LaneSeq(row->last.value + 1) : chunks->front().first;
      if (next.value > row->noted.value + 1) find("丢失了回执", "has lost outcomes");
      for (const LaneChunk& chunk : *chunks) {
        if (chunk.first != next) find("有缺失", "has a gap");
        next = LaneSeq(chunk.last().value + 1);
      }
      if (next.value != row->last.value + 1) find("过早结束", "ends too early");
    }
  }
  return {};
}

}  // namespace

Result<CountyStatus> County::status() const {
  Impl& impl = *impl_;
  CountyStatus out;
  out.county = impl.storage->county();
  out.last_seq = impl.storage->last_seq();
  if (auto filled = impl.fill_backup_status(out); !filled) return std::unexpected(filled.error());
  out.epochs = impl.epochs.size();
  out.sessions = impl.sessions.size();
  auto redraws = impl.applier.redraws();
  if (!redraws) return std::unexpected(std::move(redraws.error()));
  out.redrawing = (*redraws)->all().size() - impl.redrawn.redraws;
  auto all = devices();
  if (!all) return std::unexpected(std::move(all.error()));
  out.devices = all->size();
  for (const DeviceInfo& device : *all) out.silent_devices += is_silent(device) ? 1 : 0;
  auto queue = headless();
  if (!queue) return std::unexpected(std::move(queue.error()));
  out.headless = queue->size();
  for (const auto& [why, count] :
       {std::pair{OutcomeStatus::kSealed, &out.sealed}, {OutcomeStatus::kParked, &out.parked}}) {
    auto waiting = impl.storage->waiting_operations(why);
    if (!waiting) return std::unexpected(std::move(waiting.error()));
    *count = waiting->size();
  }
  for (const KindSchema& kind : impl.schema.kinds) {
    auto count = impl.storage->count(kind.id);
    if (!count) return std::unexpected(std::move(count.error()));
    if (*count > 0) out.records.emplace_back(kind.id, *count);
    if (kind.id == kinds::kWhistle) out.whistles = *count;
  }
  return out;
}

StorageHealth County::storage_health() const { return impl_->watch.health(); }

Result<VerifyReport> County::verify() const {
  Impl& impl = *impl_;
  VerifyReport report;
  auto damage = impl.storage->damage();
  if (!damage) return std::unexpected(std::move(damage.error()));
  for (const std::string& what : *damage) {
    report.faults.push_back({"SQLite：" + what, "SQLite: " + what});
  }
  // Whatever is read from such a file says nothing sure.
  if (!report.faults.empty()) return report;
  auto chain = verify_audit(*impl.storage);
  if (!chain) return std::unexpected(std::move(chain.error()));
  report.audit_entries = chain->entries;
  report.faults = std::move(chain->faults);
  auto books = impl.storage->short_books();
  if (!books) return std::unexpected(std::move(books.error()));
  report.faults.insert(report.faults.end(), books->begin(), books->end());
  if (auto done = Inspection(*impl.storage, impl.schema, report).run(); !done) {
    return std::unexpected(done.error());
  }
  if (auto done = inspect_lanes(*impl.storage, report); !done) {
    return std::unexpected(done.error());
  }
  return report;
}

}  // namespace gridwhistle

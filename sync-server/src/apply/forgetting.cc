#include "apply/forgetting.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "apply/applier.h"
#include "apply/purging.h"
#include "model/forget.h"
#include "model/record.h"
#include "schema/fields.h"
#include "schema/kinds.h"
#include "wire/frames.h"

namespace gridwhistle {

namespace {

// A part that was refused: it stands in its author's receipt alone, with all that it said.
struct RefusedPart {
  RecordId receipt;
  RecordKey key;
  RecordKey whole;
};

struct KeptFrame {
  KeptOperation kept;
  std::vector<Operation> operations;
};

constexpr std::size_t kSha256Bytes = 32;

// The SHA-256 that an attachment names. Nobody has looked yet at whether it is one.
void note_file(KindId kind, const std::string& body, std::vector<std::string>& files) {
  if (kind != kinds::kAttachment) return;
  const auto file = text_of(body, fields::attachment::kSha256);
  if (file && file->size() == kSha256Bytes) files.emplace_back(*file);
}

// One forgetting, from the records that are named to everything that says anything of them.
class Forgetting {
 public:
  Forgetting(Workspace& workspace, const MintId& mint, const std::vector<RecordKey>& named)
      : workspace_(workspace), storage_(workspace.storage()), mint_(mint), named_(named) {}

  Result<Forgotten> run() {
    if (auto read = read_kept(); !read) return std::unexpected(read.error());
    if (auto read = read_refused(); !read) return std::unexpected(read.error());
    for (const RecordKey& key : named_) {
      if (auto added = add(key); !added) return std::unexpected(added.error());
    }
    if (auto followed = follow_kept(); !followed) return std::unexpected(followed.error());
    for (std::size_t i = 0; i < order_.size(); ++i) {
      if (auto done = take_record(order_[i]); !done) return std::unexpected(done.error());
      if (auto done = take_lost_values(order_[i]); !done) return std::unexpected(done.error());
      if (auto done = take_receipts(order_[i]); !done) return std::unexpected(done.error());
    }
    if (auto done = take_refused(); !done) return std::unexpected(done.error());
    if (auto done = take_kept(); !done) return std::unexpected(done.error());
    if (auto told = tell_writers(); !told) return std::unexpected(told.error());
    return std::move(forgotten_);
  }

  const std::vector<std::string>& files() const { return files_; }

 private:
  bool goes(const RecordKey& key) const { return all_.contains(key); }

  // A record and everything that belongs to it, at every depth, erased or not.
  Result<void> add(const RecordKey& first) {
    std::vector<RecordKey> wholes = {first};
    while (!wholes.empty()) {
      const RecordKey whole = wholes.back();
      wholes.pop_back();
      if (!all_.insert(whole).second) continue;
      order_.push_back(whole);
      auto keys = workspace_.children(whole.id);
      if (!keys) return std::unexpected(std::move(keys.error()));
      for (const RecordKey& key : *keys) {
        auto page = workspace_.open(key);
        if (!page) return std::unexpected(std::move(page.error()));
        if (workspace_.parent_of(*(*page)->kind, (*page)->record.state.body) == whole) {
          wholes.push_back(key);
        }
      }
    }
    return {};
  }

  Result<void> read_kept() {
    auto all = storage_.kept_operations();
    if (!all) return std::unexpected(std::move(all.error()));
    for (KeptOperation& kept : *all) {
      auto operations = operations_of(workspace_.schema(), kept);
      if (!operations) return std::unexpected(std::move(operations.error()));
      kept_.push_back({std::move(kept), std::move(*operations)});
    }
    return {};
  }

  Result<void> read_refused() {
    return storage_.scan(kinds::kOutcome, [&](RecordId id, StoredRecord receipt) -> Result<void> {
      const std::string& body = receipt.state.body;
      const auto kind = int_of(body, fields::outcome::kRecordKind);
      const auto record =
          RecordId::from_bytes(text_of(body, fields::outcome::kRecord).value_or(""));
      const auto lost = text_of(body, fields::outcome::kLostSet);
      if (!kind || !record || !lost) return {};
      const RecordKey key{KindId(static_cast<std::uint32_t>(*kind)), *record};
      const KindSchema* schema = workspace_.schema().kind(key.kind);
      if (schema == nullptr) return {};
      const RecordKey whole = workspace_.parent_of(*schema, *lost);
      if (whole.kind) refused_.push_back({id, key, whole});
      return {};
    });
  }

  // What is kept may make parts of what goes, and parts of those.
  Result<void> follow_kept() {
    for (std::size_t before = 0; before != all_.size();) {
      before = all_.size();
      for (const KeptFrame& frame : kept_) {
        for (const Operation& operation : frame.operations) {
          const KindSchema* kind = workspace_.schema().kind(operation.kind);
          if (kind == nullptr || !operation.creates) continue;
          if (!goes(workspace_.parent_of(*kind, operation.set))) continue;
          if (auto added = add({operation.kind, operation.id}); !added) return added;
        }
      }
    }
    return {};
  }

  Result<void> take_record(const RecordKey& key) {
    auto page = workspace_.open(key);
    if (!page) return std::unexpected(std::move(page.error()));
    if ((*page)->record.state.forgotten) return {};
    auto leaves = workspace_.leaves_of(key);
    if (!leaves) return std::unexpected(std::move(leaves.error()));
    note_writers(key, (*page)->record.state);
    note_file(key.kind, (*page)->record.state.body, files_);
    const Seq seq = workspace_.next_seq();
    forget((*page)->record.state, seq, workspace_.now_ms());
    if (auto placed = workspace_.place(key, *leaves, seq); !placed) return placed;
    forgotten_.records.push_back(key);
    return {};
  }

  Result<void> take_lost_values(const RecordKey& key) {
    auto lost = storage_.lost_values(key);
    if (!lost) return std::unexpected(std::move(lost.error()));
    forgotten_.lost_values += lost->size();
    for (const LostValue& value : *lost) writers_.emplace(key, value.writer);
    return lost->empty() ? Result<void>() : storage_.drop_lost_values(key);
  }

  // That there was a receipt, and what for, its author still sees.
  Result<void> take_receipts(const RecordKey& key) {
    const KindSchema& outcome = *workspace_.schema().kind(kinds::kOutcome);
    auto ids = storage_.find(outcome, fields::outcome::kRecord, key.id);
    if (!ids) return std::unexpected(std::move(ids.error()));
    for (const RecordId& id : *ids) {
      if (auto taken = take_receipt(key, id); !taken) return taken;
    }
    return {};
  }

  Result<void> take_receipt(const RecordKey& key, RecordId id) {
    constexpr std::array kQuoting = {fields::outcome::kMessage, fields::outcome::kLostSet,
                                     fields::outcome::kLostClear};
    auto page = workspace_.open({kinds::kOutcome, id});
    if (!page) return std::unexpected(std::move(page.error()));
    const std::string& body = (*page)->record.state.body;
    const auto device = last_value_of(field_of(body, fields::outcome::kDevice).entries);
    if (device) writers_.emplace(key, DeviceId(device->scalar));
    const bool quotes = std::ranges::any_of(
        kQuoting, [&](std::uint32_t number) { return !field_of(body, number).entries.empty(); });
    if (!quotes) return {};
    ++forgotten_.receipts;
    return workspace_.write({kinds::kOutcome, id}, {}, {kQuoting.begin(), kQuoting.end()},
                            workspace_.next_seq());
  }

  // Of what goes, and of parts of it that were refused themselves. Under the id that one names
  // somebody else's record may stand: that stays.
  Result<void> take_refused() {
    std::set<RecordKey> parts;
    for (bool more = true; more;) {
      more = false;
      for (const RefusedPart& part : refused_) {
        if (!goes(part.whole) && !parts.contains(part.whole)) continue;
        more |= parts.insert(part.key).second;
      }
    }
    for (const RefusedPart& part : refused_) {
      if (!goes(part.whole) && !parts.contains(part.whole)) continue;
      if (auto taken = take_receipt(part.key, part.receipt); !taken) return taken;
    }
    return {};
  }

  Result<void> take_kept() {
    for (KeptFrame& frame : kept_) {
      bool spoke = false;
      for (Operation& operation : frame.operations) {
        if (!operation.hash_before.empty() || !goes({operation.kind, operation.id})) continue;
        note_file(operation.kind, operation.set, files_);
        forget(operation);
        writers_.emplace(RecordKey{operation.kind, operation.id}, frame.kept.device);
        spoke = true;
      }
      if (!spoke) continue;
      forgotten_.kept.push_back(frame.kept.number);
      std::size_t taken = 0;
      auto set = storage_.set_kept_frame(
          frame.kept.number, encode_operations(frame.kept.device, frame.operations, taken));
      if (!set) return set;
    }
    return {};
  }

  // What a phone wrote stands in its file until a backup has it, and a refusal for longer; the feed
  // tells of the record only who may still see it.
  void note_writers(const RecordKey& key, const RecordState& state) {
    writers_.emplace(key, state.common.writer);
    writers_.emplace(key, state.last_writer);
    for (const FieldStamp& field : state.fields) {
      writers_.emplace(key, field.stamp.writer);
      for (const Stamp& agreed : field.agreed) writers_.emplace(key, agreed.writer);
    }
    for (const ElementStamp& element : state.elements) writers_.emplace(key, element.writer);
  }

  Result<void> tell_writers() {
    for (const auto& [key, writer] : writers_) {
      if (!writer) continue;
      if (auto told = tell_forgotten(workspace_, mint_, key, writer); !told) return told;
    }
    return {};
  }

  Workspace& workspace_;
  Storage& storage_;
  const MintId& mint_;
  const std::vector<RecordKey>& named_;
  std::set<RecordKey> all_;
  std::vector<RecordKey> order_;
  std::vector<KeptFrame> kept_;
  std::vector<RefusedPart> refused_;
  std::set<std::pair<RecordKey, DeviceId>> writers_;
  std::vector<std::string> files_;  ///< that what went has named
  Forgotten forgotten_;
};

}  // namespace

Result<Forgotten> Applier::forget_records(const std::vector<RecordKey>& keys, std::int64_t now_ms) {
  Workspace workspace(storage_, schema_, now_ms);
  Forgetting forgetting(workspace, mint_, keys);
  auto forgotten = forgetting.run();
  if (!forgotten) return forgotten;
  if (auto done = finish(workspace); !done) return std::unexpected(done.error());
  if (auto noted = note_to_purge(storage_, schema_, forgetting.files()); !noted) {
    return std::unexpected(noted.error());
  }
  waiting_.reset();
  return forgotten;
}

Result<bool> Applier::is_forgotten(const RecordKey& key) {
  auto record = storage_.record(key);
  if (!record) return std::unexpected(std::move(record.error()));
  return *record && (*record)->state.forgotten;
}

// What concerns a forgotten record loses its content before anything looks at it: a refusal would
// quote it, a reviewer would be shown it. What would make a part of such a record, or move one
// there, is forgotten with it; and so is the file that it names, which lies there already if the
// county was restored since.
Result<std::optional<std::vector<Operation>>> Applier::without_forgotten(
    std::span<const Operation> operations, std::int64_t now_ms) {
  std::optional<std::vector<Operation>> rest;
  std::vector<std::string> files;
  Workspace workspace(storage_, schema_, now_ms);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const Operation& operation = operations[i];
    const KindSchema* kind = schema_.kind(operation.kind);
    if (kind == nullptr || !operation.hash_before.empty()) continue;
    const RecordKey key{operation.kind, operation.id};
    auto gone = is_forgotten(key);
    if (!gone) return std::unexpected(std::move(gone.error()));
    const RecordKey whole = workspace.parent_of(*kind, operation.set);
    if (!*gone && whole.kind && operation.type == OperationType::kPut) {
      gone = is_forgotten(whole);
      if (!gone) return std::unexpected(std::move(gone.error()));
      auto page = workspace.open(key);
      if (!page) return std::unexpected(std::move(page.error()));
      if (*gone && !(*page)->record.state.exists) {
        forget((*page)->record.state, workspace.next_seq(), now_ms);
        (*page)->dirty = true;
      }
    }
    if (!*gone) continue;
    if (!rest) rest.emplace(operations.begin(), operations.end());
    note_file(operation.kind, operation.set, files);
    forget((*rest)[i]);
  }
  if (auto flushed = workspace.flush(); !flushed) return std::unexpected(flushed.error());
  if (auto noted = note_to_purge(storage_, schema_, files); !noted) {
    return std::unexpected(noted.error());
  }
  return rest;
}

}  // namespace gridwhistle

#include <map>
#include <random>

#include "model/record.h"
#include "phone.h"
#include "store/own_order.h"

namespace gridwhistle::store {
namespace {

using kinds::kVisit;
using kinds::kWhistle;

// Whistles are never erased, but no other kind has every merge policy: here they may be.
const Schema& with_erasures() {
  static const std::vector<KindSchema> kinds = [] {
    std::vector<KindSchema> all(built_schema().kinds.begin(), built_schema().kinds.end());
    for (KindSchema& kind : all) kind.never_erased = false;
    return all;
  }();
  static const Schema schema{built_schema().version, kinds};
  return schema;
}

// What the phone must show, reckoned the slow way: base and pending kept apart, laid together anew
// after each step.
struct Model {
  struct Record {
    std::optional<std::string> base;
    bool gone = false;
    std::vector<Operation> pending;
    std::vector<Operation> folded;
  };
  std::map<RecordId, Record> records;

  static const KindSchema& kind() { return *built_schema().kind(kWhistle); }

  static std::vector<Operation> later(const Record& record, const Operation& operation) {
    std::vector<Operation> all;
    for (const Operation& other : record.folded) {
      if (other.dev_seq > operation.dev_seq) all.push_back(other);
    }
    return all;
  }

  static void lay(std::optional<std::string>& body, const Record& record, const Operation& full) {
    const Operation operation = without_overwritten(kind(), full, later(record, full));
    if (operation.type == OperationType::kErase) {
      body.reset();
    } else {
      body = overlay(kind(), body.value_or(""), operation.set, operation.clear, operation.remove);
    }
  }

  static std::optional<std::string> visible(const Record& record) {
    std::optional<std::string> body = record.base;
    for (const Operation& operation : record.pending) lay(body, record, operation);
    return body;
  }

  void acknowledge(const Operation& operation, bool applied) {
    Record& record = records[operation.id];
    std::erase(record.pending, operation);
    if (!applied) return;
    if (!record.gone) lay(record.base, record, operation);
    record.folded.push_back(operation);
    if (record.pending.empty()) record.folded.clear();
  }

  void cut(const Row& row) {
    Record& record = records[row.id];
    record.gone = row.change == RowChange::kErased;
    if (record.gone) {
      record.base.reset();
    } else if (row.change == RowChange::kWhole) {
      record.base = row.set;
    } else {
      record.base = replace_fields(record.base.value_or(""), row.set, row.clear);
    }
    if (record.gone && record.pending.empty()) record = {};
  }
};

class Play {
 public:
  explicit Play(unsigned seed) : random_(seed) {}

  void step() {
    switch (random_() % 8) {
      case 0:
        return create();
      case 1:
      case 2:
        return edit();
      case 3:
        return random_() % 4 == 0 ? erase() : edit();
      case 4:
      case 5:
        return acknowledge(kLanes[random_() % 2]);
      case 6:
        return cut();
      default:
        if (random_() % 5 == 0) phone_.open();
        if (random_() % 3 == 0) phone_.backed_up(seq_);
    }
  }

  void check() {
    for (const auto& [id, record] : model_.records) {
      const auto expected = Model::visible(record);
      const auto found = phone_->get(kWhistle, id);
      REQUIRE(found.has_value() == expected.has_value());
      if (!expected) continue;
      std::string whole;
      append_text(whole, 1, id.bytes());
      REQUIRE(found->record == whole + *expected);
    }
  }

 private:
  std::string word() { return std::to_string(random_() % 5); }

  v1::Whistle some_fields() {
    v1::Whistle message;
    if (random_() % 2) message.set_title(word());
    if (random_() % 2) message.set_text(word());
    if (random_() % 3 == 0) {
      message.set_latitude(static_cast<double>(random_() % 3));
      message.set_longitude(static_cast<double>(random_() % 3));
    }
    if (random_() % 3 == 0) message.add_tags(word());
    return message;
  }

  RecordId any() {
    auto at = model_.records.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_() % model_.records.size()));
    return at->first;
  }

  // Some changes travel with a visit's operation or alone; the lane follows from the kinds.
  void commit(Change change) {
    const Lane lane = Lane::kWhistles;
    const LaneSeq before = phone_->sync_state()->lanes[index_of(lane)].last;
    if (!phone_->put(std::move(change))) return;
    const auto recorded = phone_->operations(lane, before, 1).value();
    for (const Operation& operation : recorded) {
      model_.records[operation.id].pending.push_back(operation);
      waiting_.push_back(operation);
    }
  }

  void create() {
    v1::Whistle message = some_fields();
    message.set_grid(std::string(kGrid));
    commit({.kind = kWhistle, .set = message.SerializeAsString()});
  }

  void edit() {
    if (model_.records.empty()) return;
    v1::Whistle removed;
    if (random_() % 4 == 0) removed.add_tags(word());
    Change change{.kind = kWhistle,
                  .id = any(),
                  .set = some_fields().SerializeAsString(),
                  .remove = removed.SerializeAsString()};
    if (random_() % 5 == 0) change.clear = {v1::Whistle::kAddressFieldNumber};
    commit(std::move(change));
  }

  void erase() {
    if (model_.records.empty()) return;
    commit({.kind = kWhistle, .id = any(), .type = OperationType::kErase});
  }

  void acknowledge(Lane lane) {
    if (lane != Lane::kWhistles || waiting_.empty()) return;
    const auto count = static_cast<std::uint32_t>(1 + random_() % waiting_.size());
    const bool applied = random_() % 5 != 0;
    phone_.acknowledge(lane, seq_ + 1,
                       applied ? OutcomeStatus::kAccepted : OutcomeStatus::kRejected, count);
    seq_ += count;
    for (std::uint32_t index = 0; index < count; ++index) {
      model_.acknowledge(waiting_[index], applied);
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + count);
  }

  void cut() {
    const bool known = !model_.records.empty() && random_() % 3 != 0;
    const RecordId id = known ? any() : RecordId::make(DeviceId(999), random_() % 5);
    v1::Whistle message = some_fields();
    RowChange change = RowChange::kFields;
    if (!model_.records[id].base) {
      change = RowChange::kWhole;
    } else if (random_() % 6 == 0) {
      change = RowChange::kErased;
    }
    if (change == RowChange::kWhole) message.set_grid(std::string(kGrid));
    if (change == RowChange::kErased) message.Clear();
    const Row row = row_of(kWhistle, id, ++seq_, message, change);
    phone_.cut(row);
    model_.cut(row);
  }

  std::mt19937 random_;
  Phone phone_{with_erasures()};
  Model model_;
  std::vector<Operation> waiting_;
  std::uint64_t seq_ = 0;
};

TEST_CASE(
    "visible is base and pending laid together, after any mix of commits, acknowledgements and "
    "cuts") {
  const unsigned first = std::random_device{}();
  for (unsigned seed = first; seed < first + 12; ++seed) {
    INFO("seed " << seed);
    Play play(seed);
    for (int step = 0; step < 150; ++step) {
      play.step();
      if (step % 10 == 9) play.check();
    }
    play.check();
  }
}

}  // namespace
}  // namespace gridwhistle::store

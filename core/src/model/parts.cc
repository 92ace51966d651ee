#include "model/parts.h"

#include <algorithm>

#include "model/fields.h"

namespace gridwhistle {
namespace {

// Gathers by writer what stands of a record.
class Writers {
 public:
  Writers(Seq read, DeviceId reader) : read_(read), reader_(reader) {}

  void wrote(const Stamp& stamp, std::string_view entries) {
    if (Loser* by = unseen_of(stamp)) by->set += entries;
  }
  void emptied(const Stamp& stamp, std::uint32_t number) {
    if (Loser* by = unseen_of(stamp)) by->clear.push_back(number);
  }

  std::vector<Loser> take() { return std::move(all_); }

 private:
  Loser* unseen_of(const Stamp& stamp) {
    if (!stamp.writer || stamp.writer == reader_ || stamp.seq <= read_) return nullptr;
    auto known = std::ranges::find(all_, stamp.writer, &Loser::writer);
    if (known == all_.end()) known = all_.insert(all_.end(), Loser{.writer = stamp.writer});
    known->dev_seq = std::max(known->dev_seq, stamp.dev_seq);
    known->seq = std::max(known->seq, stamp.seq);
    known->hlc = std::max(known->hlc, stamp.hlc);
    return &*known;
  }

  const Seq read_;
  const DeviceId reader_;
  std::vector<Loser> all_;
};

}  // namespace

std::vector<Loser> written_since(const KindSchema& kind, const RecordState& part, Seq read,
                                 DeviceId reader) {
  Writers writers(read, reader);
  for (const FieldView& field : fields_of(part.body)) {
    const MergePolicy policy = policy_of(kind, field.number);
    if (policy == MergePolicy::kSet || policy == MergePolicy::kAppend) {
      for (const std::string_view entry : entries_of(part.body, field.number)) {
        for (const ElementStamp& e : part.elements) {
          if (e.removed || e.number != field.number || e.entry != entry) continue;
          writers.wrote({e.seq, e.writer, e.dev_seq, e.hlc, e.seq, true}, entry);
        }
      }
      continue;
    }
    const auto own =
        std::ranges::find(part.fields, unit_of(kind, field.number), &FieldStamp::number);
    if (own == part.fields.end()) {
      writers.wrote(part.common, field.entries);
      continue;
    }
    writers.wrote(own->stamp, field.entries);
    for (const Stamp& agreed : own->agreed) writers.wrote(agreed, field.entries);
  }
  for (const FieldStamp& field : part.fields) {
    const bool stands = std::ranges::any_of(members_of(kind, field.number), [&](auto number) {
      return !field_of(part.body, number).entries.empty();
    });
    if (!stands) writers.emptied(field.stamp, field.number);
  }
  return writers.take();
}

bool is_same_erasure(const Stamp& a, const Stamp& b) {
  return a.writer == b.writer && a.dev_seq == b.dev_seq && a.hlc == b.hlc;
}

void erase_along(RecordState& part, const Stamp& erasure, Seq seq) {
  part.erased = true;
  part.erasure = erasure;
  part.erasure.seq = seq;
  part.erasure.feed_seq = seq;
  part.erasure.known_to_writer = false;
  part.last_seq = seq;
  part.hlc = std::max(part.hlc, erasure.hlc);
}

void stand_again(RecordState& record, Seq seq) {
  const auto show = [&](Stamp& stamp) {
    stamp.feed_seq = seq;
    stamp.known_to_writer = false;
  };
  record.erased = false;
  record.erasure = Stamp{};
  show(record.common);
  for (FieldStamp& field : record.fields) show(field.stamp);
  record.last_seq = seq;
}

void show_to_writer(RecordState& record, Seq seq) {
  const auto show = [&](Stamp& stamp) {
    if (stamp.seq == seq) stamp.known_to_writer = false;
  };
  show(record.common);
  show(record.erasure);
  for (FieldStamp& field : record.fields) show(field.stamp);
}

}  // namespace gridwhistle

#include "model/merge.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <tuple>

#include "base/limits.h"
#include "model/elements.h"
#include "model/fields.h"
#include "model/hlc.h"
#include "model/parts.h"

namespace gridwhistle {
namespace {

constexpr Seq kEverything{std::numeric_limits<std::uint64_t>::max()};

bool contains(const std::vector<std::uint32_t>& numbers, std::uint32_t number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

// One operation on its way into one record.
class Merger {
 public:
  Merger(const KindSchema& kind, const RecordState& state, const Operation& operation,
         DeviceId device, Seq seq, std::int64_t receipt_ms)
      : kind_(kind),
        state_(state),
        operation_(operation),
        device_(device),
        seq_(seq),
        base_seq_(device ? operation.base_seq : kEverything),
        hlc_(device ? clamp_hlc(operation.hlc, receipt_ms) : operation.hlc) {
    merged_.next = state;
  }

  Merged run() {
    if (state_.forgotten) return beaten_by_forgetting();
    if (auto error = refusal()) return refuse(*error);
    if (!state_.exists) {
      come_into_being();
    } else if (!is_replayed_creation() && !is_equal_creation()) {
      operation_.type == OperationType::kErase ? erase() : put();
    }
    if (merged_.next.body.size() > limits::kRecordBytes &&
        merged_.next.body.size() > state_.body.size()) {
      return refuse({ErrorCode::kTooLarge, "the record would exceed 64 KB with it", {}});
    }
    merged_.changed = merged_.next != state_;
    return std::move(merged_);
  }

 private:
  RecordState& next() { return merged_.next; }

  Stamp own_stamp(bool known = true) const {
    return {seq_, device_, operation_.dev_seq, hlc_, seq_, known};
  }

  bool is_own(const Stamp& stamp) const { return device_ && stamp.writer == device_; }

  // Its author's file has it by its own hand.
  bool is_own_in_sight(const Stamp& stamp) const {
    return is_own(stamp) && stamp.dev_seq > operation_.own_since;
  }

  bool is_unseen(const Stamp& stamp) const {
    return device_ && !is_own_in_sight(stamp) && stamp.seq > base_seq_;
  }

  // Delivered, but to a file that shows an own write in its place until the feed brings it again.
  bool may_be_hidden(const Stamp& stamp) const {
    return device_ && !is_own_in_sight(stamp) && stamp.feed_seq > base_seq_;
  }

  // --- what is refused whole ---

  std::optional<Error> refusal() const {
    if (!device_) return std::nullopt;
    if (auto allowed = check_device_write(kind_, operation_); !allowed) return allowed.error();
    if (!state_.exists || operation_.type == OperationType::kErase) return std::nullopt;
    if (operation_.creates && state_.common.writer != device_ && !is_equal_creation()) {
      return Error{ErrorCode::kAlreadyExists, "another device has made a record of this id", {}};
    }
    FieldCursor held(state_.body);
    for (const FieldView& field : fields_of(operation_.set)) {
      if (policy_of(kind_, field.number) == MergePolicy::kImmutable &&
          !may_write_immutable(held.entries(field.number), field.entries)) {
        const std::string what = std::string(kind_.name) + "." +
                                 std::string(kind_.field(field.number)->name) +
                                 " never changes once it is recorded";
        return Error{ErrorCode::kForbidden, what, what};
      }
    }
    return std::nullopt;
  }

  // A creation may come in parts, the later part first.
  bool may_write_immutable(std::string_view before, std::string_view given) const {
    return before == given || (operation_.creates && before.empty());
  }

  bool is_equal_creation() const {
    if (!operation_.creates || !device_ || state_.common.writer == device_ || state_.erased ||
        operation_.type == OperationType::kErase || !operation_.clear.empty() ||
        !operation_.remove.empty()) {
      return false;
    }
    const std::string laid = overlay(kind_, state_.body, operation_.set, {}, {});
    return laid == state_.body;
  }

  bool is_replayed_creation() const {
    return is_own(state_.common) && state_.common.dev_seq == operation_.dev_seq;
  }

  // Nothing is kept of it either: a loser would be.
  Merged beaten_by_forgetting() {
    merged_.status = OutcomeStatus::kGone;
    merged_.code = ErrorCode::kForgotten;
    return std::move(merged_);
  }

  Merged refuse(const Error& error) {
    Merged refused;
    refused.status = OutcomeStatus::kRejected;
    refused.code = error.code;
    refused.message = error.message;
    refused.next = state_;
    return refused;
  }

  // --- a record that is not there ---

  void come_into_being() {
    if (!operation_.creates && device_) {
      // What is gone may be erased again.
      if (operation_.type == OperationType::kErase) return;
      merged_.status = OutcomeStatus::kGone;
      merged_.code = ErrorCode::kGone;
      merged_.losers.push_back(loser_of_operation(operation_.set, operation_.clear));
      return;
    }
    RecordState& made = next();
    made = RecordState{};
    made.exists = true;
    made.common = own_stamp();
    made.created = seq_;
    // Erased before its creation came by another lane: the creation will find the tombstone.
    made.erased = operation_.type == OperationType::kErase;
    if (made.erased) {
      made.erasure = own_stamp();
      made.common.dev_seq = DevSeq(0);
    } else {
      made.body = overlay(kind_, {}, operation_.set, {}, {});
    }
    note_write();
  }

  // --- erasing ---

  void erase() {
    if (state_.erased) return;
    if (somebody_else_wrote()) {
      merged_.status = OutcomeStatus::kRevived;
      Loser lost = loser_of_operation({}, {});
      lost.by_erasure = true;
      merged_.losers.push_back(std::move(lost));
      stand_again(next(), seq_);
      return;
    }
    next().erased = true;
    next().erasure = own_stamp();
    next().last_seq = seq_;
    next().hlc = std::max(next().hlc, hlc_);
  }

  bool somebody_else_wrote() const {
    if (!device_) return false;
    const Seq by_others =
        state_.last_writer == device_ ? state_.last_write_by_others : state_.last_write;
    return by_others > base_seq_;
  }

  // --- writing ---

  void put() {
    const bool overtaken_by_own_erasure =
        state_.erased && is_own(state_.erasure) && operation_.dev_seq < state_.erasure.dev_seq;
    held_ = fields_of(state_.body);
    given_ = fields_of(operation_.set);
    for (const std::uint32_t unit :
         units_of(kind_, operation_.set, operation_.clear, operation_.remove)) {
      put_unit(unit);
    }
    apply_values();
    if (!wrote_) return;
    note_write();
    if (overtaken_by_own_erasure) {
      next().erasure.feed_seq = seq_;
      next().erasure.known_to_writer = false;
    } else if (state_.erased) {
      revive();
    }
  }

  void revive() {
    if (is_unseen(state_.erasure)) {
      merged_.status = OutcomeStatus::kRevived;
      const Stamp& lost = state_.erasure;
      merged_.losers.push_back({lost.writer, lost.dev_seq, lost.seq, lost.hlc, {}, {}, true});
    }
    stand_again(next(), seq_);
  }

  void put_unit(std::uint32_t unit) {
    switch (policy_of(kind_, unit)) {
      case MergePolicy::kSet:
      case MergePolicy::kAppend:
        return put_elements(unit);
      case MergePolicy::kImmutable:
        if (is_already_so(unit)) return;
        return put_whole(unit);
      case MergePolicy::kLww:
      case MergePolicy::kServer:
        return put_whole(unit);
    }
  }

  bool is_already_so(std::uint32_t unit) const {
    const auto members = members_of(kind_, unit);
    return device_ && values(held_, members) == values(given_, members);
  }

  void put_whole(std::uint32_t unit) {
    const std::optional<Stamp> before = stamp_of(unit);
    if (before && is_own(*before) && before->dev_seq >= operation_.dev_seq) {
      // The author's own file has laid the older value over the newer one, and must unlearn it.
      if (before->dev_seq > operation_.dev_seq) {
        set_stamp(unit, shown_again(*before, false), agreed_of(unit));
      }
      return;
    }
    const std::vector<std::uint32_t> members = members_of(kind_, unit);
    const std::string held = values(held_, members);
    const std::string given = values(given_, members);
    std::vector<Stamp> agreed = agreed_of(unit);
    if (before && may_be_hidden(*before)) {
      const bool wins = is_own(*before) || !is_unseen(*before) ||
                        std::tie(hlc_, device_) > std::tie(before->hlc, before->writer);
      if (held != given) {
        lose(wins ? *before : own_stamp(), wins ? held : given, members, wins);
        hides_ |= !wins;
      } else if (!is_own(*before)) {
        agreed.push_back(wins ? *before : own_stamp());
      }
      if (!wins) {
        return set_stamp(unit, shown_again(*before, before->known_to_writer), std::move(agreed));
      }
    }
    if (held != given) {
      for (const Stamp& stamp : agreed) {
        if (is_unseen(stamp)) lose(stamp, held, members, true);
      }
      agreed.clear();
    }
    for (const std::uint32_t number : members) {
      values_[number] = std::string(entries_in(given_, number));
    }
    set_stamp(unit, own_stamp(), std::move(agreed));
  }

  // Who else wrote the value that stands, but for earlier writes of this device: it writes anew.
  std::vector<Stamp> agreed_of(std::uint32_t unit) const {
    std::vector<Stamp> agreed;
    for (const FieldStamp& field : state_.fields) {
      if (field.number == unit) agreed = field.agreed;
    }
    std::erase_if(agreed, [&](const Stamp& stamp) {
      return is_own(stamp) && stamp.dev_seq <= operation_.dev_seq;
    });
    return agreed;
  }

  void put_elements(std::uint32_t number) {
    const bool is_set = policy_of(kind_, number) == MergePolicy::kSet;
    ElementWrite write;
    write.number = number;
    write.seq = seq_;
    write.writer = device_;
    write.dev_seq = operation_.dev_seq;
    write.hlc = hlc_;
    write.base_seq = base_seq_;
    write.add = entries_of(operation_.set, number);
    write.remove = entries_of(operation_.remove, number);
    write.clear = contains(operation_.clear, number);
    const std::vector<ElementStamp> before = elements_of(state_, number);
    const std::vector<ElementStamp> after =
        is_set ? merge_set(before, write) : merge_append(before, write);
    std::string entries = is_set ? set_entries(after) : append_entries(after);
    const std::string_view held = entries_in(held_, number);
    const bool as_author_sees =
        entries == overlay_field(policy_of(kind_, number), held, entries_in(given_, number),
                                 write.clear, field_of(operation_.remove, number).entries);
    if (after == before && as_author_sees) return;
    const std::optional<Stamp> stamp = stamp_of(number);
    const bool author_has_it = as_author_sees && (!stamp || has(*stamp));
    values_[number] = std::move(entries);
    store_elements(next(), number, after);
    set_stamp(number, own_stamp(author_has_it));
  }

  // Whether the author's file holds what a stamp stands for, by the feed or by its own hand.
  bool has(const Stamp& stamp) const {
    return stamp.feed_seq <= base_seq_ || (is_own(stamp) && stamp.known_to_writer);
  }

  // --- stamps and values ---

  // Nothing for a field that nobody has ever written.
  std::optional<Stamp> stamp_of(std::uint32_t unit) const {
    for (const FieldStamp& field : state_.fields) {
      if (field.number == unit) return field.stamp;
    }
    if (values(held_, members_of(kind_, unit)).empty()) return std::nullopt;
    return state_.common;
  }

  Stamp shown_again(Stamp stamp, bool known) const {
    stamp.feed_seq = seq_;
    stamp.known_to_writer = known;
    return stamp;
  }

  void set_stamp(std::uint32_t unit, const Stamp& stamp, std::vector<Stamp> agreed = {}) {
    wrote_ = true;
    auto& fields = next().fields;
    const auto at = std::lower_bound(
        fields.begin(), fields.end(), unit,
        [](const FieldStamp& field, std::uint32_t number) { return field.number < number; });
    if (at != fields.end() && at->number == unit) {
      at->stamp = stamp;
      at->agreed = std::move(agreed);
    } else {
      fields.insert(at, {unit, stamp, std::move(agreed)});
    }
  }

  static std::string values(const std::vector<FieldView>& fields,
                            const std::vector<std::uint32_t>& members) {
    std::string out;
    for (const std::uint32_t number : members) out += entries_in(fields, number);
    return out;
  }

  void apply_values() {
    std::string set;
    std::vector<std::uint32_t> clear;
    for (const auto& [number, entries] : values_) {
      set += entries;
      if (entries.empty()) clear.push_back(number);
    }
    if (!values_.empty()) next().body = replace_fields(state_.body, set, clear);
  }

  void note_write() {
    RecordState& to = next();
    if (to.last_writer != device_) to.last_write_by_others = to.last_write;
    to.last_writer = device_;
    to.last_write = seq_;
    if (hides_) to.last_write_by_others = seq_;
    to.last_seq = seq_;
    to.hlc = std::max(to.hlc, hlc_);
  }

  // --- losers ---

  Loser loser_of_operation(std::string set, std::vector<std::uint32_t> clear) const {
    return {device_, operation_.dev_seq, seq_, hlc_, std::move(set), std::move(clear), false};
  }

  void lose(const Stamp& stamp, std::string_view lost, const std::vector<std::uint32_t>& members,
            bool stood_before) {
    if (!stood_before) merged_.status = OutcomeStatus::kBeaten;
    const auto same =
        std::find_if(merged_.losers.begin(), merged_.losers.end(), [&](const auto& l) {
          return l.writer == stamp.writer && l.dev_seq == stamp.dev_seq && l.seq == stamp.seq;
        });
    Loser& loser = same != merged_.losers.end()
                       ? *same
                       : merged_.losers.emplace_back(Loser{
                             stamp.writer, stamp.dev_seq, stamp.seq, stamp.hlc, {}, {}, false});
    loser.set = replace_fields(loser.set, lost, {});
    if (lost.empty()) loser.clear.insert(loser.clear.end(), members.begin(), members.end());
  }

  const KindSchema& kind_;
  const RecordState& state_;
  const Operation& operation_;
  const DeviceId device_;
  const Seq seq_;
  const Seq base_seq_;
  const Hlc hlc_;
  std::vector<FieldView> held_;  // the fields of the record, and of the write, once it is put
  std::vector<FieldView> given_;
  bool wrote_ = false;
  bool hides_ = false;                           // the author's file shows a value that has lost
  std::map<std::uint32_t, std::string> values_;  // new entries of fields; none: emptied
  Merged merged_;
};

}  // namespace

std::vector<DeviceId> writers_of(const RecordState& state) {
  std::vector<DeviceId> writers;
  const auto note = [&](const auto& stamp) {
    if (stamp.writer && std::ranges::find(writers, stamp.writer) == writers.end()) {
      writers.push_back(stamp.writer);
    }
  };
  note(state.common);
  note(state.erasure);
  for (const FieldStamp& field : state.fields) {
    note(field.stamp);
    for (const Stamp& agreed : field.agreed) note(agreed);
  }
  for (const ElementStamp& element : state.elements) note(element);
  return writers;
}

void take_over(RecordState& state, DeviceId predecessor, DevSeq upto, DeviceId successor) {
  if (!predecessor) return;
  bool others = false;  // writes of the predecessor's that its successor's file does not have
  const auto pass_on = [&](auto& stamp) {
    if (stamp.writer != predecessor) return;
    if (stamp.dev_seq > upto) {
      others = true;
    } else {
      stamp.writer = successor;
    }
  };
  pass_on(state.common);
  pass_on(state.erasure);
  for (FieldStamp& field : state.fields) {
    pass_on(field.stamp);
    for (Stamp& agreed : field.agreed) pass_on(agreed);
  }
  for (ElementStamp& element : state.elements) pass_on(element);
  if (state.last_writer == predecessor && !others) state.last_writer = successor;
}

Merged merge(const KindSchema& kind, const RecordState& state, const Operation& operation,
             DeviceId device, Seq seq, std::int64_t receipt_ms) {
  return Merger(kind, state, operation, device, seq, receipt_ms).run();
}

}  // namespace gridwhistle

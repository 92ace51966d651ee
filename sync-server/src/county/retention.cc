#include "county/retention.h"

#include <algorithm>
#include <array>
#include <optional>

#include "model/record.h"
#include "model/workflow_words.h"
#include "schema/fields.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;
constexpr std::int64_t kGraceDays = 7;

struct Rule {
  KindId kind;
  std::int64_t days = 0;
  std::uint32_t ended = 0;  ///< the field that says when the reason to keep it ended
};

std::int64_t ms_of(Hlc hlc) { return static_cast<std::int64_t>(hlc.value >> 16); }

class Search {
 public:
  Search(Storage& storage, std::int64_t now_ms) : storage_(storage), now_ms_(now_ms) {}

  Result<void> look_through(const Rule& rule) {
    if (rule.days == 0) return {};
    auto there = storage_.scan(rule.kind, [&](RecordId id, StoredRecord stored) {
      return look_at(rule, id, stored.state);
    });
    return there ? look_through_gone(rule) : there;
  }

  // One that was due before.
  Result<void> look_again(const Rule& rule, RecordId id) {
    if (rule.days == 0) return {};
    auto stored = storage_.record({rule.kind, id});
    if (!stored) return std::unexpected(std::move(stored.error()));
    if (*stored) return look_at(rule, id, (*stored)->state);
    due_.push_back({rule.kind, id});  // gone it was, and nothing comes back
    return {};
  }

  std::vector<RecordKey> take() { return std::move(due_); }

 private:
  Result<void> look_at(const Rule& rule, RecordId id, const RecordState& state) {
    if (!state.exists || state.forgotten) return {};
    auto ended = ended_ms(rule, state);
    if (!ended) return std::unexpected(std::move(ended.error()));
    if (*ended && is_over(**ended, rule.days) && is_over(ms_of(state.hlc), kGraceDays)) {
      due_.push_back({rule.kind, id});
    }
    return {};
  }

  // Receipts and values that lost may still quote what has gone.
  Result<void> look_through_gone(const Rule& rule) {
    std::vector<RecordKey> over;
    const std::int64_t days = std::max(rule.days, kGraceDays);
    auto scanned = storage_.scan_gone(rule.kind, [&](RecordId id, std::int64_t erased_ms) {
      if (is_over(erased_ms, days)) over.push_back({rule.kind, id});
      return Result<void>();
    });
    if (!scanned) return scanned;
    for (const RecordKey& key : over) {
      auto stored = storage_.record(key);
      if (!stored) return std::unexpected(std::move(stored.error()));
      if (!*stored) due_.push_back(key);  // else it is forgotten
    }
    return {};
  }

  bool is_over(std::int64_t since_ms, std::int64_t days) const {
    return now_ms_ - since_ms >= days * kDayMs;
  }

  Result<std::optional<std::int64_t>> ended_ms(const Rule& rule, const RecordState& state) {
    if (state.erased) return ms_of(state.erasure.hlc);
    if (rule.kind == kinds::kWhistleContact) return closed_ms(state.body);
    return int_of(state.body, rule.ended);
  }

  // Of the whistle that somebody reported. What is reopened is not over.
  Result<std::optional<std::int64_t>> closed_ms(std::string_view contact) {
    const auto id =
        RecordId::from_bytes(text_of(contact, fields::whistle_contact::kWhistle).value_or(""));
    if (!id) return std::nullopt;
    auto whistle = storage_.record({kinds::kWhistle, *id});
    if (!whistle) return std::unexpected(std::move(whistle.error()));
    if (!*whistle) return std::nullopt;
    const RecordState& state = (*whistle)->state;
    const auto now =
        static_cast<WhistleState>(int_of(state.body, fields::whistle::kState).value_or(0));
    if (now == WhistleState::kVoid) return ms_of(state.hlc);
    if (now != WhistleState::kClosed) return std::nullopt;
    return int_of(state.body, fields::whistle::kClosedMs);
  }

  Storage& storage_;
  const std::int64_t now_ms_;
  std::vector<RecordKey> due_;
};

std::array<Rule, 5> rules_of(const RetentionPeriods& periods) {
  return {{
      {kinds::kWhistleContact, periods.contact_days, 0},
      {kinds::kHousehold, periods.personal_days, fields::household::kMovedOutMs},
      {kinds::kResident, periods.personal_days, fields::resident::kMovedOutMs},
      {kinds::kResidentCare, periods.care_days, fields::resident_care::kServiceEndedMs},
      {kinds::kCarePlan, periods.care_days, fields::care_plan::kEndedMs},
  }};
}

}  // namespace

Result<std::vector<RecordKey>> due_records(Storage& storage, const Schema& schema,
                                           const RetentionPeriods& periods, std::int64_t now_ms) {
  Search search(storage, now_ms);
  for (const Rule& rule : rules_of(periods)) {
    if (schema.kind(rule.kind) == nullptr) continue;
    if (auto looked = search.look_through(rule); !looked) return std::unexpected(looked.error());
  }
  return search.take();
}

Result<std::vector<RecordKey>> still_due_records(Storage& storage, const RetentionPeriods& periods,
                                                 std::int64_t now_ms,
                                                 const std::vector<RecordKey>& keys) {
  const auto rules = rules_of(periods);
  Search search(storage, now_ms);
  for (const RecordKey& key : keys) {
    const auto rule = std::ranges::find(rules, key.kind, &Rule::kind);
    if (rule == rules.end()) continue;
    if (auto looked = search.look_again(*rule, key.id); !looked) {
      return std::unexpected(looked.error());
    }
  }
  return search.take();
}

}  // namespace gridwhistle

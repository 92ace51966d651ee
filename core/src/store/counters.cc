#include <string>

#include "model/whistle_number.h"
#include "store/state.h"

namespace gridwhistle::store {

Result<std::uint64_t> take(StoreState& state, Counter& counter, const CounterKind& kind) {
  if (counter.next > counter.reserved_upto) {
    const std::uint64_t upto = counter.next + kind.block - 1;
    GW_TRY(put_meta(state, kind.key, static_cast<std::int64_t>(upto)));
    counter.reserved_upto = upto;
  }
  return counter.next++;
}

namespace {

Result<std::uint64_t> take_alone(StoreState& state, Counter& counter, const CounterKind& kind) {
  if (state.options.read_only) return fail(ErrorCode::kReadOnly, "opened for reading", "counter");
  if (counter.next <= counter.reserved_upto) return counter.next++;
  Counter next = counter;
  GW_TRY_LET(transaction, begin(state));
  GW_TRY_LET(value, take(state, next, kind));
  GW_TRY(transaction.commit());
  counter = next;
  return value;
}

}  // namespace

Result<RecordId> Store::new_id() {
  GW_TRY_LET(counter, take_alone(*state_, state_->ids, kIds));
  state_->fresh_ids.insert(counter);
  return RecordId::make(state_->device, counter);
}

Result<std::uint64_t> Store::next_call_counter() {
  return take_alone(*state_, state_->calls, kCalls);
}

}  // namespace gridwhistle::store

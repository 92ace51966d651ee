#include "model/forget.h"

#include <catch2/catch.hpp>

#include "model/hlc.h"
#include "thing.h"

// What `forget` leaves of a record, and what comes to it later. Merge laws, "Forgetting".
namespace gridwhistle {
namespace {

using namespace thing;

constexpr std::int64_t kNow = 1'700'000'000'000;
constexpr DeviceId kAnna{1};
constexpr DeviceId kBo{2};
constexpr DeviceId kServer{0};
constexpr std::string_view kSecret = "Example Wang";

Operation write(std::uint64_t dev_seq, std::uint64_t base_seq, std::string set) {
  Operation operation;
  operation.dev_seq = DevSeq(dev_seq);
  operation.base_seq = Seq(base_seq);
  operation.hlc = hlc_at(1000 + static_cast<std::int64_t>(dev_seq));
  operation.set = std::move(set);
  return operation;
}

RecordState applied(const RecordState& state, DeviceId device, const Operation& operation,
                    std::uint64_t seq) {
  return merge(kThing, state, operation, device, Seq(seq), kNow).next;
}

// Anna's record, with Bo's words in it, forgotten at 20.
RecordState forgotten_record() {
  const std::string words(kSecret);
  Operation creation = write(1, 0, text_field(kGrid, "g") + text_field(kTitle, words));
  creation.creates = true;
  RecordState state = applied({}, kAnna, creation, 11);
  state = applied(state, kBo, write(1, 11, text_field(kTags, words) + text_field(kLog, words)), 12);
  forget(state, Seq(20), kNow);
  return state;
}

std::vector<std::pair<DeviceId, Operation>> every_write() {
  std::vector<std::pair<DeviceId, Operation>> all;
  const std::string words = text_field(kTitle, kSecret);
  all.emplace_back(kBo, write(2, 12, words));
  all.emplace_back(kBo, write(3, 20, words));
  all.emplace_back(kServer, write(0, 0, words));
  all.emplace_back(kAnna, write(2, 12, text_field(kGrid, "g") + words));
  all.back().second.creates = true;
  all.emplace_back(kAnna, write(3, 20, {}));
  all.back().second.type = OperationType::kErase;
  // What it may not write either would be refused, and quoted.
  all.emplace_back(kBo, write(4, 20, int_field(kState, 1) + words));
  return all;
}

}  // namespace

TEST_CASE("nothing that a forgotten record said is left in it") {
  const RecordState state = forgotten_record();
  CHECK(state.erased);
  CHECK(state.body.empty());
  CHECK(state.elements.empty());
  CHECK(encode_stamps(state).find(kSecret) == std::string::npos);
}

TEST_CASE("forgetting beats every write, and keeps nothing of it") {
  const RecordState state = forgotten_record();
  for (const auto& [device, operation] : every_write()) {
    const Merged merged = merge(kThing, state, operation, device, Seq(21), kNow);
    CHECK(merged.status == OutcomeStatus::kGone);
    CHECK(merged.code == ErrorCode::kForgotten);
    CHECK_FALSE(merged.changed);
    CHECK(merged.losers.empty());
  }
}

TEST_CASE("who wrote a forgotten record hears of it like everybody, and once") {
  const RecordState state = forgotten_record();
  for (const DeviceId device : {kAnna, kBo, DeviceId(3)}) {
    CHECK_FALSE(delta_since(kThing, state, Seq(19), device, DevSeq(0)).empty);
    CHECK(delta_since(kThing, state, Seq(20), device, DevSeq(0)).empty);
  }
}

TEST_CASE("a record that was never heard of can be forgotten, and never be made") {
  RecordState state;
  forget(state, Seq(20), kNow);
  Operation creation = write(1, 0, text_field(kGrid, "g"));
  creation.creates = true;
  CHECK(merge(kThing, state, creation, kAnna, Seq(21), kNow).status == OutcomeStatus::kGone);
}

TEST_CASE("a forgotten record is read back as it was stored") {
  RecordState never;
  forget(never, Seq(20), kNow);
  for (const RecordState& state : {forgotten_record(), never}) {
    const auto read = decode_stamps(encode_stamps(state), state.body);
    REQUIRE(read);
    CHECK(*read == state);
  }
}

TEST_CASE("an operation that was forgotten keeps its place and the name it goes by") {
  Operation operation = write(7, 3, text_field(kTitle, kSecret));
  operation.creates = true;
  operation.more = true;
  operation.clear = {kCount};
  operation.remove = text_field(kTags, kSecret);
  const std::string hash = hash_of(operation);
  forget(operation);
  CHECK(operation.set.empty());
  CHECK(operation.clear.empty());
  CHECK(operation.remove.empty());
  CHECK_FALSE(operation.creates);
  CHECK(operation.more);
  CHECK(operation.dev_seq == DevSeq(7));
  CHECK(hash_of(operation) == hash);
  forget(operation);
  CHECK(hash_of(operation) == hash);
}

}  // namespace gridwhistle

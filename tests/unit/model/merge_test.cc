#include "model/merge.h"

#include <catch2/catch.hpp>

#include "model/hlc.h"
#include "thing.h"

namespace gridwhistle {
namespace {

using namespace thing;
using Texts = std::vector<std::string>;

constexpr std::int64_t kNow = 1'700'000'000'000;
constexpr DeviceId kAnna{1};
constexpr DeviceId kBo{2};
constexpr DeviceId kServer{0};

// A record and its county's log.
struct Scene {
  RecordState state;
  std::uint64_t log = 10;
  Merged last;

  const Merged& apply(DeviceId device, const Operation& operation) {
    last = merge(kThing, state, operation, device, Seq(++log), kNow);
    state = last.next;
    return last;
  }

  RowDelta delta(std::uint64_t cursor, DeviceId device) const {
    return delta_since(kThing, state, Seq(cursor), device, DevSeq(0));
  }
};

Operation write(std::uint64_t dev_seq, std::uint64_t base_seq, std::string set,
                std::int64_t hlc_ms = 1000) {
  Operation operation;
  operation.dev_seq = DevSeq(dev_seq);
  operation.base_seq = Seq(base_seq);
  operation.hlc = hlc_at(hlc_ms + static_cast<std::int64_t>(dev_seq));
  operation.set = std::move(set);
  return operation;
}

Operation creation(std::string set) {
  Operation operation = write(1, 0, text_field(kGrid, "g") + std::move(set), 1);
  operation.creates = true;
  return operation;
}

Operation erasure(std::uint64_t dev_seq, std::uint64_t base_seq) {
  Operation operation = write(dev_seq, base_seq, {});
  operation.type = OperationType::kErase;
  return operation;
}

// Anna's record at seq 11.
Scene scene(std::string set = text_field(kTitle, "old")) {
  Scene made;
  made.apply(kAnna, creation(std::move(set)));
  return made;
}

}  // namespace

TEST_CASE("a write that has seen the record applies") {
  Scene s = scene();
  CHECK(s.apply(kBo, write(1, 11, text_field(kTitle, "new"), 0)).status ==
        OutcomeStatus::kAccepted);
  CHECK(text_of(s.state.body, kTitle) == "new");
  CHECK(s.last.losers.empty());
}

TEST_CASE("of two concurrent writes the later clock wins, and the loser is told") {
  Scene s = scene();
  s.apply(kAnna, write(2, 11, text_field(kTitle, "anna"), 2000));
  const Merged& beaten = s.apply(kBo, write(1, 11, text_field(kTitle, "bo"), 1000));
  CHECK(beaten.status == OutcomeStatus::kBeaten);
  REQUIRE(beaten.losers.size() == 1);
  CHECK(beaten.losers[0].writer == kBo);
  CHECK(beaten.losers[0].set == text_field(kTitle, "bo"));
  CHECK(s.delta(12, kBo).set == text_field(kTitle, "anna"));
  CHECK(s.delta(11, kAnna).empty);
}

TEST_CASE("who wins by the clock takes the field from who had it, and that loser is told") {
  Scene s = scene();
  s.apply(kAnna, write(2, 11, text_field(kTitle, "anna"), 1000));
  const Merged& won = s.apply(kBo, write(1, 11, text_field(kTitle, "bo"), 2000));
  CHECK(won.status == OutcomeStatus::kAccepted);
  REQUIRE(won.losers.size() == 1);
  CHECK(won.losers[0].writer == kAnna);
  CHECK(won.losers[0].dev_seq == DevSeq(2));
  CHECK(won.losers[0].seq == Seq(12));
}

TEST_CASE("what stood under an own unsent write was not seen, whatever the feed had brought") {
  Scene s = scene();
  s.apply(kAnna, write(2, 11, text_field(kTitle, "anna"), 2000));
  s.apply(kBo, write(1, 11, text_field(kTitle, "bo, offline"), 1000));
  SECTION("who writes over it takes the field, and its author is told") {
    const Merged& won = s.apply(kBo, write(2, 12, text_field(kTitle, "bo again"), 0));
    CHECK(won.status == OutcomeStatus::kAccepted);
    CHECK(text_of(s.state.body, kTitle) == "bo again");
    REQUIRE(won.losers.size() == 1);
    CHECK(won.losers[0].writer == kAnna);
    CHECK(won.losers[0].set == text_field(kTitle, "anna"));
  }
  SECTION("who erases it erases nothing") {
    CHECK(s.apply(kBo, erasure(2, 12)).status == OutcomeStatus::kRevived);
    CHECK_FALSE(s.state.erased);
  }
  SECTION("it was seen once the feed has shown it again") {
    CHECK(s.apply(kBo, write(2, 13, text_field(kTitle, "bo again"))).losers.empty());
    CHECK(s.apply(kBo, erasure(3, 13)).status == OutcomeStatus::kAccepted);
  }
}

TEST_CASE("an own value that was out of its author's sight is told of when it is written over") {
  Scene s = scene();
  const auto blind = [](std::uint64_t dev_seq, std::uint64_t base_seq, std::string_view title) {
    Operation operation = write(dev_seq, base_seq, text_field(kTitle, title));
    operation.own_since = DevSeq(2);
    return operation;
  };
  SECTION("it takes the field whatever its clock says, and the author hears of the older value") {
    Operation slow = blind(3, 0, "new");
    slow.hlc = Hlc(0);
    const Merged& won = s.apply(kAnna, slow);
    CHECK(won.status == OutcomeStatus::kAccepted);
    CHECK(text_of(s.state.body, kTitle) == "new");
    REQUIRE(won.losers.size() == 1);
    CHECK(won.losers[0].writer == kAnna);
    CHECK(won.losers[0].dev_seq == DevSeq(1));
    CHECK(won.losers[0].set == text_field(kTitle, "old"));
    CHECK(s.apply(kAnna, blind(4, 0, "newer")).losers.empty());
  }
  SECTION("what the feed had brought was in sight") {
    CHECK(s.apply(kAnna, blind(3, 11, "new")).losers.empty());
  }
  SECTION("an equal value loses nothing, and is told of once when it is written over unseen") {
    CHECK(s.apply(kAnna, blind(3, 0, "old")).losers.empty());
    CHECK(s.apply(kBo, write(1, 0, text_field(kTitle, "bo"), 2000)).losers.size() == 1);
  }
}

TEST_CASE("concurrent writes to different fields both stay") {
  Scene s = scene();
  s.apply(kAnna, write(2, 11, text_field(kTitle, "anna")));
  CHECK(s.apply(kBo, write(1, 11, int_field(kCount, 5))).losers.empty());
  CHECK(text_of(s.state.body, kTitle) == "anna");
  CHECK(int_of(s.state.body, kCount) == 5);
}

TEST_CASE("equal values lose nothing") {
  Scene s = scene();
  s.apply(kAnna, write(2, 11, text_field(kTitle, "same"), 2000));
  const Merged& merged = s.apply(kBo, write(1, 11, text_field(kTitle, "same"), 1000));
  CHECK(merged.status == OutcomeStatus::kAccepted);
  CHECK(merged.losers.empty());
}

TEST_CASE("a group is merged as a whole") {
  Scene s = scene(int_field(kX, 1) + int_field(kY, 1) + int_field(kZ, 1));
  s.apply(kAnna, write(2, 11, int_field(kX, 2) + int_field(kY, 2), 1000));
  const Merged& won = s.apply(kBo, write(1, 11, int_field(kY, 3) + int_field(kZ, 3), 2000));
  CHECK(s.state.body == text_field(kGrid, "g") + int_field(kY, 3) + int_field(kZ, 3));
  REQUIRE(won.losers.size() == 1);
  CHECK(won.losers[0].set == int_field(kX, 2) + int_field(kY, 2));
}

TEST_CASE("an older own write that arrives late is skipped, and its author's file is put right") {
  Scene s = scene();
  s.apply(kAnna, write(3, 11, text_field(kTitle, "three")));
  const Merged& late = s.apply(kAnna, write(2, 11, text_field(kTitle, "two")));
  CHECK(late.losers.empty());
  CHECK(text_of(s.state.body, kTitle) == "three");
  CHECK(s.delta(12, kAnna).set == text_field(kTitle, "three"));
}

TEST_CASE("an addition beats a removal that had not seen it") {
  Scene s = scene(text_field(kTags, "a"));
  Operation removal = write(1, 11, {});
  removal.remove = text_field(kTags, "a") + text_field(kTags, "b");
  s.apply(kAnna, write(2, 11, text_field(kTags, "b")));
  s.apply(kBo, removal);
  CHECK(texts_of(s.state.body, kTags) == Texts{"b"});
  CHECK(s.delta(12, kBo).set == text_field(kTags, "b"));
}

TEST_CASE("a removal takes its own device's addition, also when it overtakes it") {
  Scene s = scene();
  Operation removal = write(3, 11, {});
  removal.remove = text_field(kTags, "a");
  s.apply(kAnna, removal);
  s.apply(kAnna, write(2, 11, text_field(kTags, "a")));
  CHECK(texts_of(s.state.body, kTags).empty());
  CHECK(s.delta(12, kAnna).clear == std::vector<std::uint32_t>{kTags});
}

TEST_CASE("one device's removal leaves another's concurrent addition of the same element") {
  Scene s = scene();
  s.apply(kBo, write(1, 11, text_field(kTags, "a")));
  s.apply(kAnna, write(2, 11, text_field(kTags, "a")));
  Operation removal = write(3, 11, {});
  removal.remove = text_field(kTags, "a");
  s.apply(kAnna, removal);
  CHECK(texts_of(s.state.body, kTags) == Texts{"a"});
}

TEST_CASE("a log keeps everything, in the order of the clock") {
  Scene s = scene();
  s.apply(kAnna, write(2, 11, text_field(kLog, "late"), 3000));
  s.apply(kBo, write(1, 11, text_field(kLog, "early"), 2000));
  CHECK(texts_of(s.state.body, kLog) == Texts{"early", "late"});
  CHECK(s.delta(12, kBo).set == text_field(kLog, "early") + text_field(kLog, "late"));
}

TEST_CASE("what only the server writes is refused from a device, and nothing of it is applied") {
  Scene s = scene();
  const RecordState before = s.state;
  const Merged& merged = s.apply(kBo, write(1, 11, text_field(kTitle, "x") + int_field(kState, 2)));
  CHECK(merged.status == OutcomeStatus::kRejected);
  CHECK(merged.code == ErrorCode::kForbidden);
  CHECK_FALSE(merged.changed);
  CHECK(s.state == before);
  CHECK(s.apply(kServer, write(0, 0, int_field(kState, 2))).status == OutcomeStatus::kAccepted);
}

TEST_CASE("what never changes is refused from whoever does not create the record") {
  Scene s = scene();
  CHECK(s.apply(kAnna, write(2, 11, text_field(kGrid, "h"))).code == ErrorCode::kForbidden);
  CHECK(s.apply(kAnna, write(3, 11, text_field(kGrid, "g"))).status == OutcomeStatus::kAccepted);
  CHECK(s.apply(kServer, write(0, 0, text_field(kGrid, "h"))).changed);
}

TEST_CASE("a log, a required and an immutable field cannot be emptied, nor a log taken apart") {
  for (const std::uint32_t number : {kLog, kGrid, kState}) {
    Operation operation = write(2, 11, {});
    operation.clear = {number};
    CHECK(scene().apply(kAnna, operation).status == OutcomeStatus::kRejected);
  }
  Operation removal = write(2, 11, {});
  removal.remove = text_field(kLog, "x");
  CHECK(scene().apply(kAnna, removal).code == ErrorCode::kInvalid);
}

TEST_CASE("another device cannot create what exists, unless it is equal") {
  Scene s = scene();
  CHECK(s.apply(kBo, creation(text_field(kTitle, "other"))).code == ErrorCode::kAlreadyExists);
  const Merged& equal = s.apply(kBo, creation(text_field(kTitle, "old")));
  CHECK(equal.status == OutcomeStatus::kAccepted);
  CHECK_FALSE(equal.changed);
}

TEST_CASE("a copy of a file whose other copy took over what both hold takes its own back") {
  Scene s = scene(text_field(kTags, "a"));
  take_over(s.state, kAnna, DevSeq(1), kBo);
  CHECK(writers_of(s.state) == std::vector{kBo});
  take_over(s.state, kBo, DevSeq(1), kAnna);
  Operation removal = write(2, 0, {});
  removal.remove = text_field(kTags, "a");
  removal.creates = true;
  s.apply(kAnna, removal);
  CHECK(texts_of(s.state.body, kTags).empty());
}

TEST_CASE("what only takes away is no creation that equals another's") {
  Scene s = scene(text_field(kTags, "a"));
  Operation nothing = write(1, 0, {});
  nothing.creates = true;
  Operation removal = nothing;
  removal.remove = text_field(kTags, "a");
  Operation emptying = nothing;
  emptying.clear = {kTitle};
  CHECK(s.apply(kBo, nothing).status == OutcomeStatus::kAccepted);
  CHECK(s.apply(kBo, removal).code == ErrorCode::kAlreadyExists);
  CHECK(s.apply(kBo, emptying).code == ErrorCode::kAlreadyExists);
}

TEST_CASE("a creation may come in parts, the later part first") {
  Scene s;
  Operation second = write(2, 0, text_field(kTitle, "two"));
  second.creates = true;
  s.apply(kAnna, second);
  s.apply(kAnna, creation(text_field(kTitle, "one") + int_field(kCount, 1)));
  CHECK(s.state.body == text_field(kGrid, "g") + text_field(kTitle, "two") + int_field(kCount, 1));
}

TEST_CASE("a write to a record whose tombstone is gone ends as gone, with its value kept") {
  Scene s;
  const Merged& gone = s.apply(kBo, write(1, 11, text_field(kTitle, "x")));
  CHECK(gone.status == OutcomeStatus::kGone);
  REQUIRE(gone.losers.size() == 1);
  CHECK(gone.losers[0].set == text_field(kTitle, "x"));
  CHECK_FALSE(s.state.exists);
}

TEST_CASE("an erasure whose author saw everything erases") {
  Scene s = scene();
  CHECK(s.apply(kBo, erasure(1, 11)).status == OutcomeStatus::kAccepted);
  CHECK(s.state.erased);
  CHECK_FALSE(s.delta(11, kAnna).empty);
  CHECK(s.delta(11, kBo).empty);
}

TEST_CASE("an erasure that had not seen an edit erases nothing, and both get the whole record") {
  Scene s = scene();
  s.apply(kAnna, write(2, 11, int_field(kCount, 1)));
  const Merged& merged = s.apply(kBo, erasure(1, 11));
  CHECK(merged.status == OutcomeStatus::kRevived);
  REQUIRE(merged.losers.size() == 1);
  CHECK(merged.losers[0].by_erasure);
  CHECK_FALSE(s.state.erased);
  CHECK(s.delta(12, kBo).whole);
  CHECK(s.delta(12, kBo).set == s.state.body);
}

TEST_CASE("an edit that had not seen an erasure brings the whole record back") {
  Scene s = scene();
  s.apply(kAnna, erasure(2, 11));
  const Merged& merged = s.apply(kBo, write(1, 11, int_field(kCount, 1)));
  CHECK(merged.status == OutcomeStatus::kRevived);
  REQUIRE(merged.losers.size() == 1);
  CHECK(merged.losers[0].writer == kAnna);
  CHECK(s.state.body == text_field(kGrid, "g") + text_field(kTitle, "old") + int_field(kCount, 1));
  CHECK(s.delta(12, kAnna).whole);
}

TEST_CASE("an erasure finds its own record although it overtook the creation") {
  Scene s;
  Operation first = erasure(2, 0);
  first.creates = true;
  s.apply(kAnna, first);
  s.apply(kAnna, creation(text_field(kTitle, "x")));
  CHECK(s.state.erased);
  CHECK_FALSE(s.delta(11, kAnna).empty);
}

TEST_CASE("a clock in 2099 wins nothing over a write received later") {
  Scene s = scene();
  s.apply(kAnna, write(2, 11, text_field(kTitle, "2099"), 4'070'908'800'000));
  CHECK(s.state.hlc <= Hlc(hlc_at(kNow + 1).value - 1));
  const Merged later = merge(kThing, s.state, write(1, 11, text_field(kTitle, "now"), kNow + 5),
                             kBo, Seq(13), kNow + 9);
  CHECK(text_of(later.next.body, kTitle) == "now");
}

TEST_CASE("own writes come back to a file that does not hold them") {
  const Scene s = scene();
  CHECK(delta_since(kThing, s.state, Seq(0), kAnna, DevSeq(0)).empty);
  CHECK(delta_since(kThing, s.state, Seq(0), kAnna, DevSeq(1)).set == s.state.body);
}

TEST_CASE("a record that would exceed 64 KB refuses what makes it so") {
  Scene s = scene();
  for (std::uint64_t i = 2; i < 6; ++i) {
    s.apply(kAnna, write(i, 11, text_field(kLog, std::string(15'000, 'a'))));
    CHECK(s.last.status == OutcomeStatus::kAccepted);
  }
  CHECK(s.apply(kAnna, write(6, 11, text_field(kLog, std::string(15'000, 'a')))).code ==
        ErrorCode::kTooLarge);
}

TEST_CASE("a record that was written once costs 24 bytes of stamps at most") {
  Operation operation = creation(text_field(kTitle, "x"));
  operation.dev_seq = DevSeq(100'000);
  operation.hlc = hlc_at(kNow);
  const Merged made =
      merge(kThing, {}, operation, DeviceId((1ULL << 60) - 1), Seq(10'000'000), kNow);
  CHECK(encode_stamps(made.next).size() <= 24);
}

TEST_CASE("damaged stamps are told, never believed") {
  Scene s = scene(text_field(kTags, "a"));
  s.apply(kBo, write(1, 0, text_field(kTags, "b") + text_field(kTitle, "x")));
  const std::string bytes = encode_stamps(s.state);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    const auto result = decode_stamps(flipped, s.state.body);
    if (!result) CHECK(result.error().code == ErrorCode::kCorrupt);
  }
  CHECK_FALSE(decode_stamps("", "").has_value());
  CHECK_FALSE(decode_stamps(bytes + "x", s.state.body).has_value());
}

TEST_CASE("a creation without a required field is noticed") {
  CHECK(check_required(kThing, text_field(kGrid, "g")).has_value());
  CHECK(check_required(kThing, text_field(kTitle, "g")).error().message ==
        "Thing.grid is required");
}

}  // namespace gridwhistle

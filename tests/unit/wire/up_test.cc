#include <catch2/catch.hpp>
#include <random>

#include "base/limits.h"
#include "samples.h"
#include "thing.h"
#include "wire/compress.h"

namespace gridwhistle {
namespace {

using namespace thing;

Result<Up> decoded(const std::string& frame) { return decode_up(kSchema, kSender, frame); }

ErrorCode code_of(const std::string& frame) {
  const auto up = decoded(frame);
  return up ? ErrorCode{} : up.error().code;
}

std::string encoded(const std::vector<Operation>& operations) {
  std::size_t taken = 0;
  std::string frame = encode_operations(kSender, operations, taken);
  REQUIRE(taken == operations.size());
  return frame;
}

std::vector<Operation> operations_of(const std::string& frame) {
  const auto up = decoded(frame);
  if (!up) FAIL(up.error().message);
  return std::get<OperationsUp>(*up).operations;
}

Operation operation(std::string set = int_field(kCount, 1)) {
  Operation made;
  made.kind = KindId(7);
  made.id = RecordId::make(kSender, 1);
  made.lane_seq = LaneSeq(1);
  made.dev_seq = DevSeq(1);
  made.set = std::move(set);
  return made;
}

// `count` operations that are all alike but for their numbers.
std::vector<Operation> many(std::size_t count, bool one_transaction) {
  std::vector<Operation> made(count, operation());
  for (std::size_t i = 0; i < count; ++i) {
    made[i].lane_seq = LaneSeq(i + 1);
    made[i].dev_seq = DevSeq(i + 1);
    made[i].more = one_transaction && i + 1 < count;
  }
  return made;
}

std::string noise(std::size_t size) {
  static std::mt19937_64 random(7);
  std::string out;
  while (out.size() < size) out += static_cast<char>(random());
  return out;
}

// A batch of the given bytes in a frame.
std::string frame_of(const std::string& batch, std::uint32_t count) {
  v1::Up up;
  v1::OperationFrame& frame = *up.mutable_operations();
  frame.set_lane(2);
  frame.set_first_lane_seq(1);
  frame.set_count(count);
  frame.set_raw_size(static_cast<std::uint32_t>(batch.size()));
  frame.set_packed(batch);
  return up.SerializeAsString();
}

std::string frame_of(const v1::PackedOperation& packed) {
  v1::OperationBatch batch;
  *batch.add_operations() = packed;
  return frame_of(batch.SerializeAsString(), 1);
}

v1::PackedOperation packed() {
  v1::PackedOperation made;
  made.set_kind(7);
  made.set_own_counter(1);
  made.set_set(int_field(kCount, 1));
  return made;
}

v1::Hello hello() {
  v1::Hello made;
  made.set_protocol(1);
  made.set_device(kSender.value);
  made.set_call_counter(1);
  return made;
}

}  // namespace

TEST_CASE("operations arrive as they were written") {
  std::vector<Operation> sent = sample_operations(50, 7);
  sent[1].type = OperationType::kErase;
  sent[1].set.clear();
  sent[2].id = RecordId::make(DeviceId(5), 77);
  sent[2].creates = false;
  sent[3].base_seq = Seq(12'345'678);
  sent[4].clear = {kTitle, kX};
  sent[5].remove = text_field(kTags, "x");
  sent[6].more = true;
  sent[8].scope.clear();
  sent[9].claimed = {-5, 0, 0};
  sent[10].hlc = Hlc((1ULL << 63) | 7);
  sent[11].claimed.wall_ms = std::numeric_limits<std::int64_t>::max();
  sent[12].kind = KindId(900);
  sent[13].own_since = sent[12].dev_seq;
  for (std::size_t i = 20; i < sent.size(); ++i) sent[i].dev_seq = DevSeq(i * i);
  CHECK(operations_of(encoded(sent)) == sent);
}

TEST_CASE("the generated classes read what is written by hand") {
  const Operation sent = sample_operations(1)[0];
  v1::Up up;
  REQUIRE(up.ParseFromString(encoded({sent})));
  v1::OperationBatch batch;
  const auto raw =
      unpack(up.operations().packed(), up.operations().raw_size(), up.operations().zstd());
  REQUIRE(raw.has_value());
  REQUIRE(batch.ParseFromString(*raw));
  REQUIRE(batch.operations_size() == 1);
  CHECK(batch.operations(0).kind() == 7);
  CHECK(batch.operations(0).own_counter() == 1);
  CHECK(batch.operations(0).scope() == sent.scope);
  CHECK(batch.operations(0).set() == sent.set);
  CHECK(operations_of(frame_of(batch.operations(0)))[0] == sent);
}

TEST_CASE("a kind that nobody knows yet is let through, if its structure is sound") {
  v1::PackedOperation unknown = packed();
  unknown.set_kind(4711);
  CHECK(operations_of(frame_of(unknown))[0].kind == KindId(4711));
  unknown.set_set("\x0A");
  CHECK_FALSE(operations_of(frame_of(unknown))[0].fault.empty());
}

TEST_CASE("operations before a Hello are refused") {
  const std::string frame = encoded({operation()});
  CHECK(decode_up(kSchema, DeviceId(0), frame).error().code == ErrorCode::kProtocol);
  CHECK(decode_up(kSchema, kSender, frame).has_value());
}

TEST_CASE("numbers that do not grow are refused") {
  std::vector<Operation> sent = many(2, false);
  sent[1].dev_seq = sent[0].dev_seq;
  CHECK(code_of(encoded(sent)) == ErrorCode::kProtocol);
  v1::PackedOperation first = packed();
  first.set_dev_seq(-1);
  CHECK(code_of(frame_of(first)) == ErrorCode::kProtocol);
  first = packed();
  first.set_own_since(1);
  CHECK(code_of(frame_of(first)) == ErrorCode::kProtocol);
}

TEST_CASE("a frame says how many operations it has, and from which number on") {
  for (const std::uint32_t count : {0U, 1U, 3U}) {
    v1::Up up;
    REQUIRE(up.ParseFromString(encoded(many(2, false))));
    up.mutable_operations()->set_count(count);
    CHECK_FALSE(decoded(up.SerializeAsString()).has_value());
  }
  v1::Up up;
  REQUIRE(up.ParseFromString(encoded(many(2, false))));
  up.mutable_operations()->set_first_lane_seq(0);
  CHECK(code_of(up.SerializeAsString()) == ErrorCode::kProtocol);
  up.mutable_operations()->set_first_lane_seq(9);
  CHECK(operations_of(up.SerializeAsString())[1].lane_seq == LaneSeq(10));
}

TEST_CASE("lanes, types and flags that nobody knows are refused") {
  v1::Up up;
  REQUIRE(up.ParseFromString(encoded({operation()})));
  up.mutable_operations()->set_lane(4);
  CHECK(code_of(up.SerializeAsString()) == ErrorCode::kProtocol);
  v1::PackedOperation wrong = packed();
  wrong.set_type(2);
  CHECK(code_of(frame_of(wrong)) == ErrorCode::kProtocol);
}

TEST_CASE("ids, scopes, clocks and field numbers out of range are refused") {
  v1::PackedOperation wrong = packed();
  wrong.clear_own_counter();
  CHECK_FALSE(decoded(frame_of(wrong)).has_value());
  wrong.set_id(std::string(16, '\0'));
  CHECK_FALSE(decoded(frame_of(wrong)).has_value());
  wrong = packed();
  wrong.set_own_counter(-1);
  CHECK_FALSE(decoded(frame_of(wrong)).has_value());
  wrong = packed();
  wrong.set_hlc_counter(65'536);
  CHECK_FALSE(decoded(frame_of(wrong)).has_value());
  wrong = packed();
  wrong.set_hlc_ms(-1);
  CHECK_FALSE(decoded(frame_of(wrong)).has_value());
}

TEST_CASE("an operation whose content breaks a rule keeps its place, and says what is wrong") {
  std::vector<Operation> sent = many(3, false);
  sent[1].set = text_field(kTitle, "\xFF");
  const auto came = operations_of(encoded(sent));
  REQUIRE(came.size() == 3);
  CHECK(came[0] == sent[0]);
  CHECK(came[1].lane_seq == LaneSeq(2));
  CHECK(came[1].fault == "Thing.title is not UTF-8 text without NUL");
  CHECK(hash_of(came[1]) == hash_of(sent[1]));
  CHECK(came[2] == sent[2]);
  CHECK(operations_of(encoded(came)) == came);
}

TEST_CASE("an operation that holds a scope, or empties a field, that cannot be has a fault") {
  const auto fault_of = [](const v1::PackedOperation& one) {
    const auto came = operations_of(frame_of(one));
    // It is the same after another way over the wire.
    CHECK(operations_of(encoded(came)) == came);
    return came.front().fault;
  };
  v1::PackedOperation wrong = packed();
  wrong.add_clear(1);
  CHECK(fault_of(wrong) == "a field to empty has an impossible number");
  wrong = packed();
  wrong.set_scope("grid: 1");
  CHECK(fault_of(wrong) == "an operation's scope is malformed");
  wrong.set_scope(std::string(limits::kScopeBytes + 1, 'a'));
  CHECK(fault_of(wrong) == "an operation's scope is malformed");
  wrong.set_scope(std::string(limits::kRecordBytes, 'a'));
  CHECK(fault_of(wrong) == "an operation's scope is malformed");
  wrong.set_scope(std::string(limits::kScopeBytes, 'a'));
  CHECK(fault_of(wrong).empty());
  wrong = packed();
  wrong.set_set(text_field(kTitle, std::string(limits::kFieldBytes + 1, 'a')));
  CHECK(fault_of(wrong) == "Thing.title exceeds 16 KB");
}

TEST_CASE("an operation follows its predecessor's scope into the same fault") {
  std::vector<Operation> sent = many(3, false);
  sent[0].scope = sent[1].scope = "nowhere at all";
  sent[2].scope = "grid:1";
  const auto came = operations_of(encoded(sent));
  CHECK_FALSE(came[0].fault.empty());
  CHECK_FALSE(came[1].fault.empty());
  CHECK(came[2].fault.empty());
  CHECK(came[2].scope == "grid:1");
}

TEST_CASE("a part that no record can be ends the call") {
  v1::PackedOperation wrong = packed();
  wrong.set_set(text_field(kTitle, std::string(limits::kRecordBytes, 'a')));
  CHECK(code_of(frame_of(wrong)) == ErrorCode::kTooLarge);
}

TEST_CASE("a frame takes 4,096 operations and not one more") {
  std::vector<Operation> sent = many(limits::kFrameOperations + 1, false);
  std::size_t taken = 0;
  const std::string frame = encode_operations(kSender, sent, taken);
  CHECK(taken == limits::kFrameOperations);
  CHECK(operations_of(frame).size() == taken);
  v1::Up up;
  REQUIRE(up.ParseFromString(frame));
  up.mutable_operations()->set_count(limits::kFrameOperations + 1);
  CHECK(code_of(up.SerializeAsString()) == ErrorCode::kTooMany);
}

TEST_CASE("a transaction takes 1,024 operations and not one more") {
  CHECK(decoded(encoded(many(limits::kTransactionOperations, true))).has_value());
  CHECK(code_of(encoded(many(limits::kTransactionOperations + 1, true))) == ErrorCode::kTooMany);
}

TEST_CASE("a transaction takes 1 MB, incompressible, and not a byte more") {
  constexpr std::size_t kPiece = 16'000;
  std::vector<Operation> sent = many(limits::kTransactionBytes / kPiece + 1, true);
  std::size_t left = limits::kTransactionBytes;
  for (Operation& operation : sent) {
    const std::size_t size = std::min(left, kPiece);
    operation.kind = KindId(900);
    operation.set = text_field(2, noise(size - (size < 131 ? 2 : size < 16'387 ? 3 : 4)));
    left -= operation.set.size();
  }
  REQUIRE(left == 0);
  CHECK(decoded(encoded(sent)).has_value());
  sent[0].set = text_field(2, noise(kPiece - 2));
  CHECK(code_of(encoded(sent)) == ErrorCode::kTooLarge);
}

TEST_CASE("frames are filled with whole transactions, and a frame never ends within one") {
  std::vector<Operation> sent = many(100, false);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    sent[i].set = text_field(kUnknown, noise(16'000));
    sent[i].more = i % 10 != 9;
  }
  std::size_t taken = 0;
  const std::string frame = encode_operations(kSender, sent, taken);
  CHECK(taken == 10);
  CHECK(frame.size() <= limits::kFrameBytes);
  CHECK(operations_of(frame).size() == 10);
  std::vector<Operation> torn = many(2, true);
  torn[1].more = true;
  CHECK(code_of(encoded(torn)) == ErrorCode::kProtocol);
}

TEST_CASE("what is so regular that it looks harmful still gets through") {
  std::vector<Operation> sent = many(60, false);
  for (Operation& operation : sent) operation.set = text_field(kTitle, std::string(16'000, 'a'));
  std::span<const Operation> left = sent;
  while (!left.empty()) {
    std::size_t taken = 0;
    const std::string frame = encode_operations(kSender, left, taken);
    REQUIRE(operations_of(frame).size() == taken);
    left = left.subspan(taken);
  }
}

TEST_CASE("a Hello arrives as it was written, and what is wrong with one is said") {
  v1::Hello sent = hello();
  sent.mutable_cursor()->set_seq(7);
  v1::LaneState& lane = *sent.add_lanes();
  lane.set_lane(1);
  lane.set_noted(3);
  lane.set_last(5);
  const auto up = decode_up(kSchema, DeviceId(0), encode(sent));
  REQUIRE(up.has_value());
  CHECK(std::get<v1::Hello>(*up).SerializeAsString() == sent.SerializeAsString());

  lane.set_first(6);
  CHECK(code_of(encode(sent)) == ErrorCode{});
  lane.set_first(7);
  CHECK(code_of(encode(sent)) == ErrorCode::kProtocol);
  lane.set_first(0);
  lane.set_noted(6);
  CHECK(code_of(encode(sent)) == ErrorCode::kProtocol);
  sent = hello();
  sent.set_device(1ULL << 60);
  CHECK(code_of(encode(sent)) == ErrorCode::kInvalid);
  sent = hello();
  sent.set_call_counter(0);
  CHECK(code_of(encode(sent)) == ErrorCode::kInvalid);
  sent = hello();
  for (std::size_t i = 0; i < limits::kEpochs; ++i) sent.add_epochs(i + 1);
  CHECK(code_of(encode(sent)) == ErrorCode{});
  sent.add_epochs(99);
  CHECK(code_of(encode(sent)) == ErrorCode::kTooMany);
  sent = hello();
  for (std::size_t i = 0; i < limits::kScopesPerDevice; ++i) {
    sent.mutable_cursor()->add_exceptions()->set_scope("grid:1");
  }
  CHECK(code_of(encode(sent)) == ErrorCode{});
  sent.mutable_cursor()->add_exceptions()->set_scope("grid:1");
  CHECK(code_of(encode(sent)) == ErrorCode::kTooMany);
  sent = hello();
  sent.set_software(std::string(limits::kLabelBytes, 'a'));
  CHECK(code_of(encode(sent)) == ErrorCode{});
  sent.set_software(std::string(limits::kLabelBytes + 1, 'a'));
  CHECK(code_of(encode(sent)) == ErrorCode::kInvalid);
}

TEST_CASE("what is signed is everything but the signature, behind the server's key") {
  v1::Hello made = hello();
  const std::string key(32, 'k');
  const std::string before = hello_to_sign(made, key);
  CHECK(before == key + made.SerializeAsString());
  made.set_signature("anything");
  CHECK(hello_to_sign(made, key) == before);
  made.set_call_counter(2);
  CHECK(hello_to_sign(made, key) != before);
  v1::EnrolRequest request;
  request.set_code("123456");
  CHECK(enrol_to_sign(request, key) == key + request.SerializeAsString());
}

}  // namespace gridwhistle

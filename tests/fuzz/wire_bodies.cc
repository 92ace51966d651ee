#include <algorithm>

#include "base/limits.h"
#include "bodies.h"
#include "model/digest.h"
#include "samples.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "wire/batch.h"

// Laws of what comes over the wire: it is refused with a code, or the value behind it is sound,
// within the limits, and the same after another way over the wire.
namespace gridwhistle::fuzz {
namespace {

bool same(const google::protobuf::MessageLite& a, const google::protobuf::MessageLite& b) {
  return a.SerializeAsString() == b.SerializeAsString();
}

std::string operations_law(const std::vector<Operation>& operations) {
  DevSeq before;
  LaneSeq lane_seq = operations.empty() ? LaneSeq() : operations.front().lane_seq;
  for (const Operation& one : operations) {
    if (one.dev_seq <= before) return "a device's count only grows";
    if (one.lane_seq != lane_seq) return "a lane has no gaps";
    if (one.set.size() > limits::kRecordBytes) return "a record is within its limit";
    if (one.clear.size() > limits::kClearedFields) return "what is emptied is within its limit";
    before = one.dev_seq;
    lane_seq = LaneSeq(lane_seq.value + 1);
  }
  return "";
}

std::string frames_law(const OperationsUp& up) {
  if (std::string broken = operations_law(up.operations); !broken.empty()) return broken;
  std::span<const Operation> left(up.operations);
  while (!left.empty()) {
    std::size_t taken = 0;
    const std::string frame = encode_operations(kDevice, left, taken);
    const auto again = decode_up(built_schema(), kDevice, frame);
    if (taken == 0 || taken > left.size()) return "a frame takes at least one transaction";
    if (!again) return "what was decoded can be sent again: " + again.error().message;
    const auto& part = std::get<OperationsUp>(*again);
    if (part.lane != up.lane || !std::ranges::equal(part.operations, left.first(taken))) {
      return "operations are the same after another way over the wire";
    }
    left = left.subspan(taken);
  }
  return "";
}

template <typename Value, typename Decoded>
std::string same_law(const Value& value, const Result<Decoded>& again) {
  if (!again) return "what was decoded can be sent again: " + again.error().message;
  const Value* other = std::get_if<Value>(&*again);
  return other != nullptr && same(*other, value) ? "" : "a message is the same after another way";
}

std::string up_law(std::string_view bytes) {
  const auto up = decode_up(built_schema(), kDevice, bytes);
  if (!up) return refusal_law(up.error());
  if (const auto* operations = std::get_if<OperationsUp>(&*up)) return frames_law(*operations);
  return std::visit(
      [](const auto& part) -> std::string {
        if constexpr (requires { encode(part); }) {
          return same_law(part, decode_up(built_schema(), kDevice, encode(part)));
        }
        return "";
      },
      *up);
}

std::string cut_law(const CutDown& cut) {
  const auto again = decode_down(built_schema(), encode_cut(cut));
  if (!again) return "what was decoded can be sent again: " + again.error().message;
  const auto& other = std::get<CutDown>(*again);
  return other.scope == cut.scope && other.upto == cut.upto && other.rows == cut.rows &&
                 other.repairs == cut.repairs
             ? ""
             : "a cut is the same after another way over the wire";
}

std::string down_law(std::string_view bytes) {
  const auto down = decode_down(built_schema(), bytes);
  if (!down) return refusal_law(down.error());
  if (const auto* cut = std::get_if<CutDown>(&*down)) return cut_law(*cut);
  return std::visit(
      [](const auto& part) -> std::string {
        if constexpr (requires { encode(part); }) {
          return same_law(part, decode_down(built_schema(), encode(part)));
        }
        return "";
      },
      *down);
}

std::string operation_batch_law(std::string_view bytes) {
  constexpr std::size_t kCount = 256;
  const auto read =
      read_operations(built_schema(), kDevice, Lane::kRecords, LaneSeq(1), kCount, bytes);
  if (!read) return refusal_law(read.error());
  if (read->size() > kCount) return "a batch has no more than it says";
  if (std::string broken = operations_law(*read); !broken.empty()) return broken;
  std::vector<std::size_t> ends;
  const auto again = read_operations(built_schema(), kDevice, Lane::kRecords, LaneSeq(1), kCount,
                                     write_operations(kDevice, *read, ends));
  return again && *again == *read ? "" : "operations read are the same when written and read";
}

std::string row_batch_law(std::string_view bytes) {
  constexpr std::size_t kCount = 256;
  const auto read = read_rows(built_schema(), kCount, bytes);
  if (!read) return refusal_law(read.error());
  if (read->size() > kCount) return "a batch has no more than it says";
  const auto again = read_rows(built_schema(), kCount, write_rows(*read));
  return again && *again == *read ? "" : "rows read are the same when written and read";
}

std::string bundle_law(std::string_view bytes) {
  const auto bundle = decode_bundle(bytes);
  if (!bundle) return refusal_law(bundle.error());
  if (bundle->frames().empty()) return "a part of a bundle holds something";
  for (const std::string& frame : bundle->frames()) {
    if (std::string broken = up_law(frame); !broken.empty()) return broken;
  }
  const auto again = decode_bundle(bundle->SerializeAsString());
  return again && same(*again, *bundle) ? "" : "a bundle is the same after another way";
}

v1::Hello hello() {
  v1::Hello hello;
  hello.set_protocol(1);
  hello.set_schema(built_schema().version);
  hello.set_device(kDevice.value);
  hello.set_call_counter(7);
  hello.set_wall_ms(1'763'600'000'000);
  hello.set_boot_ms(1000);
  hello.set_boot_id(99);
  hello.set_signature(std::string(70, 's'));
  hello.mutable_cursor()->set_seq(12);
  auto& exception = *hello.mutable_cursor()->add_exceptions();
  exception.set_scope("grid:440811001001001");
  exception.set_seq(3);
  for (const Lane lane : kLanes) {
    auto& state = *hello.add_lanes();
    state.set_lane(static_cast<std::uint32_t>(lane));
    state.set_noted(1);
    state.set_last(5);
  }
  hello.add_epochs(17);
  hello.set_software("gw 0.1.0");
  return hello;
}

v1::RangeContents contents() {
  v1::RangeContents contents;
  contents.set_range(7);
  for (std::uint64_t at = 0; at < 3; ++at) {
    v1::RecordDigest& record = *contents.add_records();
    const RecordId id = RecordId::make(kDevice, at * kDigestRanges + contents.range());
    record.set_kind(kinds::kVisit.value);
    record.set_id(std::string(id.bytes()));
    record.set_digest(at);
  }
  return contents;
}

std::vector<std::string> up_seeds() {
  v1::Digests digests;
  for (std::uint64_t range = 0; range < kDigestRanges; ++range) digests.add_ranges(range * range);
  std::vector<std::string> seeds = {encode(hello()), encode(v1::UpEnd()), encode(digests),
                                    encode(contents())};
  v1::Noted noted;
  *noted.mutable_lanes() = hello().lanes();
  seeds.push_back(encode(noted));
  for (const Lane lane : kLanes) {
    const auto operations = operations_of(lane);
    std::size_t taken = 0;
    if (!operations.empty()) seeds.push_back(encode_operations(kDevice, operations, taken));
    // A single small operation is not worth compressing, so its bytes lie open to mutation.
    if (!operations.empty()) {
      Operation one = operations.front();
      one.more = false;
      one.set.clear();
      seeds.push_back(encode_operations(kDevice, {&one, 1}, taken));
    }
  }
  return seeds;
}

std::vector<std::string> down_seeds() {
  v1::Welcome welcome;
  welcome.set_protocol(1);
  welcome.set_county("440811");
  welcome.set_worker(std::string(RecordId::make(kDevice, 1).bytes()));
  auto& epoch = *welcome.add_epochs();
  epoch.set_id(17);
  epoch.set_start_seq(1);
  auto& grant = *welcome.add_grants();
  grant.set_scope("grid:440811001001001");
  grant.set_audiences(6);
  v1::Acks acks;
  auto& run = *acks.add_runs();
  run.set_lane(1);
  run.set_first(1);
  run.set_count(3);
  run.set_first_seq(10);
  run.set_status(1);
  v1::Refusal refusal;
  refusal.set_code(1);
  refusal.set_message("why");
  v1::DownEnd end;
  end.set_caught_up(9);
  v1::Differences differences;
  for (const std::uint32_t range : {0, 7, 255}) differences.add_ranges(range);
  const CutDown all{"", Seq(500), rows()};
  const CutDown repair{"", Seq(500), {rows().front()}, true};
  CutDown small{"grid:440811001001001", Seq(3), {rows().front()}};
  small.rows[0].set.clear();
  return {encode(welcome), encode(acks),      encode(refusal),    encode(end),
          encode_cut(all), encode_cut(small), encode_cut(repair), encode(differences)};
}

std::vector<std::string> bundle_seeds() {
  v1::Bundle bundle;
  *bundle.mutable_hello() = hello();
  bundle.mutable_hello()->clear_signature();
  for (std::string& frame : up_seeds()) *bundle.add_frames() = std::move(frame);
  bundle.set_signature(std::string(70, 's'));
  return {bundle.SerializeAsString()};
}

std::vector<std::string> operation_batch_seeds() {
  std::vector<std::string> seeds;
  for (const Lane lane : kLanes) {
    std::vector<std::size_t> ends;
    seeds.push_back(write_operations(kDevice, operations_of(lane), ends));
  }
  return seeds;
}

std::vector<std::string> row_batch_seeds() {
  const auto all = rows();
  return {write_rows(all), write_rows({all.data(), 3})};
}

}  // namespace

const Body kUpFrame = {"up_frame", up_law, up_seeds};
const Body kDownFrame = {"down_frame", down_law, down_seeds};
const Body kBundle = {"bundle", bundle_law, bundle_seeds};
const Body kOperationBatch = {"operation_batch", operation_batch_law, operation_batch_seeds};
const Body kRowBatch = {"row_batch", row_batch_law, row_batch_seeds};

}  // namespace gridwhistle::fuzz

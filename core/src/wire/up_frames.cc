#include <algorithm>

#include "base/limits.h"
#include "wire/batch.h"
#include "wire/checks.h"
#include "wire/compress.h"
#include "wire/frames.h"
#include "wire/parse.h"

namespace gridwhistle {
namespace {

Result<Up> decode_operations(const Schema& schema, DeviceId device, const v1::OperationFrame& frame,
                             std::size_t frame_size) {
  if (!device) {
    return refuse_frame(ErrorCode::kProtocol, "operations came before a Hello");
  }
  if (frame.lane() < 1 || frame.lane() > kLaneCount) {
    return refuse_frame(ErrorCode::kProtocol,
                        "lane " + std::to_string(frame.lane()) + " is unknown");
  }
  if (frame.count() == 0 || frame.first_lane_seq() == 0 || frame.first_lane_seq() >> 63 != 0) {
    return refuse_frame(ErrorCode::kProtocol, "a frame of operations says nothing");
  }
  if (frame.count() > limits::kFrameOperations) {
    return refuse_frame(ErrorCode::kTooMany, "a frame has more than 4,096 operations");
  }
  const auto batch = unpack(frame.packed(), frame.raw_size(), frame.zstd());
  if (!batch) return std::unexpected(batch.error());
  OperationsUp up;
  up.lane = static_cast<Lane>(frame.lane());
  auto operations = read_operations(schema, device, up.lane, LaneSeq(frame.first_lane_seq()),
                                    frame.count(), *batch);
  if (!operations) return std::unexpected(operations.error());
  if (operations->size() != frame.count()) {
    return refuse_frame(ErrorCode::kProtocol, "a frame has fewer operations than it says");
  }
  const auto transactions = std::count_if(operations->begin(), operations->end(),
                                          [](const Operation& op) { return !op.more; });
  if (frame_size > limits::kFrameBytes && transactions > 1) {
    return refuse_frame(ErrorCode::kTooLarge, "a frame of several transactions exceeds 256 KB");
  }
  up.operations = std::move(*operations);
  return up;
}

template <typename Part>
Result<Up> checked(const Part& part) {
  if (auto sound = check(part); !sound) return std::unexpected(sound.error());
  return part;
}

std::string frame_of(const Packed& packed, const Operation& first, std::size_t count) {
  v1::Up up;
  v1::OperationFrame& frame = *up.mutable_operations();
  frame.set_lane(static_cast<std::uint32_t>(first.lane));
  frame.set_first_lane_seq(first.lane_seq.value);
  frame.set_count(static_cast<std::uint32_t>(count));
  frame.set_raw_size(packed.raw_size);
  frame.set_zstd(packed.zstd);
  frame.set_packed(packed.bytes);
  return up.SerializeAsString();
}

// How many of the operations make whole transactions within `raw_max` bytes, at least one.
std::size_t whole_transactions(std::span<const Operation> operations,
                               const std::vector<std::size_t>& ends, std::size_t raw_max) {
  std::size_t taken = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (operations[i].more && i + 1 < ends.size()) continue;
    if (taken != 0 && ends[i] > raw_max) break;
    taken = i + 1;
  }
  return taken;
}

// What the frame adds to its content.
constexpr std::size_t kFrameOverhead = 64;
// Where a frame's content begins to be worth sending on its own: some 200 KB when compressed.
constexpr std::size_t kRawTargetBytes = 1024 * 1024;

}  // namespace

bool brings_operations(std::string_view frame) {
  // What phones say beside their work is short.
  constexpr std::size_t kShort = 1024;
  v1::Up up;
  return frame.size() > kShort || !parse_shallow(frame, up) || up.has_operations();
}

Result<Up> decode_up(const Schema& schema, DeviceId device, std::string_view frame) {
  if (frame.size() > limits::kLoneFrameBytes) {
    return refuse_frame(ErrorCode::kTooLarge, "a frame exceeds what a transaction can take");
  }
  v1::Up up;
  if (!parse_shallow(frame, up)) return refuse_frame(ErrorCode::kProtocol, "a frame is malformed");
  switch (up.part_case()) {
    case v1::Up::kHello:
      return checked(up.hello());
    case v1::Up::kOperations:
      return decode_operations(schema, device, up.operations(), frame.size());
    case v1::Up::kNoted:
      return checked(up.noted());
    case v1::Up::kEnd:
      return up.end();
    case v1::Up::kDigests:
      return checked(up.digests());
    case v1::Up::kContents:
      return checked(up.contents());
    case v1::Up::PART_NOT_SET:
      break;
  }
  return refuse_frame(ErrorCode::kProtocol, "a frame holds nothing that is known here");
}

Result<v1::Bundle> decode_bundle(std::string_view part) {
  v1::Bundle bundle;
  if (part.size() > limits::kBundlePartBytes) {
    return refuse_frame(ErrorCode::kTooLarge, "a part of a bundle exceeds 4 MB");
  }
  if (!parse_shallow(part, bundle)) {
    return refuse_frame(ErrorCode::kProtocol, "a part of a bundle is malformed");
  }
  if (auto sound = check(bundle.hello()); !sound) return std::unexpected(sound.error());
  if (bundle.frames().empty()) {
    return refuse_frame(ErrorCode::kProtocol, "a part of a bundle holds nothing");
  }
  return bundle;
}

std::string encode(const v1::Hello& hello) {
  v1::Up up;
  *up.mutable_hello() = hello;
  return up.SerializeAsString();
}

std::string encode(const v1::Noted& noted) {
  v1::Up up;
  *up.mutable_noted() = noted;
  return up.SerializeAsString();
}

std::string encode(const v1::UpEnd& end) {
  v1::Up up;
  *up.mutable_end() = end;
  return up.SerializeAsString();
}

std::string encode(const v1::Digests& digests) {
  v1::Up up;
  *up.mutable_digests() = digests;
  return up.SerializeAsString();
}

std::string encode(const v1::RangeContents& contents) {
  v1::Up up;
  *up.mutable_contents() = contents;
  return up.SerializeAsString();
}

std::string encode_operations(DeviceId device, std::span<const Operation> operations,
                              std::size_t& taken) {
  taken = 0;
  if (operations.empty()) return {};
  operations = operations.first(std::min(operations.size(), limits::kFrameOperations));
  std::vector<std::size_t> ends;
  const std::string batch = write_operations(device, operations, ends);
  for (std::size_t raw_max = kRawTargetBytes;; raw_max /= 2) {
    taken = whole_transactions(operations, ends, raw_max);
    const std::size_t raw_size = ends[taken - 1];
    const Packed packed = pack(batch.substr(0, raw_size));
    const bool fits = packed.bytes.size() + kFrameOverhead <= limits::kFrameBytes;
    // A single transaction goes whatever its size.
    if (fits || raw_size > raw_max) return frame_of(packed, operations[0], taken);
  }
}

}  // namespace gridwhistle

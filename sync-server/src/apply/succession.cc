#include "apply/succession.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "access/enrolment.h"
#include "apply/lanes.h"
#include "base/limits.h"
#include "base/p256.h"
#include "wire/frames.h"

namespace gridwhistle {

namespace {

constexpr std::int64_t kDayMs = std::int64_t{24} * 60 * 60 * 1000;

Result<DeviceRow> known_predecessor(Storage& storage, const v1::EnrolRequest& request,
                                    std::string_view server_key_sha256) {
  auto found = storage.device(DeviceId(request.predecessor()));
  if (!found) return std::unexpected(std::move(found.error()));
  if (!*found) return fail(ErrorCode::kNotEnrolled, "本设备尚未登记 / this device is not enrolled");
  DeviceRow device = std::move(**found);
  const Result<bool> vouched =
      verify_p256(device.public_key, succession_to_sign(request, server_key_sha256),
                  request.predecessor_signature());
  if (!vouched || !*vouched) {
    return fail(ErrorCode::kBadSignature,
                "签名不符，请用注册码重新注册 / the key is not the one that this phone's number is "
                "known by; enrol with a code");
  }
  if (device.state == DeviceState::kLost) {
    return fail(ErrorCode::kDeviceLost, "本设备已报失 / this device was reported lost");
  }
  if (request.worker() != device.worker.bytes()) {
    return fail(
        ErrorCode::kConflict,
        "此文件是旧副本，该手机现已登记给另一人员；请用注册码注册 / this file is an old copy, "
        "its phone is another worker's by now; enrol with a code");
  }
  return device;
}

// Who has that number already, and may: the answer was lost, or the file was copied while it waited
// for it. What a copy alone recorded the calls under that number will tell apart.
Result<std::optional<DeviceRow>> successor_before(Storage& storage, const v1::EnrolRequest& request,
                                                  const DeviceRow& predecessor,
                                                  std::int64_t now_ms) {
  auto all = storage.devices();
  if (!all) return std::unexpected(std::move(all.error()));
  const auto recent = std::ranges::count_if(*all, [&](const DeviceRow& device) {
    return device.predecessor && device.worker == predecessor.worker &&
           device.device.value != request.device() && now_ms - device.enrolled_ms < kDayMs;
  });
  if (static_cast<std::size_t>(recent) >= kSuccessorsADay) {
    return fail(
        ErrorCode::kTooMany,
        "该人员的手机文件今天分叉次数过多，请联系管理员 / this worker's phones were copied too "
        "often today; call the operator");
  }
  const auto known = std::ranges::find(*all, DeviceId(request.device()), &DeviceRow::device);
  if (known == all->end()) return std::nullopt;
  if (known->predecessor == predecessor.device && known->public_key == request.public_key()) {
    return std::move(*known);
  }
  return fail(ErrorCode::kAlreadyExists, "this number is another device's");
}

bool is_well_formed(const v1::UnsettledLane& lane) {
  const bool is_lane = std::ranges::any_of(
      kLanes, [&](Lane known) { return static_cast<std::uint32_t>(known) == lane.lane(); });
  const std::size_t offered = static_cast<std::size_t>(lane.dev_seqs_size());
  return is_lane && lane.hashes().size() == offered * limits::kUnsettledHashBytes &&
         offered <= limits::kUnsettledOperations &&
         lane.noted() <= std::numeric_limits<std::uint64_t>::max() / 2;
}

// So much of a lane has come of the file, under this number or those that it had before. Another
// copy that waited for the same number may have had less when it took it.
Result<LaneSeq> last_of_file(Storage& storage, DeviceId device, Lane lane) {
  auto row = storage.device(device);
  if (!row) return std::unexpected(std::move(row.error()));
  if (!*row) return LaneSeq();
  auto numbers = numbers_before(storage, **row);
  if (!numbers) return std::unexpected(std::move(numbers.error()));
  numbers->push_back(device);
  LaneSeq last;
  for (const DeviceId number : *numbers) {
    auto had = storage.lane(number, lane);
    if (!had) return std::unexpected(std::move(had.error()));
    last = std::max(last, had->last);
  }
  return last;
}

// The predecessor's row, with a number, letters and a key of its own, and lanes that go on behind
// what the server has of the predecessor's. `before`: who asked for that number and has not called
// under it yet; of what both know the most counts.
Result<void> add_successor(Storage& storage, const v1::EnrolRequest& request, Successor& successor,
                           const std::optional<DeviceRow>& before, std::int64_t now_ms) {
  DeviceRow& row = successor.row;
  const DeviceId predecessor = row.device;
  row.device = DeviceId(request.device());
  row.public_key = request.public_key();
  row.predecessor = predecessor;
  row.inherits = DevSeq(request.dev_seq());
  if (before) row.inherits = std::min(row.inherits, before->inherits);
  row.enrolled_ms = now_ms;
  row.last_seen_ms = 0;
  row.call_counter = row.call_window = 0;
  auto letters = letters_for(storage, row.device);
  if (!letters) return std::unexpected(std::move(letters.error()));
  row.short_code = std::move(*letters);
  for (int i = 0; i < request.unsettled_size(); ++i) {
    const v1::UnsettledLane& asked = request.unsettled(i);
    const SettledLane& settled = successor.settled[static_cast<std::size_t>(i)];
    auto had = last_of_file(storage, predecessor, settled.lane);
    if (!had) return std::unexpected(std::move(had.error()));
    // A restored server may have less than the phone has noted: it says so to the first Hello.
    const LaneSeq noted = std::min(settled.noted, *had);
    LaneSeq last(noted.value + settled.known);
    if (before) {
      auto has = storage.lane(row.device, settled.lane);
      if (!has) return std::unexpected(std::move(has.error()));
      last = std::max(last, has->last);
    }
    if (auto put = storage.put_lane(row.device, settled.lane, {last, last, {}}); !put) return put;
    if (settled.known < static_cast<std::size_t>(asked.dev_seqs_size())) {
      const std::uint64_t own = asked.dev_seqs(static_cast<int>(settled.known));
      row.inherits = std::min(row.inherits, DevSeq(own == 0 ? 0 : own - 1));
    }
  }
  auto holders = storage.holders(predecessor);
  if (!holders) return std::unexpected(std::move(holders.error()));
  for (const HolderRow& holder : *holders) {
    if (auto added = storage.add_holder(row.device, holder); !added) return added;
  }
  return storage.put_device(row);
}

}  // namespace

Result<Successor> succeed_device(Storage& storage, const v1::EnrolRequest& request,
                                 std::string_view server_key_sha256, std::int64_t now_ms) {
  if (auto fine = check_enrolment(request, server_key_sha256); !fine) {
    return std::unexpected(fine.error());
  }
  if (!std::ranges::all_of(request.unsettled(), is_well_formed)) {
    return fail(ErrorCode::kInvalid, "the succession is not well formed");
  }
  auto predecessor = known_predecessor(storage, request, server_key_sha256);
  if (!predecessor) return std::unexpected(std::move(predecessor.error()));
  auto before = successor_before(storage, request, *predecessor, now_ms);
  if (!before) return std::unexpected(std::move(before.error()));

  Successor successor;
  for (const v1::UnsettledLane& asked : request.unsettled()) {
    const Lane lane = static_cast<Lane>(asked.lane());
    auto known =
        known_of(storage, predecessor->device, lane, LaneSeq(asked.noted()), asked.hashes());
    if (!known) return std::unexpected(std::move(known.error()));
    successor.settled.push_back({lane, LaneSeq(asked.noted()), *known});
  }
  if (*before && (*before)->last_seen_ms != 0) {
    // Its lanes stand where they stand, and more than they hold nobody has under that number.
    for (SettledLane& lane : successor.settled) {
      auto has = storage.lane((*before)->device, lane.lane);
      if (!has) return std::unexpected(std::move(has.error()));
      const std::uint64_t most = has->last.value - std::min(has->last.value, lane.noted.value);
      lane.known = std::min<std::uint64_t>(lane.known, most);
    }
    successor.row = std::move(**before);
    return successor;
  }
  successor.row = *predecessor;
  if (auto added = add_successor(storage, request, successor, *before, now_ms); !added) {
    return std::unexpected(added.error());
  }
  return successor;
}

Result<std::vector<DeviceId>> numbers_before(Storage& storage, const DeviceRow& device) {
  std::vector<DeviceId> numbers;
  for (DeviceId before = device.predecessor; before;) {
    numbers.push_back(before);
    auto row = storage.device(before);
    if (!row) return std::unexpected(std::move(row.error()));
    before = *row ? (*row)->predecessor : DeviceId();
  }
  return numbers;
}

Result<DevSeq> shared_history(Storage& storage, const DeviceRow& device, DeviceId other) {
  // A number that a file had, and up to where what it wrote is in the file as it is now.
  struct Number {
    DeviceId device;
    DevSeq upto;
  };
  const auto numbers_of = [&](DeviceRow row) -> Result<std::vector<Number>> {
    std::vector<Number> numbers{{row.device, DevSeq(std::numeric_limits<std::uint64_t>::max())}};
    while (row.predecessor) {
      numbers.push_back({row.predecessor, std::min(numbers.back().upto, row.inherits)});
      auto before = storage.device(row.predecessor);
      if (!before) return std::unexpected(std::move(before.error()));
      if (!*before) break;
      row = std::move(**before);
    }
    return numbers;
  };
  auto row = storage.device(other);
  if (!row) return std::unexpected(std::move(row.error()));
  if (!*row || (!(*row)->predecessor && !device.predecessor)) return DevSeq();
  auto theirs = numbers_of(std::move(**row));
  if (!theirs) return std::unexpected(std::move(theirs.error()));
  auto own = numbers_of(device);
  if (!own) return std::unexpected(std::move(own.error()));
  for (const Number& number : *own) {
    const auto same = std::ranges::find(*theirs, number.device, &Number::device);
    if (same != theirs->end()) return std::min(number.upto, same->upto);
  }
  return DevSeq();
}

}  // namespace gridwhistle

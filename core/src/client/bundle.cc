#include <algorithm>
#include <utility>

#include "base/envelope.h"
#include "base/limits.h"
#include "client/state.h"
#include "wire/frames.h"

// What is unsent, for somebody to carry: a call's first flight in a file.
namespace gridwhistle {

namespace {

constexpr std::size_t kReadBytes = 1024 * 1024;
// What a part has beside its frames: the Hello, and some bytes a frame.
constexpr std::size_t kRestBytes = 64 * 1024;

v1::Hello hello_of(const Build& build, const store::SyncState& file) {
  v1::Hello hello;
  hello.set_protocol(build.protocol);
  hello.set_schema(build.schema->version);
  hello.set_device(file.device.value);
  hello.mutable_cursor()->set_seq(file.cursor.value);
  for (const Lane lane : kLanes) {
    const store::LaneProgress& progress = file.lanes[index_of(lane)];
    v1::LaneState& said = *hello.add_lanes();
    said.set_lane(static_cast<std::uint32_t>(lane));
    said.set_noted(progress.noted.value);
    said.set_last(progress.last.value);
    said.set_first(progress.first.value);
  }
  const std::size_t epochs = std::min(file.epochs.size(), limits::kEpochs);
  for (std::size_t i = 0; i < epochs; ++i) hello.add_epochs(file.epochs[i].id);
  return hello;
}

/// Parts of a bundle, each given away as soon as it is full.
class Parts {
 public:
  Parts(v1::Hello hello, std::function<Result<void>(v1::Bundle&)> give)
      : hello_(std::move(hello)), give_(std::move(give)) {}

  Result<void> add(std::string frame) {
    if (bytes_ + frame.size() > limits::kBundlePartBytes - kRestBytes) {
      if (auto given = finish(); !given) return given;
    }
    bytes_ += frame.size();
    *part_.add_frames() = std::move(frame);
    return {};
  }

  Result<void> finish() {
    if (part_.frames().empty()) return {};
    *part_.mutable_hello() = hello_;
    bytes_ = 0;
    v1::Bundle part;
    part.Swap(&part_);
    return give_(part);
  }

 private:
  const v1::Hello hello_;
  const std::function<Result<void>(v1::Bundle&)> give_;
  v1::Bundle part_;
  std::size_t bytes_ = 0;
};

Result<std::uint64_t> add_lane(store::Store& store, DeviceId device, Lane lane, LaneSeq after,
                               Parts& parts) {
  std::uint64_t count = 0;
  for (;;) {
    const auto read = store.operations(lane, after, kReadBytes);
    if (!read) return std::unexpected(read.error());
    if (read->empty()) return count;
    after = read->back().lane_seq;
    count += read->size();
    for (std::span<const Operation> rest = *read; !rest.empty();) {
      std::size_t taken = 0;
      if (auto added = parts.add(encode_operations(device, rest, taken)); !added) {
        return std::unexpected(added.error());
      }
      rest = rest.subspan(std::clamp<std::size_t>(taken, 1, rest.size()));
    }
  }
}

}  // namespace

Result<void> ClientState::sign(v1::Bundle& bundle) {
  const auto signature = options_.secrets->sign(
      store_->key_name(), bundle_to_sign(bundle, enrolment_->server_key_sha256));
  if (!signature) return std::unexpected(signature.error());
  bundle.set_signature(*signature);
  return {};
}

Result<ExportedBundle> ClientState::export_bundle(
    const std::function<Result<void>(std::string_view)>& write) {
  return this->write([&](store::Store& store) -> Result<ExportedBundle> {
    const auto file = store.sync_state();
    if (!file) return std::unexpected(file.error());
    if (!file->enrolment) {
      return fail(ErrorCode::kNotEnrolled,
                  "this device is not enrolled: ask the operator for a code");
    }
    const auto server_key = store.server_public_key();
    if (!server_key) return std::unexpected(server_key.error());
    if (server_key->empty()) {
      return fail(
          ErrorCode::kUnavailable,
          "this phone has never spoken with its server: sync once where there is a network");
    }
    if (auto durable = store.make_durable(); !durable) return std::unexpected(durable.error());
    const auto counter = store.next_call_counter();
    if (!counter) return std::unexpected(counter.error());
    const ClockReading clock = options_.clock->now();
    v1::Hello hello = hello_of(build_, *file);
    hello.set_software(options_.software);
    hello.set_call_counter(*counter);
    hello.set_wall_ms(clock.wall_ms);
    hello.set_boot_ms(clock.boot_ms);
    hello.set_boot_id(clock.boot_id);
    Parts parts(std::move(hello), [&](v1::Bundle& part) -> Result<void> {
      if (auto done = sign(part); !done) return done;
      const auto sealed = seal(*server_key, part.SerializeAsString());
      return sealed ? write(*sealed) : Result<void>(std::unexpected(sealed.error()));
    });
    ExportedBundle exported;
    for (const Lane lane : kLanes) {
      const LaneSeq noted = file->lanes[index_of(lane)].noted;
      const auto count = add_lane(store, file->device, lane, noted, parts);
      if (!count) return std::unexpected(count.error());
      exported.operations += *count;
      if (lane == Lane::kWhistles) exported.whistles = *count;
    }
    if (auto done = parts.finish(); !done) return std::unexpected(done.error());
    return exported;
  });
}

}  // namespace gridwhistle

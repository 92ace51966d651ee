#include <algorithm>
#include <utility>

#include "access/hello.h"
#include "base/line.h"
#include "county/impl.h"

// A phone's unsent work that was carried here by hand.
namespace gridwhistle {

namespace {

// Nobody knows when a bundle was made but its phone. Its clock is believed where that can be,
// between the phone's last call and now; else the bundle counts as made now, as a call's Hello is.
ClockPair clocks_of(const v1::Hello& hello, const DeviceRow& device, std::int64_t now_ms) {
  const bool can_be = device.last_seen_ms != 0 && hello.wall_ms() >= device.last_seen_ms &&
                      hello.wall_ms() <= now_ms;
  return {{.wall_ms = hello.wall_ms(), .boot_ms = hello.boot_ms(), .boot_id = hello.boot_id()},
          can_be ? hello.wall_ms() : now_ms};
}

std::unexpected<Error> of_a_lost_log() {
  return fail(ErrorCode::kConflict,
              both("服务器在此手机上次连接之后从备份恢复过：请让手机连接一次，再重新导出",
                   "the server was restored since this phone's last call: let the phone call once, "
                   "then export again"));
}

// What a phone would be told of itself, told to who carries its work.
std::unexpected<Error> of_a_stranger(const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotEnrolled:
      return fail(error.code, both("导出此文件的手机未在本县登记",
                                   "the phone that made this is not enrolled here"));
    case ErrorCode::kBadSignature:
      return fail(error.code, both("签名不符：此文件不是该手机导出的",
                                   "the signature is wrong: this phone did not make it"));
    case ErrorCode::kDeviceLost:
      return fail(error.code, both("此手机已报失，不接收其任何内容",
                                   "this phone was reported lost: nothing of it is taken"));
    default:
      return std::unexpected(error);
  }
}

std::unexpected<Error> of_a_copy() {
  return fail(ErrorCode::kForked,
              both("此手机的文件是副本或旧状态：请让手机连接一次，再重新导出",
                   "this phone's file is a copy, or an older state of itself: let the phone call "
                   "once, then export again"));
}

}  // namespace

// A bundle has no answer that would tell its phone of a restore, so it is refused. That its phone
// has noted and recorded more since is no sign of a copy, as it would be in a call: a bundle
// travels long.
Result<void> County::Impl::check_bundle(const Author& author, const v1::Hello& hello) {
  if (knows_a_lost_log(hello, epochs)) return of_a_lost_log();
  for (const v1::LaneState& state : hello.lanes()) {
    const auto lane = static_cast<Lane>(state.lane());
    auto row = storage->lane(author.device.device, lane);
    if (!row) return std::unexpected(std::move(row.error()));
    if (LaneSeq(state.noted()) > row->last) return of_a_lost_log();
  }
  return {};
}

Result<void> County::Impl::take_bundle(const v1::Bundle& bundle, const Author& author,
                                       BundleReport& report) {
  for (const std::string& frame : bundle.frames()) {
    auto up = decode_up(schema, author.device.device, frame);
    if (!up) return std::unexpected(std::move(up.error()));
    const auto* work = std::get_if<OperationsUp>(&*up);
    if (!work) return fail(ErrorCode::kProtocol, "a bundle holds what is no work");
    const auto before = storage->lane(author.device.device, work->lane);
    if (!before) return std::unexpected(before.error());
    if (work->operations.front().lane_seq.value > before->last.value + 1) {
      return fail(ErrorCode::kConflict,
                  both("此前导出的内容还没有导入：请先导入较早的文件",
                       "what was exported before this is not here yet: import the earlier file "
                       "first"));
    }
    Effect effect;
    if (auto taken = take(*work, author, effect); !taken) return taken;
    if (effect.refusal) return of_a_copy();
    for (const Operation& operation : work->operations) {
      ++(operation.lane_seq > before->last ? report.taken : report.known);
    }
    for (const AckedRun& run : effect.runs) {
      const std::uint64_t end = run.first.value + run.count;
      const std::uint64_t fresh = std::max(run.first.value, before->last.value + 1);
      if (end <= fresh || was_applied(run.status)) continue;
      const bool waits =
          run.status == OutcomeStatus::kSealed || run.status == OutcomeStatus::kParked;
      (waits ? report.waiting : report.refused) += end - fresh;
    }
  }
  return {};
}

Result<BundleReport> County::import_bundle(std::string_view part, std::string_view by) {
  Impl& impl = *impl_;
  const auto bundle = decode_bundle(part);
  if (!bundle) return std::unexpected(bundle.error());
  const v1::Hello& hello = bundle->hello();
  if (!is_understood(hello.protocol())) {
    return fail(ErrorCode::kUnsupported,
                both("此文件由其他版本的应用导出：请升级服务器",
                     "an app of another version made this: update the server"));
  }
  auto report = impl.in_batch([&]() -> Result<BundleReport> {
    const std::int64_t now = impl.now_ms();
    auto device = recognise(*impl.storage, *bundle, impl.options.server_key_sha256);
    if (!device) return of_a_stranger(device.error());
    if (auto fresh = refresh_grants(*impl.storage, device->worker, now); !fresh) {
      return std::unexpected(std::move(fresh.error()));
    }
    auto standing = standing_of(*impl.storage, device->worker);
    if (!standing) return std::unexpected(std::move(standing.error()));
    const Author author{*device, std::move(*standing), clocks_of(hello, *device, now)};
    if (auto fits = impl.check_bundle(author, hello); !fits) {
      return std::unexpected(std::move(fits.error()));
    }
    BundleReport taken{.short_code = device->short_code};
    if (auto done = impl.take_bundle(*bundle, author, taken); !done) {
      return std::unexpected(std::move(done.error()));
    }
    if (auto noted = impl.audit(by, "bundle " + std::to_string(hello.call_counter()) +
                                        " of device " + std::to_string(device->device.value) +
                                        ": " + std::to_string(taken.taken) + " operations");
        !noted) {
      return std::unexpected(noted.error());
    }
    return taken;
  });
  if (report) impl.begin_anew(DeviceId(hello.device()));
  return report;
}

// Its acknowledgements have to come before rows that were made upon this work, so an open call of
// the phone is begun again.
void County::Impl::begin_anew(DeviceId device) {
  const auto call = current.find(device);
  const auto session = call != current.end() ? sessions.find(call->second) : sessions.end();
  if (session == sessions.end()) return;
  v1::Refusal again;
  again.set_code(static_cast<std::uint32_t>(ErrorCode::kBusy));
  again.set_message("本机的内容已另行导入 / this phone's work was imported; call again");
  refuse(session->second, again);
}

}  // namespace gridwhistle

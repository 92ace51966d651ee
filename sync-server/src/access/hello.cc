#include "access/hello.h"

#include "access/call_window.h"
#include "base/p256.h"
#include "wire/frames.h"

namespace gridwhistle {

namespace {

Result<DeviceRow> signer(Storage& storage, DeviceId id, std::string_view message,
                         std::string_view signature) {
  auto found = storage.device(id);
  if (!found) return std::unexpected(std::move(found.error()));
  if (!*found) return fail(ErrorCode::kNotEnrolled, "本设备尚未登记 / this device is not enrolled");
  DeviceRow device = std::move(**found);
  const Result<bool> signed_by_key = verify_p256(device.public_key, message, signature);
  if (!signed_by_key || !*signed_by_key) {
    return fail(ErrorCode::kBadSignature, "签名不符 / this is not signed by the device's key");
  }
  if (device.state == DeviceState::kLost) {
    return fail(ErrorCode::kDeviceLost, "本设备已报失 / this device was reported lost");
  }
  return device;
}

// As `recognise`; the row is for the caller to write. What a restored server has forgotten may hold
// this counter as that of another copy's call: the phone has to hear first that it was restored.
Result<DeviceRow> known(Storage& storage, const SignedCall& call, bool is_of_lost_log,
                        std::int64_t now_ms) {
  auto device = signer(storage, call.device, call.to_sign, call.signature);
  if (!device) return device;
  CallWindow window{device->call_counter, device->call_window};
  if (!window.take(call.counter) && !is_of_lost_log) {
    return fail(
        ErrorCode::kForked,
        "本机文件是副本或旧状态 / the call's counter was used before: this file is a copy, or "
        "an older state of itself");
  }
  device->call_counter = window.highest;
  device->call_window = window.used;
  device->last_seen_ms = now_ms;
  return device;
}

}  // namespace

Result<DeviceRow> recognise(Storage& storage, const SignedCall& call, std::int64_t now_ms) {
  auto device = known(storage, call, false, now_ms);
  if (!device) return device;
  if (auto put = storage.put_device(*device); !put) return std::unexpected(put.error());
  return device;
}

Result<DeviceRow> recognise(Storage& storage, const v1::Bundle& bundle,
                            std::string_view server_key_sha256) {
  return signer(storage, DeviceId(bundle.hello().device()),
                bundle_to_sign(bundle, server_key_sha256), bundle.signature());
}

Result<DeviceRow> recognise(Storage& storage, const v1::Hello& hello,
                            std::string_view server_key_sha256, bool is_of_lost_log,
                            std::int64_t now_ms) {
  auto device = known(storage,
                      {DeviceId(hello.device()), hello.call_counter(),
                       hello_to_sign(hello, server_key_sha256), hello.signature()},
                      is_of_lost_log, now_ms);
  if (!device) return device;
  device->unsent = hello.unsent();
  if (!hello.software().empty()) device->software = hello.software();
  device->cursor = Seq(hello.cursor().seq());
  if (auto put = storage.put_device(*device); !put) return std::unexpected(put.error());
  return device;
}

}  // namespace gridwhistle

#include "access/enrolment.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/limits.h"
#include "base/p256.h"
#include "base/sha256.h"
#include "base/varint.h"
#include "wire/frames.h"

namespace gridwhistle {

namespace {

// Without I, L, O and U: nobody confuses them with digits, and no word comes of it.
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kLookupLength = 4;
constexpr std::size_t kCodeLength = 12;
constexpr std::size_t kShortCodeLength = 4;
constexpr std::uint64_t kShortCodeTries = 64;  ///< a million codes, of which few are taken

std::string random_letters(Random& random, std::size_t count) {
  std::string letters;
  while (letters.size() < count) letters += kAlphabet[random.next() % kAlphabet.size()];
  return letters;
}

// What a person typed, as it was made.
std::string typed(std::string_view code) {
  std::string letters;
  for (char c : code) {
    if (c == '-' || c == ' ') continue;
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
    letters += c;
  }
  return letters;
}

Result<CodeRow> find_code(Storage& storage, std::string_view given, DeviceId device,
                          std::int64_t now_ms) {
  const auto wrong = [] { return fail(ErrorCode::kCodeWrong, "there is no such enrolment code"); };
  const std::string letters = typed(given);
  if (letters.size() != kCodeLength) return wrong();
  auto found = storage.code(letters.substr(0, kLookupLength));
  if (!found) return std::unexpected(std::move(found.error()));
  if (!*found) return wrong();
  CodeRow code = std::move(**found);
  if (sha256(code.salt + letters.substr(kLookupLength)) != code.hash) {
    if (code.tries_left == 0) return wrong();
    --code.tries_left;
    if (auto put = storage.put_code(code); !put) return std::unexpected(put.error());
    return wrong();
  }
  // From here on whoever calls has the whole code: what became of it tells nobody else anything.
  if (code.tries_left == 0) {
    return fail(ErrorCode::kCodeSpent, "wrong tries have used this enrolment code up");
  }
  if (code.used_by && code.used_by != device) {
    return fail(ErrorCode::kCodeUsed, "this enrolment code was used; ask for another");
  }
  if (!code.used_by && now_ms > code.expires_ms) {
    return fail(ErrorCode::kCodeExpired, "this enrolment code has expired; ask for another");
  }
  return code;
}

// The work would come in the new worker's name, be rejected, and its author never hear of it.
bool takes_work_away(const v1::EnrolRequest& request, const std::optional<DeviceRow>& known,
                     RecordId worker) {
  if (request.unsent() == 0) return false;
  if (!request.worker().empty()) return request.worker() != worker.bytes();
  return known && known->worker != worker;
}

// From here on what the device writes is this worker's, and what it has read before speaks of other
// scopes, or of rows that it let go of when it was revoked.
Result<void> begin_anew(Storage& storage, const DeviceRow& known, RecordId worker) {
  if (known.worker == worker && known.state == DeviceState::kActive) return {};
  auto before = storage.holders(known.device);
  if (!before) return std::unexpected(std::move(before.error()));
  if (before->empty()) {
    auto first = storage.add_holder(known.device, {Seq(), known.worker});
    if (!first) return first;
  }
  const Seq place(storage.last_seq().value + 1);
  storage.set_last_seq(place);
  return storage.add_holder(known.device, {place, worker});
}

}  // namespace

Result<void> check_enrolment(const v1::EnrolRequest& request, std::string_view server_key_sha256) {
  if (request.device() == 0 || request.device() >> 60 != 0 ||
      request.device_name().size() > limits::kLabelBytes) {
    return fail(ErrorCode::kInvalid, "the enrolment is not well formed");
  }
  const Result<bool> signed_by_key = verify_p256(
      request.public_key(), enrol_to_sign(request, server_key_sha256), request.signature());
  if (!signed_by_key) return std::unexpected(signed_by_key.error());
  if (!*signed_by_key) {
    return fail(ErrorCode::kBadSignature, "the enrolment is not signed by the device's key");
  }
  return {};
}

Result<std::string> letters_for(Storage& storage, DeviceId device) {
  auto others = storage.devices();
  if (!others) return std::unexpected(std::move(others.error()));
  for (std::uint64_t attempt = 0; attempt < kShortCodeTries; ++attempt) {
    std::string seed;
    append_fixed64(seed, device.value);
    append_fixed64(seed, attempt);
    const std::string hash = sha256(seed);
    std::string code;
    for (std::size_t i = 0; i < kShortCodeLength; ++i) {
      code += kAlphabet[static_cast<unsigned char>(hash[i]) % kAlphabet.size()];
    }
    const auto taken = std::ranges::find(*others, code, &DeviceRow::short_code);
    if (taken == others->end() || taken->device == device) return code;
  }
  return fail(ErrorCode::kTooMany, "this county has no number left for a device");
}

Result<std::string> make_enrolment_code(Storage& storage, Random& random, RecordId worker,
                                        std::int64_t now_ms) {
  for (;;) {
    const std::string letters = random_letters(random, kCodeLength);
    CodeRow row;
    row.lookup = letters.substr(0, kLookupLength);
    auto taken = storage.code(row.lookup);
    if (!taken) return std::unexpected(std::move(taken.error()));
    if (*taken && !(*taken)->used_by && (*taken)->expires_ms > now_ms) continue;
    append_fixed64(row.salt, random.next());
    append_fixed64(row.salt, random.next());
    row.hash = sha256(row.salt + letters.substr(kLookupLength));
    row.worker = worker;
    row.expires_ms = now_ms + kCodeLifeMs;
    row.tries_left = kCodeTries;
    if (auto put = storage.put_code(row); !put) return std::unexpected(put.error());
    return letters.substr(0, 4) + "-" + letters.substr(4, 4) + "-" + letters.substr(8);
  }
}

Result<EnrolledDevice> enrol_device(Storage& storage, const v1::EnrolRequest& request,
                                    std::string_view server_key_sha256, std::int64_t now_ms) {
  if (auto fine = check_enrolment(request, server_key_sha256); !fine) {
    return std::unexpected(fine.error());
  }
  const DeviceId id(request.device());
  auto code = find_code(storage, request.code(), id, now_ms);
  if (!code) return std::unexpected(std::move(code.error()));
  auto known = storage.device(id);
  if (!known) return std::unexpected(std::move(known.error()));
  const bool new_key = *known && (*known)->public_key != request.public_key();
  if (code->used_by) {
    // It vouches for the key that it was used with.
    if (!*known || new_key) {
      return fail(ErrorCode::kCodeUsed, "this enrolment code was used; ask for another");
    }
    return EnrolledDevice{.row = **known};
  }
  if (new_key && (*known)->worker != code->worker) {
    return fail(
        ErrorCode::kAlreadyExists,
        "此设备编号属于另一人员的手机，密钥也不同；丢失密钥的手机须先用原人员的注册码注册 / "
        "another worker's phone has this number, with another key; a phone that lost its key "
        "enrols with a code of that worker first");
  }
  if (takes_work_away(request, *known, code->worker)) {
    return fail(
        ErrorCode::kConflict,
        "本机还有另一人员的记录，服务器或其备份中尚没有；请先同步，由管理员备份一次，再同步，"
        "然后注册 / this phone still holds another worker's work that the server or its backup "
        "lacks; sync it, run `gridwhistle-server backup`, sync once more, then enrol");
  }
  DeviceRow device = *known ? **known : DeviceRow{};
  if (*known) {
    auto begun = begin_anew(storage, **known, code->worker);
    if (!begun) return std::unexpected(begun.error());
  } else {
    device.device = id;
    auto letters = letters_for(storage, id);
    if (!letters) return std::unexpected(std::move(letters.error()));
    device.short_code = std::move(*letters);
  }
  device.public_key = request.public_key();
  device.worker = code->worker;
  device.state = DeviceState::kActive;
  device.name = request.device_name();
  device.enrolled_ms = now_ms;
  if (auto put = storage.put_device(device); !put) return std::unexpected(put.error());
  code->used_by = id;
  if (auto put = storage.put_code(*code); !put) return std::unexpected(put.error());
  return EnrolledDevice{.row = std::move(device), .key_replaced = new_key};
}

}  // namespace gridwhistle

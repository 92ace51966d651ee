#include "access/enrolment.h"

#include <optional>

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

std::string short_code_of(std::size_t number) {
  std::string code;
  do {
    code.insert(code.begin(), kAlphabet[number % kAlphabet.size()]);
    number /= kAlphabet.size();
  } while (number != 0);
  return code;
}

Result<CodeRow> find_code(Storage& storage, std::string_view given, DeviceId device,
                          std::int64_t now_ms) {
  const auto wrong = [] { return fail(ErrorCode::kCodeWrong, "there is no such enrolment code"); };
  const std::string letters = typed(given);
  if (letters.size() != kCodeLength) return wrong();
  auto found = storage.code(letters.substr(0, kLookupLength));
  if (!found) return std::unexpected(std::move(found.error()));
  if (!*found || (*found)->tries_left == 0) return wrong();
  CodeRow code = std::move(**found);
  if (sha256(code.salt + letters.substr(kLookupLength)) != code.hash) {
    --code.tries_left;
    if (auto put = storage.put_code(code); !put) return std::unexpected(put.error());
    return wrong();
  }
  if (code.used_by && code.used_by != device) {
    return fail(ErrorCode::kCodeUsed, "this enrolment code was used; ask for another");
  }
  if (!code.used_by && now_ms > code.expires_ms) {
    return fail(ErrorCode::kCodeExpired, "this enrolment code has expired; ask for another");
  }
  return code;
}

Result<void> check_request(const v1::EnrolRequest& request, std::string_view server_key_sha256) {
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

}  // namespace

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

Result<DeviceRow> enrol_device(Storage& storage, const v1::EnrolRequest& request,
                               std::string_view server_key_sha256, std::int64_t now_ms) {
  if (auto fine = check_request(request, server_key_sha256); !fine) {
    return std::unexpected(fine.error());
  }
  const DeviceId id(request.device());
  auto code = find_code(storage, request.code(), id, now_ms);
  if (!code) return std::unexpected(std::move(code.error()));
  auto known = storage.device(id);
  if (!known) return std::unexpected(std::move(known.error()));
  if (*known && (*known)->public_key != request.public_key()) {
    return fail(ErrorCode::kAlreadyExists, "another device has this number already");
  }
  if (code->used_by) {
    if (!*known) return fail(ErrorCode::kCodeUsed, "this enrolment code was used; ask for another");
    return **known;
  }
  auto all = storage.devices();
  if (!all) return std::unexpected(std::move(all.error()));
  DeviceRow device = *known ? **known : DeviceRow{};
  if (!*known) {
    device.device = id;
    device.public_key = request.public_key();
    device.short_code = short_code_of(all->size() + 1);
    if (device.short_code.size() > kShortCodeLength) {
      return fail(ErrorCode::kTooMany, "this county has no number left for a device");
    }
  }
  device.worker = code->worker;
  device.state = DeviceState::kActive;
  device.name = request.device_name();
  device.enrolled_ms = now_ms;
  if (auto put = storage.put_device(device); !put) return std::unexpected(put.error());
  code->used_by = id;
  if (auto put = storage.put_code(*code); !put) return std::unexpected(put.error());
  return device;
}

}  // namespace gridwhistle

#include "wire/media.h"

#include <utility>

#include "base/limits.h"
#include "base/sha256.h"
#include "wire/checks.h"
#include "wire/parse.h"

namespace gridwhistle {
namespace {

constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kSignatureBytes = 80;

Result<void> check_digest(std::string_view digest) {
  if (digest.size() == kDigestBytes) return {};
  return refuse_frame(ErrorCode::kInvalid, "a digest has not 32 bytes");
}

Result<void> check_size(std::uint64_t size) {
  if (size == 0) return refuse_frame(ErrorCode::kInvalid, "a file is empty");
  if (size <= limits::kMediaBytes) return {};
  return refuse_frame(ErrorCode::kTooLarge, "a file is larger than 64 MB");
}

Result<void> check_media(const v1::MediaHello& hello) {
  if (hello.device() == 0 || hello.device() >> 60 != 0) {
    return refuse_frame(ErrorCode::kInvalid, "a device's id has 60 bits and is not 0");
  }
  if (hello.call_counter() == 0) {
    return refuse_frame(ErrorCode::kInvalid, "a call's counter begins at 1");
  }
  if (hello.signature().size() > kSignatureBytes) {
    return refuse_frame(ErrorCode::kInvalid, "a signature exceeds 80 bytes");
  }
  return {};
}

Result<void> check_media(const v1::MediaPut& put) {
  if (auto fine = check_digest(put.sha256()); !fine) return fine;
  return check_size(put.size());
}

Result<void> check_media(const v1::MediaChunk& chunk) {
  if (chunk.content().empty()) return refuse_frame(ErrorCode::kInvalid, "a chunk is empty");
  if (chunk.content().size() > limits::kMediaChunkBytes) {
    return refuse_frame(ErrorCode::kTooLarge, "a chunk is larger than 256 KB");
  }
  if (chunk.offset() > limits::kMediaBytes) {
    return refuse_frame(ErrorCode::kTooLarge, "a chunk lies beyond 64 MB");
  }
  return check_digest(chunk.sha256());
}

Result<void> check_media(const v1::MediaProof& proof) { return check_digest(proof.sha256()); }

Result<void> check_media(const v1::MediaGet& get) {
  if (get.bytes_max() == 0 || get.bytes_max() > limits::kMediaChunkBytes) {
    return refuse_frame(ErrorCode::kTooLarge, "a chunk has from 1 byte to 256 KB");
  }
  if (get.offset() > limits::kMediaBytes) {
    return refuse_frame(ErrorCode::kTooLarge, "no file has so many bytes");
  }
  return check_digest(get.sha256());
}

Result<void> check_media(const v1::MediaHas& has) {
  if (has.offset() <= limits::kMediaBytes) return {};
  return refuse_frame(ErrorCode::kTooLarge, "no file has so many bytes");
}

Result<void> check_media(const v1::MediaProve& prove) { return check_digest(prove.nonce()); }

Result<void> check_media(const v1::MediaStored&) { return {}; }

Result<void> check_media(const v1::MediaRefused& refused) {
  v1::Refusal words;
  words.set_code(refused.code());
  words.set_message(refused.message());
  if (auto fine = check(words); !fine) return fine;
  return check_digest(refused.sha256());
}

Result<void> check_media(const v1::Refusal& refusal) { return check(refusal); }

template <typename Value, typename Part>
Result<Value> checked(Part part) {
  if (auto fine = check_media(part); !fine) return std::unexpected(std::move(fine.error()));
  return Value(std::move(part));
}

template <typename Message>
Result<Message> parsed(std::string_view frame) {
  if (frame.size() > limits::kLoneFrameBytes) {
    return refuse_frame(ErrorCode::kTooLarge, "a frame is too large");
  }
  Message message;
  if (!parse_shallow(frame, message)) {
    return refuse_frame(ErrorCode::kProtocol, "a frame cannot be read");
  }
  return message;
}

void set_part(v1::MediaUp& up, v1::MediaHello part) { *up.mutable_hello() = std::move(part); }
void set_part(v1::MediaUp& up, v1::MediaPut part) { *up.mutable_put() = std::move(part); }
void set_part(v1::MediaUp& up, v1::MediaChunk part) { *up.mutable_chunk() = std::move(part); }
void set_part(v1::MediaUp& up, v1::MediaProof part) { *up.mutable_proof() = std::move(part); }
void set_part(v1::MediaUp& up, v1::MediaGet part) { *up.mutable_get() = std::move(part); }
void set_part(v1::MediaDown& down, v1::MediaHas part) { *down.mutable_has() = std::move(part); }
void set_part(v1::MediaDown& down, v1::MediaProve part) { *down.mutable_prove() = std::move(part); }
void set_part(v1::MediaDown& down, v1::MediaStored part) {
  *down.mutable_stored() = std::move(part);
}
void set_part(v1::MediaDown& down, v1::MediaChunk part) { *down.mutable_chunk() = std::move(part); }
void set_part(v1::MediaDown& down, v1::MediaRefused part) {
  *down.mutable_refused() = std::move(part);
}
void set_part(v1::MediaDown& down, v1::Refusal part) { *down.mutable_refusal() = std::move(part); }

template <typename Message, typename Value>
std::string encoded(const Value& value) {
  Message message;
  std::visit([&](const auto& part) { set_part(message, part); }, value);
  return message.SerializeAsString();
}

}  // namespace

Result<MediaUp> decode_media_up(std::string_view frame) {
  auto up = parsed<v1::MediaUp>(frame);
  if (!up) return std::unexpected(std::move(up.error()));
  switch (up->part_case()) {
    case v1::MediaUp::kHello:
      return checked<MediaUp>(std::move(*up->mutable_hello()));
    case v1::MediaUp::kPut:
      return checked<MediaUp>(std::move(*up->mutable_put()));
    case v1::MediaUp::kChunk:
      return checked<MediaUp>(std::move(*up->mutable_chunk()));
    case v1::MediaUp::kProof:
      return checked<MediaUp>(std::move(*up->mutable_proof()));
    case v1::MediaUp::kGet:
      return checked<MediaUp>(std::move(*up->mutable_get()));
    case v1::MediaUp::PART_NOT_SET:
      break;
  }
  return refuse_frame(ErrorCode::kProtocol, "a frame holds no part that this server knows");
}

Result<MediaDown> decode_media_down(std::string_view frame) {
  auto down = parsed<v1::MediaDown>(frame);
  if (!down) return std::unexpected(std::move(down.error()));
  switch (down->part_case()) {
    case v1::MediaDown::kHas:
      return checked<MediaDown>(std::move(*down->mutable_has()));
    case v1::MediaDown::kProve:
      return checked<MediaDown>(std::move(*down->mutable_prove()));
    case v1::MediaDown::kStored:
      return checked<MediaDown>(std::move(*down->mutable_stored()));
    case v1::MediaDown::kChunk:
      return checked<MediaDown>(std::move(*down->mutable_chunk()));
    case v1::MediaDown::kRefused:
      return checked<MediaDown>(std::move(*down->mutable_refused()));
    case v1::MediaDown::kRefusal:
      return checked<MediaDown>(std::move(*down->mutable_refusal()));
    case v1::MediaDown::PART_NOT_SET:
      break;
  }
  return refuse_frame(ErrorCode::kProtocol, "a frame holds no part that this phone knows");
}

std::string encode_media_up(const MediaUp& part) { return encoded<v1::MediaUp>(part); }
std::string encode_media_down(const MediaDown& part) { return encoded<v1::MediaDown>(part); }

v1::MediaChunk chunk_of(std::uint64_t offset, std::string content) {
  v1::MediaChunk chunk;
  chunk.set_offset(offset);
  chunk.set_sha256(sha256(content));
  chunk.set_content(std::move(content));
  return chunk;
}

bool is_intact(const v1::MediaChunk& chunk) { return sha256(chunk.content()) == chunk.sha256(); }

}  // namespace gridwhistle

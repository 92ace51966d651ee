#include <variant>

#include "base/envelope.h"
#include "base/limits.h"
#include "base/p256.h"
#include "base/sha256.h"
#include "bodies.h"
#include "client/picture.h"
#include "samples.h"
#include "wire/media.h"

// Laws of attachments on their way, of pictures that are stripped, and of what is sealed.
namespace gridwhistle::fuzz {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

template <typename Part>
std::string within_limits(const Part& part) {
  if constexpr (requires { part.offset(); }) {
    if (part.offset() > limits::kMediaBytes) return "a place lies within a file";
  }
  if constexpr (requires { part.content(); }) {
    if (part.content().empty() || part.content().size() > limits::kMediaChunkBytes) {
      return "a chunk has from 1 byte to 256 KB";
    }
  }
  if constexpr (requires { part.sha256(); }) {
    if (part.sha256().size() != 32) return "a digest has 32 bytes";
  }
  return "";
}

template <auto kDecode, auto kEncode>
std::string media_law(std::string_view bytes) {
  const auto part = kDecode(bytes);
  if (!part) return refusal_law(part.error());
  std::string broken = std::visit([](const auto& one) { return within_limits(one); }, *part);
  if (!broken.empty()) return broken;
  const std::string sent = kEncode(*part);
  const auto again = kDecode(sent);
  return again && kEncode(*again) == sent ? "" : "a part is the same after another way";
}

v1::MediaHello media_hello() {
  v1::MediaHello hello;
  hello.set_protocol(1);
  hello.set_device(kDevice.value);
  hello.set_call_counter(3);
  hello.set_signature(std::string(64, 's'));
  return hello;
}

std::vector<std::string> media_up_seeds() {
  const std::string digest = sha256("a picture");
  v1::MediaPut put;
  put.set_sha256(digest);
  put.set_size(700'000);
  v1::MediaProof proof;
  proof.set_sha256(digest);
  v1::MediaGet get;
  get.set_sha256(digest);
  get.set_offset(4096);
  get.set_bytes_max(65'536);
  return {encode_media_up(media_hello()), encode_media_up(put),
          encode_media_up(chunk_of(8192, "bytes of a picture")), encode_media_up(proof),
          encode_media_up(get)};
}

std::vector<std::string> media_down_seeds() {
  v1::MediaHas has;
  has.set_offset(8192);
  v1::MediaProve prove;
  prove.set_nonce(std::string(32, 'n'));
  v1::MediaStored stored;
  stored.set_seq(77);
  v1::MediaRefused refused;
  refused.set_sha256(sha256("a picture"));
  refused.set_code(static_cast<std::uint32_t>(ErrorCode::kNotFound));
  refused.set_message("why");
  v1::Refusal refusal;
  refusal.set_code(static_cast<std::uint32_t>(ErrorCode::kBusy));
  refusal.set_message("later");
  refusal.set_retry_after_ms(1000);
  return {encode_media_down(has),     encode_media_down(prove),
          encode_media_down(stored),  encode_media_down(chunk_of(0, "bytes of a picture")),
          encode_media_down(refused), encode_media_down(refusal)};
}

// A reader of its own, of no more than which segments there are (ITU-T T.81, B.1.1).
std::string metadata_in(std::string_view jpeg) {
  std::size_t at = 2;
  while (at + 4 <= jpeg.size()) {
    const auto marker = static_cast<std::uint8_t>(jpeg[at + 1]);
    if (jpeg[at] != '\xFF') return "between two segments lies nothing";
    if (marker == 0xD9) return at + 2 == jpeg.size() ? "" : "behind its end a picture has nothing";
    if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7)) {
      at += 2;
      continue;
    }
    const std::size_t length =
        static_cast<std::uint8_t>(jpeg[at + 2]) * 256U + static_cast<std::uint8_t>(jpeg[at + 3]);
    const std::string_view content = jpeg.substr(at + 4, length < 2 ? 0 : length - 2);
    if (marker == 0xFE) return "a stripped picture holds no remark";
    if (marker == 0xE0 && content.size() > 14) return "a stripped picture holds no preview";
    if (marker == 0xE1 && content.size() > 32) return "of Exif only how it is turned stays";
    if (marker >= 0xE3 && marker <= 0xEF && marker != 0xEE) return "what programs add goes";
    at += 2 + length;
    if (marker != 0xDA) continue;
    while (at + 1 < jpeg.size()) {
      const auto next = static_cast<std::uint8_t>(jpeg[at + 1]);
      const bool belongs = next == 0 || next == 0xFF || (next >= 0xD0 && next <= 0xD7);
      if (jpeg[at] == '\xFF' && !belongs) break;
      ++at;
    }
  }
  return "";
}

std::string picture_law(std::string_view bytes) {
  const auto stripped = without_metadata(bytes);
  if (!stripped) {
    return stripped.error().code == ErrorCode::kInvalid ? "" : "a picture is refused as invalid";
  }
  // How it is turned may be written anew, where it was not said in this form before.
  if (stripped->size() > bytes.size() + 36) return "a stripped picture is no larger";
  if (std::string broken = metadata_in(*stripped); !broken.empty()) return broken;
  const auto again = without_metadata(*stripped);
  return again && *again == *stripped ? "" : "a stripped picture stays as it is";
}

std::string segment(char marker, std::string_view content) {
  const std::size_t size = content.size() + 2;
  std::string bytes = {'\xFF', marker, static_cast<char>(size >> 8), static_cast<char>(size)};
  return bytes.append(content);
}

std::vector<std::string> picture_seeds() {
  const std::string start = "\xFF\xD8";
  const std::string turned =
      "Exif\0\0II*\0\x08\0\0\0\x02\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
      "\x25\x88\x04\0\x01\0\0\0\x26\0\0\0\0\0\0\0GPS"s;
  const std::string picture = segment('\xDB', "tables") + segment('\xC0', "frame") +
                              segment('\xDA', "scan") + "data\xFF\0data\xFF\xD0more"s + "\xFF\xD9";
  const std::string jfif = "JFIF\0\1\2\0\0\1\0\1"s;
  return {start + segment('\xE0', jfif + "\0\0"s) + segment('\xE1', turned) + picture,
          start + segment('\xE0', jfif + "\1\1rgb"s) + segment('\xE2', "ICC_PROFILE\0colours"sv) +
              segment('\xE2', "MPF\0previews"sv) + segment('\xFE', "remark") + picture + "a film",
          start + "\xFF" + segment('\xEE', "Adobe") + segment('\xED', "Photoshop") + picture};
}

const P256Key& reader() {
  static const P256Key key = P256Key::make().value();
  return key;
}

std::string envelope_law(std::string_view bytes) {
  std::string_view rest = bytes;
  const auto opened = open_envelope(reader(), rest);
  if (!opened) {
    if (rest != bytes) return "what is refused is left where it is";
    return opened.error().code == ErrorCode::kCorrupt ||
                   opened.error().code == ErrorCode::kWrongServerKey
               ? ""
               : "an envelope is refused as corrupt, or as somebody else's";
  }
  if (rest.size() >= bytes.size() || !bytes.ends_with(rest)) return "an envelope is taken off";
  // Whatever stands around it, what comes out is what was put in.
  return *opened == "a bundle" || *opened == "" ? "" : "nobody else has put anything in";
}

std::vector<std::string> envelope_seeds() {
  const std::string key = reader().public_key().value();
  const std::string one = seal(key, "a bundle").value();
  const std::string stranger = P256Key::make().value().public_key().value();
  return {one, one + seal(key, "").value(), seal(stranger, "for somebody else").value()};
}

}  // namespace

const Body kMediaUp = {"media_up", media_law<decode_media_up, encode_media_up>, media_up_seeds};
const Body kMediaDown = {"media_down", media_law<decode_media_down, encode_media_down>,
                         media_down_seeds};
const Body kPicture = {"picture", picture_law, picture_seeds};
const Body kEnvelope = {"envelope", envelope_law, envelope_seeds};

}  // namespace gridwhistle::fuzz

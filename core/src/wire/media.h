#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "gridwhistle/status.h"
#include "gridwhistle/v1/media.pb.h"

// The frames of a MediaService call to values and back. As with frames.h whatever comes from
// outside is checked here, once: forms, sizes and numbers; the refusals are the same.
namespace gridwhistle {

using MediaUp =
    std::variant<v1::MediaHello, v1::MediaPut, v1::MediaChunk, v1::MediaProof, v1::MediaGet>;
using MediaDown = std::variant<v1::MediaHas, v1::MediaProve, v1::MediaStored, v1::MediaChunk,
                               v1::MediaRefused, v1::Refusal>;

/// A frame that a phone sent.
Result<MediaUp> decode_media_up(std::string_view frame);
/// A frame that a server sent.
Result<MediaDown> decode_media_down(std::string_view frame);

std::string encode_media_up(const MediaUp& part);
std::string encode_media_down(const MediaDown& part);

/// Bytes of a file that begin at `offset`, with their digest.
v1::MediaChunk chunk_of(std::uint64_t offset, std::string content);
/// Whether its bytes are those that were sent.
bool is_intact(const v1::MediaChunk& chunk);

/// What the device's key signs in a MediaHello: as of a Hello, but for a word in between that no
/// Hello begins with, so that neither passes for the other.
std::string media_hello_to_sign(const v1::MediaHello& hello, std::string_view server_key_sha256);

}  // namespace gridwhistle

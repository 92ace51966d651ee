#include <algorithm>
#include <array>
#include <fstream>
#include <span>
#include <utility>

#include "base/limits.h"
#include "base/sha256.h"
#include "client/picture.h"
#include "client/state.h"
#include "gridwhistle/v1/records.pb.h"

// Keeping the bytes of attachments, and asking for them.
namespace gridwhistle {

namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20;

/// How files of a type begin, behind `skip` bytes.
struct Beginning {
  std::string_view media_type;
  std::size_t skip = 0;
  std::string_view bytes;
};
using namespace std::string_view_literals;
constexpr std::array kBeginnings = {
    Beginning{"image/jpeg", 0, "\xFF\xD8\xFF"sv}, Beginning{"image/png", 0, "\x89PNG\r\n\x1A\n"sv},
    Beginning{"image/gif", 0, "GIF8"sv},          Beginning{"image/webp", 8, "WEBP"sv},
    Beginning{"image/heic", 4, "ftyp"sv},         Beginning{"video/mp4", 4, "ftyp"sv},
    Beginning{"audio/mp4", 4, "ftyp"sv},          Beginning{"application/pdf", 0, "%PDF-"sv}};
constexpr std::size_t kLongestBeginning = 16;

/// "type/subtype", in the letters that a media type is made of.
bool is_media_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto is_token = [](std::string_view part) {
    return !part.empty() && std::ranges::all_of(part, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("!#$&^_.+-").find(c) != std::string_view::npos;
    });
  };
  return text.size() <= limits::kMediaTypeBytes && slash != std::string_view::npos &&
         is_token(text.substr(0, slash)) && is_token(text.substr(slash + 1));
}

Result<void> check_media(std::string_view beginning, std::uint64_t size,
                         const KeepOptions& options) {
  if (!is_media_type(options.media_type)) {
    return fail(ErrorCode::kInvalid, "a media type is of the form image/jpeg", "media type");
  }
  if (size == 0) return fail(ErrorCode::kInvalid, "the file is empty", "media size");
  if (size > limits::kMediaBytes) {
    return fail(ErrorCode::kTooLarge, "the file is larger than 64 MB", "media size");
  }
  for (const Beginning& known : kBeginnings) {
    if (options.media_type != known.media_type) continue;
    if (beginning.size() >= known.skip && beginning.substr(known.skip).starts_with(known.bytes)) {
      return {};
    }
    return fail(ErrorCode::kInvalid,
                "the file is not of the type it is said to be: " + options.media_type,
                "media type");
  }
  return {};
}

// Where a picture was taken is nobody's business, unless it proves something.
bool is_stripped(const KeepOptions& options) {
  return options.media_type == "image/jpeg" && !options.evidence;
}

std::unexpected<Error> cannot_be_read(const std::string& path) {
  return fail(ErrorCode::kNotFound, path + ": no file that can be read", "media file");
}

}  // namespace

Result<std::shared_ptr<MediaFiles>> ClientState::media_files() {
  return write([this](store::Store&) { return media_.files(); });
}

// Hashed by whoever calls; written and compared here.
Result<v1::Attachment> ClientState::keep_read(const std::function<Result<std::string>()>& next,
                                              const MediaFile& file, const KeepOptions& options) {
  const auto files = media_files();
  if (!files) return std::unexpected(files.error());
  auto there = (*files)->size_of(file.sha256);
  if (!there) return std::unexpected(std::move(there.error()));
  if (!*there) {
    const std::string owner = "keep" + std::to_string(++keeps_);
    auto part = (*files)->part(owner, file);
    if (!part) return std::unexpected(std::move(part.error()));
    const auto copy = [&]() -> Result<void> {
      while ((*part)->size() < file.size) {
        auto bytes = next();
        if (!bytes) return std::unexpected(std::move(bytes.error()));
        if (auto appended = (*part)->append(*bytes); !appended) return appended;
      }
      return (*part)->finish();
    };
    if (auto copied = copy(); !copied) {
      part->reset();
      static_cast<void>((*files)->drop_part(owner, file.sha256));
      return std::unexpected(std::move(copied.error()));
    }
  }
  const auto noted = write([&](store::Store& store) -> Result<void> {
    // Kept before, and let go of while this waited for the lock: the rare case asks again.
    auto still = (*files)->size_of(file.sha256);
    if (!still) return std::unexpected(std::move(still.error()));
    if (!*still) return fail(ErrorCode::kIo, "the file is not there any more; keep it again");
    auto done = store.note_media(file, true);
    if (done) strand_->post([this] { media_.kept(); });
    return done;
  });
  if (!noted) return std::unexpected(noted.error());
  v1::Attachment kept;
  kept.set_sha256(file.sha256);
  kept.set_size_bytes(static_cast<std::int64_t>(file.size));
  kept.set_media_type(options.media_type);
  if (options.evidence) kept.set_evidence(true);
  return kept;
}

Result<v1::Attachment> ClientState::keep(std::string_view bytes, const KeepOptions& options) {
  if (auto fine = check_media(bytes.substr(0, kLongestBeginning), bytes.size(), options); !fine) {
    return std::unexpected(std::move(fine.error()));
  }
  std::string picture;
  if (is_stripped(options)) {
    auto stripped = without_metadata(bytes);
    if (!stripped) return std::unexpected(std::move(stripped.error()));
    picture = std::move(*stripped);
    bytes = picture;
  }
  std::string_view rest = bytes;
  const auto next = [&rest]() -> Result<std::string> {
    std::string piece(rest.substr(0, kReadBytes));
    rest.remove_prefix(piece.size());
    return piece;
  };
  return keep_read(next, {sha256(bytes), bytes.size()}, options);
}

Result<v1::Attachment> ClientState::keep_file(const std::string& path, const KeepOptions& options) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return cannot_be_read(path);
  const auto next = [&]() -> Result<std::string> {
    std::string piece(kReadBytes, '\0');
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (file.bad() || file.gcount() == 0) return cannot_be_read(path);
    piece.resize(static_cast<std::size_t>(file.gcount()));
    return piece;
  };
  Sha256 digest;
  std::uint64_t size = 0;
  std::string beginning;
  std::string picture;
  while (file.peek() != std::ifstream::traits_type::eof() && size <= limits::kMediaBytes) {
    const auto piece = next();
    if (!piece) return std::unexpected(piece.error());
    if (size == 0) beginning = piece->substr(0, kLongestBeginning);
    if (is_stripped(options)) {
      picture += *piece;
    } else {
      digest.add(*piece);
    }
    size += piece->size();
  }
  if (file.bad()) return cannot_be_read(path);
  if (auto fine = check_media(beginning, size, options); !fine) {
    return std::unexpected(std::move(fine.error()));
  }
  if (is_stripped(options)) return keep(picture, options);
  file.clear();
  file.seekg(0);
  return keep_read(next, {digest.end(), size}, options);
}

void ClientState::send_media(MediaCarrier::Passed done) {
  ask([this, done](std::uint64_t question) { media_.pass(question, done); },
      [done](const Error& error) { done(std::unexpected(error)); });
}

void ClientState::fetch(const RecordId& attachment, MediaCarrier::Fetched done) {
  ask([this, attachment,
       done](std::uint64_t question) { media_.fetch(question, attachment, done); },
      [done](const Error& error) { done(std::unexpected(error)); });
}

void ClientState::note_media_fault(const Error& error) {
  if (error.code == ErrorCode::kInternal) poison(error);
}

}  // namespace gridwhistle

#include <filesystem>
#include <fstream>
#include <optional>

#include "base/limits.h"
#include "base/sha256.h"
#include "gridwhistle/v1/records.pb.h"
#include "phone.h"
#include "schema/kinds.h"

// What a client does about the bytes of attachments. Files lie on the real disk; how they travel is
// in tests/unit/sync, tests/unit/county and tests/e2e.
namespace gridwhistle {

namespace {

namespace fs = std::filesystem;

const std::string kJpeg = "\xFF\xD8\xFF\xDB" + std::string(5000, 'p') + "\xFF\xD9";

RecordId visit_on(Phone& phone) {
  v1::Visit visit;
  visit.set_grid("440811001001001");
  visit.set_kind(v1::VISIT_KIND_PATROL);
  const auto id = phone.client->put(visit);
  REQUIRE(id);
  return *id;
}

v1::Attachment kept(Phone& phone, const std::string& bytes = kJpeg) {
  const auto attachment = phone.client->keep(bytes, {"image/jpeg", true});
  REQUIRE(attachment);
  return *attachment;
}

RecordId attached(Phone& phone, v1::Attachment attachment) {
  attachment.set_parent(std::string(visit_on(phone).bytes()));
  attachment.set_parent_kind(kinds::kVisit.value);
  const auto id = phone.client->put(attachment);
  INFO((id ? "" : id.error().message));
  REQUIRE(id);
  return *id;
}

Result<std::string> fetched(Phone& phone, const RecordId& id) {
  std::optional<Result<std::string>> path;
  phone.client->fetch(id, [&](Result<std::string> done) { path = std::move(done); });
  phone.wait();
  REQUIRE(path.has_value());
  return *path;
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

ErrorCode refused(Phone& phone, const std::string& bytes, const std::string& type) {
  const auto attachment = phone.client->keep(bytes, {type, true});
  return attachment ? ErrorCode{} : attachment.error().code;
}

std::size_t files_in(const Phone& phone) {
  std::size_t files = 0;
  for (const auto& entry :
       fs::recursive_directory_iterator(phone.folder.path() + "/phone.db.media")) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  return files;
}

}  // namespace

TEST_CASE("what is kept is on the disk, named by its bytes, and there again after a restart") {
  Phone phone;
  phone.ready();
  const v1::Attachment picture = kept(phone);
  CHECK(picture.sha256() == sha256(kJpeg));
  CHECK(picture.size_bytes() == static_cast<std::int64_t>(kJpeg.size()));
  CHECK(picture.media_type() == "image/jpeg");
  CHECK(picture.evidence());
  const RecordId id = attached(phone, picture);
  CHECK(phone.client->status().media.unsent == 1);
  CHECK(phone.client->status().media.unsent_bytes == kJpeg.size());
  phone.client.reset();
  phone.open();
  CHECK(phone.client->status().media.unsent == 1);
  const auto path = fetched(phone, id);
  REQUIRE(path);
  CHECK(read(*path) == kJpeg);
}

TEST_CASE("the same bytes are kept once, however often and from wherever") {
  Phone phone;
  phone.ready();
  const v1::Attachment one = kept(phone);
  std::ofstream(phone.folder.path() + "/picture.jpg", std::ios::binary) << kJpeg;
  const auto two =
      phone.client->keep_file(phone.folder.path() + "/picture.jpg", {"image/jpeg", true});
  REQUIRE(two);
  CHECK(two->sha256() == one.sha256());
  CHECK(files_in(phone) == 1);
  CHECK(fs::exists(phone.folder.path() + "/picture.jpg"));
}

TEST_CASE("a file is kept whole, however many pieces it is read in") {
  Phone phone;
  phone.ready();
  std::string bytes = "%PDF-";
  for (int i = 0; bytes.size() < 3'300'000; ++i) bytes += std::to_string(i);
  const std::string path = phone.folder.path() + "/long.pdf";
  std::ofstream(path, std::ios::binary) << bytes;
  const auto document = phone.client->keep_file(path, {"application/pdf"});
  REQUIRE(document);
  CHECK(document->sha256() == sha256(bytes));
  CHECK_FALSE(document->has_evidence());
  CHECK(read(*fetched(phone, attached(phone, *document))) == bytes);
}

TEST_CASE("what is no attachment is refused with its reason, and nothing of it is kept") {
  Phone phone;
  phone.ready();
  CHECK(refused(phone, "", "image/jpeg") == ErrorCode::kInvalid);
  CHECK(refused(phone, "GIF89a", "image/jpeg") == ErrorCode::kInvalid);
  CHECK(refused(phone, kJpeg, "image/png") == ErrorCode::kInvalid);
  CHECK(refused(phone, kJpeg, "jpeg") == ErrorCode::kInvalid);
  CHECK(refused(phone, kJpeg, "image/") == ErrorCode::kInvalid);
  CHECK(refused(phone, kJpeg, "image/jp g") == ErrorCode::kInvalid);
  CHECK(refused(phone, kJpeg, "image/" + std::string(limits::kMediaTypeBytes, 'x')) ==
        ErrorCode::kInvalid);
  CHECK(refused(phone, std::string(limits::kMediaBytes + 1, 'x'), "video/x-any") ==
        ErrorCode::kTooLarge);
  CHECK(phone.client->keep_file(phone.folder.path() + "/none", {"image/jpeg"}).error().code ==
        ErrorCode::kNotFound);
  CHECK(phone.client->status().media.unsent == 0);
  CHECK_FALSE(fs::exists(phone.folder.path() + "/phone.db.media/parts/keep1"));
}

TEST_CASE("a server that carries no attachments holds up no report, and the picture stays") {
  Phone phone;
  phone.ready();
  const RecordId id = attached(phone, kept(phone));
  std::optional<Result<MediaReport>> how;
  const auto send = [&] {
    how.reset();
    phone.client->send_media([&](Result<MediaReport> done) { how = std::move(done); });
    phone.wait();
    REQUIRE(how.has_value());
    REQUIRE_FALSE(*how);
    return how->error().code;
  };
  CHECK(send() == ErrorCode::kConflict);
  const auto report = phone.sync();
  REQUIRE(report);
  CHECK(report->acknowledged == 2);
  CHECK(send() == ErrorCode::kUnsupported);
  CHECK(phone.client->status().media.unsent == 1);
  CHECK(phone.client->status().media.last_error->code == ErrorCode::kUnsupported);
  CHECK_FALSE(phone.client->status().last_error);
  CHECK(read(*fetched(phone, id)) == kJpeg);
}

TEST_CASE("bytes that are nowhere yet are told so, and a record that is none is not found") {
  Phone phone;
  phone.ready();
  v1::Attachment theirs;
  theirs.set_sha256(sha256("theirs"));
  theirs.set_size_bytes(6);
  theirs.set_media_type("image/jpeg");
  const RecordId id = attached(phone, theirs);
  CHECK(fetched(phone, id).error().code == ErrorCode::kUnavailable);
  CHECK(fetched(phone, RecordId::make(DeviceId(4711), 1)).error().code == ErrorCode::kNotFound);
  phone.client->close();
  CHECK(fetched(phone, id).error().code == ErrorCode::kClosed);
}

TEST_CASE("a file that a kill left without its line in the phone's file is not lost") {
  Phone phone;
  phone.ready();
  kept(phone);
  phone.client.reset();
  // As if the process had died between the two.
  for (const char* part : {"", "-wal", "-shm"})
    fs::remove(phone.folder.path() + "/phone.db" + part);
  phone.open();
  REQUIRE(phone.enrol());
  CHECK(phone.client->status().media.unsent == 0);
  kept(phone, kJpeg + "another");
  CHECK(phone.client->status().media.unsent == 2);
}

TEST_CASE("a file that is older than the pictures beside it has found them once it has caught up") {
  Phone phone;
  phone.ready();
  phone.client.reset();
  const std::string path = phone.folder.path() + "/phone.db";
  fs::copy_file(path, path + ".older");
  phone.open();
  kept(phone);
  phone.client.reset();
  for (const char* part : {"", "-wal", "-shm"}) fs::remove(path + part);
  fs::rename(path + ".older", path);
  phone.open();
  CHECK(phone.client->status().media.unsent == 0);
  REQUIRE(phone.sync());
  CHECK(phone.client->status().media.unsent == 1);
}

TEST_CASE("nothing is kept beside a file that is only read") {
  Phone phone;
  phone.ready();
  phone.client.reset();
  ClientOptions options;
  options.path = phone.folder.path() + "/phone.db";
  options.read_only = true;
  options.clock = &phone.clock;
  options.random = &phone.dice;
  options.secrets = &phone.secrets;
  options.executor = &phone.executor;
  options.connect = [](const ServerAddress&) -> Result<std::unique_ptr<Transport>> {
    return fail(ErrorCode::kUnavailable, "none");
  };
  const auto reader = Client::open(options);
  REQUIRE(reader);
  CHECK((*reader)->keep(kJpeg, {"image/jpeg", true}).error().code == ErrorCode::kReadOnly);
  CHECK((*reader)->status().media.unsent == 0);
}

namespace {

std::string segment(char marker, const std::string& content) {
  const std::size_t length = content.size() + 2;
  return std::string("\xFF") + marker + static_cast<char>(length >> 8) +
         static_cast<char>(length & 0xFF) + content;
}

// Exif as a camera writes it: how it was turned, and 21.27 degrees north.
std::string exif(bool big_endian, char orientation) {
  const auto number = [&](std::uint32_t value, int size) {
    std::string bytes;
    for (int i = 0; i < size; ++i) {
      const int shift = 8 * (big_endian ? size - 1 - i : i);
      bytes += static_cast<char>(value >> shift & 0xFF);
    }
    return bytes;
  };
  const auto entry = [&](std::uint32_t tag, std::uint32_t type, const std::string& value) {
    return number(tag, 2) + number(type, 2) + number(1, 4) + value;
  };
  std::string tiff = big_endian ? std::string("MM\0*", 4) : std::string("II*\0", 4);
  tiff += number(8, 4) + number(2, 2);
  tiff += entry(0x0112, 3, number(static_cast<std::uint32_t>(orientation), 2) + number(0, 2));
  tiff += entry(0x8825, 4, number(38, 4)) + number(0, 4);
  return std::string("Exif\0\0", 6) + tiff + "21.27 degrees north";
}

const std::string kScan = segment('\xDA', "scan") + "data\xFF" + std::string(1, '\0') + "data";

std::string jpeg(const std::string& before_scan, const std::string& behind = "") {
  return "\xFF\xD8" + before_scan + segment('\xDB', "tables") + kScan + "\xFF\xD9" + behind;
}

std::string kept_bytes(Phone& phone, const std::string& bytes, bool evidence) {
  const auto attachment = phone.client->keep(bytes, {"image/jpeg", evidence});
  INFO((attachment ? "" : attachment.error().message));
  REQUIRE(attachment);
  CHECK(attachment->evidence() == evidence);
  const auto path = fetched(phone, attached(phone, *attachment));
  REQUIRE(path);
  return read(*path);
}

}  // namespace

TEST_CASE("where a picture was taken does not leave the camera, unless it proves something") {
  Phone phone;
  phone.ready();
  const bool big_endian = GENERATE(false, true);
  const std::string xmp =
      segment('\xE1', std::string("http://ns.adobe.com/xap/1.0/\0", 29) + "GPSLatitude 21,27");
  const std::string colours = segment('\xE2', std::string("ICC_PROFILE\0", 12) + "colours");
  const std::string head("JFIF\0\1\2\0\0\1\0\1", 12);
  const std::string jfif = segment('\xE0', head + std::string(2, '\0'));
  const std::string jfif_with_preview = segment('\xE0', head + "\1\3previews.");
  const std::string taken =
      jpeg(jfif_with_preview + segment('\xE1', exif(big_endian, 6)) + xmp + colours +
               segment('\xED', "Photoshop 21.27") + segment('\xE2', "MPF with previews") +
               segment('\xFE', "taken at home"),
           "a film of it, at 21.27 degrees");
  CHECK(kept_bytes(phone, taken, true) == taken);
  const std::string kept_so = kept_bytes(phone, taken, false);
  for (const char* word : {"21", "GPS", "home", "previews", "film", "Photoshop"}) {
    CHECK(kept_so.find(word) == std::string::npos);
  }
  // It looks as before, and stands upright as before.
  CHECK(kept_so.find(colours) != std::string::npos);
  CHECK(kept_so.find(jfif) != std::string::npos);
  CHECK(kept_so.find(kScan) != std::string::npos);
  CHECK(kept_so.ends_with("\xFF\xD9"));
  const std::size_t at = kept_so.find(std::string("\x01\x12\0\x03\0\0\0\x01\0", 9));
  REQUIRE(at != std::string::npos);
  CHECK(kept_so[at + 9] == 6);
  // Once stripped it stays as it is.
  CHECK(kept_bytes(phone, kept_so, false) == kept_so);
}

TEST_CASE("what only looks like a picture is refused, and one that was cut off is kept as it is") {
  Phone phone;
  phone.ready();
  const std::string whole = jpeg("");
  const auto strips = [&](const std::string& bytes) {
    return phone.client->keep(bytes, {"image/jpeg", false}).has_value();
  };
  CHECK(strips(whole));
  CHECK(strips(whole.substr(0, whole.size() - 4)));
  CHECK_FALSE(strips("\xFF\xD8\xFF"));
  CHECK_FALSE(strips("\xFF\xD8\xFF\xDB\xFF\xFFshort"));
  CHECK_FALSE(strips("\xFF\xD8\xFF\xDB" + std::string("\0\1", 2) + "x"));
  CHECK_FALSE(strips("\xFF\xD8" + segment('\xDB', "t") + "no marker"));
  // Metadata that is torn anywhere says nothing, and costs no picture.
  const std::string torn = exif(true, 6);
  for (std::size_t size = 6; size < torn.size(); ++size) {
    CHECK(strips(jpeg(segment('\xE1', torn.substr(0, size)))));
  }
}

}  // namespace gridwhistle

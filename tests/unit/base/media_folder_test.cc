#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/media_files.h"
#include "base/sha256.h"
#include "support/temp_folder.h"

using namespace gridwhistle;

namespace {

std::string bytes_of(std::size_t size, char seed = 'a') {
  std::string bytes(size, seed);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(seed + i * i % 251);
  return bytes;
}

MediaFile named(const std::string& bytes) { return {sha256(bytes), bytes.size()}; }

struct Folder {
  Folder() { open(); }
  void open() {
    auto opened = open_media_folder(place.file("media"));
    REQUIRE(opened);
    files = std::move(*opened);
  }
  std::unique_ptr<MediaPart> part(const MediaFile& file, const std::string& owner = "one") {
    auto part = files->part(owner, file);
    REQUIRE(part);
    return std::move(*part);
  }
  // As a start after a power cut finds it: a part's file may have kept its length, not its end.
  void spoil_part(const MediaFile& file, std::size_t from) {
    const std::string path = place.file("media/parts/one_" + to_hex(file.sha256));
    std::fstream spoilt(path, std::ios::in | std::ios::out | std::ios::binary);
    spoilt.seekp(static_cast<std::streamoff>(from));
    spoilt << std::string(64, '\0');
  }

  test::TempFolder place;
  std::unique_ptr<MediaFiles> files;
};

}  // namespace

TEST_CASE("A file that comes in pieces lies under its SHA-256 when it is whole, and not before") {
  Folder folder;
  const std::string bytes = bytes_of(700'000);
  const MediaFile file = named(bytes);
  {
    auto part = folder.part(file);
    REQUIRE(part->append(bytes.substr(0, 300'000)));
    CHECK(part->finish().error().code == ErrorCode::kInvalid);
    CHECK_FALSE(folder.files->size_of(file.sha256)->has_value());
    REQUIRE(part->append(bytes.substr(300'000)));
    REQUIRE(part->finish());
  }
  CHECK(*folder.files->size_of(file.sha256) == bytes.size());
  CHECK(*folder.files->read(file.sha256, 0, bytes.size() + 1) == bytes);
  CHECK(*folder.files->read(file.sha256, 699'990, 100) == bytes.substr(699'990));
  CHECK(folder.files->read(file.sha256, 700'000, 100)->empty());
  CHECK(*folder.files->digest_behind("nonce", file.sha256) == sha256("nonce" + bytes));
  CHECK(*folder.files->all() == std::vector{file.sha256});
}

TEST_CASE("What came of a file stays when nobody goes on with it, and it goes on at that byte") {
  Folder folder;
  const std::string bytes = bytes_of(500'000);
  const MediaFile file = named(bytes);
  REQUIRE(folder.part(file)->append(bytes.substr(0, 123'457)));
  folder.open();
  auto part = folder.part(file);
  REQUIRE(part->size() == 123'457);
  REQUIRE(part->append(bytes.substr(123'457)));
  REQUIRE(part->finish());
  CHECK(*folder.files->read(file.sha256, 0, bytes.size()) == bytes);
}

TEST_CASE(
    "After a power cut only what was synced of a part counts, whatever length its file kept") {
  Folder folder;
  const std::string bytes = bytes_of(3'000'000);
  const MediaFile file = named(bytes);
  // A process that is killed lets go of nothing: this one stays open to the end.
  const auto killed = folder.part(file);
  for (std::size_t at = 0; at < 2'250'000; at += 250'000) {
    REQUIRE(killed->append(bytes.substr(at, 250'000)));
  }
  folder.spoil_part(file, 2'200'000);
  auto part = folder.part(file);
  const std::uint64_t kept = part->size();
  CHECK(kept >= 1'250'000);
  CHECK(kept <= 2'200'000);
  REQUIRE(part->append(bytes.substr(kept)));
  CHECK(part->finish());
}

TEST_CASE(
    "Bytes that are not what their name says are refused whole, and nothing of them is kept") {
  Folder folder;
  const std::string bytes = bytes_of(1'500'000);
  const MediaFile file = named(bytes);
  auto part = folder.part(file);
  std::string wrong = bytes;
  wrong[1'000'000] = static_cast<char>(wrong[1'000'000] ^ 1);
  REQUIRE(part->append(wrong));
  CHECK(part->append("x").error().code == ErrorCode::kInvalid);
  CHECK(part->finish().error().code == ErrorCode::kDamaged);
  part.reset();
  CHECK_FALSE(folder.files->size_of(file.sha256)->has_value());
  CHECK(folder.part(file)->size() == 0);
}

TEST_CASE("Each owner's part of a file is its own, and what an owner has begun is counted") {
  Folder folder;
  const std::string bytes = bytes_of(400'000);
  const std::string other = bytes_of(300'000, 'b');
  REQUIRE(folder.part(named(bytes), "one")->append(bytes.substr(0, 100)));
  REQUIRE(folder.part(named(other), "one")->append(other.substr(0, 1000)));
  CHECK(folder.part(named(bytes), "two")->size() == 0);
  CHECK(*folder.files->unfinished("one", named(bytes).sha256) == 1000);
  CHECK(*folder.files->unfinished("two", named(bytes).sha256) == 0);
  REQUIRE(folder.files->drop_part("one", named(other).sha256));
  CHECK(*folder.files->unfinished("one", named(bytes).sha256) == 0);
  CHECK(*folder.files->drop_parts_before(0) == 0);
  CHECK(*folder.files->drop_parts_before(4'000'000'000'000) == 2);
  CHECK(folder.part(named(bytes), "one")->size() == 0);
}

TEST_CASE("A file that is removed is nowhere in the folder any more") {
  Folder folder;
  const std::string bytes = bytes_of(1000);
  auto part = folder.part(named(bytes));
  REQUIRE(part->append(bytes));
  REQUIRE(part->finish());
  part.reset();
  REQUIRE(folder.files->remove(named(bytes).sha256));
  REQUIRE(folder.files->remove(named(bytes).sha256));
  CHECK(folder.files->read(named(bytes).sha256, 0, 10).error().code == ErrorCode::kNotFound);
  CHECK(folder.files->all()->empty());
  std::size_t left = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.place.path())) {
    left += entry.is_regular_file() ? 1 : 0;
  }
  CHECK(left == 0);
}

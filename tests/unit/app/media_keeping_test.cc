#include "app/media_keeping.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "base/sha256.h"
#include "support/temp_folder.h"

using namespace gridwhistle;
using namespace gridwhistle::app;

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;
constexpr std::int64_t kNowMs = 1'780'000'000'000;

struct Ground {
  test::TempFolder folder;
  ServerConfig config;

  Ground() {
    config.data_folder = folder.file("data");
    config.backup_folder = folder.file("backup");
    config.backup_days = 30;
    fs::create_directories(config.data_folder);
    fs::create_directories(config.backup_folder);
  }
  MediaFile put(const std::string& bytes) {
    const MediaFile file{sha256(bytes), bytes.size()};
    auto files = open_media_folder(config.media_path());
    REQUIRE(files);
    auto part = (*files)->part("one", file);
    REQUIRE(part);
    REQUIRE((*part)->append(bytes));
    REQUIRE((*part)->finish());
    return file;
  }
  bool has(const std::string& media_folder, const MediaFile& file) const {
    auto files = open_media_folder(media_folder);
    return files && (*files)->size_of(file.sha256)->has_value();
  }
  bool is_here(const MediaFile& file) const { return has(config.media_path(), file); }
  bool is_backed_up(const MediaFile& file) const {
    return has(media_beside(config.backup_folder), file);
  }
  std::vector<std::string> back_up(std::int64_t now_ms = kNowMs) const {
    const auto damaged = back_up_media(config, config.backup_folder, now_ms);
    REQUIRE(damaged);
    return *damaged;
  }
  std::string path_of(const MediaFile& file) const {
    return (*open_media_folder(config.media_path()))->path_of(file.sha256);
  }
  void remove(const MediaFile& file) const { fs::remove(path_of(file)); }
};

}  // namespace

TEST_CASE("A backup has every file, and what the county has no more as long as a backup is kept") {
  Ground ground;
  CHECK(ground.back_up().empty());
  CHECK_FALSE(fs::exists(media_beside(ground.config.backup_folder)));
  const MediaFile stays = ground.put("stays");
  const MediaFile goes = ground.put("goes");
  CHECK(ground.back_up().empty());
  CHECK(ground.is_backed_up(stays));
  CHECK(ground.is_backed_up(goes));
  ground.remove(goes);
  ground.back_up(kNowMs + kDayMs);
  ground.back_up(kNowMs + 31 * kDayMs);
  CHECK(ground.is_backed_up(goes));
  ground.back_up(kNowMs + 31 * kDayMs + 1);
  CHECK_FALSE(ground.is_backed_up(goes));
  CHECK(ground.is_backed_up(stays));
}

TEST_CASE("A file that is not what it was goes into no backup, is told, and is put aside") {
  Ground ground;
  const MediaFile sound = ground.put("sound");
  const MediaFile rotten = ground.put("rotten");
  std::fstream(ground.path_of(rotten)) << "R";
  CHECK(ground.back_up() == std::vector{rotten.sha256});
  CHECK(ground.is_backed_up(sound));
  CHECK_FALSE(ground.is_backed_up(rotten));
  CHECK_FALSE(ground.is_here(rotten));
  CHECK(fs::exists(ground.config.media_path() + "/parts/damaged_" + to_hex(rotten.sha256)));
  CHECK(ground.back_up().empty());
}

TEST_CASE("What lacks is brought from beside a backup when it is sound there, and else told") {
  Ground ground;
  const MediaFile one = ground.put("one");
  const MediaFile two = ground.put("two");
  const MediaFile three{sha256("three"), 5};
  ground.back_up();
  ground.remove(one);
  ground.remove(two);
  auto beside = open_media_folder(media_beside(ground.config.backup_folder));
  std::fstream((*beside)->path_of(two.sha256)) << "T";
  const auto lacking = bring_media(ground.config, ground.config.backup_folder, {one, two, three});
  REQUIRE(lacking);
  CHECK(*lacking == std::vector{two, three});
  CHECK(ground.is_here(one));
  CHECK_FALSE(ground.is_here(two));
  CHECK(*bring_media(ground.config, ground.folder.file("nowhere"), {one, two}) == std::vector{two});
}

TEST_CASE("A file goes when no record has named it for thirty days, over restarts and not before") {
  Ground ground;
  const MediaFile named = ground.put("named");
  const MediaFile nobodys = ground.put("nobody's");
  std::vector<std::string> unnamed = {nobodys.sha256};
  const auto sweep = [&](std::int64_t days) {
    const auto swept = sweep_media(
        ground.config,
        [&](const std::vector<std::string>& some) -> Result<std::vector<std::string>> {
          std::vector<std::string> found;
          for (const std::string& one : some) {
            if (std::ranges::find(unnamed, one) != unnamed.end()) found.push_back(one);
          }
          return found;
        },
        kNowMs + days * kDayMs);
    REQUIRE(swept);
    return *swept;
  };
  CHECK(sweep(0) == 0);
  CHECK(sweep(29) == 0);
  // Named again in between: it begins anew.
  unnamed.clear();
  CHECK(sweep(30) == 0);
  unnamed = {nobodys.sha256};
  CHECK(sweep(31) == 0);
  CHECK(sweep(61) == 0);
  CHECK(ground.is_here(nobodys));
  CHECK(sweep(62) == 1);
  CHECK_FALSE(ground.is_here(nobodys));
  CHECK(ground.is_here(named));
}

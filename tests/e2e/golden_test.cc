#include "support/golden.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "county.h"

// What the programs of the past have left on operators' disks: backups, and a bundle on its way.
namespace gridwhistle::e2e {
namespace {

namespace fs = std::filesystem;
using test::golden_file;
using test::golden_lines;

std::string only(std::string_view what) {
  const auto lines = golden_lines("v1/backup", what);
  REQUIRE(lines.size() == 1);
  return lines.front();
}

/// A county with the key of the one that was backed up, and its two backups in the folder for them.
struct Relics {
  County county;
  std::string whole = county.file("backup/" + only("whole"));
  std::string difference = county.file("backup/" + only("difference"));

  Relics() {
    write_file(county.file("data/server-key.pem"), only("key"));
    fs::create_directories(county.file("backup"));
    write_file(whole, golden_file("v1/backup_whole"));
    write_file(difference, golden_file("v1/backup_difference"));
  }
  void restore(const std::string& backup) {
    const Ended restored = county.operate({"restore", "--replace", backup});
    INFO(restored.out << restored.err);
    REQUIRE(restored.code == 0);
    CHECK(county.operate({"verify"}).code == 0);
  }
};

}  // namespace

// Run by its name, once for each format: a file that is there already is not written over.
TEST_CASE("Write the golden backups and the golden bundle", "[.regenerate]") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  phone.sync();
  phone.whistle("示例：井盖破损");
  phone.sync();
  const std::string whole = county.asked({"backup"})[0].at("path");
  phone.asked({"household", "add", "--grid", kGrid, "--address", "示例路1号"});
  phone.sync();
  const std::string difference = county.asked({"backup"})[0].at("path");
  phone.whistle("示例：路灯不亮");
  phone.asked({"add", "place", "grid=" + kGrid, "name=示例小卖部"});
  const std::string bundle = county.file("unsent.gwbundle");
  phone.asked({"bundle", "export", bundle});
  test::keep_golden_file("v1/backup_whole", read_file(whole));
  test::keep_golden_file("v1/backup_difference", read_file(difference));
  test::keep_golden_lines("v1/backup", {{"whole", fs::path(whole).filename()},
                                        {"difference", fs::path(difference).filename()},
                                        {"key", read_file(county.file("data/server-key.pem"))},
                                        {"bundle", read_file(bundle)}});
}

TEST_CASE("Backups of version 1 are restored, the whole one and the difference, and served") {
  Relics past;
  past.restore(past.whole);
  CHECK(past.county.records("Whistle").size() == 1);
  CHECK(past.county.records("Household").empty());
  past.restore(past.difference);
  CHECK(past.county.records("Whistle").size() == 1);
  CHECK(past.county.records("Household").size() == 1);
  past.county.serve();
  Phone phone(past.county, "phone");
  phone.enrol("WG001");
  phone.sync();
  CHECK(phone.asked({"list", "whistle"}).size() == 1);
}

TEST_CASE("A bundle of version 1 is imported, once, by the county that it was sealed for") {
  Relics past;
  past.restore(past.difference);
  const std::string bundle = past.county.file("unsent.gwbundle");
  write_file(bundle, only("bundle"));
  const Json taken = past.county.asked({"import-bundle", bundle})[0];
  CHECK(taken.at("new") == 2);
  CHECK(taken.at("refused") == 0);
  CHECK(past.county.asked({"import-bundle", bundle})[0].at("new") == 0);
  CHECK(past.county.records("Whistle").size() == 2);
  CHECK(past.county.records("Place").size() == 1);
  CHECK(past.county.operate({"verify"}).code == 0);
}

}  // namespace gridwhistle::e2e

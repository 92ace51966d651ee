#include <catch2/catch.hpp>
#include <filesystem>

#include "county.h"

// One record from its making to its end, through every file that ever held it.
namespace gridwhistle::e2e {
namespace {

TEST_CASE("What is forgotten is in no file of county and phones, and no restore brings it back") {
  const Words secret = {"福民路77号", "示例绝密", "00000000077", "搬入示例某"};
  County county;
  county.serve();
  Phone first(county, "first");
  Phone second(county, "second");
  first.enrol("WG001");
  second.enrol("WG001");
  const std::string household =
      first
          .asked({"household", "add", "--grid", kGrid, "--address", secret[0], "--contact",
                  secret[1], "--phone", secret[2], "--member", secret[1] + ",子女,2015"})
          .at("id");
  first.asked({"add", "place", "grid=" + kGrid, "name=示例小卖部"});
  first.sync();
  second.sync();
  for (const Phone* phone : {&first, &second}) {
    CHECK(phone->asked({"--purpose", "入户", "search", "福民路77"}).size() == 1);
    CHECK_FALSE(files_with(phone->home(), secret).empty());
  }
  const std::string backup = county.asked({"backup", county.file("kept.gwbackup")})[0].at("path");
  CHECK(files_with(county.folder(), secret).size() >= 2);
  county.network().refuse(true);
  second.asked({"set", household, "notes=" + secret[3]});
  county.network().refuse(false);

  const Json tried = county.asked({"forget", household})[0];
  CHECK(tried.at("Household") == 1);
  CHECK(tried.at("Resident") == 1);
  CHECK_FALSE(county.records("Household").empty());
  REQUIRE(county.operate({"forget", household, "--yes"}).code == 0);
  CHECK(county.records("Household").empty());
  CHECK(files_with(county.file("data"), secret).empty());

  first.sync();
  second.sync();
  const Json told = second.asked({"outcomes"});
  REQUIRE(told.size() == 1);
  CHECK(told[0].at("record") == household);
  CHECK(told[0].at("restorable") == false);
  const auto nowhere = [&] {
    for (const Phone* phone : {&first, &second}) {
      CHECK(files_with(phone->home(), secret).empty());
      CHECK(phone->gw({"show", household}).code == 3);
      CHECK(phone->asked({"--purpose", "入户", "search", "福民路77"}).empty());
    }
    CHECK(files_with(county.file("data"), secret).empty());
    CHECK(county.operate({"verify"}).code == 0);
  };
  nowhere();

  const Ended ended = county.stop();
  for (const std::string& word : secret) CHECK_FALSE(ended.err.contains(word));
  REQUIRE(county.operate({"restore", "--replace", backup}).code == 0);
  county.serve();
  for (int calls = 0; calls < 2; ++calls) {
    first.sync();
    second.sync();
  }
  nowhere();
  CHECK(county.records("Place").size() == 1);
}

}  // namespace
}  // namespace gridwhistle::e2e

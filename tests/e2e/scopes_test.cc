#include <algorithm>
#include <catch2/catch.hpp>

#include "county.h"

// What leaves a worker's scopes leaves the phone: rows, indexes, search and pictures, looked for
// byte by byte. And what the phone had not sent by then is not lost.
namespace gridwhistle::e2e {
namespace {

const std::string kNext = "440811100001002";  // of WG002
const std::string kWest = "440811100001801";
const std::string kEast = "440811100001802";
const std::string kInWest = "latitude=21.3160;longitude=110.2420";
const std::string kInEast = "latitude=21.3160;longitude=110.2500";

/// What stands nowhere but in the records of one place: words that are searched for, words that are
/// not, and a picture.
struct Canary {
  Words words;
  std::string household;
  std::string place;
  std::string whistle;
};

Words with_position(Words words, const std::string& position) {
  const std::size_t at = position.find(';');
  words.push_back(position.substr(0, at));
  words.push_back(position.substr(at + 1));
  return words;
}

Canary record(const County& county, const Phone& phone, const std::string& name,
              const std::string& position) {
  Canary canary;
  canary.words = {"福民路" + name, "铃响两声" + name, "示例商铺" + name, "井盖破裂" + name,
                  "picture of " + name};
  canary.household =
      phone
          .asked(with_position({"add", "household", "grid=" + kGrid, "address=" + canary.words[0],
                                "notes=" + canary.words[1]},
                               position))
          .at("id");
  canary.place = phone
                     .asked(with_position(
                         {"add", "place", "grid=" + kGrid, "name=" + canary.words[2]}, position))
                     .at("id");
  canary.whistle = phone
                       .asked(with_position({"add", "whistle", "grid=" + kGrid, "category=01001",
                                             "title=" + canary.words[3]},
                                            position))
                       .at("id");
  const std::string path = county.file(name + ".pdf");
  write_file(path, "%PDF-1.4\n" + canary.words[4] + "\n%%EOF\n");
  phone.asked({"attach", canary.whistle, path});
  return canary;
}

bool has(const Phone& phone, const Canary& canary) {
  return std::ranges::all_of(canary.words, [&](const std::string& word) {
    return !files_with(phone.home(), {word}).empty();
  });
}

/// Nothing of it is in any file of the phone, and the phone finds none of it.
void check_gone(const Phone& phone, const Canary& canary) {
  for (const std::string& word : canary.words) {
    INFO(word);
    CHECK(files_with(phone.home(), {word}).empty());
    CHECK(phone.asked({"--purpose", "核对", "search", word}).empty());
  }
  for (const std::string& id : {canary.household, canary.place, canary.whistle}) {
    CHECK(phone.gw({"show", id}).code == 3);
  }
}

/// The county with a record's maker and a second phone of the same worker, which has fetched it
/// all; a backup has it, so that the maker's phone keeps nothing for the county's sake.
struct Scene {
  Scene() : maker(county, "maker"), reader(county, "reader") {
    county.serve();
    maker.enrol("WG001");
    reader.enrol("WG001");
    goes = record(county, maker, "77号东", kInEast);
    maker.sync();
    maker.sync();  // the picture goes behind the reports
    county.asked({"backup", county.file("all.gwbackup")});
    maker.sync();
    reader.sync();
    for (const Json& one : county.records("Attachment")) reader.asked({"fetch", one.at("id")});
    REQUIRE(has(reader, goes));
    REQUIRE_FALSE(reader.asked({"--purpose", "入户", "search", goes.words[0]}).empty());
  }

  void check_gone_everywhere() const {
    for (const Phone* phone : {&maker, &reader}) {
      phone->sync();
      check_gone(*phone, goes);
    }
  }

  County county;
  Phone maker;
  Phone reader;
  Canary goes;
};

void import_worker(County& county, const std::string& code, const std::string& roles) {
  write_file(county.file("workers.csv"),
             "code,name,organisation,roles\n" + code + ",示例人员,ZX-440811100001," + roles + "\n");
  const Ended ended = county.operate({"import", county.file("workers.csv")});
  INFO(ended.out + ended.err);
  REQUIRE(ended.code == 0);
}

Json square(const std::string& code, double west, double east) {
  return {
      {"type", "Feature"},
      {"properties", {{"code15", code}, {"name", "示例网格" + code.substr(12)}, {"type", "BASIC"}}},
      {"geometry",
       {{"type", "Polygon"},
        {"coordinates",
         {{{west, 21.30}, {east, 21.30}, {east, 21.33}, {west, 21.33}, {west, 21.30}}}}}}};
}

void import_halves(County& county) {
  const Json grids = {
      {"type", "FeatureCollection"},
      {"features", {square(kWest, 110.2390, 110.2460), square(kEast, 110.2460, 110.2540)}}};
  write_file(county.file("grids.geojson"), grids.dump(1));
  const Ended ended = county.operate({"import", county.file("grids.geojson")});
  INFO(ended.out + ended.err);
  REQUIRE(ended.code == 0);
}

void wait_for_redrawing(County& county) {
  REQUIRE(comes_to_be([&] { return county.asked({"status"})[0].at("redrawing") == 0; }));
}

TEST_CASE("A worker whose role is revoked keeps nothing of the grid in any file") {
  Scene scene;
  import_worker(scene.county, "WG001", "GRID_WORKER@grid:" + kNext);
  scene.check_gone_everywhere();
}

TEST_CASE("What a colleague moves into another grid leaves every file of the phones it left") {
  Scene scene;
  import_worker(scene.county, "WG003", "GRID_WORKER@grid:" + kGrid + ";GRID_WORKER@grid:" + kNext);
  Phone colleague(scene.county, "colleague");
  colleague.enrol("WG003");
  colleague.sync();
  for (const std::string& id : {scene.goes.household, scene.goes.place, scene.goes.whistle}) {
    colleague.asked({"set", id, "grid=" + kNext});
  }
  colleague.sync();
  scene.check_gone_everywhere();
  CHECK(has(colleague, scene.goes) == false);  // its picture was never fetched there
  CHECK(colleague.asked({"show", scene.goes.place}).at("fields").at("grid") == kNext);
}

TEST_CASE("A split leaves each worker's phone with its part, and work on the way finds its grid") {
  Scene scene;
  County& county = scene.county;
  const Canary stays = record(county, scene.maker, "12号西", kInWest);
  scene.maker.sync();
  scene.reader.sync();
  import_halves(county);
  county.network().refuse(true);
  const std::string east =
      scene.reader.asked(with_position({"add", "place", "grid=" + kGrid, "name=途中商铺"}, kInEast))
          .at("id");
  scene.reader.asked({"set", stays.household, "contact_name=途中"});
  scene.reader.asked({"set", scene.goes.place, "address=途中路"});

  const Words split = {"grid",   "split", kGrid,      kWest,           kEast,
                       "--rest", kWest,   "--worker", "WG001=" + kWest};
  Words trial = split;
  trial.push_back("--dry-run");
  const Json tried = county.asked(trial)[0];
  CHECK(tried.at("workers") == Json::array({"WG001"}));
  CHECK(tried.at("records").size() >= 6);
  county.asked(split);
  wait_for_redrawing(county);
  import_worker(county, "WG002", "GRID_WORKER@grid:" + kEast);
  county.network().refuse(false);

  const Json report = scene.reader.sync();
  CHECK(report.at("acknowledged") == 3);
  scene.maker.sync();
  check_gone(scene.reader, scene.goes);
  check_gone(scene.maker, scene.goes);
  CHECK(scene.reader.asked({"show", stays.place}).at("fields").at("grid") == kWest);
  const Json shown = scene.reader.asked({"--purpose", "核对", "show", stays.household});
  CHECK(shown.at("fields").at("contact_name") == "途中");
  // Two records were told of, which lie in the other half.
  const Json told = scene.reader.asked({"outcomes"});
  std::vector<std::string> moved;
  for (const Json& one : told) moved.push_back(one.at("record"));
  std::ranges::sort(moved);
  std::vector<std::string> expected = {east, scene.goes.place};
  std::ranges::sort(expected);
  CHECK(moved == expected);

  Phone other(county, "other");
  other.enrol("WG002");
  other.sync();
  CHECK(other.asked({"show", east}).at("fields").at("grid") == kEast);
  CHECK(other.asked({"show", scene.goes.place}).at("fields").at("address") == "途中路");
  CHECK(other.gw({"show", stays.place}).code == 3);
  CHECK(county.operate({"verify"}).code == 0);
  CHECK(county.operate({"grid", "split", kGrid, kNext, "--rest", kNext}).code == 1);
}

TEST_CASE(
    "A grid that is handed over leaves the phones of the one before, whose work still counts") {
  Scene scene;
  County& county = scene.county;
  county.network().refuse(true);
  const std::string unsent =
      scene.maker.asked({"add", "place", "grid=" + kGrid, "name=移交前商铺"}).at("id");
  const Json done = county.asked({"handover", "WG001", "WG002", "--grid", kGrid})[0];
  CHECK(done.at("roles") == 2);
  const std::string later =
      scene.maker.asked({"add", "place", "grid=" + kGrid, "name=移交后商铺"}).at("id");
  county.network().refuse(false);
  scene.check_gone_everywhere();

  Phone next(county, "next");
  next.enrol("WG002");
  next.sync();
  CHECK(next.asked({"show", unsent}).at("fields").at("name") == "移交前商铺");
  CHECK(next.asked({"show", scene.goes.place}).at("fields").at("name") == scene.goes.words[2]);
  // Recorded when the grid was somebody else's: a reviewer finds it.
  CHECK(next.gw({"show", later}).code == 3);
  const std::vector<Json> review = county.asked({"review", "list"});
  REQUIRE(review.size() == 1);
  INFO(review[0].dump());
  const std::string number = review[0].at("sealed").at(0).at("number").dump();
  REQUIRE(county.operate({"review", "accept", number}).code == 0);
  next.sync();
  CHECK(next.asked({"show", later}).at("fields").at("name") == "移交后商铺");
  CHECK(county.operate({"handover", "WG001", "WG001"}).code == 1);
}

}  // namespace
}  // namespace gridwhistle::e2e

#include <sys/mount.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include "county.h"

// Photographs from phone to county and to colleagues, over bad lines, kills and full disks.
namespace gridwhistle::e2e {
namespace {

namespace fs = std::filesystem;
using test::Proxy;

/// Bytes that begin as a picture does and are like no others.
std::string photograph(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes = "\xFF\xD8\xFF\xDB";
  while (bytes.size() < size) {
    const std::uint64_t word = random();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  bytes.resize(size);
  return bytes;
}

struct Picture {
  std::string whistle;
  std::string id;  ///< of its record
  std::string bytes;
};

/// A whistle with a picture, recorded on the phone.
Picture take_picture(const County& county, const Phone& phone, std::size_t size,
                     std::uint64_t seed) {
  Picture picture;
  picture.bytes = photograph(size, seed);
  const std::string path = county.file("picture.jpg");
  write_file(path, picture.bytes);
  picture.whistle = phone.whistle("照片" + std::to_string(seed));
  picture.id = phone.asked({"attach", picture.whistle, path, "--evidence"}).at("id");
  fs::remove(path);
  return picture;
}

std::uint64_t unsent_pictures(const Phone& phone) {
  return phone.asked({"status"}).at("attachments").at("unsent");
}

/// Whether the county says that it has the picture's bytes.
bool is_stored(County& county, const Picture& picture) {
  for (const Json& one : county.records("Attachment")) {
    if (one.at("id") != picture.id || !one.at("fields").contains("stored")) continue;
    const std::string said = one.at("fields").at("stored").dump();
    return said == "true" || said == "1";
  }
  return false;
}

std::string fetched(const Phone& phone, const Picture& picture) {
  return read_file(phone.asked({"fetch", picture.id}).at("path"));
}

TEST_CASE(
    "A photograph reaches the county behind the reports, and a colleague sees its very bytes") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  Phone colleague(county, "colleague");
  phone.enrol("WG001");
  colleague.enrol("WG001");
  phone.sync();
  const Picture picture = take_picture(county, phone, 1'500'000, 1);
  CHECK(unsent_pictures(phone) == 1);
  CHECK(phone.sync().at("attachments").at("sent") == 1);
  CHECK(unsent_pictures(phone) == 0);
  CHECK(is_stored(county, picture));
  CHECK(files_with(county.file("data/media"), {picture.bytes}).size() == 1);
  colleague.sync();
  CHECK(fetched(colleague, picture) == picture.bytes);
  // It is there now, without a network, and on the phone that took it, too.
  county.network().refuse(true);
  CHECK(fetched(colleague, picture) == picture.bytes);
  CHECK(fetched(phone, picture) == picture.bytes);
  CHECK(county.operate({"verify"}).code == 0);
}

TEST_CASE("A category that asks for a picture is closed when that has arrived, and not before") {
  County county;
  county.serve();
  const std::string table = county.file("categories.csv");
  write_file(table, "code,name,closing_evidence\n01001,暴露垃圾,是\n");
  REQUIRE(county.operate({"import", table}).code == 0);
  Phone worker(county, "worker");
  Phone visitor(county, "visitor");
  worker.enrol("WG001");
  visitor.enrol("HF100");
  const std::string number = worker
                                 .asked({"whistle", "--grid", kGrid, "--title", "垃圾堆放",
                                         "--category", "01001", "--handled", "已清运"})
                                 .at("number");
  worker.sync();
  visitor.sync();
  const auto state_at = [&](const Phone& phone) {
    phone.sync();
    return phone.asked({"show", number}).at("fields").at("state");
  };
  const Words visit = {"act", number, "return_visit", "--result", "satisfied"};
  const Ended refused = visitor.gw(visit);
  CHECK(refused.code == 1);
  CHECK(refused.err.contains("picture"));
  CHECK(visitor.asked({"status"}).at("unsent") == 0);
  Words at_the_desk = visit;
  at_the_desk.insert(at_the_desk.begin(), {"--lang", "zh"});
  at_the_desk.insert(at_the_desk.end(), {"--as", "HF100"});
  const Ended desk = county.operate(at_the_desk);
  CHECK(desk.code == 1);
  CHECK((desk.out + desk.err).contains("照片"));

  const std::string path = county.file("after.jpg");
  write_file(path, photograph(300'000, 7));
  Words with_picture = visit;
  with_picture.insert(with_picture.end(), {"--after", path});
  visitor.asked(with_picture);
  visitor.asked({"sync", "--metered"});
  CHECK(visitor.asked({"status"}).at("unsent") == 0);
  CHECK(unsent_pictures(visitor) == 1);
  CHECK(state_at(worker) == "HANDLED_ON_SPOT");
  visitor.sync();
  CHECK(unsent_pictures(visitor) == 0);
  CHECK(state_at(worker) == "CLOSED");
  CHECK(state_at(visitor) == "CLOSED");
  CHECK(visitor.asked({"outcomes"}).empty());
  CHECK(county.operate({"verify"}).code == 0);
}

/// With notes that do not compress well.
void record_households(const Phone& phone, int count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (int i = 0; i < count; ++i) {
    std::string notes;
    while (notes.size() < 600) notes += std::to_string(random());
    phone.asked({"household", "add", "--grid", kGrid, "--address", notes});
  }
}

TEST_CASE("On a metered line whistles go, pictures wait, and each call keeps to its budget") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  phone.sync();
  const Picture picture = take_picture(county, phone, 200'000, 3);
  record_households(phone, 5, 4);
  const std::uint64_t before = county.network().counts().up_bytes;
  const Json metered = phone.asked({"sync", "--metered"});
  CHECK(county.network().counts().up_bytes - before < 100'000);
  CHECK(metered.at("held_back") == 0);
  CHECK(unsent_pictures(phone) == 1);
  CHECK(county.records("Whistle").size() == 1);

  phone.whistle("漏气");
  record_households(phone, 15, 5);
  int calls = 0;
  do {
    REQUIRE(++calls < 100);
    const Json call = phone.asked({"sync", "--bytes", "1000"});
    CHECK(call.at("bytes_up") < 6'000);
    CHECK(county.records("Whistle").size() == 2);
  } while (phone.asked({"status"}).at("unsent") > 0);
  CHECK(calls > 1);
  CHECK(unsent_pictures(phone) == 1);
  CHECK(phone.gw({"sync", "--metered", "--live"}).code == 2);
  CHECK(phone.gw({"sync", "--bytes", "0"}).code == 2);
  phone.sync();
  CHECK(unsent_pictures(phone) == 0);
}

TEST_CASE("A photograph that is cut off every few kilobytes gets there, and begins at zero never") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  Phone colleague(county, "colleague");
  phone.enrol("WG001");
  colleague.enrol("WG001");
  phone.sync();
  const Picture picture = take_picture(county, phone, 200'000, 2);
  std::mt19937_64 random(seed());
  const std::uint64_t before = county.network().counts().up_bytes;
  int calls = 0;
  while (unsent_pictures(phone) > 0) {
    REQUIRE(++calls < 100);
    county.network().cut_after(Proxy::Way::kUp, 20'000 + random() % 30'000);
    CHECK(phone.gw({"sync"}).code != 6);
  }
  county.network().cut_after(Proxy::Way::kUp, 1 << 30);
  CHECK(calls > 3);
  const std::uint64_t up = county.network().counts().up_bytes - before;
  INFO(calls << " calls, " << up << " bytes up");
  CHECK(up < 3 * picture.bytes.size());
  colleague.sync();
  calls = 0;
  for (int code = 1; code != 0;) {
    REQUIRE(++calls < 100);
    county.network().cut_after(Proxy::Way::kDown, 20'000 + random() % 30'000);
    code = colleague.gw({"fetch", picture.id}).code;
  }
  county.network().cut_after(Proxy::Way::kDown, 1 << 30);
  CHECK(calls > 3);
  CHECK(fetched(colleague, picture) == picture.bytes);
}

TEST_CASE("Phone and server killed while pictures go up and down lose no byte of them") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  Phone colleague(county, "colleague");
  phone.enrol("WG001");
  colleague.enrol("WG001");
  phone.sync();
  std::vector<Picture> pictures;
  for (std::uint64_t i = 0; i < 2; ++i) {
    pictures.push_back(take_picture(county, phone, 700'000 + i * 1000, 10 + i));
  }
  std::mt19937_64 random(seed());
  county.network().set_bandwidth(600'000);
  const int kills = repeated(6);
  for (int i = 0; i < kills; ++i) {
    Process syncing = phone.start({"sync"});
    pause_ms(100 + random() % 900);
    if (i % 2 == 0) {
      syncing.signal(SIGKILL);
      syncing.wait();
    } else {
      county.kill();
      syncing.wait();
      county.serve();
    }
  }
  county.network().set_bandwidth(0);
  phone.sync();
  CHECK(unsent_pictures(phone) == 0);
  colleague.sync();
  county.network().set_bandwidth(600'000);
  for (const Picture& picture : pictures) {
    CHECK(is_stored(county, picture));
    for (int i = 0; i < 2; ++i) {
      Process fetching = colleague.start({"fetch", picture.id});
      pause_ms(random() % 900);
      if (i == 0) {
        fetching.signal(SIGKILL);
        fetching.wait();
      } else {
        county.kill();
        fetching.wait();
        county.serve();
      }
    }
  }
  county.network().set_bandwidth(0);
  for (const Picture& picture : pictures) CHECK(fetched(colleague, picture) == picture.bytes);
  CHECK(county.operate({"verify"}).code == 0);
}

TEST_CASE(
    "A server whose disk has no room for pictures takes the reports, and the pictures later") {
  County county;
  const std::string media = county.file("data/media");
  fs::create_directories(media);
  if (::mount("tmpfs", media.c_str(), "tmpfs", 0, "size=2m,mode=0700") != 0) {
    WARN("skipped: this machine does not let a file system be mounted");
    return;
  }
  struct Unmount {
    const std::string& path;
    ~Unmount() { ::umount2(path.c_str(), MNT_DETACH); }
  } unmount{media};
  write_file(media + "/ballast", std::string(1'200'000, 'b'));
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  phone.sync();
  const Picture picture = take_picture(county, phone, 1'200'000, 3);
  const Json put_off = phone.sync();
  CHECK(put_off.at("acknowledged") == 2);
  CHECK(put_off.at("attachments").at("unsent") == 1);
  CHECK(put_off.at("attachments").at("last_error_code") == "busy");
  CHECK(county.records("Whistle").size() == 1);
  CHECK_FALSE(is_stored(county, picture));
  CHECK(county.log().find("media_refused") != std::string::npos);
  fs::remove(media + "/ballast");
  CHECK(phone.sync().at("attachments").at("sent") == 1);
  CHECK(is_stored(county, picture));
}

TEST_CASE("Pictures of a scope that was lost are in no file of the phone any more") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  Phone colleague(county, "colleague");
  phone.enrol("WG001");
  colleague.enrol("WG001");
  phone.sync();
  const Picture picture = take_picture(county, phone, 200'000, 5);
  const std::string piece = picture.bytes.substr(100'000, 64);
  phone.sync();
  colleague.sync();
  REQUIRE(fetched(colleague, picture) == picture.bytes);
  county.asked({"backup"});
  CHECK_FALSE(files_with(phone.home(), {piece}).empty());
  CHECK_FALSE(files_with(colleague.home(), {piece}).empty());
  for (const Json& device : county.asked({"devices"})) {
    REQUIRE(county.operate({"revoke", device.at("device"), "--left"}).code == 0);
  }
  phone.gw({"sync"});
  colleague.gw({"sync"});
  CHECK(files_with(phone.home(), {piece}).empty());
  CHECK(files_with(colleague.home(), {piece}).empty());
  CHECK(files_with(county.file("data/media"), {piece}).size() == 1);
  CHECK(colleague.gw({"fetch", picture.id}).code == 3);
}

TEST_CASE("Pictures of what is forgotten are in no file of county, backups and phones") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  Phone colleague(county, "colleague");
  phone.enrol("WG001");
  colleague.enrol("WG001");
  phone.sync();
  const Picture picture = take_picture(county, phone, 200'000, 6);
  const std::string piece = picture.bytes.substr(100'000, 64);
  phone.sync();
  colleague.sync();
  REQUIRE(fetched(colleague, picture) == picture.bytes);
  const std::string backup = county.asked({"backup"})[0].at("path");
  CHECK(files_with(county.file("data"), {piece}).size() == 1);
  CHECK(files_with(county.file("backup"), {piece}).size() == 1);
  REQUIRE(county.operate({"forget", picture.whistle, "--yes"}).code == 0);
  CHECK(files_with(county.file("data"), {piece}).empty());
  CHECK(files_with(county.file("backup"), {piece}).empty());
  phone.sync();
  colleague.sync();
  CHECK(files_with(phone.home(), {piece}).empty());
  CHECK(files_with(colleague.home(), {piece}).empty());
  county.stop();
  REQUIRE(county.operate({"restore", "--replace", backup}).code == 0);
  county.serve();
  phone.sync();
  colleague.sync();
  CHECK(files_with(county.folder(), {piece}).empty());
  CHECK(county.operate({"verify"}).code == 0);
}

TEST_CASE(
    "A restored county has its pictures from beside the backup, and asks phones for the rest") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  Phone colleague(county, "colleague");
  phone.enrol("WG001");
  colleague.enrol("WG001");
  phone.sync();
  const Picture first = take_picture(county, phone, 150'000, 7);
  phone.sync();
  const std::string backup = county.asked({"backup"})[0].at("path");
  const Picture second = take_picture(county, phone, 150'000, 8);
  phone.sync();
  REQUIRE(is_stored(county, second));
  county.stop();
  fs::remove_all(county.file("data/media"));
  REQUIRE(county.operate({"restore", "--replace", backup}).code == 0);
  CHECK(files_with(county.file("data/media"), {first.bytes}).size() == 1);
  county.serve();
  phone.sync();
  phone.sync();
  CHECK(is_stored(county, first));
  CHECK(is_stored(county, second));
  colleague.sync();
  CHECK(fetched(colleague, first) == first.bytes);
  CHECK(fetched(colleague, second) == second.bytes);
}

TEST_CASE("A county that has lost its pictures' files says so, and phones bring them again") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  phone.sync();
  const Picture picture = take_picture(county, phone, 150'000, 9);
  phone.sync();
  REQUIRE(is_stored(county, picture));
  county.stop();
  fs::remove_all(county.file("data/media"));
  fs::remove_all(county.file("backup/media"));
  county.serve();
  CHECK(county.log().find("media_lost") != std::string::npos);
  CHECK_FALSE(is_stored(county, picture));
  CHECK(phone.sync().at("attachments").at("sent") == 1);
  CHECK(is_stored(county, picture));
  CHECK(files_with(county.file("data/media"), {picture.bytes}).size() == 1);
}

}  // namespace
}  // namespace gridwhistle::e2e

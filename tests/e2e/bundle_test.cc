#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "county.h"

// What a phone could not send, carried to the server in a file.
namespace gridwhistle::e2e {
namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST_CASE(
    "What is carried to the server by hand arrives there once, whoever carries it how often") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  phone.sync();
  county.network().refuse(true);
  const std::string file = county.file("unsent.gwbundle");
  CHECK(phone.asked({"bundle", "export", file}).at("operations") == 0);
  CHECK_FALSE(std::filesystem::exists(file));
  const std::string title = "示例：闻到煤气味";
  phone.whistle(title);
  phone.asked({"add", "place", "grid=" + kGrid, "name=示例小卖部"});
  const Json exported = phone.asked({"bundle", "export", file});
  CHECK(exported.at("operations") == 2);
  CHECK(exported.at("whistles") == 1);
  CHECK_FALSE(bytes_of(file).contains(title));
  // A file that is there already may be somebody's only one.
  CHECK(phone.gw({"bundle", "export", file}).code != 0);

  const Json taken = county.asked({"import-bundle", file})[0];
  CHECK(taken.at("new") == 2);
  CHECK(taken.at("refused") == 0);
  CHECK(county.records("Whistle").size() == 1);
  const Json again = county.asked({"import-bundle", file})[0];
  CHECK(again.at("new") == 0);
  CHECK(again.at("known") == 2);
  CHECK(phone.asked({"status"}).at("unsent") == 2);
  county.network().refuse(false);
  phone.sync();
  CHECK(phone.asked({"status"}).at("unsent") == 0);
  CHECK(county.records("Whistle").size() == 1);
  CHECK(county.records("Place").size() == 1);

  // On the file of a server that is stopped it is the same.
  county.network().refuse(true);
  phone.whistle("示例：路灯不亮");
  const std::string second = county.file("second.gwbundle");
  phone.asked({"bundle", "export", second});
  county.stop();
  CHECK(county.asked({"import-bundle", second})[0].at("new") == 1);
  CHECK(county.operate({"verify"}).code == 0);
}

TEST_CASE("A bundle that is cut, altered, for another server or no bundle is refused in words") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  CHECK(phone.gw({"bundle", "export", county.file("early.gwbundle")}).code != 0);
  phone.sync();
  phone.whistle("示例：井盖破损");
  const std::string file = county.file("unsent.gwbundle");
  phone.asked({"bundle", "export", file});
  const std::string bundle = bytes_of(file);
  const std::string spoilt = county.file("spoilt.gwbundle");
  const auto refused = [&](std::string_view bytes) {
    write(spoilt, bytes);
    const Ended ended = county.operate({"import-bundle", spoilt});
    CHECK(ended.code == 1);
    CHECK(ended.err.contains("damaged or cut"));
  };
  refused("");
  refused("nothing of the kind");
  refused(std::string_view(bundle).substr(0, bundle.size() - 1));
  std::string altered = bundle;
  altered[altered.size() / 2] ^= 1;
  refused(altered);
  CHECK(county.records("Whistle").empty());

  County other;  // with a key of its own
  REQUIRE(
      other.operate({"init", other.file("new"), "--county", "440811", "--public", "a.example:1"})
          .code == 0);
  std::filesystem::rename(other.file("new/data/server-key.pem"), other.file("data/server-key.pem"));
  const Ended stranger = other.operate({"import-bundle", file});
  INFO(stranger.err);
  CHECK(stranger.code == 1);
  CHECK(stranger.err.contains("another server"));

  // What came before the damage stays, and is told.
  write(spoilt, bundle + "more");
  const Ended half = county.operate({"import-bundle", spoilt});
  CHECK(half.code == 1);
  CHECK(half.out.contains("New"));
  CHECK(county.records("Whistle").size() == 1);
}

}  // namespace
}  // namespace gridwhistle::e2e

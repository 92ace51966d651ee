#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "county.h"

namespace gridwhistle::e2e {
namespace {

namespace fs = std::filesystem;

bool has(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

TEST_CASE("Operators' commands answer alike whether the server runs or not") {
  County county;
  const auto answers = [&] {
    std::string all;
    for (const Words& words : {Words{"--json", "devices"},
                               {"--json", "queue", "list"},
                               {"--json", "inbox", "BM-CG"},
                               {"--json", "review", "list"},
                               {"--lang", "zh", "devices"},
                               {"--lang", "zh", "verify"},
                               {"inbox", "NOWHERE"},
                               {"explain", "NOTHING"},
                               {"enrol", "NOBODY"}}) {
      const Ended ended = county.operate(words);
      all += std::to_string(ended.code) + " " + ended.out + ended.err + "\n";
    }
    return all;
  };
  const std::string on_the_file = answers();
  county.serve();
  const std::string over_the_socket = answers();
  CHECK(on_the_file == over_the_socket);
  const std::string socket = county.file("data/operator.sock");
  struct stat about{};
  REQUIRE(::stat(socket.c_str(), &about) == 0);
  CHECK((about.st_mode & 0077) == 0);
  CHECK(county.stop().code == 0);
  CHECK(county.operate({"status"}).code == 0);
}

TEST_CASE("Two servers never have one county") {
  County county;
  county.serve();
  const Ended second = county.operate({"serve"});
  INFO(second.err);
  CHECK(second.code == 5);
  CHECK(county.serving());
  CHECK(county.operate({"status"}).code == 0);
}

TEST_CASE("A second import changes nothing, a faulty one names every line and changes nothing") {
  County county;
  const Json again = county.asked({"import", GRIDWHISTLE_SAMPLE_DATA}).at(0);
  CHECK(again.at("created") == 0);
  CHECK(again.at("changed") == 0);
  const std::string faulty = county.file("workers.csv");
  write_file(faulty,
             "code,name,organisation,roles\nWGX,赵示例,NOWHERE,SWIMMING@grid:1\n"
             "WGY,钱示例,ZX-440811,FLYING@grid:1\n");
  const Ended refused = county.operate({"import", faulty});
  CHECK(refused.code == 3);
  CHECK(has(refused.out + refused.err, "workers.csv:2"));
  CHECK(has(refused.out + refused.err, "workers.csv:3"));
  CHECK(county.operate({"enrol", "WGX"}).code == 1);
  write_file(faulty, "code,name,organisation,roles\nWGX,赵示例,ZX-440811,\n");
  CHECK(county.operate({"import", "--dry-run", faulty}).code == 0);
  CHECK(county.operate({"enrol", "WGX"}).code == 1);
  CHECK(county.operate({"import", faulty}).code == 0);
  CHECK(county.operate({"enrol", "WGX"}).code == 0);
}

TEST_CASE("A whistle goes its road: phone, town, department, return visit, closed") {
  County county;
  county.serve();
  Phone worker(county, "worker");
  Phone acceptor(county, "acceptor");
  Phone department(county, "department");
  worker.enrol("WG001");
  acceptor.enrol("SL100");
  department.enrol("BM-CG1");
  const Json blown =
      worker.asked({"whistle", "--grid", kGrid, "--title", "垃圾堆放", "--category", "01001"});
  const std::string number = blown.at("number");
  worker.sync();
  acceptor.sync();
  acceptor.asked({"act", number, "accept", "--note", "受理"});
  acceptor.sync();
  CHECK(acceptor.asked({"show", number}).at("fields").at("state") == "ACCEPTED");
  acceptor.asked({"act", number, "blow"});
  acceptor.sync();
  Json road = acceptor.asked({"road", number});
  INFO(road.dump());
  // The rules know whose matter it is: it is assigned as soon as it is blown.
  if (road.at("state") == "WHISTLED") {
    CHECK(county.operate({"act", number, "assign", "--as", "DD100", "--lead", "BM-CG"}).code == 0);
  }
  department.sync();
  for (const char* action : {"check_in", "start", "report_back"}) {
    INFO(action);
    department.asked({"act", number, action, "--note", "现场处置"});
    department.sync();
  }
  CHECK(department.asked({"outcomes"}).empty());
  CHECK(department.asked({"show", number}).at("fields").at("state") == "REPORTED_BACK");
  const Ended early = department.gw({"act", number, "check_in"});
  CHECK(early.code == 1);

  for (const Words& words : {Words{"check", "--as", "DB100"},
                             {"review", "--as", "DB100"},
                             {"return_visit", "--as", "HF100", "--result", "satisfied"}}) {
    Words command = {"act", number};
    command.insert(command.end(), words.begin(), words.end());
    const Ended ended = county.operate(command);
    INFO(words.at(0) << ": " << ended.out << ended.err);
    CHECK(ended.code == 0);
  }
  worker.sync();
  CHECK(worker.asked({"show", number}).at("fields").at("state") == "CLOSED");
  CHECK(has(worker.gw({"--lang", "zh", "road", number}).out, "已结案"));
  const Ended why = county.operate({"--lang", "zh", "explain", number});
  CHECK(has(why.out, "FP001"));
  CHECK(has(why.out, "城管"));
}

TEST_CASE("A whistle that no rule covers waits in the queue until somebody assigns it") {
  County county;
  county.serve();
  Phone worker(county, "worker");
  Phone acceptor(county, "acceptor");
  worker.enrol("WG001");
  acceptor.enrol("SL100");
  const std::string number =
      worker.asked({"whistle", "--grid", kGrid, "--title", "说不清的事", "--category", "99"})
          .at("number");
  worker.sync();
  acceptor.sync();
  for (const char* action : {"accept", "blow"}) {
    acceptor.asked({"act", number, action});
    acceptor.sync();
  }
  const auto queue = county.asked({"queue", "list"});
  REQUIRE(queue.size() == 1);
  CHECK(queue[0].at("number") == number);
  const Ended assigned = county.operate({"queue", "assign", number, "--lead", "BM-CG"});
  INFO(assigned.out << assigned.err);
  CHECK(assigned.code == 0);
  CHECK(county.asked({"queue", "list"}).empty());
  CHECK(county.asked({"inbox", "BM-CG"}).size() == 1);
}

TEST_CASE("Exports are masked without a purpose, logs hold nobody's words") {
  County county;
  county.serve();
  Phone worker(county, "worker");
  worker.enrol("WG001");
  worker.asked({"household", "add", "--grid", kGrid, "--address", "福民路9号", "--contact",
                "绝密示例", "--phone", "00000000009"});
  worker.sync();
  CHECK_FALSE(has(county.operate({"export"}).out, "00000000009"));
  CHECK(has(county.operate({"export", "--purpose", "检查"}).out, "00000000009"));
  CHECK(county.operate({"verify"}).code == 0);
  const Ended ended = county.stop();
  CHECK_FALSE(has(ended.err, "绝密示例"));
  CHECK_FALSE(has(ended.err, "00000000009"));
}

TEST_CASE("A backup of damaged bytes is not restored, and what was there stays") {
  County county;
  const std::string backup = county.asked({"backup", county.file("b.gwbackup")})[0].at("path");
  const std::string before = read_file(county.file("data/county.db"));
  std::string bytes = read_file(backup);
  write_file(county.file("half.gwbackup"), bytes.substr(0, bytes.size() / 2));
  CHECK(county.operate({"restore", "--replace", county.file("half.gwbackup")}).code != 0);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(county.file("flipped.gwbackup"), bytes);
  fs::copy(backup + ".sha256", county.file("flipped.gwbackup.sha256"));
  const Ended flipped = county.operate({"restore", "--replace", county.file("flipped.gwbackup")});
  CHECK(flipped.code == 6);
  CHECK(has(flipped.err, "flipped.gwbackup.sha256"));
  write_file(county.file("letter.gwbackup"), "这不是备份");
  CHECK(county.operate({"restore", "--replace", county.file("letter.gwbackup")}).code != 0);
  CHECK(county.operate({"restore", "--replace", county.file("none.gwbackup")}).code != 0);
  CHECK(read_file(county.file("data/county.db")) == before);
  CHECK(county.operate({"backup", backup}).code == 1);
  CHECK(county.operate({"verify"}).code == 0);
}

TEST_CASE("A server whose folder holds no backup makes one at the start, whatever its file says") {
  County county;
  county.set("every_hours = 0", "every_hours = 24");
  county.asked({"backup", county.file("kept.gwbackup")});
  CHECK_FALSE(fs::exists(county.file("backup")));
  // A server looks after its backups before it can be asked to end.
  county.serve();
  CHECK(has(county.stop().err, "backup_made"));
  county.serve();
  CHECK_FALSE(has(county.stop().err, "backup_made"));
}

}  // namespace
}  // namespace gridwhistle::e2e

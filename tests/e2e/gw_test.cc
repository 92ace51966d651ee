#include <catch2/catch.hpp>
#include <sstream>

#include "county.h"

// gw as people and programs meet it: commands, words in two languages, exit codes.
namespace gridwhistle::e2e {
namespace {

bool has(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

TEST_CASE("gw teaches its commands and its exit codes") {
  County county;
  Phone phone(county, "phone");
  const Ended help = phone.gw({"--help"});
  CHECK(help.code == 0);
  for (const char* word :
       {"enrol", "visit", "whistle", "household", "list", "show", "search", "tasks", "act", "road",
        "sync", "status", "outcomes", "add", "set", "erase", "--json", "--purpose", "Exit codes"}) {
    INFO(word);
    CHECK(has(help.out, word));
  }
  for (const Words& words : {Words{"whistle", "--help"},
                             {"visit", "start", "--help"},
                             {"household", "add", "--help"},
                             {"act", "--help"},
                             {"outcomes", "restore", "--help"}}) {
    const Ended one = phone.gw(words);
    CHECK(one.code == 0);
    CHECK(one.out.size() > 100);
  }
  // Asking for help makes no file.
  CHECK(read_file(phone.home() + "/phone.db").empty());
}

/// "gw whistle --title x    what it does" as words to run.
Words words_of(std::string line) {
  line = line.substr(0, line.find("  "));
  Words words;
  std::istringstream stream(line);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

TEST_CASE("The first day that the help shows works as it stands there") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  std::istringstream help(phone.gw({"--help"}).out);
  std::size_t ran = 0;
  for (std::string line; std::getline(help, line);) {
    if (!line.starts_with("  gw ")) continue;
    Words words = words_of(line.substr(5));
    if (words.back() == "CODE") words.back() = county.code_for("WG001");
    const Ended ended = phone.gw(words);
    INFO(line << ended.out << ended.err);
    CHECK(ended.code == 0);
    ++ran;
  }
  CHECK(ran == 7);
  REQUIRE(county.records("Whistle").size() == 1);
  CHECK(county.records("Whistle").at(0).at("fields").at("grid") == kGrid);
}

TEST_CASE("What is typed wrong is exit code 2, with the word that was wrong") {
  County county;
  Phone phone(county, "phone");
  CHECK(phone.gw({}).code == 2);
  const Ended fly = phone.gw({"--lang", "en", "fly"});
  CHECK(fly.code == 2);
  CHECK(has(fly.err, "no command fly"));
  CHECK(has(fly.err, "--help"));
  CHECK(has(phone.gw({"--lang", "en", "whistel", "--title", "x"}).err, "did you mean whistle?"));
  CHECK(has(phone.gw({"--lang", "zh", "visit", "stat"}).err, "没有命令 stat；是不是 start"));
  CHECK(has(Json::parse(phone.gw({"--json", "statsu"}).out).at("message"), "status"));
  CHECK(phone.gw({"whistle"}).code == 2);
  CHECK(phone.gw({"--lang", "fr", "status"}).code == 2);
  const Ended ended = phone.gw({"list", "whistle", "--limit", "many"});
  CHECK(ended.code == 2);
  CHECK(has(ended.err, "many"));
  const Json told = Json::parse(phone.gw({"--json", "list", "whistle", "--limit", "many"}).out);
  CHECK(told.at("error") == "usage");
  CHECK(has(told.at("message"), "many"));
}

/// An enrolled phone with a whistle, a household and a place; not sent yet.
struct Recorded {
  County county;
  Phone phone{county, "phone"};
  std::string whistle;
  std::string number;
  std::string household;
  std::string place;

  std::string worker_name() const {
    const Json status = phone.asked({"status"});
    return phone.asked({"show", status.at("worker")}).at("fields").at("name");
  }

  Recorded() {
    county.serve();
    phone.enrol("WG001");
    phone.sync();
    const Json blown = phone.asked({"whistle", "--grid", kGrid, "--title", "福民路井盖松动",
                                    "--category", "01001", "--class", "重点"});
    whistle = blown.at("id");
    number = blown.at("number");
    household = phone
                    .asked({"household", "add", "--grid", kGrid, "--address", "福民路3号",
                            "--contact", "赵示例", "--phone", "00000000003", "--dwelling", "自住",
                            "--consent", "--member", "赵小例,子女,2015"})
                    .at("id");
    place = phone.asked({"add", "place", "grid=" + kGrid, "name=示例小卖部"}).at("id");
  }
};

TEST_CASE("Lists are tables for people and JSON for programs, in Chinese and English") {
  const Recorded at;
  const Ended chinese = at.phone.gw({"--lang", "zh", "list", "哨声"});
  CHECK(chinese.code == 0);
  CHECK(has(chinese.out, "标题"));
  CHECK(has(chinese.out, "未发送"));
  CHECK(has(chinese.out, "福民路井盖松动"));
  CHECK(has(chinese.out, "共 1 条"));
  const Ended english = at.phone.gw({"--lang", "en", "list", "whistles"});
  CHECK(has(english.out, "unsent"));
  CHECK(has(english.out, "1 record\n"));
  const Json json = at.phone.asked({"list", "Whistle"});
  REQUIRE(json.size() == 1);
  CHECK(json[0].at("id") == at.whistle);
  CHECK(json[0].at("fields").at("whistle_class") == "KEY");

  CHECK(at.phone.asked({"list", "whistle", "--grid", "440811100001"}).size() == 1);
  CHECK(at.phone.asked({"list", "whistle", "--grid", "440811100002"}).empty());
  CHECK(at.phone.asked({"list", "whistle", "--since", "1h"}).size() == 1);
  CHECK(at.phone.asked({"list", "whistle", "--where", "number=" + at.number}).size() == 1);
  CHECK(at.phone.gw({"list", "dragon"}).code == 2);
  CHECK(at.phone.gw({"list", "whistle", "--where", "colour=red"}).code == 2);
  CHECK(at.phone.gw({"list", "whistle", "--since", "soon"}).code == 2);
  CHECK(at.phone.gw({"list", "whistle", "--near", "21.2,110.3"}).code == 2);
  CHECK(at.phone.gw({"list", "whistle", "--near", "21.2,110.3,50"}).code == 0);
}

TEST_CASE("A record is shown whole by its id, a whistle by its number, personal words masked") {
  const Recorded at;
  const Ended shown = at.phone.gw({"--lang", "zh", "show", at.number});
  CHECK(shown.code == 0);
  CHECK(has(shown.out, "哨声"));
  CHECK(has(shown.out, "福民路井盖松动"));
  CHECK(has(shown.out, "重点"));
  CHECK(has(shown.out, at.worker_name()));
  const Ended masked = at.phone.gw({"--lang", "zh", "show", at.household});
  CHECK_FALSE(has(masked.out, "00000000003"));
  CHECK_FALSE(has(masked.out, "赵示例"));
  CHECK(has(masked.out, "--purpose"));
  const Ended full = at.phone.gw({"--lang", "zh", "--purpose", "回访", "show", at.household});
  CHECK(has(full.out, "00000000003"));
  CHECK(has(full.out, "自住"));
  CHECK(at.phone.gw({"show", "00000000-0000-8000-8000-000000000000"}).code == 3);
  CHECK(at.phone.gw({"show", "MZ-0000"}).code == 3);
}

TEST_CASE("Search finds Chinese words of one, two and more characters") {
  const Recorded at;
  for (const char* word : {"盖", "井盖", "井盖松动"}) {
    const Json hits = at.phone.asked({"search", word, "--kind", "whistle"});
    INFO(word);
    REQUIRE(hits.size() == 1);
    CHECK(hits[0].at("id") == at.whistle);
  }
  CHECK(at.phone.asked({"search", "福民路", "--kind", "whistle"}).size() == 1);
  CHECK(at.phone.asked({"search", "没有这个词"}).empty());
  CHECK(has(at.phone.gw({"--lang", "zh", "search", "没有这个词"}).out, "没有找到"));
}

TEST_CASE("Fields are set and emptied by name, records of any kind added and erased") {
  const Recorded at;
  at.phone.asked({"set", at.place, "name=示例超市", "address=福民路4号"});
  CHECK(at.phone.asked({"show", at.place}).at("fields").at("name") == "示例超市");
  at.phone.asked({"set", at.place, "address="});
  CHECK_FALSE(at.phone.asked({"show", at.place}).at("fields").contains("address"));
  CHECK(at.phone.gw({"set", at.place, "colour=red"}).code == 2);
  CHECK(at.phone.gw({"set", at.place, "name"}).code == 2);
  CHECK(at.phone.gw({"set", at.whistle, "state=closed"}).code == 1);
  CHECK(at.phone.gw({"add", "worker", "name=x"}).code == 1);
  CHECK(at.phone.gw({"add", "place", "grid=999999999999999", "name=别处"}).code == 1);
  at.phone.asked({"erase", at.place});
  CHECK(at.phone.gw({"show", at.place}).code == 3);
}

TEST_CASE("A position finds its grid, one near a boundary asks, one outside too") {
  const Recorded at;
  CHECK(at.phone.asked({"list", "grid", "--where", "code15=" + kGrid}).size() == 1);
  Json corner;
  double longitude = 0;
  double latitude = 0;
  const Json map = Json::parse(read_file(GRIDWHISTLE_SAMPLE_DATA "/grids.geojson"));
  for (const Json& grid : map.at("features")) {
    if (grid.at("properties").at("code15") != kGrid) continue;
    const Json& ring = grid.at("geometry").at("coordinates").at(0);
    corner = ring.at(0);
    for (std::size_t i = 1; i < ring.size(); ++i) {
      longitude += ring[i][0].get<double>() / static_cast<double>(ring.size() - 1);
      latitude += ring[i][1].get<double>() / static_cast<double>(ring.size() - 1);
    }
  }
  REQUIRE_FALSE(corner.is_null());
  const auto start = [&](const Json& y, const Json& x) {
    return Words{"--json", "visit", "start", "--at", y.dump() + "," + x.dump() + ",5"};
  };
  const Ended inside = at.phone.gw(start(latitude, longitude));
  REQUIRE(inside.code == 0);
  const Json visit = at.phone.asked({"show", Json::parse(inside.out).at("id")});
  CHECK(visit.at("fields").at("grid") == kGrid);
  const Ended edge = at.phone.gw(start(corner[1], corner[0]));
  CHECK(edge.code == 1);
  CHECK(has(edge.out, "--grid"));
  CHECK(at.phone.gw({"visit", "start", "--at", "10.5,100.5"}).code == 1);
  CHECK(at.phone.gw({"visit", "start", "--at", "north"}).code == 2);
  CHECK(at.phone.gw({"visit", "start", "--at", "91,0"}).code == 2);
}

TEST_CASE("One patrol is open at a time; a household is visited in its course") {
  const Recorded at;
  const std::string patrol = at.phone.asked({"visit", "start", "--grid", kGrid}).at("id");
  const Ended second = at.phone.gw({"visit", "start", "--grid", kGrid});
  CHECK(second.code == 1);
  CHECK(has(second.err, patrol));
  at.phone.asked({"visit", "start", "--grid", kGrid, "--kind", "household"});
  CHECK(at.phone.gw({"visit", "start", "--grid", kGrid, "--task", at.place}).code == 3);
  at.phone.asked({"visit", "end", patrol});
  at.phone.asked({"visit", "start", "--grid", kGrid});
}

TEST_CASE(
    "A task reaches whom it is for, is answered by a visit and goes from the list when done") {
  County county;
  county.serve();
  Phone centre(county, "centre");
  Phone worker(county, "worker");
  centre.enrol("SL100001");
  worker.enrol("WG001");
  centre.sync();
  worker.sync();
  const auto adds = [&](const std::string& title, const std::string& more) -> std::string {
    return centre.asked({"add", "task", "area=" + kGrid, "title=" + title, more}).at("id");
  };
  const std::string me = worker.asked({"status"}).at("worker");
  const std::string author = centre.asked({"status"}).at("worker");
  const std::string mine = adds("查井盖", "assignee=" + me);
  adds("查消防栓", "due_ms=2d");
  const std::string state_unset = adds("查路灯", "due_ms=3d");
  centre.asked({"set", state_unset, "state="});
  adds("别人的", "assignee=" + author);
  adds("不要了", "state=cancelled");
  centre.sync();
  worker.sync();
  const Json tasks = worker.asked({"tasks"});
  REQUIRE(tasks.size() == 3);
  CHECK(tasks[0].at("id") == mine);
  CHECK(tasks[0].at("fields").at("author") == author);
  const std::string visit =
      worker.asked({"visit", "start", "--grid", kGrid, "--task", mine}).at("id");
  CHECK(worker.asked({"show", visit}).at("fields").at("task") == mine);
  worker.asked({"set", mine, "state=done"});
  CHECK(worker.asked({"tasks"}).size() == 2);
  CHECK(has(worker.gw({"tasks"}).out, "查消防栓"));
  CHECK(has(worker.gw({"tasks"}).out, "查路灯"));
}

TEST_CASE("A road names who did what, and an action takes names for what it refers to") {
  const Recorded at;
  const Ended unknown = at.phone.gw({"act", at.number, "assign", "--lead", "BM-NONE"});
  CHECK(unknown.code == 3);
  CHECK(has(unknown.err, "--lead"));
  CHECK(has(unknown.err, "BM-NONE"));
  // Known by its code, so that the road alone has something against it.
  CHECK(at.phone.gw({"act", at.number, "assign", "--lead", "BM-CG"}).code == 1);
  CHECK(at.phone.gw({"act", at.number, "merge", "--other", at.number}).code == 1);
  at.phone.asked({"act", at.number, "void", "--note", "误报"});
  CHECK(at.phone.asked({"road", at.number}).at("actions").at(0).at("actor") == at.worker_name());
  CHECK(has(at.phone.gw({"road", at.number}).out, at.worker_name()));
}

TEST_CASE("An accepted whistle is handled on the spot, with files from before and after") {
  Recorded at;
  Phone& worker = at.phone;
  Phone centre(at.county, "centre");
  const std::string whistle = worker.whistle("楼道杂物");
  worker.sync();
  centre.enrol("SL100001");
  centre.sync();
  centre.asked({"act", whistle, "accept", "--class", "routine"});
  centre.sync();
  worker.sync();
  const std::string before = at.county.file("before.JPG");
  const std::string after = at.county.file("after.png");
  write_file(before, "\xFF\xD8\xFF");
  write_file(after, "\x89PNG\r\n\x1A\nclean");
  CHECK(worker.gw({"act", whistle, "handle_on_spot"}).code == 1);
  CHECK(worker.gw({"act", whistle, "handle_on_spot", "--before", before}).code == 1);
  CHECK(worker.gw({"act", whistle, "handle_on_spot", "--before", after + "x"}).code == 3);
  CHECK(worker.asked({"list", "attachment"}).empty());
  worker.asked({"act", whistle, "handle_on_spot", "--before", before, "--after", after});
  worker.sync();

  for (const Json& one : at.county.records("Whistle")) {
    if (one.at("id") == whistle) CHECK(one.at("fields").at("state") == "HANDLED_ON_SPOT");
  }
  const Json kept =
      worker.asked({"list", "attachment", "--where",
                    "sha256=6e568e1f67fba258184c78181539e5e8fdee447e49bb706fc0ea34fbf12336a5"});
  REQUIRE(kept.size() == 1);
  const Json& fields = kept.at(0).at("fields");
  CHECK(fields.at("parent") == whistle);
  CHECK(fields.at("size_bytes") == 3);
  CHECK(fields.at("media_type") == "image/jpeg");
  CHECK(fields.at("stage") == "BEFORE");
  CHECK(at.county.records("Attachment").size() == 2);
}

TEST_CASE("A place outside one's areas is refused with the areas that one has") {
  Recorded at;
  const Ended ended = at.phone.gw({"add", "place", "grid=440811100002001", "name=别处"});
  CHECK(ended.code == 1);
  CHECK(has(ended.err, kGrid));
  // Who has no grid of one's own is told what one's role covers.
  Phone department(at.county, "department");
  department.enrol("BM-CG1");
  const Words elsewhere{"add", "place", "grid=" + kGrid, "name=别处"};
  department.sync();
  const Ended other = department.gw(elsewhere);
  CHECK(other.code == 1);
  CHECK_FALSE(has(other.err, "sync once"));
  INFO(other.err);
  CHECK(has(other.err, "org:"));
}

TEST_CASE("What gw itself finds is told in the reader's language, and once") {
  Recorded at;
  const Ended chinese = at.phone.gw({"--lang", "zh", "whistle", "--title", "x"});
  CHECK(has(chinese.err, "请用 --grid 或 --at 说明在哪里"));
  CHECK_FALSE(has(chinese.err, "say where"));
  const Ended english = at.phone.gw({"--lang", "en", "whistle", "--title", "x"});
  CHECK(has(english.err, "say where with --grid"));
  CHECK(english.err.find('\x1F') == std::string::npos);
  const Json told =
      Json::parse(at.phone.gw({"--json", "--lang", "zh", "whistle", "--title", "x"}).out);
  CHECK(has(told.at("message"), "请用 --grid"));
  Phone second(at.county, "second");
  const std::string code = at.county.code_for("WG002");
  second.asked({"enrol", code});
  Phone third(at.county, "third");
  const Ended used = third.gw({"--lang", "en", "enrol", code});
  CHECK(used.err == "gw: the code was used; ask for another [code_used]\n");
}

TEST_CASE("A live line that never came about is exit code 4, and tells what is unsent") {
  Recorded at;
  at.county.kill();
  const Ended ended = at.phone.gw({"--json", "sync", "--live", "--seconds", "3"});
  CHECK(ended.code == 4);
  CHECK(Json::parse(ended.out).at("error") == "unavailable");
  CHECK(at.phone.asked({"status"}).at("last_error_code") == "unavailable");
  at.county.serve();
  const Json live = at.phone.asked({"sync", "--live", "--seconds", "5"});
  CHECK(live.at("caught_up") == true);
  CHECK(live.at("unsent") == 0);
}

TEST_CASE("Words that are no text are refused, whatever the form of the answer") {
  const Recorded at;
  const std::string no_text = "\xff\xfe坏";
  for (const Words& words : {Words{"whistle", "--grid", kGrid, "--title", no_text},
                             {"show", no_text},
                             {"list", no_text},
                             {"set", at.place, "name=" + no_text},
                             {"visit", "start", "--at", no_text},
                             {"act", no_text, "accept"},
                             {"enrol", no_text}}) {
    for (const char* form : {"--json", "--lang=zh"}) {
      Words command = {form};
      command.insert(command.end(), words.begin(), words.end());
      const Ended ended = at.phone.gw(command);
      INFO(words.at(0) << " " << ended.out << ended.err);
      CHECK(ended.code == 2);
      CHECK(has(ended.out + ended.err, "UTF-8"));
      CHECK_FALSE(has(ended.err, "libprotobuf"));
    }
  }
  const Ended titled = at.phone.gw({"whistle", "--grid", kGrid, "--title", no_text});
  CHECK(has(titled.err, "--title"));
}

TEST_CASE("Values out of range are refused with the field's name") {
  const Recorded at;
  const auto ends = [&](int code, const std::string& name, const Words& words) {
    const Ended ended = at.phone.gw(words);
    INFO(words.back() << ": " << ended.out << ended.err);
    CHECK(ended.code == code);
    CHECK(has(ended.err, name));
  };
  // The library's rules.
  const auto refused = [&](const std::string& name, const Words& words) { ends(1, name, words); };
  // Words that are none.
  const auto wrong = [&](const std::string& name, const Words& words) { ends(2, name, words); };
  refused("title", {"whistle", "--grid", kGrid, "--title", std::string(17'000, 'x')});
  wrong("title", {"whistle", "--grid", kGrid, "--title", " "});
  refused("grid", {"whistle", "--grid", "12", "--title", "网格不对"});
  refused("15", {"whistle", "--grid", "grid:" + kGrid, "--title", "网格带了前缀"});
  wrong("15", {"list", "whistle", "--grid", "grid:" + kGrid});
  wrong("class", {"whistle", "--grid", kGrid, "--title", "类别不对", "--class", "purple"});
  wrong("class", {"whistle", "--grid", kGrid, "--title", "类别不对", "--class", "99"});
  wrong("position", {"whistle", "--grid", kGrid, "--title", "无处", "--at", "21.2,nan"});
  const Words household = {"household", "add", "--grid", kGrid, "--address"};
  const auto with = [&](const std::string& address, const Words& more) {
    Words words = household;
    words.push_back(address);
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  wrong("address", with(" ", {}));
  wrong("member", with("x", {"--member", "a,b,3000"}));
  wrong("birth_year", with("x", {"--member", "a,b,1982x"}));
  wrong("member", with("x", {"--member", "a,b,1990,1,2"}));
  wrong("emergency", {"set", at.whistle, "emergency=maybe"});
  wrong("ended_ms", {"list", "visit", "--where", "ended_ms=abc"});
  wrong("not an id", {"visit", "end", "not-an-id"});
  wrong("--grid", {"visit", "start"});
  wrong("dance", {"act", at.number, "dance"});
  CHECK(at.phone.gw({"visit", "end"}).code == 3);
}

TEST_CASE("A category that the phone's list lacks is refused") {
  County county;
  county.serve();
  Phone phone(county, "phone");
  phone.enrol("WG001");
  phone.sync();
  const Words unknown = {"whistle", "--grid", kGrid, "--title", "x", "--category", "99999"};
  const Ended refused = phone.gw(unknown);
  CHECK(refused.code == 3);
  CHECK(has(refused.err, "gw list category"));
  CHECK(phone.asked({"list", "whistle"}).empty());
}

TEST_CASE("What the state does not allow is told with the state and what it does allow") {
  const Recorded at;
  at.phone.asked({"act", at.number, "void", "--note", "误报"});
  const Ended ended = at.phone.gw({"act", at.number, "handle_on_spot"});
  INFO(ended.err);
  CHECK(ended.code == 1);
  CHECK(has(ended.err, "It is VOID; possible from there: comment"));
}

TEST_CASE("Status tells what is unsent, in both languages, and JSON has every lane") {
  const Recorded at;
  const Json status = at.phone.asked({"status"});
  CHECK(status.at("enrolled") == true);
  CHECK(status.at("county") == "440811");
  CHECK(status.at("unsent") == 4);
  CHECK(status.at("lanes").size() == 3);
  CHECK(has(at.phone.gw({"--lang", "zh", "status"}).out, "未发送"));
  CHECK(has(at.phone.gw({"--lang", "en", "status"}).out, "unsent"));
  CHECK(at.phone.gw({"--lang", "zh", "outcomes"}).code == 0);
  CHECK(at.phone.asked({"tasks"}).empty());
  CHECK(at.phone.gw({"outcomes", "restore", "nonsense"}).code == 2);
  CHECK(at.phone.gw({"outcomes", "restore", at.place}).code == 3);
}

TEST_CASE("What was read of people on a phone stands in its log, with the purpose or without") {
  const Recorded at;
  CHECK(at.phone.asked({"access"}).empty());
  CHECK(has(at.phone.gw({"--lang", "zh", "access"}).out, "没有"));
  at.phone.asked({"household", "add", "--grid", kGrid, "--address", "东街1号"});
  const std::string home = at.phone.asked({"list", "household"}).at(0).at("id");
  at.phone.asked({"--purpose", "入户核对", "show", home});
  const Json log = at.phone.asked({"access"});
  REQUIRE(log.size() > 1);
  CHECK(log[0].at("purpose") == "入户核对");
  CHECK(log[0].at("kind") == "Household");
  CHECK(log[0].at("records") == Json::array({home}));
  CHECK(log[log.size() - 1].at("purpose") == "");
  CHECK(at.phone.asked({"access", "--limit", "1"}).size() == 1);
  const std::string table = at.phone.gw({"--lang", "zh", "access"}).out;
  CHECK(has(table, at.worker_name()));
  CHECK(has(table, "入户核对"));
  CHECK(has(table, "已脱敏"));
}

}  // namespace
}  // namespace gridwhistle::e2e

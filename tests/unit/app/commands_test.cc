#include <sys/resource.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>

#include "app/argument_files.h"
#include "app/backup.h"
#include "app/command_line.h"
#include "app/difference.h"
#include "app/init.h"
#include "app/open_county.h"
#include "app/run.h"
#include "base/p256.h"
#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/sync.pb.h"
#include "schema/kinds.h"
#include "sqlite/connection.h"
#include "support/temp_folder.h"
#include "wire/frames.h"

using namespace gridwhistle;
using namespace gridwhistle::app;
using Json = nlohmann::json;

namespace {

struct Said {
  ExitCode code = ExitCode::kDone;
  std::string out;
  std::string err;

  std::vector<Json> rows() const {
    std::vector<Json> rows;
    std::istringstream lines(out);
    for (std::string line; std::getline(lines, line);) rows.push_back(Json::parse(line));
    return rows;
  }
};

/// While it lives no file of this process grows beyond so many bytes.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

std::vector<std::string> file_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

/// Turns over where a table's page says that its first row begins. Nobody has the file open.
void damage_first_row(const std::string& path, const std::string& table) {
  std::int64_t place = 0;
  {
    auto connection = sqlite::Connection::open({.path = path});
    REQUIRE(connection);
    const auto page =
        connection->number("SELECT rootpage FROM sqlite_master WHERE name=?", 0, table);
    const auto size = connection->number("PRAGMA page_size", 0);
    place = (*page - 1) * *size + 8;
  }
  std::fstream bytes(path, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(place);
  bytes.write("\xff\xff", 2);
}

/// A county in a folder of its own, and somebody who types commands.
class Desk {
 public:
  Desk() {
    Said said;
    run_init({folder_.path(), "440811", "127.0.0.1:7443"}, output(said, false));
    REQUIRE(said.err.empty());
    config_ =
        *parse_config(folder_.file("gridwhistle.toml"), default_config("440811", "127.0.0.1:7443"));
    open();
  }

  void open() {
    auto open = open_county(config_, Opening::kForCommand);
    if (!open) FAIL(open.error().message);
    open_.emplace(std::move(*open));
  }

  void reads(Language language) { language_ = language; }

  Said type(std::vector<std::string> words, bool json = true) {
    const auto line = parse_command_line(words, language_);
    if (!line) FAIL(line.error().text);
    const auto& command = std::get<CountyCommand>(line->command);
    const auto files = read_argument_files(command);
    if (!files) FAIL(files.error().message);
    Said said;
    const Surroundings around{config_, open_->key_sha256, folder_.path(), "tester",
                              open_->clock->now().wall_ms};
    said.code = run(*open_->county, command, *files, around, output(said, json));
    return said;
  }

  Desk& with_sample() {
    REQUIRE(type({"import", GRIDWHISTLE_SAMPLE_DATA}).code == ExitCode::kDone);
    return *this;
  }

  /// A whistle that the hotline passes on; its number.
  std::string whistle(const std::string& number, const std::string& category) {
    v1::Whistle whistle;
    whistle.set_number(number);
    whistle.set_grid("440811100001001");
    whistle.set_category(category);
    whistle.set_whistle_class(v1::WHISTLE_CLASS_ROUTINE);
    whistle.set_title("路灯不亮");
    whistle.set_source(v1::SOURCE_HOTLINE);
    const auto written = county().write(kinds::kWhistle, county().mint_id(),
                                        whistle.SerializeAsString(), {}, "tester");
    if (!written) FAIL(written.error().message);
    return number;
  }

  /// Moves a whistle on and insists that it was allowed.
  void act(const std::string& whistle, const std::string& action, const std::string& actor,
           std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"act", whistle, action, "--as", actor});
    const Said said = type(more);
    INFO(action << " " << said.out << said.err);
    REQUIRE(said.code == ExitCode::kDone);
  }

  /// A phone of this worker, enrolled; its letters.
  std::string enrol(std::uint64_t device, const std::string& worker) {
    const std::string code = type({"enrol", worker}).rows()[0]["code"];
    const auto key = P256Key::make();
    v1::EnrolRequest request;
    request.set_code(code.substr(code.rfind(':') + 1));
    request.set_device(device);
    request.set_public_key(*key->public_key());
    request.set_signature(*key->sign(enrol_to_sign(request, open_->key_sha256)));
    v1::EnrolReply reply;
    REQUIRE(reply.ParseFromString(county().enrol(request.SerializeAsString())));
    REQUIRE(reply.code() == 0);
    return reply.short_code();
  }

  County& county() { return *open_->county; }
  const ServerConfig& config() const { return config_; }
  const test::TempFolder& folder() const { return folder_; }
  void close() { open_.reset(); }

 private:
  Output output(Said& said, bool json) const {
    return {[&](std::string_view text) { said.out += text; },
            [&](std::string_view text) { said.err += text; }, language_, json};
  }

  Language language_ = Language::kEnglish;
  test::TempFolder folder_;
  ServerConfig config_;
  std::optional<OpenCounty> open_;
};

}  // namespace

TEST_CASE("What init says comes next can be typed where it was typed") {
  const test::TempFolder folder;
  Said said;
  const Output output{[&](std::string_view text) { said.out += text; },
                      [&](std::string_view text) { said.err += text; }, Language::kEnglish, false};
  const std::string county = folder.file("mz");
  REQUIRE(run_init({county, "440811", "127.0.0.1:7443"}, output) == ExitCode::kDone);
  CHECK(said.out.find("Next: `gridwhistle-server -c " + county + "/gridwhistle.toml import ") !=
        said.out.npos);
}

TEST_CASE("A dry run says what an import would do and changes nothing") {
  Desk desk;
  const auto before = desk.type({"status"}).out;
  const Said dry = desk.type({"import", GRIDWHISTLE_SAMPLE_DATA, "--dry-run"});
  CHECK(dry.code == ExitCode::kDone);
  CHECK(dry.rows()[0]["created"] == 1601);
  CHECK(desk.type({"status"}).out == before);
  CHECK(desk.type({"import", GRIDWHISTLE_SAMPLE_DATA}).rows()[0]["created"] == 1601);
}

TEST_CASE("Importing the same files again changes nothing") {
  Desk desk;
  desk.with_sample();
  const Json again = desk.type({"import", GRIDWHISTLE_SAMPLE_DATA}).rows()[0];
  CHECK(again["created"] == 0);
  CHECK(again["changed"] == 0);
  CHECK(again["unchanged"] == 1601);
}

TEST_CASE("An import with a fault names file and line and imports nothing") {
  Desk desk;
  const std::string path = desk.folder().file("areas.csv");
  std::ofstream(path) << "code12,level,name\n440811000000,COUNTY,麻章区\n44081,TOWN,x\n";
  const Said said = desk.type({"import", path}, false);
  CHECK(said.code == ExitCode::kFaults);
  CHECK(said.out.starts_with(path + ":3: code12"));
  CHECK(said.err == "1 problem, nothing was imported\n");
  CHECK(desk.county().all(kinds::kAdminArea)->empty());
}

TEST_CASE("The faults of an import are told in the reader's language") {
  Desk desk;
  const std::string path = desk.folder().file("areas.csv");
  std::ofstream(path) << "code12,level,name\n440811000000,COUNTY,麻章区\n44081,TOWN,x\n";
  desk.reads(Language::kChinese);
  const Said said = desk.type({"import", path}, false);
  CHECK(said.out == path + ":3: code12 \"44081\"：须为 12 位数字\n");
  CHECK(said.err == "1 处问题，未导入任何内容\n");
  CHECK(desk.type({"import", path}).rows()[0] ==
        Json{{"error", "invalid"},
             {"message", "code12 \"44081\"：须为 12 位数字"},
             {"file", path},
             {"line", 3}});
}

TEST_CASE("A file that cannot be read is named once") {
  const auto files = read_argument_files(ImportCommand{.paths = {"nothing.csv"}});
  REQUIRE_FALSE(files);
  const std::string message = half_of(files.error().message, false);
  CHECK(message.starts_with("nothing.csv: "));
  CHECK(message.find("nothing.csv", 1) == message.npos);
}

TEST_CASE("An enrolment code names server, key and code; nobody gets one for a stranger") {
  Desk desk;
  desk.with_sample();
  const Said said = desk.type({"enrol", "WG001"});
  REQUIRE(said.code == ExitCode::kDone);
  CHECK(said.rows()[0]["code"].get<std::string>().starts_with("gw1:127.0.0.1:7443:"));
  CHECK(desk.type({"enrol", "NOBODY"}).code == ExitCode::kRefused);
  CHECK(desk.type({"revoke", "ZZZZ", "--lost"}).code == ExitCode::kRefused);
  CHECK(desk.type({"devices"}).out.empty());
}

TEST_CASE("A whistle goes its road by what staff type, and explain tells it") {
  Desk desk;
  const std::string n = desk.with_sample().whistle("T-1", "02004");
  desk.act(n, "verify", "WG001");
  desk.act(n, "accept", "SL100");
  desk.act(n, "blow", "SL100");
  const auto inbox = desk.type({"inbox", "BM-ZJ"}).rows();
  REQUIRE(inbox.size() == 1);
  CHECK(inbox[0]["number"] == n);
  desk.act(n, "check_in", "BM-ZJ1", {"--on-site"});
  desk.act(n, "start", "BM-ZJ1");
  desk.act(n, "report_back", "BM-ZJ1", {"--note", "已更换"});
  const Json why = desk.type({"explain", n}).rows()[0];
  CHECK(why["item"] == "ZR011");
  CHECK(why["rule"] == "FP011");
  CHECK(
      why["reason"].get<std::string>().starts_with("By rule FP011 and item ZR011, led by BM-ZJ "));
  CHECK(why["steps"].size() >= 6);
}

TEST_CASE(
    "Explain shows what was decided: why refused, by whom called, until when, in which round") {
  Desk desk;
  const std::string n = desk.with_sample().whistle("T-6", "02004");
  desk.act(n, "refuse", "SL100", {"--reason", "not_public"});
  const Json refused = desk.type({"explain", n}).rows()[0];
  CHECK(refused["details"]["refusal_reason"] == "NOT_PUBLIC");
  CHECK(refused["steps"].back()["details"] == Json{{"reason", "NOT_PUBLIC"}});
  desk.reads(Language::kChinese);
  CHECK(desk.type({"explain", n}, false).out.find("不予受理原因：非公共事项") != std::string::npos);
  CHECK(desk.type({"explain", n}).rows()[0]["steps"] == refused["steps"]);
}

TEST_CASE("An objection that gives neither a note nor a reason's number is refused") {
  Desk desk;
  const std::string n = desk.with_sample().whistle("T-9", "02004");
  desk.act(n, "verify", "WG001");
  desk.act(n, "accept", "SL100");
  desk.act(n, "blow", "SL100");
  const auto object = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"act", n, "object", "--as", "BM-ZJ1"};
    words.insert(words.end(), more.begin(), more.end());
    return desk.type(words);
  };
  for (const Said& mute : {object({}), object({"--note", "  "})}) {
    CHECK(mute.code == ExitCode::kRefused);
    CHECK(mute.out.find("an objection a note, or the number of a reason") != std::string::npos);
  }
  CHECK(object({"--reason", "7"}).code == ExitCode::kDone);
}

TEST_CASE("What the state does not allow is told with the state and with what it does allow") {
  Desk desk;
  const std::string n = desk.with_sample().whistle("T-10", "02004");
  desk.act(n, "verify", "WG001");
  desk.act(n, "accept", "SL100");
  const auto why = [&] { return desk.type({"act", n, "accept", "--as", "SL100"}, false).out; };
  CHECK(why().find("in the present state. It is ACCEPTED; possible from there: ") !=
        std::string::npos);
  CHECK(why().find("blow") != std::string::npos);
  desk.reads(Language::kChinese);
  CHECK(why().find("当前状态下不能进行这一操作；现为“已受理”，此时可以：") != std::string::npos);
}

TEST_CASE("After a joint meeting explain says that the meeting called the lead, and no rule") {
  Desk desk;
  const std::string n = desk.with_sample().whistle("T-7", "02004");
  desk.act(n, "verify", "WG001");
  desk.act(n, "accept", "SL100");
  for (int i = 0; i < 2; ++i) {
    desk.act(n, "blow", "SL100");
    desk.act(n, "object", "BM-ZJ1", {"--note", "非本部门职责"});
  }
  desk.act(n, "joint_meeting", "DD-Q1", {"--lead", "BM-CG"});
  const Json why = desk.type({"explain", n}).rows()[0];
  CHECK(why["reason"].get<std::string>().starts_with("A joint meeting called BM-CG "));
  CHECK(why["reason"].get<std::string>().ends_with("before that it was rule FP011"));
  CHECK(why["assignments"][0]["round"] == 1);
}

TEST_CASE("What is refused by no rule of the road says why in the reader's language") {
  Desk desk;
  const std::string n = desk.with_sample().whistle("T-8", "02004");
  const auto why = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"act", n, "comment", "--as", "SL100"};
    words.insert(words.end(), more.begin(), more.end());
    const Said said = desk.type(words);
    CHECK(said.code == ExitCode::kRefused);
    return said.out + said.err;
  };
  const std::string long_note(20'000, 'x');
  CHECK(why({"--for", "BM-CG"}).find("the organisation one belongs to") != std::string::npos);
  CHECK(why({"--note", long_note}).find("WhistleAction.note exceeds 16 KB") != std::string::npos);
  desk.reads(Language::kChinese);
  CHECK(why({"--for", "BM-CG"}).find("只能代表本人所属的机构") != std::string::npos);
  CHECK(why({"--note", long_note}).find("说明超过 16 KB") != std::string::npos);
}

TEST_CASE("Work is returned to its author with a reason or not at all") {
  Desk desk;
  for (const char* blank : {"", " ", "　"}) {
    const Said said = desk.type({"review", "return", "1", "--reason", blank}, false);
    CHECK(said.code == ExitCode::kRefused);
    CHECK(said.err.find("--reason is empty") != std::string::npos);
  }
}

TEST_CASE("A reason that is none is refused with those there are") {
  Desk desk;
  desk.with_sample();
  const std::string n = desk.whistle("T-9", "02004");
  for (const char* reason : {"7", "99", "-1", "99999999999999999999", "because"}) {
    const Said said = desk.type({"act", n, "refuse", "--as", "DB-Q1", "--reason", reason});
    CHECK(said.code == ExitCode::kUsage);
    CHECK(said.err.find("not_public") != std::string::npos);
  }
}

TEST_CASE("An action that is not allowed is refused with its reason and exit code 1") {
  Desk desk;
  const std::string n = desk.with_sample().whistle("T-2", "02004");
  const Said said = desk.type({"act", n, "check_in", "--as", "BM-ZJ1"});
  CHECK(said.code == ExitCode::kRefused);
  const Said accept = desk.type({"act", n, "accept", "--as", "BM-ZJ1"});
  CHECK(accept.code == ExitCode::kRefused);
  CHECK(accept.rows()[0]["outcome"] == "REJECTED");
  CHECK(desk.type({"act", n, "dance", "--as", "BM-ZJ1"}).code == ExitCode::kUsage);
  CHECK(desk.type({"act", "nothing", "accept", "--as", "BM-ZJ1"}).code == ExitCode::kRefused);
}

TEST_CASE("What no rule covers waits in the queue until the county assigns it") {
  Desk desk;
  const std::string n = desk.with_sample().whistle("T-3", "99001");
  desk.act(n, "verify", "WG001");
  desk.act(n, "accept", "SL100");
  desk.act(n, "blow", "SL100");
  const auto queue = desk.type({"queue", "list"}).rows();
  REQUIRE(queue.size() == 1);
  CHECK(queue[0]["number"] == n);
  const Said said = desk.type({"queue", "assign", n, "--lead", "BM-CG", "--co", "BM-GA"});
  INFO(said.out << said.err);
  CHECK(said.code == ExitCode::kDone);
  CHECK(desk.type({"queue", "list"}).out.empty());
  CHECK(desk.type({"inbox", "BM-GA"}).rows().size() == 1);
  const Json why = desk.type({"explain", n}).rows()[0];
  CHECK(why["reason"].get<std::string>().starts_with("No rule matched: the county called BM-CG "));
  const Json last = why["steps"].back();
  CHECK(last["organisation"].get<std::string>().starts_with("ZX-440811 "));
  CHECK(last["note"] == "tester");
}

TEST_CASE("Review, verify and export answer on a county in order") {
  Desk desk;
  desk.with_sample().whistle("T-4", "02004");
  CHECK(desk.type({"review", "list"}).rows()[0]["sealed"].empty());
  CHECK(desk.type({"review", "show", "1"}).code == ExitCode::kRefused);
  CHECK(desk.type({"review", "accept", "1"}).code == ExitCode::kRefused);
  CHECK(desk.type({"review", "return", "1", "--reason", "x"}).code == ExitCode::kRefused);
  CHECK(desk.type({"review", "done", "1"}).code == ExitCode::kRefused);
  const Said verify = desk.type({"verify"});
  CHECK(verify.code == ExitCode::kDone);
  CHECK(verify.rows()[0]["faults"].empty());
  CHECK(desk.type({"export"}).rows().size() >= 1595);
  CHECK(desk.type({"status"}, false).out.find("440811") != std::string::npos);
  const Json status = desk.type({"status"}).rows()[0];
  CHECK(status["config"] == desk.folder().file("gridwhistle.toml"));
  CHECK(status["database"] == desk.config().database_path());
}

TEST_CASE("A backup goes where it is told, or into the folder, of which the newest stay") {
  Desk desk;
  const Said told = desk.type({"backup", "mine.gwbackup"});
  INFO(told.err);
  REQUIRE(told.code == ExitCode::kDone);
  CHECK(std::filesystem::exists(desk.folder().file("mine.gwbackup")));
  CHECK(desk.type({"backup", "mine.gwbackup"}).code == ExitCode::kRefused);
  const std::string path = desk.type({"backup"}).rows()[0]["path"];
  CHECK(path.starts_with(desk.config().backup_folder + "/440811-"));
  // Another within the same second has a name of its own.
  const std::string next = desk.type({"backup"}).rows()[0]["path"];
  CHECK(next > path);
}

TEST_CASE("A disk that takes no more is told with the county's file") {
  Desk desk;
  desk.with_sample();
  const FileSizeLimit limit(1);
  const Said said = desk.type({"enrol", "WG001"}, false);
  INFO(said.err);
  CHECK(said.code == ExitCode::kBroken);
  CHECK(said.err.find(desk.config().database_path() + ": ") != std::string::npos);
}

TEST_CASE("A backup that failed leaves no file and no mark, and what a killed one left goes") {
  Desk desk;
  desk.with_sample();
  const std::filesystem::path folder = desk.config().backup_folder;
  const auto back_up = [&](std::int64_t at_ms) {
    return make_backup(desk.county(), desk.config(), "", "test", at_ms);
  };
  {
    // As on a disk that is full: no file grows beyond so much.
    const FileSizeLimit limit(256 << 10);
    const auto failed = back_up(1000);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message.find(folder.string()) != std::string::npos);
  }
  CHECK(desk.county().status()->backed_up.value == 0);
  CHECK(std::filesystem::is_empty(folder));
  CHECK_FALSE(desk.county().storage_health().refuses);

  for (const char* left :
       {"440811-20200101T000000Z.gwbackup.part", "440811-20200101T000000Z.gwbackup.part-journal",
        "440811-20200101T000000Z.gwbackup.part-difference", "440811-20200101T000000Z.gwbackup.key",
        "440811-20200101T000000Z.gwbackup.sha256", "440812-20200101T000000Z.gwbackup.part"}) {
    std::ofstream(folder / left) << "half of one";
  }
  const auto made = back_up(2000);
  REQUIRE(made);
  CHECK(desk.county().status()->backed_up == made->upto);
  // The last is another county's, and may be in the making.
  CHECK(file_names(folder) == std::vector<std::string>{"440811-19700101T000002Z.gwbackup",
                                                       "440811-19700101T000002Z.gwbackup.sha256",
                                                       "440812-20200101T000000Z.gwbackup.part"});
}

TEST_CASE("A backup older than backups are kept goes, the newest of them stays") {
  Desk desk;
  ServerConfig config = desk.config();
  constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;
  constexpr std::int64_t kNow = 1'780'000'000'000;
  const auto back_up = [&](std::int64_t days_ago) {
    const auto made = make_backup(desk.county(), config, "", "tester", kNow - days_ago * kDayMs);
    if (!made) FAIL(made.error().message);
    return made->path;
  };
  const std::string first = back_up(40);
  const std::string second = back_up(29);
  CHECK(std::filesystem::exists(first));
  const std::string third = back_up(0);
  CHECK_FALSE(std::filesystem::exists(first));
  CHECK_FALSE(std::filesystem::exists(first + kDigestSuffix));
  CHECK(std::filesystem::exists(second));
  CHECK(std::filesystem::exists(third));
  config.backup_days = 0;
  back_up(-3650);
  CHECK(std::filesystem::exists(third));
}

TEST_CASE("Half a backup is none of the newest that stay") {
  Desk desk;
  ServerConfig config = desk.config();
  config.backup_keep = 2;
  for (const std::int64_t at_ms : {1000, 2000, 3000}) {
    std::ofstream(config.backup_folder + "/440811-20990101T000000Z.gwbackup.part") << "half";
    REQUIRE(make_backup(desk.county(), config, "", "test", at_ms));
  }
  // The first is what the others stand on.
  CHECK(file_names(config.backup_folder) ==
        std::vector<std::string>{
            "440811-19700101T000001Z.gwbackup", "440811-19700101T000001Z.gwbackup.sha256",
            "440811-19700101T000002Z.gwbackup", "440811-19700101T000002Z.gwbackup.sha256",
            "440811-19700101T000003Z.gwbackup", "440811-19700101T000003Z.gwbackup.sha256"});
}

namespace {

constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;
constexpr std::int64_t kToday = 1'780'000'000'000;

std::string back_up_on(Desk& desk, const ServerConfig& config, std::int64_t day) {
  const auto made = make_backup(desk.county(), config, "", "test", kToday + day * kDayMs);
  if (!made) FAIL(made.error().message);
  return made->path;
}

void flip_byte(const std::string& path, std::int64_t at) {
  std::fstream bytes(path, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekg(at);
  const char before = static_cast<char>(bytes.get());
  bytes.seekp(at);
  bytes.put(static_cast<char>(before ^ 1));
}

/// What `restore` says of a backup; nobody has the county open.
Said restored(const ServerConfig& config, const std::string& backup) {
  Said said;
  const Output output{[&](std::string_view text) { said.out += text; },
                      [&](std::string_view text) { said.err += text; }, Language::kEnglish, false};
  said.code = run_restore(config, {backup, true}, output, kToday);
  return said;
}

std::size_t whistles_of(Desk& desk) {
  desk.open();
  const std::size_t count = desk.county().all(kinds::kWhistle)->size();
  desk.close();
  return count;
}

}  // namespace

TEST_CASE("A backup after a whole one holds only what changed, and each gives back its county") {
  Desk desk;
  desk.with_sample();
  const ServerConfig config = desk.config();
  std::vector<std::string> backups = {back_up_on(desk, config, 0)};
  for (int day = 1; day <= 3; ++day) {
    desk.whistle("T-" + std::to_string(day), "02004");
    backups.push_back(back_up_on(desk, config, day));
    CHECK(is_difference(backups.back()));
    CHECK(std::filesystem::file_size(backups.back()) <
          std::filesystem::file_size(backups.front()) / 4);
  }
  const std::string carried = desk.folder().file("carried.gwbackup");
  REQUIRE(make_backup(desk.county(), config, carried, "test", kToday + 3 * kDayMs));
  CHECK_FALSE(is_difference(carried));
  backups.push_back(carried);
  desk.close();
  for (std::size_t i = 0; i < backups.size(); ++i) {
    const Said said = restored(config, backups[i]);
    INFO(said.err);
    REQUIRE(said.code == ExitCode::kDone);
    CHECK(whistles_of(desk) == std::min<std::size_t>(i, 3));
  }
  // Nothing of the putting together is left.
  CHECK_FALSE(std::filesystem::exists(config.database_path() + ".restoring"));
}

TEST_CASE("A backup whose log an earlier restore has left is restored with a warning") {
  Desk desk;
  desk.with_sample();
  const ServerConfig config = desk.config();
  const auto serve = [&] {
    desk.close();
    REQUIRE(open_county(config, Opening::kToServe));
    desk.open();
  };
  serve();
  const std::string first = back_up_on(desk, config, 0);
  serve();
  const std::string second = back_up_on(desk, config, 1);
  serve();
  desk.close();
  const auto warns = [&](const std::string& backup) {
    const Said said = restored(config, backup);
    INFO(said.err);
    REQUIRE(said.code == ExitCode::kDone);
    return said.out.find("has left this backup's log") != std::string::npos;
  };
  CHECK_FALSE(warns(second));
  CHECK_FALSE(warns(first));
  // Nobody has spoken with the older one yet.
  CHECK_FALSE(warns(second));
  CHECK_FALSE(warns(first));
  REQUIRE(open_county(config, Opening::kToServe));
  CHECK(warns(second));
}

TEST_CASE("Of a backup in two files the missing or altered one is named, and the county stays") {
  Desk desk;
  desk.with_sample();
  const ServerConfig config = desk.config();
  const std::string whole = back_up_on(desk, config, 0);
  desk.whistle("T-1", "02004");
  const std::string difference = back_up_on(desk, config, 1);
  desk.whistle("T-2", "02004");
  desk.close();
  std::string named;
  SECTION("the whole one is missing") {
    std::filesystem::rename(whole, whole + ".elsewhere");
    named = difference + " holds only what differs from " +
            std::filesystem::path(whole).filename().string() +
            ", which is not beside it: put that file back";
  }
  SECTION("the whole one is altered") {
    flip_byte(whole, 5000);
    named = difference + " stands on " + whole + ", which is not as it was written";
  }
  SECTION("the difference is altered") {
    flip_byte(difference, 5000);
    named = difference + ": it is not as it was written";
  }
  SECTION("the difference is altered, and its SHA-256 lost") {
    // A byte that was flipped may lie where the file says nothing.
    auto pages = sqlite::Connection::open({.path = difference});
    REQUIRE(pages);
    REQUIRE(pages->script("DELETE FROM page WHERE number=(SELECT max(number) FROM page)"));
    std::filesystem::remove(difference + kDigestSuffix);
    named = difference + " is not as it was written";
  }
  SECTION("it was copied by hand to where the county's file should be") {
    std::filesystem::copy_file(difference, config.database_path(),
                               std::filesystem::copy_options::overwrite_existing);
    const auto opened = open_county(config, Opening::kForCommand);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().message.find("`restore` it") != std::string::npos);
    return;
  }
  const Said said = restored(config, difference);
  INFO(said.err);
  CHECK(said.code != ExitCode::kDone);
  CHECK(said.err.find(named) != std::string::npos);
  CHECK(said.err.find("restore another backup") != std::string::npos);
  CHECK(whistles_of(desk) == 2);
}

TEST_CASE(
    "Whatever is dropped, every backup that is left can be restored, and nothing else stays") {
  Desk desk;
  ServerConfig config = desk.config();
  config.backup_keep = 4;
  for (int day = 0; day < 20; ++day) {
    const std::string newest = back_up_on(desk, config, day);
    std::set<std::string> left;
    std::set<std::string> noted;
    for (std::string name : file_names(config.backup_folder)) {
      const bool digest = name.ends_with(kDigestSuffix);
      if (digest) name.resize(name.size() - std::string(kDigestSuffix).size());
      (digest ? noted : left).insert(config.backup_folder + "/" + name);
    }
    CHECK(left == noted);
    std::set<std::string> needed;
    for (auto backup = left.rbegin(); backup != left.rend() && needed.size() < 4; ++backup) {
      needed.insert(*backup);
    }
    CHECK(needed.contains(newest));
    for (const std::string& backup : std::set(needed)) {
      if (!is_difference(backup)) continue;
      needed.insert(config.backup_folder + "/" + read_difference(backup)->base);
      CHECK(rebuild(backup, [](std::string_view) { return Result<void>(); }));
    }
    CHECK(left == needed);
  }
}

TEST_CASE("No more than a week's backups stand on one, and none for longer than backups are kept") {
  Desk desk;
  ServerConfig config = desk.config();
  std::vector<bool> whole;
  for (int day = 0; day < 15; ++day) whole.push_back(!is_difference(back_up_on(desk, config, day)));
  CHECK(std::ranges::count(whole, true) == 3);
  CHECK((whole[0] && whole[7] && whole[14]));
  // A difference of the second day stands on what was forgotten by then.
  config.backup_days = 13;
  back_up_on(desk, config, 15);
  CHECK(std::ranges::none_of(file_names(config.backup_folder), [&](const std::string& name) {
    const std::string path = config.backup_folder + "/" + name;
    return is_difference(path) &&
           !std::filesystem::exists(config.backup_folder + "/" + read_difference(path)->base);
  }));
  std::size_t left = 0;
  for (const std::string& name : file_names(config.backup_folder)) {
    left += name.ends_with(kDigestSuffix) ? 0 : 1;
  }
  CHECK(left == 9);
}

TEST_CASE(
    "A whole backup that is damaged is told of with the next, and nothing more stands on it") {
  Desk desk;
  desk.with_sample();
  const ServerConfig config = desk.config();
  const std::string whole = back_up_on(desk, config, 0);
  CHECK(is_difference(back_up_on(desk, config, 1)));
  flip_byte(whole, 5000);
  const auto made = make_backup(desk.county(), config, "", "test", kToday + 2 * kDayMs);
  REQUIRE(made);
  CHECK(made->damaged == whole);
  CHECK_FALSE(is_difference(made->path));
  CHECK(is_difference(back_up_on(desk, config, 3)));
  CHECK(read_difference(back_up_on(desk, config, 4))->base ==
        std::filesystem::path(made->path).filename());
}

TEST_CASE("The county's mark moves only when the backup and its key are in place") {
  Desk desk;
  ServerConfig config = desk.config();
  config.passphrase_file = desk.folder().file("no such file");
  CHECK_FALSE(make_backup(desk.county(), config, "", "test", 5000));
  CHECK(desk.county().status()->backed_up.value == 0);
  CHECK(std::filesystem::is_empty(config.backup_folder));
}

TEST_CASE(
    "Restoring brings back what the backup had, keeps the file that was there, and checks first") {
  Desk desk;
  desk.with_sample();
  const std::string backup = desk.folder().file("b.gwbackup");
  REQUIRE(desk.type({"backup", backup}).code == ExitCode::kDone);
  desk.whistle("T-5", "02004");
  Said said;
  const Output output{[&](std::string_view text) { said.out += text; },
                      [&](std::string_view text) { said.err += text; }, Language::kEnglish, false};
  CHECK(run_restore(desk.config(), {backup, true}, output, 5000) == ExitCode::kNoServer);
  desk.close();
  CHECK(run_restore(desk.config(), {backup, false}, output, 5000) == ExitCode::kRefused);
  std::ofstream(desk.folder().file("junk"))
      << "not a database, but long enough to be looked at twice";
  CHECK(run_restore(desk.config(), {desk.folder().file("junk"), true}, output, 5000) ==
        ExitCode::kBroken);
  said = {};
  REQUIRE(run_restore(desk.config(), {backup, true}, output, 5000) == ExitCode::kDone);
  CHECK(std::filesystem::exists(desk.config().database_path() + ".before-restore-5"));
  const auto open = open_county(desk.config(), Opening::kForCommand);
  REQUIRE(open);
  CHECK(open->county->all(kinds::kWhistle)->empty());
  CHECK(open->county->all(kinds::kGrid)->size() == 508);
  CHECK(said.out.find("Warning") == said.out.npos);
}

TEST_CASE("Every file that a restore replaces stays, also when two restores fall on one second") {
  Desk desk;
  desk.with_sample();
  const std::string older = desk.folder().file("older.gwbackup");
  REQUIRE(desk.type({"backup", older}).code == ExitCode::kDone);
  desk.whistle("T-5", "02004");
  const std::string newer = desk.folder().file("newer.gwbackup");
  REQUIRE(desk.type({"backup", newer}).code == ExitCode::kDone);
  desk.whistle("T-6", "02004");
  desk.close();
  Said said;
  const Output output{[&](std::string_view text) { said.out += text; },
                      [&](std::string_view text) { said.err += text; }, Language::kEnglish, true};
  // What a power cut leaves beside the file belongs to it, and to no other.
  const std::string path = desk.config().database_path();
  std::ofstream(path + ".before-restore-5-wal") << "an earlier file's";
  for (const std::string& backup : {older, newer}) {
    REQUIRE(run_restore(desk.config(), {backup, true}, output, 5000) == ExitCode::kDone);
  }
  INFO(said.out);
  REQUIRE(said.rows().size() == 2);
  const auto whistles = [&](const std::string& aside) {
    CHECK(aside != path + ".before-restore-5");
    std::filesystem::rename(aside, path);
    const auto open = open_county(desk.config(), Opening::kForCommand);
    REQUIRE(open);
    return open->county->all(kinds::kWhistle)->size();
  };
  CHECK(whistles(said.rows()[0]["kept"]) == 2);
  CHECK(whistles(said.rows()[1]["kept"]) == 0);

  std::filesystem::remove(path);
  std::ofstream(path + "-wal") << "of the file that somebody took away";
  REQUIRE(run_restore(desk.config(), {older, false}, output, 5000) == ExitCode::kDone);
  CHECK_FALSE(std::filesystem::exists(path + "-wal"));
}

TEST_CASE("A file with a damaged page is named by verify, and as a backup not restored") {
  Desk desk;
  desk.with_sample();
  // A page that no other check reads: of the codes that were given out.
  REQUIRE(desk.type({"enrol", "WG001"}).code == ExitCode::kDone);
  const std::string backup = desk.folder().file("b.gwbackup");
  REQUIRE(desk.type({"backup", backup}).code == ExitCode::kDone);
  desk.close();
  damage_first_row(backup, "code");
  Said said;
  const Output output{[&](std::string_view text) { said.out += text; },
                      [&](std::string_view text) { said.err += text; }, Language::kEnglish, false};
  CHECK(run_restore(desk.config(), {backup, true}, output, 5000) == ExitCode::kBroken);
  CHECK(said.err.find(backup + ": it is not as it was written: ") != said.err.npos);
  // And when nobody has kept what was noted beside it.
  std::filesystem::remove(backup + ".sha256");
  said.err.clear();
  CHECK(run_restore(desk.config(), {backup, true}, output, 5000) == ExitCode::kBroken);
  INFO(said.err);
  CHECK(said.err.find(backup + ": it is damaged: SQLite: On tree page ") != said.err.npos);
  CHECK(said.err.find("; restore another backup") != said.err.npos);

  damage_first_row(desk.config().database_path(), "code");
  desk.open();
  const Said verify = desk.type({"verify"});
  CHECK(verify.code == ExitCode::kFaults);
  CHECK_FALSE(verify.rows()[0]["faults"].empty());
}

TEST_CASE("Restoring names the phones that must enrol again, and those to revoke again") {
  Desk desk;
  desk.with_sample();
  const std::string stays = desk.enrol(71, "WG001");
  const std::string stolen = desk.enrol(72, "WG002");
  const std::string backup = desk.folder().file("b.gwbackup");
  REQUIRE(desk.type({"backup", backup}).code == ExitCode::kDone);
  const std::string later = desk.enrol(73, "WG003");
  REQUIRE(desk.type({"revoke", stolen, "--lost"}).code == ExitCode::kDone);
  REQUIRE(desk.type({"revoke", desk.enrol(74, "WG004"), "--left"}).code == ExitCode::kDone);
  desk.close();
  Said said;
  Output output{[&](std::string_view text) { said.out += text; },
                [&](std::string_view text) { said.err += text; }, Language::kEnglish, true};
  const auto kept = std::filesystem::path(desk.config().database_path() + ".kept");
  std::filesystem::copy_file(desk.config().database_path(), kept);
  REQUIRE(run_restore(desk.config(), {backup, true}, output, 5000) == ExitCode::kDone);
  const Json told = said.rows()[0];
  CHECK(told["to_enrol"] == Json::parse(R"([{"short_code":")" + later + R"(","worker":"WG003"}])"));
  CHECK(told["to_revoke"] ==
        Json::parse(R"([{"short_code":")" + stolen + R"(","worker":"WG002"}])"));

  std::filesystem::copy_file(kept, desk.config().database_path(),
                             std::filesystem::copy_options::overwrite_existing);
  output.json = false;
  said = {};
  REQUIRE(run_restore(desk.config(), {backup, true}, output, 6000) == ExitCode::kDone);
  INFO(said.out);
  CHECK(said.out.find("must enrol again before they can send: " + later + " (WG003)\n") !=
        said.out.npos);
  CHECK(said.out.find("revoke them again: " + stolen + " (WG002)\n") != said.out.npos);
  CHECK(said.out.find(stays) == said.out.npos);

  std::filesystem::remove(desk.config().database_path());
  said = {};
  REQUIRE(run_restore(desk.config(), {backup, false}, output, 7000) == ExitCode::kDone);
  CHECK(said.out.find("which they are is not known here") != said.out.npos);
}

TEST_CASE("Restoring a backup older than those that phones keep for is done with a warning") {
  Desk desk;
  desk.with_sample();
  const std::string older = desk.folder().file("older.gwbackup");
  REQUIRE(desk.type({"backup", older}).code == ExitCode::kDone);
  desk.whistle("T-5", "02004");
  const Said newer = desk.type({"backup", "newer.gwbackup"});
  REQUIRE(newer.code == ExitCode::kDone);
  const std::string told = std::to_string(newer.rows()[0]["upto"].get<std::int64_t>());
  desk.close();
  Said said;
  Output output{[&](std::string_view text) { said.out += text; },
                [&](std::string_view text) { said.err += text; }, Language::kEnglish, false};
  ServerConfig config = desk.config();
  REQUIRE(run_restore(config, {older, true}, output, 4000) == ExitCode::kDone);
  CHECK(said.out.find("Warning") == said.out.npos);
  const std::string aside = config.database_path() + ".before-restore-4";
  REQUIRE(std::filesystem::exists(aside));
  std::filesystem::rename(aside, config.database_path());
  config.backup_restorable = 1;
  said = {};
  REQUIRE(run_restore(config, {older, true}, output, 5000) == ExitCode::kDone);
  INFO(said.out);
  CHECK(said.out.find("Warning: this backup is older") != said.out.npos);
  CHECK(said.out.find("up to " + told + " are safe") != said.out.npos);
  // Now nobody was told more than this file knows.
  said = {};
  REQUIRE(run_restore(config, {older, true}, output, 6000) == ExitCode::kDone);
  CHECK(said.out.find("Warning") == said.out.npos);
}

namespace {

/// A household in the county, with these words in it; its id.
std::string household(Desk& desk, const std::string& notes) {
  v1::Household household;
  household.set_grid("440811100001001");
  household.set_notes(notes);
  const auto id = desk.county().write(kinds::kHousehold, desk.county().mint_id(),
                                      household.SerializeAsString(), {}, "tester");
  if (!id) FAIL(id.error().message);
  return id->text();
}

/// Whether any file below the folder holds these bytes.
bool holds(const std::filesystem::path& folder, const std::string& bytes) {
  return std::ranges::any_of(std::filesystem::recursive_directory_iterator(folder),
                             [&](const auto& entry) {
                               std::ifstream file(entry.path(), std::ios::binary);
                               std::ostringstream all;
                               if (entry.is_regular_file()) all << file.rdbuf();
                               return all.str().find(bytes) != std::string::npos;
                             });
}

const std::string kSecret = "Example Wang, red door";

}  // namespace

TEST_CASE("Forgetting says what would go, and does it only with --yes") {
  Desk desk;
  desk.with_sample();
  const std::string id = household(desk, kSecret);
  const Said tried = desk.type({"forget", id});
  CHECK(tried.code == ExitCode::kDone);
  CHECK(tried.rows()[0]["Household"] == 1);
  REQUIRE(holds(desk.config().data_folder, kSecret));
  const Said done = desk.type({"forget", id, "--yes"}, false);
  INFO(done.err);
  CHECK(done.code == ExitCode::kDone);
  CHECK(done.out.find("Deleted for good here.") != done.out.npos);
  CHECK_FALSE(holds(desk.config().data_folder, kSecret));
  const Said again = desk.type({"forget", id});
  CHECK(again.code == ExitCode::kRefused);
  CHECK(again.rows().empty());
  CHECK(desk.type({"forget", "red door"}).code == ExitCode::kRefused);
  CHECK(desk.type({"verify"}).code == ExitCode::kDone);
}

TEST_CASE("A backup from before a forgetting is restored without what was forgotten") {
  Desk desk;
  desk.with_sample();
  const std::string id = household(desk, kSecret);
  const std::string backup = desk.folder().file("b.gwbackup");
  REQUIRE(desk.type({"backup", backup}).code == ExitCode::kDone);
  REQUIRE(desk.type({"forget", id, "--yes"}).code == ExitCode::kDone);
  desk.close();
  std::filesystem::remove(desk.config().database_path());
  Said said;
  const Output output{[&](std::string_view text) { said.out += text; },
                      [&](std::string_view text) { said.err += text; }, Language::kEnglish, true};
  REQUIRE(run_restore(desk.config(), {backup, false}, output, 5000) == ExitCode::kDone);
  CHECK_FALSE(holds(desk.config().data_folder, kSecret));
  desk.open();
  CHECK(desk.type({"forget", id}).code == ExitCode::kRefused);
  CHECK(desk.type({"verify"}).code == ExitCode::kDone);
}

TEST_CASE(
    "A copied file forgets again at its first opening, with the journal that lies beside it") {
  Desk desk;
  desk.with_sample();
  const std::string id = household(desk, kSecret);
  const std::string copy = desk.folder().file("copy.db");
  REQUIRE(desk.type({"backup", copy}).code == ExitCode::kDone);
  REQUIRE(desk.type({"forget", id, "--yes"}).code == ExitCode::kDone);
  desk.close();
  // Where no backup ever was but the one copied.
  std::filesystem::remove_all(desk.config().backup_folder);
  std::filesystem::copy_file(copy, desk.config().database_path(),
                             std::filesystem::copy_options::overwrite_existing);
  desk.open();
  CHECK_FALSE(holds(desk.config().data_folder, kSecret));
}

TEST_CASE("A journal whose last line was cut off is read without it; any other fault is named") {
  Desk desk;
  desk.with_sample();
  const std::string id = household(desk, kSecret);
  REQUIRE(desk.type({"forget", id, "--yes"}).code == ExitCode::kDone);
  const std::string journal = desk.config().data_folder + "/440811-forgotten.txt";
  const auto add = [&](const std::string& text) { std::ofstream(journal, std::ios::app) << text; };
  add("1780000000000 7 3f0a5c");
  desk.close();
  desk.open();
  const std::string other = household(desk, "blue door");
  REQUIRE(desk.type({"forget", other, "--yes"}).code == ExitCode::kDone);
  add("1780000000000 7\n");
  desk.close();
  const auto refused = open_county(desk.config(), Opening::kForCommand);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kCorrupt);
  CHECK(refused.error().message.find("440811-forgotten.txt:3") != std::string::npos);
}

TEST_CASE("Nothing stands on a file that somebody put among the backups, and it is never dropped") {
  Desk desk;
  desk.with_sample();
  ServerConfig config = desk.config();
  config.backup_keep = 1;
  const std::string theirs = config.backup_folder + "/440811-before-the-upgrade.gwbackup";
  std::filesystem::create_directories(config.backup_folder);
  REQUIRE(make_backup(desk.county(), config, theirs, "test", kToday));
  const std::string whole = back_up_on(desk, config, 0);
  CHECK_FALSE(is_difference(whole));
  const std::string next = back_up_on(desk, config, 1);
  REQUIRE(is_difference(next));
  CHECK(read_difference(next)->base == std::filesystem::path(whole).filename());
  for (int day = 2; day < 10; ++day) back_up_on(desk, config, day);
  CHECK_FALSE(std::filesystem::exists(whole));
  CHECK(std::filesystem::exists(theirs));
  CHECK(std::filesystem::exists(theirs + kDigestSuffix));
}

TEST_CASE("A difference that cannot be read stays and goes with its whole one, and is told of") {
  Desk desk;
  desk.with_sample();
  ServerConfig config = desk.config();
  config.backup_keep = 2;
  const std::string whole = back_up_on(desk, config, 0);
  const std::string difference = back_up_on(desk, config, 1);
  REQUIRE(is_difference(difference));
  // Its first page says something else for a while, as on a disk that fails.
  const auto turn_over = [&] { flip_byte(difference, 100); };
  turn_over();
  REQUIRE(is_difference(difference));
  REQUIRE_FALSE(read_difference(difference));
  std::filesystem::remove(whole + kDigestSuffix);  // so that the next one is whole
  const auto second = make_backup(desk.county(), config, "", "test", kToday + 2 * kDayMs);
  REQUIRE(second);
  CHECK(second->damaged == difference);
  REQUIRE_FALSE(is_difference(second->path));
  CHECK(std::filesystem::exists(whole));
  turn_over();
  CHECK(rebuild(difference, [](std::string_view) { return Result<void>(); }));
  turn_over();
  back_up_on(desk, config, 3);
  CHECK(std::filesystem::exists(second->path));
  CHECK_FALSE(std::filesystem::exists(whole));
  CHECK_FALSE(std::filesystem::exists(difference));
  CHECK_FALSE(std::filesystem::exists(difference + kDigestSuffix));
}

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

#include "app/config.h"
#include "support/temp_folder.h"

// The program itself, in processes of its own.
using namespace gridwhistle::app;

namespace {

struct Ended {
  int code = -1;
  std::string text;
};

class Program {
 public:
  Program() {
    Ended made = run_plain("init " + folder_.path() + " --county 440811 --public 127.0.0.1:7443");
    INFO(made.text);
    REQUIRE(made.code == 0);
    std::string text = default_config("440811", "127.0.0.1:7443");
    text.replace(text.find("0.0.0.0:7443"), 12, "127.0.0.1:0");
    std::ofstream(config()) << text;
  }
  ~Program() {
    if (server_ > 0) kill(server_, SIGKILL);
    if (server_ > 0) waitpid(server_, nullptr, 0);
  }

  /// `before` is what the shell is told before the program.
  Ended run(const std::string& arguments, const std::string& before = "") {
    return run_plain("-c " + config() + " " + arguments, before);
  }

  /// Starts `serve` and waits until it answers.
  void serve() {
    std::filesystem::remove(folder_.file("data/operator.sock"));
    server_ = fork();
    if (server_ == 0) {
      const int log = fileno(std::fopen(folder_.file("log").c_str(), "a"));
      dup2(log, 2);
      execl(GRIDWHISTLE_SERVER, GRIDWHISTLE_SERVER, "-c", config().c_str(), "serve", nullptr);
      _exit(127);
    }
    for (int i = 0; i < 200 && !std::filesystem::exists(folder_.file("data/operator.sock")); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    REQUIRE(std::filesystem::exists(folder_.file("data/operator.sock")));
  }

  int stop(int signal) {
    kill(server_, signal);
    int status = 0;
    waitpid(server_, &status, 0);
    server_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  std::string log() const {
    std::ifstream in(folder_.file("log"));
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string config() const { return folder_.file("gridwhistle.toml"); }
  std::filesystem::path folder() const { return folder_.path(); }

  static Ended run_plain(const std::string& arguments, const std::string& before = "") {
    Ended ended;
    std::FILE* pipe =
        popen((before + GRIDWHISTLE_SERVER + " --lang en " + arguments + " 2>&1").c_str(), "r");
    char buffer[4096];
    for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
      ended.text.append(buffer, n);
    const int status = pclose(pipe);
    ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ended;
  }

 private:
  gridwhistle::test::TempFolder folder_;
  pid_t server_ = 0;
};

const std::string kSample = GRIDWHISTLE_SAMPLE_DATA;

}  // namespace

TEST_CASE("A command gives the same answer on the file and through the running server") {
  Program program;
  CHECK(program.run("import " + kSample).code == 0);
  const Ended on_file = program.run("verify --json");
  CHECK(on_file.code == 0);
  program.serve();
  const Ended through = program.run("verify --json");
  CHECK(through.code == 0);
  CHECK(program.run("enrol WG001").text.starts_with("gw1:127.0.0.1:7443:"));
  CHECK(program.run("import " + kSample + " --json").text.find("\"unchanged\":1601") !=
        std::string::npos);
  CHECK(program.run("enrol NOBODY").code == 1);
  const Ended backup = program.run("backup " + program.config() + ".gwbackup");
  CHECK(backup.code == 0);
  using std::filesystem::perms;
  const auto mode = std::filesystem::status(program.config() + ".gwbackup").permissions();
  CHECK((mode & (perms::group_all | perms::others_all)) == perms::none);
  const std::string one_start = "\"starts\":1,";
  CHECK(program.run("status --json").text.find(one_start) != std::string::npos);
  CHECK(program.stop(SIGTERM) == 0);
  CHECK(program.run("status --json").text.find(one_start) != std::string::npos);
}

TEST_CASE("A file has one server, and nothing is restored under it") {
  Program program;
  program.serve();
  CHECK(program.run("serve").code == 5);
  CHECK(program.run("restore /nowhere --replace").code == 5);
  CHECK(program.stop(SIGINT) == 0);
  CHECK(program.run("restore /nowhere --replace").code == 1);
}

TEST_CASE(
    "A fresh server backs itself up without being asked, and says that it lies on the same disk") {
  Program program;
  program.serve();
  for (int i = 0; i < 100 && program.log().find("backup_on_same_disk") == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  CHECK(program.log().find("backup_made") != std::string::npos);
  CHECK(program.log().find("backup_on_same_disk") != std::string::npos);
  CHECK(program.stop(SIGTERM) == 0);
  CHECK(program.log().find("stopped") != std::string::npos);
}

TEST_CASE(
    "A backup that is killed while it writes counts for nothing, and the next one clears up") {
  Program program;
  CHECK(program.run("import " + kSample).code == 0);
  // The system kills who writes beyond this size: more than the county's other files take, less
  // than its copy.
  CHECK(program.run("backup", "ulimit -f 512 && exec ").code == -1);
  const auto names = [&] {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(program.folder() / "backup")) {
      found.push_back(entry.path().filename());
    }
    return found;
  };
  const auto half_made = names();
  REQUIRE_FALSE(half_made.empty());
  for (const std::string& name : half_made) CHECK_FALSE(name.ends_with(".gwbackup"));
  CHECK(program.run("status --json").text.find("\"backed_up\":0,") != std::string::npos);
  CHECK(program.run("backup").code == 0);
  auto made = names();
  std::ranges::sort(made);
  REQUIRE(made.size() == 2);
  CHECK(made[0].ends_with(".gwbackup"));
  CHECK(made[1] == made[0] + ".sha256");
}

TEST_CASE("A killed server's file serves again") {
  Program program;
  program.serve();
  CHECK(program.run("import " + kSample).code == 0);
  CHECK(program.stop(SIGKILL) == 128 + SIGKILL);
  CHECK(program.run("verify").code == 0);
  program.serve();
  CHECK(program.run("import " + kSample + " --json").text.find("\"unchanged\":1601") !=
        std::string::npos);
  CHECK(program.stop(SIGTERM) == 0);
}

TEST_CASE("A wrong or missing configuration is exit code 4 and says what is wrong") {
  Program program;
  std::ofstream(program.config()) << "county = \"440811\"\ncolour = 1\n";
  const Ended ended = program.run("status");
  CHECK(ended.code == 4);
  CHECK(ended.text.find("gridwhistle.toml:2: unknown key colour") != std::string::npos);
  std::filesystem::remove(program.config());
  CHECK(program.run("status").code == 4);
}

TEST_CASE(
    "Under --json whatever is wrong before a county is open is an object with error and message") {
  Program program;
  const auto told = [](const Ended& ended) {
    INFO(ended.text);
    const auto object = nlohmann::json::parse(ended.text);
    CHECK(object["message"].is_string());
    return object;
  };
  std::ofstream(program.config()) << "county = \"440811\"\ncolour = 1\n";
  const auto unknown = told(program.run("--json status"));
  CHECK(unknown["error"] == "invalid");
  CHECK(unknown["message"] == "unknown key colour");
  CHECK(unknown["file"] == program.config());
  CHECK(unknown["line"] == 2);
  std::ofstream(program.config()) << "county =";
  CHECK(told(program.run("--json status"))["line"] == 1);
  std::filesystem::remove(program.config());
  CHECK(told(program.run("--json status"))["error"] == "not_found");
  const std::string fresh = program.folder() / "fresh";
  const auto county = told(program.run_plain("--json init " + fresh + " --county 4 --public a:1"));
  CHECK(county["error"] == "usage");
  CHECK(county["message"] == "--county must be a county's six digits");
  const auto address =
      told(program.run_plain("--json init " + fresh + " --county 440811 --public a"));
  CHECK(address["message"] == "--public must be a name and a port, like sync.example:7443");
  CHECK_FALSE(std::filesystem::exists(fresh));
}

TEST_CASE(
    "A county that cannot be opened: 5 without its file, 4 when its parts do not belong together") {
  Program program;
  const auto data = program.folder() / "data";
  const auto moved = [&](const char* name, const std::string& command) {
    std::filesystem::rename(data / name, data / "away");
    const Ended ended = program.run(command);
    std::filesystem::rename(data / "away", data / name);
    INFO(ended.text);
    if (name[0] == 'c') CHECK(ended.text.find("`restore` brings it back") != std::string::npos);
    CHECK(ended.text.find(std::string(name) + (name[0] == 'c' ? ": there is no" : " is missing")) !=
          std::string::npos);
    return ended.code;
  };
  CHECK(moved("county.db", "status") == 5);
  CHECK(moved("county.db", "serve") == 5);
  CHECK(moved("server-key.pem", "status") == 4);
  CHECK(moved("server-key.pem", "serve") == 4);
  std::ofstream(program.config()) << default_config("440812", "127.0.0.1:7443");
  CHECK(program.run("status").code == 4);
}

TEST_CASE("What is wrong with a file is said with that file's path and what to do") {
  Program program;
  CHECK(program.run("import " + kSample).code == 0);
  const Ended nowhere = program.run("backup /nonexistent/x");
  CHECK(nowhere.code == 1);
  CHECK(nowhere.text.find("/nonexistent is no folder: make it first") != std::string::npos);

  const std::string backup = program.folder() / "half.gwbackup";
  CHECK(program.run("backup " + backup).code == 0);
  std::filesystem::resize_file(backup, std::filesystem::file_size(backup) / 2);
  const Ended half = program.run("restore --replace " + backup);
  CHECK(half.code == 6);
  CHECK(half.text.find("the file is damaged; it is left as it is: " + backup + ": ") !=
        std::string::npos);
  CHECK(half.text.find("; restore another backup (corrupt)") != std::string::npos);
  CHECK(half.text.find("restoring") == std::string::npos);

  const std::string file = program.folder() / "data/county.db";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  const Ended damaged = program.run("verify");
  CHECK(damaged.code == 6);
  INFO(damaged.text);
  CHECK(damaged.text.find(file + ": ") != std::string::npos);
  CHECK(damaged.text.find("; `restore` the newest backup (corrupt)") != std::string::npos);
}

TEST_CASE("In Chinese an error of a command is Chinese but for what it quotes") {
  Program program;
  REQUIRE(program.run("import " + kSample).code == 0);
  const std::string folder = program.folder();
  const std::string config = program.config();
  const std::string short_file = folder + "/short";
  std::ofstream(short_file) << "x";
  const std::regex english("[A-Za-z]{2,},? [a-z]{2,}");
  const auto in_chinese = [&](const std::string& arguments) {
    const Ended ended = program.run("--lang zh " + arguments);
    INFO(arguments << '\n' << ended.text);
    CHECK(ended.code != 0);
    CHECK_FALSE(ended.text.empty());
    CHECK_FALSE(std::regex_search(ended.text, english));
  };
  for (const char* arguments :
       {"enrol NOBODY", "inbox NOPE", "revoke XX --lost", "explain 12",
        "queue assign 12 --lead BM-CG", "act 12 accept --as WG001", "act 12 dance --as WG001",
        "review accept 7", "review return 7 --reason x", "review done 7",
        "backup /nonexistent/x"}) {
    in_chinese(arguments);
  }
  in_chinese("import " + (program.folder() / "data").string());
  in_chinese("backup " + config);
  in_chinese("init " + folder + " --county 440811 --public a.example:7443");
  in_chinese("init " + folder + "/other --county 44 --public a.example:7443");
  program.serve();
  in_chinese("restore " + config);
  in_chinese("serve");
  CHECK(program.stop(SIGTERM) == 0);
  std::filesystem::resize_file(program.folder() / "data/server-key.pem", 10);
  in_chinese("status");
  std::filesystem::remove(program.folder() / "data/server-key.pem");
  in_chinese("status");
  std::ofstream(config) << "county = \"440812\"\n";
  in_chinese("status");
  std::filesystem::remove(program.folder() / "data/county.db");
  in_chinese("status");
  std::ofstream(config) << "county = \"440812\"\ncolour = 1\nlog.level = \"loud\"\n"
                           "backup.keep = 0\nlisten.metrics = \"0.0.0.0:1\"\n";
  in_chinese("status");
}

TEST_CASE("In Chinese an error says what its code means where it does not say so itself") {
  Program program;
  CHECK(program.run("--lang zh enrol NOBODY").text ==
        "gridwhistle-server: 没有人员 NOBODY (not_found)\n");
  const std::string config = program.config();
  CHECK(program.run("--lang zh restore " + config).text ==
        "gridwhistle-server: 这不是本程序的数据文件：" + config +
            ": file is not a database；请改用另一个备份恢复 (not_a_database)\n");
}

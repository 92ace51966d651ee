#include "director.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace gridwhistle::demo {

using nlohmann::json;

namespace {

constexpr std::size_t kGridCrews = 4;
constexpr std::size_t kGridWorkers = 48;

// Empties a folder that an earlier day made, and no other.
Result<void> fresh_folder(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  const std::string mark = folder + "/.gridwhistle-demo";
  if (fs::exists(folder, error) && !fs::is_empty(folder, error) && !fs::exists(mark, error)) {
    return fail(ErrorCode::kAlreadyExists, folder + " is not empty and not of an earlier demo");
  }
  fs::remove_all(folder, error);
  fs::create_directories(folder, error);
  if (error) return fail(ErrorCode::kIo, folder + ": " + error.message());
  std::ofstream(mark) << "what the demo left; removed when it runs again\n";
  return {};
}

}  // namespace

Director::Director(DirectorOptions options) : options_(std::move(options)) {}

int Director::run() {
  using Chapter = Result<void> (Director::*)();
  constexpr Chapter kChapters[] = {&Director::found_the_county, &Director::hand_out_phones,
                                   &Director::morning,          &Director::offline_hours,
                                   &Director::coming_back,      &Director::at_the_desks,
                                   &Director::evening,          &Director::audit};
  for (const Chapter play : kChapters) {
    const Result<void> done =
        stop_requested() ? fail(ErrorCode::kClosed, "stopped") : (this->*play)();
    if (done) continue;
    say("✗ 演示中断 The day broke off: " + done.error().message);
    return 1;
  }
  print_result();
  return findings_.faults.empty() ? 0 : 1;
}

Result<void> Director::found_the_county() {
  chapter("建区", "A county and its server");
  if (auto done = fresh_folder(options_.run_folder); !done) return done;
  auto cast = choose_cast(options_.county + "/workers.csv", kGridWorkers);
  if (!cast) return std::unexpected(cast.error());
  cast_ = std::move(*cast);
  const std::string county = options_.run_folder + "/mazhang";
  if (auto done = copy_county(options_.county, county, cast_); !done) return done;

  server_ = std::make_unique<CountyServer>(options_.server, options_.run_folder + "/county");
  if (auto done = server_->init(); !done) return done;
  if (auto done = server_->command({"import", county, "--dry-run"}); !done) {
    return std::unexpected(done.error());
  }
  if (auto done = server_->command({"import", county}); !done) return std::unexpected(done.error());
  if (auto done = server_->start(); !done) return done;
  const auto facts = read_server(server_->database());
  if (!facts) return std::unexpected(facts.error());
  const auto view = view_of(*facts);
  if (!view) return std::unexpected(view.error());
  say("麻章区 Mazhang: " + std::to_string(view->towns.size()) + " 镇 towns, " +
      std::to_string(view->grids.size()) + " 网格 grids, " +
      std::to_string(view->organisations.size()) + " 机构 organisations, " +
      std::to_string(view->categories.size()) + " 事项 categories");
  return {};
}

Result<void> Director::hand_out_phones() {
  chapter("发码", "One-time codes, keys pinned, the first download");
  network_ = std::make_unique<BadNetwork>(server_->port(), options_.seed);
  const std::string phones = options_.run_folder + "/phones";
  std::filesystem::create_directories(phones);
  for (std::size_t crew = 0; crew < kGridCrews; ++crew) {
    std::vector<Player> players;
    for (std::size_t i = crew; i < cast_.grid_workers.size(); i += kGridCrews) {
      players.push_back(cast_.grid_workers[i]);
    }
    crews_.push_back(std::make_unique<CrewProcess>(options_.program, phones, players,
                                                   options_.seed + 100 * crew));
  }
  crews_.push_back(
      std::make_unique<CrewProcess>(options_.program, phones, cast_.staff, options_.seed + 1000));
  for (CrewProcess* crew : everybody()) {
    if (auto done = start(*crew); !done) return done;
    json codes = json::object();
    for (const std::string& worker : crew->names()) {
      const auto issued = server_->json_command({"enrol", worker});
      if (!issued) return std::unexpected(issued.error());
      codes[worker] = issued->front().value("code", "");
    }
    if (auto done = crew->tell({{"do", "enrol"}, {"codes", codes}}); !done) return done;
  }
  network_->fair_weather();
  for (CrewProcess* crew : everybody()) {
    if (auto done = crew->answer(std::chrono::seconds(45)); !done) {
      return std::unexpected(done.error());
    }
  }
  if (auto done = sync_everybody(everybody()); !done) return done;
  say(std::to_string(cast_.grid_workers.size() + cast_.staff.size()) + " 部手机入网 phones, " +
      std::to_string(crews_.size()) +
      " 个进程 processes, 每部一条坏网络 each behind a bad network");
  return {};
}

Result<std::vector<json>> Director::all(const std::vector<CrewProcess*>& crews, const json& command,
                                        std::chrono::seconds timeout) {
  for (CrewProcess* crew : crews) {
    if (auto told = crew->tell(command); !told) return std::unexpected(told.error());
  }
  std::vector<json> answers;
  for (CrewProcess* crew : crews) {
    auto answer = crew->answer(timeout);
    if (!answer) return std::unexpected(answer.error());
    answers.push_back(std::move(*answer));
  }
  return answers;
}

Result<void> Director::sync_everybody(const std::vector<CrewProcess*>& crews) {
  constexpr int kSeconds = 40;
  const auto answers =
      all(crews, {{"do", "sync"}, {"seconds", kSeconds}}, std::chrono::seconds(kSeconds + 10));
  if (!answers) return std::unexpected(answers.error());
  for (const json& answer : *answers) {
    calls_ += answer.at("calls").get<std::uint64_t>();
    failed_calls_ += answer.at("failed_calls").get<std::uint64_t>();
    const json& behind = answer.at("behind");
    if (behind.empty()) continue;
    return fail(ErrorCode::kTimeout, std::to_string(behind.size()) +
                                         " phones could not catch up, the first is " +
                                         behind.front().get<std::string>());
  }
  return {};
}

Result<void> Director::start(CrewProcess& crew) {
  return crew.start([this](const std::string& phone) { return network_->port_of(phone); });
}

std::vector<CrewProcess*> Director::everybody() {
  std::vector<CrewProcess*> crews;
  for (const auto& crew : crews_) crews.push_back(crew.get());
  return crews;
}

std::vector<CrewProcess*> Director::grid_crews() {
  std::vector<CrewProcess*> crews = everybody();
  crews.pop_back();
  return crews;
}

std::vector<std::string> Director::staff_called(const std::string& prefix) const {
  std::vector<std::string> names;
  for (const Player& player : cast_.staff) {
    if (player.worker.starts_with(prefix)) names.push_back(player.worker);
  }
  return names;
}

std::vector<std::string> Director::staff_but(const std::string& worker) const {
  std::vector<std::string> names = staff_called("");
  std::erase(names, worker);
  return names;
}

double Director::elapsed_s() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
}

void Director::chapter(const std::string& chinese, const std::string& english) {
  std::printf("\n%d  %s  %s  (%.0f s)\n", ++chapter_, chinese.c_str(), english.c_str(),
              elapsed_s());
  std::fflush(stdout);
}

void Director::say(const std::string& line) const {
  std::printf("   %s\n", line.c_str());
  std::fflush(stdout);
}

void Director::print_result() const {
  const nlohmann::ordered_json result = {{"phones", cast_.grid_workers.size() + cast_.staff.size()},
                                         {"recorded", findings_.recorded},
                                         {"on_server", findings_.on_server},
                                         {"refused", findings_.refused},
                                         {"lost", findings_.lost},
                                         {"duplicated", findings_.duplicated},
                                         {"whistles", findings_.whistles},
                                         {"routed", findings_.routed},
                                         {"closed", findings_.closed},
                                         {"conflicts_kept", findings_.conflicts_kept},
                                         {"kills", kills_},
                                         {"seconds", static_cast<std::int64_t>(elapsed_s() + 0.5)}};
  std::printf("%s\n", result.dump().c_str());
}

}  // namespace gridwhistle::demo

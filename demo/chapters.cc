#include <thread>

#include "director.h"
#include "gridwhistle/v1/records.pb.h"
#include "page.h"
#include "rare_turns.h"

// The day itself: what happens to whom, in which order.
namespace gridwhistle::demo {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr seconds kRecording{60};

/// Answers the one call that a colleague answers too, and nothing else.
constexpr const char* kColleague = "BM-ZJ2";

json walk_at(int hour, int visits, int whistles) {
  return {{"do", "walk"}, {"hour", hour}, {"visits", visits}, {"whistles", whistles}};
}

std::uint64_t sum_of(const std::vector<json>& answers, const char* name) {
  std::uint64_t sum = 0;
  for (const json& answer : answers) {
    for (const auto& [kind, count] : answer.at("counts").items()) {
      if (name == nullptr || kind == name) sum += count.get<std::uint64_t>();
    }
  }
  return sum;
}

}  // namespace

Result<void> Director::morning() {
  chapter("清晨", "Patrols and visits, on a line that keeps breaking");
  const auto walked = all(grid_crews(), walk_at(8, 2, 1), kRecording);
  if (!walked) return std::unexpected(walked.error());
  network_->foul_weather();
  if (auto done = sync_everybody(everybody()); !done) return done;
  say(std::to_string(sum_of(*walked, nullptr)) + " 条记录 records, " +
      std::to_string(sum_of(*walked, "Whistle")) + " 声哨 whistles; " +
      std::to_string(failed_calls_) + " 次通话中断后重来 calls broke and were made again");
  return {};
}

Result<void> Director::offline_hours() {
  chapter("断网", "Hours without network: everything is kept on the phones");
  // The stand-in's phone has to know the household before both lose the network.
  if (auto done = sync_everybody(grid_crews()); !done) return done;
  for (CrewProcess* crew : grid_crews()) network_->no_network(crew->names());
  if (auto done = edit_the_same_household(); !done) return done;
  if (auto done = kill_while_recording(); !done) return done;
  const auto headless = crews_[3]->ask(
      {{"do", "headless"},
       {"only", {crews_[3]->names()[0], crews_[3]->names()[5], crews_[3]->names()[9]}}},
      seconds(20));
  if (!headless) return std::unexpected(headless.error());
  if (auto done = record_what_is_refused(); !done) return done;
  const auto walked = all(grid_crews(), walk_at(14, 3, 2), kRecording);
  if (!walked) return std::unexpected(walked.error());
  std::uint64_t unsent = 0;
  for (const json& answer : *walked) unsent += answer.at("unsent").get<std::uint64_t>();
  say(std::to_string(unsent) + " 项改动未发送 changes are on the phones alone");
  return {};
}

Result<void> Director::edit_the_same_household() {
  const std::string grid = cast_.grid_workers[0].grid;
  for (const int who : {0, 1}) {
    const auto edited = crews_[static_cast<std::size_t>(who)]->ask(
        {{"do", "edit"},
         {"grid", grid},
         {"who", who},
         {"only", {cast_.grid_workers[static_cast<std::size_t>(who)].worker}}},
        seconds(10));
    if (!edited) return std::unexpected(edited.error());
  }
  say("两名网格员改同一户 two workers edit one household: " + cast_.grid_workers[0].worker + ", " +
      cast_.grid_workers[1].worker);
  return {};
}

Result<void> Director::kill_while_recording() {
  CrewProcess& crew = *crews_[1];
  if (auto told = crew.tell(walk_at(10, 4, 1)); !told) return told;
  for (int phone = 0; phone < 4; ++phone) {
    if (auto going = crew.progress(kRecording); !going) return going;
  }
  std::this_thread::sleep_for(milliseconds(7));
  crew.kill();
  ++kills_;
  if (auto done = start(crew); !done) return done;
  say("SIGKILL：第二组手机正在记录 the second crew's phones while recording; reopened 重新打开");
  return {};
}

Result<void> Director::record_what_is_refused() {
  const std::string worker = crews_[3]->names()[2];
  const auto recorded = crews_[3]->ask({{"do", "hotline"}, {"only", {worker}}}, seconds(10));
  if (!recorded) return std::unexpected(recorded.error());
  refused_ = recorded->at("records").at(worker);
  say("网格员把热线来电记成热线来源 a grid worker files a hotline call as the hotline's: " +
      worker);
  return {};
}

// By the phone's own words, as its worker reads them.
Result<void> Director::see_that_it_is_told() {
  const auto answer =
      crews_[3]->ask({{"do", "told"}, {"only", {crews_[3]->names()[2]}}}, seconds(10));
  if (!answer) return std::unexpected(answer.error());
  for (const json& one : answer->at("told")) {
    if (one.at("record") != refused_) continue;
    if (one.at("status") != static_cast<int>(v1::OUTCOME_STATUS_REJECTED)) continue;
    const std::string why = one.at("why");
    if (why.empty() || !one.at("keeps_value").get<bool>()) break;
    say("退回并告知本人 refused, and its author is told why: " + why);
    return {};
  }
  return fail(ErrorCode::kInternal, "a refused record is not told to its author");
}

Result<void> Director::coming_back() {
  chapter("复网", "All at once: a phone process and the server are killed while syncing");
  for (CrewProcess* crew : grid_crews()) {
    network_->throttle(crew->names(), 6'000);
    network_->network_again(crew->names());
  }
  CrewProcess& victim = *crews_[2];
  const std::uint64_t sent_before = network_->sent_by(victim.names());
  const json sync = {{"do", "sync"}, {"seconds", 60}};
  for (CrewProcess* crew : grid_crews()) {
    if (auto told = crew->tell(sync); !told) return told;
  }
  // About half of what this crew has to send is on its way then.
  constexpr std::uint64_t kHalfway = 40'000;
  for (int i = 0; i < 500 && network_->sent_by(victim.names()) < sent_before + kHalfway; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  victim.kill();
  server_->kill();
  kills_ += 2;
  say("SIGKILL：第三组手机正在同步，服务器正在接收 the third crew while syncing, the server while "
      "receiving");
  if (auto done = server_->start(); !done) return done;
  for (CrewProcess* crew : grid_crews()) network_->throttle(crew->names(), 0);
  if (auto done = start(victim); !done) return done;
  if (auto told = victim.tell(sync); !told) return told;
  for (CrewProcess* crew : grid_crews()) {
    const auto answer = crew->answer(seconds(70));
    if (!answer) return std::unexpected(answer.error());
    calls_ += answer->at("calls").get<std::uint64_t>();
    failed_calls_ += answer->at("failed_calls").get<std::uint64_t>();
  }
  if (auto done = sync_everybody(everybody()); !done) return done;
  say("全部送达 everything has arrived; " + std::to_string(failed_calls_) +
      " 次通话中断 calls broke so far");
  return see_that_it_is_told();
}

Result<void> Director::at_the_desks() {
  chapter("吹哨报到", "Accept, blow, assign, check in, handle, check, ask the reporter");
  const auto accepted = staff().ask(
      {{"do", "desk"}, {"seconds", 20}, {"quiet_rounds", 1}, {"only", staff_called("SL")}},
      seconds(40));
  if (!accepted) return std::unexpected(accepted.error());
  // Once for what the acceptors did, once more for the departments to hear of it.
  for (int round = 0; round < 2; ++round) {
    if (auto done = sync_everybody({&staff()}); !done) return done;
  }
  if (auto done = two_check_in_at_once(); !done) return done;
  if (auto done = assign_a_headless_one(); !done) return done;

  if (auto live = staff().ask({{"do", "live"}, {"on", true}}, seconds(10)); !live) {
    return std::unexpected(live.error());
  }
  const json at_work = {{"do", "desk"}, {"seconds", 30}, {"only", staff_but(kColleague)}};
  if (auto told = staff().tell(at_work); !told) return told;
  std::this_thread::sleep_for(seconds(2));
  const json who = {cast_.grid_workers[4].worker, cast_.grid_workers[20].worker,
                    cast_.grid_workers[40].worker};
  for (const json& command : {json{{"do", "live"}, {"on", true}, {"only", who}},
                              json{{"do", "emergency"}, {"only", who}}}) {
    if (auto done = crews_[0]->ask(command, seconds(10)); !done)
      return std::unexpected(done.error());
  }
  say("三声紧急哨，在线直达 three emergencies, over open calls");
  const auto worked = staff().answer(seconds(60));
  if (!worked) return std::unexpected(worked.error());
  if (auto done = all({&staff(), crews_[0].get()}, {{"do", "live"}, {"on", false}}, seconds(10));
      !done) {
    return std::unexpected(done.error());
  }
  say(std::to_string(accepted->at("steps").get<std::uint64_t>() +
                     worked->at("steps").get<std::uint64_t>()) +
      " 步流转 steps taken at the desks");
  return turn_the_rare_ways();
}

Result<void> Director::turn_the_rare_ways() {
  CrewProcess& crew = *crews_[0];
  const Player& worker = cast_.grid_workers[4];
  const json blow = {{"do", "for_a_road"}, {"times", kRareTurns}, {"only", {worker.worker}}};
  const auto blown = crew.ask(blow, seconds(10));
  if (!blown) return std::unexpected(blown.error());
  if (auto done = sync_everybody({&crew}); !done) return done;
  const std::vector<std::string> numbers = blown->at("numbers");
  const auto taken = play_rare_turns(*server_, worker.grid.substr(6, 3), numbers);
  if (!taken) return std::unexpected(taken.error());
  say("并单、延期、挂账、会商、重新办理、作废 merged, extended, suspended, met about, reopened, "
      "void: " +
      std::to_string(*taken) + " 步 steps");
  return {};
}

// Two colleagues of one department, both without network, answer the same call: the second is told.
Result<void> Director::two_check_in_at_once() {
  const std::vector<std::string> colleagues = staff_called("BM-ZJ");
  network_->no_network(colleagues);
  const auto both = staff().ask({{"do", "check_in"}, {"only", colleagues}}, seconds(10));
  network_->network_again(colleagues);
  if (!both) return std::unexpected(both.error());
  say("住建局两人同时报到同一交办 two of one department check in for the same call");
  return {};
}

Result<void> Director::assign_a_headless_one() {
  const auto queue = server_->json_command({"queue", "list"});
  if (!queue) return std::unexpected(queue.error());
  if (queue->empty()) return fail(ErrorCode::kInternal, "the 无头事项 queue is empty");
  const auto assigned = server_->command(
      {"queue", "assign", queue->front().value("number", ""), "--lead", "BM-CG", "--co", "BM-ZJ"});
  if (!assigned) return std::unexpected(assigned.error());
  say(std::to_string(queue->size()) +
      " 件无头事项 matters of nobody, 一件已由区里交办 one assigned by the county");
  return {};
}

Result<void> Director::evening() {
  chapter("收工", "The last walks, a backup, everybody in step");
  const auto walked = crews_[3]->ask(walk_at(19, 1, 1), kRecording);
  if (!walked) return std::unexpected(walked.error());
  network_->fair_weather();
  for (int round = 0; round < 2; ++round) {
    if (auto done = sync_everybody(everybody()); !done) return done;
  }
  const auto backup = server_->command({"backup", options_.run_folder + "/evening-backup.db"});
  if (!backup) return std::unexpected(backup.error());
  if (auto done = sync_everybody(everybody()); !done) return done;
  const BadNetwork::Totals carried = network_->totals();
  say(std::to_string(calls_) + " 次通话 calls, " + std::to_string(failed_calls_) +
      " 次中断 broke, " + std::to_string(carried.bytes / 1024) +
      " KB 经坏网络 over the bad network");
  for (CrewProcess* crew : everybody()) {
    if (auto done = crew->end(); !done) return done;
  }
  return server_->stop();
}

Result<void> Director::audit() {
  chapter("查账", "What the files hold, read past the programs");
  const auto facts = read_server(server_->database());
  if (!facts) return std::unexpected(facts.error());
  std::vector<PhoneFacts> phones;
  for (CrewProcess* crew : everybody()) {
    for (const Player& player : crew->players()) {
      auto phone = read_phone(crew->folder_of(player), player.worker);
      if (!phone) return std::unexpected(phone.error());
      phones.push_back(std::move(*phone));
    }
  }
  const auto view = view_of(*facts);
  if (!view) return std::unexpected(view.error());
  findings_ = examine(*facts, phones, *view);
  // Its faults are also the parts whose whistle is gone.
  if (const auto verified = server_->command({"verify"}); !verified) {
    findings_.faults.push_back("gridwhistle-server verify: " + verified.error().message);
  }
  if (findings_.refused == 0) {
    findings_.faults.push_back("the day has no refused record: nothing shows that it is told");
  }
  tell_findings();
  const std::string page = options_.run_folder + "/day.html";
  const DayNumbers numbers = {findings_, phones.size(), calls_, failed_calls_, kills_, elapsed_s()};
  if (auto written = write_page(page, *view, numbers); !written) return written;
  say("网页 page: " + page);
  return {};
}

void Director::tell_findings() const {
  const Findings& f = findings_;
  const auto n = [](std::uint64_t number) { return std::to_string(number); };
  say("记录 records: " + n(f.on_server) + " of " + n(f.recorded) +
      " acknowledged are on the server, " + n(f.refused) + " refused and told, " + n(f.lost) +
      " lost, " + n(f.duplicated) + " twice");
  say("手机 phones: " + n(f.rows_compared) + " rows compared with the server's; " + n(f.edits) +
      " edited fields accounted for");
  say("哨声 whistles: " + n(f.whistles) + " = " + n(f.routed) + " 已交办 routed + " +
      n(f.headless) + " 无头 of nobody + " + n(f.on_the_spot) + " 就地 on the spot + " +
      n(f.turned_down) + " 不予受理 refused + " + n(f.waiting) + " 待受理 waiting; " + n(f.closed) +
      " 结案 closed");
  say("回执 told: " + n(f.conflicts_kept) + " beaten values kept for their author, " +
      n(f.proposals_answered) + " late or refused proposals answered");
  for (const std::string& fault : f.faults) say("✗ " + fault);
  if (f.faults.empty()) say("✓ 全部核对一致 every check holds");
}

}  // namespace gridwhistle::demo

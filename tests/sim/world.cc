#include "world.h"

#include <memory>
#include <vector>

#include "check_end.h"
#include "files.h"
#include "phone.h"
#include "plants.h"
#include "recorder.h"

namespace gridwhistle::sim {

namespace {

constexpr std::uint64_t kMinute = 60'000;
constexpr std::uint64_t kHour = 60 * kMinute;

bool has_grid(const Person& person) { return person.walks || person.volunteers; }

class World {
 public:
  World(std::uint64_t seed, const RunOptions& options)
      : restores_(options.restores),
        folder_(options.keep),
        recorder_(timeline_, options.keep),
        dice_(seed) {
    if (options.trace) timeline_.print_notes();
    if (options.plant.empty()) return;
    bug_ = std::make_unique<PlantedBug>(options.plant, seed);
    server_.plant(bug_.get());
    network_.plant(bug_.get());
  }

  ~World() { timeline_.end(); }

  void play() {
    begin();
    trouble();
    heal();
    check_end(server_.county(), oracle_, phones_);
  }

  RunResult result(std::uint64_t seed) const {
    RunResult result;
    result.seed = seed;
    result.hash = timeline_.hash();
    result.promises = oracle_.promises();
    result.frames = network_.frames();
    result.calls = network_.calls();
    result.kills = kills_;
    return result;
  }

 private:
  void wait(std::uint64_t ms) { timeline_.run_until(timeline_.now_ms() + ms); }

  void begin() {
    data_ = std::make_unique<CountyData>(server_.county());
    for (Person& person : data_->people()) give_phone(person, person.name);
    Person& first = data_->people().front();
    give_phone(first, first.name + "+");
    wait(kMinute);
    for (const auto& phone : phones_) phone->sync();
    wait(5 * kMinute);
  }

  void give_phone(Person& person, const std::string& name) {
    recorder_.note("phone", {{"phone", name}, {"worker", person.worker}});
    phones_.push_back(
        std::make_unique<Phone>(timeline_, dice_, network_, oracle_, person, name, folder_.path()));
    const auto code = server_.county().create_code(person.worker, "simulator");
    if (!code) throw Violation("no code: " + code.error().message);
    phones_.back()->enrol({{"county:1", server_.key_sha256()}, code->code});
  }

  void trouble() {
    trouble_ = true;
    until_ms_ = timeline_.now_ms() + dice_.between(2, 8) * kHour;
    for (const auto& phone : phones_) {
      worsen(*phone);
      if (dice_.chance(500)) phone->go_live();
      work(*phone);
      fault(*phone);
    }
    server_fault();
    if (restores_) keep_backups();
    wait(until_ms_ - timeline_.now_ms());
    trouble_ = false;
  }

  void worsen(Phone& phone) {
    LineQuality& quality = phone.line().quality;
    quality.latency_ms = dice_.between(5, 1500);
    quality.breaks = dice_.below(120);
    quality.goes_silent = dice_.below(100);
    quality.truncates = dice_.below(15);
    quality.duplicates = dice_.below(15);
    quality.lingers = 500;
    static constexpr std::int64_t kErrors[] = {
        0, 0, 0, 90'000, -3'600'000, -1'795'000'000'000, 2'300'000'000'000};
    phone.clock().set_error_ms(kErrors[dice_.below(std::size(kErrors))]);
  }

  void work(Phone& phone) {
    timeline_.after(dice_.between(5'000, 15 * kMinute), [this, &phone] {
      if (!trouble_) return;
      if (phone.running()) {
        phone.do_something();
        if (dice_.chance(350)) phone.sync();
      }
      work(phone);
    });
  }

  void fault(Phone& phone) {
    timeline_.after(dice_.between(kMinute, kHour), [this, &phone] {
      if (!trouble_) return;
      switch (dice_.below(6)) {
        case 0:
          lose_line(phone, dice_.between(kMinute, 3 * kHour));
          break;
        case 1:
          die(phone, false);
          break;
        case 2:
          die(phone, true);
          break;
        case 3:
          worsen(phone);
          break;
        case 4:
          if (phone.running()) phone.client().network_changed();
          break;
        default:
          move(phone);
          break;
      }
      fault(phone);
    });
  }

  void lose_line(Phone& phone, std::uint64_t ms) {
    if (!phone.line().reachable) return;
    timeline_.note(phone.name() + " has no network");
    phone.line().reachable = false;
    network_.line_lost(phone.line());
    timeline_.after(ms, [&phone] { phone.line().reachable = true; });
  }

  void die(Phone& phone, bool switched_off) {
    if (!phone.running()) return;
    ++kills_;
    if (switched_off) {
      phone.reboot();
    } else {
      phone.kill();
    }
    timeline_.after(dice_.between(1'000, 20 * kMinute), [this, &phone] { come_back(phone); });
  }

  void come_back(Phone& phone) {
    if (phone.running()) return;
    phone.open();
    if (dice_.chance(500)) phone.go_live();
  }

  void move(Phone& phone) {
    if (!has_grid(phone.person()) || !server_.running() || !dice_.chance(300)) return;
    timeline_.note(phone.person().name + " moves");
    data_->move(server_.county(), phone.person(), kGrids[dice_.below(std::size(kGrids))]);
    server_.pump_soon();
  }

  void server_fault() {
    timeline_.after(dice_.between(10 * kMinute, 4 * kHour), [this] {
      if (!trouble_) return;
      if (server_.running()) {
        ++kills_;
        server_.kill();
        network_.server_killed();
        const bool restored = restores_ && dice_.chance(500);
        timeline_.after(dice_.between(1'000, kHour), [this, restored] { revive(restored); });
      }
      server_fault();
    });
  }

  void keep_backups() {
    server_.back_up();
    timeline_.after(dice_.between(10 * kMinute, 3 * kHour), [this] {
      if (trouble_) keep_backups();
    });
  }

  // What the operator did since the backup is done again.
  void revive(bool restored) {
    if (server_.running()) return;
    if (restored) recorder_.note("restored", {{"upto", server_.restore().value}});
    server_.start();
    if (!restored) return;
    for (Person& person : data_->people()) {
      if (has_grid(person)) data_->move(server_.county(), person, std::string(person.place));
    }
    server_.pump_soon();
  }

  bool settled() {
    for (const auto& phone : phones_) {
      const ClientStatus status = phone->client().status();
      if (status.unsent > 0 || !status.caught_up) return false;
    }
    return true;
  }

  void heal() {
    timeline_.note("healed");
    server_.start();
    for (const auto& phone : phones_) {
      phone->line().reachable = true;
      phone->line().quality = {};
      if (!phone->running()) phone->open();
      phone->client().stop();
    }
    wait(2 * kMinute);
    constexpr int kRoundsMax = 20;
    constexpr int kQuietRounds = 2;
    int quiet = 0;
    for (int round = 0; round < kRoundsMax && quiet < kQuietRounds; ++round) {
      for (const auto& phone : phones_) phone->sync();
      wait(5 * kMinute);
      quiet = settled() ? quiet + 1 : 0;
    }
    if (quiet == kQuietRounds) return recorder_.note("settled");
    for (const auto& phone : phones_) {
      const ClientStatus status = phone->client().status();
      if (status.unsent == 0 && status.caught_up) continue;
      throw Violation("not settled on a healed network: " + phone->name() + " has " +
                      std::to_string(status.unsent) + " unsent, last error " +
                      (status.last_error
                           ? status.last_error->message + " (" + status.last_error->detail + ")"
                           : "none"));
    }
  }

  const bool restores_;
  std::unique_ptr<PlantedBug> bug_;
  TemporaryFolder folder_;
  Timeline timeline_;
  Recorder recorder_;
  Dice dice_;
  Oracle oracle_{recorder_};
  Server server_{timeline_, dice_, folder_.path()};
  Network network_{timeline_, dice_, server_, recorder_};
  std::unique_ptr<CountyData> data_;
  std::vector<std::unique_ptr<Phone>> phones_;
  bool trouble_ = false;
  std::uint64_t until_ms_ = 0;
  std::uint64_t kills_ = 0;
};

}  // namespace

RunResult run(std::uint64_t seed, const RunOptions& options) {
  World world(seed, options);
  std::string violation;
  try {
    world.play();
  } catch (const std::exception& broken) {
    violation = broken.what();
  }
  RunResult result = world.result(seed);
  result.violation = std::move(violation);
  return result;
}

}  // namespace gridwhistle::sim

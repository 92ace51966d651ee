#include "world.h"

#include <map>
#include <memory>
#include <vector>

#include "album.h"
#include "check_end.h"
#include "client/build.h"
#include "disk_faults.h"
#include "files.h"
#include "hostile_phone.h"
#include "phone.h"
#include "plants.h"
#include "recorder.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "sync/session.h"

namespace gridwhistle::sim {

namespace {

constexpr std::uint64_t kMinute = 60'000;
constexpr std::uint64_t kHour = 60 * kMinute;
// Writes and syncs of a side's disk among which a fault chooses one.
constexpr std::uint64_t kPhoneOperations = 120;
constexpr std::uint64_t kServerOperations = 400;
constexpr std::uint64_t kSeldomOperations = 30;  // of an opening, a closing, an import
constexpr std::uint64_t kBackupOperations = 200;
constexpr std::uint64_t kCopiesMax = 6;  // of files, and of what was put back

// How many of the last backups phones keep for: a run makes some ten.
constexpr std::size_t kRestorable[] = {1, 2, 3, 4, 20};

// How long tombstones are kept, by how hard the run sweeps: for ever, else as long as many a phone
// is away.
constexpr std::uint64_t kTombstonesKept[] = {180 * 24 * kHour, 4 * kHour, kHour, 10 * kMinute};

Faults faults_of(std::uint64_t seed, const std::string& plant) {
  const std::string_view needed = plant.empty() ? "" : plant_named(plant).faults;
  return needed.empty() ? Faults::of_seed(seed) : Faults::parse(needed);
}

bool has_grid(const Person& person) { return person.walks || person.volunteers; }

class World {
 public:
  World(std::uint64_t seed, const RunOptions& options)
      : kept_(options.keep.empty() ? nullptr : std::make_unique<TemporaryFolder>(options.keep)),
        idle_(options.idle),
        operations_max_(options.operations),
        faults_(options.faults.value_or(faults_of(seed, options.plant))),
        recorder_(timeline_, options.keep),
        dice_(seed),
        fault_dice_(seed ^ 0xD15C),
        sweep_dice_(seed ^ 0x5EE9),
        intruder_dice_(seed ^ 0xBAD1),
        restore_dice_(seed ^ 0xBAC0),
        picture_dice_(seed ^ 0xF070),
        version_dice_(seed ^ 0xA6E5) {
    if (options.trace) timeline_.print_notes();
    timeline_.note("faults " + faults_.text());
    timeline_.note("phones keep for " + std::to_string(restorable_) + " backups");
    if (faults_.has(Fault::kHostileServer)) {
      hostile_server_ = std::make_unique<HostileServer>(intruder_dice_, marks_);
      network_.let_in(hostile_server_.get());
    }
    if (options.plant.empty()) return;
    bug_ = std::make_unique<PlantedBug>(options.plant, seed);
    server_.plant(bug_.get());
    network_.plant(bug_.get());
  }

  ~World() {
    timeline_.end();
    if (kept_) save_files();
  }

  void play() {
    begin();
    trouble();
    heal();
    // Rows that a false server kept from a phone come with the next comparison.
    if (faults_.has(Fault::kHostileServer)) compare(Repairs::kExpected);
    if (intruder_) intruder_->check_end(server_.county());
    check_end(server_.county(), oracle_, phones_);
    if (!server_.minute()) throw Violation("the server's minute fails");
    check_forgotten(server_, oracle_, phones_);
    if (pictures_) check_pictures();
    compare(Repairs::kNone);
  }

  RunResult result(std::uint64_t seed) const {
    RunResult result;
    result.seed = seed;
    result.hash = timeline_.hash();
    result.acts = acts_;
    result.promises = oracle_.promises();
    result.frames = network_.frames();
    result.calls = network_.calls();
    result.kills = kills_;
    result.marks = marks_;
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

  Phone& add_phone(Person& person, const std::string& name, Phone* original) {
    recorder_.note("phone", {{"phone", name}, {"worker", person.worker}});
    const bool has_ages = faults_.has(Fault::kVersions);
    const Age age = has_ages ? some_age() : Age::kNow;
    const Surroundings around{timeline_,
                              dice_,
                              fault_dice_,
                              marks_,
                              memory_,
                              network_,
                              oracle_,
                              bug_.get(),
                              album_,
                              pictures_ ? pictures_->path() : "",
                              has_ages ? &version_dice_ : nullptr};
    const std::size_t number = phones_.size();
    const auto died = [this, number] { comes_back_later(*phones_[number], fault_dice_); };
    phones_.push_back(std::make_unique<Phone>(around, person, name, age, died, original));
    if (has_ages) note_age(*phones_.back());
    return *phones_.back();
  }

  Age some_age() {
    if (version_dice_.chance(550 - 150 * faults_.hardness(Fault::kVersions))) return Age::kNow;
    return version_dice_.chance(500) ? Age::kOlder : Age::kNewer;
  }

  void note_age(const Phone& phone) {
    timeline_.note(phone.name() + " has build " + std::to_string(static_cast<int>(phone.age())));
    const std::uint64_t lacks = phone.knows("Resident") ? 0 : kinds::kResident.value;
    recorder_.note("build", {{"phone", phone.name()}, {"lacks", lacks}});
  }

  void give_phone(Person& person, const std::string& name) {
    Phone& phone = add_phone(person, name, nullptr);
    const auto code = server_.county().create_code(person.worker, "simulator");
    if (!code) throw Violation("no code: " + code.error().message);
    phone.enrol({{"county:1", server_.key_sha256()}, code->code});
  }

  void trouble() {
    trouble_ = true;
    until_ms_ = timeline_.now_ms() + dice_.between(2, 8) * kHour;
    for (const auto& phone : phones_) {
      if (!idle_.contains(phone->name())) go_on_with(*phone);
    }
    if (faults_.has(Fault::kHostilePhone)) let_in_intruder();
    if (hostile_server_) strike_as_server();
    if (pictures_) recorder_.note("pictures");
    memory_.strike(faults_.hardness(Fault::kNoMemory));
    server_fault();
    disk_faults_.spoil(server_.disk(), kServerOperations);
    if (storage_fails()) restart_server_now_and_then();
    if (faults_.has(Fault::kRestores)) keep_backups();
    if (faults_.has(Fault::kClones)) clone_now_and_then();
    if (faults_.has(Fault::kPutBacks)) put_back_now_and_then();
    if (faults_.has(Fault::kForgets)) forget_now_and_then();
    if (faults_.has(Fault::kSweeps)) sweep_now_and_then();
    if (faults_.has(Fault::kVersions)) {
      update_now_and_then();
      if (version_dice_.chance(500)) end_service_of_older();
    }
    wait(until_ms_ - timeline_.now_ms());
    go_on_until_it_counts();
    trouble_ = false;
  }

  void go_on_with(Phone& phone) {
    worsen(phone);
    const bool live = dice_.chance(500);
    if (live && phone.running()) phone.go_live();
    work(phone);
    fault(phone);
    disk_faults_.spoil(phone.disk(), kPhoneOperations);
    if (faults_.has(Fault::kOneWay)) cut_one_way_now_and_then(phone);
  }

  // A seed in which little was done says little.
  void go_on_until_it_counts() {
    constexpr std::uint64_t kPromisesMin = 30;
    constexpr std::uint64_t kHoursMax = 24;
    if (operations_max_ != 0 || !idle_.empty()) return;
    for (std::uint64_t hour = 0; hour < kHoursMax && oracle_.promises() < kPromisesMin; ++hour) {
      wait(kHour);
    }
    if (oracle_.promises() < kPromisesMin) throw Violation("hardly anything can be recorded");
  }

  // Per mille, as often as this run has it. The dice fall whether it has it or not.
  std::uint64_t chance_of(Fault fault, std::uint64_t per_mille) const {
    return per_mille * faults_.hardness(fault) / 2;
  }

  bool strikes(Fault fault) {
    const std::uint64_t hardness = faults_.hardness(fault);
    return hardness > 1 || (hardness == 1 && fault_dice_.chance(500));
  }

  void worsen(Phone& phone) {
    LineQuality& quality = phone.line().quality;
    quality.latency_ms = dice_.between(5, 1500);
    quality.breaks = chance_of(Fault::kBreaks, dice_.below(120));
    quality.goes_silent = chance_of(Fault::kSilence, dice_.below(100));
    quality.truncates = chance_of(Fault::kTruncation, dice_.below(15));
    quality.duplicates = chance_of(Fault::kDuplication, dice_.below(15));
    quality.lingers = chance_of(Fault::kLingering, 500);
    quality.damages = chance_of(Fault::kDamage, pictures_ ? picture_dice_.below(100) : 0);
    quality.bytes_per_s = 0;
    if (strikes(Fault::kSlowLines) && fault_dice_.chance(500)) {
      quality.bytes_per_s = fault_dice_.between(100, 2'000);
      quality.latency_ms += fault_dice_.between(500, 5'000);
    }
    static constexpr std::int64_t kErrors[] = {
        0, 0, 0, 90'000, -3'600'000, -1'795'000'000'000, 2'300'000'000'000};
    const std::int64_t error_ms = kErrors[dice_.below(std::size(kErrors))];
    if (!strikes(Fault::kClocks)) return;
    if (error_ms != 0) marks_.hit(error_ms < 0 ? "clocks: behind" : "clocks: ahead");
    phone.clock().set_error_ms(error_ms);
  }

  void work(Phone& phone) {
    timeline_.after(dice_.between(5'000, 15 * kMinute), [this, &phone] {
      if (!trouble_) return;
      if (operations_max_ != 0 && acts_ >= operations_max_) return;
      if (phone.running()) {
        ++acts_;
        phone.do_something();
        if (pictures_) photograph(phone);
        if (dice_.chance(350)) call(phone);
      }
      work(phone);
    });
  }

  void call(Phone& phone) {
    if (!strikes(Fault::kCompares)) return phone.sync();
    phone.compare([this](const SyncReport& report) {
      if (report.compared) marks_.hit("compares: amid all that");
    });
  }

  void photograph(Phone& phone) {
    if (!phone.running()) return;
    if (picture_dice_.chance(chance_of(Fault::kPictures, 250))) phone.take_picture(picture_dice_);
    if (!phone.running()) return;
    if (picture_dice_.chance(200)) phone.look_at_picture(picture_dice_);
    timeline_.after(picture_dice_.between(5'000, 5 * kMinute), [this, &phone] {
      if (!trouble_ || !phone.running() || picture_dice_.chance(500)) return;
      phone.sync();
      timeline_.after(picture_dice_.between(10'000, 2 * kMinute), [this, &phone] {
        if (trouble_ && phone.running()) send_pictures(phone);
      });
    });
  }

  // By themselves faults seldom meet the seconds in which a picture is under way.
  void send_pictures(Phone& phone) {
    phone.send_pictures();
    timeline_.after(picture_dice_.between(100, 10'000), [this, &phone] {
      if (!trouble_ || !network_.in_media_call(phone.line())) return;
      switch (picture_dice_.below(5)) {
        case 0:
          return lose_line(phone, picture_dice_.between(1'000, kHour));
        case 1:
          return die(phone, false);
        case 2:
          return die(phone, true);
        case 3:
          return kill_server();
        default:
          return disk_faults_.perhaps_now(server_.disk(), 5);
      }
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

  void cut_one_way_now_and_then(Phone& phone) {
    timeline_.after(fault_dice_.between(kMinute, 3 * kHour), [this, &phone] {
      if (!trouble_) return;
      if (strikes(Fault::kOneWay)) {
        bool& cut = fault_dice_.chance(500) ? phone.line().up_cut : phone.line().down_cut;
        cut = true;
        timeline_.after(fault_dice_.between(kMinute, 2 * kHour), [&cut] { cut = false; });
      }
      cut_one_way_now_and_then(phone);
    });
  }

  void lose_line(Phone& phone, std::uint64_t ms) {
    if (!phone.line().reachable || !strikes(Fault::kOutages)) return;
    marks_.hit(network_.in_call(phone.line()) ? "outages: in a call" : "outages: at rest");
    if (network_.in_media_call(phone.line())) marks_.hit("outages: under a picture");
    timeline_.note(phone.name() + " has no network");
    phone.line().reachable = false;
    network_.line_lost(phone.line());
    timeline_.after(ms, [&phone] { phone.line().reachable = true; });
  }

  // Closing a file is worth playing where something may happen to it.
  bool storage_fails() const { return disk_faults_.has_any() || faults_.has(Fault::kNoMemory); }

  void die(Phone& phone, bool switched_off) {
    if (!phone.running() || !strikes(switched_off ? Fault::kReboots : Fault::kKills)) return;
    ++kills_;
    const std::string what = switched_off ? "reboots: " : "kills: ";
    marks_.hit(what + (network_.in_call(phone.line()) ? "in a call" : "at rest"));
    if (network_.in_media_call(phone.line())) marks_.hit(what + "under a picture");
    if (switched_off) {
      phone.reboot();
    } else if (storage_fails() && fault_dice_.chance(500)) {
      disk_faults_.perhaps_now(phone.disk(), kSeldomOperations);
      phone.quit();
    } else {
      phone.kill();
    }
    comes_back_later(phone, dice_);
  }

  void comes_back_later(Phone& phone, Dice& dice) {
    timeline_.after(dice.between(1'000, 20 * kMinute), [this, &phone] { come_back(phone); });
  }

  void come_back(Phone& phone) {
    if (phone.running()) return;
    disk_faults_.perhaps_now(phone.disk(), kSeldomOperations);
    if (!phone.open()) return comes_back_later(phone, fault_dice_);
    if (dice_.chance(500)) phone.go_live();
  }

  void move(Phone& phone) {
    if (!has_grid(phone.person()) || !server_.running() || !dice_.chance(300)) return;
    const std::string grid = kGrids[dice_.below(std::size(kGrids))];
    if (!strikes(Fault::kMoves)) return;
    const bool unsent = phone.running() && phone.client().status().unsent > 0;
    marks_.hit(unsent ? "moves: with unsent work" : "moves: with all sent");
    timeline_.note(phone.person().name + " moves");
    place(phone.person(), grid);
  }

  // What the server's disk did not let the operator do is done again later.
  void place(Person& person, const std::string& grid) {
    disk_faults_.perhaps_now(server_.disk(), kSeldomOperations);
    const bool placed = server_.operate([&](County& county) { data_->move(county, person, grid); });
    if (placed) {
      to_place_.erase(&person);
    } else {
      to_place_[&person] = grid;
    }
  }

  void place_again() {
    for (const auto& [person, grid] : std::map(to_place_)) place(*person, grid);
  }

  // By dice that change nothing of a run without. Null: with it nothing can be done now.
  Phone* any_phone() {
    Phone& phone = *phones_[fault_dice_.below(phones_.size())];
    if (!phone.is_well() || idle_.contains(phone.name())) return nullptr;
    phone.look_for_number();
    return &phone;
  }

  // A worker's phones take sixteen numbers in a day.
  bool copies_too_often() { return ++copies_ > kCopiesMax; }

  void clone_now_and_then() {
    timeline_.after(fault_dice_.between(5 * kMinute, 3 * kHour), [this] {
      if (!trouble_) return;
      Phone* const phone = any_phone();
      if (phone != nullptr && strikes(Fault::kClones) && !copies_too_often()) clone(*phone);
      clone_now_and_then();
    });
  }

  void clone(Phone& phone) {
    marks_.hit(network_.in_call(phone.line()) ? "clones: in a call" : "clones: at rest");
    if (phone.name().contains('~')) marks_.hit("clones: of a copy");
    const std::string name = phone.name() + "~" + std::to_string(copies_);
    timeline_.note(phone.name() + "'s file is copied");
    recorder_.note("copied", {{"phone", phone.name()}, {"copy", name}});
    Phone& copy = add_phone(phone.person(), name, &phone);
    if (!copy.running()) comes_back_later(copy, fault_dice_);
    go_on_with(copy);
  }

  void put_back_now_and_then() {
    timeline_.after(fault_dice_.between(5 * kMinute, 90 * kMinute), [this] {
      if (!trouble_) return;
      Phone* const phone = any_phone();
      if (phone != nullptr && strikes(Fault::kPutBacks)) put_back(*phone);
      put_back_now_and_then();
    });
  }

  void put_back(Phone& phone) {
    if (!phone.has_put_away()) return phone.put_away();
    if (copies_too_often()) return;
    const bool unsent = phone.client().status().unsent > 0;
    marks_.hit(unsent ? "put-backs: with unsent work" : "put-backs: with all sent");
    recorder_.note("put_back", {{"phone", phone.name()}});
    // What a restore has lost the phone may not have heard of.
    phone.put_back(!unsent && restores_ == 0);
    comes_back_later(phone, fault_dice_);
  }

  void forget_now_and_then() {
    timeline_.after(fault_dice_.between(5 * kMinute, 90 * kMinute), [this] {
      if (!trouble_) return;
      if (server_.running() && strikes(Fault::kForgets)) forget_something();
      forget_again();
      forget_now_and_then();
    });
  }

  void forget_something() {
    static constexpr std::pair<KindId, const char*> kKinds[] = {
        {kinds::kResident, "forgets: a household or a resident"},
        {kinds::kHousehold, "forgets: a household or a resident"},
        {kinds::kWhistle, "forgets: a report"},
        {kinds::kVisit, "forgets: a visit"}};
    const auto& [kind, mark] = kKinds[fault_dice_.below(std::size(kKinds))];
    const auto rows = server_.county().all(kind);
    if (!rows || rows->empty()) return;
    marks_.hit(mark);
    if (network_.in_call()) marks_.hit("forgets: in a call");
    forget({kind, (*rows)[fault_dice_.below(rows->size())].id});
  }

  // What the server's disk did not let it forget is forgotten later.
  void forget(const RecordKey& key) {
    timeline_.note("the county forgets " + key.id.text());
    disk_faults_.perhaps_now(server_.disk(), kSeldomOperations);
    if (server_.forget(key)) {
      to_forget_.erase(key);
    } else {
      to_forget_.insert(key);
    }
    for (const RecordKey& gone : server_.forgotten()) oracle_.forgot(gone.id);
  }

  void forget_again() {
    for (const RecordKey& key : std::set(to_forget_)) {
      if (server_.running()) forget(key);
    }
    if (server_.running()) server_.minute();
  }

  void let_in_intruder() {
    recorder_.note("intruder");
    intruder_ = std::make_unique<HostilePhone>(
        timeline_, intruder_dice_, marks_, network_, server_,
        faults_.has(Fault::kRestores) || faults_.has(Fault::kPutBacks));
    intruder_calls();
  }

  void strike_as_server() {
    constexpr std::uint64_t kPerMille = 15;
    recorder_.note("intruder");
    hostile_server_->strike(kPerMille * faults_.hardness(Fault::kHostileServer));
  }

  void intruder_calls() {
    timeline_.after(intruder_dice_.between(kMinute, 30 * kMinute), [this] {
      if (!trouble_) return intruder_->stop();
      if (strikes(Fault::kHostilePhone)) intruder_->call();
      intruder_calls();
    });
  }

  void server_fault() {
    timeline_.after(dice_.between(10 * kMinute, 4 * kHour), [this] {
      if (!trouble_) return;
      kill_server();
      server_fault();
    });
  }

  void kill_server() {
    if (!server_.running() || !strikes(Fault::kServerKills)) return;
    ++kills_;
    marks_.hit(network_.in_call() ? "server-kills: in a call" : "server-kills: at rest");
    if (network_.in_media_call()) marks_.hit("server-kills: under a picture");
    server_.kill();
    network_.server_killed();
    revive_later(dice_, faults_.has(Fault::kRestores) && dice_.chance(500));
  }

  void restart_server_now_and_then() {
    timeline_.after(fault_dice_.between(10 * kMinute, 2 * kHour), [this] {
      if (!trouble_) return;
      if (server_.running()) {
        disk_faults_.perhaps_now(server_.disk(), kSeldomOperations);
        server_.stop();
        network_.server_killed();
        revive_later(fault_dice_, false);
      }
      restart_server_now_and_then();
    });
  }

  void server_died() {
    ++kills_;
    network_.server_killed();
    revive_later(fault_dice_, fault_dice_.chance(500));
  }

  void revive_later(Dice& dice, bool restored) {
    timeline_.after(dice.between(1'000, kHour),
                    [this, restored] { revive(restored && faults_.has(Fault::kRestores)); });
  }

  void update_now_and_then() {
    timeline_.after(version_dice_.between(5 * kMinute, 2 * kHour), [this] {
      if (!trouble_) return;
      Phone& phone = *phones_[version_dice_.below(phones_.size())];
      if (phone.age() != Age::kNewer && !idle_.contains(phone.name())) {
        update(phone, phone.age() == Age::kOlder ? Age::kNow : Age::kNewer);
      }
      update_now_and_then();
    });
  }

  // Whoever installs a build ends the process of the one before.
  void update(Phone& phone, Age age) {
    const bool was_running = phone.running();
    marks_.hit(network_.in_call(phone.line()) ? "versions: updated in a call"
                                              : "versions: updated at rest");
    if (was_running && phone.client().status().unsent > 0) {
      marks_.hit("versions: updated with unsent work");
    }
    phone.kill();
    phone.update(age);
    note_age(phone);
    if (was_running) comes_back_later(phone, version_dice_);
  }

  void end_service_of_older() {
    timeline_.after(version_dice_.between(10 * kMinute, 3 * kHour), [this] {
      if (!trouble_) return;
      timeline_.note("the server's next build gives older protocols nothing");
      server_.serve_from(build_of(Age::kNewer).protocol);
      if (!server_.running()) return;
      server_.stop();
      network_.server_killed();
      revive_later(version_dice_, false);
    });
  }

  bool is_too_old(const Phone& phone) const {
    return build_of(phone.age()).protocol < server_.serves_from();
  }

  // Whoever is too old brings everything, and hears that this is so; then they are updated.
  void update_too_old() {
    constexpr int kRoundsMax = 20;
    const auto is_told = [](Phone& phone) {
      const ClientStatus status = phone.client().status();
      return status.unsent == 0 && status.last_error &&
             status.last_error->code == ErrorCode::kUnsupported;
    };
    for (int round = 0; round < kRoundsMax; ++round) {
      bool all_told = true;
      for (const auto& phone : phones_) {
        if (!is_too_old(*phone) || is_told(*phone)) continue;
        all_told = false;
        phone->sync();
        if (copies_ > 0) wait(10'000);
      }
      if (all_told) break;
      wait(5 * kMinute);
    }
    for (const auto& phone : phones_) {
      if (!is_too_old(*phone)) continue;
      if (!is_told(*phone)) {
        const ClientStatus status = phone->client().status();
        throw Violation(phone->name() + " is too old, has " + std::to_string(status.unsent) +
                        " unsent and was told " +
                        (status.last_error ? status.last_error->message : "nothing"));
      }
      marks_.hit("versions: too old, brings its work and is told");
      phone->quit();
      phone->update(Age::kNewer);
      note_age(*phone);
      phone->open();
    }
  }

  void sweep_now_and_then() {
    timeline_.after(sweep_dice_.between(kMinute, 40 * kMinute), [this] {
      if (!trouble_) return;
      sweep();
      sweep_now_and_then();
    });
  }

  void sweep() {
    if (server_.sweep()) recorder_.note("swept", {});
  }

  void keep_backups() {
    disk_faults_.perhaps_now(server_.disk(), kBackupOperations);
    server_.back_up();
    timeline_.after(dice_.between(10 * kMinute, 3 * kHour), [this] {
      if (trouble_) keep_backups();
    });
  }

  // What the operator did since the backup is done again.
  void revive(bool restored) {
    if (server_.running()) return;
    const std::size_t backups = server_.backup_count();
    if (restored && backups > 0) {
      const std::size_t which = restore_dice_.below(backups);
      marks_.hit(which + 1 == backups ? "restores: the newest backup"
                                      : "restores: an older backup");
      recorder_.note("restored", {{"upto", server_.restore(which).value}});
      oracle_.restored();
      ++restores_;
      for (Person& person : data_->people()) {
        if (has_grid(person)) to_place_.try_emplace(&person, person.place);
      }
    }
    disk_faults_.perhaps_now(server_.disk(), kSeldomOperations);
    if (!server_.start()) return revive_later(fault_dice_, false);
    place_again();
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
    disk_faults_.end();
    memory_.strike(0);
    network_.let_in(nullptr);
    server_.disk().heal();
    server_.start();
    place_again();
    if (faults_.has(Fault::kForgets)) forget_again();
    for (const auto& phone : phones_) {
      oracle_.drop_put_away(phone->name());
      phone->disk().heal();
      phone->line().reachable = true;
      phone->line().up_cut = phone->line().down_cut = false;
      phone->line().quality = {};
      if (!phone->running()) phone->open();
      phone->client().stop();
    }
    // A false server may have told a phone to come back later than that.
    wait(faults_.has(Fault::kHostileServer) ? SyncSession::kPutOffMaxMs : 2 * kMinute);
    // No report waits for a picture: at first none gets anywhere.
    network_.hold_media(true);
    update_too_old();
    const bool is_live = pictures_ && copies_ == 0;
    for (const auto& phone : phones_) {
      if (is_live) phone->go_live();
    }
    settle();
    if (pictures_) {
      bring_pictures();
      settle();
    }
    for (const auto& phone : phones_) phone->look_for_number();
    if (oracle_.written_on_forgotten() > 0) marks_.hit("forgets: what a phone has not sent");
    if (faults_.has(Fault::kSweeps)) sweep();
    server_.check_swept();
    recorder_.note("settled");
  }

  // Whatever was put off for an hour, or for a day, comes within two.
  void bring_pictures() {
    constexpr int kRoundsMax = 54;
    constexpr int kSoon = 6;
    if (Album::lacking(server_.county()) > 0) marks_.hit("pictures: reports go without them");
    for (const auto& phone : phones_) phone->client().stop();
    network_.hold_media(false);
    for (int round = 0; round < kRoundsMax && Album::lacking(server_.county()) > 0; ++round) {
      for (const auto& phone : phones_) {
        phone->send_pictures();
        if (copies_ > 0) wait(10'000);
      }
      wait(round < kSoon ? 2 * kMinute : kHour);
    }
    album_.check_brought(server_.county(), server_.media_folder());
  }

  void check_pictures() {
    // A call that another file under the same number has used up is begun once more.
    const int tries = copies_ > 0 ? 4 : 1;
    for (const auto& phone : phones_) {
      std::string missed;
      for (int i = 0; i < tries && (i == 0 || !missed.empty()); ++i) {
        missed.clear();
        if (i > 0) phone->sync();
        wait(i * kMinute);
        phone->look_at_all_pictures([&](const RecordId& id, const Error& why) {
          missed = id.text() + ": " + why.message + " " + why.detail;
        });
        wait(20 * kMinute);
      }
      if (!missed.empty())
        throw Violation(phone->name() + " is not shown the picture of " + missed);
    }
    std::set<RecordId> gone = oracle_.forgotten_with_parts();
    album_.check_forgotten(server_.county(), gone, "the county", server_.media_folder());
    for (const auto& phone : phones_) {
      album_.check_forgotten(server_.county(), gone, phone->name(), phone->media_folder());
    }
  }

  void settle() {
    constexpr int kRoundsMax = 20;
    constexpr int kQuietRounds = 2;
    int quiet = 0;
    for (int round = 0; round < kRoundsMax && quiet < kQuietRounds; ++round) {
      for (const auto& phone : phones_) {
        phone->sync();
        // Of two files under one number, that have nothing to say, the later call ends the other.
        if (copies_ > 0) wait(10'000);
      }
      wait(5 * kMinute);
      quiet = settled() ? quiet + 1 : 0;
    }
    if (quiet == kQuietRounds) return;
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

  // What both sides reckon of the same records is the same, or each week phones would fetch in
  // vain.
  enum class Repairs : std::uint8_t { kNone, kExpected };

  void compare(Repairs repairs) {
    for (const auto& phone : phones_) {
      std::optional<SyncReport> report;
      const auto is_done = [&] { return report && report->compared; };
      // A copy may learn only now that it is one, and fetches everything anew before it compares;
      // so does whom a false server told of a log that there is not.
      const bool may_begin_anew = copies_ > 0 || repairs == Repairs::kExpected;
      for (int call = 0; call == 0 || (call < 3 && may_begin_anew && !is_done()); ++call) {
        phone->compare([&](const SyncReport& done) { report = done; });
        wait(kMinute);
      }
      if (!is_done()) throw Violation(phone->name() + " was not compared");
      if (report->repaired > 0 && repairs == Repairs::kNone) {
        throw Violation(phone->name() + " holds what its server has, and " +
                        std::to_string(report->repaired) + " rows came as if it did not");
      }
    }
  }

  // As a clean end leaves them.
  void save_files() {
    for (const auto& phone : phones_) {
      phone->disk().heal();
      phone->quit();
      phone->disk().save_to(kept_->path());
    }
    server_.disk().heal();
    server_.stop();
    server_.disk().save_to(kept_->path());
  }

  CountyOptions county_options() const {
    CountyOptions options;
    options.restorable_backups = restorable_;
    options.tombstones_kept_ms =
        static_cast<std::int64_t>(kTombstonesKept[faults_.hardness(Fault::kSweeps)]);
    // What is urgent then goes ahead of the rest, and calls break off between cuts.
    if (has_small_cuts_) options.cut_bytes = 600;
    return options;
  }

  const std::unique_ptr<TemporaryFolder> kept_;
  const std::set<std::string> idle_;
  const std::uint64_t operations_max_;
  const Faults faults_;
  std::unique_ptr<PlantedBug> bug_;
  Timeline timeline_;
  Recorder recorder_;
  Dice dice_;
  Dice fault_dice_;  ///< what they say of disks changes nothing of the rest
  Dice sweep_dice_;  ///< nor these of anything but when tombstones are swept
  Dice intruder_dice_;
  Dice restore_dice_;  ///< and these only which backups there are, and which of them is restored
  Dice picture_dice_;  ///< and these only what is of pictures
  Dice version_dice_;  ///< and these only which builds phones have, and what only those can do
  const std::size_t restorable_ = kRestorable[restore_dice_.below(std::size(kRestorable))];
  const bool has_small_cuts_ = restore_dice_.below(3) == 0;
  Marks marks_;
  MemoryFaults memory_{timeline_, fault_dice_, marks_};
  Oracle oracle_{recorder_};
  Album album_{picture_dice_};
  const std::unique_ptr<TemporaryFolder> pictures_ =
      faults_.has(Fault::kPictures) ? std::make_unique<TemporaryFolder>() : nullptr;
  Server server_{timeline_,
                 dice_,
                 fault_dice_,
                 marks_,
                 memory_,
                 faults_.has(Fault::kVersions) ? county_schema() : built_schema(),
                 county_options(),
                 MediaPlace{pictures_ ? pictures_->path() : "", picture_dice_},
                 [this] { server_died(); }};
  Network network_{timeline_, dice_, marks_, server_, recorder_, picture_dice_};
  DiskFaults disk_faults_{timeline_, fault_dice_, faults_};
  std::unique_ptr<CountyData> data_;
  std::vector<std::unique_ptr<Phone>> phones_;
  std::unique_ptr<HostilePhone> intruder_;
  std::unique_ptr<HostileServer> hostile_server_;
  std::set<RecordKey> to_forget_;            ///< what the county has yet to forget
  std::map<Person*, std::string> to_place_;  ///< the grid that the operator has yet to note
  bool trouble_ = false;
  std::uint64_t until_ms_ = 0;
  std::uint64_t kills_ = 0;
  std::uint64_t acts_ = 0;
  std::uint64_t copies_ = 0;
  std::uint64_t restores_ = 0;
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

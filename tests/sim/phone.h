#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "album.h"
#include "county_data.h"
#include "doors.h"
#include "gridwhistle/client.h"
#include "gridwhistle/v1/records.pb.h"
#include "marks.h"
#include "memory_faults.h"
#include "network.h"
#include "oracle.h"
#include "support/power_cut_vfs.h"
#include "timeline.h"
#include "versions.h"

namespace gridwhistle::sim {

/// What the phones of a run share.
struct Surroundings {
  Timeline& timeline;
  Dice& dice;
  Dice& fault_dice;  ///< for what a power cut leaves
  Marks& marks;
  MemoryFaults& memory;
  Network& network;
  Oracle& oracle;
  PlantedBug* bug;               ///< on every disk; null: none
  Album& album;                  ///< of the pictures that persons take
  std::string folder;            ///< of the system's disk, for their bytes; empty: they take none
  Dice* version_dice = nullptr;  ///< what newer builds alone can do; null: there is one build
};

/// The disk failed, and what was to be done could not be.
struct Hindered : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One phone and the person who holds it: a real client on a file of its own disk.
class Phone {
 public:
  /// A person may hold several; `name` is this one's. `died` is called after the disk's power, or
  /// its process, went within a write. With an `original` its file is a copy of that one's, as it
  /// lies there at this moment, and its keys and its build are too.
  Phone(const Surroundings& around, Person& person, std::string name, Age age,
        std::function<void()> died, Phone* original = nullptr);
  ~Phone();

  /// False: its disk, or the memory, does not let it.
  bool open();
  /// The process dies between two events. Its file stays as it was at that moment.
  void kill();
  /// The power goes between two events, and the boot clock begins again.
  void reboot();
  /// The process ends as it should.
  void quit();
  bool running() const { return client_ != nullptr; }
  /// Running, and its disk does what it is asked.
  bool is_well() const { return running() && !disk_.struck(); }

  /// From the next opening on it has another build, never an older one.
  void update(Age age) { age_ = age; }
  Age age() const { return age_; }
  /// Whether its build has this kind.
  bool knows(std::string_view kind) const { return kind_of(age_, kind) != nullptr; }

  /// Whether these bytes are in its file, or in its log.
  bool holds(std::string_view bytes) const;

  /// Copies the file beside itself, for `put_back`.
  void put_away();
  bool has_put_away() const { return disk_.has(put_away_); }
  /// The process dies, and its file is as it was put away.
  void put_back(bool server_has_all);
  /// Where the file's number is another than before, what it has recorded alone has other ids.
  void look_for_number();

  void enrol(const EnrolmentCode& code);
  void sync();
  /// Compares what the file holds with what the server has for it; `done` hears of it if it went
  /// well.
  void compare(std::function<void(const SyncReport&)> done);
  void go_live();

  /// The person does one thing, whatever comes to hand.
  void do_something();
  /// The person takes a picture of something, or of something else what was taken already.
  void take_picture(Dice& dice);
  /// The person wants to see a picture, whoever took it.
  void look_at_picture(Dice& dice);
  /// Of the pictures in sight each is asked for; `missed` hears of those that do not come.
  void look_at_all_pictures(const std::function<void(const RecordId&, const Error&)>& missed);
  void send_pictures();
  const std::string& media_folder() const { return media_folder_; }

  Client& client() { return *client_; }
  test::PowerCutDisk& disk() { return disk_; }
  SimClock& clock() { return clock_; }
  Network::Line& line() { return line_; }
  const std::string& name() const { return name_; }
  Person& person() { return person_; }
  std::uint64_t done() const { return done_; }
  std::uint64_t refused() const { return refused_; }

 private:
  Build build() const;
  void act();
  void new_visit();
  void new_household();
  void new_resident();
  void move_household();
  void new_whistle();
  void edit_household();
  void edit_visit();
  void tag_household();
  void erase_something();
  void record_together();
  void say_mood();
  void record_picture(v1::Attachment picture, Dice& dice);
  void show_picture(const FoundBytes& attachment,
                    std::function<void(const RecordId&, const Error&)> missed);
  void act_on_whistle();
  void report();
  void look();

  std::string fresh(const char* what);
  RecordId new_id();
  std::optional<FoundBytes> any(const char* kind);
  std::vector<FoundBytes> all(const char* kind);
  void edit_text(const char* kind, std::uint32_t field);

  /// What a commit said; nothing: it is not recorded, and never will be.
  template <typename T>
  std::optional<Word> count(const Result<T>& how, const char* what) {
    return count(how ? nullptr : &how.error(), what);
  }
  std::optional<Word> count(const Error* error, const char* what);
  [[noreturn]] void cannot(const std::string& what, const Error& error) const;
  bool storage_failed() const { return failures() != failures_before_; }
  std::uint64_t failures() const { return disk_.failures() + memory_.failures(); }

  void let_go(test::PowerCutDisk::Fault how);
  void struck(test::PowerCutDisk::Fault fault);
  /// The ids that records have by now, by the number under which they had the others.
  std::map<DeviceId, std::map<RecordId, RecordId>> other_ids() const;
  std::uint64_t recorded() const;
  void check_recorded() const;

  Timeline& timeline_;
  Dice& dice_;
  Dice& fault_dice_;
  Marks& marks_;
  MemoryFaults& memory_;
  Network& network_;
  Oracle& oracle_;
  Person& person_;
  const std::string name_;
  const std::string file_;
  const std::string put_away_;
  const std::string media_folder_;
  Album& album_;
  const std::function<void()> died_;
  Dice* const version_dice_;
  Age age_;
  test::PowerCutDisk disk_;
  const char* phase_ = "syncs";
  bool leaving_ = false;               ///< what its disk does now concerns nobody
  std::uint64_t failures_before_ = 0;  ///< of disk and memory, when the person began
  std::uint64_t recorded_ = 0;         ///< operations that commits gave their word for
  SimClock clock_;
  const std::shared_ptr<SimSecretStore> secrets_;
  Network::Line line_;
  std::unique_ptr<SimExecutor> executor_;
  std::unique_ptr<Client> client_;
  DeviceId device_;             ///< its number, when last looked for
  std::set<DeviceId> renamed_;  ///< numbers whose ids the oracle knows to have become others
  std::uint64_t done_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t values_ = 0;
};

}  // namespace gridwhistle::sim

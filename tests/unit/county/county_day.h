#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "county_world.h"
#include "support/power_cut_vfs.h"

namespace gridwhistle::test {

/// A day of a county on a disk that may fail at any moment: an enrolment, batches of several
/// phones, staff at work, a backup. It keeps what the server promised, and afterwards holds the
/// server to it.
class CountyDay {
 public:
  CountyDay();

  PowerCutDisk& disk() { return disk_; }
  World& world() { return *world_; }

  /// The day from its beginning to its end, whatever fails meanwhile.
  void run();

  /// The server is gone, as by a power cut; `open` is its next start.
  void close() { world_->county.reset(); }
  Result<void> open() { return world_->try_open(); }

  /// Phones send again what was not acknowledged, a new one reads everything; then what is wrong
  /// with the county, in words. Empty is well. The disk works again.
  std::vector<std::string> faults();

  /// Refusals with another code than kBusy, or without a time to come back at.
  const std::vector<std::string>& wrong_refusals() const { return wrong_refusals_; }
  std::size_t acknowledged() const { return acked_.size(); }

 private:
  enum Who : std::size_t { kAnna, kBruno, kCarla, kNewcomer, kReader, kPhones };
  struct Acked {
    std::uint64_t seq = 0;
    std::uint32_t status = 0;
    auto operator<=>(const Acked&) const = default;
  };
  using Place = std::tuple<std::size_t, Lane, std::uint64_t>;

  void enrol_newcomer();
  void write_visits(Who who, int count);
  void inspect(Who who, int count);
  void exchange(const std::vector<Who>& who);
  void act(WhistleActionType type, RecordId actor, bool at_assignment = false);
  void back_up();
  void hear(Who who, const Inbox& inbox);
  void note(Who who);

  void check_records(std::vector<std::string>& faults);
  void check_reader(const std::vector<Row>& rows, std::vector<std::string>& faults);
  void check_backup(std::vector<std::string>& faults);
  void check_epochs(std::vector<std::string>& faults);

  PowerCutDisk disk_{"county_day"};
  std::unique_ptr<World> world_;
  std::vector<Phone> phones_;
  RecordId newcomer_;
  RecordId whistle_;
  RecordId shop_;
  int inspections_ = 0;
  bool enrolled_ = false;
  std::map<Place, Acked> acked_;
  std::vector<RecordId> actions_;  ///< of staff, taken over
  std::size_t actions_tried_ = 0;
  Seq backed_up_;
  std::vector<std::string> wrong_refusals_;
  std::vector<std::string> changed_answers_;
};

}  // namespace gridwhistle::test

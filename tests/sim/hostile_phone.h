#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/p256.h"
#include "gridwhistle/v1/sync.pb.h"
#include "marks.h"
#include "model/operation.h"
#include "network.h"
#include "server.h"
#include "storage/rows.h"
#include "timeline.h"

namespace gridwhistle::sim {

/// A phone that somebody took apart: enrolled for a grid in which nobody else works, with a valid
/// key, and what it says is meant to harm. It knows every record's id. Throws a Violation when it
/// is told what it may not read.
class HostilePhone {
 public:
  /// Makes its grid and its worker, and enrols. Where counties are restored it leaves households
  /// that a county may have lost alone: see docs/testing.md.
  HostilePhone(Timeline& timeline, Dice& dice, Marks& marks, Network& network, Server& server,
               bool restores);

  /// Calls, and says something.
  void call();
  /// Says nothing more.
  void stop() { call_.reset(); }

  /// Nothing of what it wrote stands where it may not write. Throws a Violation.
  void check_end(const County& county) const;

 private:
  void found();
  void enrol();
  std::string hello();
  void say_something();
  void send(std::string frame);
  void send_unsent();
  void send_altered(std::string frame);
  void hears(const std::string& frame);

  void record_something();
  void record_anything();
  Operation& add(KindId kind, const RecordId& id, const std::string& message);
  void own_visit();
  void edit_others_record(bool into_own_grid);
  void take_others_id();
  void erase_others_record();
  void move_in_with_others();
  void act_on_others_report();
  void write_as_server();
  void absurd_numbers();
  void foreign_lane();

  RecordId new_id() { return RecordId::make(device_, ++counter_); }
  std::string words();
  /// Some record of a kind that others made; nothing if there is none.
  std::optional<StoredRow> others(KindId kind);

  Timeline& timeline_;
  Dice& dice_;
  Marks& marks_;
  Network& network_;
  Server& server_;
  const bool restores_;
  Network::Line line_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Call> call_;
  std::uint64_t call_number_ = 0;  ///< what earlier ones hear concerns nobody
  P256Key key_;
  DeviceId device_;
  std::set<DeviceId> devices_;  ///< numbers that it has had
  RecordId worker_;
  bool enrolled_ = false;
  std::uint64_t calls_ = 0;
  std::uint64_t counter_ = 0;
  std::uint64_t dev_seq_ = 0;
  std::uint64_t words_ = 0;
  std::map<Lane, std::vector<Operation>> lanes_;
  std::map<Lane, std::uint64_t> acknowledged_;
  std::string last_frame_;
};

}  // namespace gridwhistle::sim

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "app/config.h"
#include "county/county.h"
#include "doors.h"
#include "marks.h"
#include "media_door.h"
#include "memory_faults.h"
#include "model/schema.h"
#include "plants.h"
#include "storage/rows.h"
#include "support/power_cut_vfs.h"
#include "timeline.h"

namespace gridwhistle {
class Storage;
}  // namespace gridwhistle

namespace gridwhistle::sim {

/// Where the server keeps attachments' bytes, and the dice that say what becomes of them.
struct MediaPlace {
  std::string folder;  ///< on the system's disk; empty: nobody brings any
  Dice& dice;
};

/// The county server: the real county on a file of its own disk, in virtual time.
class Server {
 public:
  /// The schema outlives it. As many of the last backups stay as the options let restore. `died` is
  /// called after the disk's power, or its process, went within a write.
  Server(Timeline& timeline, Dice& dice, Dice& fault_dice, Marks& marks, MemoryFaults& memory,
         const Schema& schema, CountyOptions options, MediaPlace media, std::function<void()> died);
  ~Server();

  /// From now on its files have this bug. The bug outlives it.
  void plant(PlantedBug* bug);

  /// The process dies between two events and, later, starts again from what is on the disk.
  void kill();
  /// From the next start on phones that speak an older protocol only bring what they recorded.
  void serve_from(std::uint32_t protocol) { options_.protocol_min = protocol; }
  std::uint32_t serves_from() const { return options_.protocol_min; }
  /// The process ends as it should.
  void stop();
  /// False: its disk, or the memory, does not let it.
  bool start();
  /// Copies the county into a new backup.
  void back_up();
  /// Takes the tombstones and exits whose time is over; whether any record went.
  bool sweep();
  /// Throws Violation when anything that was swept, of this log, is there.
  void check_swept() const;
  /// Of those that may be restored.
  std::size_t backup_count() const { return backups_.size(); }
  /// Of a dead server: puts one of them, counted from the oldest, in the place of its files. How
  /// far that reaches.
  Seq restore(std::size_t backup);
  bool running() const { return county_ != nullptr; }
  /// Where whole files lie.
  std::string media_folder() const { return media_config_.media_path(); }
  bool carries_media() const { return carries_media_; }

  /// Calls `work`, which commits something of an operator's. False: the disk, or the memory, did
  /// not let it.
  bool operate(const std::function<void(County&)>& work);
  /// Forgets a record, with all that belongs to it. What goes is noted beside the county's file
  /// first, and forgotten again at each start. False as of `operate`.
  bool forget(const RecordKey& key);
  /// What a server does every minute. False as of `operate`.
  bool minute();
  /// All that was to be forgotten.
  const std::set<RecordKey>& forgotten() const { return forgotten_; }
  /// Whether these bytes are in the county's file, or in its log.
  bool holds(std::string_view bytes) const;

  test::PowerCutDisk& disk() { return disk_; }
  const test::PowerCutDisk& disk() const { return disk_; }
  County& county() { return *county_; }
  const std::string& key_sha256() const { return key_sha256_; }

  void opened(ConnectionId connection, Sink& sink);
  void frame(ConnectionId connection, std::string frame);
  void half_closed(ConnectionId connection);
  void closed(ConnectionId connection);
  /// Of calls that carry attachments' bytes. Null: the server is down, or nobody brings any.
  MediaDoor* media() { return media_.get(); }
  Result<std::string> enrol(const std::string& request);
  void pump_soon();

 private:
  void pump();
  void struck(test::PowerCutDisk::Fault fault);
  void let_go(test::PowerCutDisk::Fault how);
  std::uint64_t failures() const { return disk_.failures() + memory_.failures(); }
  void note_committed(std::uint64_t failures_before);
  Result<void> forget_again(County& county);
  Result<void> find_lost_media(County& county);
  void open_media();
  std::optional<Error> hindrance(bool writes);

  Timeline& timeline_;
  Dice& dice_;
  Dice& fault_dice_;
  Marks& marks_;
  MemoryFaults& memory_;
  const std::function<void()> died_;
  const std::string key_sha256_;
  const Schema& schema_;
  CountyOptions options_;
  const app::ServerConfig media_config_;  ///< its folders alone
  Dice& media_dice_;
  const bool carries_media_;
  bool media_gone_ = false;  ///< with a machine that was lost
  test::PowerCutDisk disk_{"gw-sim-county"};
  const char* phase_ = "starts";
  bool leaving_ = false;  ///< what its disk does now concerns nobody
  SimClock clock_;
  PlantedBug* bug_ = nullptr;
  std::unique_ptr<County> county_;
  std::unique_ptr<MediaDoor> media_;
  Storage* storage_ = nullptr;    ///< the county's
  std::set<RecordKey> swept_;     ///< of this log
  Seq committed_;                 ///< what a commit gave its word for
  std::uint64_t pump_at_ms_ = 0;  ///< 0: not planned
  struct Backup {
    std::string file;
    Seq upto;
  };
  std::set<RecordKey> forgotten_;   ///< as the journal beside the file has it
  std::deque<Backup> backups_;      ///< that may be restored, oldest first
  std::uint64_t backups_made_ = 0;  ///< ever, whichever log they are of
};

}  // namespace gridwhistle::sim

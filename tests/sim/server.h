#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "county/county.h"
#include "doors.h"
#include "plants.h"
#include "timeline.h"

namespace gridwhistle::sim {

/// The county server: the real county on a real file, in virtual time.
class Server {
 public:
  /// `folder` is there and empty.
  Server(Timeline& timeline, Dice& dice, std::string folder);

  /// From now on its file has this bug. The bug outlives it.
  void plant(PlantedBug* bug) { bug_ = bug; }

  /// The process dies between two events and, later, starts again from what is on the disk.
  void kill();
  void start();
  /// Copies the county into its newest backup.
  void back_up();
  /// Of a killed server: puts the newest backup in the place of its files. How far that reaches.
  Seq restore();
  bool running() const { return county_ != nullptr; }

  County& county() { return *county_; }
  const std::string& key_sha256() const { return key_sha256_; }

  void opened(ConnectionId connection, Sink& sink);
  void frame(ConnectionId connection, std::string frame);
  void half_closed(ConnectionId connection);
  void closed(ConnectionId connection);
  Result<std::string> enrol(const std::string& request);
  void pump_soon();

 private:
  void pump();
  std::string path() const { return folder_ + "/county.db"; }
  std::string backup() const { return folder_ + "/backup.db"; }

  Timeline& timeline_;
  Dice& dice_;
  const std::string folder_;
  const std::string key_sha256_;
  SimClock clock_;
  PlantedBug* bug_ = nullptr;
  std::unique_ptr<County> county_;
  std::uint64_t pump_at_ms_ = 0;  ///< 0: not planned
  std::uint64_t starts_ = 0;
  Seq backed_up_;
};

}  // namespace gridwhistle::sim

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bad_network.h"
#include "cast.h"
#include "checks.h"
#include "county_server.h"
#include "crew_process.h"

namespace gridwhistle::demo {

struct DirectorOptions {
  std::string program;     ///< this program, for the phones' processes
  std::string server;      ///< gridwhistle-server
  std::string county;      ///< the sample county's folder
  std::string run_folder;  ///< emptied, then filled: county, phones, page
  std::uint64_t seed = 1;
};

/// Plays a county's day, chapter by chapter, tells it on standard output, and judges it by the
/// files that are left. One thread.
class Director {
 public:
  explicit Director(DirectorOptions options);

  /// The exit code: 0 when every check holds. All processes have ended when it returns.
  int run();

 private:
  // The chapters, in their order.
  Result<void> found_the_county();
  Result<void> hand_out_phones();
  Result<void> morning();
  Result<void> offline_hours();
  Result<void> coming_back();
  Result<void> at_the_desks();
  Result<void> evening();
  Result<void> audit();

  // Parts of chapters.
  Result<void> edit_the_same_household();
  Result<void> kill_while_recording();
  Result<void> two_check_in_at_once();
  Result<void> assign_a_headless_one();
  Result<void> turn_the_rare_ways();
  Result<void> record_what_is_refused();
  Result<void> see_that_it_is_told();

  /// The same command to several crews at once, and their answers.
  Result<std::vector<nlohmann::json>> all(const std::vector<CrewProcess*>& crews,
                                          const nlohmann::json& command,
                                          std::chrono::seconds timeout);
  /// Syncs until everybody is through; fails when somebody is left behind.
  Result<void> sync_everybody(const std::vector<CrewProcess*>& crews);
  Result<void> start(CrewProcess& crew);
  std::vector<CrewProcess*> everybody();
  std::vector<CrewProcess*> grid_crews();
  CrewProcess& staff() { return *crews_.back(); }
  /// Of the staff, those whose code begins so.
  std::vector<std::string> staff_called(const std::string& prefix) const;
  std::vector<std::string> staff_but(const std::string& worker) const;
  double elapsed_s() const;
  /// A chapter's heading, then lines beneath it.
  void chapter(const std::string& chinese, const std::string& english);
  void say(const std::string& line) const;
  void tell_findings() const;
  void print_result() const;

  DirectorOptions options_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  Cast cast_;
  std::unique_ptr<CountyServer> server_;
  std::unique_ptr<BadNetwork> network_;
  std::vector<std::unique_ptr<CrewProcess>> crews_;  ///< the staff's is the last
  std::string refused_;                              ///< the record that the server does not take
  int chapter_ = 0;
  std::uint64_t kills_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t failed_calls_ = 0;
  Findings findings_;
};

}  // namespace gridwhistle::demo

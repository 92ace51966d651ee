#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "county_data.h"
#include "doors.h"
#include "gridwhistle/client.h"
#include "network.h"
#include "oracle.h"
#include "timeline.h"

namespace gridwhistle::sim {

/// One phone and the person who holds it: a real client on a real file.
class Phone {
 public:
  /// A person may hold several; `name` is this one's.
  Phone(Timeline& timeline, Dice& dice, Network& network, Oracle& oracle, Person& person,
        std::string name, const std::string& folder);

  void open();
  /// The process dies between two events. Its file stays as it was at that moment.
  void kill();
  /// The phone is switched off and on: as killed, and its boot clock begins again.
  void reboot();
  bool running() const { return client_ != nullptr; }

  void enrol(const EnrolmentCode& code);
  void sync();
  void go_live();

  /// The person does one thing, whatever comes to hand.
  void do_something();

  Client& client() { return *client_; }
  SimClock& clock() { return clock_; }
  Network::Line& line() { return line_; }
  const std::string& name() const { return name_; }
  Person& person() { return person_; }
  std::uint64_t done() const { return done_; }
  std::uint64_t refused() const { return refused_; }

 private:
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
  void act_on_whistle();
  void report();
  void look();

  std::string fresh(const char* what);
  std::optional<FoundBytes> any(const char* kind);
  void edit_text(const char* kind, std::uint32_t field);
  template <typename T>
  void count(const Result<T>& how, const char* what) {
    count(how ? nullptr : &how.error(), what);
  }
  void count(const Error* error, const char* what);

  Timeline& timeline_;
  Dice& dice_;
  Network& network_;
  Oracle& oracle_;
  Person& person_;
  const std::string name_;
  const std::string path_;
  SimClock clock_;
  SimSecretStore secrets_;
  Network::Line line_;
  std::unique_ptr<SimExecutor> executor_;
  std::unique_ptr<Client> client_;
  std::uint64_t done_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t values_ = 0;
};

}  // namespace gridwhistle::sim

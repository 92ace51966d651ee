#include "crew.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <thread>
#include <vector>

#include "child.h"
#include "desk.h"
#include "grid_day.h"
#include "lines.h"
#include "phone.h"

namespace gridwhistle::demo {

namespace {

using nlohmann::json;

std::uint64_t seed_of(std::uint64_t seed, const std::string& worker) {
  return seed ^ std::hash<std::string>{}(worker);
}

void tell(const json& line) { std::cout << line.dump() << std::endl; }

class Crew {
 public:
  Crew(std::string folder, std::uint64_t seed)
      : folder_(std::move(folder)), seed_(seed), network_(thread_executor()) {}

  Result<json> obey(const json& command) {
    const std::string what = command.at("do");
    if (what == "open") return open(command);
    const auto phones = chosen(command);
    if (what == "enrol") return enrol(phones, command);
    if (what == "sync") return sync(phones, command);
    if (what == "walk") return walk_all(phones, command);
    if (what == "emergency") return each_record(phones, blow_emergency);
    if (what == "headless") return each_record(phones, blow_headless);
    if (what == "hotline") return each_record(phones, blow_as_hotline);
    if (what == "for_a_road") return for_a_road(phones, command.at("times"));
    if (what == "told") return told(phones);
    if (what == "check_in") return each_record(phones, check_in_first);
    if (what == "edit") {
      return each_record(phones, [&](Phone& phone) {
        return edit_household(phone, command.at("grid"), command.at("who"));
      });
    }
    if (what == "live") return live(phones, command.at("on"));
    if (what == "desk") return desk(phones, command);
    if (what == "counts") return counts(phones);
    return fail(ErrorCode::kInvalid, "unknown command " + what);
  }

 private:
  std::vector<Phone*> chosen(const json& command) {
    std::vector<Phone*> phones;
    for (const auto& phone : phones_) {
      const bool named = !command.contains("only") ||
                         std::ranges::count(command["only"], json(phone->seat().worker)) > 0;
      if (named) phones.push_back(phone.get());
    }
    return phones;
  }

  Result<json> open(const json& command) {
    for (const json& one : command.at("phones")) {
      const Seat seat = {one.at("worker"), one.at("grid"), one.at("port")};
      auto phone =
          Phone::open(folder_ + "/" + seat.worker, seat, *network_, seed_of(seed_, seat.worker));
      if (!phone) return std::unexpected(phone.error());
      phones_.push_back(std::move(*phone));
    }
    return json::object();
  }

  Result<json> enrol(const std::vector<Phone*>& phones, const json& command) {
    std::vector<Enrolling> enrolling;
    for (Phone* phone : phones) {
      enrolling.push_back({phone, command.at("codes").at(phone->seat().worker)});
    }
    if (auto done = enrol_all(enrolling, std::chrono::seconds(30)); !done) {
      return std::unexpected(done.error());
    }
    return json::object();
  }

  Result<json> sync(const std::vector<Phone*>& phones, const json& command) {
    const LineReport report = sync_all(phones, std::chrono::seconds(command.at("seconds")));
    return json{{"calls", report.calls},
                {"failed_calls", report.failed_calls},
                {"operations", report.operations},
                {"rows", report.rows},
                {"behind", report.behind}};
  }

  Result<json> walk_all(const std::vector<Phone*>& phones, const json& command) {
    std::uint64_t walked = 0;
    for (Phone* phone : phones) {
      const auto done =
          walk(*phone, command.at("hour"), command.at("visits"), command.at("whistles"));
      if (!done) return std::unexpected(done.error());
      tell({{"progress", ++walked}});
    }
    return counts(phones);
  }

  template <typename Act>
  Result<json> each_record(const std::vector<Phone*>& phones, Act&& act) {
    json records = json::object();
    for (Phone* phone : phones) {
      const Result<RecordId> done = act(*phone);
      if (!done) return std::unexpected(done.error());
      records[phone->seat().worker] = done->text();
    }
    return json{{"records", records}};
  }

  Result<json> live(const std::vector<Phone*>& phones, bool on) {
    for (Phone* phone : phones) {
      if (on) {
        phone->client().start_live();
      } else {
        phone->client().stop();
      }
    }
    return json::object();
  }

  // Everybody at a desk, until for a while there is nothing left to do, or the time is over.
  Result<json> desk(const std::vector<Phone*>& phones, const json& command) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::seconds(command.at("seconds"));
    const int quiet_rounds_wanted = command.value("quiet_rounds", 8);
    std::uint64_t steps = 0;
    for (int quiet = 0; quiet < quiet_rounds_wanted;) {
      std::uint64_t taken = 0;
      for (Phone* phone : phones) {
        const auto done = work_through(*phone);
        if (!done) return std::unexpected(done.error());
        taken += *done;
        if (phone->client().status().phase == SyncPhase::kWaiting)
          phone->client().network_changed();
      }
      steps += taken;
      quiet = taken == 0 ? quiet + 1 : 0;
      if (std::chrono::steady_clock::now() > deadline || stop_requested()) break;
      if (quiet < quiet_rounds_wanted) std::this_thread::sleep_for(std::chrono::milliseconds(250));
    }
    return json{{"steps", steps}};
  }

  Result<json> for_a_road(const std::vector<Phone*>& phones, int times) {
    json numbers = json::array();
    for (Phone* phone : phones) {
      for (int i = 0; i < times; ++i) {
        const auto number = blow_for_a_road(*phone);
        if (!number) return std::unexpected(number.error());
        numbers.push_back(*number);
      }
    }
    return json{{"numbers", numbers}};
  }

  // What the phones tell their workers of work that was not simply taken.
  Result<json> told(const std::vector<Phone*>& phones) {
    json told = json::array();
    for (Phone* phone : phones) {
      const auto outcomes = phone->client().outcomes();
      if (!outcomes) return std::unexpected(outcomes.error());
      for (const OutcomeView& one : *outcomes) {
        told.push_back({{"record", one.record.text()},
                        {"status", one.status},
                        {"why", one.why_zh},
                        {"keeps_value", !one.lost.empty()}});
      }
    }
    return json{{"told", told}};
  }

  Result<json> counts(const std::vector<Phone*>& phones) {
    Counts all;
    std::uint64_t unsent = 0;
    for (Phone* phone : phones) {
      for (const auto& [kind, count] : phone->counts()) all[kind] += count;
      unsent += phone->client().status().unsent;
    }
    return json{{"counts", all}, {"unsent", unsent}};
  }

  std::string folder_;
  std::uint64_t seed_;
  std::unique_ptr<Executor> network_;
  std::vector<std::unique_ptr<Phone>> phones_;
};

void answer(Crew& crew, const std::string& line) {
  try {
    Result<json> done = crew.obey(json::parse(line));
    if (!done) {
      return tell(
          {{"ok", false}, {"error", done.error().message + " [" + done.error().detail + "]"}});
    }
    (*done)["ok"] = true;
    tell(*done);
  } catch (const json::exception& wrong) {
    tell({{"ok", false}, {"error", wrong.what()}});
  }
}

}  // namespace

int run_crew(const std::string& folder, std::uint64_t seed) {
  Crew crew(folder, seed);
  std::string line;
  while (!stop_requested() && std::getline(std::cin, line)) answer(crew, line);
  return 0;
}

}  // namespace gridwhistle::demo

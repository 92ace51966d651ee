#include "replay.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <stdexcept>

namespace gridwhistle::sim {

namespace {

constexpr std::string_view kPhones[] = {"walker0", "walker1", "walker2",  "walker3",
                                        "courier", "roads",   "acceptor", "walker0+"};

std::uint64_t number_in(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::invalid_argument("a number was expected, not " + text);
  }
  return number;
}

/// Takes away from a run what it breaks its law without.
class Shrinking {
 public:
  explicit Shrinking(Replay run) : run_(std::move(run)) {
    const RunResult result = play(run_);
    law_ = law_of(result.violation);
    acts_ = result.acts;
    if (!run_.options.faults) run_.options.faults = Faults::of_seed(run_.seed);
  }

  Replay least() {
    if (law_.empty()) return run_;
    std::string before;
    while (before != run_.text()) {
      before = run_.text();
      without_faults();
      without_phones();
      with_fewer_operations();
    }
    return run_;
  }

 private:
  static RunResult play(const Replay& run) { return sim::run(run.seed, run.options); }

  bool keep_if_broken(const Replay& smaller) {
    const RunResult result = play(smaller);
    if (law_of(result.violation) != law_) return false;
    run_ = smaller;
    acts_ = result.acts;
    return true;
  }

  void without_faults() {
    for (std::size_t i = 0; i < kFaultCount; ++i) {
      const Fault fault = static_cast<Fault>(i);
      for (std::uint64_t hardness = 0; hardness < run_.options.faults->hardness(fault);
           ++hardness) {
        Replay smaller = run_;
        smaller.options.faults->set(fault, hardness);
        if (keep_if_broken(smaller)) break;
      }
    }
  }

  void without_phones() {
    for (const std::string_view phone : kPhones) {
      Replay smaller = run_;
      if (smaller.options.idle.emplace(phone).second) keep_if_broken(smaller);
    }
  }

  void with_fewer_operations() {
    for (std::uint64_t step = acts_ / 2; step > 0;) {
      Replay smaller = run_;
      smaller.options.operations = acts_ > step ? acts_ - step : 1;
      if (smaller.options.operations >= acts_ || !keep_if_broken(smaller)) step /= 2;
    }
  }

  Replay run_;
  std::string law_;
  std::uint64_t acts_ = 0;
};

}  // namespace

std::string Replay::text() const {
  std::string text = "--seed " + std::to_string(seed);
  if (options.faults) text += " --faults " + options.faults->text();
  for (const std::string& phone : options.idle) text += " --idle " + phone;
  if (options.operations > 0) text += " --operations " + std::to_string(options.operations);
  return text;
}

Replay Replay::parse(std::string_view text) {
  std::istringstream words{std::string(text)};
  Replay run;
  std::string name;
  std::string value;
  while (words >> name) {
    if (!(words >> value)) throw std::invalid_argument(name + " wants a value");
    if (name == "--seed") {
      run.seed = number_in(value);
    } else if (name == "--faults") {
      run.options.faults = Faults::parse(value);
    } else if (name == "--idle") {
      run.options.idle.insert(value);
    } else if (name == "--operations") {
      run.options.operations = number_in(value);
    } else {
      throw std::invalid_argument("no part of a replay: " + name);
    }
  }
  return run;
}

std::string law_of(std::string_view violation) {
  std::istringstream words{std::string(violation.substr(0, violation.find('"')))};
  std::string law;
  for (std::string word; words >> word;) {
    const bool differs = word.find_first_of("0123456789<") != word.npos ||
                         std::ranges::find(kPhones, word) != std::end(kPhones);
    if (!differs) law += (law.empty() ? "" : " ") + word;
  }
  return law;
}

Replay shrink(Replay run) { return Shrinking(std::move(run)).least(); }

}  // namespace gridwhistle::sim

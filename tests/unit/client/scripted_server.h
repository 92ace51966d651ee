#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gridwhistle/default_ports.h"
#include "gridwhistle/v1/sync.pb.h"
#include "model/workflow_words.h"
#include "sim/timeline.h"
#include "wire/frames.h"

namespace gridwhistle {

/// The other end of a client's line as the protocol describes it, with nothing behind it: takes
/// every operation over, hands out the rows it was given, and can be told to misbehave.
class ScriptedServer {
 public:
  explicit ScriptedServer(sim::Timeline& timeline);

  std::unique_ptr<Transport> transport();

  /// Handed out with the next end.
  std::vector<CutDown> cuts;
  ErrorCode enrol_answer{};  ///< 0: welcome
  std::uint32_t roles =
      static_cast<std::uint32_t>(RoleSet{Role::kGridWorker}.bits());  ///< the worker's, everywhere
  bool reachable = true;
  bool answers = true;
  bool talks_nonsense = false;
  std::uint32_t busy_ms = 0;  ///< takes nothing, and asks to wait for so long
  OutcomeStatus outcome = OutcomeStatus::kAccepted;
  std::uint64_t backed_up = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> epochs = {{77, 1}};  ///< id, start seq

  std::vector<v1::Hello> hellos;
  std::vector<Operation> taken;
  std::uint64_t seq = 10;

 private:
  friend class ScriptedCall;
  friend class ScriptedTransport;

  std::vector<std::string> answer(const std::string& frame);
  v1::Welcome welcome() const;
  v1::Acks take(const OperationsUp& up);
  std::vector<std::string> rows_and_end();

  sim::Timeline& timeline_;
  std::set<std::string> hashes_;
};

}  // namespace gridwhistle

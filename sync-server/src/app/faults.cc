#include "app/faults.h"

#include <nlohmann/json.hpp>

#include "terminal/printable.h"

namespace gridwhistle::app {

std::string fault_line(const import::Problem& fault, const Output& output) {
  if (!output.json) return terminal::printable(output.say(fault.text())) + "\n";
  nlohmann::ordered_json told = {{"error", name_of(ErrorCode::kInvalid)},
                                 {"message", output.say(fault.reason)},
                                 {"file", fault.file}};
  if (fault.line != 0) told["line"] = fault.line;
  return told.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace gridwhistle::app

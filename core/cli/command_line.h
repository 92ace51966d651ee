#pragma once

#include <memory>

#include "cli/commands.h"

namespace gridwhistle::cli {

/// The commands there are, described in the reader's language. Parsing with it fills `settings` and
/// `chosen`, which outlive it; which language it is stands in `settings` before.
std::unique_ptr<CLI::App> make_app(Settings& settings, Chosen& chosen);

}  // namespace gridwhistle::cli

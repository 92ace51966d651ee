#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "cli/output.h"
#include "cli/phone.h"

namespace gridwhistle::cli {

/// What a command does once the phone is open.
using Action = std::function<Exit(Phone&, const Output&)>;

/// Where commands say what the parsed line asks for.
struct Chosen {
  Action action;
  std::function<Exit(const Output&)> without_phone;  ///< in place of `action`: opens no file
  bool reads_only = false;  ///< it is done also where the phone's file cannot be written now
};

/// Each adds its commands to `app`; a command that was given sets `chosen`. Both outlive parsing.
void add_record_commands(CLI::App& app, const Settings& settings, Chosen& chosen);
void add_whistle_commands(CLI::App& app, const Settings& settings, Chosen& chosen);
void add_attachment_commands(CLI::App& app, const Settings& settings, Chosen& chosen);
void add_sync_commands(CLI::App& app, const Settings& settings, Chosen& chosen);

}  // namespace gridwhistle::cli

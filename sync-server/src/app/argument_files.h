#pragma once

#include "app/command.h"
#include "gridwhistle/status.h"

namespace gridwhistle::app {

/// The files that a command's arguments name, read where it was typed, so that a server running
/// elsewhere or as another account need not see them. A folder stands for the known files in it.
///
/// Errors: kNotFound, kTooLarge, kIo; the message names the file.
Result<Files> read_argument_files(const CountyCommand& command);

}  // namespace gridwhistle::app

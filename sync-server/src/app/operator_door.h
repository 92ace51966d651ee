#pragma once

#include "app/county_thread.h"
#include "app/run.h"
#include "rpc/admin.h"

namespace gridwhistle::app {

/// Runs the commands that come through the operators' socket, on the county's thread, with the same
/// functions that the program runs on the file.
rpc::AdminHandler operator_handler(CountyThread& thread, Clock& clock, ServerConfig config,
                                   std::string key_sha256);

/// Which language a reader reads who asked for `wanted` ("zh", "en"), or "".
Language language_of(std::string_view wanted);

}  // namespace gridwhistle::app

#pragma once

#include <string>

// The longer texts of `gridwhistle-server --help`, in both languages (see base/line.h).
namespace gridwhistle::app {

/// What the program is for, and a first day with it.
std::string about_program();

/// What all commands have in common: where they run, exit codes.
std::string program_footer();

/// The files that `import` takes.
std::string about_import_files();

}  // namespace gridwhistle::app

#include <sys/stat.h>

#include <cstdio>
#include <exception>

#include "app/program.h"
#include "sqlite/connection.h"

int main(int count, char** words) {
  using gridwhistle::app::ExitCode;
  // Databases, backups and keys hold what only the server's own account may read.
  umask(077);
  gridwhistle::sqlite::count_no_memory();
  const gridwhistle::app::Output terminal{
      [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); },
      [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }};
  try {
    const int code = gridwhistle::app::run_program({words + 1, words + count}, terminal);
    return std::fflush(stdout) == 0 ? code : static_cast<int>(ExitCode::kBroken);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gridwhistle-server: %s\n", error.what());
    return static_cast<int>(ExitCode::kBroken);
  }
}

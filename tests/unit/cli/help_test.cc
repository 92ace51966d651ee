#include "terminal/help.h"

#include <catch2/catch.hpp>

#include "cli/command_line.h"

using namespace gridwhistle;

TEST_CASE("Every command and option of gw is described in both languages") {
  for (const bool chinese : {true, false}) {
    cli::Settings settings{.chinese = chinese};
    cli::Chosen chosen;
    CHECK(terminal::described_in_one_language(*cli::make_app(settings, chosen)) ==
          std::vector<std::string>{});
  }
}

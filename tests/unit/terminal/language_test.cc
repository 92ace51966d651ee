#include "terminal/language.h"

#include <catch2/catch.hpp>
#include <cstdlib>

using gridwhistle::terminal::reads_chinese;

TEST_CASE("The reader's language is what was asked for, else the terminal's") {
  unsetenv("LC_ALL");
  unsetenv("LC_MESSAGES");
  setenv("LANG", "zh_CN.UTF-8", 1);
  CHECK(reads_chinese({"status"}));
  CHECK_FALSE(reads_chinese({"status", "--lang", "en"}));
  CHECK_FALSE(reads_chinese({"--lang=en", "status"}));
  CHECK(reads_chinese({"--lang", "fr", "status"}));
  setenv("LC_MESSAGES", "en_GB.UTF-8", 1);
  CHECK_FALSE(reads_chinese({"status"}));
  CHECK(reads_chinese({"--lang", "en", "--lang", "zh"}));
  setenv("LC_ALL", "zh_CN", 1);
  CHECK(reads_chinese({}));
}

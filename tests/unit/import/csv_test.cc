#include "import/csv.h"

#include <catch2/catch.hpp>

#include "import/limits.h"

using namespace gridwhistle::import;

namespace {

using Values = std::vector<std::vector<std::string>>;

Values values_of(const std::string& text) {
  Problems problems;
  Values values;
  for (const CsvRow& row : read_csv("t.csv", text, problems)) values.push_back(row.values);
  REQUIRE(problems.none());
  return values;
}

std::string problem_of(const std::string& text) {
  Problems problems;
  read_csv("t.csv", text, problems);
  return problems.none() ? "" : problems.kept()[0].text().en;
}

}  // namespace

TEST_CASE("Values in quotes hold commas, line ends and doubled quotes") {
  CHECK(values_of("a,\"b,\"\"c\"\"\nd\",e\n") == Values{{"a", "b,\"c\"\nd", "e"}});
}

TEST_CASE("CRLF, a byte order mark, empty lines and a last line without an end change nothing") {
  CHECK(values_of("\xEF\xBB\xBF"
                  "a,b\r\n\r\n1,\"二\"\r\n3,") == Values{{"a", "b"}, {"1", "二"}, {"3", ""}});
}

TEST_CASE("A row knows its line, also after a value of several lines") {
  Problems problems;
  const auto rows = read_csv("t.csv", "a\n\"1\n2\"\nb\n", problems);
  REQUIRE(rows.size() == 3);
  CHECK(rows[1].line == 2);
  CHECK(rows[2].line == 4);
}

TEST_CASE("Every way in which a table can be broken is named with its line") {
  CHECK(problem_of("a\n\"b\nc") == "t.csv:2: a quote is not closed");
  CHECK(problem_of("a\nb\"c\n") == "t.csv:2: a quote stands inside a value that is not in quotes");
  CHECK(problem_of("a\n\"b\"c\n") == "t.csv:2: a comma is missing after a quote");
  CHECK(problem_of(std::string("a\nb\0c\n", 6)) ==
        "t.csv:2: the text is not UTF-8, or has a NUL in it");
  CHECK(problem_of("a\n\xC3\x28\n") == "t.csv:2: the text is not UTF-8, or has a NUL in it");
  CHECK(problem_of("a\n\xED\xA0\x80\n") == "t.csv:2: the text is not UTF-8, or has a NUL in it");
  CHECK(problem_of("a\n" + std::string(limits::kValueBytes + 1, 'x')) ==
        "t.csv:2: a value is too long");
  CHECK(problem_of("a\n" + std::string(limits::kColumns, ',')) == "t.csv:2: too many columns");
}

TEST_CASE("A value of exactly the longest length is read") {
  CHECK(values_of(std::string(limits::kValueBytes, 'x'))[0][0].size() == limits::kValueBytes);
}

TEST_CASE("A table of one row more than allowed is refused") {
  std::string text = "a\n";
  for (std::size_t i = 0; i < limits::kRows; ++i) text += "1\n";
  CHECK(problem_of(text).empty());
  CHECK(problem_of(text + "1\n") == "t.csv:100002: more than 100000 rows");
}

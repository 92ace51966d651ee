#include <catch2/catch.hpp>

#include "county.h"

namespace gridwhistle::routing {
namespace {

RuleBook book_with(std::vector<RoutingRule> rules) {
  RuleBook book = small_county();
  book.rules = std::move(rules);
  for (std::size_t i = 0; i < book.rules.size(); ++i) {
    book.rules[i].line = static_cast<std::uint32_t>(10 + i);
  }
  return book;
}

// With two items for one category.
RuleBook both_list_02(std::vector<RoutingRule> rules) {
  RuleBook book = book_with(std::move(rules));
  book.items[1].categories.emplace_back("02");
  return book;
}

// The one problem of a book; fails when there are more or none.
Problem only_problem(const RuleBook& book) {
  const std::vector<Problem> problems = check(book, kNow);
  REQUIRE(problems.size() == 1);
  CHECK_FALSE(problems[0].text.zh.empty());
  CHECK_FALSE(problems[0].text.en.empty());
  return problems[0];
}

}  // namespace

TEST_CASE("a sound book has no problems") {
  CHECK(check(book_with({rule_to("F1", "R1"), rule_to("F2", "R1")}), kNow).empty());
}

TEST_CASE("two rules of equal rank that can match one whistle contradict unless they agree") {
  RoutingRule one = rule_to("F1", "R1");
  RoutingRule other = rule_to("F2", "R2");
  one.category_prefix = other.category_prefix = "02";
  one.area_prefix = "990101001000";
  other.area_prefix = "990101001";
  const Problem problem = only_problem(both_list_02({one, other}));
  CHECK(problem.kind == ProblemKind::kContradiction);
  CHECK(problem.code == "F2");
  CHECK(problem.line == 11);
  CHECK(problem.other == "F1");

  SECTION("another priority settles it") {
    other.priority = 1;
    CHECK(check(both_list_02({one, other}), kNow).empty());
  }
  SECTION("one more condition settles it") {
    other.emergency = true;
    CHECK(check(both_list_02({one, other}), kNow).empty());
  }
  SECTION("conditions that exclude each other settle it") {
    one.emergency = false;
    other.emergency = true;
    CHECK(check(both_list_02({one, other}), kNow).empty());
  }
  SECTION("different conditions of equal number do not: one whistle may meet both") {
    one.source = Source::kHotline;
    other.emergency = true;
    CHECK(only_problem(both_list_02({one, other})).kind == ProblemKind::kContradiction);
  }
  SECTION("one after the other they do not meet") {
    one.valid = {0, kNow + kDay};
    other.valid = {kNow + kDay, 0};
    CHECK(check(both_list_02({one, other}), kNow).empty());
  }
}

TEST_CASE("two rules of equal rank contradict in whatever decides the outcome, and it is named") {
  const RoutingRule one = rule_to("F1", "R1");
  RoutingRule other = rule_to("F2", "R1");
  other.title = "another title decides nothing";
  const auto differs_in = [&](const std::string& what) {
    const Problem problem = only_problem(book_with({one, other}));
    CHECK(problem.kind == ProblemKind::kContradiction);
    CHECK(problem.line == 11);
    CHECK(problem.text.en == "F2 and F1 match alike with one priority and differ in: " + what);
  };
  SECTION("the lead's level") {
    other.lead_level = Level::kCounty;
    differs_in("lead_level");
  }
  SECTION("the co-departments") {
    other.co_department_types = {"water"};
    differs_in("co_department_types");
  }
  SECTION("the time limits and the pipeline") {
    other.time_limit_profile = "slow";
    other.pipeline = "cut";
    differs_in("time_limit_profile, pipeline");
  }
  SECTION("but not in a level written out that the item has anyway") {
    RuleBook book = book_with({one, other});
    book.items[0].levels = {Level::kTown};
    book.rules[1].lead_level = Level::kTown;
    CHECK(check(book, kNow).empty());
  }
}

TEST_CASE("a rule to an item that is not on the list points nowhere") {
  const Problem problem = only_problem(book_with({rule_to("F1", "R9")}));
  CHECK(problem.kind == ProblemKind::kUnknownItem);
  CHECK(problem.code == "F1");
  CHECK(problem.line == 10);
  CHECK(problem.other == "R9");
}

TEST_CASE("a rule that is about nothing its item lists is a mistake") {
  RuleBook book = book_with({rule_to("F1", "R1")});
  book.items[0].categories = {"0201", "03"};
  book.rules[0].category_prefix = "0202";
  const Problem problem = only_problem(book);
  CHECK(problem.kind == ProblemKind::kCategoryNotListed);
  CHECK(problem.code == "F1");
  CHECK(problem.other == "R1");
  book.rules[0].category_prefix = "02";
  CHECK(check(book, kNow).empty());
  book.rules[0].category_prefix = "020102";
  CHECK(check(book, kNow).empty());
  book.rules[0].category_prefix = "03";
  CHECK(check(book, kNow).empty());
}

TEST_CASE("a rule to an item that is over is found before it misleads anybody") {
  RuleBook book = book_with({rule_to("F1", "R1")});
  book.items[0].valid = {0, kNow};
  CHECK(only_problem(book).kind == ProblemKind::kItemNotInForce);
  book.rules[0].valid = {0, kNow};
  CHECK(check(book, kNow).empty());
}

TEST_CASE("a department type that nobody has is found in items and in rules") {
  RuleBook book = book_with({rule_to("F1", "R1")});
  book.items[2].co_department_types.push_back("observatory");
  Problem problem = only_problem(book);
  CHECK(problem.kind == ProblemKind::kUnknownDepartmentType);
  CHECK(problem.code == "R3");
  CHECK(problem.other == "observatory");
  book.items[2].co_department_types.pop_back();
  book.rules[0].co_department_types = {"observatory"};
  problem = only_problem(book);
  CHECK(problem.code == "F1");
}

TEST_CASE("an area where no organisation of the type serves is named") {
  RuleBook book = book_with({rule_to("F1", "R1")});
  book.organisations.erase(book.organisations.begin());
  const Problem problem = only_problem(book);
  CHECK(problem.kind == ProblemKind::kNoOrganisation);
  CHECK(problem.code == "F1");
  CHECK(problem.other == "990101002001");

  SECTION("but not when the rule is for elsewhere") {
    book.rules[0].area_prefix = "990101001000";
    CHECK(check(book, kNow).empty());
  }
}

TEST_CASE("a rule for an area outside the county is found") {
  RuleBook book = book_with({rule_to("F1", "R1")});
  book.rules[0].area_prefix = "990102000000";
  const Problem problem = only_problem(book);
  CHECK(problem.kind == ProblemKind::kUnknownArea);
  CHECK(problem.other == "990102000000");
}

TEST_CASE("a lead level that the item does not allow is found") {
  RuleBook book = book_with({rule_to("F1", "R2")});
  book.rules[0].lead_level = Level::kTown;
  CHECK(only_problem(book).kind == ProblemKind::kLevelNotAllowed);
}

TEST_CASE("codes that come twice, or not at all, are found with their line") {
  RuleBook book = book_with({rule_to("F1", "R1"), rule_to("F1", "R1")});
  Problem problem = only_problem(book);
  CHECK(problem.kind == ProblemKind::kDuplicateCode);
  CHECK(problem.line == 11);
  book.rules[1].code.clear();
  CHECK(only_problem(book).kind == ProblemKind::kNoCode);

  book = book_with({rule_to("F1", "R1")});
  book.items.push_back(book.items[0]);
  CHECK(only_problem(book).kind == ProblemKind::kDuplicateCode);
  book.items.back().list_version = "2027-1";
  CHECK(check(book, kNow).empty());

  book.organisations.push_back(book.organisations[0]);
  problem = only_problem(book);
  CHECK(problem.kind == ProblemKind::kDuplicateCode);
  CHECK(problem.code == "CITY-WORKS");
}

}  // namespace gridwhistle::routing

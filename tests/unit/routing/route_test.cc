#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "county.h"
#include "gridwhistle/v1/reference.pb.h"

namespace gridwhistle::routing {
namespace {

std::string decided_by(const RuleBook& book, const Facts& facts) { return route(book, facts).rule; }

// A rule of few enough conditions that random ones often meet.
RoutingRule random_rule(std::size_t number) {
  RoutingRule rule =
      rule_to("F" + std::to_string(number), *rc::gen::element<std::string>("R1", "R2", "R3"));
  rule.category_prefix = *rc::gen::element<std::string>("", "0", "02", "02001", "03");
  rule.area_prefix =
      *rc::gen::element<std::string>("", "990101", "990101001000", "990101001001", "990101002");
  rule.priority = *rc::gen::inRange(0, 3);
  if (*rc::gen::inRange(0, 3) == 0)
    rule.source = *rc::gen::element(Source::kWorker, Source::kHotline);
  if (*rc::gen::inRange(0, 3) == 0) rule.emergency = *rc::gen::arbitrary<bool>();
  if (*rc::gen::inRange(0, 4) == 0) rule.grid_type = GridType::kBasic;
  rule.lead_level = *rc::gen::element(Level::kUnspecified, Level::kTown, Level::kCounty);
  return rule;
}

Facts random_facts() {
  Facts facts = a_manhole();
  facts.category = *rc::gen::element<std::string>("02001", "02002", "03001", "09001");
  facts.area = *rc::gen::element<std::string>("990101001001003", "990101001002001",
                                              "990101002001001", "990101002000");
  facts.source = *rc::gen::element(Source::kWorker, Source::kHotline);
  facts.emergency = *rc::gen::arbitrary<bool>();
  return facts;
}

RuleBook random_book() {
  RuleBook book = small_county();
  const auto count = *rc::gen::inRange<std::size_t>(0, 9);
  for (std::size_t i = 0; i < count; ++i) book.rules.push_back(random_rule(i));
  return book;
}

}  // namespace

TEST_CASE("a rule leads by its item to the organisation that serves the area at its level") {
  RuleBook book = small_county();
  book.rules = {rule_to("F1", "R1")};
  book.rules[0].lead_level = Level::kTown;
  book.rules[0].time_limit_profile = "quick";
  book.rules[0].pipeline = "plain";
  const Route found = route(book, a_manhole());
  CHECK_FALSE(found.is_headless());
  CHECK(found.rule == "F1");
  CHECK(found.item == "R1");
  CHECK(found.list_version == "2026-1");
  CHECK(found.lead == id_of(book, "TOWN1-WORKS"));
  CHECK(found.lead_level == Level::kTown);
  CHECK(found.co_departments == std::vector<RecordId>{id_of(book, "TOWN1-POLICE")});
  CHECK(found.time_limit_profile == "quick");
  CHECK(found.pipeline == "plain");
}

TEST_CASE("where a town has no such organisation, the county's leads") {
  RuleBook book = small_county();
  book.rules = {rule_to("F1", "R1")};
  Facts facts = a_manhole();
  facts.area = "990101002001001";
  CHECK(route(book, facts).lead == id_of(book, "CITY-WORKS"));
}

TEST_CASE("without a lead level the item's lowest counts, and never below the whistle's own") {
  RuleBook book = small_county();
  book.rules = {rule_to("F1", "R1")};
  Facts facts = a_manhole();
  CHECK(route(book, facts).lead == id_of(book, "TOWN1-WORKS"));
  facts.level = Level::kCounty;
  CHECK(route(book, facts).lead == id_of(book, "CITY-WORKS"));
}

TEST_CASE("the longer category prefix goes before the longer area prefix") {
  RuleBook book = small_county();
  book.rules = {rule_to("AREA", "R1"), rule_to("CATEGORY", "R2")};
  book.rules[0].category_prefix = "02";
  book.rules[0].area_prefix = "990101001001003";
  book.rules[1].category_prefix = "02001";
  CHECK(decided_by(book, a_manhole()) == "CATEGORY");
}

TEST_CASE("the longer area prefix goes before more of the other conditions") {
  RuleBook book = small_county();
  book.rules = {rule_to("AREA", "R1"), rule_to("OTHERS", "R2")};
  book.rules[0].area_prefix = "990101001000";
  book.rules[1].area_prefix = "990101";
  book.rules[1].source = Source::kWorker;
  book.rules[1].emergency = false;
  book.rules[1].grid_type = GridType::kBasic;
  book.rules[1].whistle_class = WhistleClass::kRoutine;
  CHECK(decided_by(book, a_manhole()) == "AREA");
}

TEST_CASE("more of the other conditions go before the priority, the priority before the code") {
  RuleBook book = small_county();
  book.rules = {rule_to("B", "R1"), rule_to("A", "R2"), rule_to("C", "R3")};
  CHECK(decided_by(book, a_manhole()) == "A");
  book.rules[0].priority = 5;
  CHECK(decided_by(book, a_manhole()) == "B");
  book.rules[2].source = Source::kWorker;
  CHECK(decided_by(book, a_manhole()) == "C");
}

TEST_CASE("a whole area code stands for the area it names, zeros left out") {
  CHECK(area_prefix_of("990101001001") == "990101001001");
  CHECK(area_prefix_of("990101001000") == "990101001");
  CHECK(area_prefix_of("990101000000") == "990101");
  CHECK(area_prefix_of("990100000000") == "9901");
  CHECK(area_prefix_of("990101001001000") == "990101001001000");
  CHECK(area_prefix_of("990101") == "990101");
  CHECK(area_prefix_of("").empty());
}

TEST_CASE("no rule: the whistle has no head, and every rule says why it did not match") {
  RuleBook book = small_county();
  book.rules = {rule_to("F1", "R1"), rule_to("F2", "R2")};
  book.rules[0].category_prefix = "09";
  book.rules[0].emergency = true;
  book.rules[1].valid = {0, kNow};
  const Route found = route(book, a_manhole());
  CHECK(found.headless == Headless::kNoRule);
  CHECK(found.lead.is_nil());
  REQUIRE(found.explain.size() == 3);
  CHECK(found.explain[0].en ==
        "Rule F1 rule F1: does not match (another category, emergency or not)");
  CHECK(found.explain[0].zh == "规则 F1 rule F1：不匹配（事项分类不符、紧急程度不符）");
  CHECK(found.explain[1].en == "Rule F2 rule F2: does not match (not in force)");
  CHECK(found.reason == found.explain[2]);
}

TEST_CASE("a rule that leads nowhere makes the whistle headless; none less specific takes it") {
  RuleBook book = small_county();
  book.rules = {rule_to("F1", "R9"), rule_to("F2", "R1")};
  book.rules[0].category_prefix = "02";
  Route found = route(book, a_manhole());
  CHECK(found.headless == Headless::kUnknownItem);
  CHECK(found.rule == "F1");

  book.rules[0].responsibility_item = "R2";
  book.items[1].valid = {0, kNow};
  found = route(book, a_manhole());
  CHECK(found.headless == Headless::kItemNotValid);

  book.items[1].valid = {};
  book.items[1].lead_department_type = "observatory";
  found = route(book, a_manhole());
  CHECK(found.headless == Headless::kNoOrganisation);
  CHECK(found.item == "R2");
  CHECK(found.lead.is_nil());
}

TEST_CASE(
    "co-departments come once each, never the lead, and a missing one is said to be missing") {
  RuleBook book = small_county();
  book.rules = {rule_to("F1", "R3")};
  book.rules[0].co_department_types = {"water", "police", "observatory"};
  const Route found = route(book, a_manhole());
  CHECK(found.lead == id_of(book, "TOWN1-POLICE"));
  CHECK(found.co_departments ==
        std::vector<RecordId>{id_of(book, "TOWN1-WORKS"), id_of(book, "WATER")});
  CHECK(found.explain.back().en == "Co-department: none of the type observatory, left out");
}

TEST_CASE("of two versions of an item the one in force counts") {
  RuleBook book = small_county();
  book.rules = {rule_to("F1", "R1")};
  book.items.push_back(book.items[0]);
  book.items[0].valid = {0, kNow + kDay};
  book.items.back().valid = {kNow + kDay, 0};
  book.items.back().list_version = "2027-1";
  Facts facts = a_manhole();
  CHECK(route(book, facts).list_version == "2026-1");
  facts.at_ms = kNow + kDay;
  CHECK(route(book, facts).list_version == "2027-1");
}

TEST_CASE("an organisation that no longer exists is not called") {
  RuleBook book = small_county();
  book.rules = {rule_to("F1", "R1")};
  book.organisations[1].valid = {0, kNow};
  CHECK(route(book, a_manhole()).lead == id_of(book, "CITY-WORKS"));
}

TEST_CASE("a matter is on a receiver's list when an item in force covers it at that level") {
  const RuleBook book = small_county();
  CHECK(is_on_list(book, "02001", Level::kTown, kNow));
  CHECK_FALSE(is_on_list(book, "02001", Level::kVillage, kNow));
  CHECK_FALSE(is_on_list(book, "03001", Level::kTown, kNow));
  CHECK_FALSE(is_on_list(book, "09001", Level::kTown, kNow));
}

TEST_CASE("the numbers of grid types are those of the wire") {
  CHECK(static_cast<int>(GridType::kBasic) == v1::GRID_TYPE_BASIC);
  CHECK(static_cast<int>(GridType::kDedicated) == v1::GRID_TYPE_DEDICATED);
  CHECK(static_cast<int>(GridType::kMicro) == v1::GridType_MAX);
}

TEST_CASE("the order of the lists does not matter") {
  CHECK(rc::check("any order", [] {
    const RuleBook book = random_book();
    const Facts facts = random_facts();
    RuleBook shuffled = book;
    std::ranges::reverse(shuffled.organisations);
    std::ranges::reverse(shuffled.items);
    const auto turn =
        book.rules.empty() ? 0U : *rc::gen::inRange<std::size_t>(0, book.rules.size());
    std::ranges::rotate(shuffled.rules, shuffled.rules.begin() + static_cast<std::ptrdiff_t>(turn));
    const Route one = route(book, facts);
    const Route other = route(shuffled, facts);
    RC_ASSERT(one.rule == other.rule);
    RC_ASSERT(one.lead == other.lead);
    RC_ASSERT(one.co_departments == other.co_departments);
    RC_ASSERT(one.explain == other.explain);
  }));
}

TEST_CASE("the rule that decides matches, and none that matches goes before it") {
  CHECK(rc::check("most specific first", [] {
    const RuleBook book = random_book();
    const Facts facts = random_facts();
    const Route found = route(book, facts);
    const auto decided = std::ranges::find(book.rules, found.rule, &RoutingRule::code);
    for (const RoutingRule& rule : book.rules) {
      if (!broken_conditions(rule, facts).empty()) continue;
      RC_ASSERT(decided != book.rules.end());
      RC_ASSERT(!goes_before(rule, *decided));
    }
    if (decided != book.rules.end()) RC_ASSERT(broken_conditions(*decided, facts).empty());
    RC_ASSERT((decided == book.rules.end()) == (found.headless == Headless::kNoRule));
    RC_ASSERT(found.explain.size() > book.rules.size());
  }));
}

TEST_CASE("in a book without problems every rule that matches has somebody to lead") {
  CHECK(rc::check("checked books lead somewhere", [] {
    RuleBook book = random_book();
    if (*rc::gen::inRange(0, 2) == 0) book.organisations.erase(book.organisations.begin());
    if (!check(book, kNow).empty()) return;
    const Facts facts = random_facts();
    const Route found = route(book, facts);
    RC_ASSERT(found.headless == Headless::kNo || found.headless == Headless::kNoRule);
  }));
}

}  // namespace gridwhistle::routing

#include "county.h"

#include <stdexcept>

namespace gridwhistle::routing {
namespace {

Organisation organisation(std::uint64_t number, std::string code, Level level, std::string type,
                          std::string area) {
  Organisation made;
  made.id = RecordId::make(DeviceId(0x72), number);
  made.name = code;
  made.code = std::move(code);
  made.level = level;
  made.department_type = std::move(type);
  made.area12 = std::move(area);
  made.line = static_cast<std::uint32_t>(number);
  return made;
}

ResponsibilityItem item(std::string code, std::string type, std::vector<std::string> others,
                        std::vector<Level> levels, std::vector<std::string> categories) {
  ResponsibilityItem made;
  made.title = "item " + code;
  made.code = std::move(code);
  made.lead_department_type = std::move(type);
  made.co_department_types = std::move(others);
  made.levels = std::move(levels);
  made.categories = std::move(categories);
  made.list_version = "2026-1";
  return made;
}

}  // namespace

RuleBook small_county() {
  RuleBook book;
  book.areas = {"990101000000", "990101001000", "990101001001", "990101001002",
                "990101002000", "990101002001", "990101002002"};
  book.organisations = {
      organisation(1, "CITY-WORKS", Level::kCounty, "works", "990101000000"),
      organisation(2, "TOWN1-WORKS", Level::kTown, "works", "990101001000"),
      organisation(3, "WATER", Level::kCounty, "water", ""),
      organisation(4, "POLICE", Level::kCounty, "police", "990101000000"),
      organisation(5, "TOWN1-POLICE", Level::kTown, "police", "990101001000"),
      organisation(6, "TOWN2-POLICE", Level::kTown, "police", "990101002000"),
  };
  book.items = {
      item("R1", "works", {"police"}, {Level::kTown, Level::kCounty}, {"02"}),
      item("R2", "water", {}, {Level::kCounty}, {"03"}),
      item("R3", "police", {"works", "water"}, {Level::kTown}, {"04", "05"}),
  };
  return book;
}

RoutingRule rule_to(const std::string& code, const std::string& item) {
  RoutingRule rule;
  rule.code = code;
  rule.title = "rule " + code;
  rule.responsibility_item = item;
  return rule;
}

Facts a_manhole() {
  Facts facts;
  facts.category = "02001";
  facts.area = "990101001001003";
  facts.grid_type = GridType::kBasic;
  facts.source = Source::kWorker;
  facts.whistle_class = WhistleClass::kRoutine;
  facts.at_ms = kNow;
  return facts;
}

RecordId id_of(const RuleBook& book, const std::string& code) {
  for (const Organisation& candidate : book.organisations) {
    if (candidate.code == code) return candidate.id;
  }
  throw std::runtime_error("no organisation " + code);
}

}  // namespace gridwhistle::routing

#include "bench/workload.h"

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

namespace gridwhistle::bench {

namespace {

using nlohmann::json;

/// SplitMix64: small, well known, the same everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t roll(std::uint64_t sides) { return next() % sides; }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(roll(static_cast<std::uint64_t>(high - low + 1)));
  }
  template <typename List>
  const auto& pick(const List& list) {
    return list[roll(std::size(list))];
  }

 private:
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

constexpr const char* kPhrases[] = {
    "沿河步道巡查一遍",   "村口告示栏已换新",   "老人家中水管滴水",   "约好周五带师傅来修",
    "路口树枝挡住信号灯", "已联系绿化队修剪",   "出租屋新来一家三口", "提醒办理登记手续",
    "电动车在楼道充电",   "当面讲清火灾危险",   "门前污水井盖松动",   "摆上警示桩拍照上报",
    "两家为停车位争执",   "劝双方坐下来商量",   "一切正常没有发现",   "给独居户送去药品",
    "燃气软管有老化痕迹", "夜间巡逻灯光充足",   "学校门口秩序良好",   "工地噪声居民有意见",
    "垃圾点当天已经清走", "积水路段放置提示牌", "台风前检查广告牌",   "田埂上有人焚烧秸秆",
};
constexpr const char* kPunctuation[] = {"，", "。", "；", "，"};
constexpr const char* kSurnames[] = {"甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸"};
constexpr const char* kGivenNames[] = {"一", "二", "三", "四", "五", "六",
                                       "七", "八", "九", "十", "百", "千"};
constexpr const char* kRelations[] = {"配偶", "子", "女", "父", "母", "孙", "其他"};
constexpr const char* kPurposes[] = {"patrol", "household", "safety", "care", "service"};
constexpr std::int64_t kFirstMs = 1'760'000'000'000;

/// About `characters` Chinese characters of notes, with a number here and there.
std::string notes(Dice& dice, std::int64_t characters) {
  std::string text;
  for (std::int64_t length = 0; length < characters; length += 9) {
    text += dice.pick(kPhrases);
    if (dice.roll(5) == 0) text += std::to_string(dice.between(1, 9999));
    text += dice.pick(kPunctuation);
  }
  return text;
}

std::string made_up_name(Dice& dice) {
  return std::string(dice.pick(kSurnames)) + dice.pick(kGivenNames) + dice.pick(kGivenNames);
}

std::string grid_code(std::uint64_t index) {
  const std::string village = std::to_string(index / 10 + 1);
  const std::string grid = std::to_string(index % 10 + 1);
  return "440811100" + std::string(3 - village.size(), '0') + village +
         std::string(3 - grid.size(), '0') + grid;
}

v1::Resident make_member(Dice& dice, bool head) {
  v1::Resident member;
  member.set_name(made_up_name(dice));
  member.set_relation(head ? "户主" : dice.pick(kRelations));
  member.set_birth_year(dice.between(1938, 2024));
  member.set_phone("100" + std::to_string(dice.between(10'000'000, 99'999'999)));
  return member;
}

void fill_visit(Dice& dice, std::int64_t at_ms, v1::Visit& visit) {
  visit.set_kind(v1::VISIT_KIND_PATROL);
  visit.set_started_ms(at_ms);
  visit.set_ended_ms(at_ms + dice.between(180'000, 3'600'000));
  visit.set_latitude(21.2 + static_cast<double>(dice.between(0, 250'000)) / 1e6);
  visit.set_longitude(110.2 + static_cast<double>(dice.between(0, 300'000)) / 1e6);
  visit.set_purpose(dice.pick(kPurposes));
  visit.set_notes(notes(dice, dice.between(40, 120)));
}

void fill_whistle(Dice& dice, std::int64_t at_ms, v1::Whistle& whistle) {
  whistle.set_whistle_class(static_cast<v1::WhistleClass>(dice.between(1, 3)));
  whistle.set_category("0" + std::to_string(dice.between(1, 8)) + "0" +
                       std::to_string(dice.between(10, 21)));
  whistle.set_title(notes(dice, dice.between(8, 18)));
  whistle.set_text(notes(dice, dice.between(60, 200)));
  whistle.set_latitude(21.2 + static_cast<double>(dice.between(0, 250'000)) / 1e6);
  whistle.set_longitude(110.2 + static_cast<double>(dice.between(0, 300'000)) / 1e6);
  whistle.set_reported_ms(at_ms);
}

Item make_item(Dice& dice, std::size_t index) {
  using enum Item::Kind;
  static constexpr std::array<Item::Kind, 10> kCycle = {kVisit, kHousehold, kVisit, kWhistle,
                                                        kVisit, kHousehold, kVisit, kWhistle,
                                                        kVisit, kHousehold};
  Item item;
  item.kind = kCycle[index % kCycle.size()];
  const std::string grid = grid_code(dice.roll(100));
  const std::int64_t at_ms =
      kFirstMs + static_cast<std::int64_t>(index) * 37'000 + dice.between(0, 30'000);
  switch (item.kind) {
    case kVisit:
      item.visit.set_grid(grid);
      fill_visit(dice, at_ms, item.visit);
      break;
    case kWhistle:
      item.whistle.set_grid(grid);
      fill_whistle(dice, at_ms, item.whistle);
      break;
    case kHousehold:
      item.household.set_grid(grid);
      item.household.set_address("样板路" + std::to_string(dice.between(1, 60)) + "栋" +
                                 std::to_string(dice.between(1, 4)) + "单元" +
                                 std::to_string(dice.between(101, 3304)) + "室");
      for (std::int64_t n = dice.between(3, 6), i = 0; i < n; ++i) {
        item.members.push_back(make_member(dice, i == 0));
      }
  }
  return item;
}

/// Workload coordinates are in degrees already, classes and purposes in words.
v1::WhistleClass class_of(const std::string& word) {
  if (word == "key") return v1::WHISTLE_CLASS_KEY;
  if (word == "difficult") return v1::WHISTLE_CLASS_DIFFICULT;
  return v1::WHISTLE_CLASS_ROUTINE;
}

v1::VisitKind visit_kind_of(const std::string& purpose) {
  if (purpose == "household_visit" || purpose == "service") return v1::VISIT_KIND_HOUSEHOLD;
  if (purpose == "safety_check") return v1::VISIT_KIND_INSPECTION;
  if (purpose == "care_visit") return v1::VISIT_KIND_CARE;
  return v1::VISIT_KIND_PATROL;
}

Item visit_from(const json& line) {
  Item item;
  item.kind = Item::Kind::kVisit;
  item.visit.set_grid(line.at("grid").get<std::string>());
  item.visit.set_kind(visit_kind_of(line.at("purpose").get<std::string>()));
  item.visit.set_started_ms(line.at("started").get<std::int64_t>());
  item.visit.set_ended_ms(line.at("ended").get<std::int64_t>());
  item.visit.set_latitude(line.at("lat").get<double>());
  item.visit.set_longitude(line.at("lon").get<double>());
  item.visit.set_purpose(line.at("purpose").get<std::string>());
  item.visit.set_notes(line.at("notes").get<std::string>());
  return item;
}

Item whistle_from(const json& line) {
  Item item;
  item.kind = Item::Kind::kWhistle;
  item.whistle.set_grid(line.at("grid").get<std::string>());
  item.whistle.set_whistle_class(class_of(line.at("cls").get<std::string>()));
  item.whistle.set_category(line.at("category").get<std::string>());
  item.whistle.set_title(line.at("title").get<std::string>());
  item.whistle.set_text(line.at("body").get<std::string>());
  item.whistle.set_latitude(line.at("lat").get<double>());
  item.whistle.set_longitude(line.at("lon").get<double>());
  item.whistle.set_reported_ms(line.at("created").get<std::int64_t>());
  return item;
}

Item household_from(const json& line) {
  Item item;
  item.kind = Item::Kind::kHousehold;
  item.household.set_grid(line.at("grid").get<std::string>());
  item.household.set_address(line.at("address").get<std::string>());
  for (const json& person : line.at("members")) {
    v1::Resident member;
    member.set_name(person.at("name").get<std::string>());
    member.set_relation(person.at("relation").get<std::string>());
    member.set_birth_year(person.at("born").get<std::int64_t>());
    member.set_phone(person.at("phone").get<std::string>());
    item.members.push_back(std::move(member));
  }
  return item;
}

Item item_from(const json& line) {
  const auto kind = line.at("kind").get<std::string>();
  if (kind == "visit") return visit_from(line);
  if (kind == "whistle") return whistle_from(line);
  return household_from(line);
}

}  // namespace

std::vector<Item> make_workload(std::size_t count, std::uint64_t seed) {
  Dice dice(seed);
  std::vector<Item> items;
  items.reserve(count);
  for (std::size_t i = 0; i < count; ++i) items.push_back(make_item(dice, i));
  return items;
}

Result<std::vector<Item>> read_workload(const std::string& path, std::size_t count) {
  std::ifstream file(path);
  if (!file) return fail(ErrorCode::kNotFound, "cannot read " + path);
  std::vector<Item> items;
  std::string text;
  while (items.size() < count && std::getline(file, text)) {
    try {
      items.push_back(item_from(json::parse(text)));
    } catch (const json::exception& wrong) {
      return fail(ErrorCode::kInvalid,
                  path + ":" + std::to_string(items.size() + 1) + ": " + wrong.what());
    }
  }
  return items;
}

std::vector<std::string> bare_records(const Item& item, RecordId first_id) {
  std::vector<std::string> records;
  std::uint64_t counter = first_id.counter();
  const auto add = [&](auto record) {
    record.set_id(std::string(RecordId::make(first_id.device(), counter++).bytes()));
    records.push_back(record.SerializeAsString());
  };
  switch (item.kind) {
    case Item::Kind::kVisit:
      add(item.visit);
      break;
    case Item::Kind::kWhistle:
      add(item.whistle);
      break;
    case Item::Kind::kHousehold:
      add(item.household);
      for (v1::Resident member : item.members) {
        member.set_household(std::string(first_id.bytes()));
        add(std::move(member));
      }
  }
  return records;
}

std::vector<std::string> grids_of(const std::vector<Item>& items) {
  std::set<std::string> grids;
  for (const Item& item : items) {
    switch (item.kind) {
      case Item::Kind::kVisit:
        grids.insert(item.visit.grid());
        break;
      case Item::Kind::kWhistle:
        grids.insert(item.whistle.grid());
        break;
      case Item::Kind::kHousehold:
        grids.insert(item.household.grid());
    }
  }
  return {grids.begin(), grids.end()};
}

}  // namespace gridwhistle::bench

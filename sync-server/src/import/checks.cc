#include "import/checks.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "schema/kinds.h"

namespace gridwhistle::import {
namespace {

template <typename Message>
void complain(const Entry<Message>& entry, Problems& problems, Line reason) {
  problems.add(entry.file, entry.line, std::move(reason));
}

/// Where links are looked up.
class Directory {
 public:
  explicit Directory(const Reference& reference) : reference_(reference) {}

  /// What is missing when the link leads nowhere.
  std::optional<Line> missing(const Link& link) const {
    switch (link.to) {
      case Link::To::kArea:
        return named(reference_.areas, link, {"区划", "area"});
      case Link::To::kGrid:
        return named(reference_.grids, link, {"网格", "grid"});
      case Link::To::kOrganisation:
        return named(reference_.organisations, link, {"机构", "organisation"});
      case Link::To::kCategory:
        return named(reference_.categories, link, {"事项分类", "category"});
      case Link::To::kCategoryPrefix: {
        const auto first = reference_.categories.lower_bound(link.name);
        const bool some =
            first != reference_.categories.end() && first->first.starts_with(link.name);
        if (some) return std::nullopt;
        return Line{"没有以 " + link.name + " 开头的事项分类",
                    "there is no category that begins with " + link.name};
      }
    }
    return std::nullopt;
  }

 private:
  template <typename Message>
  static std::optional<Line> named(const ByCode<Message>& table, const Link& link,
                                   const Line& what) {
    if (table.contains(link.name)) return std::nullopt;
    return Line{"没有" + what.zh + " " + link.name, "there is no " + what.en + " " + link.name};
  }

  const Reference& reference_;
};

KindId kind_of_target(Link::To to) {
  switch (to) {
    case Link::To::kArea:
      return kinds::kAdminArea;
    case Link::To::kGrid:
      return kinds::kGrid;
    case Link::To::kOrganisation:
      return kinds::kOrgUnit;
    case Link::To::kCategory:
    case Link::To::kCategoryPrefix:
      return kinds::kCategory;
  }
  return {};
}

void check_links(const Reference& reference, const std::set<KindId>& broken, Problems& problems) {
  const Directory directory(reference);
  for (const Link& link : reference.links) {
    if (broken.contains(kind_of_target(link.to))) continue;
    if (auto missing = directory.missing(link)) {
      problems.add(link.file, link.line,
                   {link.holder.zh + missing->zh, link.holder.en + missing->en});
    }
  }
}

void check_codes(const Reference& reference, std::string_view county, Problems& problems) {
  const auto outside = [&](const auto& table) {
    for (const auto& [code, entry] : table) {
      if (code.starts_with(county)) continue;
      complain(entry, problems,
               {code + " 不在县区 " + std::string(county) + " 内",
                code + " does not lie in county " + std::string(county)});
    }
  };
  outside(reference.areas);
  outside(reference.grids);
}

void check_levels(const Reference& reference, Problems& problems) {
  for (const auto& [code, entry] : reference.organisations) {
    const auto area = reference.areas.find(entry.value.area12());
    if (area == reference.areas.end() || area->second.value.level() == entry.value.level())
      continue;
    complain(entry, problems,
             {code + " 与所在区划 " + entry.value.area12() + " 层级不同",
              code + " has another level than its area " + entry.value.area12()});
  }
  for (const auto& [code, entry] : reference.grids) {
    const auto parent = reference.grids.find(entry.value.parent15());
    if (entry.value.type() != v1::GRID_TYPE_MICRO || parent == reference.grids.end()) continue;
    if (parent->second.value.type() == v1::GRID_TYPE_MICRO) {
      complain(entry, problems,
               {code + " 属于一个微网格；应属于更大的网格",
                code + " is part of a micro-grid; it must be part of a larger one"});
    }
  }
}

/// In a file only: what the county has may have been ended before it began, which harms nobody.
void check_periods(const Reference& reference, Problems& problems) {
  const auto in_order = [&](const auto& table) {
    for (const auto& [code, entry] : table) {
      const auto& value = entry.value;
      const bool both = value.has_valid_from_ms() && value.has_valid_until_ms();
      if (!entry.imported() || !both || value.valid_from_ms() <= value.valid_until_ms()) continue;
      complain(entry, problems,
               {code + " 未开始就已结束：valid_until 早于 valid_from",
                code + " ends before it begins: valid_until lies before valid_from"});
    }
  };
  in_order(reference.areas);
  in_order(reference.grids);
  in_order(reference.items);
  in_order(reference.rules);
}

bool overlap(const v1::Grid& a, const v1::Grid& b) {
  const auto ends_before = [](const v1::Grid& one, const v1::Grid& other) {
    return one.has_valid_until_ms() && one.valid_until_ms() <= other.valid_from_ms();
  };
  return !ends_before(a, b) && !ends_before(b, a);
}

/// Two grids of one boundary at one time: a slip of copying. A micro-grid may fill its grid.
void check_boundaries(const Reference& reference, Problems& problems) {
  std::multimap<std::string, const v1::Grid*> by_boundary;
  for (const auto& [code, entry] : reference.grids) {
    by_boundary.emplace(entry.value.boundary().SerializeAsString(), &entry.value);
  }
  for (const auto& [code, entry] : reference.grids) {
    const v1::Grid& grid = entry.value;
    if (!entry.imported() || !grid.has_boundary()) continue;
    const auto same = by_boundary.equal_range(grid.boundary().SerializeAsString());
    for (auto other = same.first; other != same.second; ++other) {
      const v1::Grid& twin = *other->second;
      // Of two in files the later code is told.
      if (twin.code15() == code || !overlap(grid, twin)) continue;
      if (grid.parent15() == twin.code15() || twin.parent15() == code) continue;
      if (reference.grids.at(twin.code15()).imported() && twin.code15() > code) continue;
      complain(entry, problems,
               {code + " 的边界与 " + twin.code15() + " 完全相同",
                code + " has the very boundary of " + twin.code15()});
      break;
    }
  }
}

void check_circles(const Reference& reference, Problems& problems) {
  std::map<std::string, const Entry<v1::OrgUnit>*> by_id;
  for (const auto& [code, entry] : reference.organisations) {
    by_id.emplace(reference.id_of(kinds::kOrgUnit, code).bytes(), &entry);
  }
  for (const auto& [code, entry] : reference.organisations) {
    const Entry<v1::OrgUnit>* above = &entry;
    std::size_t steps = 0;
    while (above && above->value.has_parent() && steps++ <= by_id.size()) {
      const auto next = by_id.find(above->value.parent());
      above = next == by_id.end() ? nullptr : next->second;
    }
    if (steps > by_id.size())
      complain(entry, problems, {code + " 成了自己的上级", code + " stands above itself"});
  }
}

}  // namespace

void check(const Reference& reference, std::string_view county, const std::set<KindId>& broken,
           Problems& problems) {
  check_links(reference, broken, problems);
  check_codes(reference, county, problems);
  check_levels(reference, problems);
  check_periods(reference, problems);
  check_circles(reference, problems);
  check_boundaries(reference, problems);
}

}  // namespace gridwhistle::import

#include "import/readers.h"
#include "import/table.h"
#include "schema/kinds.h"
#include "schema/tables.h"

namespace gridwhistle::import {
namespace {

v1::Level level_of_code(std::string_view code12) {
  if (code12.ends_with("000000")) return v1::LEVEL_COUNTY;
  return code12.ends_with("000") ? v1::LEVEL_TOWN : v1::LEVEL_VILLAGE;
}

/// The code of the area around it; a county's is not ours to know.
std::string parent_of_code(const std::string& code12) {
  const bool town = level_of_code(code12) == v1::LEVEL_TOWN;
  return town ? code12.substr(0, 6) + "000000" : code12.substr(0, 9) + "000";
}

void read_place(const Table::Row& row, const std::string& code, v1::AdminArea& area,
                Reference& into) {
  const auto parent = row["parent12"].digits(12);
  if (parent) area.set_parent12(*parent);
  if (area.level() == v1::LEVEL_COUNTY) return;
  if (!parent) {
    row["parent12"].complain(
        {"镇、村要写明所在的区划", "a town or village needs the area it lies in"});
  } else if (*parent != parent_of_code(code)) {
    row["parent12"].complain({"按代码 " + code + " 属于 " + parent_of_code(code),
                              "by its code " + code + " lies in " + parent_of_code(code)});
  } else {
    into.links.push_back({Link::To::kArea, *parent, row["parent12"].file, row.line()});
  }
}

}  // namespace

void read_areas(const std::string& file, std::string_view bytes, Reference& into,
                Problems& problems) {
  const KindSchema& kind = *built_schema().kind(kinds::kAdminArea);
  const Table table(file, bytes,
                    {{"code12", true},
                     {"level", true},
                     {"name", true},
                     {"parent12"},
                     {"area_class"},
                     {"valid_from"},
                     {"valid_until"}},
                    problems);
  for (const Table::Row& row : table.rows()) {
    const auto code = row["code12"].digits(12);
    const auto level = row["level"].word(*kind.field("level"));
    if (!code || !level) continue;
    Entry<v1::AdminArea> entry{{}, file, row.line(), 0, table.left_out()};
    v1::AdminArea& area = entry.value;
    area.set_code12(*code);
    area.set_level(level_of_code(*code));
    if (*level != area.level()) {
      row["level"].complain(
          {"代码 " + *code + " 属于另一层级", "the code " + *code + " is that of another level"});
    }
    area.set_name(row["name"].name());
    read_place(row, *code, area, into);
    if (const auto v = row["area_class"].word(*kind.field("area_class"))) {
      area.set_area_class(static_cast<v1::AreaClass>(*v));
    }
    if (const auto v = row["valid_from"].date_ms()) area.set_valid_from_ms(*v);
    if (const auto v = row["valid_until"].date_ms()) area.set_valid_until_ms(*v);
    into.add(into.areas, *code, std::move(entry), problems);
  }
}

}  // namespace gridwhistle::import

#include "import/readers.h"
#include "import/table.h"
#include "schema/kinds.h"
#include "schema/tables.h"

namespace gridwhistle::import {

void read_organisations(const std::string& file, std::string_view bytes, Reference& into,
                        Problems& problems) {
  const KindSchema& kind = *built_schema().kind(kinds::kOrgUnit);
  const Table table(file, bytes,
                    {{"code", true},
                     {"name", true},
                     {"short_name"},
                     {"level", true},
                     {"department_type", true},
                     {"parent"},
                     {"area12", true},
                     {"duty_phone"},
                     {"valid_until"}},
                    problems);
  for (const Table::Row& row : table.rows()) {
    const auto code = row["code"].code();
    const auto level = row["level"].word(*kind.field("level"));
    const auto area = row["area12"].digits(12);
    if (!code || !level || !area) continue;
    Entry<v1::OrgUnit> entry{{}, file, row.line(), 0, table.left_out()};
    v1::OrgUnit& unit = entry.value;
    unit.set_code(*code);
    unit.set_name(row["name"].name());
    if (const auto v = row["short_name"].text()) unit.set_short_name(*v);
    unit.set_level(static_cast<v1::Level>(*level));
    unit.set_department_type(*row["department_type"].text());
    unit.set_area12(*area);
    into.links.push_back({Link::To::kArea, *area, file, row.line()});
    if (const auto parent = row["parent"].code()) {
      unit.set_parent(std::string(into.id_of(kinds::kOrgUnit, *parent).bytes()));
      into.links.push_back({Link::To::kOrganisation, *parent, file, row.line()});
    }
    if (const auto v = row["duty_phone"].text()) unit.set_duty_phone(*v);
    if (const auto v = row["valid_until"].date_ms()) unit.set_valid_until_ms(*v);
    into.add(into.organisations, *code, std::move(entry), problems);
  }
}

}  // namespace gridwhistle::import

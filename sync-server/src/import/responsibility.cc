#include "import/readers.h"
#include "import/table.h"
#include "import/text.h"
#include "schema/kinds.h"
#include "schema/tables.h"

namespace gridwhistle::import {
namespace {

void read_departments(const Table::Row& row, v1::ResponsibilityItem& item) {
  item.set_lead_department_type(*row["lead_department_type"].text());
  for (const std::string& type : list_of(row["co_department_types"].value)) {
    item.add_co_department_types(type);
  }
}

void read_levels(const Table::Row& row, const FieldSchema& field, v1::ResponsibilityItem& item) {
  const Cell cell = row["levels"];
  for (const std::string& word : list_of(cell.value)) {
    const Cell one{cell.file, cell.line, cell.column, word, cell.problems};
    if (const auto level = one.word(field)) item.add_levels(static_cast<v1::Level>(*level));
  }
}

void read_covered(const Table::Row& row, v1::ResponsibilityItem& item, Reference& into) {
  for (const std::string& prefix : list_of(row["categories"].value)) {
    item.add_categories(prefix);
    into.links.push_back({Link::To::kCategoryPrefix, prefix, row["categories"].file, row.line()});
  }
}

}  // namespace

void read_responsibility(const std::string& file, std::string_view bytes, Reference& into,
                         Problems& problems) {
  const KindSchema& kind = *built_schema().kind(kinds::kResponsibilityItem);
  const Table table(file, bytes,
                    {{"code", true},
                     {"title", true},
                     {"lead_department_type", true},
                     {"co_department_types"},
                     {"levels", true},
                     {"categories"},
                     {"legal_basis"},
                     {"guide"},
                     {"list_version", true},
                     {"valid_from"},
                     {"valid_until"}},
                    problems);
  for (const Table::Row& row : table.rows()) {
    const auto code = row["code"].code();
    if (!code) continue;
    Entry<v1::ResponsibilityItem> entry{{}, file, row.line(), 0, table.left_out()};
    v1::ResponsibilityItem& item = entry.value;
    item.set_code(*code);
    item.set_title(*row["title"].text());
    read_departments(row, item);
    read_levels(row, *kind.field("levels"), item);
    read_covered(row, item, into);
    if (const auto v = row["legal_basis"].text()) item.set_legal_basis(*v);
    if (const auto v = row["guide"].text()) item.set_guide(*v);
    item.set_list_version(*row["list_version"].text());
    if (const auto v = row["valid_from"].date_ms()) item.set_valid_from_ms(*v);
    if (const auto v = row["valid_until"].date_ms()) item.set_valid_until_ms(*v);
    into.add(into.items, *code, std::move(entry), problems);
  }
}

}  // namespace gridwhistle::import

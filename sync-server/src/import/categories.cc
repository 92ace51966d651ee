#include "import/readers.h"
#include "import/table.h"
#include "import/text.h"
#include "schema/kinds.h"
#include "schema/tables.h"

namespace gridwhistle::import {
namespace {

void read_parent(const Table::Row& row, const std::string& code, v1::Category& category,
                 Reference& into) {
  const auto parent = row["parent"].code();
  if (!parent) return;
  if (!code.starts_with(*parent) || code == *parent) {
    row["parent"].complain(
        {"代码 " + code + " 不以它开头", "the code " + code + " does not begin with it"});
    return;
  }
  category.set_parent(*parent);
  into.links.push_back({Link::To::kCategory, *parent, row["parent"].file, row.line()});
}

}  // namespace

void read_categories(const std::string& file, std::string_view bytes, Reference& into,
                     Problems& problems) {
  const KindSchema& kind = *built_schema().kind(kinds::kCategory);
  const Table table(file, bytes,
                    {{"code", true},
                     {"name", true},
                     {"parent"},
                     {"default_class"},
                     {"on_spot"},
                     {"emergency"},
                     {"keywords"},
                     {"help"},
                     {"valid_until"},
                     {"closing_evidence"}},
                    problems);
  for (const Table::Row& row : table.rows()) {
    const auto code = row["code"].code();
    if (!code) continue;
    Entry<v1::Category> entry{{}, file, row.line(), 0, table.left_out()};
    v1::Category& category = entry.value;
    category.set_code(*code);
    category.set_name(row["name"].name());
    read_parent(row, *code, category, into);
    if (const auto v = row["default_class"].word(*kind.field("default_class"))) {
      category.set_default_class(static_cast<v1::WhistleClass>(*v));
    }
    if (const auto v = row["on_spot"].flag()) category.set_on_spot(*v);
    if (const auto v = row["emergency"].flag()) category.set_emergency(*v);
    for (const std::string& word : list_of(row["keywords"].value)) category.add_keywords(word);
    if (const auto v = row["help"].text()) category.set_help(*v);
    if (const auto v = row["valid_until"].date_ms()) category.set_valid_until_ms(*v);
    if (const auto v = row["closing_evidence"].flag()) category.set_closing_evidence(*v);
    into.add(into.categories, *code, std::move(entry), problems);
  }
}

}  // namespace gridwhistle::import

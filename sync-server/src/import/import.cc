#include "import/import.h"

#include <algorithm>
#include <array>
#include <set>

#include "import/checks.h"
#include "import/limits.h"
#include "import/readers.h"
#include "import/rule_checks.h"
#include "schema/kinds.h"

namespace gridwhistle::import {
namespace {

using Reader = void (*)(const std::string&, std::string_view, Reference&, Problems&);

constexpr std::array<std::string_view, 7> kNames = {
    "areas.csv",      "organisations.csv",  "grids.geojson", "workers.csv",
    "categories.csv", "responsibility.csv", "rules.toml"};
constexpr std::array<Reader, 7> kReaders = {read_areas,   read_organisations, read_grids,
                                            read_workers, read_categories,    read_responsibility,
                                            read_rules};
constexpr std::array<KindId, 7> kKinds = {
    kinds::kAdminArea,          kinds::kOrgUnit,    kinds::kGrid, kinds::kWorker, kinds::kCategory,
    kinds::kResponsibilityItem, kinds::kRoutingRule};

/// A table of the reference data, by its message's code: calls `use(table, code getter)` for each.
template <typename Use>
void for_each_table(auto& reference, Use use) {
  use(reference.areas, [](const v1::AdminArea& m) { return m.code12(); });
  use(reference.organisations, [](const v1::OrgUnit& m) { return m.code(); });
  use(reference.grids, [](const v1::Grid& m) { return m.code15(); });
  use(reference.workers, [](const v1::Worker& m) { return m.code(); });
  use(reference.categories, [](const v1::Category& m) { return m.code(); });
  use(reference.items, [](const v1::ResponsibilityItem& m) { return m.code(); });
  use(reference.rules, [](const v1::RoutingRule& m) { return m.code(); });
}

template <typename Message>
void take_existing(const ReferenceRow& row, ByCode<Message>& table, auto code_of,
                   Reference& reference) {
  Message message;
  if (row.kind != kind_of<Message> || !message.ParseFromString(row.body)) return;
  const std::string code = code_of(message);
  if (row.id != reference_id(row.kind, code)) reference.other_ids[{row.kind, code}] = row.id;
  table[code] = {std::move(message), {}, 0};
}

Reference existing_reference(std::span<const ReferenceRow> rows) {
  Reference reference;
  for (const ReferenceRow& row : rows) {
    for_each_table(reference, [&](auto& table, auto code_of) {
      take_existing(row, table, code_of, reference);
    });
  }
  return reference;
}

template <typename Message>
void append_rows(const ByCode<Message>& table, const Reference& reference,
                 std::vector<ReferenceRow>& rows) {
  constexpr KindId kKind = kind_of<Message>;
  for (const auto& [code, entry] : table) {
    if (!entry.imported()) continue;
    rows.push_back({kKind, reference.id_of(kKind, code), entry.value.SerializeAsString()});
  }
}

std::string known_names() {
  std::string names;
  for (const std::string_view name : kNames) names += " " + std::string(name);
  return names;
}

// Reads it, and says in `broken` which kinds it gave less of than it should have.
void read_file(const SourceFile& file, Reference& into, std::set<KindId>& broken,
               Problems& problems) {
  const std::size_t before = problems.count();
  const std::string_view base = std::string_view(file.name).substr(file.name.rfind('/') + 1);
  const auto found = std::ranges::find(kNames, base);
  if (found == kNames.end()) {
    problems.add(file.name, 0,
                 {"从文件名看不出内容；可用的文件名：" + known_names(),
                  "its name does not say what it is; known are:" + known_names()});
    broken.insert(kKinds.begin(), kKinds.end());
    return;
  }
  const auto at = static_cast<std::size_t>(found - kNames.begin());
  if (file.bytes.size() > limits::kFileBytes) {
    const std::string most = std::to_string(limits::kFileBytes);
    problems.add(file.name, 0, {"超过 " + most + " 字节", "is larger than " + most + " bytes"});
  } else {
    kReaders[at](file.name, file.bytes, into, problems);
  }
  if (problems.count() > before) broken.insert(kKinds[at]);
}

}  // namespace

std::span<const std::string_view> file_names() { return kNames; }

std::span<const KindId> imported_kinds() { return kKinds; }

std::expected<std::vector<ReferenceRow>, Problems> read(std::span<const SourceFile> files,
                                                        std::span<const ReferenceRow> existing,
                                                        std::string_view county,
                                                        std::int64_t at_ms) {
  Reference reference = existing_reference(existing);
  Problems problems;
  std::set<KindId> broken;
  for (const SourceFile& file : files) read_file(file, reference, broken, problems);
  check(reference, county, broken, problems);
  check_rules(reference, at_ms, broken, problems);
  if (!problems.none()) return std::unexpected(std::move(problems));
  std::vector<ReferenceRow> rows;
  for_each_table(std::as_const(reference),
                 [&](const auto& table, auto) { append_rows(table, reference, rows); });
  return rows;
}

}  // namespace gridwhistle::import

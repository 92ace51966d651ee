#include "../unit/import/county_files.h"
#include "bodies.h"
#include "model/record.h"
#include "schema/tables.h"

// Laws of the operator's files: whole or not at all, every fault with its place, and the same file
// again changes nothing. One file of a small sound county is replaced by the bytes.
namespace gridwhistle::fuzz {
namespace {

std::string import_law(const std::string& name, std::string_view bytes) {
  const auto files = import::county_with(name, std::string(bytes));
  const auto rows = import::read(files, {}, "440811", import::kNow);
  if (!rows) {
    if (rows.error().none()) return "an import that is refused says why";
    for (const auto& problem : rows.error().kept()) {
      if (problem.file.empty() || problem.reason.zh.empty() || problem.reason.en.empty())
        return "a problem has a file and a reason in both languages";
    }
    return "";
  }
  for (const auto& row : *rows) {
    const KindSchema* kind = built_schema().kind(row.kind);
    if (kind == nullptr || !kind->reference) return "imports write reference records alone";
    if (!canonical(*kind, row.body)) return "an imported record keeps its kind's rules";
  }
  const auto again = import::read(files, *rows, "440811", import::kNow);
  return again && *again == *rows ? "" : "the same files again are the same records";
}

}  // namespace

const Body kAreasCsv = {"areas_csv",
                        [](std::string_view bytes) { return import_law("areas.csv", bytes); },
                        [] { return std::vector{import::kAreas}; }};
const Body kOrganisationsCsv = {
    "organisations_csv",
    [](std::string_view bytes) { return import_law("organisations.csv", bytes); },
    [] { return std::vector{import::kOrganisations}; }};
const Body kGridsGeojson = {
    "grids_geojson", [](std::string_view bytes) { return import_law("grids.geojson", bytes); },
    [] { return std::vector{import::kGrids}; }};
const Body kWorkersCsv = {"workers_csv",
                          [](std::string_view bytes) { return import_law("workers.csv", bytes); },
                          [] { return std::vector{import::kWorkers}; }};
const Body kCategoriesCsv = {
    "categories_csv", [](std::string_view bytes) { return import_law("categories.csv", bytes); },
    [] { return std::vector{import::kCategories}; }};
const Body kResponsibilityCsv = {
    "responsibility_csv",
    [](std::string_view bytes) { return import_law("responsibility.csv", bytes); },
    [] { return std::vector{import::kResponsibility}; }};
const Body kRulesToml = {"rules_toml",
                         [](std::string_view bytes) { return import_law("rules.toml", bytes); },
                         [] { return std::vector{import::kRules}; }};

}  // namespace gridwhistle::fuzz

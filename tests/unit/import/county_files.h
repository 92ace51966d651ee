#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "import/import.h"

// A county small enough to read: one town, one village, one grid, and somebody who walks it.
namespace gridwhistle::import {

/// 2026-11-18.
inline constexpr std::int64_t kNow = 1795000000000;

inline const std::string kAreas =
    "code12,level,name,parent12\n"
    "440811000000,COUNTY,麻章区,440800000000\n"
    "440811100000,TOWN,麻章镇,440811000000\n"
    "440811100001,VILLAGE,福民居委会,440811100000\n";
inline const std::string kOrganisations =
    "code,name,level,department_type,parent,area12\n"
    "ZX,综治中心,COUNTY,综治中心,,440811000000\n"
    "BM-CG,城管局,COUNTY,城管,ZX,440811000000\n";
inline const std::string kGrids =
    R"({"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"code15":"440811100001001","name":"第一网格","type":"BASIC"},
 "geometry":{"type":"Polygon","coordinates":[[[110.30,21.20],[110.31,21.20],[110.31,21.21],[110.30,21.20]]]}}
]})";
inline const std::string kWorkers =
    "code,name,organisation,roles\n"
    "WG1,赵示例,ZX,GRID_WORKER@grid:440811100001001\n";
inline const std::string kCategories =
    "code,name,parent\n"
    "01,市容,\n"
    "01001,垃圾,01\n";
inline const std::string kResponsibility =
    "code,title,lead_department_type,levels,categories,list_version\n"
    "ZR1,清理垃圾,城管,COUNTY,01001,2026-1\n";
inline const std::string kRules =
    "[[rule]]\n"
    "code = \"FP1\"\n"
    "category_prefix = \"01\"\n"
    "responsibility_item = \"ZR1\"\n"
    "lead_level = \"COUNTY\"\n";

inline std::vector<SourceFile> county_files() {
  return {{"areas.csv", kAreas},           {"organisations.csv", kOrganisations},
          {"grids.geojson", kGrids},       {"workers.csv", kWorkers},
          {"categories.csv", kCategories}, {"responsibility.csv", kResponsibility},
          {"rules.toml", kRules}};
}

/// The county with one file in place of its own.
inline std::vector<SourceFile> county_with(const std::string& name, const std::string& bytes) {
  std::vector<SourceFile> files = county_files();
  for (SourceFile& file : files) {
    if (file.name == name) file.bytes = bytes;
  }
  return files;
}

/// As people read it in English; what Chinese people would not read in Chinese is called so.
inline std::string told(const Problem& problem) {
  const Line text = problem.text();
  const auto is_chinese = [](char c) { return static_cast<unsigned char>(c) >= 0xE3; };
  return (std::ranges::any_of(problem.reason.zh, is_chinese) ? "" : "not in Chinese: ") + text.en;
}

/// The problems of an import as `told`; empty when it is clean.
inline std::vector<std::string> problems_of(const std::vector<SourceFile>& files) {
  std::vector<std::string> texts;
  const auto rows = read(files, {}, "440811", kNow);
  if (rows) return texts;
  for (const Problem& problem : rows.error().kept()) texts.push_back(told(problem));
  return texts;
}

inline std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  if (at == std::string::npos) return "nothing to replace: " + what;
  return text.replace(at, what.size(), by);
}

}  // namespace gridwhistle::import

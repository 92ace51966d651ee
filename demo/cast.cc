#include "cast.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>

namespace gridwhistle::demo {

namespace {

struct Line {
  std::string code;
  std::string roles;
};

// The sample's tables have no quoted cells: code,name,organisation,duty_phone,roles.
Result<std::vector<Line>> lines_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(ErrorCode::kNotFound, "no " + path);
  std::vector<Line> lines;
  std::string text;
  std::getline(file, text);
  while (std::getline(file, text)) {
    const std::size_t first = text.find(',');
    const std::size_t last = text.rfind(',');
    if (first == text.npos) continue;
    lines.push_back({text.substr(0, first), text.substr(last + 1)});
  }
  return lines;
}

std::string grid_of(const std::string& roles) {
  constexpr std::string_view kRole = "GRID_WORKER@grid:";
  const std::size_t at = roles.find(kRole);
  return at == roles.npos ? std::string() : roles.substr(at + kRole.size(), 15);
}

bool is_staff(const Line& line) {
  for (const std::string_view role : {"TOWN_ACCEPTOR@", "RETURN_VISITOR@"}) {
    if (line.roles.starts_with(role) && line.roles.find("@town:") != std::string::npos) return true;
  }
  if (line.code == "DB-Q1") return true;
  const bool department = line.code.starts_with("BM-");
  return department && (line.code.ends_with("1") || line.code == "BM-ZJ2");
}

}  // namespace

Result<Cast> choose_cast(const std::string& workers_csv, std::size_t grid_workers) {
  const auto lines = lines_of(workers_csv);
  if (!lines) return std::unexpected(lines.error());
  Cast cast;
  std::vector<Player> walkers;
  for (const Line& line : *lines) {
    const std::string grid = grid_of(line.roles);
    if (!grid.empty()) walkers.push_back({line.code, grid});
    if (is_staff(line)) cast.staff.push_back({line.code, {}});
  }
  if (walkers.size() < grid_workers) {
    return fail(ErrorCode::kInvalid, "the sample county has too few grid workers");
  }
  for (std::size_t i = 0; i < grid_workers; ++i) {
    cast.grid_workers.push_back(walkers[i * walkers.size() / grid_workers]);
  }
  return cast;
}

Result<void> copy_county(const std::string& from, const std::string& to, const Cast& cast) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::create_directories(to, error);
  for (const auto& entry : fs::directory_iterator(from, error)) {
    const fs::path name = entry.path().filename();
    const bool wanted =
        name.extension() == ".csv" || name.extension() == ".toml" || name.extension() == ".geojson";
    if (wanted) fs::copy_file(entry.path(), to / name, fs::copy_options::overwrite_existing, error);
    if (error) break;
  }
  if (error) return fail(ErrorCode::kIo, "copying " + from + ": " + error.message());

  const std::string path = to + "/workers.csv";
  std::ifstream in(path);
  std::string text, line;
  const std::string second = cast.grid_workers[1].worker + ",";
  while (std::getline(in, line)) {
    if (line.starts_with(second)) line += ";GRID_WORKER@grid:" + cast.grid_workers[0].grid;
    text += line + "\n";
  }
  in.close();
  std::ofstream out(path);
  out << text;
  out.flush();
  if (out) return {};
  return fail(ErrorCode::kIo, "writing " + path);
}

}  // namespace gridwhistle::demo

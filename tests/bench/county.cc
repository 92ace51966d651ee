#include "bench/county.h"

#include <boost/asio.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

namespace gridwhistle::bench {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

void write_areas(const std::string& folder, const std::vector<std::string>& grids) {
  std::set<std::string> towns;
  std::set<std::string> villages;
  for (const std::string& grid : grids) {
    towns.insert(grid.substr(0, 9));
    villages.insert(grid.substr(0, 12));
  }
  const std::string county = grids.front().substr(0, 6) + "000000";
  std::ofstream areas(folder + "/areas.csv");
  areas << "code12,level,name,parent12\n" << county << ",COUNTY,样板县,\n";
  for (const std::string& town : towns) {
    areas << town << "000,TOWN,样板镇" << town.substr(6) << ',' << county << '\n';
  }
  for (const std::string& village : villages) {
    areas << village << ",VILLAGE,样板村" << village.substr(9) << ',' << village.substr(0, 9)
          << "000\n";
  }
  std::ofstream organisations(folder + "/organisations.csv");
  organisations << "code,name,level,department_type,area12\n"
                << "ZX,样板县综治中心,COUNTY,综治中心," << county << '\n';
  for (const std::string& town : towns) {
    organisations << "ZX-" << town << ",样板镇综治中心,TOWN,综治中心," << town << "000\n";
  }
}

void write_grids(const std::string& folder, const std::vector<std::string>& grids) {
  std::ofstream file(folder + "/grids.geojson");
  file << R"({"type":"FeatureCollection","features":[)";
  for (std::size_t i = 0; i < grids.size(); ++i) {
    const double west = 110.0 + 0.01 * static_cast<double>(i % 10);
    const double south = 21.0 + 0.01 * static_cast<double>(i / 10);
    std::ostringstream ring;
    ring << "[[" << west << ',' << south << "],[" << west + 0.01 << ',' << south << "],["
         << west + 0.01 << ',' << south + 0.01 << "],[" << west << ',' << south + 0.01 << "],["
         << west << ',' << south << "]]";
    file << (i == 0 ? "" : ",") << R"({"type":"Feature","properties":{"code15":")" << grids[i]
         << R"(","name":"样板网格","type":"BASIC"},"geometry":{"type":"Polygon","coordinates":[)"
         << ring.str() << "]}}";
  }
  file << "]}";
}

void write_worker(const std::string& folder, const std::vector<std::string>& grids) {
  std::ofstream workers(folder + "/workers.csv");
  workers << "code,name,organisation,roles\nW1,甲示例,ZX-" << grids.front().substr(0, 9) << ',';
  for (std::size_t i = 0; i < grids.size(); ++i) {
    workers << (i == 0 ? "" : ";") << "GRID_WORKER@grid:" << grids[i];
  }
  workers << '\n';
  for (std::size_t i = 0; i < grids.size(); ++i) {
    workers << 'G' << i + 1 << ",乙示例,ZX-" << grids[i].substr(0, 9)
            << ",GRID_WORKER@grid:" << grids[i] << '\n';
  }
}

/// Listens on loopback, says nothing but errors, and takes from one phone what a county records.
void configure(const std::string& config, int port) {
  std::ifstream in(config);
  std::stringstream text;
  std::string line;
  while (std::getline(in, line)) {
    if (line.starts_with("address")) line = "address = \"127.0.0.1:" + std::to_string(port) + "\"";
    if (line.starts_with("level")) line = "level = \"error\"";
    for (const char* quota : {"operations_an_hour", "operations_a_day", "bytes_an_hour",
                              "bytes_a_day", "whistles_an_hour"}) {
      if (line.starts_with(quota)) line = quota + std::string(" = 1000000000");
    }
    text << line << '\n';
  }
  in.close();
  std::ofstream(config) << text.str();
}

void wait_for(int port) {
  for (int tries = 0; tries < 1200; ++tries) {
    asio::io_context io;
    tcp::socket socket(io);
    boost::system::error_code wrong;
    socket.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)}, wrong);
    if (!wrong) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
  std::cerr << "gw-bench: the server does not answer\n";
  std::abort();
}

}  // namespace

int free_port() {
  asio::io_context io;
  return tcp::acceptor(io, {asio::ip::address_v4::loopback(), 0}).local_endpoint().port();
}

BenchCounty::BenchCounty(std::string program, const std::string& folder,
                         const std::vector<std::string>& grids)
    : program_(std::move(program)), folder_(folder), port_(free_port()) {
  const std::string sources = folder + "/import";
  std::filesystem::create_directories(sources);
  write_areas(sources, grids);
  write_grids(sources, grids);
  write_worker(sources, grids);
  run({program_, "init", "--county", grids.front().substr(0, 6), "--public",
       "127.0.0.1:" + std::to_string(port_), folder_});
  configure(folder_ + "/gridwhistle.toml", port_);
  run({program_, "--config", folder_ + "/gridwhistle.toml", "import", sources});
  server_ = std::make_unique<Process>(
      std::vector<std::string>{program_, "--config", folder_ + "/gridwhistle.toml", "serve"});
  wait_for(port_);
}

std::string BenchCounty::enrolment_code(const std::string& worker) {
  const std::string answer =
      run({program_, "--config", folder_ + "/gridwhistle.toml", "--json", "enrol", worker});
  return nlohmann::json::parse(answer).at("code").get<std::string>();
}

std::string BenchCounty::key_pem() const {
  std::ostringstream text;
  text << std::ifstream(folder_ + "/data/server-key.pem").rdbuf();
  return text.str();
}

}  // namespace gridwhistle::bench

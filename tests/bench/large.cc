#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <thread>

#include "bench/county.h"
#include "bench/phone.h"
#include "bench/scenarios.h"
#include "gridwhistle/default_ports.h"

// What a county's server meets that is larger than any bar: many phones at once, and many records.
namespace gridwhistle::bench {

namespace {

constexpr std::size_t kCrowdItems = 20;  ///< of each of many devices
constexpr double kIdleS = 10;
constexpr double kPatienceS = 120;

/// A phone's file, its log, the log's index, its lock, and a connection.
constexpr rlim_t kDescriptorsPerPhone = 8;

void allow_descriptors(std::size_t phones) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur > phones * kDescriptorsPerPhone) return;
  std::cerr << "gw-bench: " << phones << " phones need more open files than are allowed\n";
  std::exit(2);
}

template <typename Holds>
void wait_until(Holds&& holds) {
  const double end = now_s() + kPatienceS;
  while (!holds()) {
    if (now_s() > end) {
      std::cerr << "gw-bench: the phones do not come to rest\n";
      std::exit(2);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

std::size_t records_in(const std::vector<Item>& items) {
  std::size_t records = items.size();
  for (const Item& item : items) records += item.members.size();
  return records;
}

std::string fresh_folder(const Setting& setting, const std::string& name) {
  const std::string folder = setting.folder + "/" + name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

}  // namespace

Figures many(const Setting& setting, const std::vector<Item>& items) {
  const std::size_t devices = setting.quick ? 50 : setting.devices;
  allow_descriptors(devices);
  const std::string folder = fresh_folder(setting, "many");
  const std::vector<std::string> grids = grids_of(items);
  BenchCounty county(setting.server_program, folder + "/county", grids);
  const std::vector<Item> all(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                 items.size(), kCrowdItems)));
  const auto executor = thread_executor();
  std::vector<std::unique_ptr<BenchPhone>> phones;
  std::size_t records = 0;
  for (std::size_t i = 0; i < devices; ++i) {
    const std::size_t grid = i % grids.size();
    phones.push_back(
        std::make_unique<BenchPhone>(folder + "/phone" + std::to_string(i), executor.get()));
    phones.back()->enrol(county.enrolment_code("G" + std::to_string(grid + 1)));
    phones.back()->sync();
    const std::vector<Item> share = moved_to(all, grids[grid]);
    phones.back()->put_together(share);
    records += records_in(share);
  }
  const Process& server = county.server();
  const std::uint64_t empty_bytes = server.rss_bytes();
  const double cpu_before = server.cpu_s();
  const double start = now_s();
  for (auto& phone : phones) phone->client().start_live();
  wait_until([&] {
    return std::ranges::all_of(phones, [](const auto& phone) {
      const ClientStatus status = phone->client().status();
      return status.phase == SyncPhase::kLive && status.unsent == 0;
    });
  });
  const double took_s = now_s() - start;
  const double push_cpu_s = server.cpu_s() - cpu_before;
  const std::uint64_t bytes = server.rss_bytes();
  const double idle_before = server.cpu_s();
  std::this_thread::sleep_for(std::chrono::duration<double>(setting.quick ? 1 : kIdleS));
  const double idle_cpu = (server.cpu_s() - idle_before) / (setting.quick ? 1 : kIdleS);
  const auto n = static_cast<double>(devices);
  return {
      {"many.cpu", devices, push_cpu_s, "s", {}, {}},
      {"many.cpu.record", devices, push_cpu_s * 1e6 / static_cast<double>(records), "us", {}, {}},
      {"many.time", devices, took_s, "s", {}, {}},
      {"many.rss", devices, static_cast<double>(server.peak_rss_bytes()) / 1e6, "MB", {}, {}},
      {"many.stream",
       devices,
       (static_cast<double>(bytes) - static_cast<double>(empty_bytes)) / n / 1e3,
       "kB a live stream",
       {},
       {}},
      {"many.idle", devices, idle_cpu * 100, "% of a core", {}, {}}};
}

Figures county(const Setting& setting, const std::vector<Item>& items) {
  constexpr std::size_t kRecords = 1'000'000;
  const std::size_t wanted = setting.quick ? kRecords / 20 : kRecords;
  const std::string folder = fresh_folder(setting, "county");
  BenchCounty county(setting.server_program, folder + "/county", grids_of(items));
  BenchPhone reader(folder + "/reader");
  reader.enrol(county.enrolment_code());
  reader.sync();
  const auto each = static_cast<double>(records_in(items));
  std::vector<double> apply_us;
  std::vector<double> feed_us;
  const double start = now_s();
  std::size_t records = 0;
  while (records < wanted && now_s() - start < setting.seconds) {
    const std::string file = fresh_folder(setting, "county/writer");
    BenchPhone writer(file);
    writer.enrol(county.enrolment_code());
    writer.put_together(items);
    const double before = county.server().cpu_s();
    writer.upload_only();
    const double uploaded = county.server().cpu_s();
    reader.sync();
    apply_us.push_back((uploaded - before) * 1e6 / each);
    feed_us.push_back((county.server().cpu_s() - uploaded) * 1e6 / each);
    records += records_in(items);
  }
  const std::size_t part = std::max<std::size_t>(apply_us.size() / 5, 1);
  const auto mean = [part](const std::vector<double>& all, bool last) {
    double sum = 0;
    for (std::size_t i = 0; i < part; ++i) sum += all[last ? all.size() - 1 - i : i];
    return sum / static_cast<double>(part);
  };
  const auto figure = [&](const char* name, double value, const char* unit) {
    return Figure{name, records, value, unit, {}, {}};
  };
  return {figure("county.apply.first", mean(apply_us, false), "us of the server a record"),
          figure("county.apply.last", mean(apply_us, true), "us of the server a record"),
          figure("county.apply.slope", mean(apply_us, true) / mean(apply_us, false), "times"),
          figure("county.feed.first", mean(feed_us, false), "us of the server a row"),
          figure("county.feed.last", mean(feed_us, true), "us of the server a row"),
          figure("county.feed.slope", mean(feed_us, true) / mean(feed_us, false), "times"),
          figure("county.rss", static_cast<double>(county.server().peak_rss_bytes()) / 1e6, "MB"),
          figure("county.time", now_s() - start, "s")};
}

}  // namespace gridwhistle::bench

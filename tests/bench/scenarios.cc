#include "bench/scenarios.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <thread>

#include "base/p256.h"
#include "bench/county.h"
#include "bench/floor.h"
#include "bench/phone.h"
#include "bench/process.h"
#include "bench/tls_meter.h"
#include "support/proxy.h"

namespace gridwhistle::bench {

namespace {

constexpr std::size_t kEdits = 100;
constexpr std::size_t kDevices = 50;
constexpr std::size_t kDeviceItems = 200;
constexpr std::size_t kIdleRounds = 20;
constexpr int kRounds = 5;  ///< of what takes long: figure and limit in turns, the median of each
constexpr std::chrono::milliseconds kDistance{25};
const DeviceId kFloorDevice{0x0123456789ABCDEULL};

/// A folder that is empty at the beginning and gone at the end.
class Folder {
 public:
  Folder(const Setting& setting, const std::string& name) : path_(setting.folder + "/" + name) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

Records bare(const std::vector<Item>& items) {
  Records records;
  std::uint64_t counter = 1;
  for (const Item& item : items) {
    auto some = bare_records(item, RecordId::make(kFloorDevice, counter));
    counter += some.size();
    std::move(some.begin(), some.end(), std::back_inserter(records));
  }
  return records;
}

/// Bytes of the bare records in zstd-3 batches of 1,000: what S2.bytes is measured against.
std::size_t packed_bytes(const Records& records) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < records.size(); i += 1000) {
    const auto begin = records.begin() + static_cast<std::ptrdiff_t>(i);
    const auto end =
        records.begin() + static_cast<std::ptrdiff_t>(std::min(records.size(), i + 1000));
    bytes += pack(Records(begin, end)).size();
  }
  return bytes;
}

template <typename Work>
double seconds_of(Work&& work) {
  const double start = now_s();
  work();
  return now_s() - start;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

/// Of several runs, the median of one of their figures.
template <typename Run>
double median_of(const std::vector<Run>& runs, double Run::* figure) {
  std::vector<double> values;
  for (const Run& run : runs) values.push_back(run.*figure);
  return median(values);
}

/// The floor's server in a process of its own, and its certificate.
struct FloorServer {
  FloorServer(const Setting& setting, const std::string& folder)
      : process(std::make_unique<Process>(
            std::vector<std::string>{setting.own_program, "floor-server", folder})),
        port(std::stoi(process->line())) {
    std::ostringstream text;
    text << std::ifstream(folder + "/certificate.pem").rdbuf();
    certificate = text.str();
  }
  std::unique_ptr<Process> process;
  int port;
  std::string certificate;
};

/// What a sync costs on the wire, both ways.
struct WireBytes {
  double inside = 0;   ///< of HTTP/2, inside TLS
  double outside = 0;  ///< of TCP's payload
};

/// Stands between a phone and a county and counts. Its time is not the county's: bytes only.
class WireMeter {
 public:
  explicit WireMeter(const BenchCounty& county)
      : inside_(
            county.port(), county.key_pem(),
            self_signed_certificate(P256Key::from_pem(county.key_pem()).value(), "bench").value()),
        outside_(inside_.port()) {}

  int port() const { return outside_.port(); }

  WireBytes of_sync(BenchPhone& phone) {
    const WireBytes before = so_far();
    phone.sync();
    const WireBytes after = so_far();
    return {after.inside - before.inside, after.outside - before.outside};
  }

 private:
  WireBytes so_far() const {
    const auto inside = inside_.counts();
    const auto outside = outside_.counts();
    return {static_cast<double>(inside.up + inside.down),
            static_cast<double>(outside.up_bytes + outside.down_bytes)};
  }

  TlsMeter inside_;
  test::Proxy outside_;
};

/// Evenly spaced positions among `size`.
std::vector<std::size_t> spread(std::size_t size, std::size_t count) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < std::min(count, size); ++i) chosen.push_back(i * size / count);
  return chosen;
}

/// Ids of a phone's records of the three kinds, in the order of their ids.
struct Known {
  std::vector<RecordId> visits, whistles, residents;
  explicit Known(Client& client)
      : visits(ids_of(client, "Visit")),
        whistles(ids_of(client, "Whistle")),
        residents(ids_of(client, "Resident")) {}

  static std::vector<RecordId> ids_of(Client& client, const char* kind) {
    const auto found = client.query(kind, Query().first(1'000'000));
    std::vector<RecordId> ids;
    for (const FoundBytes& one : found.value()) ids.push_back(one.info.id);
    return ids;
  }
};

template <typename T, typename Set>
void edit(Client& client, const RecordId& id, Set&& set) {
  T record;
  record.set_id(std::string(id.bytes()));
  set(record);
  if (auto put = client.put(record); !put) {
    std::cerr << "gw-bench: " << put.error().message << '\n';
    std::abort();
  }
}

/// Edits `kEdits` records of all three kinds: half visits, a fifth whistles, the rest residents.
void edit_some(Client& client, const Known& known, const std::string& mark) {
  for (const std::size_t i : spread(known.visits.size(), kEdits / 2)) {
    edit<v1::Visit>(client, known.visits[i], [&](auto& r) { r.set_purpose("p" + mark); });
  }
  for (const std::size_t i : spread(known.whistles.size(), kEdits / 5)) {
    edit<v1::Whistle>(client, known.whistles[i], [&](auto& r) { r.set_text("已更新" + mark); });
  }
  for (const std::size_t i : spread(known.residents.size(), kEdits - kEdits / 2 - kEdits / 5)) {
    edit<v1::Resident>(client, known.residents[i], [&](auto& r) { r.set_phone("100" + mark); });
  }
}

double megabytes(double bytes) { return bytes / 1e6; }

/// Processor time that the first search costs: the index is brought up to date behind the commits.
double indexing_s(BenchPhone& phone) {
  const double before = own_cpu_s();
  if (!phone.client().search({.text = "网格", .kinds = {}})) std::abort();
  return own_cpu_s() - before;
}

/// A phone of this county that has recorded `items` offline, enrolled and with its scopes.
std::unique_ptr<BenchPhone> loaded_phone(BenchCounty& county, const std::string& folder,
                                         const std::vector<Item>& items, int port,
                                         const std::string& worker = "W1") {
  auto phone = std::make_unique<BenchPhone>(folder);
  phone->enrol(county.enrolment_code(worker));
  if (port != 0) phone->go_through(port);
  phone->sync();
  phone->put_together(items);
  return phone;
}

}  // namespace

Figures capture(const Setting& setting, const std::vector<Item>& items) {
  const Folder folder(setting, "capture");
  const Records records = bare(items);
  BenchCounty county(setting.server_program, folder / "county", grids_of(items));
  const auto phone_called = [&](const std::string& name) {
    auto phone = std::make_unique<BenchPhone>(folder / name);
    phone->enrol(county.enrolment_code());
    phone->sync();
    return phone;
  };
  const auto one_by_one = phone_called("one");
  std::unique_ptr<BenchPhone> together;

  const auto count = static_cast<double>(records.size());
  FloorFile floor_one(folder / "floor-one.db");
  const double limit_one = count / seconds_of([&] { floor_one.capture(records, 1); });
  const double rate_one = count / seconds_of([&] {
                            for (const Item& item : items) one_by_one->put_each(item);
                          });
  std::vector<double> floor_s;
  std::vector<double> together_s;
  for (int round = 0; round < kRounds; ++round) {
    FloorFile floor_many(folder / ("floor-many" + std::to_string(round) + ".db"));
    floor_s.push_back(seconds_of([&] { floor_many.capture(records, 1000); }));
    together = phone_called("together" + std::to_string(round));
    together_s.push_back(seconds_of([&] { together->put_together(items); }));
  }
  return {{"S1", items.size(), rate_one, "records/s", limit_one, 0.5, true},
          {"S1b", items.size(), count / median(together_s), "records/s", count / median(floor_s),
           0.2, true},
          {"S1.search", items.size(), indexing_s(*one_by_one), "s of processor", {}, {}},
          {"S1b.search", items.size(), indexing_s(*together), "s of processor", {}, {}}};
}

/// A first upload to an empty server, of a phone that works offline until then.
Figure first_upload(const Setting& setting, const std::vector<Item>& items,
                    const Records& records) {
  std::vector<double> floor_s;
  std::vector<double> upload_s;
  for (int round = 0; round < kRounds; ++round) {
    const Folder folder(setting, "upload");
    const FloorServer floor(setting, folder / "");
    FloorPhone floor_phone(floor.port, floor.certificate);
    floor_s.push_back(seconds_of([&] { floor_phone.upload(records); }));
    BenchCounty county(setting.server_program, folder / "county", grids_of(items));
    auto phone = loaded_phone(county, folder / "phone", items, 0);
    upload_s.push_back(seconds_of([&] { phone->sync(); }));
  }
  return {"S2", items.size(), median(upload_s), "s", median(floor_s), 6.0};
}

Figures exchange(const Setting& setting, const std::vector<Item>& items) {
  const Folder folder(setting, "exchange");
  const Records records = bare(items);
  const std::size_t n = items.size();
  Figures figures = {first_upload(setting, items, records)};

  FloorServer floor(setting, folder / "");
  FloorPhone floor_phone(floor.port, floor.certificate);
  floor_phone.upload(records);
  FloorFile floor_file(folder / "floor-phone.db");
  floor_phone.download(floor_file);
  const Records some(records.begin(),
                     records.begin() + std::min<std::ptrdiff_t>(kEdits, std::ssize(records)));
  const double floor_edit = seconds_of([&] {
    floor_file.capture(some, some.size());
    floor_phone.upload(some);
  });
  std::vector<double> floor_idle;
  for (std::size_t i = 0; i < kIdleRounds; ++i) {
    floor_idle.push_back(seconds_of([&] { floor_phone.idle(); }));
  }

  BenchCounty county(setting.server_program, folder / "county", grids_of(items));
  // Time without the meter, bytes with it, on two phones that hold the same work.
  auto timed = loaded_phone(county, folder / "timed", items, 0);
  timed->sync();  // warm: the file was opened anew
  {
    BenchCounty fresh(setting.server_program, folder / "fresh-bytes", grids_of(items));
    WireMeter meter(fresh);
    auto phone = loaded_phone(fresh, folder / "upload-bytes", items, meter.port());
    const WireBytes bytes = meter.of_sync(*phone);
    figures.push_back({"S2.bytes", n, megabytes(bytes.inside), "MB",
                       megabytes(static_cast<double>(packed_bytes(records))), 1.5});
    figures.push_back({"S2.bytes.outside", n, megabytes(bytes.outside), "MB", {}, {}});
  }

  std::vector<double> floor_download_s;
  std::vector<double> download_s;
  std::unique_ptr<BenchPhone> newcomer;
  for (int round = 0; round < kRounds; ++round) {
    FloorFile into(folder / ("floor-newcomer" + std::to_string(round)));
    floor_download_s.push_back(seconds_of([&] { floor_phone.download(into); }));
    newcomer = std::make_unique<BenchPhone>(folder / ("newcomer" + std::to_string(round)));
    newcomer->enrol(county.enrolment_code());
    download_s.push_back(seconds_of([&] { newcomer->sync(); }));
  }
  BenchPhone& second = *newcomer;
  figures.push_back({"S3", n, median(download_s), "s", median(floor_download_s), 6.0});
  const double query_s = seconds_of([&] {
    if (second.client().query("Visit", Query().first(10)).value().empty()) std::abort();
  });
  figures.push_back({"S3.first_query", n, query_s * 1e3, "ms", {}, 20.0});
  figures.push_back({"S3.search", n, indexing_s(second), "s of processor", {}, {}});

  const Known known(timed->client());
  std::vector<double> edits;
  for (int round = 0; round < 5; ++round) {
    edit_some(timed->client(), known, std::to_string(round));
    edits.push_back(seconds_of([&] { timed->sync(); }));
  }
  figures.push_back({.scenario = "S4",
                     .n = n,
                     .value = median(edits) * 1e3,
                     .unit = "ms",
                     .limit = floor_edit * 1e3,
                     .bar = 15.0,
                     .bar_of_value = true});
  std::vector<double> idle;
  for (std::size_t i = 0; i < kIdleRounds; ++i) idle.push_back(seconds_of([&] { timed->sync(); }));
  figures.push_back({"S7", n, median(idle) * 1e3, "ms", median(floor_idle) * 1e3, {}});

  // A new connection, beyond what the same sync costs on one that stands.
  std::vector<double> connecting;
  for (int round = 0; round < kRounds; ++round) {
    timed->reopen();
    connecting.push_back(seconds_of([&] { timed->sync(); }));
  }
  figures.push_back({"handshake", n, (median(connecting) - median(idle)) * 1e3, "ms", {}, {}});

  WireMeter meter(county);
  timed->go_through(meter.port());
  const WireBytes cold = meter.of_sync(*timed);
  edit_some(timed->client(), known, "last");
  const WireBytes edit_bytes = meter.of_sync(*timed);
  timed->sync();
  const WireBytes idle_bytes = meter.of_sync(*timed);
  figures.push_back({"handshake.bytes", n, cold.outside - idle_bytes.outside, "bytes", {}, {}});
  figures.push_back({"S4.bytes", n, edit_bytes.inside / 1e3, "kB", {}, 10.0});
  figures.push_back({"S4.bytes.outside", n, edit_bytes.outside / 1e3, "kB", {}, {}});
  figures.push_back({"S7.bytes", n, idle_bytes.inside, "bytes", {}, 500.0});
  figures.push_back({"S7.bytes.outside", n, idle_bytes.outside, "bytes", {}, {}});
  return figures;
}

Figures conflict(const Setting& setting, const std::vector<Item>& items) {
  const Folder folder(setting, "conflict");
  BenchCounty county(setting.server_program, folder / "county", grids_of(items));
  auto first = loaded_phone(county, folder / "first", items, 0);
  first->sync();
  BenchPhone second(folder / "second");
  second.enrol(county.enrolment_code());
  second.sync();
  const Known known(first->client());
  const auto chosen = spread(known.visits.size(), kEdits);

  for (const std::size_t i : chosen) {
    edit<v1::Visit>(first->client(), known.visits[i], [](auto& r) { r.set_purpose("甲改"); });
    edit<v1::Visit>(second.client(), known.visits[i], [](auto& r) { r.set_notes("乙改"); });
  }
  for (BenchPhone* phone : {first.get(), &second, first.get()}) phone->sync();
  double both = 0;
  for (const std::size_t i : chosen) {
    bool held = true;
    for (BenchPhone* phone : {first.get(), &second}) {
      const auto visit = phone->client().get<v1::Visit>(known.visits[i]);
      held = held && visit && visit->record.purpose() == "甲改" && visit->record.notes() == "乙改";
    }
    both += held ? 1 : 0;
  }

  for (const std::size_t i : chosen) {
    edit<v1::Visit>(first->client(), known.visits[i], [](auto& r) { r.set_purpose("甲又改"); });
    edit<v1::Visit>(second.client(), known.visits[i], [](auto& r) { r.set_purpose("乙又改"); });
  }
  const double time = seconds_of([&] {
    first->sync();
    second.sync();
  });
  first->sync();
  std::size_t kept = 0;
  for (BenchPhone* phone : {first.get(), &second}) {
    const auto outcomes = phone->client().outcomes();
    for (const OutcomeView& outcome : outcomes.value()) kept += outcome.restorable ? 1 : 0;
  }
  // Both devices belong to one worker, so both see each outcome.
  return {{"S5.both", kEdits, both, "of 100", {}, 100.0, true},
          {"S5.kept", kEdits, static_cast<double>(kept) / 2, "of 100", {}, 100.0, true},
          {"S5", kEdits, time * 1e3 / 2, "ms a device", {}, {}}};
}

std::vector<Item> moved_to(std::vector<Item> items, const std::string& grid) {
  for (Item& item : items) {
    item.visit.set_grid(grid);
    item.whistle.set_grid(grid);
    item.household.set_grid(grid);
  }
  return items;
}

/// Processor time of the floor's server while 50 devices push the same records at once.
double floor_crowd_s(const Setting& setting, const Records& records) {
  const Folder folder(setting, "crowd");
  FloorServer floor(setting, folder / "");
  std::vector<std::unique_ptr<FloorPhone>> phones;
  for (std::size_t i = 0; i < kDevices; ++i) {
    phones.push_back(std::make_unique<FloorPhone>(floor.port, floor.certificate));
  }
  const double before = floor.process->cpu_s();
  {
    std::vector<std::thread> threads;
    for (auto& phone : phones) threads.emplace_back([&] { phone->upload(records); });
    for (std::thread& thread : threads) thread.join();
  }
  return floor.process->cpu_s() - before;
}

struct CrowdRun {
  double cpu_s = 0;
  double rss_mb = 0;
};

/// The same of a county's server; each device works in a grid of its own.
CrowdRun county_crowd(const Setting& setting, const std::vector<Item>& share,
                      const std::vector<std::string>& grids) {
  const Folder folder(setting, "crowd");
  BenchCounty county(setting.server_program, folder / "county", grids);
  std::vector<std::unique_ptr<BenchPhone>> phones;
  for (std::size_t i = 0; i < kDevices; ++i) {
    const std::size_t grid = i % grids.size();
    phones.push_back(loaded_phone(county, folder / ("phone" + std::to_string(i)),
                                  moved_to(share, grids[grid]), 0, "G" + std::to_string(grid + 1)));
  }
  const double before = county.server().cpu_s();
  {
    std::vector<std::thread> threads;
    for (auto& phone : phones) threads.emplace_back([&] { phone->sync(); });
    for (std::thread& thread : threads) thread.join();
  }
  return {county.server().cpu_s() - before,
          megabytes(static_cast<double>(county.server().peak_rss_bytes()))};
}

Figures crowd(const Setting& setting, const std::vector<Item>& items) {
  const std::size_t each = std::min(kDeviceItems, items.size() / 2);
  const std::vector<Item> share(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(each));
  const Records records = bare(share);
  const std::vector<std::string> grids = grids_of(items);
  std::vector<double> floor_s;
  std::vector<CrowdRun> runs;
  for (int round = 0; round < (setting.quick ? 1 : kRounds); ++round) {
    floor_s.push_back(floor_crowd_s(setting, records));
    runs.push_back(county_crowd(setting, share, grids));
  }
  return {{"S6.cpu", kDevices, median_of(runs, &CrowdRun::cpu_s), "s",
           std::max(median(floor_s), 0.01), 6.0},
          {"S6.rss", kDevices, median_of(runs, &CrowdRun::rss_mb), "MB", {}, 100.0}};
}

namespace {

/// Seconds of the scenarios through a proxy.
struct Far {
  double upload = 0, download = 0, edited = 0, idle = 0;
};

Far through(const Setting& setting, const std::vector<Item>& items,
            std::chrono::milliseconds each_way) {
  const Folder folder(setting, "distance");
  Far far;
  BenchCounty county(setting.server_program, folder / "county", grids_of(items));
  test::Proxy proxy(county.port());
  proxy.set_latency(each_way);
  auto phone = loaded_phone(county, folder / "phone", items, proxy.port());
  // Rounds are counted on a connection that stands, so both have spoken to a county that is empty.
  BenchPhone second(folder / "second");
  second.enrol(county.enrolment_code());
  second.go_through(proxy.port());
  second.sync();
  far.upload = seconds_of([&] { phone->sync(); });
  far.download = seconds_of([&] { second.sync(); });
  phone->sync();
  const Known known(phone->client());
  edit_some(phone->client(), known, "far");
  far.edited = seconds_of([&] { phone->sync(); });
  std::vector<double> idle;
  for (int i = 0; i < 5; ++i) idle.push_back(seconds_of([&] { phone->sync(); }));
  far.idle = median(idle);
  return far;
}

}  // namespace

// A round trip costs what the distance adds to it, so the same is played at both: counting who
// speaks after whom would count what gRPC's flow control says in between.
Figures distance(const Setting& setting, const std::vector<Item>& items) {
  constexpr int kDistanceRounds = 3;
  std::vector<Far> near;
  std::vector<Far> far;
  for (int round = 0; round < kDistanceRounds; ++round) {
    near.push_back(through(setting, items, std::chrono::milliseconds(0)));
    far.push_back(through(setting, items, kDistance));
  }
  const std::size_t n = items.size();
  const auto ms = [&](double Far::* figure) { return median_of(far, figure) * 1e3; };
  const auto rounds = [&](double Far::* figure) {
    const double added_ms = ms(figure) - median_of(near, figure) * 1e3;
    return std::round(added_ms / (2.0 * static_cast<double>(kDistance.count())));
  };
  return {{"S8.S2", n, ms(&Far::upload), "ms", {}, {}},
          {"S8.S3", n, ms(&Far::download), "ms", {}, {}},
          {"S8.S4", n, ms(&Far::edited), "ms", {}, {}},
          {"S8.S7", n, ms(&Far::idle), "ms", {}, {}},
          {"S8.S2.rounds", n, rounds(&Far::upload), "round trips", {}, 3.0},
          {"S8.S3.rounds", n, rounds(&Far::download), "round trips", {}, 3.0},
          {"S4.rounds", n, rounds(&Far::edited), "round trips", {}, 1.0},
          {"S7.rounds", n, rounds(&Far::idle), "round trips", {}, 1.0}};
}

namespace {

struct Costs {
  double upload = 0, download = 0, idle = 0, open = 0;
  PhoneMemory memory;
};

Costs costs_of(const Setting& setting, const std::vector<Item>& items, const std::string& name) {
  const Folder folder(setting, name);
  Costs costs;
  BenchCounty county(setting.server_program, folder / "county", grids_of(items));
  auto phone = loaded_phone(county, folder / "phone", items, 0);
  costs.upload = seconds_of([&] { phone->sync(); });
  BenchPhone second(folder / "second");
  second.enrol(county.enrolment_code());
  costs.download = seconds_of([&] { second.sync(); });
  std::vector<double> idle;
  for (std::size_t i = 0; i < kIdleRounds; ++i) idle.push_back(seconds_of([&] { phone->sync(); }));
  costs.idle = median(idle);
  costs.open = second.reopen();
  second.close();
  std::istringstream sizes(run({setting.own_program, "phone-memory", folder / "second"}));
  sizes >> costs.memory.empty_bytes >> costs.memory.phone_bytes;
  return costs;
}

}  // namespace

// Two measured seconds make a ratio that swings by half, so both sizes are played in turns; the
// small one is cheap and swings more, so it has more of them.
Figures growth(const Setting& setting, const std::vector<Item>& items) {
  constexpr int kGrowthRounds = 3;
  constexpr int kSmallTurns = 3;
  const std::vector<Item> tenth(items.begin(),
                                items.begin() + static_cast<std::ptrdiff_t>(items.size() / 10));
  std::vector<Costs> small;
  std::vector<Costs> large;
  for (int round = 0; round < kGrowthRounds; ++round) {
    for (int turn = 0; turn < kSmallTurns; ++turn) {
      small.push_back(costs_of(setting, tenth, "tenth"));
    }
    large.push_back(costs_of(setting, items, "whole"));
  }
  const std::size_t n = items.size();
  const auto ratio = [&](double Costs::* figure) {
    return median_of(large, figure) / median_of(small, figure);
  };
  const PhoneMemory& memory = large.back().memory;
  return {{"S9.S2", n, ratio(&Costs::upload), "times", {}, 12.0},
          {"S9.S2.s", n, median_of(large, &Costs::upload), "s", {}, {}},
          {"S9.S3", n, ratio(&Costs::download), "times", {}, 12.0},
          {"S9.S3.s", n, median_of(large, &Costs::download), "s", {}, {}},
          {"S9.S7", n, ratio(&Costs::idle), "times", {}, 2.0},
          {"open", n, median_of(large, &Costs::open) * 1e3, "ms", {}, {}},
          {"memory",
           n,
           megabytes(static_cast<double>(memory.phone_bytes - memory.empty_bytes)),
           "MB",
           {},
           {}},
          {"memory.empty", n, megabytes(static_cast<double>(memory.empty_bytes)), "MB", {}, {}}};
}

}  // namespace gridwhistle::bench

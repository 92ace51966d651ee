#include "server.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "album.h"
#include "app/media_keeping.h"
#include "base/sha256.h"
#include "disk_faults.h"
#include "oracle.h"
#include "storage/open.h"
#include "storage/storage.h"

namespace gridwhistle::sim {

namespace {

const std::string kFile = "county.db";

CountyOptions with_key(CountyOptions options, const std::string& key_sha256) {
  options.server_key_sha256 = key_sha256;
  return options;
}

}  // namespace

app::ServerConfig config_in(const std::string& folder) {
  app::ServerConfig config;
  if (folder.empty()) return config;
  config.data_folder = folder + "/county";
  config.backup_folder = folder + "/backup";
  for (const std::string& one : {config.data_folder, config.backup_folder}) {
    std::filesystem::create_directories(one);
  }
  return config;
}

Server::Server(Timeline& timeline, Dice& dice, Dice& fault_dice, Marks& marks, MemoryFaults& memory,
               const Schema& schema, CountyOptions options, MediaPlace media,
               std::function<void()> died)
    : timeline_(timeline),
      dice_(dice),
      fault_dice_(fault_dice),
      marks_(marks),
      memory_(memory),
      died_(std::move(died)),
      key_sha256_(sha256("the county's key")),
      schema_(schema),
      options_(with_key(std::move(options), key_sha256_)),
      media_config_(config_in(media.folder)),
      media_dice_(media.dice),
      carries_media_(!media.folder.empty()),
      clock_(timeline, 1) {
  disk_.on_strike([this](DiskFault fault) { struck(fault); });
  if (auto made = create_sqlite_storage(kFile, "440811", schema_, disk_.name()); !made) {
    throw std::runtime_error("no storage: " + made.error().message);
  }
  start();
}

Server::~Server() { leaving_ = true; }

void Server::plant(PlantedBug* bug) {
  bug_ = bug;
  bug_->on_disk(disk_);
  if (media_) open_media();
}

bool Server::start() {
  if (county_) return true;
  const Phase phase(phase_, "starts");
  const std::uint64_t before = failures();
  const auto is_hindered = [&](const Error& error) {
    if (failures() == before) throw Violation("the server does not start: " + error.message);
    timeline_.note("server does not start: " + error.message);
    return false;
  };
  Result<std::unique_ptr<Storage>> storage;
  memory_.during("server starts", MemoryFaults::kOften,
                 [&] { storage = open_sqlite_storage(kFile, schema_, disk_.name()); });
  if (!storage) return is_hindered(storage.error());
  Storage* const opened = storage->get();
  Result<std::unique_ptr<County>> county;
  memory_.during("server starts", MemoryFaults::kOften, [&] {
    county = County::open(std::move(*storage), schema_, clock_, dice_, options_);
  });
  if (!county) return is_hindered(county.error());
  Result<void> forgotten;
  if (!forgotten_.empty()) {
    memory_.during("server starts", MemoryFaults::kOften,
                   [&] { forgotten = forget_again(**county); });
  }
  if (!forgotten) return is_hindered(forgotten.error());
  Result<void> found;
  if (carries_media()) {
    memory_.during("server starts", MemoryFaults::kOften,
                   [&] { found = find_lost_media(**county); });
  }
  if (!found) return is_hindered(found.error());
  county_ = std::move(*county);
  storage_ = opened;
  if (storage_->last_seq() < committed_) {
    throw Violation("the server forgot what it had promised: it is at " +
                    std::to_string(storage_->last_seq().value) + " of " +
                    std::to_string(committed_.value));
  }
  timeline_.note("server starts");
  if (carries_media()) open_media();
  return true;
}

// As a server does before anybody calls.
Result<void> Server::find_lost_media(County& county) {
  if (auto purged = app::purge_media(media_config_, county); !purged) return purged;
  const auto lost = app::find_lost_media(media_config_, county);
  if (!lost) return std::unexpected(lost.error());
  const auto stored = county.stored_media();
  if (!stored) return std::unexpected(stored.error());
  if (std::exchange(media_gone_, false) && stored->size() > *lost) {
    marks_.hit("pictures: brought back from beside a backup");
  }
  return {};
}

void Server::open_media() {
  auto files = open_media_folder(media_config_.media_path());
  if (!files) throw std::runtime_error("no folder: " + files.error().message);
  const auto with_county = [this](const std::function<void(County&)>& work) {
    const Phase phase(phase_, "applies");
    const std::uint64_t before = failures();
    memory_.during("server applies", MemoryFaults::kOften, [&] { work(*county_); });
    note_committed(before);
    pump_soon();
  };
  media_ = std::make_unique<MediaDoor>(
      MediaDoor::Around{timeline_, media_dice_, marks_, clock_, with_county,
                        [this](bool writes) { return hindrance(writes); }, bug_},
      std::move(*files));
}

// The folder's disk is the county's: what is on its way to that meets a picture now and then first.
std::optional<Error> Server::hindrance(bool writes) {
  if (!disk_.fault() || (!disk_.struck() && !media_dice_.chance(300))) return std::nullopt;
  switch (*disk_.fault()) {
    case DiskFault::kIoErrorOnce:
    case DiskFault::kIoError:
      if (!writes) return std::nullopt;
      marks_.hit("disk-fails: under a picture");
      return Error{ErrorCode::kIo, "the disk fails", {}};
    case DiskFault::kNoSpace:
      if (!writes) return std::nullopt;
      marks_.hit("disk-full: under a picture");
      return Error{ErrorCode::kDiskFull, "the disk is full", {}};
    case DiskFault::kReadErrorOnce:
    case DiskFault::kReadError:
      if (writes) return std::nullopt;
      marks_.hit("reads-fail: under a picture");
      return Error{ErrorCode::kIo, "the disk cannot be read", {}};
    default:
      return std::nullopt;
  }
}

// Within an operation of the disk: whoever asked for it goes on until the event is over.
void Server::struck(DiskFault fault) {
  if (leaving_) return;
  marks_.hit(mark_of(fault, std::string("server ") + phase_));
  timeline_.note(std::string("server ") + phase_ + ", and its disk " +
                 std::string(name_of_strike(fault)));
  if (!ends_process(fault)) return;
  timeline_.after(0, [this, fault] {
    let_go(fault);
    died_();
  });
}

void Server::let_go(DiskFault how) {
  leaving_ = true;
  disk_.fail_after(0, how);
  if (media_) {
    end_amid_files(media_folder(), how == DiskFault::kPower, media_dice_,
                   [this] { media_.reset(); });
  }
  county_.reset();
  if (how == DiskFault::kPower) {
    disk_.restore_power(fault_dice_.next());
  } else {
    disk_.restart();
  }
  leaving_ = false;
}

void Server::kill() {
  if (!county_) return;
  timeline_.note("server killed");
  let_go(DiskFault::kKill);
  if (bug_ != nullptr) bug_->in_file(kFile, disk_.name());
}

void Server::stop() {
  if (!county_) return;
  timeline_.note("server stops");
  const Phase phase(phase_, "stops");
  media_.reset();
  memory_.during("server stops", MemoryFaults::kDoneOnce, [this] { county_.reset(); });
}

void Server::note_committed(std::uint64_t failures_before) {
  if (failures() == failures_before) committed_ = storage_->last_seq();
}

bool Server::operate(const std::function<void(County&)>& work) {
  const Phase phase(phase_, "imports");
  const std::uint64_t before = failures();
  try {
    memory_.during("server imports", MemoryFaults::kSeldomDone, [&] { work(*county_); });
  } catch (const std::exception& hindered) {
    if (failures() == before) throw;
    timeline_.note(hindered.what());
    return false;
  }
  note_committed(before);
  pump_soon();
  return true;
}

bool Server::forget(const RecordKey& key) {
  const auto note = [this](const std::vector<RecordKey>& keys) -> Result<void> {
    forgotten_.insert(keys.begin(), keys.end());
    return {};
  };
  return operate([&](County& county) {
    const auto report = county.forget({key}, "simulator", false, note);
    if (!report) throw std::runtime_error("not forgotten: " + report.error().message);
    if (!carries_media()) return;
    if (const auto purged = app::purge_media(media_config_, county); !purged) {
      throw std::runtime_error("not purged: " + purged.error().message);
    }
  });
}

bool Server::minute() {
  return operate([this](County& county) {
    if (const auto done = county.end_what_ran_out(); !done) {
      throw std::runtime_error("what ran out stays: " + done.error().message);
    }
    if (const auto wiped = county.wipe_some(); !wiped) {
      throw std::runtime_error("what was forgotten stays: " + wiped.error().message);
    }
    if (!carries_media()) return;
    if (const auto purged = app::purge_media(media_config_, county); !purged) {
      throw std::runtime_error("not purged: " + purged.error().message);
    }
  });
}

// Before anybody sees what an older copy of the county holds.
Result<void> Server::forget_again(County& county) {
  if (bug_ != nullptr && bug_->loses_journal()) return {};
  const auto gone =
      county.forget_again(std::vector<RecordKey>(forgotten_.begin(), forgotten_.end()));
  if (!gone) return std::unexpected(gone.error());
  if (*gone > 0) marks_.hit("forgets: again, when the county starts");
  return {};
}

bool Server::holds(std::string_view bytes) const {
  return std::ranges::any_of(std::array{"", "-wal"}, [&](const char* part) {
    return disk_.has(kFile + part) && disk_.content(kFile + part).contains(bytes);
  });
}

void Server::back_up() {
  if (!county_) return;
  const Phase phase(phase_, "backs up");
  const std::uint64_t before = failures();
  timeline_.note("server backs up");
  const std::string copy = "copy.db";
  for (const char* part : {"", "-wal", "-journal"}) disk_.remove(copy + part);
  Result<Seq> upto;
  memory_.during("server backs up", MemoryFaults::kSeldomDone, [&] {
    upto = county_->backup(copy, "simulator", [&]() -> Result<void> {
      if (!disk_.sync(copy)) return fail(ErrorCode::kIo, "the copy could not be flushed");
      if (carries_media()) {
        // Before phones are told that they may let go of what is in there.
        const auto damaged =
            app::back_up_media(media_config_, media_config_.backup_folder, clock_.now().wall_ms);
        if (!damaged) return std::unexpected(damaged.error());
        if (auto told = county_->media_lost(*damaged); !told) return told;
      }
      backups_.push_back(
          {"backup" + std::to_string(++backups_made_) + ".db", storage_->last_seq()});
      disk_.rename(copy, backups_.back().file);
      for (; backups_.size() > options_.restorable_backups; backups_.pop_front()) {
        disk_.remove(backups_.front().file);
      }
      return {};
    });
  });
  if (!upto && failures() == before) {
    throw std::runtime_error("no backup: " + upto.error().message);
  }
  note_committed(before);
  pump_soon();
}

bool Server::sweep() {
  if (!county_) return false;
  const Phase phase(phase_, "applies");
  const std::uint64_t before = failures();
  Result<SweepReport> some;
  memory_.during("server applies", MemoryFaults::kOften, [&] {
    do {
      some = county_->sweep();
    } while (some && some->more);
  });
  pump_soon();
  if (failures() != before) return false;
  if (!some) throw Violation("tombstones cannot be swept: " + some.error().message);
  note_committed(before);
  const std::size_t swept_before = swept_.size();
  const auto upto = storage_->fact("swept");
  const auto devices = storage_->devices();
  if (failures() != before) return false;
  if (!upto || !devices) throw Violation("how far it was swept cannot be read");
  const bool is_unheard = std::ranges::any_of(*devices, [&](const DeviceRow& device) {
    return device.call_counter > 0 && device.cursor.value < std::stoull("0" + *upto);
  });
  for (const KindSchema& kind : schema_.kinds) {
    const auto noted = storage_->scan_gone(kind.id, [&](RecordId id, std::int64_t) {
      if (!swept_.insert({kind.id, id}).second) return Result<void>();
      timeline_.note("swept " + std::string(kind.name) + " " + id.text());
      marks_.hit(is_unheard ? "sweeps: what a phone has not passed"
                            : "sweeps: what all have passed");
      return Result<void>();
    });
    // The next sweep notes the rest.
    if (failures() != before) return false;
    if (!noted) throw Violation("what is gone cannot be read: " + noted.error().message);
  }
  return swept_.size() > swept_before;
}

void Server::check_swept() const {
  for (const RecordKey& key : swept_) {
    const auto stored = storage_->record(key);
    if (!stored) throw Violation("record cannot be read: " + stored.error().message);
    if (*stored && !(*stored)->state.forgotten)
      throw Violation("stands again: record " + key.id.text() + " was erased and swept");
  }
}

Seq Server::restore(std::size_t backup) {
  timeline_.note("server is restored to backup " + std::to_string(backup + 1) + " of " +
                 std::to_string(backups_.size()));
  for (const char* part : {"", "-wal"}) disk_.remove(kFile + part);
  disk_.copy(backups_[backup].file, kFile);
  // Onto another machine, perhaps.
  if (carries_media() && media_dice_.chance(500)) {
    std::filesystem::remove_all(media_folder());
    media_gone_ = true;
  }
  committed_ = {};
  swept_.clear();
  // What came after it is of a log that this restore has left.
  for (; backups_.size() > backup + 1; backups_.pop_back()) disk_.remove(backups_.back().file);
  return backups_.back().upto;
}

void Server::opened(ConnectionId connection, Sink& sink) {
  county_->on_open(connection, sink);
  pump_soon();
}

void Server::frame(ConnectionId connection, std::string frame) {
  if (!county_) return;
  county_->on_frame(connection, std::move(frame));
  pump_soon();
}

void Server::half_closed(ConnectionId connection) {
  if (!county_) return;
  county_->on_half_close(connection);
  pump_soon();
}

void Server::closed(ConnectionId connection) {
  if (!county_) return;
  county_->on_closed(connection);
  pump_soon();
}

Result<std::string> Server::enrol(const std::string& request) {
  if (!county_) return fail(ErrorCode::kUnavailable, "no server");
  const Phase phase(phase_, "applies");
  return county_->enrol(request);
}

void Server::pump_soon() {
  const std::uint64_t soon = timeline_.now_ms() + 2;
  if (pump_at_ms_ != 0 && pump_at_ms_ <= soon) return;
  pump_at_ms_ = soon;
  timeline_.at(soon, [this, soon] {
    if (pump_at_ms_ == soon) pump();
  });
}

void Server::pump() {
  pump_at_ms_ = 0;
  if (!county_) return;
  const Phase phase(phase_, "applies");
  const std::uint64_t before = failures();
  PumpResult result;
  memory_.during("server applies", MemoryFaults::kOften, [&] { result = county_->pump(); });
  note_committed(before);
  if (result.more) return pump_soon();
  if (pump_at_ms_ != 0) return;
  const std::uint64_t later =
      timeline_.now_ms() +
      static_cast<std::uint64_t>(std::max<std::int64_t>(result.wake_after_ms, 1));
  pump_at_ms_ = later;
  timeline_.at(later, [this, later] {
    if (pump_at_ms_ == later) pump();
  });
}

}  // namespace gridwhistle::sim

#include "support/power_cut_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <new>
#include <optional>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

namespace gridwhistle::test {

namespace {

constexpr std::size_t kSector = 512;

// A write, or a truncation.
struct Unsynced {
  std::size_t offset = 0;
  std::string bytes;
  bool truncates = false;
};

void lay_bytes(std::string& content, std::string_view bytes, std::size_t offset) {
  const std::size_t end = offset + bytes.size();
  if (content.size() < end) content.resize(end, '\0');
  std::memcpy(content.data() + offset, bytes.data(), bytes.size());
}

void lay(std::string& content, const Unsynced& change) {
  if (change.truncates) {
    content.resize(std::min(content.size(), change.offset));
  } else {
    lay_bytes(content, change.bytes, change.offset);
  }
}

struct SharedMemory {
  std::vector<std::unique_ptr<std::array<char, 32768>>> regions;
  std::array<int, SQLITE_SHM_NLOCK> readers{};
  std::array<const void*, SQLITE_SHM_NLOCK> writer{};
};

struct File {
  std::string current;
  std::string durable;
  std::vector<Unsynced> unsynced;
  SharedMemory shared;
};

}  // namespace

struct PowerCutDisk::State {
  std::string name;
  sqlite3_vfs vfs{};
  std::map<std::string, std::unique_ptr<File>, std::less<>> files;
  std::uint64_t operations = 0;
  std::uint64_t reads = 0;
  std::uint64_t syncs = 0;
  std::uint64_t fault_at = std::numeric_limits<std::uint64_t>::max();
  Fault fault = Fault::kPower;
  bool struck = false;
  bool ignores_syncs = false;
  std::uint64_t failures = 0;
  std::function<void(Fault)> told;
  std::map<std::string, std::string, std::less<>> pragmas;

  bool is_of_reads() const { return fault == Fault::kReadError || fault == Fault::kReadErrorOnce; }
  // Counts an operation that changes the disk. False: it must not happen.
  bool allow() {
    const bool strikes = operations >= fault_at;
    ++operations;
    if (is_of_reads()) return true;
    // A full disk strikes with the first write that finds no room.
    if (strikes && fault != Fault::kNoSpace) strike();
    if (strikes && fault == Fault::kIoErrorOnce) {
      fault_at = std::numeric_limits<std::uint64_t>::max();
      return fails();
    }
    return !struck || fault == Fault::kNoSpace || fault == Fault::kIoErrorOnce || fails();
  }
  void strike() {
    if (std::exchange(struck, true)) return;
    if (told) told(fault);
  }
  bool fails() {
    ++failures;
    return false;
  }
  // Whether a write that makes a file longer finds no room.
  bool full() {
    if (fault != Fault::kNoSpace || operations <= fault_at) return false;
    strike();
    return !fails();
  }
  bool dead() const { return struck && (fault == Fault::kPower || fault == Fault::kKill); }
  // Counts a read. False: it must not happen.
  bool allow_read() {
    const bool strikes = is_of_reads() && reads >= fault_at;
    ++reads;
    if (dead()) return fails();
    if (!strikes) return true;
    strike();
    if (fault == Fault::kReadErrorOnce) fault_at = std::numeric_limits<std::uint64_t>::max();
    return fails();
  }
};

namespace {

using State = PowerCutDisk::State;

struct Handle {
  sqlite3_file base;
  State* disk;
  File* file;
  std::array<int, SQLITE_SHM_NLOCK> reads;
};

Handle& handle_of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file); }

int close_file(sqlite3_file*) { return SQLITE_OK; }

int read_file(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
  const Handle& handle = handle_of(file);
  if (!handle.disk->allow_read()) return SQLITE_IOERR_READ;
  const auto wanted = static_cast<std::size_t>(amount);
  const auto from = std::min(static_cast<std::size_t>(offset), handle.file->current.size());
  const std::size_t got = std::min(wanted, handle.file->current.size() - from);
  std::memcpy(out, handle.file->current.data() + from, got);
  std::memset(static_cast<char*>(out) + got, 0, wanted - got);
  return got == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

// Calls `each` with every sector's part of a write.
template <typename Each>
void for_each_sector(std::string_view bytes, std::size_t offset, Each each) {
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), kSector - offset % kSector);
    each(bytes.substr(0, size), offset);
    bytes.remove_prefix(size);
    offset += size;
  }
}

void write_bytes(File& file, std::string_view bytes, std::size_t offset) {
  file.unsynced.push_back({offset, std::string(bytes), false});
  lay(file.current, file.unsynced.back());
}

int write_file(sqlite3_file* file, const void* data, int amount, sqlite3_int64 offset) {
  Handle& handle = handle_of(file);
  const std::string_view bytes(static_cast<const char*>(data), static_cast<std::size_t>(amount));
  const auto at = static_cast<std::size_t>(offset);
  const bool was_struck = handle.disk->struck;
  if (!handle.disk->allow()) {
    // The write under way when the power goes, or the process, may have arrived in part.
    if (!was_struck && handle.disk->fault == PowerCutDisk::Fault::kPower) {
      write_bytes(*handle.file, bytes, at);
    } else if (!was_struck && handle.disk->fault == PowerCutDisk::Fault::kKill) {
      const std::size_t sectors = bytes.size() / kSector + 1;
      write_bytes(*handle.file, bytes.substr(0, handle.disk->operations % sectors * kSector), at);
    }
    return SQLITE_IOERR_WRITE;
  }
  const bool grows = at + bytes.size() > handle.file->current.size();
  if (grows && handle.disk->full()) return SQLITE_FULL;
  write_bytes(*handle.file, bytes, at);
  return SQLITE_OK;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  Handle& handle = handle_of(file);
  if (!handle.disk->allow()) return SQLITE_IOERR_TRUNCATE;
  handle.file->unsynced.push_back({static_cast<std::size_t>(size), {}, true});
  lay(handle.file->current, handle.file->unsynced.back());
  return SQLITE_OK;
}

// Some sectors of what was not synced reach the disk; none of it waits any more.
void let_some_arrive(File& file, std::mt19937_64& random) {
  for (const Unsynced& change : file.unsynced) {
    if (change.truncates) {
      if (random() % 2 == 0) lay(file.durable, change);
      continue;
    }
    for_each_sector(change.bytes, change.offset, [&](std::string_view part, std::size_t offset) {
      if (random() % 2 == 0) lay_bytes(file.durable, part, offset);
    });
  }
  file.unsynced.clear();
}

bool sync_content(State& disk, File& file) {
  if (!disk.allow()) {
    std::mt19937_64 random(disk.operations);
    if (!disk.dead()) let_some_arrive(file, random);
    return false;
  }
  ++disk.syncs;
  if (disk.ignores_syncs) return true;
  for (const Unsynced& change : file.unsynced) lay(file.durable, change);
  file.unsynced.clear();
  return true;
}

int sync_file(sqlite3_file* file, int) {
  Handle& handle = handle_of(file);
  return sync_content(*handle.disk, *handle.file) ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(handle_of(file).file->current.size());
  return SQLITE_OK;
}

int no_lock(sqlite3_file*, int) { return SQLITE_OK; }

int no_reserved_lock(sqlite3_file*, int* held) {
  *held = 0;
  return SQLITE_OK;
}

// A pragma's value is SQLite's own copy of it, which it reads after this: a shorter one fits.
int control(sqlite3_file* file, int what, void* argument) {
  if (what != SQLITE_FCNTL_PRAGMA) return SQLITE_NOTFOUND;
  char** const words = static_cast<char**>(argument);
  const auto& pragmas = handle_of(file).disk->pragmas;
  const auto known = pragmas.find(std::string_view(words[1]));
  if (known != pragmas.end() && words[2] != nullptr &&
      known->second.size() <= std::strlen(words[2])) {
    std::memcpy(words[2], known->second.c_str(), known->second.size() + 1);
  }
  return SQLITE_NOTFOUND;
}

int sector_size(sqlite3_file*) { return static_cast<int>(kSector); }

// As the system's own VFS says. Without it SQLite fills a commit's last sector up after its sync: a
// later sync that fails then loses the filling, and with it every commit that follows.
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int map_shared(sqlite3_file* file, int region, int, int extend, void volatile** out) {
  auto& regions = handle_of(file).file->shared.regions;
  const auto index = static_cast<std::size_t>(region);
  while (regions.size() <= index && extend != 0) {
    regions.push_back(std::make_unique<std::array<char, 32768>>());
  }
  *out = index < regions.size() ? regions[index]->data() : nullptr;
  return SQLITE_OK;
}

int lock_shared(sqlite3_file* file, int first, int count, int flags) {
  Handle& handle = handle_of(file);
  SharedMemory& shared = handle.file->shared;
  for (auto slot = static_cast<std::size_t>(first); slot < static_cast<std::size_t>(first + count);
       ++slot) {
    const bool reading = (flags & SQLITE_SHM_SHARED) != 0;
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
      if (reading && handle.reads[slot] > 0) {
        --handle.reads[slot];
        --shared.readers[slot];
      } else if (shared.writer[slot] == &handle) {
        shared.writer[slot] = nullptr;
      }
      continue;
    }
    if (shared.writer[slot] != nullptr && shared.writer[slot] != &handle) return SQLITE_BUSY;
    if (!reading && shared.readers[slot] > handle.reads[slot]) return SQLITE_BUSY;
    if (reading) {
      ++handle.reads[slot];
      ++shared.readers[slot];
    } else {
      shared.writer[slot] = &handle;
    }
  }
  return SQLITE_OK;
}

void shared_barrier(sqlite3_file*) {}

int unmap_shared(sqlite3_file* file, int drop) {
  if (drop != 0) handle_of(file).file->shared = {};
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {.iVersion = 2,
                                         .xClose = close_file,
                                         .xRead = read_file,
                                         .xWrite = write_file,
                                         .xTruncate = truncate_file,
                                         .xSync = sync_file,
                                         .xFileSize = size_of_file,
                                         .xLock = no_lock,
                                         .xUnlock = no_lock,
                                         .xCheckReservedLock = no_reserved_lock,
                                         .xFileControl = control,
                                         .xSectorSize = sector_size,
                                         .xDeviceCharacteristics = characteristics,
                                         .xShmMap = map_shared,
                                         .xShmLock = lock_shared,
                                         .xShmBarrier = shared_barrier,
                                         .xShmUnmap = unmap_shared,
                                         .xFetch = nullptr,
                                         .xUnfetch = nullptr};

State& disk_of(sqlite3_vfs* vfs) { return *static_cast<State*>(vfs->pAppData); }

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  State& disk = disk_of(vfs);
  file->pMethods = nullptr;
  const std::string key = name != nullptr ? name : "temporary";
  const auto known = disk.files.find(key);
  if (disk.dead() && !disk.fails()) return SQLITE_IOERR;
  if (known == disk.files.end() && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
  auto& entry = known != disk.files.end() ? known->second : disk.files[key];
  if (entry == nullptr) entry = std::make_unique<File>();
  Handle* handle = new (file) Handle{};
  handle->base.pMethods = &kMethods;
  handle->disk = &disk;
  handle->file = entry.get();
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int) {
  State& disk = disk_of(vfs);
  const auto known = disk.files.find(name);
  if (known == disk.files.end()) return SQLITE_IOERR_DELETE_NOENT;
  if (!disk.allow()) return SQLITE_IOERR_DELETE;
  disk.files.erase(known);
  return SQLITE_OK;
}

int access_file(sqlite3_vfs* vfs, const char* name, int, int* found) {
  *found = disk_of(vfs).files.contains(name) ? 1 : 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

sqlite3_vfs* system_vfs() { return sqlite3_vfs_find(nullptr); }

int randomness(sqlite3_vfs*, int size, char* out) {
  return system_vfs()->xRandomness(system_vfs(), size, out);
}

int no_sleep(sqlite3_vfs*, int) { return 0; }

int time_of_day(sqlite3_vfs*, double* out) { return system_vfs()->xCurrentTime(system_vfs(), out); }

int no_last_error(sqlite3_vfs*, int, char*) { return 0; }

}  // namespace

PowerCutDisk::PowerCutDisk(std::string name) : state_(std::make_unique<State>()) {
  state_->name = std::move(name);
  sqlite3_vfs& vfs = state_->vfs;
  vfs.iVersion = 1;
  vfs.szOsFile = sizeof(Handle);
  vfs.mxPathname = 512;
  vfs.zName = state_->name.c_str();
  vfs.pAppData = state_.get();
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  vfs.xAccess = access_file;
  vfs.xFullPathname = full_path;
  vfs.xRandomness = randomness;
  vfs.xSleep = no_sleep;
  vfs.xCurrentTime = time_of_day;
  vfs.xGetLastError = no_last_error;
  sqlite3_vfs_register(&vfs, 0);
}

PowerCutDisk::~PowerCutDisk() { sqlite3_vfs_unregister(&state_->vfs); }

const std::string& PowerCutDisk::name() const { return state_->name; }
std::uint64_t PowerCutDisk::operations() const { return state_->operations; }
std::uint64_t PowerCutDisk::syncs() const { return state_->syncs; }
bool PowerCutDisk::struck() const { return state_->struck; }

void PowerCutDisk::fail_after(std::uint64_t count, Fault fault) {
  state_->fault = fault;
  state_->fault_at = (state_->is_of_reads() ? state_->reads : state_->operations) + count;
  state_->struck = false;
}

void PowerCutDisk::heal() {
  state_->fault_at = std::numeric_limits<std::uint64_t>::max();
  state_->struck = false;
}

std::optional<PowerCutDisk::Fault> PowerCutDisk::fault() const {
  const bool is_over =
      state_->fault == Fault::kIoErrorOnce || state_->fault == Fault::kReadErrorOnce;
  const bool lasts = state_->struck && !is_over;
  const bool comes = state_->fault_at != std::numeric_limits<std::uint64_t>::max();
  return lasts || comes ? std::optional(state_->fault) : std::nullopt;
}

std::uint64_t PowerCutDisk::failures() const { return state_->failures; }

void PowerCutDisk::on_strike(std::function<void(Fault)> told) { state_->told = std::move(told); }

void PowerCutDisk::ignore_syncs() { state_->ignores_syncs = true; }

void PowerCutDisk::answer_pragma(const std::string& name, const std::string& value) {
  state_->pragmas[name] = value;
}

void PowerCutDisk::restore_power(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (auto& [name, file] : state_->files) {
    let_some_arrive(*file, random);
    file->current = file->durable;
  }
  restart();
}

void PowerCutDisk::restart() {
  for (auto& [name, file] : state_->files) file->shared = {};
  heal();
}

void PowerCutDisk::rename(const std::string& from, const std::string& to) {
  auto moved = state_->files.extract(from);
  state_->files.erase(to);
  moved.key() = to;
  state_->files.insert(std::move(moved));
}

bool PowerCutDisk::sync(const std::string& name) {
  return sync_content(*state_, *state_->files.at(name));
}

void PowerCutDisk::copy(const std::string& from, const std::string& to) {
  copy_from(*this, from, to);
}

void PowerCutDisk::copy_from(const PowerCutDisk& disk, const std::string& from,
                             const std::string& to) {
  auto file = std::make_unique<File>();
  file->current = file->durable = disk.state_->files.at(from)->current;
  state_->files[to] = std::move(file);
}

void PowerCutDisk::remove(const std::string& name) { state_->files.erase(name); }

bool PowerCutDisk::has(const std::string& name) const { return state_->files.contains(name); }

std::string_view PowerCutDisk::content(const std::string& name) const {
  return state_->files.at(name)->current;
}

void PowerCutDisk::save_to(const std::string& folder) const {
  for (const auto& [name, file] : state_->files) {
    std::ofstream out(folder + "/" + name, std::ios::binary);
    out << file->current;
  }
}

}  // namespace gridwhistle::test

#include "support/power_cut_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <map>
#include <new>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

namespace gridwhistle::test {

namespace {

constexpr std::size_t kSector = 512;

// One sector's part of a write, or a truncation.
struct Unsynced {
  std::size_t offset = 0;
  std::string bytes;
  bool truncates = false;
};

void lay(std::string& content, const Unsynced& change) {
  if (change.truncates) {
    content.resize(std::min(content.size(), change.offset));
    return;
  }
  const std::size_t end = change.offset + change.bytes.size();
  if (content.size() < end) content.resize(end, '\0');
  content.replace(change.offset, change.bytes.size(), change.bytes);
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
  std::uint64_t syncs = 0;
  std::uint64_t fault_at = std::numeric_limits<std::uint64_t>::max();
  Fault fault = Fault::kPower;
  bool struck = false;
  bool ignores_syncs = false;

  // Counts an operation that changes the disk. False: it must not happen.
  bool allow() {
    const bool strikes = operations >= fault_at;
    struck |= strikes;
    ++operations;
    if (strikes && fault == Fault::kIoErrorOnce) {
      fault_at = std::numeric_limits<std::uint64_t>::max();
      return false;
    }
    return !struck || fault == Fault::kNoSpace || fault == Fault::kIoErrorOnce;
  }
  bool full() const { return struck && fault == Fault::kNoSpace; }
  bool dead() const { return struck && fault == Fault::kPower; }
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
  if (handle.disk->dead()) return SQLITE_IOERR_READ;
  const auto wanted = static_cast<std::size_t>(amount);
  const auto from = std::min(static_cast<std::size_t>(offset), handle.file->current.size());
  const std::size_t got = std::min(wanted, handle.file->current.size() - from);
  std::memcpy(out, handle.file->current.data() + from, got);
  std::memset(static_cast<char*>(out) + got, 0, wanted - got);
  return got == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

void write_sectors(File& file, std::string_view bytes, std::size_t offset) {
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), kSector - offset % kSector);
    file.unsynced.push_back({offset, std::string(bytes.substr(0, size)), false});
    lay(file.current, file.unsynced.back());
    bytes.remove_prefix(size);
    offset += size;
  }
}

int write_file(sqlite3_file* file, const void* data, int amount, sqlite3_int64 offset) {
  Handle& handle = handle_of(file);
  const std::string_view bytes(static_cast<const char*>(data), static_cast<std::size_t>(amount));
  const auto at = static_cast<std::size_t>(offset);
  const bool was_struck = handle.disk->struck;
  if (!handle.disk->allow()) {
    // The write under way when the power goes may have arrived in part.
    if (!was_struck && handle.disk->dead()) write_sectors(*handle.file, bytes, at);
    return SQLITE_IOERR_WRITE;
  }
  if (handle.disk->full() && at + bytes.size() > handle.file->current.size()) return SQLITE_FULL;
  write_sectors(*handle.file, bytes, at);
  return SQLITE_OK;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  Handle& handle = handle_of(file);
  if (!handle.disk->allow()) return SQLITE_IOERR_TRUNCATE;
  handle.file->unsynced.push_back({static_cast<std::size_t>(size), {}, true});
  lay(handle.file->current, handle.file->unsynced.back());
  return SQLITE_OK;
}

// Some of what was not synced reaches the disk, in no order; none of it waits any more.
void let_some_arrive(File& file, std::mt19937_64& random) {
  for (const Unsynced& change : file.unsynced) {
    if (random() % 2 == 0) lay(file.durable, change);
  }
  file.unsynced.clear();
}

int sync_file(sqlite3_file* file, int) {
  Handle& handle = handle_of(file);
  if (!handle.disk->allow()) {
    std::mt19937_64 random(handle.disk->operations);
    if (!handle.disk->dead()) let_some_arrive(*handle.file, random);
    return SQLITE_IOERR_FSYNC;
  }
  ++handle.disk->syncs;
  if (handle.disk->ignores_syncs) return SQLITE_OK;
  for (const Unsynced& change : handle.file->unsynced) lay(handle.file->durable, change);
  handle.file->unsynced.clear();
  return SQLITE_OK;
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

int no_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }

int sector_size(sqlite3_file*) { return static_cast<int>(kSector); }

int no_characteristics(sqlite3_file*) { return 0; }

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
                                         .xFileControl = no_control,
                                         .xSectorSize = sector_size,
                                         .xDeviceCharacteristics = no_characteristics,
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
  if (known == disk.files.end() && (disk.dead() || (flags & SQLITE_OPEN_CREATE) == 0)) {
    return SQLITE_CANTOPEN;
  }
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
  state_->fault_at = state_->operations + count;
  state_->fault = fault;
  state_->struck = false;
}

void PowerCutDisk::heal() {
  state_->fault_at = std::numeric_limits<std::uint64_t>::max();
  state_->struck = false;
}

void PowerCutDisk::ignore_syncs() { state_->ignores_syncs = true; }

void PowerCutDisk::restore_power(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (auto& [name, file] : state_->files) {
    let_some_arrive(*file, random);
    file->current = file->durable;
    file->shared = {};
  }
  heal();
}

}  // namespace gridwhistle::test

#include "storage/sqlite/packed.h"
#include "storage/sqlite/rows_of.h"
#include "storage/sqlite/sqlite_storage.h"

namespace gridwhistle {

using sqlite::Blob;
using sqlite::Statement;

Result<LaneRow> SqliteStorage::lane(DeviceId device, Lane lane) {
  LaneRow found;
  const auto read = sqlite::rows_of(
      connection_, "SELECT last, noted, running_hash FROM lane WHERE device=? AND lane=?",
      [&](Statement& row) {
        found = {LaneSeq(row.number(0)), LaneSeq(row.number(1)), std::string(row.blob(2))};
      },
      device, lane);
  if (!read) return std::unexpected(read.error());
  return found;
}

Result<void> SqliteStorage::put_lane(DeviceId device, Lane lane, const LaneRow& row) {
  return connection_.run("INSERT OR REPLACE INTO lane VALUES(?,?,?,?,?)", device, lane, row.last,
                         row.noted, Blob{row.running_hash});
}

Result<std::vector<LaneChunk>> SqliteStorage::chunks(DeviceId device, Lane lane, LaneSeq first,
                                                     LaneSeq last) {
  std::vector<LaneChunk> all;
  const auto read = sqlite::rows_of(
      connection_,
      "SELECT first, hashes, runs FROM chunk WHERE device=?1 AND lane=?2 AND first<=?4 AND first>="
      "ifnull((SELECT max(first) FROM chunk WHERE device=?1 AND lane=?2 AND first<=?3), 0) "
      "ORDER BY first",
      [&](Statement& row) -> Result<void> {
        auto runs = unpack_runs(row.blob(2));
        if (!runs) return std::unexpected(std::move(runs.error()));
        LaneChunk chunk{LaneSeq(row.number(0)), std::string(row.blob(1)), std::move(*runs)};
        if (chunk.last() >= first) all.push_back(std::move(chunk));
        return {};
      },
      device, lane, first, last);
  if (!read) return std::unexpected(read.error());
  return all;
}

Result<void> SqliteStorage::add_chunk(DeviceId device, Lane lane, const LaneChunk& chunk) {
  const std::string runs = pack(chunk.runs);
  return connection_.run("INSERT INTO chunk VALUES(?,?,?,?,?)", device, lane, chunk.first,
                         Blob{chunk.hashes}, Blob{runs});
}

Result<void> SqliteStorage::drop_chunk(DeviceId device, Lane lane, LaneSeq first) {
  return connection_.run("DELETE FROM chunk WHERE device=? AND lane=? AND first=?", device, lane,
                         first);
}

}  // namespace gridwhistle

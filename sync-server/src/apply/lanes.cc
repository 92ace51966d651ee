#include "apply/lanes.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/limits.h"
#include "base/sha256.h"

namespace gridwhistle {

namespace {

std::string short_hash(const Operation& operation) {
  return hash_of(operation).substr(0, LaneChunk::kHashBytes);
}

std::string_view hash_at(const LaneChunk& chunk, LaneSeq lane_seq) {
  return std::string_view(chunk.hashes)
      .substr((lane_seq.value - chunk.first.value) * LaneChunk::kHashBytes, LaneChunk::kHashBytes);
}

// The part of a run that lies in [first, last].
std::optional<AckedRun> clip(AckedRun run, LaneSeq first, LaneSeq last) {
  const std::uint64_t run_last = run.first.value + run.count - 1;
  if (run.count == 0 || run_last < first.value || run.first > last) return std::nullopt;
  const std::uint64_t skip = first.value > run.first.value ? first.value - run.first.value : 0;
  const std::uint64_t end = std::min(run_last, last.value);
  run.first = LaneSeq(run.first.value + skip);
  run.first_seq = Seq(run.first_seq.value + skip);
  run.count = static_cast<std::uint32_t>(end - run.first.value + 1);
  return run;
}

// The chunk's part up to `last`.
void cut_behind(LaneChunk& chunk, LaneSeq last) {
  if (chunk.last() <= last) return;
  chunk.hashes.resize((last.value - chunk.first.value + 1) * LaneChunk::kHashBytes);
  std::vector<AckedRun> runs;
  for (const AckedRun& run : chunk.runs) {
    if (const auto part = clip(run, chunk.first, last)) runs.push_back(*part);
  }
  chunk.runs = std::move(runs);
}

// As storage has them, of the numbers that the device's file had before, too: a successor's lane
// goes on behind what is kept of its predecessor's.
Result<std::vector<LaneChunk>> chunks_of_file(Storage& storage, DeviceId device, Lane lane,
                                              LaneSeq first, LaneSeq last) {
  auto chunks = storage.chunks(device, lane, first, last);
  if (!chunks) return chunks;
  auto row = storage.device(device);
  if (!row) return std::unexpected(std::move(row.error()));
  if (!*row || !(*row)->predecessor) return chunks;
  auto own = storage.lane(device, lane);
  if (!own) return std::unexpected(std::move(own.error()));
  const LaneSeq behind =
      chunks->empty() ? std::min(last, own->last) : LaneSeq(chunks->front().first.value - 1);
  if (behind < first) return chunks;
  auto before = chunks_of_file(storage, (*row)->predecessor, lane, first, behind);
  if (!before) return before;
  std::erase_if(*before, [&](const LaneChunk& chunk) { return chunk.first > behind; });
  for (LaneChunk& chunk : *before) cut_behind(chunk, behind);
  std::ranges::move(*chunks, std::back_inserter(*before));
  return before;
}

}  // namespace

void append_run(std::vector<AckedRun>& runs, const AckedRun& run) {
  if (!runs.empty()) {
    AckedRun& last = runs.back();
    if (last.first.value + last.count == run.first.value &&
        last.first_seq.value + last.count == run.first_seq.value && last.status == run.status &&
        last.code == run.code) {
      last.count += run.count;
      return;
    }
  }
  runs.push_back(run);
}

Result<std::vector<AckedRun>> kept_runs(Storage& storage, DeviceId device, Lane lane, LaneSeq first,
                                        LaneSeq last) {
  auto chunks = chunks_of_file(storage, device, lane, first, last);
  if (!chunks) return std::unexpected(std::move(chunks.error()));
  std::vector<AckedRun> runs;
  for (const LaneChunk& chunk : *chunks) {
    for (const AckedRun& run : chunk.runs) {
      if (const auto part = clip(run, first, std::min(last, chunk.last()))) append_run(runs, *part);
    }
  }
  return runs;
}

Result<std::vector<AckedRun>> kept_after(Storage& storage, DeviceId device, Lane lane,
                                         LaneSeq after) {
  auto row = storage.lane(device, lane);
  if (!row) return std::unexpected(std::move(row.error()));
  return kept_runs(storage, device, lane, LaneSeq(after.value + 1), row->last);
}

Result<std::size_t> known_of(Storage& storage, DeviceId device, Lane lane, LaneSeq noted,
                             std::string_view hashes) {
  std::size_t known = 0;
  const auto number_at = [&](std::size_t at) { return LaneSeq(noted.value + 1 + at); };
  const std::size_t offered = hashes.size() / limits::kUnsettledHashBytes;
  if (offered == 0) return known;
  auto chunks = chunks_of_file(storage, device, lane, number_at(0), number_at(offered - 1));
  if (!chunks) return std::unexpected(std::move(chunks.error()));
  for (const LaneChunk& chunk : *chunks) {
    while (known < offered && chunk.first <= number_at(known) && number_at(known) <= chunk.last()) {
      const auto given =
          hashes.substr(known * limits::kUnsettledHashBytes, limits::kUnsettledHashBytes);
      if (!hash_at(chunk, number_at(known)).starts_with(given)) return known;
      ++known;
    }
  }
  return known;
}

Result<Screened> screen(Storage& storage, DeviceId device, std::span<const Operation> operations) {
  Screened screened;
  if (operations.empty()) return screened;
  const Lane lane = operations.front().lane;
  const LaneSeq first = operations.front().lane_seq;
  auto row = storage.lane(device, lane);
  if (!row) return std::unexpected(std::move(row.error()));
  if (first.value > row->last.value + 1) {
    return fail(ErrorCode::kProtocol, "operations are missing before this frame",
                "gap in lane " + std::to_string(static_cast<int>(lane)));
  }
  if (first > row->last) return screened;
  auto chunks = storage.chunks(device, lane, first, operations.back().lane_seq);
  if (!chunks) return std::unexpected(std::move(chunks.error()));
  for (const Operation& operation : operations) {
    if (operation.lane_seq > row->last) break;
    const auto chunk = std::ranges::find_if(*chunks, [&](const LaneChunk& c) {
      return c.first <= operation.lane_seq && operation.lane_seq <= c.last();
    });
    if (chunk == chunks->end() || hash_at(*chunk, operation.lane_seq) != short_hash(operation)) {
      screened.fork = Fork{lane, operation.lane_seq};
      return screened;
    }
    ++screened.known;
  }
  const LaneSeq last(first.value + screened.known - 1);
  for (const LaneChunk& chunk : *chunks) {
    for (const AckedRun& run : chunk.runs) {
      if (const auto part = clip(run, first, last)) append_run(screened.kept, *part);
    }
  }
  return screened;
}

Result<void> add_to_lane(Storage& storage, DeviceId device, std::span<const Operation> operations,
                         std::vector<AckedRun> runs) {
  if (operations.empty()) return {};
  const Lane lane = operations.front().lane;
  auto row = storage.lane(device, lane);
  if (!row) return std::unexpected(std::move(row.error()));
  LaneChunk chunk;
  chunk.first = operations.front().lane_seq;
  chunk.hashes.reserve(operations.size() * LaneChunk::kHashBytes);
  for (const Operation& operation : operations) chunk.hashes += short_hash(operation);
  chunk.runs = std::move(runs);
  if (auto added = storage.add_chunk(device, lane, chunk); !added) return added;
  row->last = chunk.last();
  return storage.put_lane(device, lane, *row);
}

Result<std::optional<Fork>> check_claim(Storage& storage, DeviceId device, const LaneClaim& claim) {
  auto row = storage.lane(device, claim.lane);
  if (!row) return std::unexpected(std::move(row.error()));
  if (claim.noted < row->noted) return Fork{claim.lane, LaneSeq(claim.noted.value + 1)};
  if (claim.last < row->last) return Fork{claim.lane, LaneSeq(claim.last.value + 1)};
  return std::nullopt;
}

Result<void> note(Storage& storage, DeviceId device, Lane lane, LaneSeq noted) {
  auto row = storage.lane(device, lane);
  if (!row) return std::unexpected(std::move(row.error()));
  // A server restored from a backup hears of acknowledgements it does not remember.
  noted = std::min(noted, row->last);
  if (noted <= row->noted) return {};
  row->noted = noted;
  if (noted.value > limits::kUnsettledOperations) {
    const LaneSeq old(noted.value - limits::kUnsettledOperations);
    auto chunks = storage.chunks(device, lane, LaneSeq(), old);
    if (!chunks) return std::unexpected(std::move(chunks.error()));
    for (const LaneChunk& chunk : *chunks) {
      if (chunk.last() > old) break;
      row->running_hash = sha256(row->running_hash + chunk.hashes);
      if (auto dropped = storage.drop_chunk(device, lane, chunk.first); !dropped) return dropped;
    }
  }
  return storage.put_lane(device, lane, *row);
}

}  // namespace gridwhistle

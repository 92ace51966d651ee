#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "model/fields.h"
#include "model/merge.h"
#include "random_writes.h"
#include "thing.h"

namespace gridwhistle {
namespace {

constexpr std::int64_t kReceiptMs = 1'000'000;
constexpr Seq kCreated{10};

struct Sent {
  DeviceId device;
  Operation operation;
};

// What several devices wrote after all of them had read the record at seq 10, a queue a lane.
struct History {
  RecordState start;
  std::vector<std::vector<Sent>> queues;
};

History random_history(std::uint64_t seed, bool with_erasures) {
  RandomWrites random(seed);
  History history;
  Operation creation;
  creation.creates = true;
  creation.dev_seq = DevSeq(1);
  creation.hlc = Hlc(1);
  creation.set = random.body();
  history.start = merge(thing::kThing, {}, creation, DeviceId(100), kCreated, kReceiptMs).next;
  const unsigned devices = 2 + random.pick(3);
  const unsigned lanes = with_erasures ? 1 : 2;
  history.queues.resize(devices * lanes);
  for (unsigned device = 0; device < devices; ++device) {
    std::uint64_t hlc = 2;
    for (unsigned i = 0, count = 1 + random.pick(4); i < count; ++i) {
      Operation operation;
      operation.base_seq = kCreated;
      operation.dev_seq = DevSeq(i + 1);
      hlc += 1 + random.pick(3);
      operation.hlc = Hlc(hlc);
      const bool erases = with_erasures && random.pick(4) == 0;
      if (erases) {
        operation.type = OperationType::kErase;
      } else {
        random.fill(operation);
      }
      history.queues[device * lanes + random.pick(lanes)].push_back(
          {DeviceId(device + 1), operation});
      if (erases) break;
    }
  }
  return history;
}

struct Played {
  RecordState state;
  std::vector<Loser> losers;
};

// Takes the next of a random queue until all are empty.
Played play(const History& history, std::uint64_t seed) {
  RandomWrites random(seed);
  Played played{history.start, {}};
  std::vector<std::size_t> at(history.queues.size(), 0);
  std::size_t left = 0;
  for (const auto& queue : history.queues) left += queue.size();
  for (std::uint64_t seq = kCreated.value + 1; left > 0;) {
    const unsigned queue = random.pick(static_cast<unsigned>(at.size()));
    if (at[queue] == history.queues[queue].size()) continue;
    const Sent& sent = history.queues[queue][at[queue]++];
    Merged merged =
        merge(thing::kThing, played.state, sent.operation, sent.device, Seq(seq++), kReceiptMs);
    REQUIRE(merged.status != OutcomeStatus::kRejected);
    played.state = std::move(merged.next);
    for (Loser& loser : merged.losers) played.losers.push_back(std::move(loser));
    --left;
  }
  return played;
}

// Every value of a field where the last writer wins: it stands, or its author wrote over it, or it
// is a loser, its author's or of whoever wrote the same. Never twice a loser.
void check_losers(const History& history, const Played& played) {
  std::map<std::tuple<DeviceId, DevSeq, std::uint32_t>, int> lost;
  std::set<std::string_view> values;
  for (const Loser& loser : played.losers) {
    for (const FieldView& field : fields_of(loser.set)) {
      lost[{loser.writer, loser.dev_seq, field.number}] += 1;
      values.insert(field.entries);
    }
  }
  for (const auto& [which, times] : lost) CHECK(times == 1);
  std::map<std::pair<DeviceId, std::uint32_t>, DevSeq> last;
  for (const auto& queue : history.queues) {
    for (const Sent& sent : queue) {
      for (const std::uint32_t number :
           units_of(thing::kThing, sent.operation.set, sent.operation.clear, {})) {
        DevSeq& latest = last[{sent.device, number}];
        latest = std::max(latest, sent.operation.dev_seq);
      }
    }
  }
  for (const auto& queue : history.queues) {
    for (const Sent& sent : queue) {
      for (const std::uint32_t number : {thing::kTitle, thing::kCount, thing::kUnknown}) {
        const auto given = field_of(sent.operation.set, number).entries;
        if (given.empty() || given == field_of(played.state.body, number).entries) continue;
        if (last[{sent.device, number}] != sent.operation.dev_seq) continue;
        INFO("device " << sent.device.value << " operation " << sent.operation.dev_seq.value
                       << " field " << number);
        CHECK(values.contains(given));
      }
    }
  }
}

}  // namespace

TEST_CASE("concurrent operations end in the same values in whichever order they arrive") {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    INFO("seed " << seed);
    const History history = random_history(seed, false);
    const Played first = play(history, seed * 2 + 1);
    const Played second = play(history, seed * 2 + 2);
    REQUIRE(first.state.body == second.state.body);
  }
}

TEST_CASE("erasures and edits end in the same record in whichever order they arrive") {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    INFO("seed " << seed);
    const History history = random_history(seed, true);
    const Played first = play(history, seed * 2 + 1);
    const Played second = play(history, seed * 2 + 2);
    REQUIRE(first.state.erased == second.state.erased);
    if (!first.state.erased) REQUIRE(first.state.body == second.state.body);
  }
}

TEST_CASE("each value that is beaten is reported to its author, and once") {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    INFO("seed " << seed);
    const History history = random_history(seed, false);
    check_losers(history, play(history, seed));
  }
}

TEST_CASE("the same operation a second time changes no value") {
  CHECK(rc::check([](std::uint64_t seed) {
    const History history = random_history(seed, seed % 2 == 0);
    RecordState state = history.start;
    std::uint64_t seq = kCreated.value + 1;
    for (const auto& queue : history.queues) {
      for (const Sent& sent : queue) {
        state =
            merge(thing::kThing, state, sent.operation, sent.device, Seq(seq++), kReceiptMs).next;
        const Merged again =
            merge(thing::kThing, state, sent.operation, sent.device, Seq(seq++), kReceiptMs);
        RC_ASSERT(again.next.body == state.body);
        RC_ASSERT(again.next.erased == state.erased);
      }
    }
  }));
}

TEST_CASE("stamps survive storage") {
  CHECK(rc::check([](std::uint64_t seed) {
    const History history = random_history(seed, seed % 2 == 0);
    RecordState state = history.start;
    std::uint64_t seq = kCreated.value + 1;
    for (const auto& queue : history.queues) {
      for (const Sent& sent : queue) {
        state =
            merge(thing::kThing, state, sent.operation, sent.device, Seq(seq++), kReceiptMs).next;
        const std::string bytes = encode_stamps(state);
        const auto back = decode_stamps(bytes, state.body);
        RC_ASSERT(back.has_value());
        RC_ASSERT(*back == state);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
          const auto cut = decode_stamps(std::string_view(bytes).substr(0, size), state.body);
          RC_ASSERT(!cut.has_value());
        }
      }
    }
  }));
}

}  // namespace gridwhistle

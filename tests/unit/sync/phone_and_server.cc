#include "phone_and_server.h"

#include "schema/tables.h"

namespace gridwhistle {

namespace {

const Schema& schema() { return built_schema(); }
const DeviceId kDevice(0x123456789ABCDEF);

}  // namespace

LaneSeq MemoryFile::record(Lane lane, bool more) {
  auto& operations = recorded[index_of(lane)];
  Operation operation;
  operation.kind = KindId(lane == Lane::kWhistles ? 3 : lane == Lane::kRecords ? 1 : 2);
  operation.dev_seq = DevSeq(++dev_seq);
  operation.id = RecordId::make(kDevice, dev_seq);
  operation.creates = true;
  operation.more = more;
  operation.lane = lane;
  operation.lane_seq = LaneSeq(operations.size() + 1);
  operation.hlc = Hlc(dev_seq << 16);
  operations.push_back(operation);
  return operation.lane_seq;
}

SyncState MemoryFile::state() const {
  SyncState state;
  state.device = kDevice;
  for (std::size_t i = 0; i < kLaneCount; ++i) {
    state.lanes[i] = {LaneSeq(acknowledged[i]), LaneSeq(recorded[i].size())};
    state.unsent += recorded[i].size() - acknowledged[i];
  }
  state.cursor.set_seq(cursor.value);
  return state;
}

std::vector<Operation> MemoryFile::read(Lane lane, LaneSeq after, std::size_t bytes_max) const {
  std::vector<Operation> read;
  const auto& all = recorded[index_of(lane)];
  for (std::size_t i = after.value; i < all.size(); ++i) {
    const bool boundary = read.empty() || !read.back().more;
    if (boundary && read.size() * 1024 >= bytes_max) break;
    read.push_back(all[i]);
  }
  return read;
}

bool MemoryFile::all_acknowledged() const {
  for (std::size_t i = 0; i < kLaneCount; ++i) {
    if (acknowledged[i] != recorded[i].size()) return false;
  }
  return true;
}

v1::Acks MemoryServer::take(const OperationsUp& up) {
  auto& lane = taken[index_of(up.lane)];
  v1::Acks acks;
  for (const Operation& operation : up.operations) {
    const std::string hash = hash_of(operation);
    const std::uint64_t number = operation.lane_seq.value;
    if (number <= lane.size()) {
      if (lane[number - 1] != hash) ++twice;
    } else {
      lane.push_back(hash);
    }
    v1::AckRun& run = *acks.add_runs();
    run.set_lane(static_cast<std::uint32_t>(up.lane));
    run.set_first(number);
    run.set_count(1);
    run.set_first_seq(++seq);
    run.set_status(static_cast<std::uint32_t>(OutcomeStatus::kAccepted));
  }
  return acks;
}

World::World(std::uint64_t seed) : random(seed), session({1, "test"}, random) {}

void World::run(SyncActions actions) {
  std::deque<SyncAction> todo(actions.begin(), actions.end());
  const auto then = [&](SyncActions more) {
    for (SyncAction& action : more) todo.push_back(std::move(action));
  };
  while (!todo.empty()) {
    const SyncAction action = std::move(todo.front());
    todo.pop_front();
    if (std::holds_alternative<OpenCall>(action)) {
      call = true;
      ++calls;
      half_closed = dead = false;
      then(session.opened(file.state(), now_ms));
    } else if (const auto* send_hello = std::get_if<SendHello>(&action)) {
      live = send_hello->hello.live();
      v1::Hello hello = send_hello->hello;
      hello.set_call_counter(calls);
      hello.set_wall_ms(1'700'000'000'000);
      hello.set_boot_ms(now_ms);
      hello.set_boot_id(1);
      hello.set_signature("signed");
      up.push_back(encode(hello));
    } else if (const auto* read = std::get_if<ReadOperations>(&action)) {
      then(session.operations(read->lane, file.read(read->lane, read->after, read->bytes_max)));
    } else if (const auto* send = std::get_if<Send>(&action)) {
      up.push_back(send->frame);
    } else if (std::holds_alternative<FinishSending>(action)) {
      half_closed = true;
    } else if (std::holds_alternative<ReadDigests>(action)) {
      then(session.digests(RangeDigests{}));
    } else if (const auto* ranges = std::get_if<ReadContents>(&action)) {
      std::vector<v1::RangeContents> contents(ranges->ranges.size());
      for (std::size_t i = 0; i < contents.size(); ++i) contents[i].set_range(ranges->ranges[i]);
      then(session.contents(contents));
    } else if (std::holds_alternative<StoreCompared>(action)) {
      ++file.compared;
    } else if (const auto* acks = std::get_if<StoreAcks>(&action)) {
      if (std::exchange(fail_store, false)) {
        todo.clear();
        then(session.store_failed({ErrorCode::kDiskFull, "full", ""}, now_ms));
        continue;
      }
      for (const v1::AckRun& run : acks->acks.runs()) {
        file.acknowledged[run.lane() - 1] = run.first() + run.count() - 1;
      }
    } else if (const auto* cut = std::get_if<StoreCut>(&action)) {
      file.cursor = cut->cut.upto;
    } else if (const auto* caught_up = std::get_if<StoreCaughtUp>(&action)) {
      file.cursor = caught_up->upto;
    } else if (std::holds_alternative<CloseCall>(action)) {
      call = half_closed = false;
      up.clear();
      down.clear();
      end.reset();
    } else if (const auto* done = std::get_if<Finished>(&action)) {
      finished.push_back(done->how);
    }
  }
}

bool World::deliver_up() {
  if (dead) return false;
  if (up.empty()) {
    if (!half_closed || end) return false;
    v1::DownEnd down_end;
    down_end.set_caught_up(server.seq);
    down.emplace_back(down_end);
    end = Result<void>{};
    return true;
  }
  Result<Up> frame = decode_up(schema(), kDevice, up.front());
  up.pop_front();
  if (!frame) throw std::runtime_error(frame.error().message + " " + frame.error().detail);
  const auto end_of_feed = [&] {
    v1::DownEnd down_end;
    down_end.set_caught_up(server.seq);
    down.emplace_back(down_end);
  };
  if (std::holds_alternative<v1::Hello>(*frame)) {
    v1::Welcome welcome;
    welcome.set_protocol(SyncSession::kProtocol);
    down.emplace_back(welcome);
    if (live) end_of_feed();
  } else if (const auto* operations = std::get_if<OperationsUp>(&*frame)) {
    for (std::size_t i = 0; i < operations->operations.size(); ++i) {
      lanes_received.push_back(operations->lane);
    }
    down.emplace_back(server.take(*operations));
  }
  return true;
}

bool World::deliver_down() {
  if (dead) return false;
  if (!down.empty()) {
    const Down frame = down.front();
    down.pop_front();
    run(session.frame(frame, 10, now_ms));
    return true;
  }
  if (end) {
    const Result<void> how = *end;
    end.reset();
    run(session.ended(how, now_ms));
    return true;
  }
  return false;
}

void World::deliver_all() {
  while (deliver_up() || deliver_down()) {
  }
}

void World::break_call(ErrorCode code) {
  if (!call) return;
  up.clear();
  down.clear();
  end.reset();
  run(session.ended(fail(code, "broken"), now_ms));
}

}  // namespace gridwhistle

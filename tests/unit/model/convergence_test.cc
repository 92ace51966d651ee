#include <array>
#include <catch2/catch.hpp>
#include <deque>
#include <map>
#include <variant>

#include "model/hlc.h"
#include "model/merge.h"
#include "random_writes.h"
#include "thing.h"

namespace gridwhistle {
namespace {

constexpr std::size_t kPhones = 3;
constexpr std::int64_t kReceiptMs = 1'000'000;

struct Ack {
  Lane lane;
  OutcomeStatus status;
};
struct FeedRow {
  RowDelta delta;
  bool erased;
  Seq last_seq;
  Hlc hlc;
};
struct Cut {
  Seq upto;
  std::optional<FeedRow> row;
};
using Message = std::variant<Ack, Cut>;

struct Phone {
  DeviceId device;
  bool exists = false;
  bool erased = false;
  std::string base;
  Seq base_seq;
  Seq cursor;
  Hlc seen;
  DevSeq dev_seq;
  bool acknowledged = false;
  std::array<std::uint64_t, kLaneCount> recorded{};
  std::array<std::deque<Operation>, kLaneCount> pending;
  // The connection: what is on its way down, and how far the server has got with this call.
  std::deque<Message> inbound;
  Seq sent_upto;
  std::array<std::size_t, kLaneCount> in_flight{};
};

// One record, three phones and a server that forgets nothing.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {
    for (std::size_t i = 0; i < kPhones; ++i) phones_[i].device = DeviceId(i + 1);
  }

  void run(unsigned steps) {
    create();
    for (unsigned i = 0; i < steps; ++i) step();
    settle();
  }

  void check() const {
    for (const Phone& phone : phones_) {
      INFO("phone " << phone.device.value);
      REQUIRE(phone.erased == server_.erased);
      if (!server_.erased) REQUIRE(phone.base == server_.body);
    }
  }

 private:
  void step() {
    Phone& phone = phones_[random_.pick(kPhones)];
    switch (random_.pick(8)) {
      case 0:
      case 1:
        return record(phone);
      case 2:
      case 3:
        return send(phone, random_.pick(2));
      case 4:
        return cut(phone);
      case 5:
      case 6:
        return receive(phone);
      default:
        if (random_.pick(4) == 0) hang_up(phone);
    }
  }

  void create() {
    Operation creation;
    creation.set = random_.body();
    commit(phones_[0], creation, Lane::kRecords);
  }

  // Whether the phone shows the record: base ⊕ pending.
  bool shows(const Phone& phone) const {
    bool shown = phone.exists && !phone.erased;
    std::map<DevSeq, OperationType> pending;
    for (const auto& lane : phone.pending) {
      for (const Operation& operation : lane) pending[operation.dev_seq] = operation.type;
    }
    for (const auto& [dev_seq, type] : pending) shown = type == OperationType::kPut;
    return shown;
  }

  void record(Phone& phone) {
    if (!shows(phone)) return;
    Operation operation;
    if (random_.pick(12) == 0) {
      operation.type = OperationType::kErase;
    } else {
      random_.fill(operation);
    }
    commit(phone, operation, random_.pick(3) == 0 ? Lane::kWhistles : Lane::kRecords);
  }

  void commit(Phone& phone, Operation operation, Lane lane) {
    operation.creates = &phone == &phones_[0] && !phone.acknowledged;
    operation.lane = lane;
    operation.lane_seq = LaneSeq(++phone.recorded[index_of(lane)]);
    operation.dev_seq = phone.dev_seq = DevSeq(phone.dev_seq.value + 1);
    operation.base_seq = phone.base_seq;
    operation.hlc = phone.seen = next_hlc(phone.seen, 0);
    phone.pending[index_of(lane)].push_back(operation);
  }

  void send(Phone& phone, std::size_t lane) {
    if (phone.in_flight[lane] == phone.pending[lane].size()) return;
    apply(phone, phone.pending[lane][phone.in_flight[lane]++]);
  }

  void apply(Phone& phone, const Operation& operation) {
    const auto key = std::tuple(phone.device, operation.lane, operation.lane_seq);
    if (!outcomes_.contains(key)) {
      const Seq seq(++log_);
      const Merged merged = merge(thing::kThing, server_, operation, phone.device, seq, kReceiptMs);
      REQUIRE(merged.status != OutcomeStatus::kRejected);
      server_ = merged.next;
      const auto stored = decode_stamps(encode_stamps(server_), server_.body);
      REQUIRE(stored == server_);
      outcomes_[key] = merged.status;
      log_of_[key] = seq;
    }
    phone.inbound.push_back(Ack{operation.lane, outcomes_[key]});
  }

  void cut(Phone& phone) {
    Cut cut{Seq(log_), {}};
    if (server_.exists && server_.last_seq > phone.sent_upto) {
      RowDelta delta =
          delta_since(thing::kThing, server_, phone.sent_upto, phone.device, DevSeq(0));
      if (!delta.empty) {
        cut.row = FeedRow{std::move(delta), server_.erased, server_.last_seq, server_.hlc};
      }
    }
    phone.sent_upto = cut.upto;
    phone.inbound.push_back(std::move(cut));
  }

  void receive(Phone& phone) {
    if (phone.inbound.empty()) return;
    const Message message = std::move(phone.inbound.front());
    phone.inbound.pop_front();
    if (const Ack* ack = std::get_if<Ack>(&message)) {
      fold(phone, *ack);
    } else {
      lay(phone, std::get<Cut>(message));
    }
  }

  void fold(Phone& phone, const Ack& ack) {
    const std::size_t lane = index_of(ack.lane);
    const Operation operation = std::move(phone.pending[lane].front());
    phone.pending[lane].pop_front();
    --phone.in_flight[lane];
    phone.acknowledged = true;
    if (!was_applied(ack.status)) return;
    if (operation.type == OperationType::kErase) {
      if (ack.status == OutcomeStatus::kAccepted) phone.erased = true;
      return;
    }
    phone.exists = true;
    phone.erased = false;
    phone.base =
        overlay(thing::kThing, phone.base, operation.set, operation.clear, operation.remove);
  }

  void lay(Phone& phone, const Cut& cut) {
    phone.cursor = cut.upto;
    if (!cut.row) return;
    phone.exists = true;
    phone.erased = cut.row->erased;
    phone.base_seq = cut.row->last_seq;
    phone.seen = std::max(phone.seen, cut.row->hlc);
    if (phone.erased) return;
    const RowDelta& delta = cut.row->delta;
    phone.base = delta.whole ? delta.set : replace_fields(phone.base, delta.set, delta.clear);
  }

  // Everything on its way is lost; the next call starts from what the phone has, with the
  // acknowledgements that it missed, in the order of the log.
  void hang_up(Phone& phone) {
    phone.inbound.clear();
    phone.sent_upto = phone.cursor;
    phone.in_flight = {};
    std::map<Seq, const Operation*> missed;
    for (const auto& lane : phone.pending) {
      for (const Operation& operation : lane) {
        const auto key = std::tuple(phone.device, operation.lane, operation.lane_seq);
        if (log_of_.contains(key)) missed[log_of_[key]] = &operation;
      }
    }
    for (const auto& [seq, operation] : missed) {
      ++phone.in_flight[index_of(operation->lane)];
      apply(phone, *operation);
    }
  }

  void settle() {
    for (Phone& phone : phones_) {
      for (std::size_t lane = 0; lane < kLaneCount; ++lane) {
        while (phone.in_flight[lane] < phone.pending[lane].size()) send(phone, lane);
      }
    }
    for (Phone& phone : phones_) {
      cut(phone);
      while (!phone.inbound.empty()) receive(phone);
    }
  }

  RandomWrites random_;
  RecordState server_;
  std::uint64_t log_ = 0;
  std::array<Phone, kPhones> phones_;
  std::map<std::tuple<DeviceId, Lane, LaneSeq>, OutcomeStatus> outcomes_;
  std::map<std::tuple<DeviceId, Lane, LaneSeq>, Seq> log_of_;
};

}  // namespace

TEST_CASE("a phone's base, its acknowledged operations and the feed make the server's record") {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    INFO("seed " << seed);
    World world(seed);
    world.run(static_cast<unsigned>(10 + seed % 60));
    world.check();
  }
}

}  // namespace gridwhistle

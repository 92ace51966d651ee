#include <cstdlib>

// Where this is no part of a Catch2 program, what does not hold ends it, as a finding does.
#ifndef CATCH_VERSION_MAJOR
#define REQUIRE(holds) ((holds) ? void() : std::abort())
#define INFO(text)
#endif

#include "../unit/county/county_world.h"
#include "bodies.h"
#include "bytes.h"
#include "samples.h"
#include "support/power_cut_vfs.h"

// The county itself: a script of what several enrolled phones say, each frame of it sound or nearly
// so, and nothing of it to be trusted.
namespace gridwhistle::fuzz {
namespace {

const std::string kFounded = "founded.db";

/// One small county, founded once and put back before each script.
class Founded {
 public:
  Founded() {
    const auto enrolled = [&](RecordId worker) { phones_.push_back(world_.phone(worker)); };
    enrolled(world_.anna);
    enrolled(world_.anna);
    enrolled(world_.erik);
    enrolled(world_.dora);
    test::Phone honest = world_.phone(world_.bruno);
    v1::Household home;
    home.set_grid(test::kGrid2);
    home.set_address("2");
    const auto record = [&](KindId kind, const std::string& message) {
      targets_.push_back({kind, honest.new_id()});
      honest.record(kind, targets_.back().id, message, true, world_.clock.ms);
    };
    record(kinds::kHousehold, home.SerializeAsString());
    v1::Resident resident;
    resident.set_household(std::string(targets_.back().id.bytes()));
    resident.set_name("李示例");
    record(kinds::kResident, resident.SerializeAsString());
    record(kinds::kVisit, test::visit(test::kGrid2));
    record(kinds::kWhistle, test::whistle(test::kGrid2));
    world_.sync(honest);
    for (const RecordId worker : {world_.anna, world_.bruno}) {
      targets_.push_back({kinds::kWorker, worker});
    }
    targets_.push_back({kinds::kOrgUnit, world_.road_org});
    clock_ = world_.clock;
    random_ = world_.random;
    world_.county.reset();
    disk_.copy(world_.file(), kFounded);
  }

  /// As it was founded, and the phones with it.
  test::World& again() {
    world_.county.reset();
    for (const char* part : {"", "-wal", "-journal"}) {
      if (disk_.has(world_.file() + part)) disk_.remove(world_.file() + part);
    }
    disk_.copy(kFounded, world_.file());
    world_.clock = clock_;
    world_.random = random_;
    world_.open();
    return world_;
  }
  const std::vector<test::Phone>& phones() const { return phones_; }
  /// Records of grid 2 and of the operator.
  const std::vector<RecordKey>& targets() const { return targets_; }

 private:
  test::PowerCutDisk disk_{"gw-fuzz-county"};
  test::World world_{disk_.name()};
  std::vector<test::Phone> phones_;
  std::vector<RecordKey> targets_;
  test::FakeClock clock_;
  test::FakeRandom random_;
};

// Of the phones that speak: grid worker of grid 1, twice, a department, the town's acceptor.
constexpr std::size_t kAnnas = 2;
constexpr std::size_t kOperationsMost = 200;

class Script {
 public:
  Script(Founded& founded, std::string_view bytes)
      : world_(founded.again()),
        phones_(founded.phones()),
        known_(founded.targets()),
        targets_(known_.size()),
        bytes_(bytes) {}

  std::string broken_law() {
    const auto references = all_references();
    std::size_t calls = 0;
    while (bytes_.left() && recorded_ < kOperationsMost && calls < 40 && broken_.empty()) {
      const std::uint8_t what = bytes_.next();
      const std::size_t who = (what >> 4) % phones_.size();
      switch (what % 8) {
        case 0:
          world_.clock.ms += static_cast<std::int64_t>(bytes_.next()) * 4 * 3600 * 1000;
          break;
        case 1:
          senseless(phones_[who]);
          ++calls;
          break;
        case 2:
        case 3:
          call(who);
          ++calls;
          break;
        default:
          record(who);
      }
    }
    for (std::size_t who = 0; who < phones_.size() && broken_.empty(); ++who) call(who);
    if (!broken_.empty()) return broken_;
    if (all_references() != references) return "no phone writes what the operator wrote";
    const auto report = world_.county->verify();
    if (!report) return "the county can be read: " + report.error().message;
    return report->faults.empty() ? "" : "verify: " + report->faults.front().en;
  }

 private:
  struct Seen {
    bool out_of_reach = false;
    bool erased = false;
    std::string body;
  };

  using Bodies = std::map<RecordId, std::string>;

  Bodies all_references() {
    Bodies bodies;
    for (const KindSchema& kind : built_schema().kinds) {
      if (!kind.reference) continue;
      auto some = world_.county->all(kind.id);
      REQUIRE(some);
      for (const StoredRow& row : *some) bodies[row.id] = row.body;
    }
    return bodies;
  }

  std::string text() {
    switch (bytes_.below(10)) {
      case 0:
        return test::kGrid1;
      case 1:
        return test::kGrid2;
      case 2:
        return test::kTown;
      case 3:
        return "0101";
      case 4:
        return "county";
      case 5:
        return "";
      case 6:
        return std::string(200 * bytes_.next(), 'x');
      case 7:
        return std::string(bytes_.raw(bytes_.below(32)));
      default:
        return std::string(some_id().bytes());
    }
  }

  RecordId some_id() { return known_[bytes_.below(known_.size())].id; }

  /// A record of that kind if there is one; no kind: any.
  RecordKey known(KindId kind) {
    // Mostly the phones' own, so that something comes of it.
    const bool own = bytes_.below(4) != 0 && known_.size() > targets_;
    const std::size_t from =
        own ? targets_ + bytes_.below(known_.size() - targets_) : bytes_.below(known_.size());
    for (std::size_t at = 0; at < known_.size(); ++at) {
      const RecordKey& key = known_[(from + at) % known_.size()];
      if (kind == KindId() || key.kind == kind) return key;
    }
    return known_[from];
  }

  void append_odd(std::string& message, const FieldSchema& field) {
    if (field.type == FieldType::kString || field.type == FieldType::kBytes ||
        field.type == FieldType::kMessage) {
      append_text(message, field.number, text());
    } else if (field.type == FieldType::kDouble || field.type == FieldType::kFixed64) {
      append_double(message, field.number, static_cast<double>(bytes_.next()) - 100);
    } else {
      append_int(message, field.number, bytes_.yes() ? bytes_.next() : bytes_.number());
    }
  }

  void append_sound(std::string& message, const KindSchema& kind, const FieldSchema& field,
                    RecordId author) {
    if (field.by_author) {
      append_text(message, field.number, author.bytes());
    } else if (field.refers_to != KindId()) {
      append_text(message, field.number, known(field.refers_to).id.bytes());
    } else if (field.number == kind.scope_field) {
      append_text(message, field.number, bytes_.below(8) == 0 ? test::kGrid2 : test::kGrid1);
    } else if (field.type == FieldType::kEnum) {
      append_int(message, field.number,
                 field.enum_values[bytes_.below(field.enum_values.size())].number);
    } else if (field.beside != 0) {
      if (field.beside < field.number) return;
      append_double(message, field.number, 21.2);
      append_double(message, field.beside, 110.4);
    } else if (field.type == FieldType::kBool) {
      append_int(message, field.number, bytes_.below(2));
    } else if (field.type == FieldType::kInt) {
      append_int(message, field.number, bytes_.next());
    } else if (field.type == FieldType::kString) {
      append_text(message, field.number, "0101");
    } else {
      message += field_of(full_message(kind), field.number).entries;
    }
  }

  /// Of a `whole` record what it cannot be without, and here and there something more.
  std::string content(const KindSchema& kind, RecordId author, bool whole) {
    std::string message;
    const RecordKey parent = known(kind.scope_parent_kind);
    for (const FieldSchema& field : kind.fields) {
      const std::uint8_t how = bytes_.next();
      const bool needed = whole && (field.required || field.number == kind.scope_field);
      if (field.number == 1 || (!needed && how % 16 != 1)) continue;
      if (field.merge == MergePolicy::kServer && how < 224) continue;
      if (whole && field.number == kind.scope_parent && how < 224) {
        append_text(message, field.number, parent.id.bytes());
      } else if (whole && field.number == kind.scope_parent_kind_field && how < 224) {
        append_int(message, field.number, parent.kind.value);
      } else if (how < 224) {
        append_sound(message, kind, field, author);
      } else {
        append_odd(message, field);
      }
    }
    return message;
  }

  const KindSchema& kind() {
    const auto& kinds = built_schema().kinds;
    if (bytes_.below(6) == 0) return kinds[bytes_.below(kinds.size())];
    constexpr KindId kUsual[] = {kinds::kHousehold,  kinds::kResident,      kinds::kVisit,
                                 kinds::kWhistle,    kinds::kWhistleAction, kinds::kResidentCare,
                                 kinds::kTrackBatch, kinds::kAttachment};
    return *built_schema().kind(kUsual[bytes_.below(std::size(kUsual))]);
  }

  void record(std::size_t who) {
    test::Phone& phone = phones_[who];
    const RecordId author = who < kAnnas ? world_.anna : who == kAnnas ? world_.erik : world_.dora;
    const bool creates = bytes_.yes();
    const KindSchema* of = &kind();
    RecordId id = phone.new_id();
    if (!creates && bytes_.below(8) != 0) {
      const RecordKey key = known({});
      id = key.id;
      if (bytes_.below(8) != 0) of = built_schema().kind(key.kind);
    }
    Operation& op = phone.record(of->id, id, "", creates, world_.clock.ms);
    op.set = content(*of, author, creates);
    op.base_seq = world_.storage->last_seq();
    op.scope = "grid:" + test::kGrid1;
    switch (bytes_.below(24)) {
      case 1:
        op.type = OperationType::kErase;
        op.set.clear();
        break;
      case 2:
        op.base_seq = Seq(bytes_.number() >> bytes_.below(64));
        break;
      case 3:
        op.hlc = Hlc(bytes_.number());
        break;
      case 4:
        op.claimed.wall_ms = static_cast<std::int64_t>(bytes_.number() >> 8);
        break;
      case 5:
        op.clear.push_back(2 + static_cast<std::uint32_t>(bytes_.below(40)));
        break;
      case 6:
        op.remove = content(*of, author, false);
        break;
      case 7:
        op.scope = text();
        break;
      case 8:
        op.more = true;
        break;
      case 9:
        op.base_seq = Seq();
        break;
      case 10:
        op.own_since = DevSeq(bytes_.next());
        break;
      default:
        break;
    }
    if (creates) known_.push_back({of->id, id});
    ++recorded_;
  }

  /// Frames as they come, behind a Hello that is the phone's own.
  void senseless(test::Phone& phone) {
    test::Inbox inbox;
    const ConnectionId call = world_.next_call();
    world_.county->on_open(call, inbox);
    world_.county->on_frame(call, phone.hello(world_.clock, bytes_.yes()));
    for (std::size_t left = bytes_.below(4); left > 0; --left) {
      world_.county->on_frame(call, std::string(bytes_.raw(bytes_.next())));
    }
    world_.pump();
    world_.county->on_closed(call);
  }

  bool is_within(std::size_t who, const std::string& leaf) const {
    // Only the grid workers' reach is plain enough to be said in a line.
    return who >= kAnnas || leaf == "grid:" + test::kGrid1 || leaf == worker_scope(world_.anna) ||
           leaf.starts_with("county") || leaf == "staff" || leaf == "centre";
  }

  std::map<RecordKey, Seen> seen_by(std::size_t who) {
    std::map<RecordKey, Seen> all;
    for (const RecordKey& key : known_) {
      const auto stored = world_.storage->record(key);
      REQUIRE(stored);
      if (!*stored) continue;
      Seen& seen = all[key];
      seen.out_of_reach = std::ranges::none_of((*stored)->memberships, [&](const Membership& m) {
        return m.in && is_within(who, world_.storage->scope_name(m.scope));
      });
      seen.out_of_reach &= std::ranges::any_of((*stored)->memberships, &Membership::in);
      seen.erased = (*stored)->state.erased;
      seen.body = (*stored)->state.body;
    }
    return all;
  }

  void breaks(std::string law) {
    if (broken_.empty()) broken_ = std::move(law);
  }

  void call(std::size_t who) {
    test::Phone& phone = phones_[who];
    for (auto& [lane, operations] : phone.lanes) {
      if (!operations.empty() && phone.noted[lane] < operations.size())
        operations.back().more = false;
    }
    const auto before = seen_by(who);
    const auto noted = phone.noted;
    const auto lost = world_.sync(phone, false);
    const Seq end = world_.storage->last_seq();
    const auto answers = world_.sync(phone);
    if (lost->refused() == ErrorCode{} && answers->refused() == ErrorCode{}) {
      if (world_.storage->last_seq() != end) breaks("what comes again changes nothing");
      receipts(phone, noted, *answers);
      if (answers_of(*lost) != answers_of(*answers))
        breaks("what comes again is answered the same");
    }
    for (const auto& [key, seen] : before) {
      if (!seen.out_of_reach) continue;
      const auto now = world_.storage->record(key);
      REQUIRE(now);
      REQUIRE(*now);
      if ((*now)->state.body != seen.body || (*now)->state.erased != seen.erased) {
        breaks("nobody writes out of their scopes: " +
               std::string(built_schema().kind(key.kind)->name));
      }
    }
    for (const Row& row : lost->rows()) told(who, row);
    for (const Row& row : answers->rows()) told(who, row);
  }

  /// Of each operation its place in the log, status and code; lanes come in any order.
  using Answer = std::tuple<std::uint64_t, std::uint32_t, std::uint32_t>;
  static std::map<std::pair<std::uint32_t, std::uint64_t>, Answer> answers_of(
      const test::Inbox& inbox) {
    std::map<std::pair<std::uint32_t, std::uint64_t>, Answer> answers;
    for (const v1::AckRun& run : inbox.runs()) {
      for (std::uint64_t i = 0; i < run.count(); ++i) {
        answers[{run.lane(), run.first() + i}] = {run.first_seq() + i, run.status(), run.code()};
      }
    }
    return answers;
  }

  /// Each operation that was sent has one.
  void receipts(const test::Phone& phone, const std::map<Lane, std::uint64_t>& noted,
                const test::Inbox& answers) {
    std::map<Lane, std::uint64_t> upto = noted;
    for (const v1::AckRun& run : answers.runs()) {
      std::uint64_t& told = upto[static_cast<Lane>(run.lane())];
      if (run.first() != told + 1)
        breaks("each operation has one receipt, in the order of its lane");
      told += run.count();
    }
    for (const auto& [lane, operations] : phone.lanes) {
      if (upto[lane] != operations.size()) breaks("each operation has a receipt");
    }
  }

  void told(std::size_t who, const Row& row) {
    const KindSchema& of = *built_schema().kind(row.kind);
    if (row.change == RowChange::kLeft || of.reference) return;
    if (row.scopes.empty()) breaks("what a phone is told lies in a scope of it");
    for (const std::string& leaf : row.scopes) {
      const auto above = with_ancestors("grid:" + test::kGrid1);
      const bool open =
          of.audience == Audience::kPublic && std::ranges::find(above, leaf) != above.end();
      if (!open && !is_within(who, leaf)) {
        breaks("nobody is told what lies out of their scopes: " + std::string(of.name) + " in " +
               leaf);
      }
    }
  }

  test::World& world_;
  std::vector<test::Phone> phones_;
  std::vector<RecordKey> known_;
  const std::size_t targets_;  ///< of these, which come first, the phones made none
  Bytes bytes_;
  std::size_t recorded_ = 0;
  std::string broken_;
};

std::string county_law(std::string_view bytes) {
  static Founded founded;
  return Script(founded, bytes).broken_law();
}

std::vector<std::string> county_seeds() {
  std::vector<std::string> seeds;
  test::FakeRandom random;
  for (std::size_t size : {40, 400, 1600}) {
    std::string seed;
    while (seed.size() < size) seed += static_cast<char>(random.next());
    seeds.push_back(seed);
  }
  return seeds;
}

}  // namespace

const Body kCounty = {"county", county_law, county_seeds};

}  // namespace gridwhistle::fuzz

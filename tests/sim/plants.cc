#include "plants.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <utility>
#include <variant>
#include <vector>

#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/sync.pb.h"
#include "model/record.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "sqlite/connection.h"
#include "wire/frames.h"
#include "wire/media.h"

namespace gridwhistle::sim {

struct Traffic {
  std::map<std::uint64_t, DeviceId> callers;           ///< of each call
  std::map<DeviceId, DeviceId> predecessors;           ///< of files that were copies
  std::map<RecordId, std::vector<std::string>> notes;  ///< that were delivered, oldest first
  std::vector<Row> households;                         ///< of every grid
};

namespace {

/// The field in which phones write words that tell who wrote them; 0: a kind has none.
std::uint32_t notes_of(KindId kind) {
  if (kind == kinds::kVisit) return v1::Visit::kNotesFieldNumber;
  return kind == kinds::kHousehold ? v1::Household::kNotesFieldNumber : 0;
}

/// What one bug does at its door; nothing at the others. True: it has struck.
struct Behaviour {
  Plant plant;
  bool (*on_operation)(Operation&) = nullptr;
  bool (*on_row)(Row&, const std::vector<std::string>& notes, Dice&) = nullptr;
  bool (*on_cut)(CutDown&, const Traffic&, Dice&) = nullptr;
  const char* in_file = nullptr;
  const char* synchronous = nullptr;  ///< what a connection gets in place of FULL
  bool swallows_end = false;
  bool keeps_ids = false;
  bool forgets_early = false;
  bool loses_journal = false;
  bool sweeps_in_silence = false;
  bool mends_digests = false;
  void (*in_picture)(const std::string& path) = nullptr;
  std::uint64_t strikes = 20;  ///< of a thousand chances
};

bool is_put_of(const Operation& operation, KindId kind) {
  return operation.kind == kind && operation.type == OperationType::kPut && operation.fault.empty();
}

bool lose_a_field(Operation& operation) {
  constexpr std::uint32_t kNotes = v1::Household::kNotesFieldNumber;
  if (!is_put_of(operation, kinds::kHousehold) || !operation.creates) return false;
  operation.set = replace_fields(operation.set, {}, {kNotes});
  return true;
}

bool invent_a_value(Operation& operation) {
  if (!is_put_of(operation, kinds::kVisit)) return false;
  std::string notes;
  append_text(notes, v1::Visit::kNotesFieldNumber, "nobody wrote this");
  operation.set = replace_fields(operation.set, notes, {});
  return true;
}

// What a county would keep that knows nothing but its own fields.
bool lose_what_is_newer(Operation& operation) {
  const KindSchema* const kind = built_schema().kind(operation.kind);
  if (kind == nullptr || !is_put_of(operation, operation.kind)) return false;
  std::vector<std::uint32_t> unknown;
  for (const FieldView& field : fields_of(operation.set)) {
    if (kind->field(field.number) == nullptr) unknown.push_back(field.number);
  }
  operation.set = replace_fields(operation.set, {}, unknown);
  return !unknown.empty();
}

bool lose_a_record(Operation& operation) {
  if (!operation.creates || operation.kind != kinds::kVisit) return false;
  operation.id = RecordId::make(operation.id.device(), operation.id.counter() + (1ULL << 40));
  return true;
}

bool invent_an_erasure(Operation& operation) {
  if (!is_put_of(operation, kinds::kHousehold) || operation.creates) return false;
  operation.type = OperationType::kErase;
  operation.set.clear();
  operation.clear.clear();
  operation.remove.clear();
  return true;
}

bool put_back(Row& row, const std::vector<std::string>& notes, Dice& dice) {
  if (notes.empty() || row.change == RowChange::kLeft || row.change == RowChange::kErased) {
    return false;
  }
  row.set = replace_fields(row.set, notes[dice.below(notes.size())], {});
  return true;
}

bool skip_a_field(Row& row, const std::vector<std::string>&, Dice&) {
  constexpr std::uint32_t kNotes = v1::Visit::kNotesFieldNumber;
  if (row.kind != kinds::kVisit || field_of(row.set, kNotes).entries.empty()) return false;
  row.set = replace_fields(row.set, {}, {kNotes});
  return true;
}

bool say_that_it_left(Row& row, const std::vector<std::string>&, Dice&) {
  if (row.kind != kinds::kHousehold && row.kind != kinds::kVisit) return false;
  row.change = RowChange::kLeft;
  row.set.clear();
  row.clear.clear();
  return true;
}

bool say_that_it_was_erased(Row& row, const std::vector<std::string>&, Dice&) {
  return std::exchange(row.forgotten, false);
}

bool lay_in_an_intruders_words(Operation& operation) {
  if (!is_put_of(operation, kinds::kHousehold)) return false;
  std::string notes;
  append_text(notes, v1::Household::kNotesFieldNumber, "intruder<1>");
  operation.set = replace_fields(operation.set, notes, {});
  return true;
}

bool lose_a_row(CutDown& cut, const Traffic&, Dice& dice) {
  if (cut.rows.empty()) return false;
  cut.rows.erase(cut.rows.begin() + static_cast<std::ptrdiff_t>(dice.below(cut.rows.size())));
  return true;
}

bool lead_a_row_astray(CutDown& cut, const Traffic& traffic, Dice& dice) {
  if (traffic.households.empty() || cut.rows.empty()) return false;
  Row row = traffic.households[dice.below(traffic.households.size())];
  const bool there = std::ranges::find(cut.rows, row.id, &Row::id) != cut.rows.end();
  if (there || row.last_seq > cut.upto) return false;
  cut.rows.insert(cut.rows.begin(), std::move(row));
  return true;
}

/// Of a frame that tells how far backups reach: every one as far as the newest.
std::optional<std::string> marked_early(Down& frame) {
  return std::visit(
      [](auto& message) -> std::optional<std::string> {
        if constexpr (requires { message.newest_backup(); }) {
          message.set_backed_up(message.newest_backup());
          return encode(message);
        } else {
          return std::nullopt;
        }
      },
      frame);
}

/// The first bytes, where the last belong.
void misplace_a_chunk(const std::string& path) {
  constexpr std::streamoff kBytes = 100;
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  std::string first(kBytes, '\0');
  file.read(first.data(), kBytes);
  file.seekp(-kBytes, std::ios::end);
  file.write(first.data(), kBytes);
}

void lose_a_picture(const std::string& path) { std::filesystem::remove(path); }

const std::array kBehaviours = std::to_array<Behaviour>({
    {.plant = {"field-lost", "a household is taken in without its notes", "lost: record"},
     .on_operation = lose_a_field},
    {.plant = {"record-lost", "a visit is acknowledged and not kept", "never arrived"},
     .on_operation = lose_a_record},
    {.plant = {"value-invented", "a visit is kept with other words", "nobody wrote"},
     .on_operation = invent_a_value},
    {.plant = {"erasure-invented", "an edit erases its record", "erased by nobody"},
     .on_operation = invent_an_erasure},
    {.plant = {"notices-lost", "a server forgets whom it told of a loss", "lost: record"},
     .in_file = "DELETE FROM k6"},
    {.plant = {"record-doubled", "a visit is there twice", "nobody recorded"},
     .in_file = "INSERT OR IGNORE INTO k1 SELECT substr(id, 1, 12) || x'7FFFFFFF', last_seq, "
                "erased, stamps, memberships, digest, body FROM k1 LIMIT 1"},
    {.plant = {"row-lost", "a cut passes a row over", "lacks"}, .on_cut = lose_a_row},
    {.plant = {"field-skipped", "a row comes without one of its fields", "differs from the server"},
     .on_row = skip_a_field},
    {.plant = {"row-gone", "a row is taken away from who holds its scope", "lacks"},
     .on_row = say_that_it_left},
    {.plant = {"row-stale", "a row comes as it was before", "older write again"},
     .on_row = put_back,
     .strikes = 500},
    {.plant = {"row-astray", "a row comes to who may not see it", "not in its scopes"},
     .on_cut = lead_a_row_astray},
    {.plant = {"never-done", "nobody is told of having caught up", "not settled"},
     .swallows_end = true},
    {.plant = {"copy-keeps-ids",
               "what a copy recorded goes on under the ids that both files gave out",
               "never arrived"},
     .keeps_ids = true},
    {.plant = {"forgotten-early", "phones forget what the newest backup alone has", "never arrived",
               "server-kills=3,restores=3"},
     .forgets_early = true},
    {.plant = {"journal-lost", "a restored county is not told what was forgotten since",
               "forgotten, and", "server-kills=3,restores=3,forgets=3"},
     .loses_journal = true},
    {.plant = {"erased-only", "phones hear of what was forgotten as if somebody had erased it",
               "forgotten, and in", "forgets=3,outages=3"},
     .on_row = say_that_it_was_erased,
     .strikes = 1000},
    {.plant = {"swept-in-silence", "phones that have not passed what was swept are not told",
               "not in its scopes", "sweeps=3,outages=3,kills=1"},
     .sweeps_in_silence = true},
    {.plant = {"intruder-believed", "what an intruder wrote stands in another's record",
               "an intruder wrote", "hostile-phone=3"},
     .on_operation = lay_in_an_intruders_words},
    {.plant = {"intruder-told", "a row comes to an intruder who may not see it",
               "an intruder reads", "hostile-phone=3"},
     .on_cut = lead_a_row_astray,
     .strikes = 1000},
    {.plant = {"chunk-misplaced", "a picture is kept with a chunk where another belongs",
               "is not what was taken", "pictures=3"},
     .in_picture = misplace_a_chunk},
    {.plant = {"picture-lost", "a picture is thanked for and not kept", "is not there",
               "pictures=3"},
     .in_picture = lose_a_picture},
    {.plant = {"damage-taken", "nobody compares what arrives of a picture with its digest",
               "damaged chunk was taken", "pictures=3,damage=3"},
     .mends_digests = true},
    {.plant = {"unknown-field-dropped",
               "a county keeps of a record only the fields that its own build knows",
               "lost: record", "versions=3"},
     .on_operation = lose_what_is_newer,
     .strikes = 500},
    {.plant = {"audit-altered", "an entry of the audit is rewritten", "verify"},
     .in_file = "UPDATE audit SET content = content || ' ' WHERE number = 2"},
    {.plant = {"sync-normal", "commits are not synced: synchronous=NORMAL", "forgot what"},
     .synchronous = "1"},
    {.plant = {"sync-off", "nothing is synced: synchronous=OFF", "forgot what"},
     .synchronous = "0"},
});

const Behaviour& behaviour_of(std::string_view name) {
  const auto found = std::ranges::find_if(
      kBehaviours, [&](const Behaviour& behaviour) { return behaviour.plant.name == name; });
  if (found == kBehaviours.end()) {
    throw std::invalid_argument("no such planted bug: " + std::string(name) +
                                "; --list-plants lists them");
  }
  return *found;
}

}  // namespace

std::span<const Plant> plants() {
  static const std::vector<Plant> all = [] {
    std::vector<Plant> named;
    for (const Behaviour& behaviour : kBehaviours) named.push_back(behaviour.plant);
    return named;
  }();
  return all;
}

const Plant& plant_named(std::string_view name) { return behaviour_of(name).plant; }

PlantedBug::PlantedBug(std::string_view name, std::uint64_t seed)
    : name_(behaviour_of(name).plant.name), dice_(seed), traffic_(std::make_unique<Traffic>()) {}

PlantedBug::~PlantedBug() = default;

std::string PlantedBug::up(std::uint64_t call, const std::string& frame) {
  const Behaviour& bug = behaviour_of(name_);
  DeviceId& caller = traffic_->callers[call];
  auto sound = decode_up(built_schema(), caller, frame);
  if (!sound) return frame;
  if (const auto* hello = std::get_if<v1::Hello>(&*sound)) caller = DeviceId(hello->device());
  auto* up = std::get_if<OperationsUp>(&*sound);
  if (up == nullptr) return frame;
  bool struck = false;
  const auto before = traffic_->predecessors.find(caller);
  for (Operation& operation : up->operations) {
    if (!bug.keeps_ids || before == traffic_->predecessors.end()) break;
    if (!operation.creates || operation.id.device() != caller) continue;
    operation.id = RecordId::make(before->second, operation.id.counter());
    struck = true;
  }
  for (Operation& operation : up->operations) {
    if (bug.on_operation == nullptr) break;
    if (dice_.chance(bug.strikes)) struck |= bug.on_operation(operation);
  }
  if (!struck) return frame;
  std::size_t taken = 0;
  std::string altered = encode_operations(caller, up->operations, taken);
  return taken == up->operations.size() ? altered : frame;
}

std::string PlantedBug::down(const std::string& frame) {
  const Behaviour& bug = behaviour_of(name_);
  auto sound = decode_down(built_schema(), frame);
  if (!sound) return frame;
  if (bug.swallows_end && std::holds_alternative<v1::DownEnd>(*sound)) return {};
  if (bug.forgets_early) return marked_early(*sound).value_or(frame);
  auto* welcome = std::get_if<v1::Welcome>(&*sound);
  if (bug.sweeps_in_silence && welcome != nullptr && welcome->reconcile()) {
    welcome->clear_reconcile();
    return encode(*welcome);
  }
  auto* cut = std::get_if<CutDown>(&*sound);
  if (cut == nullptr) return frame;
  bool struck = false;
  for (Row& row : cut->rows) {
    std::vector<std::string>& notes = traffic_->notes[row.id];
    if (bug.on_row != nullptr && dice_.chance(bug.strikes)) struck |= bug.on_row(row, notes, dice_);
    const std::string_view given = field_of(row.set, notes_of(row.kind)).entries;
    if (!given.empty()) notes.emplace_back(given);
    if (row.kind == kinds::kHousehold && row.change == RowChange::kWhole) {
      traffic_->households.push_back(row);
    }
  }
  if (bug.on_cut != nullptr && dice_.chance(bug.strikes)) {
    struck |= bug.on_cut(*cut, *traffic_, dice_);
  }
  return struck ? encode_cut(*cut) : frame;
}

void PlantedBug::asks_to_enrol(const std::string& request) {
  v1::EnrolRequest asked;
  if (!asked.ParseFromString(request) || asked.predecessor() == 0) return;
  traffic_->predecessors[DeviceId(asked.device())] = DeviceId(asked.predecessor());
}

std::string PlantedBug::media_up(const std::string& frame) const {
  if (!behaviour_of(name_).mends_digests) return frame;
  const auto part = decode_media_up(frame);
  const auto* const chunk = part ? std::get_if<v1::MediaChunk>(&*part) : nullptr;
  return chunk != nullptr ? encode_media_up(chunk_of(chunk->offset(), chunk->content())) : frame;
}

void PlantedBug::in_picture(const std::string& path) {
  const Behaviour& bug = behaviour_of(name_);
  if (bug.in_picture != nullptr && dice_.chance(bug.strikes)) bug.in_picture(path);
}

bool PlantedBug::loses_journal() const { return behaviour_of(name_).loses_journal; }

void PlantedBug::on_disk(test::PowerCutDisk& disk) const {
  const char* const synchronous = behaviour_of(name_).synchronous;
  if (synchronous != nullptr) disk.answer_pragma("synchronous", synchronous);
}

void PlantedBug::in_file(const std::string& path, const std::string& vfs) {
  const Behaviour& bug = behaviour_of(name_);
  if (bug.in_file == nullptr) return;
  auto file = sqlite::Connection::open({.path = path, .vfs = vfs});
  if (!file) throw std::runtime_error("the county's file does not open: " + file.error().message);
  if (auto done = file->script(bug.in_file); !done) {
    throw std::runtime_error("the bug cannot be planted: " + done.error().message);
  }
}

}  // namespace gridwhistle::sim

#include "bodies.h"
#include "model/merge.h"
#include "model/record.h"
#include "samples.h"
#include "schema/tables.h"

// Laws of records and of their stamps.
namespace gridwhistle::fuzz {
namespace {

std::string canonical_law_of(const KindSchema& kind, std::string_view bytes) {
  const auto made = canonical(kind, bytes);
  if (!made) {
    const ErrorCode code = made.error().code;
    return code == ErrorCode::kInvalid || code == ErrorCode::kTooLarge
               ? ""
               : "a message is refused as invalid or too large";
  }
  const auto law = [&](const char* says) { return std::string(kind.name) + ": " + says; };
  if (!is_canonical(*made)) return law("what canonical() gives is canonical");
  const auto again = canonical(kind, *made);
  if (!again || *again != *made) return law("the canonical form of a canonical form is itself");
  std::uint32_t before = 1;
  for (const FieldView& field : fields_of(*made)) {
    if (field.number <= before) return law("fields come in ascending order, none is number 1");
    if (values_of(field.entries).empty()) return law("a field that is there has a value");
    before = field.number;
  }
  if (replace_fields(*made, *made, {}) != *made) return law("replacing by itself changes nothing");
  if (!is_canonical(overlay(kind, *made, *made, {2, 3}, *made))) {
    return law("an overlay of canonical parts is canonical");
  }
  return "";
}

std::string canonical_law(std::string_view bytes) {
  for (const KindSchema& kind : built_schema().kinds) {
    if (std::string broken = canonical_law_of(kind, bytes); !broken.empty()) return broken;
  }
  return "";
}

std::vector<std::string> canonical_seeds() {
  std::vector<std::string> seeds;
  for (const KindSchema& kind : built_schema().kinds) seeds.push_back(full_message(kind));
  return seeds;
}

// One with elements, whose stamps point into the body.
const KindSchema& kind_with_set() {
  for (const KindSchema& kind : built_schema().kinds) {
    for (const FieldSchema& field : kind.fields) {
      if (field.merge == MergePolicy::kSet) return kind;
    }
  }
  return built_schema().kinds.front();
}

std::string stamps_law(std::string_view bytes) {
  const std::string body = full_message(kind_with_set());
  const auto state = decode_stamps(bytes, body);
  if (!state) {
    return state.error().code == ErrorCode::kCorrupt ? "" : "damaged stamps are kCorrupt";
  }
  const auto again = decode_stamps(encode_stamps(*state), body);
  return again && *again == *state ? "" : "stamps read are the same when written and read";
}

std::vector<std::string> stamps_seeds() {
  const KindSchema& kind = kind_with_set();
  Operation write;
  write.kind = kind.id;
  write.id = RecordId::make(kDevice, 1);
  write.creates = true;
  write.dev_seq = DevSeq(1);
  write.hlc = Hlc(1'763'600'000'000ULL << 16);
  write.set = full_message(kind);
  RecordState state = merge(kind, {}, write, DeviceId(0), Seq(5), 1'763'600'000'000).next;
  std::vector<std::string> seeds = {encode_stamps({}), encode_stamps(state)};
  // Others write single fields, so that each has a stamp of its own.
  std::uint64_t seq = 10;
  for (const FieldSchema& field : kind.fields) {
    if (field.number == 1) continue;
    Operation other;
    other.kind = kind.id;
    other.id = write.id;
    other.dev_seq = DevSeq(seq);
    other.base_seq = Seq(seq % 3 == 0 ? 0 : seq - 1);
    other.hlc = Hlc(write.hlc.value + seq);
    other.set = std::string(field_of(write.set, field.number).entries);
    state = merge(kind, state, other, DeviceId(seq % 4), Seq(seq), 1'763'600'000'000).next;
    seeds.push_back(encode_stamps(state));
    ++seq;
  }
  return seeds;
}

}  // namespace

const Body kCanonical = {"canonical", canonical_law, canonical_seeds};
const Body kStamps = {"stamps", stamps_law, stamps_seeds};

}  // namespace gridwhistle::fuzz

#include "schema/tables.h"

#include <google/protobuf/descriptor.pb.h>

#include <catch2/catch.hpp>
#include <set>

#include "plugin/plain_proto.h"
#include "proto_files.h"
#include "schema/descriptors.h"
#include "schema/fields.h"
#include "schema/kinds.h"

namespace gridwhistle {
namespace {

const KindSchema& kind(KindId id) {
  const KindSchema* found = built_schema().kind(id);
  REQUIRE(found != nullptr);
  return *found;
}

TEST_CASE("Every annotated message is a kind of the tables, every field of it a column") {
  lint::ProtoFiles protos;
  std::vector<plugin::Kind> declared;
  std::string error;
  REQUIRE(plugin::read_kinds(protos.read_all(), &declared, &error));
  REQUIRE(built_schema().kinds.size() == declared.size());
  for (const plugin::Kind& each : declared) {
    const KindSchema& built = kind(KindId{each.rule.number()});
    CHECK(built.name == each.message->name());
    CHECK(static_cast<std::uint32_t>(built.lane) == static_cast<std::uint32_t>(each.rule.lane()));
    CHECK(static_cast<int>(built.audience) == static_cast<int>(each.rule.audience()));
    CHECK(built.server_written == each.rule.server_written());
    CHECK(built.never_erased == each.rule.never_erased());
    REQUIRE(static_cast<int>(built.fields.size()) == each.message->field_count());
    for (const FieldSchema& field : built.fields) {
      const auto* source = each.message->FindFieldByNumber(static_cast<int>(field.number));
      REQUIRE(source != nullptr);
      INFO(source->full_name());
      const v1::FieldRule& rule = plugin::rule_of(*source);
      CHECK(field.name == source->name());
      CHECK(field.name_zh == rule.name_zh());
      CHECK(field.repeated == source->is_repeated());
      CHECK(static_cast<int>(field.merge) == static_cast<int>(rule.merge()));
      CHECK(static_cast<int>(field.sensitivity) == static_cast<int>(rule.sensitivity()));
      CHECK(static_cast<int>(field.mask) == static_cast<int>(rule.mask()));
      CHECK(field.indexed == rule.index());
      CHECK(field.searchable == rule.search());
      CHECK(field.required == rule.required());
      CHECK(field.by_author == rule.by_author());
      CHECK(static_cast<int>(field.place_code) == static_cast<int>(rule.place_code()));
      CHECK((field.group != 0) == !rule.group().empty());
      CHECK((field.type == FieldType::kEnum) == !field.enum_values.empty());
    }
  }
}

TEST_CASE("Kinds and fields stand in the order of their numbers, from 1 and from 101") {
  std::uint32_t previous = 0;
  for (const KindSchema& each : built_schema().kinds) {
    CHECK(each.id.value > previous);
    CHECK(each.reference == (each.id.value > 100));
    previous = each.id.value;
    REQUIRE(each.fields.front().name == "id");
    for (std::size_t i = 1; i < each.fields.size(); ++i) {
      CHECK(each.fields[i - 1].number < each.fields[i].number);
    }
  }
}

TEST_CASE(
    "A field called grid takes a grid's code, and only a whistle may lie in an area at large") {
  for (const KindSchema& each : built_schema().kinds) {
    const FieldSchema* grid = each.field("grid");
    if (grid == nullptr) continue;
    INFO(each.name);
    CHECK(grid->place_code ==
          (each.id == kinds::kWhistle ? PlaceCode::kGridOrArea : PlaceCode::kGrid));
  }
}

TEST_CASE("A form needs an approver, an end and an estimate of its work") {
  const KindSchema& form = kind(kinds::kFormDefinition);
  for (const char* name : {"area", "approver", "ends_ms", "minutes_a_week"}) {
    INFO(name);
    CHECK(form.field(name)->required);
  }
}

TEST_CASE("A position is one group, and two positions of a record are two") {
  const KindSchema& visit = kind(kinds::kVisit);
  const std::uint16_t start = visit.field(fields::visit::kLatitude)->group;
  const std::uint16_t end = visit.field(fields::visit::kEndLatitude)->group;
  CHECK(start != 0);
  CHECK(end != 0);
  CHECK(start != end);
  CHECK(visit.field(fields::visit::kCoordinateSource)->group == start);
  CHECK(visit.field(fields::visit::kGrid)->group == 0);
}

TEST_CASE("A child kind names its parent's field and kind; an attachment's parent may be of any") {
  const KindSchema& action = kind(kinds::kWhistleAction);
  CHECK(action.scope_parent == fields::whistle_action::kWhistle);
  CHECK(action.scope_parent_kind == kinds::kWhistle);
  CHECK(action.scope_field == 0);
  const KindSchema& attachment = kind(kinds::kAttachment);
  CHECK(attachment.scope_parent == fields::attachment::kParent);
  CHECK(attachment.scope_parent_kind == KindId{});
  CHECK(attachment.scope_parent_kind_field == fields::attachment::kParentKind);
  CHECK(kind(kinds::kGrid).fixed_scope == "county");
}

TEST_CASE("Every chain of parents ends at a kind with a scope of its own") {
  for (const KindSchema& each : built_schema().kinds) {
    const KindSchema* at = &each;
    std::set<KindId> seen;
    while (at->scope_parent_kind) {
      REQUIRE(seen.insert(at->id).second);
      at = &kind(at->scope_parent_kind);
    }
    const bool rooted = at->scope_field != 0 || !at->fixed_scope.empty();
    CHECK((rooted || at->scope_parent_kind_field != 0));
  }
}

TEST_CASE("What a worker writes about a whistle leaves the server's fields to the server") {
  const KindSchema& whistle = kind(kinds::kWhistle);
  for (const auto number :
       {fields::whistle::kState, fields::whistle::kLevel, fields::whistle::kOwnerOrg,
        fields::whistle::kDueMs, fields::whistle::kRound, fields::whistle::kSupervised,
        fields::whistle::kHeadless, fields::whistle::kMergedInto}) {
    CHECK(whistle.field(number)->merge == MergePolicy::kServer);
  }
  CHECK(whistle.field(fields::whistle::kText)->merge == MergePolicy::kLww);
}

TEST_CASE("A whistle's road and what the server alone writes are never erased, the rest may be") {
  std::set<std::string_view> kept;
  for (const KindSchema& each : built_schema().kinds) {
    if (each.never_erased) kept.insert(each.name);
  }
  CHECK(kept == std::set<std::string_view>{"Assignment", "Outcome", "Whistle", "WhistleAction"});
}

TEST_CASE("What a number measures, and what it goes with, is known by its name") {
  const KindSchema& visit = kind(kinds::kVisit);
  namespace f = fields::visit;
  CHECK(visit.field(f::kStartedMs)->measure == Measure::kTime);
  CHECK(visit.field(f::kEndedMs)->not_before == f::kStartedMs);
  CHECK(visit.field(f::kStartedMs)->not_before == 0);
  CHECK(visit.field(f::kLatitude)->measure == Measure::kLatitude);
  CHECK(visit.field(f::kLatitude)->beside == f::kLongitude);
  CHECK(visit.field(f::kEndLongitude)->measure == Measure::kLongitude);
  CHECK(visit.field(f::kEndLongitude)->beside == f::kEndLatitude);
  CHECK(visit.field(f::kOriginalLatitude)->beside == f::kOriginalLongitude);
  CHECK(visit.field(f::kAccuracyM)->measure == Measure::kAccuracy);
  CHECK(visit.field(f::kAccuracyM)->beside == 0);
  CHECK(visit.field(f::kNotes)->measure == Measure::kNone);
  const FieldSchema& points = *kind(kinds::kTrackBatch).field("points");
  CHECK(points.nested_field(1)->measure == Measure::kTime);
  CHECK(points.nested_field(2)->measure == Measure::kLatitude);
}

TEST_CASE("Enum values are known by number, name and Chinese name") {
  const FieldSchema& state = *kind(kinds::kWhistle).field("state");
  REQUIRE(state.enum_value(17) != nullptr);
  CHECK(state.enum_value(17)->name == "VOID");
  CHECK(state.enum_value(17)->name_zh == "作废");
  CHECK(state.enum_value(18) == nullptr);
}

TEST_CASE("A number or name that this build does not know is answered with null") {
  CHECK(built_schema().kind(KindId{9999}) == nullptr);
  CHECK(built_schema().kind("Nobody") == nullptr);
  CHECK(built_schema().kind("Visit")->field(9999U) == nullptr);
  CHECK(built_schema().kind("Visit")->field("nothing") == nullptr);
}

TEST_CASE("A plain copy has the fields of the original, its comments, and no annotation") {
  lint::ProtoFiles protos;
  for (const auto* file : protos.read_all()) {
    std::string error;
    const std::string plain = plugin::plain_proto(*file, &error);
    INFO(file->name() << error);
    REQUIRE_FALSE(plain.empty());
    CHECK(plain.find("options.proto") == std::string::npos);
    CHECK(plain.find("(field)") == std::string::npos);
    CHECK(plain.find("optimize_for = LITE_RUNTIME") != std::string::npos);
    for (int i = 0; i < file->message_type_count(); ++i) {
      const auto& message = *file->message_type(i);
      CHECK(plain.find("message " + message.name() + " {") != std::string::npos);
      for (int f = 0; f < message.field_count(); ++f) {
        const auto& field = *message.field(f);
        const std::string declared = " " + field.name() + " = " + std::to_string(field.number());
        CHECK(plain.find(declared) != std::string::npos);
      }
    }
  }
}

TEST_CASE("The embedded descriptors load, annotations and imports included") {
  google::protobuf::FileDescriptorSet set;
  const std::string_view bytes = file_descriptor_set();
  REQUIRE(set.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  google::protobuf::DescriptorPool pool;
  for (const auto& file : set.file()) REQUIRE(pool.BuildFile(file) != nullptr);
  CHECK(pool.FindServiceByName("gridwhistle.v1.SyncService") != nullptr);
  CHECK(pool.FindServiceByName("gridwhistle.v1.AdminService") != nullptr);
  const auto* visit = pool.FindMessageTypeByName("gridwhistle.v1.Visit");
  REQUIRE(visit != nullptr);
  CHECK(visit->options().GetExtension(v1::kind).number() == kinds::kVisit.value);
}

}  // namespace
}  // namespace gridwhistle

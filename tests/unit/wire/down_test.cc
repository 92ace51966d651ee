#include <catch2/catch.hpp>

#include "base/limits.h"
#include "samples.h"
#include "thing.h"
#include "wire/compress.h"

namespace gridwhistle {
namespace {

using namespace thing;

ErrorCode code_of(const std::string& frame) {
  const auto down = decode_down(kSchema, frame);
  return down ? ErrorCode{} : down.error().code;
}

CutDown cut_of(const std::string& frame) {
  const auto down = decode_down(kSchema, frame);
  if (!down) FAIL(down.error().message);
  return std::get<CutDown>(*down);
}

}  // namespace

TEST_CASE("a cut arrives as it was made") {
  CutDown cut{"grid:440811001001001", Seq(5000), sample_rows(40)};
  cut.rows[1].change = RowChange::kLeft;
  cut.rows[1].set.clear();
  cut.rows[2].change = RowChange::kFields;
  cut.rows[2].clear = {kTitle, kTags};
  cut.rows[3].scopes.clear();
  cut.rows[4].scopes = {"org:1", "grid:2"};
  cut.rows[5].last_seq = Seq(3);
  cut.rows[6].hlc = Hlc(12'345);
  cut.rows[7].kind = KindId(4711);
  const CutDown back = cut_of(encode_cut(cut));
  CHECK(back.scope == cut.scope);
  CHECK(back.upto == cut.upto);
  CHECK(back.rows == cut.rows);
}

TEST_CASE("the generated classes read rows that are written by hand") {
  const CutDown cut{"", Seq(5000), sample_rows(1)};
  v1::Down down;
  REQUIRE(down.ParseFromString(encode_cut(cut)));
  v1::RowBatch batch;
  const auto raw = unpack(down.cut().packed(), down.cut().raw_size(), down.cut().zstd());
  REQUIRE(raw.has_value());
  REQUIRE(batch.ParseFromString(*raw));
  CHECK(batch.rows(0).id() == cut.rows[0].id.bytes());
  CHECK(batch.rows(0).set() == cut.rows[0].set);
  CHECK(batch.rows(0).scopes(0) == cut.rows[0].scopes[0]);
}

TEST_CASE("a row passes whose field grew beyond what one write may hold") {
  std::vector<Row> rows = sample_rows(1);
  rows[0].kind = KindId(7);
  rows[0].set.clear();
  for (int i = 0; i < 20; ++i) rows[0].set += text_field(kLog, std::string(1024, 'a'));
  const auto down = decode_down(kSchema, encode_cut({"", Seq(100), rows}));
  REQUIRE(down.has_value());
  CHECK(std::get<CutDown>(*down).rows == rows);
}

TEST_CASE("an empty cut moves the cursor alone") {
  CHECK(cut_of(encode_cut({"", Seq(9), {}})).upto == Seq(9));
}

TEST_CASE("a cut takes 4,096 rows and not one more") {
  CHECK(cut_of(encode_cut({"", Seq(9000), sample_rows(limits::kCutRows)})).rows.size() ==
        limits::kCutRows);
  CHECK(code_of(encode_cut({"", Seq(9000), sample_rows(limits::kCutRows + 1)})) ==
        ErrorCode::kTooMany);
}

TEST_CASE("a row belongs to 64 scopes and not one more") {
  CutDown cut{"", Seq(9000), sample_rows(1)};
  cut.rows[0].scopes.assign(limits::kScopesPerRow, "grid:1");
  CHECK(code_of(encode_cut(cut)) == ErrorCode{});
  cut.rows[0].scopes.push_back("grid:1");
  CHECK(code_of(encode_cut(cut)) == ErrorCode::kProtocol);
}

TEST_CASE("runs of acknowledgements that cannot be are refused") {
  const auto with = [](auto change) {
    v1::Acks acks;
    v1::AckRun& run = *acks.add_runs();
    run.set_lane(1);
    run.set_first(1);
    run.set_count(2);
    run.set_first_seq(9);
    run.set_status(1);
    change(run);
    return code_of(encode(acks));
  };
  CHECK(with([](v1::AckRun&) {}) == ErrorCode{});
  CHECK(with([](v1::AckRun& run) { run.set_lane(0); }) == ErrorCode::kProtocol);
  CHECK(with([](v1::AckRun& run) { run.set_first(0); }) == ErrorCode::kProtocol);
  CHECK(with([](v1::AckRun& run) { run.set_count(0); }) == ErrorCode::kProtocol);
  CHECK(with([](v1::AckRun& run) { run.set_first(~0ULL); }) == ErrorCode::kProtocol);
  CHECK(with([](v1::AckRun& run) { run.set_status(0); }) == ErrorCode::kProtocol);
  CHECK(with([](v1::AckRun& run) { run.set_status(9); }) == ErrorCode::kProtocol);
}

TEST_CASE("a Welcome holds 256 grants and 16 epochs at most") {
  v1::Welcome welcome;
  welcome.set_county("440811");
  for (std::size_t i = 0; i < limits::kScopesPerDevice; ++i)
    welcome.add_grants()->set_scope("grid:1");
  for (std::size_t i = 0; i < limits::kEpochs; ++i) welcome.add_epochs()->set_id(i);
  CHECK(code_of(encode(welcome)) == ErrorCode{});
  v1::Welcome more = welcome;
  more.add_grants()->set_scope("grid:1");
  CHECK(code_of(encode(more)) == ErrorCode::kTooMany);
  more = welcome;
  more.add_epochs();
  CHECK(code_of(encode(more)) == ErrorCode::kTooMany);
  more = welcome;
  more.add_lanes()->set_lane(4);
  CHECK(code_of(encode(more)) == ErrorCode::kProtocol);
  more = welcome;
  more.mutable_grants(0)->clear_scope();
  CHECK(code_of(encode(more)) == ErrorCode::kInvalid);
  more = welcome;
  more.set_worker("short");
  CHECK(code_of(encode(more)) == ErrorCode::kInvalid);
}

TEST_CASE("no grant makes a phone the server") {
  v1::Welcome sent;
  v1::Grant& grant = *sent.add_grants();
  grant.set_scope("county");
  grant.set_roles(0b1011);
  grant.set_roles_inside(0b11);
  const auto down = decode_down(kSchema, encode(sent));
  REQUIRE(down.has_value());
  CHECK(std::get<v1::Welcome>(*down).grants(0).roles() == 0b1010);
  CHECK(std::get<v1::Welcome>(*down).grants(0).roles_inside() == 0b10);
}

TEST_CASE("the end of a call and a refusal arrive") {
  v1::DownEnd end;
  end.set_caught_up(7);
  CHECK(std::get<v1::DownEnd>(*decode_down(kSchema, encode(end))).caught_up() == 7);
  v1::Refusal refusal;
  refusal.set_code(30);
  refusal.set_message("忙，请稍后再试");
  CHECK(std::get<v1::Refusal>(*decode_down(kSchema, encode(refusal))).code() == 30);
}

}  // namespace gridwhistle

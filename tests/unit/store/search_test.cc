#include "phone.h"
#include "store/terms.h"

namespace gridwhistle::store {
namespace {

using kinds::kHousehold;
using kinds::kVisit;
using kinds::kWhistle;

std::size_t hits(Phone& phone, const std::string& text, const std::string& purpose = {}) {
  const auto found = phone->search({.text = text}, {purpose});
  REQUIRE(found);
  return found->size();
}

TEST_CASE("Chinese words of one, two and more characters are found, wherever they stand") {
  Phone phone;
  phone.put(kVisit, visit("消防通道被电动车占用，已劝导清理"));
  phone.put(kVisit, visit("路灯损坏"));
  for (const char* word : {"消", "车", "理", "消防", "电动", "清理", "电动车占用", "，已"}) {
    CAPTURE(word);
    CHECK(hits(phone, word) == 1);
  }
  CHECK(hits(phone, "消车") == 0);
  CHECK(hits(phone, "防消") == 0);
  CHECK(hits(phone, "电动 劝导") == 1);
  CHECK(hits(phone, "电动 路灯") == 0);
}

TEST_CASE("letters and digits are found in part, in either case and width") {
  Phone phone;
  phone.put(kVisit, visit("车牌 粤G12345，WiFi 故障 A7K-000123-5"));
  for (const char* word : {"G1234", "g12345", "wifi", "ＷＩＦＩ", "2", "A7K-0001", "23-5"}) {
    CAPTURE(word);
    CHECK(hits(phone, word) == 1);
  }
  CHECK(hits(phone, "G124") == 0);
}

TEST_CASE("a search finds what was committed a moment ago, as it is now") {
  Phone phone;
  const RecordId id = phone.put(kVisit, visit("井盖松动"));
  CHECK(hits(phone, "井盖") == 1);
  v1::Visit edit;
  edit.set_notes("已经修好");
  phone.put(kVisit, edit, id);
  CHECK(hits(phone, "井盖") == 0);
  CHECK(hits(phone, "修好") == 1);
  REQUIRE(phone->erase(kVisit, id));
  CHECK(hits(phone, "修好") == 0);
  phone.cut(row_of(kVisit, kForeignId, 4, visit("化粪池外溢")));
  CHECK(hits(phone, "外溢") == 1);
  phone.cut(row_of(kVisit, kForeignId, 5, v1::Visit(), RowChange::kLeft));
  CHECK(hits(phone, "外溢") == 0);
}

TEST_CASE("what was forgotten from the outbox before anybody searched is found all the same") {
  Phone phone;
  phone.put(kVisit, visit("井盖松动"));
  phone.acknowledge(Lane::kRecords, 1);
  phone.backed_up(1);
  CHECK(hits(phone, "井盖") == 1);
}

TEST_CASE("a refused change is no longer found") {
  Phone phone;
  phone.put(kVisit, visit("井盖松动"));
  CHECK(hits(phone, "井盖") == 1);
  phone.acknowledge(Lane::kRecords, 1, OutcomeStatus::kRejected);
  CHECK(hits(phone, "井盖") == 0);
}

TEST_CASE("personal words are found with a purpose only, and finding them is logged") {
  Phone phone;
  phone.put(kHousehold, household("赤岭村3号"));
  CHECK(hits(phone, "赤岭") == 0);
  CHECK(hits(phone, "小明") == 0);
  CHECK(phone->access_log(0, 10).value().empty());
  const auto found = phone->search({.text = "小明"}, {"回访"}).value();
  REQUIRE(found.size() == 1);
  CHECK(found[0].title == "赤岭村3号");
  CHECK(found[0].snippet == "王小明");
  CHECK_FALSE(found[0].info.masked);
  CHECK(phone->access_log(0, 10).value().size() == 1);
}

TEST_CASE("the newest changes come first, of the kinds asked for, up to the limit") {
  Phone phone;
  const RecordId first = phone.put(kVisit, visit("路灯一"));
  phone.put(kWhistle, whistle("路灯二"));
  const RecordId third = phone.put(kVisit, visit("路灯三"));
  const auto found = phone->search({.text = "路灯", .kinds = {"Visit"}}).value();
  REQUIRE(found.size() == 2);
  CHECK(found[0].info.id == third);
  CHECK(found[1].info.id == first);
  CHECK(phone->search({.text = "路灯", .kinds = {}, .limit = 1}).value().size() == 1);
  CHECK(phone->search({.text = "路灯", .kinds = {"Nothing"}}).error().code == ErrorCode::kInvalid);
}

TEST_CASE("one's own work is found before others' and before reference data, unsent work first") {
  Phone phone;
  const RecordId sent = phone.put(kVisit, visit("路灯一"));
  phone.acknowledge(Lane::kRecords, 1);
  const RecordId unsent = phone.put(kVisit, visit("路灯二"));
  const RecordId others = RecordId::make(DeviceId(9), 1);
  phone.cut(row_of(kVisit, others, 4, visit("路灯三")));
  v1::Category category;
  category.set_code("01002");
  category.set_name("路灯");
  const RecordId reference = RecordId::make(DeviceId(0), 1);
  phone.cut(row_of(kinds::kCategory, reference, 5, category));
  std::vector<std::string> order;
  const auto found = phone->search({.text = "路灯"}).value();
  for (const Hit& hit : found) {
    order.push_back(hit.info.id.text());
  }
  CHECK(order == std::vector{unsent.text(), sent.text(), others.text(), reference.text()});
}

TEST_CASE("a search without a word is refused, and marks of a query language are only marks") {
  Phone phone;
  phone.put(kVisit, visit("说\"好\" AND 走"));
  CHECK(phone->search({.text = "  　"}).error().code == ErrorCode::kInvalid);
  CHECK(phone->search({.text = "\"*"}).error().code == ErrorCode::kInvalid);
  CHECK(hits(phone, "\"好\"") == 1);
  CHECK(hits(phone, "AND") == 1);
  CHECK(hits(phone, "NOT") == 0);
}

TEST_CASE("a snippet shows the words around the match, from one line") {
  CHECK(snippet_of("第一行\n今日上门走访独居老人\n第三行", "独居", 6) == "走访独居老人");
  CHECK(snippet_of("ＡＢＣ", "b", 3) == "ＡＢＣ");
  CHECK(snippet_of("x", "y", 3).empty());
}

}  // namespace
}  // namespace gridwhistle::store

#include "cli/output.h"

#include <catch2/catch.hpp>

#include "gridwhistle/v1/records.pb.h"
#include "schema/kinds.h"
#include "schema/tables.h"

namespace gridwhistle::cli {

TEST_CASE("a record is shown whole though many writes made a field larger than one may be") {
  v1::Visit visit;
  visit.set_notes("夜间巡查");
  for (int i = 0; i < 20; ++i) visit.add_tags(std::string(1000, static_cast<char>('a' + i)));
  FoundBytes found;
  found.record = visit.SerializeAsString();
  const KindSchema& kind = *built_schema().kind(kinds::kVisit);
  const auto fields = Output(Settings{.json = true}).record_json(kind, found)["fields"];
  CHECK(fields.value("notes", "") == "夜间巡查");
  CHECK(fields.value("tags", nlohmann::json()).size() == 20);
}

TEST_CASE("what is no record shows no fields") {
  FoundBytes found;
  found.record = "\xFF";
  const KindSchema& kind = *built_schema().kind(kinds::kVisit);
  CHECK(Output(Settings{}).record_json(kind, found)["fields"].empty());
}

}  // namespace gridwhistle::cli

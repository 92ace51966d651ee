#include "county_data.h"

#include <stdexcept>

#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/reference.pb.h"
#include "schema/kinds.h"

namespace gridwhistle::sim {

namespace {

template <typename Message>
RecordId import_one(County& county, const Message& message, RecordId id = {}) {
  if (id.is_nil()) id = county.mint_id();
  const auto report =
      county.import_records({{kind_of<Message>, id, message.SerializeAsString()}}, "simulator");
  if (!report) throw std::runtime_error("import: " + report.error().message);
  return id;
}

v1::Worker worker_record(const Person& person, int role) {
  v1::Worker worker;
  worker.set_code(person.name);
  worker.set_name(person.name);
  worker.set_organisation(std::string(person.organisation.bytes()));
  v1::WorkerRole& held = *worker.add_roles();
  held.set_role(static_cast<v1::Role>(role));
  if (!person.place.empty()) held.set_scope(person.place);
  return worker;
}

void grid(County& county, const std::string& code15, double west) {
  v1::Grid record;
  record.set_code15(code15);
  record.set_name("网格" + code15.substr(12));
  record.set_type(v1::GRID_TYPE_BASIC);
  record.set_village12(code15.substr(0, 12));
  v1::Ring& ring = *record.mutable_boundary()->add_polygons()->add_rings();
  for (const auto& [x, y] : {std::pair{0.0, 0.0}, {0.01, 0.0}, {0.01, 0.01}, {0.0, 0.01}}) {
    ring.add_longitudes(west + x);
    ring.add_latitudes(21.2 + y);
  }
  import_one(county, record);
}

void area(County& county, const std::string& code12, v1::Level level, const std::string& parent) {
  v1::AdminArea record;
  record.set_code12(code12);
  record.set_level(level);
  record.set_name("区域" + code12);
  if (!parent.empty()) record.set_parent12(parent);
  import_one(county, record);
}

}  // namespace

CountyData::CountyData(County& county) {
  areas(county);
  const RecordId centre = organisation(county, "CENTRE", v1::LEVEL_COUNTY, "440811000000");
  const RecordId town = organisation(county, "TOWN", v1::LEVEL_TOWN, kTown);
  organisation(county, "VILLAGE1", v1::LEVEL_VILLAGE, "440811001001");
  organisation(county, "VILLAGE2", v1::LEVEL_VILLAGE, "440811001002");
  const RecordId roads = organisation(county, "ROADS", v1::LEVEL_COUNTY, "440811000000");
  rules(county);
  person(county, "walker0", v1::ROLE_GRID_WORKER, kGrids[0], town);
  person(county, "walker1", v1::ROLE_GRID_WORKER, kGrids[0], town);
  person(county, "walker2", v1::ROLE_GRID_WORKER, kGrids[1], town);
  person(county, "walker3", v1::ROLE_GRID_WORKER, kGrids[2], town);
  person(county, "courier", v1::ROLE_VOLUNTEER, kGrids[0], town);
  person(county, "acceptor", v1::ROLE_TOWN_ACCEPTOR, kTown, town);
  person(county, "roads", v1::ROLE_DEPARTMENT, "", roads);
  (void)centre;
}

void CountyData::areas(County& county) {
  area(county, "440811000000", v1::LEVEL_COUNTY, "");
  area(county, kTown, v1::LEVEL_TOWN, "440811000000");
  area(county, "440811001001", v1::LEVEL_VILLAGE, kTown);
  area(county, "440811001002", v1::LEVEL_VILLAGE, kTown);
  double west = 110.1;
  for (const char* code : kGrids) grid(county, code, west += 0.01);
}

void CountyData::rules(County& county) {
  v1::Category category;
  category.set_code("01");
  category.set_name("道路");
  import_one(county, category);
  v1::ResponsibilityItem item;
  item.set_code("R1");
  item.set_title("道路养护");
  item.set_lead_department_type("ROADS");
  item.add_levels(v1::LEVEL_COUNTY);
  item.add_categories("01");
  item.set_list_version("1");
  import_one(county, item);
  v1::RoutingRule rule;
  rule.set_code("RULE1");
  rule.set_category_prefix("01");
  rule.set_responsibility_item("R1");
  rule.set_lead_level(v1::LEVEL_COUNTY);
  import_one(county, rule);
}

RecordId CountyData::organisation(County& county, const std::string& code, int level,
                                  const std::string& area12) {
  v1::OrgUnit unit;
  unit.set_code(code);
  unit.set_name(code);
  unit.set_level(static_cast<v1::Level>(level));
  unit.set_department_type(code == "ROADS" ? "ROADS" : "CENTRE");
  unit.set_area12(area12);
  return import_one(county, unit);
}

void CountyData::person(County& county, const std::string& name, int role, const std::string& place,
                        const RecordId& organisation) {
  Person person;
  person.name = name;
  person.walks = role == v1::ROLE_GRID_WORKER;
  person.volunteers = role == v1::ROLE_VOLUNTEER;
  person.place = place;
  person.organisation = organisation;
  person.worker = import_one(county, worker_record(person, role));
  people_.push_back(std::move(person));
}

void CountyData::move(County& county, Person& person, const std::string& grid_code) {
  person.place = grid_code;
  const int role = person.walks ? v1::ROLE_GRID_WORKER : v1::ROLE_VOLUNTEER;
  import_one(county, worker_record(person, role), person.worker);
}

}  // namespace gridwhistle::sim

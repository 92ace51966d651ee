#include "apply/staff.h"

#include <algorithm>

#include "gridwhistle/v1/reference.pb.h"
#include "model/record.h"
#include "schema/fields.h"
#include "schema/kinds.h"

namespace gridwhistle {

Result<std::vector<std::string>> places_of_worker(Workspace& workspace, RecordId worker,
                                                  std::string_view body) {
  const std::string& county = workspace.storage().county();
  std::vector<std::string> places = {worker_scope(worker)};
  const auto add = [&](std::string_view named) {
    std::optional<std::string> leaf = leaf_scope(county, named);
    if (leaf && std::ranges::find(places, *leaf) == places.end()) places.push_back(*leaf);
  };
  add("staff");
  v1::Worker record;
  if (!record.ParseFromArray(body.data(), static_cast<int>(body.size()))) return places;
  for (const v1::WorkerRole& role : record.roles()) add(role.scope());
  const auto organisation = RecordId::from_bytes(record.organisation());
  if (!organisation) return places;
  auto page = workspace.open({kinds::kOrgUnit, *organisation});
  if (!page) return std::unexpected(std::move(page.error()));
  add(text_of((*page)->record.state.body, fields::org_unit::kArea12).value_or(""));
  return places;
}

}  // namespace gridwhistle

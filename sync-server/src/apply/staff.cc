#include "apply/staff.h"

#include <algorithm>

#include "base/limits.h"
#include "gridwhistle/v1/reference.pb.h"
#include "model/record.h"
#include "schema/fields.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

constexpr std::size_t kOwnAndStaff = 2;

}  // namespace

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
  // A row names so many places and no more, the area of the organisation among them.
  if (places.size() + 1 > limits::kScopesPerRow) {
    places.resize(kOwnAndStaff);
    add("county");
  }
  const auto organisation = RecordId::from_bytes(record.organisation());
  if (!organisation) return places;
  auto page = workspace.open({kinds::kOrgUnit, *organisation});
  if (!page) return std::unexpected(std::move(page.error()));
  add(text_of((*page)->record.state.body, fields::org_unit::kArea12).value_or(""));
  return places;
}

}  // namespace gridwhistle

#include <catch2/catch.hpp>

#include "access/call_window.h"
#include "access/grants.h"
#include "gridwhistle/v1/reference.pb.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "storage/scopes.h"

using namespace gridwhistle;

namespace {

const std::string kCounty = "440811";
const std::string kVillage = "440811001001";
const RecordId kWorker = RecordId::make(DeviceId(1), 7);

struct Office {
  Role role;
  std::string scope;
};

std::vector<ScopeGrant> grants_of(const std::vector<Office>& offices) {
  v1::Worker worker;
  for (const Office& office : offices) {
    v1::WorkerRole& held = *worker.add_roles();
    held.set_role(static_cast<v1::Role>(office.role));
    held.set_scope(office.scope);
  }
  return derive_grants(kCounty, kWorker, worker.SerializeAsString(), 1000);
}

std::vector<ScopeGrant> grants_of(Role role, const std::string& scope, std::int64_t now_ms = 1000,
                                  std::int64_t until_ms = 0) {
  v1::Worker worker;
  v1::WorkerRole& held = *worker.add_roles();
  held.set_role(static_cast<v1::Role>(role));
  held.set_scope(scope);
  if (until_ms != 0) held.set_until_ms(until_ms);
  return derive_grants(kCounty, kWorker, worker.SerializeAsString(), now_ms);
}

const ScopeGrant* grant_of(const std::vector<ScopeGrant>& grants, const std::string& scope) {
  for (const ScopeGrant& grant : grants) {
    if (grant.scope == scope) return &grant;
  }
  return nullptr;
}

constexpr std::uint32_t kPersonalBit = 1U << 3;
constexpr std::uint32_t kCareBit = 1U << 4;

}  // namespace

TEST_CASE("a call counter is taken once, within a window of 64, in any order") {
  CallWindow window;
  CHECK_FALSE(window.take(0));
  CHECK(window.take(1));
  CHECK_FALSE(window.take(1));
  CHECK(window.take(64));
  CHECK(window.take(2));
  CHECK_FALSE(window.take(2));
  CHECK(window.take(65));
  CHECK_FALSE(window.take(1));  // 64 behind: too old to tell
  CHECK(window.take(1000));
  CHECK(window.take(937));
  CHECK_FALSE(window.take(936));
}

TEST_CASE("a grid worker holds the grid with its people, and of what is around it the notices") {
  const auto grants = grants_of(Role::kGridWorker, "440811001001001");
  REQUIRE(grant_of(grants, "grid:440811001001001"));
  CHECK((grant_of(grants, "grid:440811001001001")->audiences & kPersonalBit) != 0);
  CHECK((grant_of(grants, "grid:440811001001001")->audiences & kCareBit) == 0);
  for (const char* scope : {"village:440811001001", "town:440811001000", "county:440811"}) {
    REQUIRE(grant_of(grants, scope));
    CHECK_FALSE(grant_of(grants, scope)->subtree);
    CHECK((grant_of(grants, scope)->audiences & kPersonalBit) == 0);
  }
  CHECK(grant_of(grants, worker_scope(kWorker)));
}

TEST_CASE("what is private is written only where its writer may read it") {
  const ScopeSet held(grants_of(Role::kGridWorker, "440811001001001"));
  const auto writes = [&](KindId kind, const std::string& leaf) {
    return held.writes(*built_schema().kind(kind), {leaf});
  };
  CHECK(writes(kinds::kHousehold, "grid:440811001001001"));
  CHECK_FALSE(writes(kinds::kHousehold, "village:440811001001"));
  CHECK(writes(kinds::kWhistle, "village:440811001001"));
}

TEST_CASE("only a care worker sees care records") {
  const auto grants = grants_of(Role::kCareWorker, "440811001001001");
  CHECK((grant_of(grants, "grid:440811001001001")->audiences & kCareBit) != 0);
}

TEST_CASE("a town's acceptor holds the town with all in it, without its people") {
  const auto grants = grants_of(Role::kTownAcceptor, "440811001000");
  const ScopeGrant* town = grant_of(grants, "town:440811001000");
  REQUIRE(town);
  CHECK(town->subtree);
  CHECK((town->audiences & kPersonalBit) == 0);
  CHECK(reaches(*town, "grid:440811001001001"));
  CHECK(reaches(*town, "village:440811001001"));
  CHECK_FALSE(reaches(*town, "grid:440811002001001"));
  CHECK_FALSE(reaches(*town, "county:440811"));
}

TEST_CASE("of two offices none reaches as far as the other") {
  const ScopeSet both(grants_of({{Role::kMediator, "440811"}, {Role::kVillageAcceptor, kVillage}}));
  const KindSchema& contact = *built_schema().kind(kinds::kWhistleContact);
  CHECK(both.sees(contact, std::string("village:") + kVillage));
  CHECK(both.sees(contact, "grid:440811001001001"));
  CHECK_FALSE(both.sees(contact, "grid:440811002001001"));
  CHECK(both.roles_over("grid:440811002001001") == RoleSet{Role::kMediator});

  const ScopeSet walker(
      grants_of({{Role::kOperator, "440811"}, {Role::kGridWorker, "440811001001001"}}));
  const KindSchema& visit = *built_schema().kind(kinds::kVisit);
  CHECK(walker.writes(visit, {"grid:440811001001001"}));
  CHECK_FALSE(walker.writes(visit, {"grid:440811001001002"}));
  CHECK(walker.roles_over("county:440811") == RoleSet{Role::kOperator, Role::kGridWorker});
}

TEST_CASE("a role ends with its time, and a worker who left holds nothing") {
  CHECK_FALSE(grants_of(Role::kGridWorker, "440811001001001", 1000, 1001).empty());
  CHECK(grants_of(Role::kGridWorker, "440811001001001", 1001, 1001).empty());
  CHECK(grants_of(Role::kGridWorker, "990811001001001").empty());
}

TEST_CASE("authority counts by the time of recording, for thirty days") {
  Standing standing;
  standing.ended.push_back({{.scope = "grid:440811001001001", .roles = {Role::kGridWorker}}, 5000});
  CHECK(standing_at(standing, 4999, 5001).grants().size() == 1);
  CHECK(standing_at(standing, 5000, 5001).grants().empty());
  CHECK(standing_at(standing, 4999, 5001 + kAuthorityLookBackMs).grants().empty());
  CHECK(ever_held(standing).grants().size() == 1);
}

TEST_CASE("a scope has one form, and none outside the county") {
  CHECK(leaf_scope(kCounty, "440811001001001") == "grid:440811001001001");
  CHECK(leaf_scope(kCounty, "440811001001") == "village:440811001001");
  CHECK(leaf_scope(kCounty, "440811001000") == "town:440811001000");
  CHECK(leaf_scope(kCounty, "440811000000") == "county:440811");
  CHECK(leaf_scope(kCounty, "county") == "county:440811");
  CHECK(leaf_scope(kCounty, "centre") == "centre:440811");
  CHECK(leaf_scope(kCounty, "staff") == "staff:440811");
  CHECK(leaf_scope(kCounty, "town:440811001000") == "town:440811001000");
  CHECK(leaf_scope(kCounty, "grid:440811001000") == std::nullopt);
  CHECK(leaf_scope(kCounty, "440812001001001") == std::nullopt);
  CHECK(leaf_scope(kCounty, "") == std::nullopt);
  CHECK(leaf_scope(kCounty, worker_scope(kWorker)) == worker_scope(kWorker));
}

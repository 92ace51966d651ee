#include "access/grants.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/sha256.h"
#include "base/varint.h"
#include "gridwhistle/v1/reference.pb.h"
#include "model/record.h"
#include "schema/fields.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

constexpr std::uint32_t bit(Audience audience) {
  return std::uint32_t{1} << static_cast<unsigned>(audience);
}
constexpr std::uint32_t kOpen = bit(Audience::kPublic);
constexpr std::uint32_t kStaff = kOpen | bit(Audience::kWork);
constexpr std::uint32_t kOwnGrid = kStaff | bit(Audience::kPersonal);
constexpr std::uint32_t kCarers = kOwnGrid | bit(Audience::kCare);

// Collects grants, each scope once.
class Grants {
 public:
  void add(std::string_view scope, bool subtree, std::uint32_t audiences, RoleSet roles) {
    const auto same = std::ranges::find(all_, scope, &ScopeGrant::scope);
    if (same == all_.end()) {
      all_.push_back({.scope = std::string(scope),
                      .subtree = subtree,
                      .audiences = audiences,
                      .roles = roles,
                      .roles_inside = subtree ? roles : RoleSet()});
      return;
    }
    same->subtree |= subtree;
    same->audiences |= audiences;
    same->roles = RoleSet::of_bits(same->roles.bits() | roles.bits());
    if (!subtree) return;
    same->roles_inside = RoleSet::of_bits(same->roles_inside.bits() | roles.bits());
  }

  // One area or grid alone, and of those around it what concerns it: notices, tasks, reference.
  void add_place(std::string_view scope, std::uint32_t audiences, Role role) {
    add(scope, false, audiences, {role});
    const std::vector<std::string> around = with_ancestors(scope);
    for (std::size_t i = 1; i < around.size(); ++i) {
      add(around[i], false, audiences & kStaff, {role});
    }
  }

  // An area with all in it.
  void add_area(std::string_view scope, Role role) {
    add_place(scope, kStaff, role);
    add(scope, true, kStaff, {role});
  }

  // What goes by the county and lies nowhere in it.
  void add_of_county(std::string_view scope, std::string_view county, Role role) {
    add(std::string(scope) + ":" + std::string(county), false, kStaff, {role});
  }

  std::vector<ScopeGrant> take() { return std::move(all_); }

 private:
  std::vector<ScopeGrant> all_;
};

bool holds_at(const v1::WorkerRole& role, std::int64_t now_ms) {
  return (!role.has_from_ms() || role.from_ms() <= now_ms) &&
         (!role.has_until_ms() || now_ms < role.until_ms());
}

void add_role(Grants& grants, Role role, const std::string& scope, std::string_view county) {
  switch (role) {
    case Role::kGridWorker:
      return grants.add_place(scope, kOwnGrid, role);
    case Role::kCareWorker:
      return grants.add_place(scope, kCarers, role);
    case Role::kMicroContact:
      return grants.add_place(scope, kStaff, role);
    case Role::kVolunteer:
      return grants.add_place(scope, kOpen, role);
    case Role::kDepartment:
      // Called to any grid, it has to know who reported and who settles things there.
      grants.add_of_county("staff", county, role);
      return grants.add(scope, false, kOwnGrid, {role});
    case Role::kVillageAcceptor:
    case Role::kTownAcceptor:
    case Role::kDispatcher:
    case Role::kSupervisor:
    case Role::kOperator:
      grants.add_of_county("centre", county, role);
      return grants.add_area(scope, role);
    case Role::kMediator:
    case Role::kReturnVisitor:
      return grants.add_area(scope, role);
    case Role::kUnspecified:
      return;
  }
}

// When a worker left; never 0, which stands for a grant that is held.
std::optional<std::int64_t> left_at(std::string_view worker_body) {
  const auto left = int_of(worker_body, fields::worker::kLeftMs);
  return left ? std::optional(std::max<std::int64_t>(*left, 1)) : std::nullopt;
}

bool widens(const ScopeGrant& before, const ScopeGrant& after) {
  return (after.audiences & ~before.audiences) != 0 || (after.subtree && !before.subtree) ||
         (after.roles.bits() & ~before.roles.bits()) != 0 ||
         (after.roles_inside.bits() & ~before.roles_inside.bits()) != 0;
}

bool same_but_place(const ScopeGrant& a, const ScopeGrant& b) {
  return a.scope == b.scope && a.subtree == b.subtree && a.audiences == b.audiences &&
         a.roles == b.roles && a.roles_inside == b.roles_inside;
}

// A day's callers.
constexpr std::size_t kStandingsKept = 16384;

// When what a worker holds changes next by time alone.
std::int64_t next_change_ms(std::string_view worker_body, std::int64_t now_ms) {
  std::int64_t next = std::numeric_limits<std::int64_t>::max();
  const auto consider = [&](std::int64_t ms) {
    if (ms > now_ms) next = std::min(next, ms);
  };
  if (const auto left = left_at(worker_body)) consider(*left);
  v1::Worker record;
  if (!record.ParseFromArray(worker_body.data(), static_cast<int>(worker_body.size()))) return next;
  for (const v1::WorkerRole& role : record.roles()) {
    if (role.has_from_ms()) consider(role.from_ms());
    if (role.has_until_ms()) consider(role.until_ms());
  }
  return next;
}

// History beyond this says nothing that a reviewer would ask.
constexpr std::size_t kEndedGrantsMax = 256;

// The end of a grant changes the list as its beginning does, so no place in the log can name it.
std::uint64_t version_of(const std::vector<ScopeGrant>& held) {
  std::string list;
  for (const ScopeGrant& grant : held) {
    append_varint(list, grant.scope.size());
    list += grant.scope;
    append_varint(list, grant.subtree ? 1 : 0);
    append_varint(list, grant.audiences);
    append_varint(list, grant.roles.bits());
    append_varint(list, grant.roles_inside.bits());
    append_varint(list, grant.granted.value);
  }
  // Six bytes as it travels.
  constexpr std::uint64_t kMask = (1ULL << 42) - 1;
  return (ByteReader(sha256(list)).fixed64().value_or(0) & kMask) | 1;
}

ScopeSet with(const ScopeSet& held, std::vector<ScopeGrant> more) {
  if (more.empty()) return held;
  more.insert(more.begin(), held.grants().begin(), held.grants().end());
  return ScopeSet(std::move(more));
}

}  // namespace

std::vector<ScopeGrant> derive_grants(std::string_view county, RecordId worker,
                                      std::string_view worker_body, std::int64_t now_ms) {
  v1::Worker record;
  if (!record.ParseFromArray(worker_body.data(), static_cast<int>(worker_body.size()))) return {};
  if (has_left(worker_body, now_ms)) return {};
  Grants grants;
  RoleSet roles;
  for (const v1::WorkerRole& held : record.roles()) {
    const auto role = static_cast<Role>(held.role());
    if (held.role() <= 0 || held.role() > kRoleCount || !holds_at(held, now_ms)) continue;
    std::optional<std::string> scope = leaf_scope(county, held.scope());
    if (role == Role::kDepartment && !held.has_scope()) {
      const auto organisation = RecordId::from_bytes(record.organisation());
      if (organisation) scope = org_scope(*organisation);
    }
    if (!scope) continue;
    roles = RoleSet::of_bits(roles.bits() | RoleSet{role}.bits());
    add_role(grants, role, *scope, county);
  }
  if (roles.empty()) return {};
  const bool staff = !roles.without({Role::kVolunteer}).empty();
  grants.add("county:" + std::string(county), false, staff ? kStaff : kOpen, roles);
  grants.add(worker_scope(worker), false, kCarers, roles);
  return grants.take();
}

bool has_left(std::string_view worker_body, std::int64_t now_ms) {
  return left_at(worker_body).value_or(now_ms + 1) <= now_ms;
}

Result<bool> refresh_grants(Storage& storage, RecordId worker, std::int64_t now_ms) {
  auto record = storage.record({kinds::kWorker, worker});
  if (!record) return std::unexpected(std::move(record.error()));
  std::vector<ScopeGrant> fresh;
  std::int64_t ended_ms = now_ms;
  if (*record && !(*record)->state.erased) {
    fresh = derive_grants(storage.county(), worker, (*record)->state.body, now_ms);
    ended_ms = std::min(left_at((*record)->state.body).value_or(now_ms), now_ms);
  }
  auto stored = storage.grants(worker);
  if (!stored) return std::unexpected(std::move(stored.error()));

  const Seq place(storage.last_seq().value + 1);
  std::vector<GrantRow> rows;
  std::vector<GrantRow> ended;
  bool changed = false;
  for (GrantRow& row : *stored) {
    if (row.ended_ms != 0) {
      if (ended_ms < now_ms && ended_ms < row.ended_ms) {
        changed = true;
        row.ended_ms = ended_ms;
      }
      ended.push_back(std::move(row));
      continue;
    }
    const auto now = std::ranges::find(fresh, row.grant.scope, &ScopeGrant::scope);
    if (now != fresh.end() && same_but_place(*now, row.grant)) {
      now->granted = row.grant.granted;
      continue;
    }
    changed = true;
    if (now != fresh.end()) now->granted = widens(row.grant, *now) ? place : row.grant.granted;
    row.ended_ms = ended_ms;
    ended.push_back(std::move(row));
  }
  for (ScopeGrant& grant : fresh) {
    if (!grant.granted) {
      changed = true;
      grant.granted = place;
    }
    rows.push_back({std::move(grant), 0});
  }
  if (!changed) return false;
  if (ended.size() > kEndedGrantsMax) {
    ended.erase(ended.begin(), ended.end() - static_cast<std::ptrdiff_t>(kEndedGrantsMax));
  }
  rows.insert(rows.end(), ended.begin(), ended.end());
  storage.set_last_seq(place);
  if (auto put = storage.put_grants(worker, rows); !put) return std::unexpected(put.error());
  return true;
}

Result<Standing> standing_of(Storage& storage, RecordId worker) {
  auto rows = storage.grants(worker);
  if (!rows) return std::unexpected(std::move(rows.error()));
  Standing standing;
  std::vector<ScopeGrant> held;
  for (GrantRow& row : *rows) {
    if (row.ended_ms == 0) {
      held.push_back(std::move(row.grant));
    } else {
      standing.ended.push_back(std::move(row));
    }
  }
  standing.version = version_of(held);
  standing.held = ScopeSet(std::move(held));
  return standing;
}

// What was just written is not kept: the batch may still be undone.
Result<Standings::Found> Standings::of(Storage& storage, RecordId worker, std::int64_t now_ms) {
  auto record = storage.record({kinds::kWorker, worker});
  if (!record) return std::unexpected(std::move(record.error()));
  const Seq written = *record ? (*record)->state.last_seq : Seq();
  const auto known = known_.find(worker);
  if (known != known_.end() && known->second.written == written &&
      known->second.from_ms <= now_ms && now_ms < known->second.until_ms) {
    return Found{known->second.standing};
  }
  auto changed = refresh_grants(storage, worker, now_ms);
  if (!changed) return std::unexpected(std::move(changed.error()));
  auto standing = standing_of(storage, worker);
  if (!standing) return std::unexpected(std::move(standing.error()));
  if (known_.size() >= kStandingsKept) known_.clear();
  known_.erase(worker);
  if (!*changed) {
    const std::int64_t until_ms =
        *record ? next_change_ms((*record)->state.body, now_ms) : std::int64_t{0};
    known_.emplace(worker, Known{written, now_ms, until_ms, *standing});
  }
  return Found{std::move(*standing), *changed};
}

ScopeSet standing_at(const Standing& standing, std::int64_t effective_ms, std::int64_t now_ms) {
  std::vector<ScopeGrant> since_ended;
  for (const GrantRow& row : standing.ended) {
    if (effective_ms < row.ended_ms && now_ms - row.ended_ms <= kAuthorityLookBackMs) {
      since_ended.push_back(row.grant);
    }
  }
  return with(standing.held, std::move(since_ended));
}

ScopeSet ever_held(const Standing& standing) {
  std::vector<ScopeGrant> ended;
  for (const GrantRow& row : standing.ended) ended.push_back(row.grant);
  return with(standing.held, std::move(ended));
}

}  // namespace gridwhistle

#include "storage/scopes.h"

#include <algorithm>
#include <array>

#include "base/sha256.h"
#include "model/audience.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

constexpr std::string_view kWorkerPrefix = "worker:";

bool all_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_hex_id(std::string_view text) {
  return text.size() == 2 * RecordId::kSize && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// The digits that everything inside an area begins with.
std::string_view significant(std::string_view leaf) {
  const std::size_t colon = leaf.find(':');
  const std::string_view prefix = leaf.substr(0, colon);
  const std::string_view code = colon == leaf.npos ? leaf : leaf.substr(colon + 1);
  if (prefix == "town") return code.substr(0, 9);
  if (prefix == "grid" || prefix == "village" || prefix == "county") return code;
  return {};
}

// How many digits an area's scope may have: county, town, village, grid.
constexpr std::array<std::size_t, 4> kAreaDigits = {6, 9, 12, 15};

std::optional<std::string> area_scope(std::string_view county, std::string_view code) {
  if (!all_digits(code) || !code.starts_with(county)) return std::nullopt;
  if (code.size() == 15) return "grid:" + std::string(code);
  if (code.size() == 6) return "county:" + std::string(code);
  if (code.size() != 12) return std::nullopt;
  if (code.ends_with("000000")) return "county:" + std::string(code.substr(0, 6));
  if (code.ends_with("000")) return "town:" + std::string(code);
  return "village:" + std::string(code);
}

constexpr RoleSet kCentre = {Role::kVillageAcceptor, Role::kTownAcceptor, Role::kDispatcher,
                             Role::kSupervisor, Role::kOperator};
constexpr RoleSet kGridStaff = {Role::kGridWorker, Role::kCareWorker};

struct Right {
  KindId kind;
  RoleSet writers;
};

constexpr RoleSet operator|(RoleSet a, RoleSet b) { return RoleSet::of_bits(a.bits() | b.bits()); }

constexpr RoleSet kWalkers = kGridStaff | RoleSet{Role::kMicroContact};
constexpr RoleSet kReporters = kWalkers | kCaseStaff | RoleSet{Role::kVolunteer, Role::kMediator};

// Who writes what; kinds that are not listed are the server's.
constexpr std::array kRights = {
    Right{kinds::kVisit, kWalkers | RoleSet{Role::kMediator, Role::kReturnVisitor}},
    Right{kinds::kTrackBatch, kWalkers},
    Right{kinds::kWhistle, kReporters},
    Right{kinds::kWhistleAction, kReporters},
    Right{kinds::kWhistleContact, kReporters},
    Right{kinds::kHousehold, kGridStaff},
    Right{kinds::kResident, kGridStaff},
    Right{kinds::kResidentCare, RoleSet{Role::kCareWorker}},
    Right{kinds::kCarePlan, RoleSet{Role::kCareWorker}},
    Right{kinds::kDispute, kGridStaff | RoleSet{Role::kMediator}},
    Right{kinds::kPlace, kGridStaff},
    Right{kinds::kFacility, kGridStaff},
    Right{kinds::kAttendance, kWalkers},
    Right{kinds::kSignal, kWalkers},
    Right{kinds::kTask, kCentre},
    Right{kinds::kNotice, kCentre},
    Right{kinds::kNoticeReceipt, kReporters},
    Right{kinds::kFormDefinition, RoleSet{Role::kOperator, Role::kSupervisor}},
    Right{kinds::kFormAnswer, kWalkers},
    Right{kinds::kAttachment, kReporters},
};

}  // namespace

std::optional<std::string> leaf_scope(std::string_view county, std::string_view value) {
  for (const std::string_view all : {"county", "centre", "staff"}) {
    if (value == all) return std::string(all) + ":" + std::string(county);
  }
  const std::size_t colon = value.find(':');
  if (colon == value.npos) return area_scope(county, value);
  const std::string_view prefix = value.substr(0, colon);
  const std::string_view rest = value.substr(colon + 1);
  if (prefix == "org" || prefix == "worker") {
    return is_hex_id(rest) ? std::optional<std::string>(value) : std::nullopt;
  }
  std::optional<std::string> area = area_scope(county, rest);
  if (area && area->starts_with(prefix) && (*area)[prefix.size()] == ':') return area;
  return std::nullopt;
}

std::string org_scope(RecordId organisation) { return "org:" + to_hex(organisation.bytes()); }

std::string worker_scope(RecordId worker) {
  return std::string(kWorkerPrefix) + to_hex(worker.bytes());
}

bool is_worker_scope(std::string_view scope) { return scope.starts_with(kWorkerPrefix); }

std::vector<std::string> with_ancestors(std::string_view leaf) {
  std::vector<std::string> all = {std::string(leaf)};
  const std::string code(significant(leaf));
  if (code.size() > 12) all.push_back("village:" + code.substr(0, 12));
  if (code.size() > 9) all.push_back("town:" + code.substr(0, 9) + "000");
  if (code.size() > 6) all.push_back("county:" + code.substr(0, 6));
  return all;
}

bool reaches(const ScopeGrant& grant, std::string_view leaf) {
  if (grant.scope == leaf) return true;
  if (!grant.subtree) return false;
  const std::string_view area = significant(grant.scope);
  return !area.empty() && significant(leaf).starts_with(area);
}

RoleSet roles_at(const ScopeGrant& grant, std::string_view leaf) {
  return grant.scope == leaf ? grant.roles : grant.roles_inside;
}

bool shows(const ScopeGrant& grant, const KindSchema& kind, std::string_view leaf) {
  return is_shown(kind, grant.audiences, roles_at(grant, leaf));
}

bool may_write(RoleSet roles, const KindSchema& kind) {
  const auto right = std::ranges::find(kRights, kind.id, &Right::kind);
  return right != kRights.end() && roles.meets(right->writers);
}

ScopeSet::ScopeSet(std::vector<ScopeGrant> grants) {
  auto held = std::make_shared<Held>();
  held->grants = std::move(grants);
  for (std::size_t i = 0; i < held->grants.size(); ++i) {
    const ScopeGrant& grant = held->grants[i];
    held->by_name.emplace(grant.scope, i);
    const std::string_view area = significant(grant.scope);
    if (grant.subtree && !area.empty()) held->by_area.emplace(area, i);
  }
  held_ = std::move(held);
}

std::vector<std::size_t> ScopeSet::reaching(std::string_view leaf) const {
  std::vector<std::size_t> places;
  const auto add = [&](const auto& index, std::string_view key) {
    const auto [first, last] = index.equal_range(key);
    for (auto it = first; it != last; ++it) {
      if (std::ranges::find(places, it->second) == places.end()) places.push_back(it->second);
    }
  };
  add(held_->by_name, leaf);
  if (held_->by_area.empty()) return places;
  const std::string_view area = significant(leaf);
  for (const std::size_t length : kAreaDigits) {
    if (length <= area.size()) add(held_->by_area, area.substr(0, length));
  }
  std::ranges::sort(places);
  return places;
}

bool ScopeSet::sees(const KindSchema& kind, std::string_view leaf) const {
  return std::ranges::any_of(reaching(leaf),
                             [&](std::size_t place) { return shows(grants()[place], kind, leaf); });
}

RoleSet ScopeSet::roles_over(std::string_view leaf) const {
  RoleSet roles;
  for (const std::size_t place : reaching(leaf)) roles = roles | roles_at(grants()[place], leaf);
  return roles;
}

bool ScopeSet::writes(const KindSchema& kind, const std::vector<std::string>& leaves) const {
  if (leaves.empty()) {
    return std::ranges::any_of(grants(),
                               [&](const ScopeGrant& g) { return may_write(g.roles, kind); });
  }
  // What follows another record lies where that does, whoever adds to it.
  const bool for_readers = is_private(kind) && kind.scope_parent == 0;
  return std::ranges::any_of(leaves, [&](const std::string& leaf) {
    return may_write(roles_over(leaf), kind) && (!for_readers || sees(kind, leaf));
  });
}

bool ScopeSet::reaches_any(const std::vector<std::string>& leaves) const {
  return std::ranges::any_of(leaves,
                             [&](const std::string& leaf) { return !reaching(leaf).empty(); });
}

}  // namespace gridwhistle

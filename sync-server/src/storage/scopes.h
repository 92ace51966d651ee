#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gridwhistle/ids.h"
#include "model/schema.h"
#include "model/workflow_words.h"

// Who may see and write what. A record belongs to leaf scopes; a device holds grants; this filter,
// and no other, stands between the two.
namespace gridwhistle {

/// A leaf scope's number in one county's storage. 0 is none.
using ScopeNo = Strong<struct ScopeNoTag, std::uint32_t>;

/// The leaf scope that a value names, in its one canonical form: a code15 ("grid:440811001001001"),
/// a code12 ("village:…", "town:…"; a county's code becomes "county:440811"), the word "county"
/// (the county itself), or any of these with its prefix, "org:" and "worker:" with 32 digits of
/// hexadecimal; or where no place lies: "centre" (what the centres' staff need, wherever they work)
/// and "staff" (who works in the county). Nothing when it is none of them or outside the county.
std::optional<std::string> leaf_scope(std::string_view county, std::string_view value);

std::string org_scope(RecordId organisation);
std::string worker_scope(RecordId worker);
/// Whether a canonical scope is a worker's own.
bool is_worker_scope(std::string_view scope);

/// The scopes a grid, village or town lies in, itself first: grid, village, town, county.
std::vector<std::string> with_ancestors(std::string_view leaf);

/// One scope that a worker holds.
struct ScopeGrant {
  std::string scope;            ///< canonical
  bool subtree = false;         ///< and the scopes inside it
  std::uint32_t audiences = 0;  ///< 1 << Audience
  RoleSet roles;                ///< held at `scope` itself
  RoleSet roles_inside;         ///< of these, those held over the scopes inside it as well
  Seq granted;                  ///< what changed later than this, its holder has a chance to know

  bool operator==(const ScopeGrant&) const = default;
};

/// Whether a grant reaches a leaf scope.
bool reaches(const ScopeGrant& grant, std::string_view leaf);

/// The roles held over a leaf scope that a grant reaches.
RoleSet roles_at(const ScopeGrant& grant, std::string_view leaf);

/// Whether a grant shows rows of a kind with a leaf scope that it reaches; see `is_shown`.
bool shows(const ScopeGrant& grant, const KindSchema& kind, std::string_view leaf);

/// Whether these roles write records of a kind.
bool may_write(RoleSet roles, const KindSchema& kind);

/// Everything a device may see and write. Copies share the list.
class ScopeSet {
 public:
  ScopeSet() : ScopeSet(std::vector<ScopeGrant>()) {}
  explicit ScopeSet(std::vector<ScopeGrant> grants);

  const std::vector<ScopeGrant>& grants() const { return held_->grants; }

  /// The places in `grants` of those that reach a leaf scope, without asking all the others.
  std::vector<std::size_t> reaching(std::string_view leaf) const;

  bool sees(const KindSchema& kind, std::string_view leaf) const;
  /// All roles held over a leaf scope.
  RoleSet roles_over(std::string_view leaf) const;
  /// Whether the device may write a record of that kind with these leaf scopes: by its roles there,
  /// and what is private only where it may read it. Without scopes (its parent has not arrived
  /// yet): whether it may anywhere.
  bool writes(const KindSchema& kind, const std::vector<std::string>& leaves) const;
  /// Whether any of the scopes is reached at all.
  bool reaches_any(const std::vector<std::string>& leaves) const;

 private:
  struct Held {
    std::vector<ScopeGrant> grants;
    std::unordered_multimap<std::string_view, std::size_t> by_name;
    std::unordered_multimap<std::string_view, std::size_t> by_area;  ///< those with their subtree
  };

  std::shared_ptr<const Held> held_;
};

}  // namespace gridwhistle

#include <algorithm>

#include "model/audience.h"
#include "model/record.h"
#include "store/state.h"

namespace gridwhistle::store {

namespace {

constexpr std::size_t kGridDigits = 15;
constexpr std::size_t kAreaDigits = 12;

bool all_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// An area's code without the zeros that fill it up: what all codes inside it begin with.
std::string_view stem_of(std::string_view code) {
  if (code.size() != kAreaDigits) return code;
  if (code.ends_with("000000")) return code.substr(0, 6);
  if (code.ends_with("000")) return code.substr(0, 9);
  return code;
}

struct Named {
  std::string_view prefix;
  std::string_view code;
};

Named split(std::string_view scope) {
  const std::size_t colon = scope.find(':');
  if (colon == std::string_view::npos) return {{}, scope};
  return {scope.substr(0, colon), scope.substr(colon + 1)};
}

bool is_area(std::string_view prefix) {
  return prefix == "grid" || prefix == "village" || prefix == "town" || prefix == "county";
}

// A county's scope may go by its six digits.
bool inside(std::string_view scope, std::string_view area) {
  const Named inner = split(scope);
  const Named outer = split(area);
  if (!is_area(inner.prefix) || !is_area(outer.prefix)) return false;
  return inner.code.starts_with(stem_of(outer.code));
}

std::vector<std::string_view> lines(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string_view scopes_text(const StoreState& state, std::int64_t number) {
  for (const auto& [text, known] : state.scope_sets) {
    if (known == number) return text;
  }
  return {};
}

// Decides which rows stay when grants change. A row without scopes of its own follows its parent.
class Sweep {
 public:
  Sweep(StoreState& state, const std::vector<GrantHeld>& grants) : state_(state), grants_(grants) {}

  Result<Uncovered> run() {
    // Judged before anything goes, because a child is judged by its parent.
    std::vector<std::pair<KindId, std::vector<RecordId>>> lost;
    for (const auto& [id, table] : state_.kinds) {
      GW_TRY_LET(records, uncovered(table));
      if (!records.empty()) lost.emplace_back(id, std::move(records));
    }
    for (const auto& [id, records] : lost) {
      for (const RecordId& record : records)
        GW_TRY(remove_row(state_, *table_of(state_, id), record));
      gone_.kinds.push_back(id);
    }
    return gone_;
  }

 private:
  Result<std::vector<RecordId>> uncovered(const KindTable& table) {
    GW_TRY_LET(rows, state_.connection.prepare(
                         "SELECT id, scopes, ifnull(body, base), pending FROM " + table.name));
    std::vector<RecordId> lost;
    for (;;) {
      GW_TRY_LET(found, rows.step());
      if (!found) return lost;
      RecordRow row;
      row.scopes = rows.integer(1);
      if (!rows.is_null(2)) row.body = rows.blob(2);
      row.pending = rows.blob(3);
      GW_TRY_LET(kept, stays(table, table.rules(), row, 0));
      if (!kept) lost.push_back(rows.record_id(0));
    }
  }

  // Whether a row of the kind `shown` stays that lies where this record does.
  Result<bool> stays(const KindTable& table, const KindSchema& shown, const RecordRow& row,
                     int depth) {
    const KindSchema& kind = table.rules();
    if (row.scopes != 0) return any_covered(scopes_text(state_, row.scopes), shown, depth > 0);
    if (!kind.fixed_scope.empty()) return true;
    GW_TRY_LET(content, content_of(state_, table, row));
    if (kind.scope_parent == 0) {
      const auto scope = scope_of(state_, kind, content);
      // Pending edits of a record whose base has left name no place: there is nothing to show.
      return scope && covers(grants_, *scope, shown);
    }
    return parent_stays(kind, shown, row, content, depth);
  }

  // A parent that is not here may still arrive, or have left before. Unsent work stays in sight;
  // what the server has it can bring again.
  Result<bool> parent_stays(const KindSchema& kind, const KindSchema& shown, const RecordRow& child,
                            std::string_view content, int depth) {
    constexpr int kDepthMax = 4;
    const auto named = parent_of(kind, content);
    const KindTable* parent = named ? table_of(state_, named->kind) : nullptr;
    if (parent == nullptr || depth == kDepthMax) return true;
    GW_TRY_LET(row, load_row(state_, *parent, named->id));
    if (row) return stays(*parent, shown, *row, depth + 1);
    if (!child.pending.empty()) return true;
    gone_.in_doubt = true;
    return false;
  }

  // Who reported something keeps it in sight, and nothing of it that is private.
  bool any_covered(std::string_view scopes, const KindSchema& shown, bool is_of_whole) const {
    return std::ranges::any_of(lines(scopes), [&](std::string_view scope) {
      const bool is_reporters = is_of_whole && split(scope).prefix == "worker";
      return !(is_reporters && is_private(shown)) && covers(grants_, scope, shown);
    });
  }

  StoreState& state_;
  const std::vector<GrantHeld>& grants_;
  Uncovered gone_;
};

}  // namespace

Result<std::string> scope_of(const StoreState& state, const KindSchema& kind,
                             std::string_view body) {
  if (!kind.fixed_scope.empty()) {
    std::string scope(kind.fixed_scope);
    if (scope.find(':') == std::string::npos && state.position.enrolment) {
      scope += ":" + state.position.enrolment->county;
    }
    return scope;
  }
  if (kind.scope_field == 0) return std::string();
  const std::string_view code = text_of(body, kind.scope_field).value_or("");
  if (code.find(':') != std::string_view::npos) return std::string(code);
  if (all_digits(code) && code.size() == kGridDigits) return "grid:" + std::string(code);
  if (all_digits(code) && code.size() == kAreaDigits) {
    const std::string_view stem = stem_of(code);
    // As the server names it, so that a grant of the county alone holds it.
    if (stem.size() == 6) return "county:" + std::string(stem);
    return (stem.size() == 9 ? "town:" : "village:") + std::string(code);
  }
  return fail(ErrorCode::kInvalid, "the grid or area of a record is not a code",
              "kind " + std::string(kind.name) + ", scope");
}

std::optional<Parent> parent_of(const KindSchema& kind, std::string_view body) {
  if (kind.scope_parent == 0) return std::nullopt;
  KindId parent = kind.scope_parent_kind;
  if (kind.scope_parent_kind_field != 0) {
    parent =
        KindId(static_cast<std::uint32_t>(int_of(body, kind.scope_parent_kind_field).value_or(0)));
  }
  const auto id = RecordId::from_bytes(text_of(body, kind.scope_parent).value_or(""));
  return id ? std::optional(Parent{parent, *id}) : std::nullopt;
}

GrantHeld held(const v1::Grant& grant) {
  return {.scope = grant.scope(),
          .subtree = grant.subtree(),
          .audiences = grant.audiences(),
          .roles = grant.roles(),
          .roles_inside = grant.roles_inside()};
}

bool holds(const std::vector<GrantHeld>& grants, std::string_view scope) {
  return std::ranges::any_of(grants, [&](const GrantHeld& grant) {
    return grant.scope == scope || (grant.subtree && inside(scope, grant.scope));
  });
}

bool covers(const std::vector<GrantHeld>& grants, std::string_view scope, const KindSchema& kind) {
  return std::ranges::any_of(grants, [&](const GrantHeld& grant) {
    const bool itself = grant.scope == scope;
    if (!itself && !(grant.subtree && inside(scope, grant.scope))) return false;
    const std::uint32_t roles = itself ? grant.roles : grant.roles_inside;
    return is_shown(kind, grant.audiences, RoleSet::of_bits(roles));
  });
}

Result<std::int64_t> intern_scopes(StoreState& state, const std::vector<std::string>& scopes) {
  std::string text;
  for (const std::string& scope : scopes) text += scope + '\n';
  if (text.empty()) return 0;
  const auto known = state.scope_sets.find(text);
  if (known != state.scope_sets.end()) return known->second;
  GW_TRY(state.connection.run("INSERT OR IGNORE INTO scope_sets(scopes) VALUES(?)", text));
  GW_TRY_LET(number,
             state.connection.number("SELECT number FROM scope_sets WHERE scopes=?", 0, text));
  state.scope_sets.emplace(std::move(text), number);
  state.newest_scope_set = std::max(state.newest_scope_set, number);
  return number;
}

void drop_scope_sets_after(StoreState& state, std::int64_t number) {
  std::erase_if(state.scope_sets, [&](const auto& set) { return set.second > number; });
  state.newest_scope_set = number;
  state.newest.clear();
}

Result<void> load_scope_sets(StoreState& state) {
  GW_TRY_LET(sets, state.connection.prepare("SELECT number, scopes FROM scope_sets"));
  for (;;) {
    GW_TRY_LET(row, sets.step());
    if (!row) return {};
    state.scope_sets.emplace(sets.text(1), sets.integer(0));
    state.newest_scope_set = std::max(state.newest_scope_set, sets.integer(0));
  }
}

Result<Uncovered> drop_uncovered(StoreState& state, const std::vector<GrantHeld>& grants) {
  return Sweep(state, grants).run();
}

}  // namespace gridwhistle::store

#include "base/sha256.h"
#include "import/readers.h"
#include "import/scope_text.h"
#include "import/table.h"
#include "import/text.h"
#include "schema/kinds.h"

namespace gridwhistle::import {
namespace {

/// Whether a role may be held there. What concerns households belongs to one grid, so that nobody
/// is given a whole town's by a slip of the pen.
bool fits(v1::Role role, Link::To to) {
  switch (role) {
    case v1::ROLE_GRID_WORKER:
    case v1::ROLE_CARE_WORKER:
      return to == Link::To::kGrid;
    case v1::ROLE_DEPARTMENT:
      return to == Link::To::kOrganisation;
    default:
      return to != Link::To::kOrganisation;
  }
}

/// Records name an organisation by its id, so that its scope outlives a change of its code.
std::string stored_scope(const ReadScope& scope, const Reference& reference) {
  if (scope.to != Link::To::kOrganisation) return scope.scope;
  return "org:" + to_hex(reference.id_of(kinds::kOrgUnit, scope.name).bytes());
}

/// "GRID_WORKER@grid:440811001001001", several with semicolons between them.
void read_roles(const Cell& cell, v1::Worker& worker, Reference& into) {
  for (const std::string& text : list_of(cell.value)) {
    const std::size_t at = text.find('@');
    v1::Role role = v1::ROLE_UNSPECIFIED;
    const std::string word = "ROLE_" + text.substr(0, at);
    if (at == std::string::npos || !v1::Role_Parse(word, &role) || role == v1::ROLE_UNSPECIFIED) {
      cell.complain({"\"" + text + "\" 不是“岗位@范围”，如 GRID_WORKER@grid:…",
                     "\"" + text + "\" is not a role at a scope, like GRID_WORKER@grid:…"});
      continue;
    }
    const auto scope = read_scope(std::string_view(text).substr(at + 1));
    if (!scope) {
      cell.complain(
          {"\"" + text + "\" 的范围须为 grid:…、village:…、town:…、county:… 或 org:…",
           "\"" + text + "\" has no scope like grid:…, village:…, town:…, county:…, org:…"});
    } else if (!fits(role, scope->to)) {
      cell.complain({"\"" + text + "\"：该岗位不能设在那里",
                     "\"" + text + "\": this role is not held there"});
    } else {
      v1::WorkerRole& held = *worker.add_roles();
      held.set_role(role);
      held.set_scope(stored_scope(*scope, into));
      into.links.push_back({scope->to, scope->name, cell.file, cell.line});
    }
  }
}

}  // namespace

void read_workers(const std::string& file, std::string_view bytes, Reference& into,
                  Problems& problems) {
  const Table table(
      file, bytes,
      {{"code", true}, {"name", true}, {"organisation", true}, {"duty_phone"}, {"roles"}, {"left"}},
      problems);
  for (const Table::Row& row : table.rows()) {
    const auto code = row["code"].code();
    const auto organisation = row["organisation"].code();
    if (!code || !organisation) continue;
    Entry<v1::Worker> entry{{}, file, row.line(), 0, table.left_out()};
    v1::Worker& worker = entry.value;
    worker.set_code(*code);
    worker.set_name(row["name"].name());
    worker.set_organisation(std::string(into.id_of(kinds::kOrgUnit, *organisation).bytes()));
    into.links.push_back({Link::To::kOrganisation, *organisation, file, row.line()});
    if (const auto v = row["duty_phone"].text()) worker.set_duty_phone(*v);
    read_roles(row["roles"], worker, into);
    if (const auto v = row["left"].date_ms()) worker.set_left_ms(*v);
    into.add(into.workers, *code, std::move(entry), problems);
  }
}

}  // namespace gridwhistle::import

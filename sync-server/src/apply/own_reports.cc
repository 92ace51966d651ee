#include "apply/own_reports.h"

#include <algorithm>

#include "model/audience.h"
#include "schema/kinds.h"

namespace gridwhistle {

Result<bool> is_said_of_own_report(Workspace& workspace, const Operation& operation,
                                   RecordId author) {
  const KindSchema& kind = *workspace.schema().kind(operation.kind);
  if (!is_of_whistle(kind, operation.set) || is_private(kind)) return false;
  const RecordKey whole = workspace.parent_of(kind, operation.set);
  if (!whole.kind) return false;
  auto leaves = workspace.leaves_of(whole);
  if (!leaves) return std::unexpected(std::move(leaves.error()));
  return std::ranges::find(*leaves, worker_scope(author)) != leaves->end();
}

Result<void> keep_in_sight(Workspace& workspace, const Operation& operation, RecordId author,
                           const ScopeSet& standing, Seq seq) {
  const RecordKey key{operation.kind, operation.id};
  auto own = is_said_of_own_report(workspace, operation, author);
  if (!own) return std::unexpected(std::move(own.error()));
  if (!*own && operation.kind != kinds::kWhistle) return {};
  auto leaves = workspace.leaves_of(key);
  if (!leaves) return std::unexpected(std::move(leaves.error()));
  const KindSchema& kind = *workspace.schema().kind(operation.kind);
  const auto sees = [&](const std::string& leaf) { return standing.sees(kind, leaf); };
  if (!*own && std::ranges::any_of(*leaves, sees)) return {};
  leaves->push_back(worker_scope(author));
  return workspace.place(key, *leaves, seq);
}

}  // namespace gridwhistle

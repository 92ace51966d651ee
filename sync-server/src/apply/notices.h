#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "apply/author.h"
#include "apply/workspace.h"
#include "model/merge.h"
#include "model/operation.h"

// Receipts and notices: rows of the kind Outcome in their author's own scope, and the audit of what
// lost.
namespace gridwhistle {

/// What became of one operation.
struct Receipt {
  Seq seq;
  OutcomeStatus status = OutcomeStatus::kAccepted;
  std::uint32_t code = 0;  ///< an ErrorCode or a WorkflowCode
  std::string message;     ///< for the author
};

/// Tells an operation's author what became of it, when it was not simply accepted. `lost` is what
/// did not enter the record.
Result<void> tell_author(Workspace& workspace, const MintId& mint, const Author& author,
                         const Operation& operation, const Receipt& receipt, const Loser& lost,
                         RecordId winner);

/// Keeps the losers of a merge in the audit, and tells the authors of those that were applied
/// before and are beaten now.
Result<void> keep_losers(Workspace& workspace, const MintId& mint, const Author& author,
                         const Operation& operation, const Receipt& receipt,
                         const std::vector<Loser>& losers);

/// Has a device's file forget a record that it wrote, wherever the record lies by now.
Result<void> tell_forgotten(Workspace& workspace, const MintId& mint, const RecordKey& key,
                            DeviceId writer);

/// Tells whoever wrote a record last that it was erased with what it belongs to, by somebody who
/// had not seen that write; what it held is kept.
Result<void> tell_taken_along(Workspace& workspace, const MintId& mint, const RecordKey& key,
                              const Loser& lost, RecordId eraser);

}  // namespace gridwhistle

#pragma once

#include <optional>

#include "apply/author.h"
#include "apply/notices.h"
#include "apply/workspace.h"
#include "model/merge.h"
#include "model/operation.h"

// A record's parts are erased with it and stand again with it (docs/merge-laws.md).
namespace gridwhistle {

/// One write of a device, from before its merge until after it.
///
/// What went along with its whole is merged as if it were there, so that its values do not depend
/// on which came first; then it goes along again, or stays where the write has moved it to.
class WriteToPart {
 public:
  /// `page` is the record's; all outlive it.
  WriteToPart(Workspace& workspace, Workspace::Page& page, const MintId& mint, const Author& author,
              const Operation& operation)
      : workspace_(workspace),
        page_(page),
        mint_(mint),
        author_(author),
        operation_(operation),
        key_{operation.kind, operation.id} {}

  /// Before the merge.
  Result<void> begin();

  /// After it: brings record and parts in line with their wholes. Where the write was to a part of
  /// what somebody else had erased, the receipt becomes GONE and what it wrote is a loser.
  Result<void> end(Merged& merged, Receipt& receipt);

 private:
  Result<Workspace::Page*> whole_of(const Workspace::Page& page);
  bool precedes(const Stamp& erasure) const;
  void tell_gone(Merged& merged, Receipt& receipt) const;
  Result<void> go_along(const RecordKey& key, Workspace::Page& page, const Stamp& erasure, Seq seq);
  Result<void> come_back(const RecordKey& key, Workspace::Page& page, Seq seq);
  Result<void> take_parts(const RecordKey& whole, const Stamp& erasure);
  Result<void> bring_parts(const RecordKey& whole, const Stamp& erasure);
  Result<std::vector<RecordKey>> parts_of(const RecordKey& whole);
  template <typename Visit>
  Result<void> below(const RecordKey& whole, Visit visit);
  Result<void> tell_unseen(const RecordKey& key, const Workspace::Page& page);
  Result<void> show(const RecordKey& key, Seq seq);

  Workspace& workspace_;
  Workspace::Page& page_;
  const MintId& mint_;
  const Author& author_;
  const Operation& operation_;
  const RecordKey key_;
  std::optional<Stamp> before_;  ///< the record's erasure before the write
  bool along_ = false;           ///< that was its whole's
};

}  // namespace gridwhistle

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "apply/author.h"
#include "apply/forgetting.h"
#include "apply/lanes.h"
#include "apply/notices.h"
#include "apply/redraw.h"
#include "apply/reference.h"
#include "apply/road.h"
#include "apply/waiting_list.h"
#include "apply/workspace.h"

namespace gridwhistle {

/// Applies operations to a county's records: authority, merge, workflow, receipts. The one writer;
/// everything inside the storage's open batch.
class Applier {
 public:
  /// All outlive it.
  Applier(Storage& storage, const Schema& schema, MintId mint)
      : storage_(storage), schema_(schema), mint_(std::move(mint)) {}

  /// What a frame's operations came to.
  struct Applied {
    std::vector<AckedRun> runs;  ///< of all of them, those applied before included
    std::optional<Fork> fork;    ///< nothing was applied
  };

  /// Applies the operations of one frame, contiguous in one lane, whole transactions.
  ///
  /// Errors: kProtocol (a gap, a transaction that does not end), and those of storage.
  Result<Applied> apply(const Author& author, std::span<const Operation> operations,
                        std::int64_t now_ms);

  /// Applies a sealed or parked transaction in its author's name, whoever holds what by now, and
  /// then what follows the records that it made; their author is told of each.
  Result<std::vector<Receipt>> apply_kept(const KeptOperation& kept, std::int64_t now_ms);

  /// Tells its author that a kept transaction is not taken, and why; it gets its values back. So it
  /// goes with what follows the records that it would have made.
  Result<void> return_kept(const KeptOperation& kept, std::string_view reason, std::int64_t now_ms);

  /// Applies parked transactions that wait for nothing any more: this build knows their kinds.
  Result<void> replay_parked(std::int64_t now_ms);

  /// Takes records and all that belongs to them, and whatever quotes them: receipts, values that
  /// lost, kept transactions. What is forgotten already is passed over; what was never heard of is
  /// forgotten too, so that no phone can bring it.
  Result<Forgotten> forget_records(const std::vector<RecordKey>& keys, std::int64_t now_ms);

  /// The kept transactions that wait for a record.
  Result<const WaitingList*> waiting();

  /// Hands a workspace to storage; what it touched of the reference takes effect.
  Result<void> finish(Workspace& workspace);

  /// The reference records as they are in the open batch.
  Result<const Reference*> reference();
  /// The grids that were redrawn, as they are in the open batch.
  Result<const Redraws*> redraws();
  /// Notes one more; what comes from now on finds its way by it.
  Result<void> redraw(Redraw redraw);
  /// Moves some of what lies in one grid to where a redrawing puts it, with what follows it;
  /// `after` is how far its feed was looked through. What is erased goes along, because it may
  /// stand again.
  struct MovedSome {
    Seq upto;
    bool all = false;  ///< nothing is left behind `upto`
  };
  Result<MovedSome> move_redrawn(const Redraw& redraw, std::string_view grid, Seq after,
                                 std::int64_t now_ms);
  /// Drops what was read from a batch that is undone.
  void rolled_back() {
    reference_.reset();
    redraws_.reset();
    waiting_.reset();
  }

  const MintId& mint() const { return mint_; }

  /// Whether the worker's authority is asked for.
  enum class Authority : std::uint8_t { kChecked, kGivenByReviewer };

 private:
  Result<std::vector<Receipt>> apply_transaction(const Author& author,
                                                 std::span<const Operation> operations,
                                                 std::int64_t now_ms, Authority authority);
  /// What a redrawing of grids has to do with an operation whose author could not know of it.
  struct Redrawn {
    std::optional<Operation> operation;  ///< with the grid of today, where it names one of old
    std::string named;                   ///< the leaf scope that it names then; else empty
    /// Where it would lie, or lay, had nothing been redrawn: authority there counts, too.
    std::vector<std::string> before;
  };
  Result<Redrawn> redrawn(Workspace& workspace, const Author& author, const Operation& operation);
  Result<void> tell_redrawn(Workspace& workspace, const Author& author, const Operation& operation,
                            const Receipt& receipt);
  Result<Receipt> apply_one(Workspace& workspace, const Author& author, const Operation& operation,
                            Authority authority);
  Result<bool> is_made_by(const DeviceRow& device, DeviceId maker);
  Result<Receipt> apply_as_drawn(Workspace& workspace, const Author& author,
                                 const Operation& operation, Authority authority,
                                 const Redrawn& redrawn, Seq seq);
  Result<bool> is_forgotten(const RecordKey& key);
  Result<std::optional<std::vector<Operation>>> without_forgotten(
      std::span<const Operation> operations, std::int64_t now_ms);
  Result<std::optional<Receipt>> refusal(Workspace& workspace, const Author& author,
                                         const Operation& operation, const Redrawn& redrawn,
                                         Seq seq);
  Result<std::optional<Receipt>> gone(Workspace& workspace, const Author& author,
                                      const Operation& operation, Seq seq);
  Result<std::optional<Receipt>> track_refusal(Workspace& workspace, const Author& author,
                                               const Operation& operation, Seq seq);
  Result<std::optional<Receipt>> whistle_over(Workspace& workspace, const Operation& operation,
                                              Seq seq);
  Result<Receipt> walk_road(Workspace& workspace, const Author& author, const Operation& operation,
                            const ScopeSet& standing, Authority authority, const Redrawn& redrawn,
                            Receipt receipt);
  Result<std::optional<Receipt>> follows_kept(Workspace& workspace, const Author& author,
                                              const Operation& operation, Seq seq);
  Result<std::optional<Receipt>> before_whole(Workspace& workspace, const Author& author,
                                              const Operation& operation, Seq seq);
  Receipt kept_or_not(Receipt cause, std::span<const Operation> operations);
  Result<void> take_up_waiting(std::span<const Operation> operations, std::int64_t now_ms);
  Result<void> deal_with_followers(RecordId record, const Receipt& receipt, std::int64_t now_ms);
  struct TakenOff {
    Author author;
    std::vector<Operation> operations;
    std::vector<RecordId> made;  ///< records that it makes
  };
  Result<TakenOff> take_off(const KeptOperation& kept);
  Result<bool> waits_still(const KeptOperation& kept);
  Result<bool> exists(const RecordKey& key);
  Result<void> tell_applied(const Author& author, std::span<const Operation> operations,
                            const std::vector<Receipt>& receipts, std::int64_t now_ms);
  Result<void> refuse(const Author& author, std::span<const Operation> operations,
                      std::vector<Receipt>& receipts, std::int64_t now_ms);
  Result<void> keep(const Author& author, std::span<const Operation> operations,
                    const std::vector<Receipt>& receipts, std::int64_t now_ms);

  Storage& storage_;
  const Schema& schema_;
  const MintId mint_;
  std::optional<Reference> reference_;
  std::optional<Redraws> redraws_;
  std::optional<WaitingList> waiting_;
};

}  // namespace gridwhistle

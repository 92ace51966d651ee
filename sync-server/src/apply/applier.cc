#include "apply/applier.h"

#include <algorithm>
#include <array>

#include "apply/claims.h"
#include "apply/limits.h"
#include "apply/own_reports.h"
#include "apply/parts.h"
#include "apply/succession.h"
#include "apply/tasks.h"
#include "gridwhistle/v1/reference.pb.h"
#include "model/audience.h"
#include "model/parts.h"
#include "model/patrol.h"
#include "model/record.h"
#include "schema/fields.h"
#include "schema/kinds.h"
#include "wire/frames.h"

namespace gridwhistle {

namespace {

// What a file that was copied recorded before has arrived under the number of whichever copy called
// first; each of them may go on from it as from its own.
Result<void> take_own(Storage& storage, const DeviceRow& device, RecordState& state) {
  for (const DeviceId writer : writers_of(state)) {
    if (writer == device.device) continue;
    auto upto = shared_history(storage, device, writer);
    if (!upto) return std::unexpected(std::move(upto.error()));
    if (*upto) take_over(state, writer, *upto, device.device);
  }
  return {};
}

bool is_refusal(OutcomeStatus status) {
  return status == OutcomeStatus::kRejected || status == OutcomeStatus::kSealed ||
         status == OutcomeStatus::kParked;
}

Receipt rejected(Seq seq, ErrorCode code, std::string message) {
  return {seq, OutcomeStatus::kRejected, static_cast<std::uint32_t>(code), std::move(message)};
}

Receipt forgotten_receipt(Seq seq, OutcomeStatus status) {
  return {seq, status, static_cast<std::uint32_t>(ErrorCode::kForgotten),
          "记录已按规定彻底删除，填写的内容不再保留 / the record was deleted for good; nothing of "
          "what was written is kept"};
}

Receipt gone_receipt(Seq seq) {
  return {
      seq, OutcomeStatus::kGone, static_cast<std::uint32_t>(ErrorCode::kGone),
      "记录早已删除，填写的内容已保留 / the record was erased long ago; what was written is kept"};
}

// Errors of what an operation says. They concern it alone; any other one stops the batch.
bool is_of_content(ErrorCode code) {
  return code == ErrorCode::kInvalid || code == ErrorCode::kForbidden ||
         code == ErrorCode::kTooLarge || code == ErrorCode::kTooMany;
}

// Whether a child would show its parent's existence, and what it says of it, to more people than
// may see the parent. Only kinds that follow parents of many kinds can.
bool exposes_its_parent(const Workspace& workspace, const KindSchema& kind, std::string_view set) {
  if (kind.scope_parent_kind_field == 0) return false;
  const RecordKey parent = workspace.parent_of(kind, set);
  return parent.kind && workspace.schema().kind(parent.kind)->audience > kind.audience;
}

// What the rules read of the reference; a change of anything else needs no new reading.
bool is_reference(KindId kind) {
  constexpr std::array kKinds = {
      kinds::kAdminArea, kinds::kCategory,           kinds::kGrid,
      kinds::kOrgUnit,   kinds::kResponsibilityItem, kinds::kRoutingRule};
  return std::ranges::find(kKinds, kind) != kKinds.end();
}

Result<RecordId> organisation_of(Workspace& workspace, RecordId worker) {
  auto page = workspace.open({kinds::kWorker, worker});
  if (!page) return std::unexpected(std::move(page.error()));
  const auto bytes =
      text_of((*page)->record.state.body, fields::worker::kOrganisation).value_or("");
  return RecordId::from_bytes(bytes).value_or(RecordId{});
}

// What is done about a whistle and what proves it: its road says what becomes of what comes late.
bool is_work_on_whistle(const Workspace& workspace, const Operation& operation) {
  if (operation.kind == kinds::kWhistleAction) return true;
  return operation.kind == kinds::kAttachment &&
         workspace.parent_of(*workspace.schema().kind(kinds::kAttachment), operation.set).kind ==
             kinds::kWhistle;
}

Receipt sealed(Seq seq, std::string message) {
  return {seq, OutcomeStatus::kSealed, static_cast<std::uint32_t>(ErrorCode::kOutOfScope),
          std::move(message)};
}

constexpr std::string_view kAuthorityEnded =
    "权限已失效，待复核 / your authority ended; a reviewer has it";
constexpr std::string_view kHasLeft =
    "已移出您的范围，待复核 / it has left your areas since; a reviewer has it";

RoleSet roles_over(const ScopeSet& standing, const std::vector<std::string>& leaves) {
  std::uint64_t bits = 0;
  for (const std::string& leaf : leaves) {
    const RoleSet roles = standing.roles_over(leaf);
    // Over an own report that lies elsewhere its author is who reported it, and no more.
    const bool reported = is_worker_scope(leaf) && !roles.empty();
    bits |= reported ? RoleSet{Role::kVolunteer}.bits() : roles.bits();
  }
  // Bit 0 is the server's own and never from outside.
  return RoleSet::of_bits(bits & ~std::uint64_t{1});
}

// Nobody changes, or adds to, what they may not see; what has no place yet asks for nothing. What
// is private may be made by who will not see it, a caller's name by a volunteer, and the device
// that made it may say more.
bool sees_any(const ScopeSet& held, const KindSchema& kind, const std::vector<std::string>& leaves,
              bool own) {
  return leaves.empty() || (own && is_private(kind)) ||
         std::ranges::any_of(leaves, [&](const auto& leaf) { return held.sees(kind, leaf); });
}

// Whether an operation says anew where a record lies.
bool names_place(const KindSchema& kind, std::string_view before, const Operation& operation) {
  return std::ranges::any_of(
      std::array{kind.scope_field, kind.scope_parent, kind.scope_parent_kind_field},
      [&](std::uint32_t number) {
        if (number == 0) return false;
        const std::string_view named = field_of(operation.set, number).entries;
        return !named.empty() && named != field_of(before, number).entries;
      });
}

}  // namespace

Result<const Reference*> Applier::reference() {
  if (!reference_) {
    auto read = read_reference(storage_);
    if (!read) return std::unexpected(std::move(read.error()));
    reference_ = std::move(*read);
  }
  return &*reference_;
}

Result<const Redraws*> Applier::redraws() {
  if (!redraws_) {
    auto read = Redraws::read(storage_);
    if (!read) return std::unexpected(std::move(read.error()));
    redraws_ = std::move(*read);
  }
  return &*redraws_;
}

Result<void> Applier::redraw(Redraw redraw) {
  if (auto known = redraws(); !known) return std::unexpected(std::move(known.error()));
  return redraws_->add(storage_, std::move(redraw));
}

Result<Applier::MovedSome> Applier::move_redrawn(const Redraw& redraw, std::string_view grid,
                                                 Seq after, std::int64_t now_ms) {
  Workspace workspace(storage_, schema_, now_ms);
  auto known = redraws();
  if (!known) return std::unexpected(std::move(known.error()));
  auto reference = this->reference();
  if (!reference) return std::unexpected(std::move(reference.error()));
  Placing placing(workspace, **known);
  Road road(workspace, **reference, mint_);
  auto lines = lines_of_grid(storage_, grid, after, limits::kRedrawnAtOnce);
  if (!lines) return std::unexpected(std::move(lines.error()));
  for (const FeedEntry& line : *lines) {
    auto there = placing.moves_to(redraw, grid, line);
    if (!there) return std::unexpected(std::move(there.error()));
    if (there->empty()) continue;
    auto page = workspace.open(line.key);
    if (!page) return std::unexpected(std::move(page.error()));
    std::string set;
    append_text(set, (*page)->kind->scope_field, *there);
    RecordState& state = (*page)->record.state;
    const std::string before = state.body;
    const Seq seq = workspace.next_seq();
    if (state.erased) {
      state.body = replace_fields(before, set, {});
      auto placed = workspace.place(line.key, {*leaf_scope(storage_.county(), *there)}, seq);
      if (!placed) return std::unexpected(placed.error());
      continue;
    }
    if (auto written = workspace.write(line.key, set, {}, seq); !written) {
      return std::unexpected(written.error());
    }
    if (line.key.kind != kinds::kWhistle) continue;
    if (auto followed = road.edited(line.key.id, before, seq); !followed) {
      return std::unexpected(followed.error());
    }
  }
  const MovedSome moved{.upto = lines->empty() ? after : lines->back().seq,
                        .all = lines->size() < limits::kRedrawnAtOnce};
  if (auto done = finish(workspace); !done) return std::unexpected(done.error());
  return moved;
}

Result<void> Applier::finish(Workspace& workspace) {
  std::vector<RecordId> workers;
  for (const RecordKey& key : workspace.touched()) {
    if (is_reference(key.kind)) reference_.reset();
    if (key.kind == kinds::kWorker) workers.push_back(key.id);
  }
  if (auto flushed = workspace.flush(); !flushed) return flushed;
  for (const RecordId worker : workers) {
    if (auto fresh = refresh_grants(storage_, worker, workspace.now_ms()); !fresh) {
      return std::unexpected(fresh.error());
    }
  }
  return {};
}

Result<Applier::Applied> Applier::apply(const Author& author, std::span<const Operation> operations,
                                        std::int64_t now_ms) {
  Applied applied;
  if (operations.empty()) return applied;
  if (operations.back().more) {
    return fail(ErrorCode::kProtocol, "a transaction does not end in its frame");
  }
  auto screened = screen(storage_, author.device.device, operations);
  if (!screened) return std::unexpected(std::move(screened.error()));
  if (screened->fork) {
    applied.fork = screened->fork;
    return applied;
  }
  applied.runs = std::move(screened->kept);
  operations = operations.subspan(screened->known);
  std::vector<AckedRun> fresh;
  for (std::size_t first = 0; first < operations.size();) {
    std::size_t last = first;
    while (operations[last].more) ++last;
    const auto transaction = operations.subspan(first, last - first + 1);
    auto receipts = apply_transaction(author, transaction, now_ms, Authority::kChecked);
    if (!receipts) return std::unexpected(std::move(receipts.error()));
    for (std::size_t i = 0; i < receipts->size(); ++i) {
      const Receipt& receipt = (*receipts)[i];
      append_run(fresh, {transaction[i].lane_seq, 1, receipt.seq, receipt.status, receipt.code});
    }
    first = last + 1;
  }
  for (const AckedRun& run : fresh) append_run(applied.runs, run);
  if (auto added = add_to_lane(storage_, author.device.device, operations, std::move(fresh));
      !added) {
    return std::unexpected(added.error());
  }
  return applied;
}

Result<std::vector<Receipt>> Applier::apply_transaction(const Author& author,
                                                        std::span<const Operation> operations,
                                                        std::int64_t now_ms, Authority authority) {
  auto rest = without_forgotten(operations, now_ms);
  if (!rest) return std::unexpected(std::move(rest.error()));
  if (*rest) operations = **rest;
  std::vector<Receipt> receipts;
  Workspace workspace(storage_, schema_, now_ms);
  const auto faulty = std::ranges::find_if(
      operations, [](const Operation& operation) { return !operation.fault.empty(); });
  bool refused = false;
  for (const Operation& operation : operations) {
    auto receipt = faulty == operations.end()
                       ? apply_one(workspace, author, operation, authority)
                       : rejected(workspace.next_seq(), ErrorCode::kInvalid, faulty->fault);
    if (!receipt && is_of_content(receipt.error().code)) {
      receipt = rejected(workspace.next_seq(), receipt.error().code, receipt.error().message);
    }
    if (!receipt) return std::unexpected(std::move(receipt.error()));
    receipts.push_back(std::move(*receipt));
    refused = is_refusal(receipts.back().status);
    if (refused) break;
  }
  if (!refused) {
    if (auto done = finish(workspace); !done) return std::unexpected(done.error());
    if (auto done = take_up_waiting(operations, now_ms); !done) {
      return std::unexpected(done.error());
    }
    return receipts;
  }
  const Receipt cause = kept_or_not(receipts.back(), operations);
  while (receipts.size() < operations.size()) receipts.push_back({workspace.next_seq(), {}, 0, {}});
  for (std::size_t i = 0; i < operations.size(); ++i) {
    // Its phone must hear that it may not keep the words, whatever becomes of the rest.
    const bool empty = !operations[i].hash_before.empty();
    const Seq seq = receipts[i].seq;
    receipts[i] = empty ? forgotten_receipt(seq, cause.status) : cause;
    receipts[i].seq = seq;
  }
  if (cause.status != OutcomeStatus::kRejected) {
    if (auto kept = keep(author, operations, receipts, now_ms); !kept) {
      return std::unexpected(kept.error());
    }
  }
  if (auto told = refuse(author, operations, receipts, now_ms); !told) {
    return std::unexpected(told.error());
  }
  return receipts;
}

Result<Receipt> Applier::apply_one(Workspace& workspace, const Author& author,
                                   const Operation& operation, Authority authority) {
  const Seq seq = workspace.next_seq();
  if (!operation.hash_before.empty()) {
    Receipt gone = forgotten_receipt(seq, OutcomeStatus::kGone);
    auto told = tell_author(workspace, mint_, author, operation, gone, {}, {});
    if (!told) return std::unexpected(told.error());
    return gone;
  }
  if (schema_.kind(operation.kind) == nullptr) {
    return Receipt{seq, OutcomeStatus::kParked, static_cast<std::uint32_t>(ErrorCode::kParked),
                   "服务器尚不认识这类记录 / the server does not know this kind yet"};
  }
  auto drawn = redrawn(workspace, author, operation);
  if (!drawn) return std::unexpected(std::move(drawn.error()));
  const Operation& today = drawn->operation ? *drawn->operation : operation;
  auto receipt = apply_as_drawn(workspace, author, today, authority, *drawn, seq);
  const bool by_redrawing = drawn->operation || !drawn->before.empty();
  if (!receipt || is_refusal(receipt->status) || !by_redrawing) return receipt;
  if (auto told = tell_redrawn(workspace, author, today, *receipt); !told) {
    return std::unexpected(told.error());
  }
  return receipt;
}

// Under the number that the author's file has now, or one that it had before.
Result<bool> Applier::is_made_by(const DeviceRow& device, DeviceId maker) {
  if (maker == device.device || !device.predecessor) return maker == device.device;
  auto numbers = numbers_before(storage_, device);
  if (!numbers) return std::unexpected(std::move(numbers.error()));
  return std::ranges::find(*numbers, maker) != numbers->end();
}

Result<Receipt> Applier::apply_as_drawn(Workspace& workspace, const Author& author,
                                        const Operation& operation, Authority authority,
                                        const Redrawn& redrawn, Seq seq) {
  // A restored server may hear from a copy first of what its predecessor made before the copy.
  auto is_own = is_made_by(author.device, operation.id.device());
  if (!is_own) return std::unexpected(std::move(is_own.error()));
  if (operation.creates && !*is_own) {
    return rejected(seq, ErrorCode::kForbidden,
                    "编号属于其他设备 / the record's id belongs to another device");
  }
  auto follows = follows_kept(workspace, author, operation, seq);
  if (!follows) return std::unexpected(std::move(follows.error()));
  if (*follows) return std::move(**follows);
  if (exposes_its_parent(workspace, *schema_.kind(operation.kind), operation.set)) {
    return rejected(seq, ErrorCode::kForbidden,
                    "不能附在个人信息上 / nothing may be attached to personal records");
  }
  if (authority == Authority::kChecked) {
    auto refused = refusal(workspace, author, operation, redrawn, seq);
    if (!refused) return std::unexpected(std::move(refused.error()));
    if (*refused) return std::move(**refused);
  }
  auto untrue = false_claim(workspace, author, operation);
  if (!untrue) return std::unexpected(std::move(untrue.error()));
  if (*untrue) return rejected(seq, (*untrue)->code, std::move((*untrue)->message));
  auto of_gone = gone(workspace, author, operation, seq);
  if (!of_gone) return std::unexpected(std::move(of_gone.error()));
  if (*of_gone) return std::move(**of_gone);
  auto off_track = track_refusal(workspace, author, operation, seq);
  if (!off_track) return std::unexpected(std::move(off_track.error()));
  if (*off_track) return std::move(**off_track);
  auto over = whistle_over(workspace, operation, seq);
  if (!over) return std::unexpected(std::move(over.error()));
  if (*over) return std::move(**over);
  auto early = before_whole(workspace, author, operation, seq);
  if (!early) return std::unexpected(std::move(early.error()));
  if (*early) return std::move(**early);

  auto page = workspace.open({operation.kind, operation.id});
  if (!page) return std::unexpected(std::move(page.error()));
  if (auto own = take_own(storage_, author.device, (*page)->record.state); !own) {
    return std::unexpected(std::move(own.error()));
  }
  const bool was_there = (*page)->record.state.exists;
  const std::string before = operation.kind == kinds::kWhistle ? (*page)->record.state.body : "";
  WriteToPart part(workspace, **page, mint_, author, operation);
  if (auto begun = part.begin(); !begun) return std::unexpected(begun.error());
  auto merged = workspace.merge_in(operation, author.device.device, seq);
  if (!merged) {
    if (merged.error().code != ErrorCode::kInvalid) return std::unexpected(merged.error());
    return rejected(seq, merged.error().code, merged.error().message);
  }
  if (merged->status == OutcomeStatus::kRejected) {
    return rejected(seq, merged->code, merged->message);
  }
  if (author.waited || redrawn.operation) show_to_writer((*page)->record.state, seq);
  Receipt receipt{seq, merged->status, static_cast<std::uint32_t>(merged->code), merged->message};
  if (!was_there && merged->changed && !(*page)->record.state.erased) {
    const auto fine = check_required(*(*page)->kind, (*page)->record.state.body);
    if (!fine) return rejected(seq, fine.error().code, fine.error().message);
    if (is_of_whistle(*(*page)->kind, operation.set)) {
      const std::int64_t effective =
          effective_time(author.clocks, operation.claimed, workspace.now_ms());
      const ScopeSet standing = authority == Authority::kChecked
                                    ? standing_at(author.standing, effective, workspace.now_ms())
                                    : ever_held(author.standing);
      auto kept = keep_in_sight(workspace, operation, author.device.worker, standing, seq);
      if (!kept) return std::unexpected(std::move(kept.error()));
      auto walked =
          walk_road(workspace, author, operation, standing, authority, redrawn, std::move(receipt));
      if (!walked) return std::unexpected(std::move(walked.error()));
      receipt = std::move(*walked);
      if (is_refusal(receipt.status)) return receipt;
    }
  }
  if (was_there && merged->changed && operation.kind == kinds::kWhistle) {
    auto reference = this->reference();
    if (!reference) return std::unexpected(std::move(reference.error()));
    auto followed = Road(workspace, **reference, mint_).edited(operation.id, before, seq);
    if (!followed) return std::unexpected(followed.error());
  }
  if (merged->changed) {
    auto closed = close_answered_task(workspace, operation, author.device.worker);
    if (!closed) return std::unexpected(closed.error());
  }
  if (auto ended = part.end(*merged, receipt); !ended) return std::unexpected(ended.error());
  if (receipt.status != OutcomeStatus::kAccepted || !merged->losers.empty()) {
    if (auto kept = keep_losers(workspace, mint_, author, operation, receipt, merged->losers);
        !kept) {
      return std::unexpected(kept.error());
    }
  }
  return receipt;
}

// The leaf scopes that a record, or what it follows, left by being redrawn after its author wrote.
Result<std::vector<std::string>> redrawn_since(Workspace& workspace, const Redraws& redraws,
                                               const Operation& operation, const RecordState& state,
                                               std::int64_t effective_ms) {
  const RecordKey key{operation.kind, operation.id};
  const KindSchema& kind = *workspace.schema().kind(operation.kind);
  auto left = workspace.leaves_left(key, operation.set);
  if (!left || left->empty()) return left;
  auto held =
      state.exists ? workspace.leaves_of(key) : workspace.leaves_by_content(kind, operation.set);
  if (!held) return held.error().code == ErrorCode::kInvalid ? std::vector<std::string>() : held;
  const std::size_t first = redraws.first_after(effective_ms);
  std::erase_if(*left, [&](const std::string& leaf) {
    return std::ranges::none_of(*held, [&](const std::string& now) {
      return redraws.lead(first, grid_of_leaf(leaf), grid_of_leaf(now));
    });
  });
  return left;
}

// What an operation says of its grid is brought up to date; of a record that is there, to where it
// stands.
Result<Applier::Redrawn> Applier::redrawn(Workspace& workspace, const Author& author,
                                          const Operation& operation) {
  auto known = redraws();
  if (!known) return std::unexpected(std::move(known.error()));
  if ((*known)->all().empty()) return Redrawn{};
  const Redraws& redraws = **known;
  auto page = workspace.open({operation.kind, operation.id});
  if (!page) return std::unexpected(std::move(page.error()));
  const KindSchema& kind = *(*page)->kind;
  const RecordState& state = (*page)->record.state;
  const std::int64_t effective =
      effective_time(author.clocks, operation.claimed, workspace.now_ms());
  auto before = redrawn_since(workspace, redraws, operation, state, effective);
  if (!before) return std::unexpected(std::move(before.error()));
  Redrawn drawn{.operation = std::nullopt, .named = {}, .before = std::move(*before)};
  const std::string named = grid_named(storage_.county(), kind, operation.set);
  const std::string stands =
      state.exists ? grid_named(storage_.county(), kind, state.body) : std::string();
  if (operation.type != OperationType::kPut || named.empty() || named == stands) return drawn;
  std::string today = stands;
  if (!redraws.lead(redraws.first_for(named, effective), named, stands)) {
    auto found =
        Placing(workspace, redraws)
            .today(named, effective, kind,
                   overlay(kind, state.body, operation.set, operation.clear, operation.remove));
    if (!found) return std::unexpected(std::move(found.error()));
    today = std::move(*found);
  }
  if (today == named) return drawn;
  std::string grid;
  append_text(grid, kind.scope_field, today);
  drawn.operation = operation;
  drawn.operation->set = replace_fields(operation.set, grid, {});
  drawn.named = *leaf_scope(storage_.county(), named);
  if (!state.exists && redraws.lead(redraws.first_after(effective), named, today)) {
    drawn.before.push_back(drawn.named);
  }
  return drawn;
}

// It was taken as its author meant it, and is out of their sight all the same.
Result<void> Applier::tell_redrawn(Workspace& workspace, const Author& author,
                                   const Operation& operation, const Receipt& receipt) {
  auto leaves = workspace.leaves_of({operation.kind, operation.id});
  if (!leaves) return std::unexpected(std::move(leaves.error()));
  const KindSchema& kind = *schema_.kind(operation.kind);
  const bool seen = std::ranges::any_of(
      *leaves, [&](const std::string& leaf) { return author.standing.held.sees(kind, leaf); });
  if (seen || receipt.status != OutcomeStatus::kAccepted) return {};
  Receipt told = receipt;
  told.code = static_cast<std::uint32_t>(ErrorCode::kOutOfScope);
  told.message =
      "网格已重划，记录现不在您的范围 / grids were redrawn; it lies outside of your areas";
  return tell_author(workspace, mint_, author, operation, told, {}, {});
}

// Where a record lies after an operation that moves it; nothing where it stays, or is new.
Result<std::vector<std::string>> place_after(Workspace& workspace, const KindSchema& kind,
                                             const RecordState& before,
                                             const Operation& operation) {
  if (!before.exists || !names_place(kind, before.body, operation)) {
    return std::vector<std::string>();
  }
  return workspace.leaves_by_content(
      kind, overlay(kind, before.body, operation.set, operation.clear, operation.remove));
}

// Who may not write this, and what becomes of it then: what was once theirs goes to the reviewer,
// because they left it or it left them. Only a whistle's road knows more of what comes late.
Result<std::optional<Receipt>> Applier::refusal(Workspace& workspace, const Author& author,
                                                const Operation& operation, const Redrawn& redrawn,
                                                Seq seq) {
  const KindSchema& kind = *schema_.kind(operation.kind);
  auto page = workspace.open({operation.kind, operation.id});
  if (!page) return std::unexpected(std::move(page.error()));
  std::vector<std::string> leaves;
  if ((*page)->record.state.exists) {
    auto held = workspace.leaves_of({operation.kind, operation.id});
    if (!held) return std::unexpected(std::move(held.error()));
    leaves = std::move(*held);
  } else if (operation.type == OperationType::kPut && operation.creates) {
    auto named = workspace.leaves_by_content(kind, operation.set);
    if (!named) {
      if (named.error().code != ErrorCode::kInvalid) return std::unexpected(named.error());
      return rejected(seq, named.error().code, named.error().message);
    }
    leaves = std::move(*named);
  }
  const std::int64_t effective =
      effective_time(author.clocks, operation.claimed, workspace.now_ms());
  const bool left = author.device.state == DeviceState::kLeft;
  const ScopeSet standing = standing_at(author.standing, effective, workspace.now_ms());
  auto own = is_said_of_own_report(workspace, operation, author.device.worker);
  if (!own) return std::unexpected(std::move(own.error()));
  if (*own) leaves.push_back(worker_scope(author.device.worker));
  const bool reports = kind.id == kinds::kWhistle && !(*page)->record.state.exists;
  const DeviceId maker = operation.id.device();
  const bool own_record = maker == author.device.device || maker == author.device.predecessor;
  const auto may_at = [&](const ScopeSet& held, const std::vector<std::string>& places) {
    return held.writes(kind, places) && (reports || sees_any(held, kind, places, own_record));
  };
  const auto may = [&](const ScopeSet& held) { return may_at(held, leaves); };
  const bool might = !redrawn.before.empty() && may_at(standing, redrawn.before);
  const ScopeSet ever = ever_held(author.standing);
  if (!left && (might || may(standing))) {
    auto there = place_after(workspace, kind, (*page)->record.state, operation);
    if (!there) {
      if (there.error().code != ErrorCode::kInvalid) return std::unexpected(there.error());
      return rejected(seq, there.error().code, there.error().message);
    }
    if (there->empty() || standing.writes(kind, *there)) return std::nullopt;
    if (ever.writes(kind, *there)) return sealed(seq, std::string(kAuthorityEnded));
    return rejected(seq, ErrorCode::kOutOfScope,
                    "不能移到您管辖以外 / a record is not moved to where you may not write it");
  }
  if (may(ever)) {
    return sealed(seq, std::string(kAuthorityEnded));
  }
  auto before = workspace.leaves_left({operation.kind, operation.id}, operation.set);
  if (!before) return std::unexpected(std::move(before.error()));
  if (!redrawn.named.empty()) before->push_back(redrawn.named);
  if (!before->empty() && ever.writes(kind, *before)) {
    if (!left && is_work_on_whistle(workspace, operation) && standing.writes(kind, *before)) {
      return std::nullopt;
    }
    return sealed(seq, std::string(kHasLeft));
  }
  if (ever.reaches_any(leaves)) {
    return rejected(seq, ErrorCode::kForbidden, "角色无此权限 / your role may not write this");
  }
  return rejected(seq, ErrorCode::kOutOfScope, "不在您的网格范围 / outside of your scopes");
}

// Of what was erased so long ago that its tombstone is gone nothing is made again, neither the
// record nor a part of it. What a part of a part belongs to is gone then, too.
Result<std::optional<Receipt>> Applier::gone(Workspace& workspace, const Author& author,
                                             const Operation& operation, Seq seq) {
  const RecordKey key{operation.kind, operation.id};
  auto itself = workspace.is_gone(key);
  if (!itself) return std::unexpected(std::move(itself.error()));
  const bool puts = operation.type == OperationType::kPut;
  // What is gone may be erased again.
  if (*itself && !puts) return Receipt{.seq = seq};
  if (!*itself) {
    const RecordKey whole = workspace.parent_of(*schema_.kind(operation.kind), operation.set);
    auto belonged = whole.kind && puts ? workspace.is_gone(whole) : Result<bool>(false);
    if (!belonged) return std::unexpected(std::move(belonged.error()));
    if (!*belonged) return std::nullopt;
    auto page = workspace.open(key);
    if (!page) return std::unexpected(std::move(page.error()));
    // Whoever would make it has the word; another may name any id.
    (*page)->gone = operation.creates && !(*page)->record.state.exists;
  }
  Receipt receipt = gone_receipt(seq);
  Loser own;
  own.writer = author.device.device;
  own.dev_seq = operation.dev_seq;
  own.seq = seq;
  own.hlc = operation.hlc;
  own.set = operation.set;
  own.clear = operation.clear;
  auto kept = keep_losers(workspace, mint_, author, operation, receipt, {own});
  if (!kept) return std::unexpected(kept.error());
  return receipt;
}

Result<std::optional<Receipt>> Applier::track_refusal(Workspace& workspace, const Author& author,
                                                      const Operation& operation, Seq seq) {
  if (operation.kind != kinds::kTrackBatch || operation.type != OperationType::kPut) {
    return std::nullopt;
  }
  const auto id =
      RecordId::from_bytes(text_of(operation.set, fields::track_batch::kVisit).value_or(""));
  if (!id) return std::nullopt;
  auto page = workspace.open({kinds::kVisit, *id});
  if (!page) return std::unexpected(std::move(page.error()));
  const RecordState& visit = (*page)->record.state;
  if (visit.erased) return std::nullopt;
  const std::string_view own = author.device.worker.bytes();
  const bool is_own = text_of(visit.body, fields::visit::kWorker).value_or(own) == own;
  const TrackClock clock{.recorded_ms = operation.claimed.wall_ms,
                         .set_back_ms = set_back_since(author.clocks, operation.claimed)};
  if (is_own && lies_within_patrol(*schema_.kind(kinds::kTrackBatch), operation.set, clock,
                                   *(*page)->kind, visit.body)) {
    return std::nullopt;
  }
  return rejected(
      seq, ErrorCode::kNoLocation,
      "只记录本人巡查期间的轨迹 / positions are recorded during one's own patrol alone");
}

// What was said of a whistle when it ended is what was decided about: it changes by its road alone.
Result<std::optional<Receipt>> Applier::whistle_over(Workspace& workspace,
                                                     const Operation& operation, Seq seq) {
  if (operation.kind != kinds::kWhistle) return std::nullopt;
  auto page = workspace.open({operation.kind, operation.id});
  if (!page) return std::unexpected(std::move(page.error()));
  const auto state = static_cast<WhistleState>(
      int_of((*page)->record.state.body, fields::whistle::kState).value_or(0));
  if (state != WhistleState::kClosed && state != WhistleState::kVoid) return std::nullopt;
  return rejected(
      seq, ErrorCode::kConflict,
      "哨声已办结或作废，内容不再修改；可备注，或重新办理 / the whistle is closed or void "
      "and stays as it is; comment on it, or reopen it");
}

Result<Receipt> Applier::walk_road(Workspace& workspace, const Author& author,
                                   const Operation& operation, const ScopeSet& standing,
                                   Authority authority, const Redrawn& redrawn, Receipt receipt) {
  if (operation.kind != kinds::kWhistle && operation.kind != kinds::kWhistleAction) return receipt;
  auto reference = this->reference();
  if (!reference) return std::unexpected(std::move(reference.error()));
  auto organisation = organisation_of(workspace, author.device.worker);
  if (!organisation) return std::unexpected(std::move(organisation.error()));
  const RecordKey key{operation.kind, operation.id};
  auto leaves = workspace.leaves_of(key);
  if (!leaves) return std::unexpected(std::move(leaves.error()));
  const bool has_left = !standing.writes(*schema_.kind(operation.kind), *leaves);
  if (has_left) {
    auto before = workspace.leaves_left(key, operation.set);
    if (!before) return std::unexpected(std::move(before.error()));
    leaves->insert(leaves->end(), before->begin(), before->end());
  }
  const Actor actor{.worker = author.device.worker,
                    .organisation = *organisation,
                    .roles = roles_over(standing, *leaves),
                    .level = (*reference)->level_of(*organisation)};
  Road road(workspace, **reference, mint_);
  if (operation.kind == kinds::kWhistle) {
    const auto source = int_of(operation.set, fields::whistle::kSource).value_or(0);
    if (!may_report_from(static_cast<Source>(source), actor.roles)) {
      return rejected(receipt.seq, ErrorCode::kForbidden,
                      "来源与您的角色不符 / your role does not report from that source");
    }
    if (auto opened = road.opened(operation.id, actor, receipt.seq); !opened) {
      return std::unexpected(opened.error());
    }
    return receipt;
  }
  auto result = road.proposed(operation.id, actor,
                              effective_time(author.clocks, operation.claimed, workspace.now_ms()),
                              receipt.seq);
  if (!result) return std::unexpected(std::move(result.error()));
  const bool decides = has_left && redrawn.before.empty() && authority == Authority::kChecked;
  if (decides && result->status == OutcomeStatus::kAccepted) {
    return sealed(receipt.seq, std::string(kHasLeft));
  }
  receipt.status = result->status;
  receipt.code = result->code;
  receipt.message = std::move(result->message);
  return receipt;
}

Result<void> Applier::refuse(const Author& author, std::span<const Operation> operations,
                             std::vector<Receipt>& receipts, std::int64_t now_ms) {
  Workspace workspace(storage_, schema_, now_ms);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    Loser lost;
    lost.writer = author.device.device;
    lost.dev_seq = operations[i].dev_seq;
    lost.seq = receipts[i].seq;
    lost.hlc = operations[i].hlc;
    if (receipts[i].status == OutcomeStatus::kRejected) {
      lost.set = operations[i].set;
      lost.clear = operations[i].clear;
    }
    if (auto told = tell_author(workspace, mint_, author, operations[i], receipts[i], lost, {});
        !told) {
      return told;
    }
  }
  return finish(workspace);
}

Result<void> Applier::keep(const Author& author, std::span<const Operation> operations,
                           const std::vector<Receipt>& receipts, std::int64_t now_ms) {
  KeptOperation kept;
  kept.why = receipts.front().status;
  kept.device = author.device.device;
  kept.worker = author.device.worker;
  kept.key = {operations.front().kind, operations.front().id};
  kept.received_ms = now_ms;
  kept.effective_ms = effective_time(author.clocks, operations.front().claimed, now_ms);
  std::size_t taken = 0;
  kept.frame = encode_operations(author.device.device, operations, taken);
  auto list = waiting();
  if (!list) return std::unexpected(std::move(list.error()));
  auto number = storage_.keep_operation(kept);
  if (!number) return std::unexpected(number.error());
  kept.number = *number;
  waiting_->add(schema_, kept, operations);
  return {};
}

}  // namespace gridwhistle

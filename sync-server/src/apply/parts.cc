#include "apply/parts.h"

#include <algorithm>

#include "model/parts.h"

namespace gridwhistle {

Result<Workspace::Page*> WriteToPart::whole_of(const Workspace::Page& page) {
  const RecordKey whole = workspace_.parent_of(*page.kind, page.record.state.body);
  if (!whole.kind || workspace_.schema().kind(whole.kind)->never_erased) return nullptr;
  return workspace_.open(whole);
}

Result<void> WriteToPart::begin() {
  RecordState& state = page_.record.state;
  if (!state.erased) return {};
  before_ = state.erasure;
  auto whole = whole_of(page_);
  if (!whole) return std::unexpected(std::move(whole.error()));
  along_ = *whole != nullptr && (*whole)->record.state.erased &&
           is_same_erasure((*whole)->record.state.erasure, state.erasure);
  if (!along_) return {};
  state.erased = false;
  state.erasure = Stamp{};
  return {};
}

Result<void> WriteToPart::end(Merged& merged, Receipt& receipt) {
  RecordState& state = page_.record.state;
  if (!merged.changed) {
    if (along_) {
      state.erased = true;
      state.erasure = *before_;
    }
    return {};
  }
  if (state.erased) return before_ && !along_ ? Result<void>{} : take_parts(key_, state.erasure);
  auto whole = whole_of(page_);
  if (!whole) return std::unexpected(std::move(whole.error()));
  if (*whole != nullptr && (*whole)->record.state.erased) {
    const Stamp erasure = (*whole)->record.state.erasure;
    if (operation_.type == OperationType::kPut && !precedes(erasure)) tell_gone(merged, receipt);
    if (auto gone = go_along(key_, page_, erasure, receipt.seq); !gone) return gone;
    return take_parts(key_, erasure);
  }
  if (along_) {
    if (auto back = come_back(key_, page_, receipt.seq); !back) return back;
  }
  return before_ ? bring_parts(key_, *before_) : Result<void>{};
}

// What the eraser itself wrote before, and what only came later by a slower lane.
bool WriteToPart::precedes(const Stamp& erasure) const {
  return erasure.writer == author_.device.device && operation_.dev_seq < erasure.dev_seq;
}

void WriteToPart::tell_gone(Merged& merged, Receipt& receipt) const {
  receipt.status = OutcomeStatus::kGone;
  receipt.code = static_cast<std::uint32_t>(ErrorCode::kGone);
  receipt.message =
      "所属记录已被删除，填写的内容已保留 / what it belongs to was erased; what was written is "
      "kept";
  Loser own;
  own.writer = author_.device.device;
  own.dev_seq = operation_.dev_seq;
  own.seq = receipt.seq;
  own.hlc = operation_.hlc;
  own.set = operation_.set;
  own.clear = operation_.clear;
  std::erase_if(merged.losers, [&](const Loser& lost) {
    return lost.writer == own.writer && lost.dev_seq == own.dev_seq;
  });
  merged.losers.push_back(std::move(own));
}

Result<void> WriteToPart::go_along(const RecordKey& key, Workspace::Page& page,
                                   const Stamp& erasure, Seq seq) {
  erase_along(page.record.state, erasure, seq);
  return show(key, seq);
}

Result<void> WriteToPart::come_back(const RecordKey& key, Workspace::Page& page, Seq seq) {
  stand_again(page.record.state, seq);
  return show(key, seq);
}

// Where it lies the record lies still; in the feeds it moves to its change.
Result<void> WriteToPart::show(const RecordKey& key, Seq seq) {
  auto leaves = workspace_.leaves_of(key);
  if (!leaves) return std::unexpected(std::move(leaves.error()));
  return workspace_.place(key, *leaves, seq);
}

Result<std::vector<RecordKey>> WriteToPart::parts_of(const RecordKey& whole) {
  auto keys = workspace_.children(whole.id);
  if (!keys) return keys;
  std::vector<RecordKey> parts;
  for (const RecordKey& key : *keys) {
    auto page = workspace_.open(key);
    if (!page) return std::unexpected(std::move(page.error()));
    const RecordState& state = (*page)->record.state;
    if (!(*page)->kind->never_erased && state.exists &&
        workspace_.parent_of(*(*page)->kind, state.body) == whole) {
      parts.push_back(key);
    }
  }
  return parts;
}

// Calls with every part, and with the parts of those that it answers true for.
template <typename Visit>
Result<void> WriteToPart::below(const RecordKey& whole, Visit visit) {
  std::vector<RecordKey> wholes = {whole};
  while (!wholes.empty()) {
    auto parts = parts_of(wholes.back());
    if (!parts) return std::unexpected(std::move(parts.error()));
    wholes.pop_back();
    for (const RecordKey& key : *parts) {
      auto page = workspace_.open(key);
      if (!page) return std::unexpected(std::move(page.error()));
      Result<bool> goes_on = visit(key, **page);
      if (!goes_on) return std::unexpected(std::move(goes_on.error()));
      if (*goes_on) wholes.push_back(key);
    }
  }
  return {};
}

Result<void> WriteToPart::take_parts(const RecordKey& whole, const Stamp& erasure) {
  return below(whole, [&](const RecordKey& key, Workspace::Page& page) -> Result<bool> {
    const RecordState& state = page.record.state;
    // What was erased for itself stays so; what went along with this record goes on with it.
    if (state.erased && !(before_ && is_same_erasure(state.erasure, *before_))) return false;
    if (!state.erased) {
      if (auto told = tell_unseen(key, page); !told) return std::unexpected(told.error());
    }
    auto gone = go_along(key, page, erasure, workspace_.next_seq());
    if (!gone) return std::unexpected(gone.error());
    return true;
  });
}

Result<void> WriteToPart::bring_parts(const RecordKey& whole, const Stamp& erasure) {
  return below(whole, [&](const RecordKey& key, Workspace::Page& page) -> Result<bool> {
    const RecordState& state = page.record.state;
    if (!state.erased || !is_same_erasure(state.erasure, erasure)) return false;
    auto back = come_back(key, page, workspace_.next_seq());
    if (!back) return std::unexpected(back.error());
    return true;
  });
}

// An erasure names the place in the log of its own record alone. What the eraser can have seen of a
// part is what its phone had read when the call began, of kinds it may see at all.
Result<void> WriteToPart::tell_unseen(const RecordKey& key, const Workspace::Page& page) {
  const RecordState& state = page.record.state;
  const bool visible = std::ranges::any_of(page.record.memberships, [&](const Membership& m) {
    return m.in && author_.standing.held.sees(*page.kind, workspace_.storage().scope_name(m.scope));
  });
  const Seq read = visible ? author_.device.cursor : Seq();
  for (const Loser& lost : written_since(*page.kind, state, read, author_.device.device)) {
    auto told = tell_taken_along(workspace_, mint_, key, lost, author_.device.worker);
    if (!told) return told;
  }
  return {};
}

}  // namespace gridwhistle

#include <algorithm>
#include <sstream>

#include "county/impl.h"

// The county's backup, and how far backups reach: what phones may forget.
namespace gridwhistle {

namespace {

constexpr std::string_view kBackedUp = "backed_up";
constexpr std::string_view kBackedUpAt = "backed_up_ms";

std::string text_of(const std::deque<Seq>& backups) {
  std::string text;
  for (const Seq upto : backups) text += (text.empty() ? "" : " ") + std::to_string(upto.value);
  return text;
}

}  // namespace

std::optional<std::deque<Seq>> places_in(std::string_view noted) {
  std::deque<Seq> places;
  std::istringstream numbers{std::string(noted)};
  for (std::uint64_t upto = 0; numbers >> upto;) places.emplace_back(upto);
  if (!numbers.eof() || !std::ranges::is_sorted(places)) return std::nullopt;
  return places;
}

Seq reach_of_every_backup(const std::deque<Seq>& backups, const std::deque<Seq>& begun,
                          std::size_t restorable) {
  if (backups.empty()) return {};
  restorable = std::max<std::size_t>(restorable, 1);
  if (backups.size() >= restorable) return backups[backups.size() - restorable];
  return begun.empty() ? backups.front() : std::min(backups.front(), begun.front());
}

Result<void> County::Impl::load_backups() {
  const auto newest = number_noted(kBackedUp);
  if (!newest) return std::unexpected(newest.error());
  for (const auto& [fact, list] :
       {std::pair{kBackupsFact, &backups}, {kBackupsBegunFact, &backups_begun}}) {
    const auto noted = storage->fact(fact);
    if (!noted) return std::unexpected(noted.error());
    auto places = places_in(*noted);
    if (!places) return damaged_note(fact);
    *list = std::move(*places);
  }
  // An older build noted the newest alone, and told phones that they may forget all that it has.
  const Seq last(static_cast<std::uint64_t>(*newest));
  if (last && (backups.empty() || backups.back() < last)) backups.push_back(last);
  return {};
}

BackupMarks County::Impl::backup_marks() const {
  if (options.replicated) return {storage->last_seq(), storage->last_seq()};
  if (backups.empty()) return {};
  return {reach_of_every_backup(backups, backups_begun, options.restorable_backups),
          backups.back()};
}

std::deque<Seq> County::Impl::backups_with(Seq upto) const {
  std::deque<Seq> next = backups;
  next.push_back(upto);
  while (next.size() > std::max<std::size_t>(options.restorable_backups, 1)) next.pop_front();
  return next;
}

// A backup may be in its place and restored without ever having been noted here. So it is noted as
// begun before it can be.
Result<void> County::Impl::note_begun(Seq upto) {
  std::deque<Seq> next = backups_begun;
  if (next.empty() || next.back() != upto) next.push_back(upto);
  const auto noted = in_batch([&] { return storage->set_fact(kBackupsBegunFact, text_of(next)); });
  if (!noted) return std::unexpected(noted.error());
  backups_begun = std::move(next);
  return {};
}

// A county that goes on from a backup has that one behind it, so the copy says so itself: or the
// first backup after a restore would be the oldest that it knows.
Result<Seq> County::backup(const std::string& path, std::string_view by,
                           const std::function<Result<void>()>& put_in_place) {
  Impl& impl = *impl_;
  const Seq upto = impl.storage->last_seq();
  std::deque<Seq> next = impl.backups_with(upto);
  const std::string reach = text_of(next);
  // Or the copy had bytes of what was forgotten before. Where that has to wait the copy says so,
  // and who goes on from it wipes it.
  if (impl.wipe_due) impl.wipe(Impl::kWholeFile);
  if (auto copied = impl.storage->back_up(path, kBackupsFact, reach); !copied) {
    return std::unexpected(copied.error());
  }
  if (auto noted = impl.note_begun(upto); !noted) return std::unexpected(noted.error());
  if (auto placed = put_in_place(); !placed) return std::unexpected(placed.error());
  // Of those that were begun only what `next` does not reach back to still says anything.
  std::deque<Seq> begun = impl.backups_begun;
  const bool full = next.size() >= impl.options.restorable_backups;
  std::erase_if(begun, [&](Seq one) { return full || one >= next.front(); });
  const auto noted = impl.in_batch([&]() -> Result<void> {
    for (const auto& [fact, value] : {std::pair{kBackupsFact, reach},
                                      {kBackupsBegunFact, text_of(begun)},
                                      {kBackedUp, std::to_string(upto.value)},
                                      {kBackedUpAt, std::to_string(impl.now_ms())}}) {
      if (auto set = impl.storage->set_fact(fact, value); !set) return set;
    }
    return impl.audit(by, "backup up to " + std::to_string(upto.value));
  });
  if (!noted) return std::unexpected(noted.error());
  impl.backups = std::move(next);
  impl.backups_begun = std::move(begun);
  return upto;
}

Result<void> County::Impl::fill_backup_status(CountyStatus& status) {
  const BackupMarks marks = backup_marks();
  status.backed_up = backups.empty() ? Seq() : backups.back();
  status.forgettable = marks.every;
  const auto at = number_noted(kBackedUpAt);
  if (!at) return std::unexpected(at.error());
  // A mark that a wrong clock has left in the future says nothing, and would hold backups up.
  status.backed_up_ms = *at > now_ms() ? 0 : *at;
  return {};
}

}  // namespace gridwhistle

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

Result<void> County::Impl::load_backups() {
  const auto newest = number_noted(kBackedUp);
  if (!newest) return std::unexpected(newest.error());
  const auto noted = storage->fact(kBackupsFact);
  if (!noted) return std::unexpected(noted.error());
  std::istringstream numbers(*noted);
  for (std::uint64_t upto = 0; numbers >> upto;) backups.emplace_back(upto);
  if (!numbers.eof() || !std::ranges::is_sorted(backups)) return damaged_note(kBackupsFact);
  // An older build noted the newest alone, and told phones that they may forget all that it has.
  const Seq last(static_cast<std::uint64_t>(*newest));
  if (last && (backups.empty() || backups.back() < last)) backups.push_back(last);
  return {};
}

BackupMarks County::Impl::backup_marks() const {
  if (options.replicated) return {storage->last_seq(), storage->last_seq()};
  if (backups.empty()) return {};
  const std::size_t restorable =
      std::clamp<std::size_t>(options.restorable_backups, 1, backups.size());
  return {backups[backups.size() - restorable], backups.back()};
}

std::deque<Seq> County::Impl::backups_with(Seq upto) const {
  std::deque<Seq> next = backups;
  next.push_back(upto);
  while (next.size() > std::max<std::size_t>(options.restorable_backups, 1)) next.pop_front();
  return next;
}

// A county that goes on from a backup has that one behind it, so the copy says so itself: or the
// first backup after a restore would be the oldest that it knows.
Result<Seq> County::backup(const std::string& path, std::string_view by,
                           const std::function<Result<void>()>& put_in_place) {
  Impl& impl = *impl_;
  const Seq upto = impl.storage->last_seq();
  std::deque<Seq> next = impl.backups_with(upto);
  const std::string reach = text_of(next);
  if (auto copied = impl.storage->back_up(path, kBackupsFact, reach); !copied) {
    return std::unexpected(copied.error());
  }
  if (auto placed = put_in_place(); !placed) return std::unexpected(placed.error());
  const auto noted = impl.in_batch([&]() -> Result<void> {
    for (const auto& [fact, value] : {std::pair{kBackupsFact, reach},
                                      {kBackedUp, std::to_string(upto.value)},
                                      {kBackedUpAt, std::to_string(impl.now_ms())}}) {
      if (auto set = impl.storage->set_fact(fact, value); !set) return set;
    }
    return impl.audit(by, "backup up to " + std::to_string(upto.value));
  });
  if (!noted) return std::unexpected(noted.error());
  impl.backups = std::move(next);
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

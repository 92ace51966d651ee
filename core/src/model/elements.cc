#include "model/elements.h"

#include <algorithm>
#include <tuple>

#include "model/fields.h"

namespace gridwhistle {
namespace {

// Removals kept for additions of the same device that a more urgent lane overtook. Such an addition
// comes within a call; sixty-four removals later nobody waits for it.
constexpr std::ptrdiff_t kRemovalsMax = 64;

auto order_of(const ElementStamp& e) { return std::tie(e.hlc, e.writer, e.dev_seq, e.seq); }

bool in_order(const ElementStamp& a, const ElementStamp& b) { return order_of(a) < order_of(b); }

ElementStamp common_element(const RecordState& state, std::uint32_t number,
                            std::string_view entry) {
  const Stamp& common = state.common;
  return {number, std::string(entry), common.seq, common.writer, common.dev_seq, common.hlc, false};
}

bool is_common(const RecordState& state, const ElementStamp& e) {
  const Stamp& common = state.common;
  return !e.removed && std::tie(e.seq, e.writer, e.dev_seq, e.hlc) ==
                           std::tie(common.seq, common.writer, common.dev_seq, common.hlc);
}

bool adds(const ElementStamp& e, std::string_view entry) { return !e.removed && e.entry == entry; }

bool same_device(const ElementStamp& e, const ElementWrite& write) {
  return write.writer && e.writer == write.writer;
}

ElementStamp stamped(const ElementWrite& write, std::string_view entry, bool removed) {
  return {write.number,  std::string(entry), write.seq, write.writer,
          write.dev_seq, write.hlc,          removed};
}

// An empty entry: everything.
void take_out(std::vector<ElementStamp>& elements, const ElementWrite& write,
              std::string_view entry) {
  std::erase_if(elements, [&](const ElementStamp& e) {
    if (e.removed || (!entry.empty() && e.entry != entry)) return false;
    return e.seq <= write.base_seq || (same_device(e, write) && e.dev_seq < write.dev_seq);
  });
  if (!write.writer) return;
  const auto earlier = std::find_if(elements.begin(), elements.end(), [&](const ElementStamp& e) {
    return e.removed && e.entry == entry && e.writer == write.writer;
  });
  if (earlier == elements.end()) {
    elements.push_back(stamped(write, entry, true));
  } else if (earlier->dev_seq < write.dev_seq) {
    *earlier = stamped(write, entry, true);
  }
}

void put_in(std::vector<ElementStamp>& elements, const ElementWrite& write,
            std::string_view entry) {
  const auto later_own = [&](const ElementStamp& e) {
    if (!same_device(e, write)) return false;
    if (e.removed) return (e.entry.empty() || e.entry == entry) && e.dev_seq > write.dev_seq;
    return e.entry == entry && e.dev_seq >= write.dev_seq;
  };
  if (std::any_of(elements.begin(), elements.end(), later_own)) return;
  // Whoever sees the new addition has seen those that its own author had seen.
  std::erase_if(elements, [&](const ElementStamp& e) {
    return adds(e, entry) && (e.seq <= write.base_seq || same_device(e, write));
  });
  elements.push_back(stamped(write, entry, false));
}

void limit_removals(std::vector<ElementStamp>& elements) {
  const auto removed = [](const ElementStamp& e) { return e.removed; };
  while (std::count_if(elements.begin(), elements.end(), removed) > kRemovalsMax) {
    auto oldest = std::find_if(elements.begin(), elements.end(), removed);
    for (auto e = oldest; e != elements.end(); ++e) {
      if (e->removed && e->seq < oldest->seq) oldest = e;
    }
    elements.erase(oldest);
  }
}

}  // namespace

std::vector<ElementStamp> elements_of(const RecordState& state, std::uint32_t number) {
  std::vector<ElementStamp> elements;
  for (const ElementStamp& e : state.elements) {
    if (e.number == number) elements.push_back(e);
  }
  std::vector<ElementStamp> common;
  std::vector<std::string_view> stamped_entries;
  for (const ElementStamp& e : elements) {
    if (!e.removed) stamped_entries.push_back(e.entry);
  }
  for (const std::string_view entry : entries_of(state.body, number)) {
    const auto own = std::find(stamped_entries.begin(), stamped_entries.end(), entry);
    if (own == stamped_entries.end()) {
      common.push_back(common_element(state, number, entry));
    } else {
      stamped_entries.erase(own);
    }
  }
  elements.insert(elements.end(), common.begin(), common.end());
  return elements;
}

std::vector<ElementStamp> merge_set(std::vector<ElementStamp> elements, const ElementWrite& write) {
  if (write.clear) take_out(elements, write, {});
  for (const std::string_view entry : write.remove) take_out(elements, write, entry);
  for (const std::string_view entry : write.add) put_in(elements, write, entry);
  limit_removals(elements);
  return elements;
}

std::vector<ElementStamp> merge_append(std::vector<ElementStamp> elements,
                                       const ElementWrite& write) {
  if (write.clear) elements.clear();
  const bool replayed = std::any_of(elements.begin(), elements.end(), [&](const ElementStamp& e) {
    return same_device(e, write) && e.dev_seq == write.dev_seq;
  });
  for (const std::string_view entry : write.add) {
    if (!replayed) elements.push_back(stamped(write, entry, false));
  }
  std::vector<ElementStamp> sorted;
  for (ElementStamp& e : elements) {
    sorted.insert(std::upper_bound(sorted.begin(), sorted.end(), e, in_order), std::move(e));
  }
  return sorted;
}

std::string set_entries(const std::vector<ElementStamp>& elements) {
  std::vector<std::string_view> entries;
  for (const ElementStamp& e : elements) {
    if (!e.removed) entries.push_back(e.entry);
  }
  return as_set(std::move(entries));
}

std::string append_entries(const std::vector<ElementStamp>& elements) {
  std::string out;
  for (const ElementStamp& e : elements) out += e.entry;
  return out;
}

void store_elements(RecordState& state, std::uint32_t number, std::vector<ElementStamp> elements) {
  std::erase_if(state.elements, [&](const ElementStamp& e) { return e.number == number; });
  // Elements that look alike are told apart by their stamps alone, and then all are spelled out so
  // that their order stays.
  const bool alike = std::any_of(elements.begin(), elements.end(), [&](const ElementStamp& e) {
    return is_common(state, e) &&
           std::count_if(elements.begin(), elements.end(),
                         [&](const ElementStamp& other) { return adds(other, e.entry); }) > 1;
  });
  const auto at = std::find_if(state.elements.begin(), state.elements.end(),
                               [&](const ElementStamp& e) { return e.number > number; });
  if (!alike) std::erase_if(elements, [&](const ElementStamp& e) { return is_common(state, e); });
  state.elements.insert(at, elements.begin(), elements.end());
}

}  // namespace gridwhistle

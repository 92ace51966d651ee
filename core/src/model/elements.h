#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/merge.h"

// SET and APPEND fields with the stamps of their elements: what arrives late finds its place by
// them.
namespace gridwhistle {

/// One write of elements to one field.
struct ElementWrite {
  std::uint32_t number = 0;
  Seq seq;
  DeviceId writer;
  DevSeq dev_seq;
  Hlc hlc;       ///< clamped
  Seq base_seq;  ///< the server's: everything
  std::vector<std::string_view> add;
  std::vector<std::string_view> remove;
  bool clear = false;
};

/// Every element of a field with its stamps, those that the record's common stamp stands for
/// spelled out.
std::vector<ElementStamp> elements_of(const RecordState& state, std::uint32_t number);

/// A SET field after the write. An addition stands unless a removal has seen it, or its own writer
/// removed it later.
std::vector<ElementStamp> merge_set(std::vector<ElementStamp> elements, const ElementWrite& write);

/// An APPEND field after the write, in the order of (hlc, writer, dev_seq, seq).
std::vector<ElementStamp> merge_append(std::vector<ElementStamp> elements,
                                       const ElementWrite& write);

/// The field's entries for the record's body.
std::string set_entries(const std::vector<ElementStamp>& elements);
std::string append_entries(const std::vector<ElementStamp>& elements);

/// Puts a field's elements back into the state, without those that the common stamp stands for.
void store_elements(RecordState& state, std::uint32_t number, std::vector<ElementStamp> elements);

}  // namespace gridwhistle

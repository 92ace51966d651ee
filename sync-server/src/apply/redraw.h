#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apply/workspace.h"
#include "gridwhistle/v1/reference.pb.h"

// Grids that were split or merged, and where what lay in them lies since.
namespace gridwhistle {

/// What lay in `from` lies in `to`. All are code15; a grid that goes on, smaller or larger, stands
/// in both.
struct Redraw {
  Seq seq;  ///< its place in the log: the records that it moves were made before
  std::int64_t at_ms = 0;
  std::vector<std::string> from;
  std::vector<std::string> to;
  std::string rest;  ///< of `to`: takes what nothing puts elsewhere

  bool operator==(const Redraw&) const = default;
};

/// Every redrawing of a county, in the order in which they happened.
class Redraws {
 public:
  /// What storage notes. Errors: kCorrupt, and those of storage.
  static Result<Redraws> read(Storage& storage);

  const std::vector<Redraw>& all() const { return all_; }

  /// Notes one more, the latest. Inside a batch.
  Result<void> add(Storage& storage, Redraw redraw);

  /// The first redrawing that a grid named at this time has still to go through: one that came
  /// later, or the one that it had gone with by then, which its author had not heard of.
  std::size_t first_for(std::string_view code15, std::int64_t named_ms) const;

  /// The first redrawing after a time.
  std::size_t first_after(std::int64_t at_ms) const;

  /// Whether the redrawings from this one on alone may have brought from one grid into another what
  /// lay there.
  bool lead(std::size_t first, std::string_view from, std::string_view to) const;

 private:
  std::vector<Redraw> all_;
};

/// Says where records lie once grids are redrawn. Reads what they refer to and the boundaries as
/// they are; both outlive it.
class Placing {
 public:
  Placing(Workspace& workspace, const Redraws& redraws)
      : workspace_(workspace), redraws_(redraws) {}

  /// Where one redrawing puts a record: with its household, place, facility, visit or whistle; else
  /// by its position; a task with whom it was given to; else into the rest.
  Result<std::string> place(const Redraw& redraw, const KindSchema& kind, std::string_view body);

  /// Where the redrawing takes what a line of an old grid's feed names; empty where it stays, or
  /// goes along with what it follows.
  Result<std::string> moves_to(const Redraw& redraw, std::string_view grid, const FeedEntry& line);

  /// Where a record lies today whose author named this grid then.
  Result<std::string> today(std::string code15, std::int64_t named_ms, const KindSchema& kind,
                            std::string_view body);

  /// Which of the grids a point lies in: a dedicated one first, then one that is new; none: empty.
  Result<std::string> around(const Redraw& redraw, double latitude, double longitude);

 private:
  Result<std::string> place(const Redraw& redraw, const KindSchema& kind, std::string_view body,
                            int depth);
  Result<std::string> with(const Redraw& redraw, const RecordKey& other, int depth);
  Result<std::string> with_parties(const Redraw& redraw, std::string_view dispute, int depth);
  Result<std::string> with_assignee(const Redraw& redraw, std::string_view task);
  Result<const v1::Grid*> grid(const std::string& code15);

  Workspace& workspace_;
  const Redraws& redraws_;
  std::map<std::string, v1::Grid> grids_;
};

/// Lines of a grid's feed after a place in the log, in order, at most `limit`.
Result<std::vector<FeedEntry>> lines_of_grid(Storage& storage, std::string_view code15, Seq after,
                                             std::size_t limit);

/// The grid that a record says it lies in, its code15; empty where it lies elsewhere or follows
/// another record.
std::string grid_named(std::string_view county, const KindSchema& kind, std::string_view body);

/// The 15 digits of a grid's leaf scope; empty for any other.
std::string_view grid_of_leaf(std::string_view leaf);

}  // namespace gridwhistle

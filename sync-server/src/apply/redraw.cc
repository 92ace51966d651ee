#include "apply/redraw.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "base/line.h"
#include "gridwhistle/v1/records.pb.h"
#include "model/record.h"
#include "schema/fields.h"
#include "schema/kinds.h"

namespace gridwhistle {

namespace {

constexpr std::string_view kFact = "grid_redraws";
constexpr std::string_view kGridPrefix = "grid:";
/// A form is answered at a visit, which calls on a household.
constexpr int kDepthMax = 3;

/// What tells where another record lies.
constexpr std::array kLandmarks = {kinds::kHousehold, kinds::kPlace, kinds::kFacility,
                                   kinds::kVisit, kinds::kWhistle};

bool contains(const std::vector<std::string>& codes, std::string_view code) {
  return std::ranges::find(codes, code) != codes.end();
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string joined(const std::vector<std::string>& codes) {
  std::string text;
  for (const std::string& code : codes) text += (text.empty() ? "" : ",") + code;
  return text;
}

std::string line_of(const Redraw& redraw) {
  return std::to_string(redraw.seq.value) + ' ' + std::to_string(redraw.at_ms) + ' ' + redraw.rest +
         ' ' + joined(redraw.from) + ' ' + joined(redraw.to) + '\n';
}

template <typename Number>
bool read_number(const std::string& text, Number& number) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc() && end == text.data() + text.size();
}

std::optional<Redraw> redraw_of(std::string_view line) {
  const std::vector<std::string> words = split(line, ' ');
  Redraw redraw;
  std::uint64_t seq = 0;
  if (words.size() != 5 || !read_number(words[0], seq) || !read_number(words[1], redraw.at_ms)) {
    return std::nullopt;
  }
  redraw.seq = Seq(seq);
  redraw.rest = words[2];
  redraw.from = split(words[3], ',');
  redraw.to = split(words[4], ',');
  return redraw;
}

// Whether a ray from the point to the east crosses the rings an odd number of times.
bool lies_in(const v1::Polygon& polygon, double latitude, double longitude) {
  bool inside = false;
  for (const v1::Ring& ring : polygon.rings()) {
    const int corners = std::min(ring.latitudes_size(), ring.longitudes_size());
    for (int i = 0, j = corners - 1; i < corners; j = i++) {
      const double north = ring.latitudes(i);
      const double south = ring.latitudes(j);
      if ((north > latitude) == (south > latitude)) continue;
      const double crossing = ring.longitudes(i) + (ring.longitudes(j) - ring.longitudes(i)) *
                                                       (latitude - north) / (south - north);
      if (longitude < crossing) inside = !inside;
    }
  }
  return inside;
}

std::optional<double> degrees(const KindSchema& kind, std::string_view body,
                              std::string_view name) {
  const FieldSchema* field = kind.field(name);
  return field == nullptr ? std::nullopt : double_of(body, field->number);
}

}  // namespace

std::string_view grid_of_leaf(std::string_view leaf) {
  return leaf.starts_with(kGridPrefix) ? leaf.substr(kGridPrefix.size()) : std::string_view();
}

std::string grid_named(std::string_view county, const KindSchema& kind, std::string_view body) {
  if (kind.scope_field == 0) return {};
  const auto leaf = leaf_scope(county, text_of(body, kind.scope_field).value_or(""));
  return leaf ? std::string(grid_of_leaf(*leaf)) : std::string();
}

Result<std::vector<FeedEntry>> lines_of_grid(Storage& storage, std::string_view code15, Seq after,
                                             std::size_t limit) {
  auto scope = storage.scope_no(std::string(kGridPrefix) + std::string(code15));
  if (!scope) return std::unexpected(std::move(scope.error()));
  return storage.feed(*scope, after, limit);
}

Result<Redraws> Redraws::read(Storage& storage) {
  auto text = storage.fact(kFact);
  if (!text) return std::unexpected(std::move(text.error()));
  Redraws redraws;
  for (const std::string& line : split(*text, '\n')) {
    std::optional<Redraw> redraw = redraw_of(line);
    if (!redraw) {
      return fail(ErrorCode::kCorrupt,
                  both("数据库中的网格调整记录已损坏，请从备份恢复",
                       "what the database notes of redrawn grids is damaged; restore a backup"),
                  std::string(kFact));
    }
    redraws.all_.push_back(std::move(*redraw));
  }
  return redraws;
}

Result<void> Redraws::add(Storage& storage, Redraw redraw) {
  if (!all_.empty()) redraw.at_ms = std::max(redraw.at_ms, all_.back().at_ms + 1);
  all_.push_back(std::move(redraw));
  std::string text;
  for (const Redraw& one : all_) text += line_of(one);
  return storage.set_fact(kFact, text);
}

std::size_t Redraws::first_after(std::int64_t at_ms) const {
  return static_cast<std::size_t>(std::ranges::upper_bound(all_, at_ms, {}, &Redraw::at_ms) -
                                  all_.begin());
}

std::size_t Redraws::first_for(std::string_view code15, std::int64_t named_ms) const {
  const std::size_t later = first_after(named_ms);
  for (std::size_t i = later; i > 0; --i) {
    if (contains(all_[i - 1].to, code15)) break;
    if (contains(all_[i - 1].from, code15)) return i - 1;
  }
  return later;
}

bool Redraws::lead(std::size_t first, std::string_view from, std::string_view to) const {
  std::set<std::string, std::less<>> reached = {std::string(from)};
  bool moved = false;
  for (std::size_t i = first; i < all_.size(); ++i) {
    bool leaves = false;
    for (const std::string& code : all_[i].from) leaves |= reached.erase(code) > 0;
    if (leaves) reached.insert(all_[i].to.begin(), all_[i].to.end());
    moved |= leaves;
  }
  return moved && reached.contains(to);
}

Result<const v1::Grid*> Placing::grid(const std::string& code15) {
  const auto known = grids_.find(code15);
  if (known != grids_.end()) return &known->second;
  v1::Grid& grid = grids_[code15];
  auto ids = workspace_.storage().find(*workspace_.schema().kind(kinds::kGrid),
                                       fields::grid::kCode15, code15);
  if (!ids) return std::unexpected(std::move(ids.error()));
  if (ids->empty()) return &grid;
  auto page = workspace_.open({kinds::kGrid, ids->front()});
  if (!page) return std::unexpected(std::move(page.error()));
  const std::string& body = (*page)->record.state.body;
  if (!grid.ParseFromString(body)) return fail(ErrorCode::kCorrupt, "a record cannot be read");
  return &grid;
}

Result<std::string> Placing::around(const Redraw& redraw, double latitude, double longitude) {
  std::string best;
  int best_rank = -1;
  for (const std::string& code : redraw.to) {
    auto drawn = grid(code);
    if (!drawn) return std::unexpected(std::move(drawn.error()));
    const bool inside = std::ranges::any_of(
        (*drawn)->boundary().polygons(),
        [&](const v1::Polygon& polygon) { return lies_in(polygon, latitude, longitude); });
    // A dedicated grid is cut out of those around it, and a new one out of the old.
    const int rank = ((*drawn)->type() == v1::GRID_TYPE_DEDICATED ? 2 : 0) +
                     (contains(redraw.from, code) ? 0 : 1);
    if (!inside || rank <= best_rank) continue;
    best = code;
    best_rank = rank;
  }
  return best;
}

Result<std::string> Placing::place(const Redraw& redraw, const KindSchema& kind,
                                   std::string_view body) {
  return place(redraw, kind, body, 0);
}

Result<std::string> Placing::place(const Redraw& redraw, const KindSchema& kind,
                                   std::string_view body, int depth) {
  if (redraw.to.size() == 1) return redraw.to.front();
  for (const FieldSchema& field : kind.fields) {
    if (std::ranges::find(kLandmarks, field.refers_to) == kLandmarks.end()) continue;
    const auto id = RecordId::from_bytes(text_of(body, field.number).value_or(""));
    if (!id || field.repeated) continue;
    auto there = with(redraw, {field.refers_to, *id}, depth);
    if (!there || !there->empty()) return there;
  }
  if (kind.id == kinds::kDispute) {
    auto there = with_parties(redraw, body, depth);
    if (!there || !there->empty()) return there;
  }
  const auto latitude = degrees(kind, body, "latitude");
  const auto longitude = degrees(kind, body, "longitude");
  if (latitude && longitude) {
    auto there = around(redraw, *latitude, *longitude);
    if (!there || !there->empty()) return there;
  }
  if (kind.id == kinds::kTask) {
    auto there = with_assignee(redraw, body);
    if (!there || !there->empty()) return there;
  }
  return redraw.rest;
}

// Where another record lies, or is going to: it may be moved later than what refers to it.
Result<std::string> Placing::with(const Redraw& redraw, const RecordKey& other, int depth) {
  if (depth == kDepthMax) return std::string();
  auto page = workspace_.open(other);
  if (!page) return std::unexpected(std::move(page.error()));
  const RecordState& state = (*page)->record.state;
  if (!state.exists || state.erased) return std::string();
  const std::string code = grid_named(workspace_.storage().county(), *(*page)->kind, state.body);
  if (contains(redraw.from, code)) return place(redraw, *(*page)->kind, state.body, depth + 1);
  return contains(redraw.to, code) ? code : std::string();
}

Result<std::string> Placing::with_parties(const Redraw& redraw, std::string_view dispute,
                                          int depth) {
  v1::Dispute record;
  if (!record.ParseFromArray(dispute.data(), static_cast<int>(dispute.size())))
    return std::string();
  for (const v1::DisputeParty& party : record.parties()) {
    const auto id = RecordId::from_bytes(party.resident());
    if (!id) continue;
    auto page = workspace_.open({kinds::kResident, *id});
    if (!page) return std::unexpected(std::move(page.error()));
    const RecordKey household = workspace_.parent_of(*(*page)->kind, (*page)->record.state.body);
    if (!household.kind) continue;
    auto there = with(redraw, household, depth);
    if (!there || !there->empty()) return there;
  }
  return std::string();
}

// Whoever is to do it has to see it; where they work in several of the grids nothing is known.
Result<std::string> Placing::with_assignee(const Redraw& redraw, std::string_view task) {
  const auto id = RecordId::from_bytes(text_of(task, fields::task::kAssignee).value_or(""));
  if (!id) return std::string();
  auto page = workspace_.open({kinds::kWorker, *id});
  if (!page) return std::unexpected(std::move(page.error()));
  v1::Worker worker;
  if (!worker.ParseFromString((*page)->record.state.body)) return std::string();
  std::set<std::string> grids;
  for (const v1::WorkerRole& role : worker.roles()) {
    const auto leaf = leaf_scope(workspace_.storage().county(), role.scope());
    const std::string code(leaf ? grid_of_leaf(*leaf) : std::string_view());
    if (contains(redraw.to, code)) grids.insert(code);
  }
  return grids.size() == 1 ? *grids.begin() : std::string();
}

Result<std::string> Placing::moves_to(const Redraw& redraw, std::string_view grid,
                                      const FeedEntry& line) {
  const KindSchema* kind = workspace_.schema().kind(line.key.kind);
  if (!line.in || kind == nullptr || kind->scope_field == 0) return std::string();
  auto page = workspace_.open(line.key);
  if (!page) return std::unexpected(std::move(page.error()));
  const RecordState& state = (*page)->record.state;
  // What was made since names the grid as it is drawn now.
  if (state.created > redraw.seq) return std::string();
  if (grid_named(workspace_.storage().county(), *kind, state.body) != grid) return std::string();
  auto there = place(redraw, *kind, state.body);
  return there && *there == grid ? std::string() : there;
}

Result<std::string> Placing::today(std::string code15, std::int64_t named_ms,
                                   const KindSchema& kind, std::string_view body) {
  for (std::size_t i = redraws_.first_for(code15, named_ms); i < redraws_.all().size(); ++i) {
    const Redraw& redraw = redraws_.all()[i];
    if (!contains(redraw.from, code15)) continue;
    auto there = place(redraw, kind, body);
    if (!there) return there;
    code15 = std::move(*there);
  }
  return code15;
}

}  // namespace gridwhistle

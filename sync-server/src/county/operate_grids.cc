#include <algorithm>
#include <set>

#include "access/grants.h"
#include "apply/limits.h"
#include "apply/redraw.h"
#include "base/line.h"
#include "county/impl.h"
#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/reference.pb.h"
#include "schema/fields.h"
#include "schema/kinds.h"

// Grids that are split or merged, and workers who take over from others.
namespace gridwhistle {

namespace {

constexpr std::string_view kRedrawsDone = "grid_redraws_done";
constexpr std::string_view kGridsDone = "grid_redraw_grids_done";
constexpr std::string_view kGridUpto = "grid_redraw_upto";

bool contains(const std::vector<std::string>& codes, std::string_view code) {
  return std::ranges::find(codes, code) != codes.end();
}

std::string joined(const std::vector<std::string>& codes) {
  std::string text;
  for (const std::string& code : codes) text += (text.empty() ? "" : ", ") + code;
  return text;
}

Result<void> invalid(const std::string& zh, const std::string& en) {
  return fail(ErrorCode::kInvalid, both(zh, en));
}

Result<void> check_once(const std::vector<std::string>& codes) {
  std::set<std::string> seen;
  for (const std::string& code : codes) {
    if (!seen.insert(code).second) {
      return invalid("网格 " + code + " 写了两次", "grid " + code + " is named twice");
    }
  }
  return {};
}

Result<void> check_words(const RedrawRequest& request) {
  if (auto once = check_once(request.from); !once) return once;
  if (auto once = check_once(request.to); !once) return once;
  if (request.from.empty() || request.to.empty()) {
    return invalid("须写明原网格和新网格", "name the grids of before and those of after");
  }
  if (std::ranges::is_permutation(request.from, request.to)) {
    return invalid("原网格和新网格相同", "the grids of before and after are the same");
  }
  if (!contains(request.to, request.rest)) {
    return invalid("接收其余记录的网格 " + request.rest + " 不是新网格之一",
                   "grid " + request.rest + ", which is to take the rest, is none of the new ones");
  }
  for (const auto& [worker, grids] : request.workers) {
    for (const std::string& grid : grids) {
      if (!contains(request.to, grid)) {
        return invalid("网格 " + grid + " 不是新网格之一",
                       "grid " + grid + " is none of the new ones");
      }
    }
  }
  return {};
}

// The redrawing that a grid ended with; null while it goes on.
const Redraw* ended_with(const Redraws& redraws, std::string_view code) {
  const Redraw* last = nullptr;
  for (const Redraw& redraw : redraws.all()) {
    if (contains(redraw.to, code))
      last = nullptr;
    else if (contains(redraw.from, code))
      last = &redraw;
  }
  return last;
}

bool is_known(const Redraws& redraws, const RedrawRequest& request) {
  return std::ranges::any_of(redraws.all(), [&](const Redraw& redraw) {
    return redraw.from == request.from && redraw.to == request.to && redraw.rest == request.rest &&
           std::ranges::all_of(redraw.from, [&](const std::string& code) {
             const Redraw* ended = ended_with(redraws, code);
             return ended == &redraw || (ended == nullptr && contains(redraw.to, code));
           });
  });
}

// One redrawing's reference: grids, roles, rules.
class Order {
 public:
  Order(Workspace& workspace, const RedrawRequest& request, RedrawReport& report)
      : workspace_(workspace), request_(request), report_(report) {}

  Result<void> run() {
    if (auto read = read_grids(); !read) return read;
    for (const std::string& code : request_.to) {
      if (auto checked = check_new(code); !checked) return checked;
    }
    for (const std::string& code : request_.from) {
      if (auto ended = change_old(code); !ended) return ended;
    }
    if (auto linked = note_lineage(); !linked) return linked;
    if (auto moved = move_micro_grids(); !moved) return moved;
    if (auto changed = change_roles(); !changed) return changed;
    return look_at_rules();
  }

 private:
  struct Known {
    RecordId id;
    v1::Grid grid;
  };

  Result<void> read_grids() {
    return workspace_.storage().scan(
        kinds::kGrid, [&](RecordId id, StoredRecord record) -> Result<void> {
          v1::Grid grid;
          if (record.state.erased || !grid.ParseFromString(record.state.body)) return {};
          const std::string code = grid.code15();
          grids_.insert_or_assign(code, Known{id, std::move(grid)});
          return {};
        });
  }

  Result<Known*> known(const std::string& code) {
    const auto found = grids_.find(code);
    if (found != grids_.end()) return &found->second;
    return fail(ErrorCode::kNotFound,
                both("没有网格 " + code + "；请先用 import 导入它和它的边界",
                     "there is no grid " + code + "; `import` it first, with its boundary"));
  }

  Result<void> check_new(const std::string& code) {
    auto grid = known(code);
    if (!grid) return std::unexpected(std::move(grid.error()));
    const v1::Grid& record = (*grid)->grid;
    if (record.has_valid_until_ms() && record.valid_until_ms() <= workspace_.now_ms()) {
      return fail(ErrorCode::kConflict,
                  both("网格 " + code + " 已停用", "grid " + code + " has ended"));
    }
    if (request_.to.size() == 1 || code == request_.rest) return {};
    if (record.boundary().polygons_size() > 0) return {};
    return invalid(
        "网格 " + code + " 没有边界，记录无从归入；请先导入边界",
        "grid " + code + " has no boundary, so nothing would lie in it; import it first");
  }

  template <typename Message>
  Result<void> write(RecordId id, const Message& message) {
    return workspace_.write_message({kind_of<Message>, id}, message, {}, workspace_.next_seq());
  }

  Result<void> change_old(const std::string& code) {
    auto grid = known(code);
    if (!grid) return std::unexpected(std::move(grid.error()));
    const v1::Grid& record = (*grid)->grid;
    const bool over = record.has_valid_until_ms() && record.valid_until_ms() <= workspace_.now_ms();
    if (contains(request_.to, code) || over) return {};
    v1::Grid ended;
    ended.set_valid_until_ms(workspace_.now_ms());
    return write((*grid)->id, ended);
  }

  Result<void> note_lineage() {
    for (const std::string& code : request_.to) {
      const Known& grid = grids_.at(code);
      std::vector<std::string> lineage(grid.grid.predecessors().begin(),
                                       grid.grid.predecessors().end());
      for (const std::string& old : request_.from) {
        if (old != code && !contains(lineage, old)) lineage.push_back(old);
      }
      v1::Grid drawn;
      drawn.mutable_predecessors()->Assign(lineage.begin(), lineage.end());
      if (lineage.empty()) continue;
      if (auto written = write(grid.id, drawn); !written) return written;
    }
    return {};
  }

  // A micro-grid keeps its code and its records; it is part of the grid that it lies in now.
  Result<void> move_micro_grids() {
    const Redraw redraw{
        .seq = {}, .at_ms = 0, .from = request_.from, .to = request_.to, .rest = request_.rest};
    const Redraws none;
    Placing placing(workspace_, none);
    for (const auto& [code, micro] : grids_) {
      if (!contains(request_.from, micro.grid.parent15())) continue;
      auto around =
          placing.around(redraw, micro.grid.center_latitude(), micro.grid.center_longitude());
      if (!around) return std::unexpected(std::move(around.error()));
      const std::string& parent = around->empty() ? request_.rest : *around;
      if (parent == micro.grid.parent15() || parent == code) continue;
      v1::Grid moved;
      moved.set_parent15(parent);
      if (auto written = write(micro.id, moved); !written) return written;
    }
    return {};
  }

  Result<void> change_roles() {
    std::vector<std::pair<RecordId, v1::Worker>> changed;
    const auto read = workspace_.storage().scan(
        kinds::kWorker, [&](RecordId id, StoredRecord record) -> Result<void> {
          v1::Worker worker;
          if (record.state.erased || has_left(record.state.body, workspace_.now_ms()) ||
              !worker.ParseFromString(record.state.body)) {
            return {};
          }
          const auto named = request_.workers.find(id);
          const auto& grids = named == request_.workers.end() ? request_.to : named->second;
          if (move_roles(worker, grids)) changed.emplace_back(id, std::move(worker));
          return {};
        });
    if (!read) return read;
    for (const auto& [id, worker] : changed) {
      v1::Worker roles;
      *roles.mutable_roles() = worker.roles();
      if (auto written = write(id, roles); !written) return written;
      report_.workers.push_back(id);
    }
    for (const auto& [id, grids] : request_.workers) {
      if (std::ranges::find(report_.workers, id) != report_.workers.end()) continue;
      auto page = workspace_.open({kinds::kWorker, id});
      if (!page) return std::unexpected(std::move(page.error()));
      v1::Worker worker;
      worker.ParseFromString((*page)->record.state.body);
      const std::string old = joined(request_.from);
      return invalid("人员 " + worker.code() + " 在网格 " + old + " 没有角色",
                     "worker " + worker.code() + " has no role in grid " + old);
    }
    return {};
  }

  // Each role in an old grid becomes one in each of the new ones; whether there was any.
  bool move_roles(v1::Worker& worker, const std::vector<std::string>& grids) const {
    v1::Worker after;
    bool any = false;
    const auto add = [&](const v1::WorkerRole& role) {
      const std::string bytes = role.SerializeAsString();
      const bool there = std::ranges::any_of(
          after.roles(), [&](const auto& held) { return held.SerializeAsString() == bytes; });
      if (!there) *after.add_roles() = role;
    };
    for (const v1::WorkerRole& role : worker.roles()) {
      const auto leaf = leaf_scope(workspace_.storage().county(), role.scope());
      const bool over = role.has_until_ms() && role.until_ms() <= workspace_.now_ms();
      if (over || !leaf || !contains(request_.from, grid_of_leaf(*leaf))) {
        add(role);
        continue;
      }
      any = true;
      for (const std::string& grid : grids) {
        v1::WorkerRole there = role;
        there.set_scope(grid);
        add(there);
      }
    }
    *worker.mutable_roles() = after.roles();
    return any;
  }

  Result<void> look_at_rules() {
    return workspace_.storage().scan(
        kinds::kRoutingRule, [&](RecordId, StoredRecord record) -> Result<void> {
          v1::RoutingRule rule;
          if (record.state.erased || !rule.ParseFromString(record.state.body)) return {};
          const bool over =
              rule.has_valid_until_ms() && rule.valid_until_ms() <= workspace_.now_ms();
          if (!over && contains(request_.from, rule.area_prefix())) {
            report_.rules.push_back(rule.code());
          }
          return {};
        });
  }

  Workspace& workspace_;
  const RedrawRequest& request_;
  RedrawReport& report_;
  std::map<std::string, Known> grids_;
};

}  // namespace

Result<void> County::Impl::read_redraw_progress() {
  for (const auto& [fact, into] :
       {std::pair{kRedrawsDone, &redrawn.redraws}, std::pair{kGridsDone, &redrawn.grids}}) {
    auto number = number_noted(fact);
    if (!number) return std::unexpected(std::move(number.error()));
    *into = static_cast<std::size_t>(*number);
  }
  auto upto = number_noted(kGridUpto);
  if (!upto) return std::unexpected(std::move(upto.error()));
  redrawn.upto = Seq(static_cast<std::uint64_t>(*upto));
  return {};
}

Result<bool> County::Impl::move_redrawn() {
  auto redraws = applier.redraws();
  if (!redraws) return std::unexpected(noted(redraws.error()));
  if (redrawn.redraws >= (*redraws)->all().size()) return false;
  const Redraw redraw = (*redraws)->all()[redrawn.redraws];
  auto after = in_quiet_batch([&]() -> Result<RedrawProgress> {
    auto moved = applier.move_redrawn(redraw, redraw.from[redrawn.grids], redrawn.upto, now_ms());
    if (!moved) return std::unexpected(std::move(moved.error()));
    RedrawProgress next{redrawn.redraws, redrawn.grids, moved->upto};
    if (moved->all) next = {redrawn.redraws, redrawn.grids + 1, Seq()};
    if (next.grids == redraw.from.size()) next = {redrawn.redraws + 1, 0, Seq()};
    for (const auto& [fact, number] : {std::pair{kRedrawsDone, std::uint64_t{next.redraws}},
                                       std::pair{kGridsDone, std::uint64_t{next.grids}},
                                       std::pair{kGridUpto, next.upto.value}}) {
      if (auto set = storage->set_fact(fact, std::to_string(number)); !set) {
        return std::unexpected(set.error());
      }
    }
    return next;
  });
  if (!after) return std::unexpected(std::move(after.error()));
  redrawn = *after;
  return true;
}

Result<void> County::Impl::order_redraw(const RedrawRequest& request, RedrawReport& report) {
  auto redraws = applier.redraws();
  if (!redraws) return std::unexpected(std::move(redraws.error()));
  if (is_known(**redraws, request)) {
    report.known = true;
    return {};
  }
  for (const std::string& code : request.from) {
    const Redraw* ended = ended_with(**redraws, code);
    if (ended == nullptr) continue;
    const std::string to = joined(ended->to);
    return fail(ErrorCode::kConflict, both("网格 " + code + " 已调整为 " + to,
                                           "grid " + code + " was redrawn into " + to + " before"));
  }
  Workspace workspace(*storage, schema, now_ms());
  if (auto ordered = Order(workspace, request, report).run(); !ordered) return ordered;
  if (auto done = applier.finish(workspace); !done) return done;
  const Redraw redraw{.seq = storage->last_seq(),
                      .at_ms = now_ms(),
                      .from = request.from,
                      .to = request.to,
                      .rest = request.rest};
  for (const std::string& grid : request.from) {
    Seq upto;
    for (;;) {
      auto lines = lines_of_grid(*storage, grid, upto, limits::kRedrawnAtOnce);
      if (!lines) return std::unexpected(std::move(lines.error()));
      if (lines->empty()) break;
      upto = lines->back().seq;
      Workspace reading(*storage, schema, now_ms());
      Placing placing(reading, **redraws);
      for (const FeedEntry& line : *lines) {
        auto there = placing.moves_to(redraw, grid, line);
        if (!there) return std::unexpected(std::move(there.error()));
        if (there->empty()) continue;
        auto page = reading.open(line.key);
        if (page && !(*page)->record.state.erased) ++report.records[{*there, line.key.kind}];
      }
    }
  }
  return applier.redraw(redraw);
}

Result<RedrawReport> County::redraw_grids(const RedrawRequest& request, std::string_view by,
                                          bool dry_run) {
  Impl& impl = *impl_;
  if (auto fine = check_words(request); !fine) return std::unexpected(std::move(fine.error()));
  RedrawReport report;
  if (dry_run) {
    if (auto begun = impl.begin(); !begun) return std::unexpected(begun.error());
    const auto tried = impl.order_redraw(request, report);
    impl.storage->rollback();
    impl.applier.rolled_back();
    if (!tried) return std::unexpected(tried.error());
    return report;
  }
  const auto ordered = impl.in_batch([&]() -> Result<void> {
    if (auto done = impl.order_redraw(request, report); !done || report.known) return done;
    return impl.audit(by, "grids " + joined(request.from) + " redrawn into " + joined(request.to) +
                              ", the rest to " + request.rest + "; roles of " +
                              std::to_string(report.workers.size()) + " workers");
  });
  if (!ordered) return std::unexpected(ordered.error());
  while (!impl.options.serves) {
    auto more = impl.move_redrawn();
    if (!more) return std::unexpected(std::move(more.error()));
    if (!*more) break;
  }
  return report;
}

}  // namespace gridwhistle

#include <algorithm>

#include "access/grants.h"
#include "apply/redraw.h"
#include "base/line.h"
#include "county/impl.h"
#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/reference.pb.h"
#include "schema/fields.h"
#include "schema/kinds.h"

// A worker who takes over from another.
namespace gridwhistle {

namespace {

bool contains(const std::vector<std::string>& codes, std::string_view code) {
  return std::ranges::find(codes, code) != codes.end();
}

Result<v1::Worker> worker_in(Workspace& workspace, RecordId id) {
  auto page = workspace.open({kinds::kWorker, id});
  if (!page) return std::unexpected(std::move(page.error()));
  const RecordState& state = (*page)->record.state;
  v1::Worker worker;
  if (!state.exists || state.erased || !worker.ParseFromString(state.body)) {
    return fail(ErrorCode::kNotFound, both("没有这个人员", "there is no such worker"));
  }
  return worker;
}

// One worker's grids, and what is given to them by name there, on their way to another.
class Handover {
 public:
  Handover(Workspace& workspace, RecordId from, RecordId to, const std::vector<std::string>& grids)
      : workspace_(workspace), from_(from), to_(to), wanted_(grids) {}

  Result<HandoverReport> run() {
    if (auto moved = move_roles(); !moved) return std::unexpected(moved.error());
    if (auto moved = move_tasks(); !moved) return std::unexpected(moved.error());
    if (auto moved = move_care_plans(); !moved) return std::unexpected(moved.error());
    return std::move(report_);
  }

 private:
  Result<void> move_roles() {
    auto giver = worker_in(workspace_, from_);
    if (!giver) return std::unexpected(std::move(giver.error()));
    auto taker = worker_in(workspace_, to_);
    if (!taker) return std::unexpected(std::move(taker.error()));
    if (from_ == to_)
      return fail(ErrorCode::kInvalid, both("这是同一人员", "this is one and the same worker"));
    if (has_left(taker->SerializeAsString(), workspace_.now_ms())) {
      return fail(ErrorCode::kConflict, both("人员 " + taker->code() + " 已离职",
                                             "worker " + taker->code() + " has left"));
    }
    v1::Worker kept;
    v1::Worker taken;
    *taken.mutable_roles() = taker->roles();
    for (const v1::WorkerRole& role : giver->roles()) {
      const auto leaf = leaf_scope(workspace_.storage().county(), role.scope());
      const std::string grid(leaf ? grid_of_leaf(*leaf) : std::string_view());
      const bool over = role.has_until_ms() && role.until_ms() <= workspace_.now_ms();
      if (over || grid.empty() || (!wanted_.empty() && !contains(wanted_, grid))) {
        *kept.add_roles() = role;
        keeps_none_ &= over;
        continue;
      }
      ++report_.roles;
      if (!contains(report_.grids, grid)) report_.grids.push_back(grid);
      const std::string bytes = role.SerializeAsString();
      const bool held = std::ranges::any_of(
          taken.roles(), [&](const auto& other) { return other.SerializeAsString() == bytes; });
      if (!held) *taken.add_roles() = role;
    }
    for (const std::string& grid : wanted_) {
      if (contains(report_.grids, grid)) continue;
      return fail(ErrorCode::kInvalid,
                  both("人员 " + giver->code() + " 在网格 " + grid + " 没有角色",
                       "worker " + giver->code() + " has no role in grid " + grid));
    }
    if (report_.roles == 0) {
      return fail(ErrorCode::kInvalid,
                  both("人员 " + giver->code() + " 没有网格角色",
                       "worker " + giver->code() + " has no role in any grid"));
    }
    if (auto written = write_roles(from_, kept); !written) return written;
    return write_roles(to_, taken);
  }

  Result<void> write_roles(RecordId worker, const v1::Worker& roles) {
    std::vector<std::uint32_t> clear;
    if (roles.roles().empty()) clear.push_back(fields::worker::kRoles);
    return workspace_.write_message({kinds::kWorker, worker}, roles, clear, workspace_.next_seq());
  }

  // With the last role go the tasks of wider areas, too: nobody else would do them.
  Result<void> move_tasks() {
    return give<v1::Task>(
        [&](const v1::Task& task, bool there) {
          const bool open = !task.has_state() || task.state() == v1::TASK_STATE_OPEN;
          return open && task.assignee() == from_.bytes() && (there || keeps_none_);
        },
        [&](v1::Task& task) { task.set_assignee(std::string(to_.bytes())); }, report_.tasks);
  }

  Result<void> move_care_plans() {
    return give<v1::CarePlan>(
        [&](const v1::CarePlan& plan, bool there) {
          return there && !plan.has_ended_ms() && plan.care_worker() == from_.bytes();
        },
        [&](v1::CarePlan& plan) { plan.set_care_worker(std::string(to_.bytes())); },
        report_.care_plans);
  }

  template <typename Message, typename Goes, typename Give>
  Result<void> give(Goes goes, Give give, std::uint64_t& count) {
    std::vector<RecordKey> keys;
    const auto looked = workspace_.storage().scan(
        kind_of<Message>, [&](RecordId id, StoredRecord record) -> Result<void> {
          Message message;
          if (record.state.erased || !message.ParseFromString(record.state.body)) return {};
          const bool there = std::ranges::any_of(record.memberships, [&](const Membership& m) {
            return m.in &&
                   contains(report_.grids, grid_of_leaf(workspace_.storage().scope_name(m.scope)));
          });
          if (goes(message, there)) keys.push_back({kind_of<Message>, id});
          return {};
        });
    if (!looked) return looked;
    for (const RecordKey& key : keys) {
      Message given;
      give(given);
      auto written = workspace_.write_message(key, given, {}, workspace_.next_seq());
      if (!written) return written;
    }
    count = keys.size();
    return {};
  }

  Workspace& workspace_;
  const RecordId from_;
  const RecordId to_;
  const std::vector<std::string>& wanted_;
  bool keeps_none_ = true;  ///< no role in force is left to the one before
  HandoverReport report_;
};

}  // namespace

Result<HandoverReport> County::hand_over(RecordId from, RecordId to,
                                         const std::vector<std::string>& grids,
                                         std::string_view by) {
  Impl& impl = *impl_;
  return impl.in_batch([&]() -> Result<HandoverReport> {
    Workspace workspace(*impl.storage, impl.schema, impl.now_ms());
    auto report = Handover(workspace, from, to, grids).run();
    if (!report) return report;
    if (auto done = impl.applier.finish(workspace); !done) return std::unexpected(done.error());
    std::string codes;
    for (const std::string& grid : report->grids) codes += (codes.empty() ? "" : ", ") + grid;
    auto noted = impl.audit(by, "grids " + codes + " handed over from worker " + from.text() +
                                    " to worker " + to.text());
    if (!noted) return std::unexpected(noted.error());
    return report;
  });
}

}  // namespace gridwhistle

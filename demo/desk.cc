#include "desk.h"

#include <functional>
#include <optional>
#include <string>

#include "gridwhistle/road.h"

namespace gridwhistle::demo {

namespace {

// The same whistle always meets with the same fate, whoever looks.
bool one_in(const v1::Whistle& whistle, std::uint32_t many, std::uint32_t which) {
  std::uint32_t sum = 2166136261U;
  for (const char c : whistle.number()) sum = (sum ^ static_cast<unsigned char>(c)) * 16777619U;
  return (sum >> 7) % many == which;
}

bool has_action(const Road& road, v1::WhistleActionType type) {
  for (const auto& action : road.actions) {
    if (action.record.type() == type) return true;
  }
  return false;
}

v1::WhistleAction step(v1::WhistleActionType type, const char* note) {
  v1::WhistleAction action;
  action.set_type(type);
  action.set_note(note);
  return action;
}

std::uint32_t roles_of(Phone& phone) {
  std::uint32_t roles = 0;
  for (const v1::WorkerRole& role : phone.worker().roles()) roles |= 1U << role.role();
  return roles;
}

class Desk {
 public:
  Desk(Phone& phone, const Road& road)
      : phone_(phone), road_(road), whistle_(road.whistle.record), roles_(roles_of(phone)) {}

  // The next step, if this worker has one.
  std::optional<v1::WhistleAction> next() const {
    if (holds(v1::ROLE_DEPARTMENT)) return department();
    if (holds(v1::ROLE_TOWN_ACCEPTOR)) return acceptor();
    if (holds(v1::ROLE_RETURN_VISITOR)) return visitor();
    if (holds(v1::ROLE_SUPERVISOR)) return supervisor();
    return std::nullopt;
  }

 private:
  bool holds(v1::Role role) const { return (roles_ & (1U << role)) != 0; }

  std::optional<v1::WhistleAction> acceptor() const {
    switch (road_.proposed) {
      case v1::WHISTLE_STATE_REPORTED:
      case v1::WHISTLE_STATE_VERIFYING:
        if (one_in(whistle_, 23, 0) && !whistle_.emergency()) {
          auto refusal = step(v1::WHISTLE_ACTION_TYPE_REFUSE, "属于当事人之间的私事。");
          refusal.set_reason(v1::REFUSAL_REASON_NOT_PUBLIC);
          return refusal;
        }
        return step(v1::WHISTLE_ACTION_TYPE_ACCEPT, "情况属实，受理。");
      case v1::WHISTLE_STATE_HANDLED_ON_SPOT:
        if (whistle_.accepted_ms() != 0 || has_action(road_, v1::WHISTLE_ACTION_TYPE_ACCEPT)) break;
        return step(v1::WHISTLE_ACTION_TYPE_ACCEPT, "就地办结属实。");
      case v1::WHISTLE_STATE_ACCEPTED:
        return step(v1::WHISTLE_ACTION_TYPE_BLOW, "需部门到场，吹哨。");
      case v1::WHISTLE_STATE_REPORTED_BACK:
        if (one_in(whistle_, 9, 4) && !has_action(road_, v1::WHISTLE_ACTION_TYPE_REJECT)) {
          return step(v1::WHISTLE_ACTION_TYPE_REJECT, "现场仍有残留，返工。");
        }
        return step(v1::WHISTLE_ACTION_TYPE_CHECK, "现场核查，处置到位。");
      case v1::WHISTLE_STATE_CHECKING:
        return step(v1::WHISTLE_ACTION_TYPE_REVIEW, "材料齐全，转回访。");
      default:
        break;
    }
    return std::nullopt;
  }

  std::optional<v1::WhistleAction> department() const {
    for (const RoadPart& part : road_.parts) {
      const v1::Assignment& assignment = part.assignment.record;
      if (assignment.organisation() != phone_.worker().organisation()) continue;
      auto action = department_step(part, assignment);
      if (!action) continue;
      action->set_assignment(assignment.id());
      return action;
    }
    return std::nullopt;
  }

  std::optional<v1::WhistleAction> department_step(const RoadPart& part,
                                                   const v1::Assignment& assignment) const {
    switch (part.proposed) {
      case v1::ASSIGNMENT_STATE_ASSIGNED:
        if (assignment.part() == v1::ASSIGNMENT_PART_LEAD && one_in(whistle_, 13, 5) &&
            !has_action(road_, v1::WHISTLE_ACTION_TYPE_OBJECT)) {
          return step(v1::WHISTLE_ACTION_TYPE_OBJECT, "该路段已移交，请核对权属。");
        } else {
          auto here = step(v1::WHISTLE_ACTION_TYPE_CHECK_IN, "已到现场。");
          here.set_on_site(true);
          return here;
        }
      case v1::ASSIGNMENT_STATE_CHECKED_IN:
        return step(v1::WHISTLE_ACTION_TYPE_START, "开始处置。");
      case v1::ASSIGNMENT_STATE_HANDLING:
        if (assignment.part() == v1::ASSIGNMENT_PART_LEAD && !co_departments_done()) break;
        return step(v1::WHISTLE_ACTION_TYPE_REPORT_BACK, "处置完毕，请核查。");
      default:
        break;
    }
    return std::nullopt;
  }

  bool co_departments_done() const {
    for (const RoadPart& part : road_.parts) {
      if (part.assignment.record.part() != v1::ASSIGNMENT_PART_CO) continue;
      if (part.proposed != v1::ASSIGNMENT_STATE_REPORTED_BACK &&
          part.proposed != v1::ASSIGNMENT_STATE_OBJECTED &&
          part.proposed != v1::ASSIGNMENT_STATE_WITHDRAWN) {
        return false;
      }
    }
    return true;
  }

  std::optional<v1::WhistleAction> visitor() const {
    const bool settled_on_spot =
        road_.proposed == v1::WHISTLE_STATE_HANDLED_ON_SPOT && whistle_.accepted_ms() != 0;
    if (road_.proposed != v1::WHISTLE_STATE_RETURN_VISIT && !settled_on_spot) return std::nullopt;
    auto visit = step(v1::WHISTLE_ACTION_TYPE_RETURN_VISIT, "电话回访。");
    if (one_in(whistle_, 11, 2) && !has_action(road_, v1::WHISTLE_ACTION_TYPE_RETURN_VISIT)) {
      visit.set_return_visit_result(v1::RETURN_VISIT_RESULT_NOT_REACHED);
    } else if (one_in(whistle_, 10, 3)) {
      visit.set_return_visit_result(v1::RETURN_VISIT_RESULT_DISSATISFIED);
    } else {
      visit.set_return_visit_result(v1::RETURN_VISIT_RESULT_SATISFIED);
    }
    return visit;
  }

  std::optional<v1::WhistleAction> supervisor() const {
    if (!one_in(whistle_, 7, 1) || road_.proposed != v1::WHISTLE_STATE_HANDLING)
      return std::nullopt;
    if (whistle_.supervised() || has_action(road_, v1::WHISTLE_ACTION_TYPE_SUPERVISE))
      return std::nullopt;
    return step(v1::WHISTLE_ACTION_TYPE_SUPERVISE, "列入督办。");
  }

  Phone& phone_;
  const Road& road_;
  const v1::Whistle& whistle_;
  std::uint32_t roles_;
};

// Whether a look at the whole road is worth it.
bool concerns(std::uint32_t roles, v1::WhistleState state) {
  switch (state) {
    case v1::WHISTLE_STATE_REPORTED:
    case v1::WHISTLE_STATE_VERIFYING:
    case v1::WHISTLE_STATE_ACCEPTED:
    case v1::WHISTLE_STATE_REPORTED_BACK:
    case v1::WHISTLE_STATE_CHECKING:
      return (roles & (1U << v1::ROLE_TOWN_ACCEPTOR)) != 0;
    case v1::WHISTLE_STATE_HANDLED_ON_SPOT:
      return (roles & (1U << v1::ROLE_TOWN_ACCEPTOR | 1U << v1::ROLE_RETURN_VISITOR)) != 0;
    case v1::WHISTLE_STATE_RETURN_VISIT:
      return (roles & (1U << v1::ROLE_RETURN_VISITOR)) != 0;
    case v1::WHISTLE_STATE_ASSIGNED:
    case v1::WHISTLE_STATE_CHECKED_IN:
      return (roles & (1U << v1::ROLE_DEPARTMENT)) != 0;
    case v1::WHISTLE_STATE_HANDLING:
      return (roles & (1U << v1::ROLE_DEPARTMENT | 1U << v1::ROLE_SUPERVISOR)) != 0;
    default:
      return false;
  }
}

}  // namespace

Result<std::uint64_t> work_on(Phone& phone, const RecordId& whistle) {
  constexpr std::uint64_t kStepsMax = 8;
  std::uint64_t steps = 0;
  while (steps < kStepsMax) {
    const auto road = phone.client().road(whistle);
    if (!road) return std::unexpected(road.error());
    auto action = Desk(phone, *road).next();
    if (!action) break;
    action->set_whistle(std::string(whistle.bytes()));
    const auto done = phone.act(std::move(*action));
    // What this phone can see to be impossible waits until it has seen more.
    if (!done && done.error().code == ErrorCode::kConflict) break;
    if (!done) return std::unexpected(done.error());
    ++steps;
  }
  return steps;
}

Result<std::uint64_t> work_through(Phone& phone) {
  const std::uint32_t roles = roles_of(phone);
  const auto whistles = phone.client().query<v1::Whistle>(Query().first(5000));
  if (!whistles) return std::unexpected(whistles.error());
  std::uint64_t steps = 0;
  for (const auto& whistle : *whistles) {
    if (!concerns(roles, whistle.record.state())) continue;
    const auto taken = work_on(phone, whistle.info.id);
    if (!taken) return taken;
    steps += *taken;
  }
  return steps;
}

Result<RecordId> check_in_first(Phone& phone) {
  const auto assignments = phone.client().query<v1::Assignment>(
      Query()
          .is("organisation", phone.worker().organisation())
          .is("state", std::int64_t{v1::ASSIGNMENT_STATE_ASSIGNED})
          .first(1));
  if (!assignments) return std::unexpected(assignments.error());
  if (assignments->empty()) return fail(ErrorCode::kNotFound, "nothing is assigned here");
  auto action = step(v1::WHISTLE_ACTION_TYPE_CHECK_IN, "两人同时到场。");
  action.set_whistle(assignments->front().record.whistle());
  action.set_assignment(assignments->front().record.id());
  action.set_on_site(true);
  return phone.act(std::move(action));
}

}  // namespace gridwhistle::demo

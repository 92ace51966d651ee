#pragma once

#include "model/workflow.h"

namespace gridwhistle {

/// Made-up ids: `a_id(7)` is always the same one.
RecordId a_id(std::uint64_t number);

// Who and what the tests are about.
inline const RecordId kWhistle = a_id(1);
inline const RecordId kReporter = a_id(2);
inline const RecordId kVillageCentre = a_id(10);
inline const RecordId kTownCentre = a_id(11);
inline const RecordId kCountyCentre = a_id(12);
inline const RecordId kWaterworks = a_id(20);
inline const RecordId kPolice = a_id(21);
inline const RecordId kForestry = a_id(22);
inline const RecordId kLeadPart = a_id(30);
inline const RecordId kCoPart = a_id(31);
inline const RecordId kOtherCoPart = a_id(32);
inline const RecordId kClerk = a_id(40);
inline const RecordId kOfficer = a_id(41);
inline constexpr std::int64_t kNow = 1'800'000'000'000;
inline constexpr std::int64_t kDay = 86'400'000;

/// A case and an action on it that is not hindered by anything but the table.
struct Scene {
  WhistleCase whistle;
  ProposedAction action;
};

/// A whistle in this state, come there as it does in life: with its assignments.
WhistleCase whistle_in(WhistleState state);

/// A whistle whose lead's assignment is in this state.
WhistleCase whistle_with_lead_in(AssignmentState state);

/// The action by a clerk of the town, on nothing in particular, as the first of its author.
ProposedAction action_on(const WhistleCase& whistle, WhistleActionType type, RoleSet roles);

/// Makes the guard hold, or fail, changing as little as possible else.
void satisfy(Guard guard, Scene& scene);
void violate(Guard guard, Scene& scene);

/// Decides and goes on with the result, demanding that it is accepted.
void must(WhistleCase& whistle, const ProposedAction& action);

}  // namespace gridwhistle

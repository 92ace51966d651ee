#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

// The words of the whistle's road, as the rules use them. Names and numbers are those of
// proto/gridwhistle/v1/workflow.proto, which says what each means; 0 is "not known to this build".
namespace gridwhistle {

enum class WhistleState : std::uint8_t {
  kUnspecified,
  kReported,
  kVerifying,
  kAccepted,
  kRefused,
  kMerged,
  kHandledOnSpot,
  kWhistled,
  kAssigned,
  kCheckedIn,
  kHandling,
  kReportedBack,
  kExtended,
  kSuspended,
  kChecking,
  kReturnVisit,
  kClosed,
  kVoid,
};
inline constexpr int kWhistleStateCount = 17;

enum class AssignmentState : std::uint8_t {
  kUnspecified,
  kAssigned,
  kObjected,
  kCheckedIn,
  kHandling,
  kExtended,
  kSuspended,
  kReportedBack,
  kWithdrawn,
};
inline constexpr int kAssignmentStateCount = 8;

enum class WhistleActionType : std::uint8_t {
  kUnspecified,
  kAccept,
  kRefuse,
  kMerge,
  kHandleOnSpot,
  kBlow,
  kAssign,
  kObject,
  kCheckIn,
  kStart,
  kReportBack,
  kRequestExtension,
  kGrantExtension,
  kRequestSuspension,
  kGrantSuspension,
  kResume,
  kCheck,
  kReject,
  kReturnVisit,
  kReview,
  kUnmerge,
  kJointMeeting,
  kPullUp,
  kPushDown,
  kSupervise,
  kLiftSupervision,
  kReopen,
  kVoid,
  kVerify,
  kComment,
};
inline constexpr int kWhistleActionTypeCount = 29;

enum class WhistleClass : std::uint8_t { kUnspecified, kRoutine, kKey, kDifficult };

enum class Level : std::uint8_t { kUnspecified, kVillage, kTown, kCounty, kCity };

enum class Role : std::uint8_t {
  kUnspecified,
  kGridWorker,
  kCareWorker,
  kMicroContact,
  kVolunteer,
  kVillageAcceptor,
  kTownAcceptor,
  kDispatcher,
  kSupervisor,
  kDepartment,
  kMediator,
  kReturnVisitor,
  kOperator,
};
inline constexpr int kRoleCount = 12;

enum class AssignmentPart : std::uint8_t { kUnspecified, kLead, kCo };

enum class Source : std::uint8_t {
  kUnspecified,
  kWorker,
  kResident,
  kHotline,
  kPlatform,
  kVolunteer,
};

enum class RefusalReason : std::uint8_t {
  kUnspecified,
  kNotPublic,
  kLegalProcedure,
  kNotVerified,
  kOutsideArea,
  kInsufficient,
  kAlreadySettled,
};

enum class ReturnVisitResult : std::uint8_t {
  kUnspecified,
  kSatisfied,
  kDissatisfied,
  kUnresolved,
  kNotReached,
};

enum class ClosingReason : std::uint8_t { kUnspecified, kReturnVisit, kNotReached };

/// Some of an enum's values, a bit each: 1 << number. `Set<Role>` has the bits of
/// `v1::Grant.roles`.
template <typename Enum>
class Set {
 public:
  constexpr Set() = default;
  constexpr Set(std::initializer_list<Enum> values) {
    for (const Enum value : values) bits_ |= bit(value);
  }
  static constexpr Set of_bits(std::uint64_t bits) {
    Set set;
    set.bits_ = bits;
    return set;
  }

  constexpr bool has(Enum value) const { return (bits_ & bit(value)) != 0; }
  constexpr bool meets(Set other) const { return (bits_ & other.bits_) != 0; }
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr Set without(Set other) const { return of_bits(bits_ & ~other.bits_); }
  constexpr bool operator==(const Set&) const = default;

 private:
  static constexpr std::uint64_t bit(Enum value) {
    return std::uint64_t{1} << static_cast<unsigned>(value);
  }
  std::uint64_t bits_ = 0;
};

using RoleSet = Set<Role>;

/// Bit 0 of a role set: the server itself, acting by a rule (a routing rule, a date, a limit). No
/// grant carries it: whoever fills a role set from outside must leave it out.
inline constexpr Role kServerRole = Role::kUnspecified;

/// A word's stable name as in the proto and the documents, "HANDLED_ON_SPOT". Empty for a number
/// that this build does not know. The server's role is "SERVER".
std::string_view name_of(WhistleState state);
std::string_view name_of(AssignmentState state);
std::string_view name_of(WhistleActionType type);
std::string_view name_of(Role role);

}  // namespace gridwhistle

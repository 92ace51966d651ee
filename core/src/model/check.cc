#include "model/fields.h"
#include "model/merge.h"

namespace gridwhistle {
namespace {

std::unexpected<Error> refused(const KindSchema& kind, std::uint32_t number, ErrorCode code,
                               std::string_view why) {
  const FieldSchema* field = kind.field(number);
  const std::string name = field != nullptr ? std::string(field->name) : std::to_string(number);
  std::string what = std::string(kind.name) + "." + name + " " + std::string(why);
  return fail(code, what, what);
}

Result<void> check_clear(const KindSchema& kind, std::uint32_t number) {
  const FieldSchema* field = kind.field(number);
  if (field == nullptr) return {};
  if (field->required) return refused(kind, number, ErrorCode::kInvalid, "cannot be emptied");
  switch (field->merge) {
    case MergePolicy::kServer:
      return refused(kind, number, ErrorCode::kForbidden, "is written by the server alone");
    case MergePolicy::kImmutable:
      return refused(kind, number, ErrorCode::kForbidden, "never changes once it is recorded");
    case MergePolicy::kAppend:
      return refused(kind, number, ErrorCode::kInvalid, "is a log, and nothing leaves it");
    case MergePolicy::kLww:
    case MergePolicy::kSet:
      return {};
  }
  return {};
}

}  // namespace

Result<void> check_device_write(const KindSchema& kind, const Operation& operation) {
  if (kind.server_written) {
    std::string what = std::string(kind.name) + " is written by the server alone";
    return fail(ErrorCode::kForbidden, what, what);
  }
  if (operation.type == OperationType::kErase) return check_erasure(kind);
  FieldCursor given(operation.set);
  for (const FieldSchema& field : kind.fields) {
    if (field.merge == MergePolicy::kServer && !given.entries(field.number).empty()) {
      return refused(kind, field.number, ErrorCode::kForbidden, "is written by the server alone");
    }
  }
  if (auto possible = check_values(kind, operation.set); !possible) return possible;
  for (const std::uint32_t number : operation.clear) {
    if (auto allowed = check_clear(kind, number); !allowed) return allowed;
  }
  for (const FieldView& field : fields_of(operation.remove)) {
    if (policy_of(kind, field.number) != MergePolicy::kSet) {
      return refused(kind, field.number, ErrorCode::kInvalid, "is not a set to remove from");
    }
  }
  return {};
}

Result<void> check_erasure(const KindSchema& kind) {
  if (!kind.never_erased) return {};
  std::string what = std::string(kind.name) + " is never erased; what is wrong is made void";
  return fail(ErrorCode::kForbidden, what, what);
}

Result<void> check_required(const KindSchema& kind, std::string_view body) {
  FieldCursor present(body);
  for (const FieldSchema& field : kind.fields) {
    if (field.required && field.number != 1 && present.entries(field.number).empty()) {
      return refused(kind, field.number, ErrorCode::kInvalid, "is required");
    }
  }
  return {};
}

}  // namespace gridwhistle

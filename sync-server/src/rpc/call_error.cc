#include "rpc/call_error.h"

#include <string>

#include "base/rpc_names.h"

namespace gridwhistle::rpc {
namespace {

grpc::StatusCode status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
    case ErrorCode::kProtocol:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case ErrorCode::kTooLarge:
    case ErrorCode::kTooMany:
    case ErrorCode::kBusy:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case ErrorCode::kUnavailable:
    case ErrorCode::kClosed:
      return grpc::StatusCode::UNAVAILABLE;
    case ErrorCode::kTimeout:
      return grpc::StatusCode::DEADLINE_EXCEEDED;
    case ErrorCode::kUnsupported:
      return grpc::StatusCode::UNIMPLEMENTED;
    case ErrorCode::kNotEnrolled:
    case ErrorCode::kRevoked:
    case ErrorCode::kDeviceLost:
    case ErrorCode::kBadSignature:
    case ErrorCode::kReplayed:
      return grpc::StatusCode::UNAUTHENTICATED;
    case ErrorCode::kForbidden:
    case ErrorCode::kOutOfScope:
      return grpc::StatusCode::PERMISSION_DENIED;
    case ErrorCode::kInternal:
    case ErrorCode::kPoisoned:
      return grpc::StatusCode::INTERNAL;
    default:
      return grpc::StatusCode::FAILED_PRECONDITION;
  }
}

}  // namespace

grpc::Status end_call(grpc::CallbackServerContext& context, const Result<void>& how) {
  if (how) return grpc::Status::OK;
  const Error& error = how.error();
  context.AddTrailingMetadata(rpc_names::kErrorCode,
                              std::to_string(static_cast<unsigned>(error.code)));
  return {status_of(error.code), error.message};
}

}  // namespace gridwhistle::rpc

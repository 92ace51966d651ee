#include "ports/call_status.h"

#include <charconv>
#include <string>

#include "base/rpc_names.h"

namespace gridwhistle {
namespace {

ErrorCode code_of(grpc::StatusCode code, bool wrong_key) {
  switch (code) {
    case grpc::StatusCode::UNAVAILABLE:
      return wrong_key ? ErrorCode::kWrongServerKey : ErrorCode::kUnavailable;
    case grpc::StatusCode::UNKNOWN:    // a stream that was removed with its connection
    case grpc::StatusCode::CANCELLED:  // a server that was stopped
      return ErrorCode::kUnavailable;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return ErrorCode::kTimeout;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return ErrorCode::kTooLarge;
    case grpc::StatusCode::UNIMPLEMENTED:
      return ErrorCode::kUnsupported;
    default:
      return ErrorCode::kProtocol;
  }
}

std::string message_for(ErrorCode code, const std::string& reason) {
  switch (code) {
    case ErrorCode::kWrongServerKey:
      return "the server that answered is not the one this device was enrolled at";
    case ErrorCode::kUnavailable:
      return "the server cannot be reached: " + reason;
    case ErrorCode::kTimeout:
      return "the server did not answer in time";
    case ErrorCode::kUnsupported:
      return "the server does not know this call: " + reason;
    default:
      return reason;
  }
}

}  // namespace

std::optional<ErrorCode> code_from_server(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find(rpc_names::kErrorCode);
  if (found == trailers.end()) return {};
  std::uint16_t number = 0;
  const auto text = found->second;
  const auto end = text.data() + text.size();
  if (std::from_chars(text.data(), end, number).ptr != end || number == 0) return {};
  return static_cast<ErrorCode>(number);
}

Result<void> outcome_of(const grpc::Status& status, const grpc::ClientContext& context,
                        bool wrong_key) {
  if (status.ok()) return {};
  const auto detail = "grpc " + std::to_string(status.error_code());
  if (const auto code = code_from_server(context)) {
    return fail(*code, status.error_message(), detail);
  }
  const auto code = code_of(status.error_code(), wrong_key);
  return fail(code, message_for(code, status.error_message()), detail);
}

}  // namespace gridwhistle

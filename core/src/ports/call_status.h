#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <optional>

#include "gridwhistle/status.h"

namespace gridwhistle {

/// The code that the server itself gave when it ended a call with an error.
std::optional<ErrorCode> code_from_server(const grpc::ClientContext& context);

/// How a call ended, in our own terms. Only for calls that are over.
Result<void> outcome_of(const grpc::Status& status, const grpc::ClientContext& context,
                        bool wrong_key);

}  // namespace gridwhistle

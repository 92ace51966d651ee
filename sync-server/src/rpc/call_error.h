#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include "gridwhistle/status.h"

namespace gridwhistle::rpc {

/// The status that ends a call so. For an error, puts its code into the trailing metadata, where
/// the phone finds it; any gRPC client understands the status.
grpc::Status end_call(grpc::CallbackServerContext& context, const Result<void>& how);

}  // namespace gridwhistle::rpc

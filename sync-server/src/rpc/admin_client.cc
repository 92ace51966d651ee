#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <optional>
#include <utility>

#include "base/line.h"
#include "gridwhistle/v1/admin.grpc.pb.h"
#include "rpc/admin.h"

namespace gridwhistle::rpc {
namespace {

v1::AdminRequest request_of(const AdminCommand& command) {
  v1::AdminRequest request;
  for (const auto& argument : command.arguments) request.add_arguments(argument);
  request.set_working_directory(command.working_directory);
  for (const auto& [name, contents] : command.files) (*request.mutable_files())[name] = contents;
  request.set_language(command.language);
  return request;
}

}  // namespace

Result<int> run_over_socket(const std::string& socket_path, const AdminCommand& command,
                            const AdminOutput& output) {
  const auto channel =
      grpc::CreateChannel("unix:" + socket_path, grpc::InsecureChannelCredentials());
  const auto stub = v1::AdminService::NewStub(channel);
  grpc::ClientContext context;
  const auto reader = stub->Run(&context, request_of(command));
  std::optional<int> exit_code;
  bool answered = false;
  v1::AdminReply reply;
  while (reader->Read(&reply)) {
    answered = true;
    if (!reply.out().empty()) output.out(reply.out());
    if (!reply.err().empty()) output.err(reply.err());
    if (reply.done()) exit_code = reply.exit_code();
  }
  const auto status = reader->Finish();
  if (exit_code) return *exit_code;
  if (!answered && status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    return fail(ErrorCode::kUnavailable,
                about(socket_path, both("没有服务器在此监听", "no server listens there")));
  }
  return fail(ErrorCode::kProtocol,
              both("服务器在命令执行途中停止", "the server stopped in the middle of the command"),
              "grpc " + std::to_string(status.error_code()));
}

}  // namespace gridwhistle::rpc

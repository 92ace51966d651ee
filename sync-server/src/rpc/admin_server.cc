#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <utility>

#include "base/line.h"
#include "gridwhistle/v1/admin.grpc.pb.h"
#include "rpc/admin.h"

namespace gridwhistle::rpc {
namespace {

// The kernel's own limit for the path of a Unix socket.
constexpr std::size_t kSocketPathBytesMax = 107;
// A county's grids as GeoJSON are a few megabytes.
constexpr int kCommandBytesMax = 256 << 20;
constexpr std::size_t kPieceBytesMax = 64 << 10;

// The length of a first piece that does not end within a character.
std::size_t piece_of(std::string_view text) {
  if (text.size() <= kPieceBytesMax) return text.size();
  std::size_t size = kPieceBytesMax;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return size > 0 ? size : kPieceBytesMax;
}

class Service final : public v1::AdminService::Service {
 public:
  explicit Service(AdminHandler handler) : handler_(std::move(handler)) {}

  grpc::Status Run(grpc::ServerContext*, const v1::AdminRequest* request,
                   grpc::ServerWriter<v1::AdminReply>* writer) override {
    const auto print = [&](std::string_view text, auto set) {
      while (!text.empty()) {
        const std::size_t size = piece_of(text);
        v1::AdminReply reply;
        set(reply, std::string(text.substr(0, size)));
        writer->Write(reply);
        text.remove_prefix(size);
      }
    };
    const auto to_out = [](v1::AdminReply& reply, const std::string& text) { reply.set_out(text); };
    const auto to_err = [](v1::AdminReply& reply, const std::string& text) { reply.set_err(text); };
    const AdminOutput output{.out = [&](std::string_view text) { print(text, to_out); },
                             .err = [&](std::string_view text) { print(text, to_err); }};
    v1::AdminReply last;
    {
      const std::lock_guard one_at_a_time(mutex_);
      last.set_exit_code(handler_(command_of(*request), output));
    }
    last.set_done(true);
    writer->Write(last);
    return grpc::Status::OK;
  }

 private:
  static AdminCommand command_of(const v1::AdminRequest& request) {
    AdminCommand command;
    command.arguments.assign(request.arguments().begin(), request.arguments().end());
    command.working_directory = request.working_directory();
    for (const auto& [name, contents] : request.files()) command.files.emplace(name, contents);
    command.language = request.language();
    return command;
  }

  std::mutex mutex_;
  const AdminHandler handler_;
};

class SocketServer final : public AdminServer {
 public:
  explicit SocketServer(AdminHandler handler) : service_(std::move(handler)) {}

  ~SocketServer() override {
    if (!server_) return;
    server_->Shutdown();
    server_->Wait();
    ::unlink(path_.c_str());
  }

  Result<void> listen(const std::string& path) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("unix:" + path, grpc::InsecureServerCredentials(), &port);
    builder.SetMaxReceiveMessageSize(kCommandBytesMax);
    builder.RegisterService(&service_);
    // Set before the socket exists, so that there is no moment at which others could open it.
    const auto before = ::umask(0177);
    server_ = builder.BuildAndStart();
    ::umask(before);
    if (!server_ || port == 0) {
      server_.reset();
      return fail(ErrorCode::kUnavailable,
                  about(path, both("不能在此监听", "cannot listen there")));
    }
    path_ = path;
    return {};
  }

 private:
  Service service_;
  std::string path_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::start(const std::string& socket_path,
                                                        AdminHandler handler) {
  if (socket_path.empty() || socket_path.size() > kSocketPathBytesMax) {
    return fail(ErrorCode::kInvalid,
                about(socket_path, both("套接字的路径须为 1 到 107 字节",
                                        "the socket's path must have 1 to 107 bytes")));
  }
  auto server = std::make_unique<SocketServer>(std::move(handler));
  if (const auto listening = server->listen(socket_path); !listening) {
    return std::unexpected(listening.error());
  }
  return server;
}

}  // namespace gridwhistle::rpc

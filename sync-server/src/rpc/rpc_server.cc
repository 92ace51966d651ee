#include "rpc/rpc_server.h"

#include <grpc/grpc.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <utility>

#include "base/line.h"
#include "rpc/reflection.h"
#include "rpc/sync_service.h"

namespace gridwhistle::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

int in_ms(milliseconds time) { return static_cast<int>(time.count()); }

// The library ends with the process, never before: its own end waits up to ten seconds for a thread
// of its own that is asleep.
void keep_library() { [[maybe_unused]] static const bool kept = (grpc_init(), true); }

// What one client may cost: time to shake hands, headers, pings, silence.
void limit_clients(grpc::ServerBuilder& builder, const RpcServerOptions& options) {
  grpc::ResourceQuota quota("gridwhistle");
  quota.Resize(options.memory_bytes_max);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.frame_bytes_max));
  builder.SetMaxSendMessageSize(static_cast<int>(options.frame_bytes_max));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.streams_per_connection_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 8 << 10);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, in_ms(seconds(20)));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             in_ms(seconds(20)));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, in_ms(minutes(5)));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, in_ms(seconds(20)));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, in_ms(minutes(10)));
}

void tune(grpc::ServerBuilder& builder, const RpcServerOptions& options) {
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, options.window_bytes);
  // Without the probe a connection's window would stay at 64 KB whatever its streams' are.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 1);
  // Frames come compressed and checked by rules of our own; gRPC's would let in a bomb.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  // Otherwise a second server would share the port, and the phones, in silence.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

std::shared_ptr<grpc::ServerCredentials> credentials_of(const ServerIdentity& identity) {
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({identity.private_key_pem, identity.certificate_pem});
  return grpc::SslServerCredentials(options);
}

class GrpcServer final : public RpcServer {
 public:
  GrpcServer(const RpcServerOptions& options, RpcHandler& handler)
      : handler_(handler),
        service_(handler,
                 {.frame_bytes_max = options.frame_bytes_max,
                  .outgoing_bytes_high = options.outgoing_bytes_high,
                  .outgoing_bytes_max = options.outgoing_bytes_max},
                 options.streams_max),
        media_(service_) {}

  ~GrpcServer() override { shutdown(milliseconds(0)); }

  Result<void> listen(const RpcServerOptions& options) {
    keep_library();
    grpc::EnableDefaultHealthCheckService(true);
    enable_reflection();
    grpc::ServerBuilder builder;
    limit_clients(builder, options);
    tune(builder, options);
    builder.AddListeningPort(options.listen, credentials_of(options.identity), &port_);
    builder.RegisterService(&service_);
    builder.RegisterService(&media_);
    server_ = builder.BuildAndStart();
    if (!server_ || port_ == 0) {
      return fail(
          ErrorCode::kUnavailable,
          about(options.listen, both("不能在此监听：地址已被占用，或不是本机的",
                                     "cannot listen there: the address is taken or not ours")));
    }
    return {};
  }

  int port() const override { return port_; }

  void set_serving(bool serving) override {
    if (!server_) return;
    if (auto* health = server_->GetHealthCheckService()) health->SetServingStatus(serving);
  }

  void shutdown(milliseconds grace) override {
    if (!server_) return;
    service_.refuse_new_calls();
    if (auto* health = server_->GetHealthCheckService()) health->Shutdown();
    handler_.on_shutdown();
    server_->Shutdown(std::chrono::system_clock::now() + grace);
    server_.reset();
    service_.wait_until_idle();
  }

 private:
  RpcHandler& handler_;
  SyncServiceAdapter service_;
  MediaServiceAdapter media_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

Result<std::unique_ptr<RpcServer>> RpcServer::start(RpcServerOptions options, RpcHandler& handler) {
  if (options.identity.private_key_pem.empty() || options.identity.certificate_pem.empty()) {
    return fail(ErrorCode::kInvalid, "the server has no identity");
  }
  auto server = std::make_unique<GrpcServer>(options, handler);
  if (const auto listening = server->listen(options); !listening) {
    return std::unexpected(listening.error());
  }
  return server;
}

}  // namespace gridwhistle::rpc

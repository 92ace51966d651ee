#include "ports/pinned_channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/support/channel_arguments.h>

#include <string_view>
#include <utility>

#include "base/p256.h"
#include "base/rpc_names.h"
#include "base/sha256.h"

namespace gridwhistle {
namespace {

// A download must fit into one flight however far the server is. This sets the windows of streams;
// the connection's stays at 64 KB for ever unless gRPC's probe is on, and is 4 MB at once if it is.
constexpr int kLookaheadBytes = 4 << 20;

// Asked after the handshake, in which the server has proved that it holds the certificate's key,
// and before the first byte of HTTP/2.
class PinVerifier final : public grpc::experimental::ExternalCertificateVerifier {
 public:
  PinVerifier(std::string key_sha256, std::shared_ptr<std::atomic<bool>> wrong_key)
      : key_sha256_(std::move(key_sha256)), wrong_key_(std::move(wrong_key)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)>, grpc::Status* verdict) override {
    const auto certificate = request->peer_cert();
    const auto key = public_key_of_certificate({certificate.data(), certificate.size()});
    const bool right = key && sha256(*key) == key_sha256_;
    wrong_key_->store(!right);
    *verdict = right ? grpc::Status::OK
                     : grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "not the pinned server key");
    return true;
  }

  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}

 private:
  const std::string key_sha256_;
  const std::shared_ptr<std::atomic<bool>> wrong_key_;
};

std::shared_ptr<grpc::ChannelCredentials> pinned_credentials(
    const std::string& key_sha256, std::shared_ptr<std::atomic<bool>> wrong_key) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(
      grpc::experimental::ExternalCertificateVerifier::Create<PinVerifier>(key_sha256,
                                                                           std::move(wrong_key)));
  // Without a root of our own gRPC would read and parse the system's hundred and forty, which
  // nothing asks here: 25 ms, and a file that phones don't have.
  static const std::string no_authority = [] {
    const auto key = P256Key::make();
    return key ? self_signed_certificate(*key, "nobody").value_or("") : std::string();
  }();
  options.set_certificate_provider(
      std::make_shared<grpc::experimental::StaticDataCertificateProvider>(no_authority));
  options.watch_root_certs();
  return grpc::experimental::TlsCredentials(options);
}

int milliseconds(std::chrono::milliseconds time) { return static_cast<int>(time.count()); }

grpc::ChannelArguments arguments_of(const TransportOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetString(GRPC_SSL_TARGET_NAME_OVERRIDE_ARG, rpc_names::kServerName);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // Between them gRPC's names for how long one attempt to connect may take.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, milliseconds(options.connect_timeout));
  arguments.SetInt(GRPC_ARG_CLIENT_IDLE_TIMEOUT_MS, milliseconds(options.idle_timeout));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, milliseconds(options.keepalive));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, milliseconds(options.keepalive_timeout));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kLookaheadBytes);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 1);
  // Frames are compressed already, and a call that failed is the session's to repeat.
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetMaxReceiveMessageSize(static_cast<int>(options.frame_bytes_max));
  arguments.SetMaxSendMessageSize(static_cast<int>(options.frame_bytes_max));
  return arguments;
}

}  // namespace

PinnedChannel open_pinned_channel(const ServerAddress& server, const TransportOptions& options) {
  auto wrong_key = std::make_shared<std::atomic<bool>>(false);
  auto channel = grpc::CreateCustomChannel(server.host_and_port,
                                           pinned_credentials(server.key_sha256, wrong_key),
                                           arguments_of(options));
  return {std::move(channel), std::move(wrong_key)};
}

PinnedChannel Link::get() {
  const std::lock_guard lock(mutex_);
  if (!current_.channel) current_ = open_pinned_channel(server_, options_);
  return current_;
}

PinnedChannel Link::take_failed(const grpc::Channel* failed) {
  const std::lock_guard lock(mutex_);
  if (current_.channel.get() != failed) return {};
  return std::exchange(current_, {});
}

void Link::call_begins() {
  const std::lock_guard lock(mutex_);
  ++calls_;
}

void Link::call_ended() {
  const std::lock_guard lock(mutex_);
  if (--calls_ == 0) idle_.notify_all();
}

void Link::close() {
  PinnedChannel last;  // let go after the lock
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return calls_ == 0; });
  last = std::exchange(current_, {});
}

}  // namespace gridwhistle

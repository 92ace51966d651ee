#pragma once

#include <grpcpp/channel.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "gridwhistle/default_ports.h"

namespace gridwhistle {

/// A gRPC channel that speaks only to the server with the pinned key.
struct PinnedChannel {
  std::shared_ptr<grpc::Channel> channel;
  /// Whether the last server that answered had another key.
  std::shared_ptr<std::atomic<bool>> wrong_key;
};

/// Connects at the first call.
PinnedChannel open_pinned_channel(const ServerAddress& server, const TransportOptions& options);

/// The one channel of a transport. Any thread.
///
/// gRPC would go on connecting by itself to a server that cannot be reached, in its own rhythm, and
/// drain a phone's battery; so a channel that failed is dropped, and the next call opens another.
class Link {
 public:
  Link(ServerAddress server, TransportOptions options)
      : server_(std::move(server)), options_(options) {}

  /// The channel, opened if there is none.
  PinnedChannel get();
  /// Drops the channel if it is still this one.
  void drop(const grpc::Channel* failed);

  const TransportOptions& options() const { return options_; }

 private:
  const ServerAddress server_;
  const TransportOptions options_;
  std::mutex mutex_;
  PinnedChannel current_;
};

}  // namespace gridwhistle

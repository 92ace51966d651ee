#pragma once

#include <grpcpp/channel.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "base/limits.h"
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

/// The one channel of a transport, and the count of its open calls. Any thread.
///
/// gRPC would go on connecting by itself to a server that cannot be reached, in its own rhythm, and
/// drain a phone's battery; so a channel that failed is dropped, and the next call opens another.
///
/// The last reference to a channel must never go on one of gRPC's own threads: 1.51 would stop and
/// join that very thread. So whatever holds one is handed to the executor to be let go there.
class Link {
 public:
  Link(ServerAddress server, Executor& executor, TransportOptions options)
      : server_(std::move(server)), executor_(executor), options_(options) {
    if (options_.frame_bytes_max == 0) options_.frame_bytes_max = limits::kLoneFrameBytes;
  }

  /// The channel, opened if there is none.
  PinnedChannel get();
  /// Gives up the channel if it is still this one, to be let go on the executor.
  PinnedChannel take_failed(const grpc::Channel* failed);

  /// Brackets each call: from before it starts until gRPC is done with it and everything it held
  /// has been handed to the executor.
  void call_begins();
  void call_ended();
  /// Waits for the end of all calls, which were cancelled, and lets the channel go.
  void close();

  Executor& executor() const { return executor_; }
  const TransportOptions& options() const { return options_; }

 private:
  const ServerAddress server_;
  Executor& executor_;
  TransportOptions options_;
  std::mutex mutex_;
  std::condition_variable idle_;
  int calls_ = 0;
  PinnedChannel current_;
};

}  // namespace gridwhistle

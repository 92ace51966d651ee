#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/p256.h"
#include "base/sha256.h"
#include "rpc/handler.h"
#include "rpc/rpc_server.h"

namespace gridwhistle::test {

/// An identity that no file holds.
inline rpc::ServerIdentity new_identity() {
  const auto key = P256Key::make().value();
  return {.private_key_pem = key.pem().value(),
          .certificate_pem = self_signed_certificate(key, "gridwhistle").value(),
          .key_sha256 = sha256(key.public_key().value())};
}

/// What a server did with a call. The default sends every frame back, and ends when the phone does.
struct Behaviour {
  std::function<void(rpc::SyncStream&)> on_open = [](rpc::SyncStream&) {};
  std::function<void(rpc::SyncStream&, std::string)> on_frame =
      [](rpc::SyncStream& stream, std::string frame) { stream.send(std::move(frame)); };
  std::function<void(rpc::SyncStream&)> on_half_close = [](rpc::SyncStream& s) { s.close(); };
  std::function<void(rpc::SyncStream&)> on_drained = [](rpc::SyncStream&) {};
  bool carries_media = true;
  std::function<void(std::string, rpc::RpcHandler::Reply)> enrol =
      [](std::string request, const rpc::RpcHandler::Reply& reply) { reply("seen " + request); };
};

/// The server behind the network, as far as a network test needs one.
class County final : public rpc::RpcHandler {
 public:
  explicit County(Behaviour behaviour = {}) : behaviour_(std::move(behaviour)) {}

  std::shared_ptr<rpc::StreamHandler> on_open(std::shared_ptr<rpc::SyncStream> stream) override {
    ++opened;
    {
      const std::lock_guard lock(mutex_);
      streams_.push_back(stream);
    }
    behaviour_.on_open(*stream);
    return std::make_shared<Conversation>(*this, std::move(stream));
  }
  std::shared_ptr<rpc::StreamHandler> on_open_media(
      std::shared_ptr<rpc::SyncStream> stream) override {
    if (!behaviour_.carries_media) return nullptr;
    ++media_opened;
    return std::make_shared<Conversation>(*this, std::move(stream));
  }
  void enrol(std::string request, Reply reply) override {
    behaviour_.enrol(std::move(request), std::move(reply));
  }
  void on_shutdown() override {
    for (const auto& stream : streams()) {
      stream->send("goodbye");
      stream->close();
    }
  }

  std::vector<std::shared_ptr<rpc::SyncStream>> streams() {
    const std::lock_guard lock(mutex_);
    return streams_;
  }

  std::atomic<int> opened = 0;
  std::atomic<int> media_opened = 0;
  std::atomic<int> frames = 0;
  std::atomic<int> half_closed = 0;
  std::atomic<int> closed = 0;

 private:
  class Conversation final : public rpc::StreamHandler {
   public:
    Conversation(County& county, std::shared_ptr<rpc::SyncStream> stream)
        : county_(county), stream_(std::move(stream)) {}
    void on_frame(std::string frame) override {
      ++county_.frames;
      county_.behaviour_.on_frame(*stream_, std::move(frame));
    }
    void on_half_close() override {
      ++county_.half_closed;
      county_.behaviour_.on_half_close(*stream_);
    }
    void on_drained() override { county_.behaviour_.on_drained(*stream_); }
    void on_closed() override { ++county_.closed; }

   private:
    County& county_;
    const std::shared_ptr<rpc::SyncStream> stream_;
  };

  const Behaviour behaviour_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<rpc::SyncStream>> streams_;
};

/// A listening server of that county.
struct Served {
  explicit Served(Behaviour behaviour = {}, rpc::RpcServerOptions options = {})
      : county(std::move(behaviour)) {
    options.identity = identity;
    server = std::move(rpc::RpcServer::start(options, county).value());
  }
  int port() const { return server->port(); }
  const std::string& key() const { return identity.key_sha256; }

  rpc::ServerIdentity identity = new_identity();
  County county;
  std::unique_ptr<rpc::RpcServer> server;
};

}  // namespace gridwhistle::test

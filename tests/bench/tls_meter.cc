#include "bench/tls_meter.h"

#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <thread>
#include <utility>

namespace gridwhistle::bench {

namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using Stream = ssl::stream<tcp::socket>;

constexpr unsigned char kHttp2[] = {2, 'h', '2'};

int choose_http2(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* in,
                 unsigned int in_length, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, length, kHttp2, sizeof kHttp2, in, in_length) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

struct Tally {
  std::atomic<std::uint64_t> up{0};
  std::atomic<std::uint64_t> down{0};
};

/// One phone's connection and the one to the server.
class Pair : public std::enable_shared_from_this<Pair> {
 public:
  Pair(tcp::socket phone, asio::io_context& io, ssl::context& as_server, ssl::context& as_client,
       Tally& tally)
      : phone_(std::move(phone), as_server), server_(io, as_client), tally_(tally) {}

  void start(int port) {
    phone_.next_layer().set_option(tcp::no_delay(true));
    auto self = shared_from_this();
    server_.next_layer().async_connect(
        {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)},
        [self](boost::system::error_code wrong) {
          if (wrong) return;
          self->server_.next_layer().set_option(tcp::no_delay(true));
          self->server_.async_handshake(Stream::client, [self](boost::system::error_code bad) {
            if (!bad) self->meet_phone();
          });
        });
  }

 private:
  void meet_phone() {
    phone_.async_handshake(
        Stream::server, [self = shared_from_this()](boost::system::error_code bad) {
          if (bad) return;
          self->pump(self->phone_, self->server_, self->up_, self->tally_.up);
          self->pump(self->server_, self->phone_, self->down_, self->tally_.down);
        });
  }

  void pump(Stream& from, Stream& to, std::array<char, 65536>& buffer,
            std::atomic<std::uint64_t>& counted) {
    from.async_read_some(
        asio::buffer(buffer), [self = shared_from_this(), &from, &to, &buffer, &counted](
                                  boost::system::error_code bad, std::size_t size) {
          if (bad) return self->end();
          counted += size;
          asio::async_write(
              to, asio::buffer(buffer, size),
              [self, &from, &to, &buffer, &counted](boost::system::error_code failed, std::size_t) {
                if (failed) return self->end();
                self->pump(from, to, buffer, counted);
              });
        });
  }

  void end() {
    boost::system::error_code ignored;
    phone_.next_layer().close(ignored);
    server_.next_layer().close(ignored);
  }

  Stream phone_;
  Stream server_;
  Tally& tally_;
  std::array<char, 65536> up_{};
  std::array<char, 65536> down_{};
};

}  // namespace

class TlsMeter::Machine {
 public:
  Machine(int server_port, const std::string& key_pem, const std::string& certificate_pem)
      : server_port_(server_port),
        as_server_(ssl::context::tlsv13_server),
        as_client_(ssl::context::tlsv13_client),
        acceptor_(io_, {asio::ip::address_v4::loopback(), 0}) {
    as_server_.use_private_key(asio::buffer(key_pem), ssl::context::pem);
    as_server_.use_certificate_chain(asio::buffer(certificate_pem));
    SSL_CTX_set_alpn_select_cb(as_server_.native_handle(), choose_http2, nullptr);
    as_client_.set_verify_mode(ssl::verify_none);
    SSL_CTX_set_alpn_protos(as_client_.native_handle(), kHttp2, sizeof kHttp2);
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }

  ~Machine() {
    io_.stop();
    thread_.join();
  }

  int port() const { return acceptor_.local_endpoint().port(); }
  const Tally& tally() const { return tally_; }

 private:
  void accept() {
    acceptor_.async_accept([this](boost::system::error_code bad, tcp::socket phone) {
      if (bad) return;
      std::make_shared<Pair>(std::move(phone), io_, as_server_, as_client_, tally_)
          ->start(server_port_);
      accept();
    });
  }

  int server_port_;
  asio::io_context io_;
  ssl::context as_server_;
  ssl::context as_client_;
  tcp::acceptor acceptor_;
  Tally tally_;
  std::thread thread_;
};

TlsMeter::TlsMeter(int server_port, const std::string& key_pem, const std::string& certificate_pem)
    : machine_(std::make_unique<Machine>(server_port, key_pem, certificate_pem)) {}

TlsMeter::~TlsMeter() = default;

int TlsMeter::port() const { return machine_->port(); }

TlsMeter::Counts TlsMeter::counts() const { return {machine_->tally().up, machine_->tally().down}; }

}  // namespace gridwhistle::bench

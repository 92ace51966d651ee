#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <future>
#include <memory>
#include <string>

#include "county.h"
#include "phone.h"

using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

struct Handshake {
  bool completed = false;
  std::string version;
  int application_bytes = 0;
};

EVP_PKEY* key_from(const std::string& pem) {
  const std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new_mem_buf(pem.data(), -1), BIO_free);
  return PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr);
}

X509* certificate_from(const std::string& pem) {
  const std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new_mem_buf(pem.data(), -1), BIO_free);
  return PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr);
}

// The public half of one key with the private half of another: what a thief of certificates has.
EVP_PKEY* chimera(EVP_PKEY* shown, EVP_PKEY* held) {
  unsigned char point[65];
  std::size_t size = 0;
  EVP_PKEY_get_octet_string_param(shown, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &size);
  BIGNUM* secret = nullptr;
  EVP_PKEY_get_bn_param(held, OSSL_PKEY_PARAM_PRIV_KEY, &secret);
  OSSL_PARAM_BLD* build = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, size);
  OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, secret);
  OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(build);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context);
  EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(build);
  BN_free(secret);
  return key;
}

int choose_h2(SSL*, const unsigned char** out, unsigned char* size, const unsigned char*, unsigned,
              void*) {
  *out = reinterpret_cast<const unsigned char*>("h2");
  *size = 2;
  return SSL_TLSEXT_ERR_OK;
}

// A TLS server without gRPC, which shakes hands once and counts what it is told after that. Owns
// the key.
class BareServer {
 public:
  BareServer(const std::string& certificate_pem, EVP_PKEY* key, int version = TLS1_3_VERSION)
      : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    std::signal(SIGPIPE, SIG_IGN);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&here), size) != 0 ||
        ::listen(listener_, 4) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(here.sin_port);
    seen_ = std::async(std::launch::async, [this, certificate_pem, key, version] {
      return serve_one(certificate_pem, key, version);
    });
  }
  ~BareServer() { ::close(listener_); }

  int port() const { return port_; }
  Handshake seen() { return seen_.get(); }

 private:
  Handshake serve_one(const std::string& certificate_pem, EVP_PKEY* key, int version) {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    X509* certificate = certificate_from(certificate_pem);
    SSL_CTX_set_max_proto_version(context, version);
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    SSL_CTX_set_alpn_select_cb(context, choose_h2, nullptr);
    const int socket = ::accept(listener_, nullptr, nullptr);
    SSL* tls = SSL_new(context);
    SSL_set_fd(tls, socket);
    Handshake seen;
    seen.completed = SSL_accept(tls) == 1;
    seen.version = SSL_get_version(tls);
    char block[4096];
    int size = 0;
    while (seen.completed && (size = SSL_read(tls, block, sizeof block)) > 0) {
      seen.application_bytes += size;
      if (seen.application_bytes > 24) break;
    }
    SSL_free(tls);
    ::close(socket);
    SSL_CTX_free(context);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return seen;
  }

  int listener_;
  int port_ = 0;
  std::future<Handshake> seen_;
};

}  // namespace

TEST_CASE("A server with another key ends the call with kWrongServerKey and sees no call") {
  Served served;
  Phone phone(served.port(), new_identity().key_sha256);
  for (int i = 0; i < 3; ++i) {
    auto talk = phone.call();
    talk.call->send("secret");
    REQUIRE(talk.log->wait_for_end());
    CHECK(talk.log->error() == ErrorCode::kWrongServerKey);
    CHECK(talk.log->ends() == 1);
  }
  CHECK(phone.enrol("secret").error().code == ErrorCode::kWrongServerKey);
  CHECK(served.county.opened == 0);
}

TEST_CASE("A pin that differs from the key in one bit is a wrong key") {
  Served served;
  std::string key = served.key();
  key[31] = static_cast<char>(key[31] ^ 1);
  Phone phone(served.port(), key);
  CHECK(phone.enrol("secret").error().code == ErrorCode::kWrongServerKey);
}

TEST_CASE("A wrong server is told nothing: not a byte follows the handshake") {
  const auto pinned = new_identity();
  const auto other = new_identity();
  const int version = GENERATE(TLS1_3_VERSION, TLS1_2_VERSION);
  BareServer server(other.certificate_pem, key_from(other.private_key_pem), version);
  Phone phone(server.port(), pinned.key_sha256);
  auto talk = phone.call();
  talk.call->send("secret");
  REQUIRE(talk.log->wait_for_end());
  CHECK(talk.log->error() == ErrorCode::kWrongServerKey);
  const auto seen = server.seen();
  CHECK(seen.completed);
  CHECK(seen.application_bytes == 0);
}

TEST_CASE("A server that shows the pinned certificate without holding its key gets nowhere") {
  const auto pinned = new_identity();
  const auto thief = new_identity();
  const int version = GENERATE(TLS1_3_VERSION, TLS1_2_VERSION);
  EVP_PKEY* shown = key_from(pinned.private_key_pem);
  EVP_PKEY* held = key_from(thief.private_key_pem);
  BareServer server(pinned.certificate_pem, chimera(shown, held), version);
  EVP_PKEY_free(shown);
  EVP_PKEY_free(held);
  Phone phone(server.port(), pinned.key_sha256);
  auto talk = phone.call();
  talk.call->send("secret");
  REQUIRE(talk.log->wait_for_end());
  CHECK(talk.log->error() == ErrorCode::kUnavailable);
  const auto seen = server.seen();
  CHECK_FALSE(seen.completed);
  CHECK(seen.application_bytes == 0);
}

TEST_CASE("With the right key TLS 1.3 is spoken, and HTTP/2 follows") {
  const auto pinned = new_identity();
  BareServer server(pinned.certificate_pem, key_from(pinned.private_key_pem));
  Phone phone(server.port(), pinned.key_sha256);
  auto talk = phone.call();
  talk.call->send("hello");
  REQUIRE(talk.log->wait_for_end());
  const auto seen = server.seen();
  CHECK(seen.completed);
  CHECK(seen.version == "TLSv1.3");
  CHECK(seen.application_bytes > 24);
  CHECK(talk.log->error() == ErrorCode::kUnavailable);
}

TEST_CASE("A new certificate for the same key is the same server") {
  Served served;
  const auto key = P256Key::from_pem(served.identity.private_key_pem).value();
  rpc::RpcServerOptions options;
  options.identity = served.identity;
  options.identity.certificate_pem = self_signed_certificate(key, "another name").value();
  County county;
  const auto renewed = rpc::RpcServer::start(options, county).value();
  Phone phone(renewed->port(), served.key());
  CHECK(phone.enrol("hello"));
}

TEST_CASE("A pin of another length or an empty address is refused before anything is opened") {
  const auto executor = thread_executor();
  CHECK(grpc_transport({"127.0.0.1:1", "short"}, *executor).error().code == ErrorCode::kInvalid);
  CHECK(grpc_transport({"", std::string(32, 'k')}, *executor).error().code == ErrorCode::kInvalid);
}

#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>

#include <catch2/catch.hpp>
#include <future>
#include <string>

#include "base/grpc_frames.h"
#include "base/varint.h"
#include "county.h"

using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

// What any gRPC tool would do that was given the server's certificate.
std::shared_ptr<grpc::Channel> any_tool(const Served& served) {
  grpc::ChannelArguments arguments;
  arguments.SetString(GRPC_SSL_TARGET_NAME_OVERRIDE_ARG, "gridwhistle");
  return grpc::CreateCustomChannel(
      "127.0.0.1:" + std::to_string(served.port()),
      grpc::SslCredentials({.pem_root_certs = served.identity.certificate_pem}), arguments);
}

std::string length_delimited(std::uint64_t field, const std::string& value) {
  std::string bytes;
  append_varint(bytes, field << 3 | 2);
  append_varint(bytes, value.size());
  return bytes + value;
}

// One question and one answer, of a unary call or of a stream that is closed after the question.
std::string ask(const Served& served, const std::string& method, const std::string& question) {
  grpc::GenericStub stub(any_tool(served));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  const auto request = to_buffer(question);
  grpc::ByteBuffer reply;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, method, {}, &request, &reply,
                 [&](const grpc::Status& status) { done.set_value(status); });
  const auto status = done.get_future().get();
  INFO(status.error_message());
  REQUIRE(status.ok());
  return to_frame(reply);
}

constexpr char kReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

}  // namespace

TEST_CASE("The health service says SERVING") {
  Served served;
  // HealthCheckResponse { status = 1: SERVING }
  CHECK(ask(served, "/grpc.health.v1.Health/Check", "") == std::string("\x08\x01", 2));
}

TEST_CASE("The health service says NOT_SERVING while the county cannot take work") {
  Served served;
  served.server->set_serving(false);
  CHECK(ask(served, "/grpc.health.v1.Health/Check", "") == std::string("\x08\x02", 2));
  served.server->set_serving(true);
  CHECK(ask(served, "/grpc.health.v1.Health/Check", "") == std::string("\x08\x01", 2));
}

TEST_CASE("Reflection lists the sync service, and knows its messages with their annotations") {
  Served served;
  const auto services = ask(served, kReflection, length_delimited(7, ""));
  CHECK(services.find("gridwhistle.v1.SyncService") != std::string::npos);
  CHECK(services.find("gridwhistle.v1.MediaService") != std::string::npos);
  CHECK(services.find("grpc.health.v1.Health") != std::string::npos);
  const auto file = ask(served, kReflection, length_delimited(4, "gridwhistle.v1.SyncService"));
  CHECK(file.find("gridwhistle/v1/sync.proto") != std::string::npos);
  CHECK(file.find("OperationFrame") != std::string::npos);
  const auto visit = ask(served, kReflection, length_delimited(4, "gridwhistle.v1.Visit"));
  CHECK(visit.find("gridwhistle/v1/records.proto") != std::string::npos);
}

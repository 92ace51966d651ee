#include "rpc/library_log.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace gridwhistle;

TEST_CASE("What gRPC logs comes by its place in the source, without its words") {
  struct Heard {
    bool is_error;
    std::string file;
    int line;
  };
  std::vector<Heard> heard;
  grpc_init();  // before, it knows of no level
  rpc::set_library_log([&](const rpc::LibraryLine& line) {
    // Another test's connections may still have something to say.
    if (line.file == "some_transport.cc") {
      heard.push_back({line.is_error, std::string(line.file), line.line});
    }
  });
  gpr_log("/build/src/core/some_transport.cc", 17, GPR_LOG_SEVERITY_ERROR, "peer %s",
          "ipv4:192.0.2.7:4711");
  gpr_log("some_transport.cc", 18, GPR_LOG_SEVERITY_DEBUG, "not asked for");
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].is_error);
  CHECK(heard[0].line == 17);
  rpc::set_library_log(nullptr);
  gpr_log("some_transport.cc", 19, GPR_LOG_SEVERITY_ERROR, "nobody listens");
  CHECK(heard.size() == 1);
  grpc_shutdown();
}

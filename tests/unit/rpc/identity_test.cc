#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/p256.h"
#include "base/sha256.h"
#include "rpc/server_identity.h"

using namespace gridwhistle;

TEST_CASE("A server keeps its key, for its own account alone, and so its fingerprint") {
  std::string name = (std::filesystem::temp_directory_path() / "gridwhistle.XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  const auto path = (folder / "server.key").string();
  const auto first = rpc::load_or_make_identity(path).value();
  const auto second = rpc::load_or_make_identity(path).value();
  CHECK(first.key_sha256.size() == 32);
  CHECK(first.key_sha256 == second.key_sha256);
  CHECK(first.private_key_pem == second.private_key_pem);
  CHECK(first.key_sha256 == sha256(public_key_of_certificate(first.certificate_pem).value()));
  CHECK(second.key_sha256 == sha256(public_key_of_certificate(second.certificate_pem).value()));
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  std::ofstream(path) << "damaged";
  CHECK(rpc::load_or_make_identity(path).error().code == ErrorCode::kCorrupt);
  std::filesystem::remove_all(folder);
}

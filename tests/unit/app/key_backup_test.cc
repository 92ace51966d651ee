#include "app/key_backup.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "rpc/server_identity.h"
#include "support/temp_folder.h"

using namespace gridwhistle;
using namespace gridwhistle::app;

TEST_CASE("A server's key comes back from its backup with the passphrase, and with no other") {
  const test::TempFolder folder;
  const auto made = rpc::load_or_make_identity(folder.file("key.pem"));
  REQUIRE(made);
  REQUIRE(back_up_key(folder.file("key.pem"), "correct horse battery", folder.file("b.key")));
  const auto wrong =
      restore_key(folder.file("b.key"), "another passphrase", folder.file("new.pem"));
  REQUIRE(!wrong);
  CHECK(wrong.error().code == ErrorCode::kForbidden);
  REQUIRE(restore_key(folder.file("b.key"), "correct horse battery", folder.file("new.pem")));
  CHECK(rpc::load_or_make_identity(folder.file("new.pem"))->key_sha256 == made->key_sha256);
  const auto again =
      restore_key(folder.file("b.key"), "correct horse battery", folder.file("new.pem"));
  REQUIRE(!again);
  CHECK(again.error().code == ErrorCode::kAlreadyExists);
}

TEST_CASE("What is no encrypted key is called corrupt") {
  const test::TempFolder folder;
  std::ofstream(folder.file("junk")) << "junk";
  CHECK(restore_key(folder.file("junk"), "correct horse battery", folder.file("k")).error().code ==
        ErrorCode::kCorrupt);
}

TEST_CASE("A passphrase is the first line of its file, and not a short one") {
  const test::TempFolder folder;
  std::ofstream(folder.file("good")) << "correct horse\nsecond line\n";
  std::ofstream(folder.file("short")) << "12345678901\n";
  CHECK(*read_passphrase(folder.file("good")) == "correct horse");
  CHECK(read_passphrase(folder.file("short")).error().code == ErrorCode::kInvalid);
  CHECK(!read_passphrase(folder.file("none")));
}

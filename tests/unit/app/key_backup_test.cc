#include "app/key_backup.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "rpc/server_identity.h"
#include "temp_folder.h"

using namespace gridwhistle;
using namespace gridwhistle::app;

TEST_CASE("A server's key comes back from its backup with the passphrase, and with no other") {
  const TempFolder folder;
  const auto made = rpc::load_or_make_identity(folder / "key.pem");
  REQUIRE(made);
  REQUIRE(back_up_key(folder / "key.pem", "correct horse battery", folder / "b.key"));
  const auto wrong = restore_key(folder / "b.key", "another passphrase", folder / "new.pem");
  REQUIRE(!wrong);
  CHECK(wrong.error().code == ErrorCode::kForbidden);
  REQUIRE(restore_key(folder / "b.key", "correct horse battery", folder / "new.pem"));
  CHECK(rpc::load_or_make_identity(folder / "new.pem")->key_sha256 == made->key_sha256);
  const auto again = restore_key(folder / "b.key", "correct horse battery", folder / "new.pem");
  REQUIRE(!again);
  CHECK(again.error().code == ErrorCode::kAlreadyExists);
}

TEST_CASE("What is no encrypted key is called corrupt") {
  const TempFolder folder;
  std::ofstream(folder / "junk") << "junk";
  CHECK(restore_key(folder / "junk", "correct horse battery", folder / "k").error().code ==
        ErrorCode::kCorrupt);
}

TEST_CASE("A passphrase is the first line of its file, and not a short one") {
  const TempFolder folder;
  std::ofstream(folder / "good") << "correct horse\nsecond line\n";
  std::ofstream(folder / "short") << "12345678901\n";
  CHECK(*read_passphrase(folder / "good") == "correct horse");
  CHECK(read_passphrase(folder / "short").error().code == ErrorCode::kInvalid);
  CHECK(!read_passphrase(folder / "none"));
}

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

// The limit that figures are measured against: the same bytes through raw SQLite (WAL,
// synchronous=FULL) and raw gRPC over TLS, with no merge, no scopes and no rules.
namespace gridwhistle::bench {

/// Records as bytes.
using Records = std::vector<std::string>;

/// A file with a table of records and an outbox; what a phone at the limit would write.
class FloorFile {
 public:
  explicit FloorFile(const std::string& path);
  ~FloorFile();
  FloorFile(const FloorFile&) = delete;
  FloorFile& operator=(const FloorFile&) = delete;

  /// Writes the records and an outbox row each, so many a transaction, each transaction durable.
  void capture(const Records& records, std::size_t per_transaction);
  /// Writes records without outbox, in one durable transaction.
  void store(const Records& records);
  /// Calls with batches of at most `size` records, all there are.
  void read(std::size_t size, const std::function<void(const Records&)>& batch);
  std::size_t count();

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

/// Records as one zstd-3 frame and back. Aborts on damage: both ends are this program.
std::string pack(const Records& records);
Records unpack(const std::string& packed);

/// Runs the floor's server in this process until its standard input ends. Prints its port as the
/// first line; keeps its file, key and certificate in `folder`. Returns the exit code.
int serve_floor(const std::string& folder);

/// A phone at the limit, on one warm connection. Any method aborts when the server goes away.
class FloorPhone {
 public:
  FloorPhone(int port, const std::string& certificate_pem);
  ~FloorPhone();

  /// Sends batches of 1,000 in one call and waits until the server has each of them durably.
  void upload(const Records& records);
  /// Gets everything the server has and stores it.
  void download(FloorFile& into);
  /// One empty question and answer.
  void idle();

 private:
  struct Channel;
  std::unique_ptr<Channel> channel_;
};

}  // namespace gridwhistle::bench

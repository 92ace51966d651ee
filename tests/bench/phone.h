#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/workload.h"
#include "gridwhistle/client.h"

namespace gridwhistle::bench {

/// Seconds since some moment.
double now_s();

/// A real phone of the library in a folder of its own, with the doors of a desktop. Methods abort
/// with the library's message when something fails: a benchmark has nothing to recover.
class BenchPhone {
 public:
  /// Runs on an executor of its own, or on one of the caller's that outlives it.
  explicit BenchPhone(const std::string& folder, Executor* executor = nullptr);
  ~BenchPhone();

  /// Registers; the connection is warm then, and nothing has been fetched.
  void enrol(const std::string& code);
  /// Sends later calls to another port of the same server: a proxy. Takes effect at once.
  void go_through(int port);

  /// Records an item, each record a transaction of its own.
  void put_each(const Item& item);
  /// Records many items, as few transactions as their limit allows.
  void put_together(const std::vector<Item>& items);

  SyncReport sync();
  /// A sync that fetches next to nothing of what it does not have.
  SyncReport upload_only();
  Client& client() { return *client_; }
  const std::string& file() const { return file_; }
  /// Closes the phone and opens it again; seconds it took to open.
  double reopen();
  /// Leaves the file to others; nothing else may be called then.
  void close();

 private:
  void open();
  SyncReport sync(const SyncOptions& options);

  std::string folder_;
  std::string file_;
  int port_ = 0;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<SecretStore> secrets_;
  std::unique_ptr<Executor> own_executor_;
  Executor* executor_ = nullptr;
  std::unique_ptr<Client> client_;
};

/// Resident memory of a process, in bytes.
struct PhoneMemory {
  std::uint64_t empty_bytes = 0;  ///< gRPC is initialised, nothing else
  std::uint64_t phone_bytes = 0;  ///< a phone is open, has synced and was queried
};

/// Measures this process, which has done nothing before, with the phone in `folder`.
PhoneMemory measure_memory(const std::string& folder);

}  // namespace gridwhistle::bench

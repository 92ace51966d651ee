#pragma once

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
  explicit BenchPhone(const std::string& folder);
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
  Client& client() { return *client_; }
  const std::string& file() const { return file_; }
  /// Closes the phone and opens it again; seconds it took to open.
  double reopen();

 private:
  void open();

  std::string folder_;
  std::string file_;
  int port_ = 0;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<SecretStore> secrets_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Client> client_;
};

}  // namespace gridwhistle::bench

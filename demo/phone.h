#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gridwhistle/client.h"
#include "gridwhistle/default_ports.h"
#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/reference.pb.h"
#include "journal.h"

namespace gridwhistle::demo {

/// Who holds a phone, and by which way it reaches the server.
struct Seat {
  std::string worker;  ///< "WG001", which is also the phone's folder
  std::string grid;    ///< code15; empty for staff without a grid of their own
  int port = 0;        ///< of the bad network in front of the server
};

/// Everything this phone was told to be durable, by kind.
using Counts = std::map<std::string, std::uint64_t>;

/// One phone: a client of the library with real doors, in a folder of its own, and the journal of
/// what it acknowledged. One thread; the client's own threads are its own matter.
class Phone {
 public:
  /// Makes the folder. `network` outlives the phone.
  static Result<std::unique_ptr<Phone>> open(const std::string& folder, const Seat& seat,
                                             Executor& network, std::uint64_t seed);
  ~Phone();

  const Seat& seat() const { return seat_; }
  Client& client() { return *client_; }
  std::mt19937_64& dice() { return dice_; }
  const Counts& counts() const { return counts_; }

  /// What the worker's own row of the reference data says; empty before the first sync.
  const v1::Worker& worker();
  /// Its own grid's middle. kNotFound before the first sync.
  Result<std::pair<double, double>> middle();

  /// Proposes an action; noted in the journal like every commit.
  Result<RecordId> act(v1::WhistleAction action);

 private:
  friend class Entry;
  Phone(Seat seat, const std::string& folder, std::uint64_t seed);

  Seat seat_;
  Journal journal_;
  std::mt19937_64 dice_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<SecretStore> secrets_;
  std::unique_ptr<Client> client_;
  Counts counts_;
  v1::Worker worker_;
};

/// Changes that a phone commits together.
class Entry {
 public:
  explicit Entry(Phone& phone) : phone_(phone), transaction_(phone.client().transaction()) {}

  /// A new record; nil when it was refused, and `commit` then says why.
  template <GeneratedRecord T>
  RecordId create(const T& record) {
    return note(transaction_.put(record), Note{true, kind_name<T>(), {}, {}});
  }
  /// Fields of a record that is there; `record` has its id.
  template <GeneratedRecord T>
  void edit(T record) {
    const auto id = transaction_.put(record);
    record.clear_id();
    note(id, Note{false, kind_name<T>(), {}, record.SerializeAsString()});
  }
  /// Durable when it returns, and noted.
  Result<void> commit();

 private:
  RecordId note(const Result<RecordId>& id, Note note);

  Phone& phone_;
  Transaction transaction_;
  std::vector<Note> notes_;
  Result<void> wrong_;
};

}  // namespace gridwhistle::demo

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "model/merge.h"
#include "model/schema.h"
#include "storage/storage.h"

namespace gridwhistle {

/// Makes ids for records of the server.
using MintId = std::function<RecordId()>;

/// The record that a record with this content follows; nil if none, or one of an unknown kind.
RecordKey parent_of(const Schema& schema, const KindSchema& kind, std::string_view body);

/// The records that one transaction touches, as it leaves them. Nothing reaches storage before
/// `flush`; a workspace that is dropped has changed nothing but the next seq, which is spent.
///
/// Every write also keeps the record's places in its scopes: with each change it moves to the end
/// of the feed of every scope it is in, and what follows it goes where it goes.
class Workspace {
 public:
  struct Page {
    const KindSchema* kind = nullptr;
    StoredRecord record;
    std::vector<Membership> before;  ///< as stored
    RecordId parent;                 ///< as stored
    bool dirty = false;
    bool gone = false;  ///< it is not there, and is to be noted as gone
  };

  /// All outlive the workspace. `now_ms` is the server's receipt.
  Workspace(Storage& storage, const Schema& schema, std::int64_t now_ms)
      : storage_(storage), schema_(schema), now_ms_(now_ms) {}

  Storage& storage() { return storage_; }
  const Schema& schema() const { return schema_; }
  std::int64_t now_ms() const { return now_ms_; }

  Seq next_seq();

  /// The record, stored or not; lives until `flush`. kInternal: an unknown kind.
  Result<Page*> open(const RecordKey& key);

  /// Merges an operation into its record, whose page has the outcome then: `next` of what is
  /// returned was moved there. `device` 0 is the server. kInvalid: the record would lie in no scope
  /// of this county; nothing is changed then.
  Result<Merged> merge_in(const Operation& operation, DeviceId device, Seq seq);

  /// Writes fields as the server: a canonical part of the record. Creates the record where it does
  /// not exist. With the seq of a change just made it becomes part of that change.
  Result<void> write(const RecordKey& key, std::string_view set,
                     const std::vector<std::uint32_t>& clear, Seq seq);
  /// The same for a message of the kind, brought into canonical form.
  template <typename Message>
  Result<void> write_message(const RecordKey& key, const Message& message,
                             const std::vector<std::uint32_t>& clear, Seq seq) {
    return write_bytes(key, message.SerializeAsString(), clear, seq);
  }

  /// Puts a record into these leaf scopes and takes it out of all others; what follows it comes
  /// along, but not into its reporter's own scope. `seq` is the change's.
  Result<void> place(const RecordKey& key, const std::vector<std::string>& leaves, Seq seq);

  /// The leaf scopes a record is in.
  Result<std::vector<std::string>> leaves_of(const RecordKey& key);
  /// The leaf scopes its content says it belongs to. Nothing for a child whose parent is not there.
  /// The reporter's own scope of a whistle is not among them: see `keep_in_sight`.
  /// kInvalid: it names no scope of this county.
  Result<std::vector<std::string>> leaves_by_content(const KindSchema& kind, std::string_view body);

  /// The leaf scopes that a record, or what it follows, has been in and is no longer; `set` stands
  /// for a record that is not there yet. Whoever worked there may not have heard of it.
  Result<std::vector<std::string>> leaves_left(RecordKey key, std::string_view set);

  /// What follows a record, this transaction's included.
  Result<std::vector<RecordKey>> children(RecordId parent);

  /// The record that a kind's records follow; nil if none.
  RecordKey parent_of(const KindSchema& kind, std::string_view body) const;

  /// Whether a record is not there because it was erased, long ago; this transaction's included.
  Result<bool> is_gone(const RecordKey& key);

  /// Takes a name that is to be one record's alone; false when this transaction has given it to
  /// another. What is stored is not asked.
  bool claim(std::string_view name, RecordId by);

  /// Hands everything that changed to storage; no page lives on.
  Result<void> flush();

  /// Records created or changed, for whoever must know of reference records.
  std::vector<RecordKey> touched() const;

 private:
  Result<void> write_bytes(const RecordKey& key, std::string_view message,
                           const std::vector<std::uint32_t>& clear, Seq seq);
  Result<void> settle(const RecordKey& key, const Page& page, std::vector<std::string> leaves,
                      Seq seq);
  Result<void> move_children(RecordId parent, const std::vector<std::string>& leaves);
  void add_kept(const Page& page, std::vector<std::string>& leaves);

  Storage& storage_;
  const Schema& schema_;
  const std::int64_t now_ms_;
  std::unordered_map<RecordKey, Page> pages_;
  std::vector<std::pair<const RecordKey, Page>*> opened_;  ///< the pages, first opened first
  std::multimap<RecordId, RecordKey> new_children_;        ///< by parent
  std::map<std::string, RecordId, std::less<>> claimed_;
};

/// Whether a record is a whistle or follows one, and may lie in its reporter's own scope.
bool is_of_whistle(const KindSchema& kind, std::string_view body);

}  // namespace gridwhistle

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "wire/frames.h"

// What a session asks its owner to do. Actions are done in order; of an action that fails the
// session is told, and those behind it are dropped.
namespace gridwhistle {

/// Read the file's `SyncState`, begin a call, then tell `opened` or `open_failed`.
struct OpenCall {};
/// The server knows another file under this one's number: ask it to go on under a number of its
/// own, then tell `succeeded` or `open_failed`. Or `is_unknown`: it knows this one's number no
/// more, which was taken after the backup that it was restored from; ask it to take the number
/// again.
struct Succeed {
  bool is_unknown = false;
};
/// Make durable what was stored; complete the Hello (call counter, clocks, signature) and send it.
struct SendHello {
  v1::Hello hello;
};
/// Read operations of a lane after `after`, whole transactions, about `bytes_max`, at least one
/// transaction; tell `operations`.
struct ReadOperations {
  Lane lane = Lane::kWhistles;
  LaneSeq after;
  std::size_t bytes_max = 0;
};
/// Send a frame on the open call.
struct Send {
  std::string frame;
};
struct FinishSending {};
/// Sum up what the file holds; tell `digests`.
struct ReadDigests {};
/// Read what the file holds in these ranges; tell `contents`.
struct ReadContents {
  std::vector<std::uint32_t> ranges;
};
/// What was stored is to survive a power cut: the next word to the server rests on it.
struct MakeDurable {};
/// Store; tell `store_failed` when it cannot be done.
struct StoreWelcome {
  v1::Welcome welcome;
};
struct StoreAcks {
  v1::Acks acks;
};
struct StoreCut {
  CutDown cut;
};
struct StoreCaughtUp {
  Seq upto;
};
/// Note that the file was compared, and put right where it differed.
struct StoreCompared {};
/// Let go of the call; no more of its events may be told.
struct CloseCall {};
/// The call that `sync_once` asked for, or that was live, has come to an end or to rest.
struct Finished {
  Result<void> how;
};

using SyncAction = std::variant<OpenCall, Succeed, SendHello, ReadOperations, Send, FinishSending,
                                ReadDigests, ReadContents, MakeDurable, StoreWelcome, StoreAcks,
                                StoreCut, StoreCaughtUp, StoreCompared, CloseCall, Finished>;
using SyncActions = std::vector<SyncAction>;

}  // namespace gridwhistle

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gridwhistle/status.h"

// The doors: everything the library takes from the outside world. A host passes them in; the
// library never reaches for a clock, a socket or a thread by itself. `gridwhistle/default_ports.h`
// has one of each for a desktop or server process.
namespace gridwhistle {

/// What the device's clocks say at one moment.
struct ClockReading {
  std::int64_t wall_ms = 0;   ///< since 1970, as the device believes; may be wrong or jump
  std::uint64_t boot_ms = 0;  ///< since the device started, time asleep included; never goes back
  std::uint64_t boot_id = 0;  ///< another one after each start of the device
  bool operator==(const ClockReading&) const = default;
};

/// Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual ClockReading now() = 0;
};

/// Any thread. Cryptographic quality: ids and keys come from it.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
};

/// Where tasks run. Tasks of one executor run one at a time, in order, never inside `post`.
class Executor {
 public:
  virtual ~Executor() = default;
  /// Any thread.
  virtual void post(std::function<void()> task) = 0;
  /// Any thread. Runs the task after `delay` at the earliest. The number cancels it.
  virtual std::uint64_t post_after(std::chrono::milliseconds delay, std::function<void()> task) = 0;
  /// Any thread. Without effect when the task has run or is running.
  virtual void cancel(std::uint64_t timer) = 0;
};

/// The phone's keys, P-256. A phone keeps them in its keystore: the private halves need never be
/// seen. `name` says which: empty for the key that a phone begins with; one whose file turned out
/// to be a copy goes on with another, whose name is 16 hexadecimal digits. Any thread.
class SecretStore {
 public:
  virtual ~SecretStore() = default;
  /// The public key as SubjectPublicKeyInfo in DER; makes the key at the first call.
  virtual Result<std::string> public_key(std::string_view name) = 0;
  /// ECDSA over SHA-256 of the message, as ASN.1 DER.
  virtual Result<std::string> sign(std::string_view name, std::string_view message) = 0;
};

/// One open call to the server: a stream of frames each way.
class Call {
 public:
  virtual ~Call() = default;  ///< cancels the call; no event comes afterwards
  /// Any thread. Queues a frame; never blocks.
  virtual void send(std::string frame) = 0;
  /// Any thread. Nothing more will be sent.
  virtual void finish_sending() = 0;
};

/// What a call tells its owner; runs on the executor that was given to the transport.
struct CallEvents {
  /// A frame came, in order.
  std::function<void(std::string frame)> on_frame;
  /// The call is over, once, last. An error says why; kUnavailable, kTimeout, kWrongServerKey.
  std::function<void(Result<void> how)> on_end;
};

/// Carries frames to the server and back. A frame is a serialized `v1::Up` or `v1::Down`, in a
/// media call a `v1::MediaUp` or `v1::MediaDown`; the transport does not look inside.
class Transport {
 public:
  virtual ~Transport() = default;
  /// The executor's thread. Begins a `Sync` call; the server may hear of it with its first frame.
  virtual std::unique_ptr<Call> sync(CallEvents events) = 0;
  /// The executor's thread. Begins a call that carries attachments' bytes, beside others. Null:
  /// this transport carries none, and they stay on the phone.
  virtual std::unique_ptr<Call> media(CallEvents events) {
    static_cast<void>(events);
    return nullptr;
  }
  /// The executor's thread. A single question and answer: serialized `v1::EnrolRequest` and
  /// `v1::EnrolReply`.
  virtual void enrol(std::string request, std::function<void(Result<std::string>)> done) = 0;
};

}  // namespace gridwhistle

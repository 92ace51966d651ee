#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "gridwhistle/default_ports.h"
#include "hostile_server.h"
#include "marks.h"
#include "plants.h"
#include "recorder.h"
#include "server.h"
#include "timeline.h"

namespace gridwhistle::sim {

/// How bad a phone's line is. Per mille where not said otherwise.
struct LineQuality {
  std::uint64_t latency_ms = 20;  ///< at most three times that
  std::uint64_t breaks = 0;       ///< of each frame: the connection is lost with it
  std::uint64_t goes_silent = 0;  ///< of each call: half open, nothing passes, nobody is told
  std::uint64_t truncates = 0;    ///< of each frame
  std::uint64_t duplicates = 0;   ///< of each frame
  std::uint64_t damages = 0;      ///< of each chunk of a picture: a byte of it is another
  std::uint64_t lingers = 0;      ///< of each broken call: what was under way arrives much later
  std::uint64_t bytes_per_s = 0;  ///< each way, of all calls together; 0: no end
};

/// The lines between phones and the server.
class Network {
 public:
  /// The damage dice say only what is damaged.
  Network(Timeline& timeline, Dice& dice, Marks& marks, Server& server, Recorder& recorder,
          Dice& damage_dice);
  ~Network();

  /// From now on what arrives has been through this bug, which outlives it.
  void plant(PlantedBug* bug) { bug_ = bug; }
  /// From now on phones hear this one, too. Null: no more.
  void let_in(HostileServer* hostile) { hostile_ = hostile; }

  /// A transport of one phone. `line` is looked at whenever something passes; it outlives the
  /// transport. `reachable` false: the phone has no network.
  struct Line {
    LineQuality quality;
    bool reachable = true;
    bool dead = false;      ///< its phone is, and sends nothing more
    bool up_cut = false;    ///< what is sent this way is lost, and nothing of the call comes after
    bool down_cut = false;  ///< the same the other way
    std::uint64_t up_free_ms = 0;  ///< when what was sent before has gone over a slow line
    std::uint64_t down_free_ms = 0;
    bool is_recorded = true;  ///< for the checker, who knows honest phones only
    std::string name;
    std::function<void(const std::function<void()>&)> hears;  ///< does what a frame makes it do
  };
  std::unique_ptr<Transport> transport(Line& line);

  /// The server is gone: every call ends.
  void server_killed();
  /// A line was lost: its calls break.
  void line_lost(const Line& line);

  /// Whether the phone of this line, or any, has a call that the server knows of.
  bool in_call(const Line& line) const;
  bool in_call() const;
  /// The same of a call that carries pictures.
  bool in_media_call(const Line& line) const;
  bool in_media_call() const;
  /// From now on calls that carry pictures carry nothing, and nobody is told; or they do again.
  void hold_media(bool held) { media_held_ = held; }

  std::uint64_t calls() const { return last_; }
  std::uint64_t frames() const { return frames_; }

 private:
  friend class SimCall;
  friend class SimTransport;
  struct Flight;

  std::shared_ptr<Flight> begin(Line& line, CallEvents events, bool carries_media);
  void enrol(Line& line, std::string request, std::function<void(Result<std::string>)> done);
  void send_up(const std::shared_ptr<Flight>& flight, std::string frame);
  void finish_up(const std::shared_ptr<Flight>& flight);
  void let_go(const std::shared_ptr<Flight>& flight);
  void send_down(const std::shared_ptr<Flight>& flight, std::string frame);
  void end_down(const std::shared_ptr<Flight>& flight, Result<void> how);
  void arrive_up(const std::shared_ptr<Flight>& flight, const std::string& frame);
  void arrive_down(const std::shared_ptr<Flight>& flight, const std::string& frame);
  void give_to_server(Flight& flight, std::string frame, bool damaged = false);
  void close_at(Flight& flight);
  bool damages(const Flight& flight);
  bool damage(std::string& frame, bool up);
  void break_line(const std::shared_ptr<Flight>& flight);
  void tell_end(const std::shared_ptr<Flight>& flight, Result<void> how);
  void close_at_server(const std::shared_ptr<Flight>& flight);
  std::uint64_t arrival(std::uint64_t& last_ms, const Line& line, std::uint64_t gone_ms);
  std::uint64_t arrival_up(Flight& flight, std::size_t bytes);
  std::uint64_t arrival_down(Flight& flight, std::size_t bytes);
  std::uint64_t gone_ms(std::uint64_t& free_ms, const Line& line, std::size_t bytes,
                        const char* mark);
  bool passes(const Flight& flight) const;
  bool passes_up(Flight& flight);
  bool passes_down(Flight& flight);

  Timeline& timeline_;
  Dice& dice_;
  Marks& marks_;
  Server& server_;
  Recorder& recorder_;
  Dice& damage_dice_;
  PlantedBug* bug_ = nullptr;
  HostileServer* hostile_ = nullptr;
  bool media_held_ = false;
  std::uint64_t last_ = 0;
  std::uint64_t frames_ = 0;
  std::map<std::uint64_t, std::shared_ptr<Flight>> flights_;
};

}  // namespace gridwhistle::sim

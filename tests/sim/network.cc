#include "network.h"

#include <algorithm>
#include <utility>

#include "county/connection.h"
#include "wire/media.h"

namespace gridwhistle::sim {

/// One call as the network sees it. Each side learns of its end in its own time.
struct Network::Flight final : Sink, std::enable_shared_from_this<Flight> {
  Flight(Network& owner, Line& its_line, bool its_carries_media)
      : network(owner), line(its_line), carries_media(its_carries_media) {}

  void send(std::string frame) override { network.send_down(shared_from_this(), std::move(frame)); }
  bool writable() const override { return down_bytes < kBufferBytes; }
  void close(Result<void> how) override {
    at_server = false;
    network.end_down(shared_from_this(), std::move(how));
  }

  static constexpr std::size_t kBufferBytes = 128 * 1024;

  Network& network;
  Line& line;
  const bool carries_media;
  ConnectionId id;
  CallEvents events;
  bool at_phone = true;    ///< the phone holds it
  bool at_server = false;  ///< the county holds it
  bool silent = false;     ///< half open
  bool up_lost = false;    ///< something sent this way was, so nothing comes after it
  bool down_lost = false;
  bool broken = false;
  bool lingers = false;
  std::uint64_t up_ms = 0;  ///< when the last frame under way arrives
  std::uint64_t down_ms = 0;
  std::size_t down_bytes = 0;
};

class SimCall final : public Call {
 public:
  SimCall(Network& network, std::shared_ptr<Network::Flight> flight)
      : network_(network), flight_(std::move(flight)) {}
  ~SimCall() override { network_.let_go(flight_); }
  void send(std::string frame) override { network_.send_up(flight_, std::move(frame)); }
  void finish_sending() override { network_.finish_up(flight_); }

 private:
  Network& network_;
  std::shared_ptr<Network::Flight> flight_;
};

class SimTransport final : public Transport {
 public:
  SimTransport(Network& network, Network::Line& line) : network_(network), line_(line) {}

  std::unique_ptr<Call> sync(CallEvents events) override {
    return std::make_unique<SimCall>(network_, network_.begin(line_, std::move(events), false));
  }

  std::unique_ptr<Call> media(CallEvents events) override {
    return std::make_unique<SimCall>(network_, network_.begin(line_, std::move(events), true));
  }

  void enrol(std::string request, std::function<void(Result<std::string>)> done) override {
    network_.enrol(line_, std::move(request), std::move(done));
  }

 private:
  Network& network_;
  Network::Line& line_;
};

Network::Network(Timeline& timeline, Dice& dice, Marks& marks, Server& server, Recorder& recorder,
                 Dice& damage_dice)
    : timeline_(timeline),
      dice_(dice),
      marks_(marks),
      server_(server),
      recorder_(recorder),
      damage_dice_(damage_dice) {}

Network::~Network() = default;

std::unique_ptr<Transport> Network::transport(Line& line) {
  return std::make_unique<SimTransport>(*this, line);
}

// An answer may be lost as well as a question. Where the line never breaks no dice fall.
void Network::enrol(Line& line, std::string request,
                    std::function<void(Result<std::string>)> done) {
  timeline_.after(50, [this, &line, request = std::move(request), done = std::move(done)] {
    const bool breaks = line.quality.breaks > 0 && dice_.chance(line.quality.breaks);
    const bool is_lost = breaks && dice_.chance(500);
    if (line.dead || !line.reachable || line.up_cut || is_lost) {
      return done(fail(ErrorCode::kUnavailable, "no line"));
    }
    if (bug_ != nullptr) bug_->asks_to_enrol(request);
    auto reply = server_.enrol(request);
    done(breaks || line.down_cut ? fail(ErrorCode::kUnavailable, "the line broke")
                                 : std::move(reply));
  });
}

std::uint64_t Network::arrival(std::uint64_t& last_ms, const Line& line, std::uint64_t gone_ms) {
  const std::uint64_t latency = dice_.between(line.quality.latency_ms, line.quality.latency_ms * 3);
  last_ms = std::max(last_ms, gone_ms + latency);
  return last_ms;
}

std::uint64_t Network::arrival_up(Flight& flight, std::size_t bytes) {
  Line& line = flight.line;
  return arrival(flight.up_ms, line, gone_ms(line.up_free_ms, line, bytes, "slow-lines: up"));
}

std::uint64_t Network::arrival_down(Flight& flight, std::size_t bytes) {
  Line& line = flight.line;
  return arrival(flight.down_ms, line, gone_ms(line.down_free_ms, line, bytes, "slow-lines: down"));
}

// When the last byte has left, behind everything that was sent before.
std::uint64_t Network::gone_ms(std::uint64_t& free_ms, const Line& line, std::size_t bytes,
                               const char* mark) {
  constexpr std::uint64_t kSlowMs = 1000;
  const std::uint64_t now_ms = timeline_.now_ms();
  if (line.quality.bytes_per_s == 0) return now_ms;
  free_ms = std::max(free_ms, now_ms) + bytes * 1000 / line.quality.bytes_per_s;
  if (free_ms - now_ms >= kSlowMs) marks_.hit(mark);
  return free_ms;
}

bool Network::passes(const Flight& flight) const {
  if (flight.carries_media && media_held_) return false;
  return !flight.silent && !flight.broken && flight.line.reachable;
}

bool Network::passes_up(Flight& flight) {
  if (!passes(flight)) return false;
  if (flight.line.up_cut && !std::exchange(flight.up_lost, true)) marks_.hit("one-way: up");
  return !flight.up_lost;
}

bool Network::passes_down(Flight& flight) {
  if (!passes(flight)) return false;
  if (flight.line.down_cut && !std::exchange(flight.down_lost, true)) marks_.hit("one-way: down");
  return !flight.down_lost;
}

std::shared_ptr<Network::Flight> Network::begin(Line& line, CallEvents events, bool carries_media) {
  const auto flight = std::make_shared<Flight>(*this, line, carries_media);
  flight->id = ConnectionId(++last_);
  flight->events = std::move(events);
  flight->silent = dice_.chance(line.quality.goes_silent);
  flights_.emplace(flight->id.value, flight);
  timeline_.note(line.name + (carries_media ? " calls with pictures" : " calls"));
  if (flight->silent) marks_.hit("silence: the whole call");
  if (line.dead || !line.reachable || !server_.running()) {
    timeline_.after(dice_.between(5, 3000),
                    [this, flight] { tell_end(flight, fail(ErrorCode::kUnavailable, "no line")); });
    flight->broken = true;
    return flight;
  }
  passes_up(*flight);
  timeline_.at(arrival_up(*flight, 0), [this, flight] {
    if (!passes(*flight) || flight->up_lost) return;
    if (!server_.running()) return break_line(flight);
    if (!flight->carries_media) {
      flight->at_server = true;
      return server_.opened(flight->id, *flight);
    }
    if (server_.media() == nullptr) return break_line(flight);
    flight->at_server = true;
    server_.media()->opened(flight->id, *flight);
  });
  return flight;
}

void Network::send_up(const std::shared_ptr<Flight>& flight, std::string frame) {
  if (flight->line.dead) return;
  const bool is_recorded = flight->line.is_recorded && !flight->carries_media;
  if (is_recorded) recorder_.sent(flight->id.value, flight->line.name, frame);
  if (!passes_up(*flight)) return;
  if (dice_.chance(flight->line.quality.breaks)) {
    marks_.hit("breaks: up");
    return break_line(flight);
  }
  const std::uint64_t arrives_ms = arrival_up(*flight, frame.size());
  timeline_.at(arrives_ms, [this, flight, frame = std::move(frame)] { arrive_up(flight, frame); });
}

void Network::arrive_up(const std::shared_ptr<Flight>& flight, const std::string& sent) {
  if (!flight->at_server || flight->silent || (flight->broken && !flight->lingers)) return;
  ++frames_;
  if (flight->broken) marks_.hit("lingering: up");
  std::string frame = sent;
  bool damaged = false;
  if (flight->carries_media) {
    damaged = damages(*flight) && damage(frame, true);
    if (bug_ != nullptr) frame = bug_->media_up(frame);
  } else if (bug_ != nullptr) {
    frame = bug_->up(flight->id.value, sent);
  }
  const LineQuality& quality = flight->line.quality;
  if (dice_.chance(quality.truncates)) {
    marks_.hit("truncation: up");
    timeline_.note(flight->line.name + " truncated up");
    if (flight->carries_media) marks_.hit("truncation: of a picture");
    give_to_server(*flight, frame.substr(0, dice_.below(frame.size() + 1)));
    return;
  }
  give_to_server(*flight, frame, damaged);
  if (flight->at_server && dice_.chance(quality.duplicates)) {
    marks_.hit("duplication: up");
    timeline_.note(flight->line.name + " duplicated up");
    if (flight->carries_media) marks_.hit("duplication: of a picture");
    give_to_server(*flight, frame, damaged);
  }
}

void Network::give_to_server(Flight& flight, std::string frame, bool damaged) {
  if (!flight.carries_media) return server_.frame(flight.id, std::move(frame));
  if (MediaDoor* const door = server_.media()) door->frame(flight.id, std::move(frame), damaged);
}

bool Network::damages(const Flight& flight) {
  return flight.line.quality.damages > 0 && damage_dice_.chance(flight.line.quality.damages);
}

// Of a chunk, so that nothing but its digest can tell.
bool Network::damage(std::string& frame, bool up) {
  const auto alter = [&](auto& part) {
    auto* const chunk = part ? std::get_if<v1::MediaChunk>(&*part) : nullptr;
    if (chunk == nullptr || chunk->content().empty()) return false;
    std::string& content = *chunk->mutable_content();
    char& byte = content[damage_dice_.below(content.size())];
    byte = static_cast<char>(byte ^ static_cast<char>(damage_dice_.between(1, 255)));
    return true;
  };
  if (up) {
    auto part = decode_media_up(frame);
    if (!alter(part)) return false;
    frame = encode_media_up(*part);
  } else {
    auto part = decode_media_down(frame);
    if (!alter(part)) return false;
    frame = encode_media_down(*part);
  }
  return true;
}

void Network::finish_up(const std::shared_ptr<Flight>& flight) {
  if (flight->line.dead || !passes_up(*flight)) return;
  timeline_.at(arrival_up(*flight, 0), [this, flight] {
    if (!flight->at_server || !passes(*flight)) return;
    if (!flight->carries_media) return server_.half_closed(flight->id);
    flight->close({});
  });
}

void Network::let_go(const std::shared_ptr<Flight>& flight) {
  flight->at_phone = false;
  if (flight->broken || flight->silent || flight->up_lost) return close_at_server(flight);
  timeline_.at(arrival_up(*flight, 0), [this, flight] { close_at_server(flight); });
}

void Network::send_down(const std::shared_ptr<Flight>& flight, std::string frame) {
  if (flight->line.is_recorded && !flight->carries_media)
    recorder_.answered(flight->id.value, frame);
  if (!passes_down(*flight)) return;
  if (dice_.chance(flight->line.quality.breaks)) {
    marks_.hit("breaks: down");
    return break_line(flight);
  }
  flight->down_bytes += frame.size();
  const std::uint64_t arrives_ms = arrival_down(*flight, frame.size());
  timeline_.at(arrives_ms,
               [this, flight, frame = std::move(frame)] { arrive_down(flight, frame); });
}

void Network::arrive_down(const std::shared_ptr<Flight>& flight, const std::string& sent) {
  const bool was_writable = flight->writable();
  flight->down_bytes -= sent.size();
  if (!was_writable && flight->writable()) {
    if (!flight->carries_media) {
      server_.pump_soon();
    } else if (server_.media() != nullptr) {
      server_.media()->drained(flight->id);
    }
  }
  if (!flight->at_phone || !passes(*flight)) return;
  ++frames_;
  std::string frame = sent;
  if (flight->carries_media) {
    if (damages(*flight) && damage(frame, false)) marks_.hit("damage: down");
  } else if (bug_ != nullptr) {
    frame = bug_->down(sent);
  }
  if (frame.empty()) return;
  const LineQuality& quality = flight->line.quality;
  const bool truncated = dice_.chance(quality.truncates);
  if (truncated) {
    marks_.hit("truncation: down");
    timeline_.note(flight->line.name + " truncated down");
  }
  const std::string part = truncated ? frame.substr(0, dice_.below(frame.size() + 1)) : frame;
  const bool is_harmed = hostile_ != nullptr && flight->line.is_recorded && !flight->carries_media;
  for (const std::string& heard :
       is_harmed ? hostile_->down(flight->line.name, part) : std::vector{part}) {
    if (flight->at_phone) flight->line.hears([&] { flight->events.on_frame(heard); });
  }
  if (flight->at_phone && dice_.chance(quality.duplicates)) {
    marks_.hit("duplication: down");
    timeline_.note(flight->line.name + " duplicated down");
    flight->line.hears([&] { flight->events.on_frame(frame); });
  }
}

void Network::end_down(const std::shared_ptr<Flight>& flight, Result<void> how) {
  passes_down(*flight);
  timeline_.at(arrival_down(*flight, 0), [this, flight, how = std::move(how)] {
    if (passes(*flight) && !flight->down_lost) tell_end(flight, how);
  });
}

void Network::tell_end(const std::shared_ptr<Flight>& flight, Result<void> how) {
  if (std::exchange(flight->at_phone, false)) flight->events.on_end(std::move(how));
  if (!flight->at_server) flights_.erase(flight->id.value);
}

void Network::close_at_server(const std::shared_ptr<Flight>& flight) {
  // A county that has lost the phone's call hears of it some time later.
  const bool unsaid = flight->silent || flight->broken || flight->up_lost;
  const std::uint64_t delay = unsaid ? dice_.between(100, 60'000) : 0;
  timeline_.after(delay, [this, flight] {
    if (std::exchange(flight->at_server, false)) close_at(*flight);
    if (!flight->at_phone) flights_.erase(flight->id.value);
  });
}

void Network::close_at(Flight& flight) {
  if (!flight.carries_media) return server_.closed(flight.id);
  if (MediaDoor* const door = server_.media()) door->closed(flight.id);
}

void Network::break_line(const std::shared_ptr<Flight>& flight) {
  if (std::exchange(flight->broken, true)) return;
  timeline_.note(flight->line.name + " breaks");
  if (flight->carries_media && flight->at_server) marks_.hit("pictures: a line breaks under one");
  flight->lingers = dice_.chance(flight->line.quality.lingers);
  timeline_.after(dice_.between(1, 20'000), [this, flight] {
    tell_end(flight, fail(ErrorCode::kUnavailable, "the line broke"));
  });
  close_at_server(flight);
}

bool Network::in_call(const Line& line) const {
  return std::ranges::any_of(flights_, [&](const auto& flight) {
    return &flight.second->line == &line && flight.second->at_server && flight.second->at_phone;
  });
}

bool Network::in_call() const {
  return std::ranges::any_of(flights_, [](const auto& flight) { return flight.second->at_server; });
}

bool Network::in_media_call(const Line& line) const {
  return std::ranges::any_of(flights_, [&](const auto& flight) {
    return &flight.second->line == &line && flight.second->carries_media &&
           flight.second->at_server && flight.second->at_phone;
  });
}

bool Network::in_media_call() const {
  return std::ranges::any_of(flights_, [](const auto& flight) {
    return flight.second->at_server && flight.second->carries_media;
  });
}

void Network::server_killed() {
  const auto flights = flights_;
  for (const auto& [number, flight] : flights) {
    flight->at_server = false;
    break_line(flight);
  }
}

void Network::line_lost(const Line& line) {
  const auto flights = flights_;
  for (const auto& [number, flight] : flights) {
    if (&flight->line == &line) break_line(flight);
  }
}

}  // namespace gridwhistle::sim

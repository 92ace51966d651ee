#include "bad_network.h"

#include <chrono>

#include "support/proxy.h"

namespace gridwhistle::demo {

using std::chrono::milliseconds;
using test::Proxy;

BadNetwork::BadNetwork(int server_port, std::uint64_t seed)
    : server_port_(server_port), dice_(seed) {}

BadNetwork::~BadNetwork() = default;

int BadNetwork::port_of(const std::string& phone) {
  std::unique_ptr<Proxy>& line = lines_[phone];
  if (!line) line = std::make_unique<Proxy>(server_port_);
  return line->port();
}

void BadNetwork::server_moved(int server_port) {
  server_port_ = server_port;
  for (auto& [phone, line] : lines_) line->forward_to(server_port);
}

void BadNetwork::fair_weather() {
  std::uniform_int_distribution<int> latency_ms(5, 60);
  for (auto& [phone, line] : lines_) {
    line->set_latency(milliseconds(latency_ms(dice_)));
    line->set_bandwidth(0);
  }
}

void BadNetwork::foul_weather() {
  fair_weather();
  std::uniform_int_distribution<int> one_in_three(0, 2);
  std::uniform_int_distribution<std::uint64_t> bytes(600, 9'000);
  for (auto& [phone, line] : lines_) {
    if (one_in_three(dice_) != 0) continue;
    line->cut_after(one_in_three(dice_) == 0 ? Proxy::Way::kDown : Proxy::Way::kUp, bytes(dice_));
  }
}

void BadNetwork::no_network(const std::vector<std::string>& phones) {
  for (const std::string& phone : phones) {
    lines_.at(phone)->refuse(true);
    lines_.at(phone)->drop_connections();
  }
}

void BadNetwork::network_again(const std::vector<std::string>& phones) {
  for (const std::string& phone : phones) lines_.at(phone)->refuse(false);
}

void BadNetwork::throttle(const std::vector<std::string>& phones, std::uint64_t bytes_per_second) {
  for (const std::string& phone : phones) lines_.at(phone)->set_bandwidth(bytes_per_second);
}

BadNetwork::Totals BadNetwork::totals() const {
  Totals totals;
  for (const auto& [phone, line] : lines_) {
    const Proxy::Counts counts = line->counts();
    totals.connections += counts.connections;
    totals.bytes += counts.up_bytes + counts.down_bytes;
  }
  return totals;
}

std::uint64_t BadNetwork::sent_by(const std::vector<std::string>& phones) const {
  std::uint64_t bytes = 0;
  for (const std::string& phone : phones) bytes += lines_.at(phone)->counts().up_bytes;
  return bytes;
}

}  // namespace gridwhistle::demo

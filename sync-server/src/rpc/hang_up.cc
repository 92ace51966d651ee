#include "rpc/hang_up.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <charconv>
#include <filesystem>
#include <string_view>

namespace gridwhistle::rpc {

namespace {

/// As gRPC writes it. A peer of IPv4 on a socket of IPv6 is an IPv4 to gRPC too.
std::string name_of(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return "ipv4:" + std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (address.ss_family != AF_INET6) return "";
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  const std::string port = std::to_string(ntohs(v6.sin6_port));
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    inet_ntop(AF_INET, v6.sin6_addr.s6_addr + 12, text, sizeof text);
    return "ipv4:" + std::string(text) + ":" + port;
  }
  inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  return "ipv6:%5B" + std::string(text) + "%5D:" + port;
}

}  // namespace

// A file may be closed and its number given to another between the two calls. Of what is no
// connection nothing happens then; a phone's connection would end, and it calls again.
void hang_up(const std::string& peer) {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", none)) {
    const std::string number = entry.path().filename();
    int file = -1;
    std::from_chars(number.data(), number.data() + number.size(), file);
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getpeername(file, reinterpret_cast<sockaddr*>(&address), &size) != 0) continue;
    if (name_of(address) == peer) ::shutdown(file, SHUT_RDWR);
  }
}

}  // namespace gridwhistle::rpc

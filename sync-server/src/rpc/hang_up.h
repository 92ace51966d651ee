#pragma once

#include <string>

namespace gridwhistle::rpc {

/// Ends this process's TCP connection with a peer, "ipv4:127.0.0.1:4711" or "ipv6:%5B::1%5D:4711",
/// whatever waits on it; gRPC, which has no word for that, finds it reset. Without effect when
/// there is none. Looks at every open file: some milliseconds with 20,000 of them. Any thread.
void hang_up(const std::string& peer);

}  // namespace gridwhistle::rpc

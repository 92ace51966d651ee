#pragma once

namespace gridwhistle::rpc {

/// Lets tools ask the servers that are started from now on for services and messages, the
/// annotations included. The messages themselves are built without descriptors, so theirs are
/// brought from a table. Any thread; once is enough.
void enable_reflection();

}  // namespace gridwhistle::rpc

#pragma once

#include <functional>
#include <string_view>

// What gRPC has to say of itself, which it would write to standard error in a form of its own.
namespace gridwhistle::rpc {

/// A line of gRPC's log. Its words are left out: they name peers' addresses and what they sent.
struct LibraryLine {
  bool is_error = false;
  std::string_view file;  ///< gRPC's source, without folders; lives as long as the process
  int line = 0;
};

/// Sends gRPC's lines of the whole process there instead; nothing: they are dropped. `to` is called
/// on any thread, one at a time, and calls no gRPC. When this returns the one before is not called
/// any more.
void set_library_log(std::function<void(const LibraryLine&)> to);

}  // namespace gridwhistle::rpc

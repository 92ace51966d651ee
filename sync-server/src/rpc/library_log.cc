#include "rpc/library_log.h"

#include <grpc/support/log.h>

#include <mutex>
#include <utility>

namespace gridwhistle::rpc {
namespace {

struct Receiver {
  std::mutex mutex;
  std::function<void(const LibraryLine&)> to;
};

// gRPC's threads outlive everything else of the process.
Receiver& receiver() {
  static auto* const kept = new Receiver;
  return *kept;
}

void pass_on(gpr_log_func_args* args) {
  const std::string_view path = args->file;
  const std::string_view file = path.substr(path.rfind('/') + 1);
  Receiver& to = receiver();
  const std::lock_guard lock(to.mutex);
  if (to.to) to.to({args->severity == GPR_LOG_SEVERITY_ERROR, file, args->line});
}

}  // namespace

void set_library_log(std::function<void(const LibraryLine&)> to) {
  {
    const std::lock_guard lock(receiver().mutex);
    receiver().to = std::move(to);
  }
  gpr_set_log_function(pass_on);
}

}  // namespace gridwhistle::rpc

#include "client/strand.h"

#include <utility>

namespace gridwhistle {

std::function<void()> Strand::guarded(std::function<void()> task) {
  return [self = shared_from_this(), task = std::move(task)]() mutable {
    // What a task owns may call back into the client when it goes, so it goes after the lock.
    const std::function<void()> work = std::move(task);
    const std::lock_guard lock(self->mutex_);
    if (self->ended_) return;
    try {
      work();
    } catch (const std::exception& error) {
      self->broken_(error);
    }
  };
}

void Strand::post(std::function<void()> task) { host_.post(guarded(std::move(task))); }

std::uint64_t Strand::post_after(std::chrono::milliseconds delay, std::function<void()> task) {
  return host_.post_after(delay, guarded(std::move(task)));
}

void Strand::release(std::shared_ptr<void> thing) {
  if (thing) host_.post([thing = std::move(thing)] {});
}

}  // namespace gridwhistle

#include "server.h"

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "base/sha256.h"
#include "files.h"
#include "schema/tables.h"
#include "storage/open.h"

namespace gridwhistle::sim {

Server::Server(Timeline& timeline, Dice& dice, std::string folder)
    : timeline_(timeline),
      dice_(dice),
      folder_(std::move(folder)),
      key_sha256_(sha256("the county's key")),
      clock_(timeline, 1) {
  if (auto made = create_sqlite_storage(path(), "440811", built_schema()); !made) {
    throw std::runtime_error("no storage: " + made.error().message);
  }
  start();
}

void Server::start() {
  if (county_) return;
  auto storage = open_sqlite_storage(path(), built_schema());
  if (!storage) throw std::runtime_error("storage does not open: " + storage.error().message);
  CountyOptions options;
  options.server_key_sha256 = key_sha256_;
  auto county = County::open(std::move(*storage), built_schema(), clock_, dice_, options);
  if (!county) throw std::runtime_error("county does not open: " + county.error().message);
  county_ = std::move(*county);
  ++starts_;
  timeline_.note("server starts");
}

void Server::kill() {
  if (!county_) return;
  timeline_.note("server killed");
  die_with_files(path(), [this] { county_.reset(); });
  if (bug_ != nullptr) bug_->in_file(path());
}

void Server::back_up() {
  if (!county_) return;
  timeline_.note("server backs up");
  std::filesystem::remove(backup());
  const auto upto = county_->backup(backup(), "simulator");
  if (!upto) throw std::runtime_error("no backup: " + upto.error().message);
  backed_up_ = *upto;
  pump_soon();
}

Seq Server::restore() {
  timeline_.note("server is restored");
  for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(path() + part);
  std::filesystem::copy_file(backup(), path());
  return backed_up_;
}

void Server::opened(ConnectionId connection, Sink& sink) {
  county_->on_open(connection, sink);
  pump_soon();
}

void Server::frame(ConnectionId connection, std::string frame) {
  if (!county_) return;
  county_->on_frame(connection, std::move(frame));
  pump_soon();
}

void Server::half_closed(ConnectionId connection) {
  if (!county_) return;
  county_->on_half_close(connection);
  pump_soon();
}

void Server::closed(ConnectionId connection) {
  if (!county_) return;
  county_->on_closed(connection);
  pump_soon();
}

Result<std::string> Server::enrol(const std::string& request) {
  if (!county_) return fail(ErrorCode::kUnavailable, "no server");
  return county_->enrol(request);
}

void Server::pump_soon() {
  const std::uint64_t soon = timeline_.now_ms() + 2;
  if (pump_at_ms_ != 0 && pump_at_ms_ <= soon) return;
  pump_at_ms_ = soon;
  timeline_.at(soon, [this, soon] {
    if (pump_at_ms_ == soon) pump();
  });
}

void Server::pump() {
  pump_at_ms_ = 0;
  if (!county_) return;
  const PumpResult result = county_->pump();
  if (result.more) return pump_soon();
  if (pump_at_ms_ != 0) return;
  const std::uint64_t later =
      timeline_.now_ms() +
      static_cast<std::uint64_t>(std::max<std::int64_t>(result.wake_after_ms, 1));
  pump_at_ms_ = later;
  timeline_.at(later, [this, later] {
    if (pump_at_ms_ == later) pump();
  });
}

}  // namespace gridwhistle::sim

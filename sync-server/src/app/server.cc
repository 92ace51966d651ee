#include "app/server.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <set>

#include "app/backup.h"
#include "app/county_thread.h"
#include "app/directory.h"
#include "app/forget_journal.h"
#include "app/media_door.h"
#include "app/media_keeping.h"
#include "app/metrics.h"
#include "app/open_county.h"
#include "app/operator_door.h"
#include "app/phone_door.h"
#include "app/storage_warning.h"
#include "rpc/admin.h"
#include "rpc/library_log.h"
#include "rpc/rpc_server.h"
#include "rpc/server_identity.h"

namespace gridwhistle::app {
namespace {

/// How long phones have to take what was queued for them.
constexpr std::chrono::seconds kGrace{5};
/// After a backup failed, the next try.
constexpr std::int64_t kStandingsEveryMs = 60'000;
constexpr std::int64_t kWipingRetryMs = 60'000;
constexpr std::int64_t kRetentionEveryMs = std::int64_t{24} * 3600 * 1000;
/// Forgotten at a time: calls wait as long.
constexpr std::size_t kForgottenAtOnce = 100;
/// Of a round of sweeping, calls have their turn in between.
constexpr int kSweepsATick = 20;
constexpr std::int64_t kBackupRetryMs = 10 * 60 * 1000;

std::string code_text(const Error& error) { return std::string(name_of(error.code)); }

/// What the network hands to whom.
class Doors final : public rpc::RpcHandler {
 public:
  Doors(PhoneDoor& phones, MediaDoor& media) : phones_(phones), media_(media) {}

  std::shared_ptr<rpc::StreamHandler> on_open(std::shared_ptr<rpc::SyncStream> stream) override {
    return phones_.on_open(std::move(stream));
  }
  std::shared_ptr<rpc::StreamHandler> on_open_media(
      std::shared_ptr<rpc::SyncStream> stream) override {
    return media_.on_open(std::move(stream));
  }
  void enrol(std::string request, Reply reply) override {
    phones_.enrol(std::move(request), std::move(reply));
  }
  void on_shutdown() override {
    phones_.on_shutdown();
    media_.on_shutdown();
  }

 private:
  PhoneDoor& phones_;
  MediaDoor& media_;
};

class RunningServer : public Server {
 public:
  RunningServer(const ServerConfig& config, const Log& log, OpenCounty open,
                std::unique_ptr<MediaFiles> files)
      : config_(config),
        log_(log),
        clock_(std::move(open.clock)),
        random_(std::move(open.random)),
        key_sha256_(std::move(open.key_sha256)),
        thread_(std::move(open.county)),
        phones_(thread_),
        media_(thread_, std::move(files), *clock_, *random_,
               [this](std::string_view phone, ErrorCode code) {
                 log_.warn("media_refused",
                           {{"device", std::string(phone)}, {"code", std::string(name_of(code))}});
               }),
        doors_(phones_, media_) {
    thread_.call([this](County& county) {
      county.on_refused_call([this](std::string_view phone, ErrorCode code) {
        log_.warn("call_refused",
                  {{"device", std::string(phone)}, {"code", std::string(name_of(code))}});
      });
      return 0;
    });
  }

  ~RunningServer() override {
    stop();
    rpc::set_library_log(nullptr);
  }

  Result<void> open_doors() {
    rpc::set_library_log([this](const rpc::LibraryLine& line) {
      const std::string at = std::string(line.file) + ":" + std::to_string(line.line);
      line.is_error ? log_.error("grpc", {{"at", at}}) : log_.info("grpc", {{"at", at}});
    });
    const auto identity = rpc::load_or_make_identity(config_.key_path());
    if (!identity) return std::unexpected(identity.error());
    rpc::RpcServerOptions options{.listen = config_.listen, .identity = *identity};
    options.streams_max = config_.streams_max;
    auto rpc = rpc::RpcServer::start(std::move(options), doors_);
    if (!rpc) return std::unexpected(rpc.error());
    rpc_ = std::move(*rpc);
    auto admin = rpc::AdminServer::start(config_.socket_path(),
                                         operator_handler(thread_, *clock_, config_, key_sha256_));
    if (!admin) return std::unexpected(admin.error());
    admin_ = std::move(*admin);
    return open_metrics();
  }

  int port() const override { return rpc_->port(); }

  /// 0: nobody asked for figures.
  int metrics_port() const { return metrics_ ? metrics_->port() : 0; }

  void tick() override {
    watch_storage();
    watch_forks();
    media_.tick();
    const std::int64_t now_ms = clock_->now().wall_ms;
    watch_standings(now_ms);
    watch_retention(now_ms);
    watch_wiping(now_ms);
    watch_tombstones(now_ms);
    watch_media(now_ms);
    if (config_.backup_every_hours == 0 || now_ms < next_backup_ms_) return;
    const auto status = thread_.call([](County& county) { return county.status(); });
    const std::int64_t every_ms = config_.backup_every_hours * 3600 * 1000;
    const bool recent = status && now_ms - status->backed_up_ms < every_ms;
    if (recent && has_backup(config_)) {
      next_backup_ms_ = status->backed_up_ms + every_ms;
      return;
    }
    back_up(now_ms, every_ms);
  }

  void stop() override {
    if (!rpc_) return;
    admin_.reset();
    metrics_.reset();
    rpc_->shutdown(kGrace);
    media_.stop();
    thread_.stop();
    rpc_.reset();
    log_.info("stopped");
  }

 private:
  Result<void> open_metrics() {
    if (config_.metrics_listen.empty()) return {};
    MetricsDoor::Pages pages;
    const auto look = [this] {
      return thread_.call(
          [](County& county) { return std::pair(county.status(), county.storage_health()); });
    };
    pages.metrics = [this, look] {
      const auto [status, storage] = look();
      return (status ? metrics_text(*status, clock_->now().wall_ms) : std::string()) +
             storage_metrics_text(config_.county, storage) +
             media_metrics_text(config_.county, media_.figures());
    };
    pages.health = [this, look] {
      const auto [status, storage] = look();
      if (const auto warning = storage_warning(storage)) return warning->en;
      if (!status) return code_text(status.error());
      return health_text(*status, started_ms_, clock_->now().wall_ms);
    };
    auto metrics = MetricsDoor::start(config_.metrics_listen, std::move(pages));
    if (!metrics) return std::unexpected(metrics.error());
    metrics_ = std::move(*metrics);
    return {};
  }

  void watch_storage() {
    StorageHealth now = thread_.call([](County& county) { return county.storage_health(); });
    log_storage_changes(storage_, now, log_);
    rpc_->set_serving(!now.refuses);
    storage_ = std::move(now);
  }

  void watch_standings(std::int64_t now_ms) {
    if (now_ms < next_standings_ms_) return;
    next_standings_ms_ = now_ms + kStandingsEveryMs;
    const auto done = thread_.call([](County& county) { return county.end_what_ran_out(); });
    if (!done) log_.error("standings_failed", {{"code", code_text(done.error())}});
    // What arrives of something that was forgotten, or could not be removed at once.
    const auto purged =
        thread_.call([this](County& county) { return purge_media(config_, county); });
    if (!purged) log_.error("media_purge_failed", {{"code", code_text(purged.error())}});
  }

  // What is due is looked for once a day, and goes a little at a tick, so that calls go on between.
  void watch_retention(std::int64_t now_ms) {
    if (due_.empty() && now_ms < next_retention_ms_) return;
    const auto done = thread_.call([&](County& county) -> Result<std::size_t> {
      if (due_.empty()) {
        auto due = county.due(config_.retention);
        if (!due) return std::unexpected(std::move(due.error()));
        due_ = std::move(*due);
      }
      const auto some =
          due_.end() - static_cast<std::ptrdiff_t>(std::min(due_.size(), kForgottenAtOnce));
      const auto still = county.still_due(config_.retention, {some, due_.end()});
      due_.erase(some, due_.end());
      if (!still) return std::unexpected(still.error());
      if (still->empty()) return 0;
      auto gone =
          forget_noted(county, config_, *still, "retention", true, now_ms, County::Wiping::kLater);
      if (!gone) return std::unexpected(std::move(gone.error()));
      return gone->records.size();
    });
    if (!done) {
      log_.error("retention_failed", {{"code", code_text(done.error())}});
      due_.clear();
    } else if (*done > 0) {
      log_.info("retention", {{"records", static_cast<std::int64_t>(*done)}});
    }
    if (due_.empty()) next_retention_ms_ = now_ms + kRetentionEveryMs;
  }

  // Not while more is to go: what goes then would have to be looked for from the start.
  void watch_wiping(std::int64_t now_ms) {
    if (!due_.empty() || now_ms < next_wiping_ms_) return;
    const auto done = thread_.call([](County& county) { return county.wipe_some(); });
    if (done) return;
    next_wiping_ms_ = now_ms + kWipingRetryMs;
    if (done.error().code == ErrorCode::kLocked) return;  // somebody reads the file
    log_.error("wipe_failed", {{"code", code_text(done.error())}});
  }

  // A round a day, some of it at a tick.
  void watch_tombstones(std::int64_t now_ms) {
    if (now_ms < next_sweep_ms_) return;
    for (int turn = 0; turn < kSweepsATick; ++turn) {
      const auto some = thread_.call([](County& county) { return county.sweep(); });
      if (!some) {
        log_.error("sweep_failed", {{"code", code_text(some.error())}});
        swept_.more = false;
        break;
      }
      swept_.records += some->records;
      swept_.exits += some->exits;
      swept_.more = some->more;
      if (!some->more) break;
    }
    if (swept_.more) return;
    if (swept_.records + swept_.exits > 0) {
      log_.info("tombstones_swept", {{"records", static_cast<std::int64_t>(swept_.records)},
                                     {"exits", static_cast<std::int64_t>(swept_.exits)}});
    }
    swept_ = {};
    next_sweep_ms_ = now_ms + kRetentionEveryMs;
  }

  // Files are looked through here; the county is asked about some at a time.
  void watch_media(std::int64_t now_ms) {
    if (now_ms < next_media_ms_) return;
    next_media_ms_ = now_ms + kRetentionEveryMs;
    const auto swept = sweep_media(
        config_,
        [this](std::vector<std::string> some) {
          return thread_.call([&](County& county) { return county.unnamed_media(some); });
        },
        now_ms);
    if (!swept) return log_.error("media_sweep_failed", {{"code", code_text(swept.error())}});
    if (*swept > 0) log_.info("media_swept", {{"files", static_cast<std::int64_t>(*swept)}});
  }

  void watch_forks() {
    const auto forks = thread_.call([](County& county) { return county.forks(); });
    for (const auto& [device, at_ms] : forks) {
      if (!forked_.insert(device).second) continue;
      log_.warn("phone_forked", {{"device", device_text(device)}});
    }
  }

  void back_up(std::int64_t now_ms, std::int64_t every_ms) {
    // Most of the bytes go beside the county's thread; what fails here fails there again, and is
    // told then.
    std::error_code ignored;
    std::filesystem::create_directories(config_.backup_folder, ignored);
    const auto damaged = back_up_media(config_, config_.backup_folder, now_ms);
    if (damaged && !damaged->empty()) {
      log_.warn("media_damaged", {{"files", static_cast<std::int64_t>(damaged->size())}});
      const auto told = thread_.call([&](County& county) { return county.media_lost(*damaged); });
      if (!told) log_.error("media_damaged", {{"code", code_text(told.error())}});
    }
    const auto made = thread_.call(
        [&](County& county) { return make_backup(county, config_, "", "server", now_ms); });
    next_backup_ms_ = now_ms + (made ? every_ms : std::min(every_ms, kBackupRetryMs));
    if (!made) {
      log_.error("backup_failed", {{"code", code_text(made.error())}});
      return;
    }
    if (!made->damaged.empty()) log_.error("backup_damaged", {{"file", made->damaged}});
    log_.info("backup_made", {{"upto", static_cast<std::int64_t>(made->upto.value)}});
    if (const auto warning = backup_warning(config_, now_ms, now_ms)) {
      log_.warn("backup_on_same_disk", {{"advice", warning->en}});
    }
  }

  const ServerConfig& config_;
  const Log& log_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Random> random_;
  std::string key_sha256_;
  std::int64_t started_ms_ = clock_->now().wall_ms;
  std::int64_t next_backup_ms_ = 0;
  std::int64_t next_standings_ms_ = 0;
  std::int64_t next_retention_ms_ = 0;
  std::int64_t next_wiping_ms_ = 0;
  std::int64_t next_sweep_ms_ = 0;
  std::int64_t next_media_ms_ = 0;
  std::vector<RecordKey> due_;  ///< of the round of retention that is under way, still to go
  SweepReport swept_;           ///< of the round that is under way
  StorageHealth storage_;       ///< as the log has it
  std::set<DeviceId> forked_;   ///< in the log
  CountyThread thread_;
  PhoneDoor phones_;
  MediaDoor media_;
  Doors doors_;
  std::unique_ptr<rpc::RpcServer> rpc_;
  std::unique_ptr<rpc::AdminServer> admin_;
  std::unique_ptr<MetricsDoor> metrics_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const ServerConfig& config, const Log& log) {
  auto open = open_county(config, Opening::kToServe);
  if (!open) return std::unexpected(open.error());
  const auto lost = find_lost_media(config, *open->county);
  if (!lost) return std::unexpected(lost.error());
  if (*lost > 0) log.warn("media_lost", {{"files", static_cast<std::int64_t>(*lost)}});
  auto files = open_media_folder(config.media_path());
  if (!files) return std::unexpected(files.error());
  auto server = std::make_unique<RunningServer>(config, log, std::move(*open), std::move(*files));
  if (auto opened = server->open_doors(); !opened) return std::unexpected(opened.error());
  log.info("serving", {{"county", config.county}, {"port", std::int64_t{server->port()}}});
  if (const int port = server->metrics_port(); port != 0) {
    log.info("metrics", {{"port", std::int64_t{port}}});
  }
  return server;
}

}  // namespace gridwhistle::app

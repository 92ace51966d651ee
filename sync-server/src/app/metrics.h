#pragma once

#include <functional>
#include <memory>
#include <string>

#include "county/operator.h"
#include "gridwhistle/status.h"
#include "media/media_desk.h"

namespace gridwhistle::app {

/// What a monitoring system reads at /metrics, in Prometheus' text format.
std::string metrics_text(const CountyStatus& status, std::int64_t now_ms);

/// The same about the county's storage: what can be told when it cannot even be read.
std::string storage_metrics_text(const std::string& county, const StorageHealth& health);

/// The same about the bytes of attachments, since the server's start.
std::string media_metrics_text(const std::string& county, const MediaFigures& figures);

/// What GET /health answers while the storage works: "ok", or what is wrong. A county without any
/// backup has three days from the start of its server to get one.
std::string health_text(const CountyStatus& status, std::int64_t started_ms, std::int64_t now_ms);

/// Answers GET /metrics with `metrics` and GET /health with `health`, on a thread of its own, one
/// request at a time.
class MetricsDoor {
 public:
  struct Pages {
    std::function<std::string()> metrics;
    /// "ok", or what is wrong.
    std::function<std::string()> health;
  };

  /// `listen` is "127.0.0.1:9464". Errors: kUnavailable.
  static Result<std::unique_ptr<MetricsDoor>> start(const std::string& listen, Pages pages);
  virtual ~MetricsDoor() = default;
  virtual int port() const = 0;
};

}  // namespace gridwhistle::app

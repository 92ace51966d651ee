#include "app/metrics.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <thread>
#include <utility>

#include "app/backup.h"
#include "base/line.h"

namespace gridwhistle::app {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// A request is one line that matters; who sends more, or slowly, is cut.
constexpr std::size_t kRequestBytes = 8 * 1024;
constexpr std::chrono::seconds kPatience{5};

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(tcp::socket socket, const MetricsDoor::Pages& pages)
      : socket_(std::move(socket)), patience_(socket_.get_executor()), pages_(pages) {}

  void begin() {
    patience_.expires_after(kPatience);
    patience_.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error) self->socket_.close(error);
    });
    asio::async_read_until(
        socket_, request_, "\r\n\r\n",
        [self = shared_from_this()](boost::system::error_code error, std::size_t) {
          error ? self->end() : self->answer();
        });
  }

 private:
  void answer() {
    const std::string request(asio::buffers_begin(request_.data()),
                              asio::buffers_end(request_.data()));
    std::string status = "200 OK";
    std::string body;
    if (request.starts_with("GET /metrics ")) {
      body = pages_.metrics();
    } else if (request.starts_with("GET /health ")) {
      body = pages_.health() + "\n";
      if (body != "ok\n") status = "503 Service Unavailable";
    } else {
      status = "404 Not Found";
    }
    reply_ = "HTTP/1.1 " + status +
             "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
    asio::async_write(
        socket_, asio::buffer(reply_),
        [self = shared_from_this()](boost::system::error_code, std::size_t) { self->end(); });
  }

  void end() {
    boost::system::error_code ignored;
    patience_.cancel(ignored);
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
  }

  tcp::socket socket_;
  asio::steady_timer patience_;
  const MetricsDoor::Pages& pages_;
  asio::streambuf request_{kRequestBytes};
  std::string reply_;
};

class AsioMetricsDoor : public MetricsDoor {
 public:
  AsioMetricsDoor(tcp::endpoint endpoint, Pages pages)
      : pages_(std::move(pages)), acceptor_(context_, endpoint) {
    accept();
    thread_ = std::thread([this] { context_.run(); });
  }
  ~AsioMetricsDoor() override {
    context_.stop();
    thread_.join();
  }
  int port() const override { return acceptor_.local_endpoint().port(); }

 private:
  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (!error) std::make_shared<Exchange>(std::move(socket), pages_)->begin();
      accept();
    });
  }

  Pages pages_;
  asio::io_context context_;
  tcp::acceptor acceptor_;
  std::thread thread_;
};

void add_figure(std::string& text, const std::string& county, const std::string& name,
                const char* type, const char* help, std::int64_t value) {
  const std::string full = "gridwhistle_" + name;
  text += "# HELP " + full + " " + help + "\n# TYPE " + full + " " + type + "\n" + full +
          "{county=\"" + county + "\"} " + std::to_string(value) + "\n";
}

}  // namespace

std::string metrics_text(const CountyStatus& status, std::int64_t now_ms) {
  std::string text;
  const auto gauge = [&](const std::string& name, const char* help, std::int64_t value) {
    add_figure(text, status.county, name, "gauge", help, value);
  };
  const auto count = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  const std::int64_t age_ms = status.backed_up_ms == 0 ? -1000 : now_ms - status.backed_up_ms;
  gauge("log_seq", "Last change of the county's log", count(status.last_seq.value));
  gauge("backed_up_seq", "Changes up to here are in a backup", count(status.backed_up.value));
  gauge("backup_age_seconds", "Since the last backup, -1 before the first", age_ms / 1000);
  gauge("calls_open", "Calls of phones that are open", count(status.sessions));
  gauge("devices", "Enrolled devices", count(status.devices));
  gauge("devices_silent", "Active devices not heard of for too long", count(status.silent_devices));
  gauge("whistles", "Whistles", count(status.whistles));
  gauge("whistles_headless", "Whistles that no rule covers", count(status.headless));
  gauge("operations_sealed", "Operations that wait for a reviewer", count(status.sealed));
  gauge("operations_parked", "Operations that wait for an upgrade, or for their whistle",
        count(status.parked));
  return text;
}

std::string storage_metrics_text(const std::string& county, const StorageHealth& health) {
  std::string text;
  add_figure(text, county, "storage_writable", "gauge", "1 while the storage takes writes",
             health.refuses ? 0 : 1);
  add_figure(text, county, "storage_failures_total", "counter",
             "Commits and reads that failed since the start",
             static_cast<std::int64_t>(health.failures));
  add_figure(text, county, "devices_put_off", "gauge",
             "Phones whose work the storage refused while it took that of others",
             static_cast<std::int64_t>(health.put_off.size()));
  return text;
}

std::string media_metrics_text(const std::string& county, const MediaFigures& figures) {
  std::string text;
  const auto add = [&](const char* name, const char* type, const char* help, std::uint64_t value) {
    add_figure(text, county, name, type, help, static_cast<std::int64_t>(value));
  };
  add("media_calls_open", "gauge", "Phones that bring or fetch attachments' bytes",
      figures.calls_open);
  add("media_files_brought_total", "counter", "Files that came whole since the start",
      figures.files_brought);
  add("media_files_refused_total", "counter", "Files refused since the start",
      figures.files_refused);
  add("media_bytes_in_total", "counter", "Bytes of files taken since the start", figures.bytes_in);
  add("media_bytes_out_total", "counter", "Bytes of files given since the start",
      figures.bytes_out);
  add("media_disk_failures_total", "counter", "Reads and writes of files that failed",
      figures.disk_failures);
  return text;
}

std::string health_text(const CountyStatus& status, std::int64_t started_ms, std::int64_t now_ms) {
  const std::int64_t since_ms = status.backed_up_ms != 0 ? status.backed_up_ms : started_ms;
  return backup_is_late(since_ms, now_ms) ? "no backup for three days" : "ok";
}

Result<std::unique_ptr<MetricsDoor>> MetricsDoor::start(const std::string& listen, Pages pages) {
  const std::size_t colon = listen.rfind(':');
  std::string host = listen.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  try {
    const auto port = static_cast<std::uint16_t>(std::stoi(listen.substr(colon + 1)));
    return std::make_unique<AsioMetricsDoor>(tcp::endpoint(asio::ip::make_address(host), port),
                                             std::move(pages));
  } catch (const std::exception& error) {
    const std::string why = error.what();
    return fail(ErrorCode::kUnavailable,
                about(listen, both("不能在此监听：" + why, "cannot listen there: " + why)));
  }
}

}  // namespace gridwhistle::app

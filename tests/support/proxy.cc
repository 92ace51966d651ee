#include "support/proxy.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <functional>
#include <future>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace gridwhistle::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

// A sender is held back when so much waits for its time: a wide, long pipe, not an endless one.
constexpr std::size_t kWaitingBytesMax = 16 << 20;
constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

// What all connections share. Only the proxy's thread touches it, but for the counters.
struct Weather {
  std::chrono::milliseconds latency{0};
  std::uint64_t bytes_per_second = 0;
  bool paused = false;
  bool refusing = false;
  std::array<std::uint64_t, 2> until_cut{kNever, kNever};
  std::array<std::atomic<std::uint64_t>, 2> passed{};
  std::atomic<std::uint64_t> connections{0};
  std::atomic<int> open{0};
};

void reset(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

// One way of one connection: reads, lets the bytes wait for their time, writes.
class Pipe {
 public:
  Pipe(tcp::socket& from, tcp::socket& to, std::size_t way, Weather& weather,
       std::function<void()> broken, std::function<void()> ended)
      : from_(from),
        to_(to),
        way_(way),
        weather_(weather),
        broken_(std::move(broken)),
        all_passed_(std::move(ended)),
        timer_(from.get_executor()) {}

  void start(std::shared_ptr<void> keep) {
    keep_ = std::move(keep);
    read();
  }

  void stop() {
    stopped_ = true;
    timer_.cancel();
    keep_.reset();
  }

  /// Goes on after a pause.
  void wake() {
    if (!stopped_ && !writing_) write();
  }

 private:
  struct Parcel {
    std::string bytes;
    Clock::time_point due;
    bool end = false;
  };

  void read() {
    if (stopped_ || reading_ || ended_ || waiting_bytes_ > kWaitingBytesMax) return;
    reading_ = true;
    from_.async_read_some(asio::buffer(block_),
                          [this, keep = keep_](const error_code& error, std::size_t size) {
                            reading_ = false;
                            if (!stopped_) arrived(error, size);
                          });
  }

  void arrived(const error_code& error, std::size_t size) {
    if (error && error != asio::error::eof) return broken_();
    ended_ = static_cast<bool>(error);
    queue_.push_back({std::string(block_.data(), size), due_after(size), ended_});
    waiting_bytes_ += size;
    if (!writing_) write();
    read();
  }

  Clock::time_point due_after(std::size_t size) {
    const auto now = Clock::now();
    if (weather_.bytes_per_second > 0) {
      const auto taken = std::chrono::nanoseconds(size * 1'000'000'000 / weather_.bytes_per_second);
      line_free_ = std::max(line_free_, now) + taken;
    } else {
      line_free_ = std::max(line_free_, now);
    }
    return line_free_ + weather_.latency;
  }

  void write() {
    if (stopped_ || queue_.empty() || weather_.paused) return;
    if (const auto due = queue_.front().due; due > Clock::now()) {
      timer_.expires_at(due);
      return timer_.async_wait([this, keep = keep_](const error_code& error) {
        if (!error && !stopped_ && !writing_) write();
      });
    }
    if (queue_.front().end) return end();
    std::uint64_t& until_cut = weather_.until_cut[way_];
    const std::size_t size =
        static_cast<std::size_t>(std::min<std::uint64_t>(until_cut, queue_.front().bytes.size()));
    if (until_cut != kNever) until_cut -= size;
    cutting_ = until_cut == 0;
    if (cutting_) until_cut = kNever;
    writing_ = true;
    asio::async_write(to_, asio::buffer(queue_.front().bytes.data(), size),
                      [this, keep = keep_, size](const error_code& error, std::size_t) {
                        writing_ = false;
                        if (!stopped_) passed(error, size);
                      });
  }

  void passed(const error_code& error, std::size_t size) {
    if (error) return broken_();
    weather_.passed[way_] += size;
    if (cutting_) return broken_();
    waiting_bytes_ -= queue_.front().bytes.size();
    queue_.pop_front();
    write();
    read();
  }

  void end() {
    error_code ignored;
    to_.shutdown(tcp::socket::shutdown_send, ignored);
    queue_.pop_front();
    all_passed_();
  }

  tcp::socket& from_;
  tcp::socket& to_;
  const std::size_t way_;
  Weather& weather_;
  const std::function<void()> broken_;
  const std::function<void()> all_passed_;
  asio::steady_timer timer_;
  std::shared_ptr<void> keep_;
  std::array<char, 16 << 10> block_{};
  std::deque<Parcel> queue_;
  std::size_t waiting_bytes_ = 0;
  Clock::time_point line_free_{};
  bool reading_ = false;
  bool writing_ = false;
  bool ended_ = false;
  bool cutting_ = false;
  bool stopped_ = false;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket client, Weather& weather, std::function<void(Connection*)> gone)
      : client_(std::move(client)),
        server_(client_.get_executor()),
        weather_(weather),
        gone_(std::move(gone)),
        up_(
            client_, server_, 0, weather, [this] { drop(); }, [this] { half_ended(); }),
        down_(server_, client_, 1, weather, [this] { drop(); }, [this] { half_ended(); }) {
    ++weather_.open;
  }

  void start(int server_port) {
    const tcp::endpoint server(asio::ip::address_v4::loopback(),
                               static_cast<std::uint16_t>(server_port));
    server_.async_connect(server, [self = shared_from_this()](const error_code& error) {
      if (error) return self->drop();
      error_code ignored;
      self->client_.set_option(tcp::no_delay(true), ignored);
      self->server_.set_option(tcp::no_delay(true), ignored);
      self->up_.start(self);
      self->down_.start(self);
    });
  }

  void drop() {
    if (gone()) return;
    reset(client_);
    reset(server_);
    leave();
  }

  void wake() {
    up_.wake();
    down_.wake();
  }

 private:
  // Both ends have said goodbye; what they sent before may still be in the kernel, so no reset.
  void half_ended() {
    if (++ended_ways_ == 2 && !gone()) leave();
  }

  bool gone() {
    if (std::exchange(gone_already_, true)) return true;
    --weather_.open;
    up_.stop();
    down_.stop();
    return false;
  }

  // Last: this object may end here.
  void leave() { gone_(this); }

  tcp::socket client_;
  tcp::socket server_;
  Weather& weather_;
  const std::function<void(Connection*)> gone_;
  int ended_ways_ = 0;
  bool gone_already_ = false;
  Pipe up_;
  Pipe down_;
};

}  // namespace

class Proxy::Machine {
 public:
  explicit Machine(int server_port) : server_port_(server_port) {
    const tcp::endpoint here(asio::ip::address_v4::loopback(), 0);
    error_code error;
    acceptor_.open(here.protocol(), error);
    if (!error) acceptor_.bind(here, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) throw std::runtime_error("the proxy cannot listen: " + error.message());
    port_ = acceptor_.local_endpoint().port();
    accept();
    thread_ = std::thread([this] { context_.run(); });
  }

  ~Machine() {
    ask([this] {
      error_code ignored;
      acceptor_.close(ignored);
      drop_all();
    });
    work_.reset();
    thread_.join();
  }

  /// Runs the task on the proxy's thread and waits for it.
  void ask(std::function<void()> task) {
    std::promise<void> done;
    asio::post(context_, [&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  void drop_all() {
    // `drop` takes the connection out of the set.
    while (!connections_.empty()) std::shared_ptr(*connections_.begin())->drop();
  }

  void wake_all() {
    const auto connections = connections_;
    for (const auto& connection : connections) connection->wake();
  }

  int port() const { return port_; }
  void forward_to(int server_port) { server_port_ = server_port; }
  Weather& weather() { return weather_; }

 private:
  void accept() {
    acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
      if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
      if (!error) welcome(std::move(socket));
      accept();
    });
  }

  void welcome(tcp::socket socket) {
    if (weather_.refusing) return reset(socket);
    ++weather_.connections;
    auto connection =
        std::make_shared<Connection>(std::move(socket), weather_, [this](Connection* gone) {
          std::erase_if(connections_, [gone](const auto& known) { return known.get() == gone; });
        });
    connections_.insert(connection);
    connection->start(server_port_);
  }

  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  tcp::acceptor acceptor_{context_};
  Weather weather_;
  int server_port_;
  int port_ = 0;
  std::set<std::shared_ptr<Connection>> connections_;
  std::thread thread_;
};

Proxy::Proxy(int server_port) : machine_(std::make_unique<Machine>(server_port)) {}
Proxy::~Proxy() = default;

int Proxy::port() const { return machine_->port(); }

void Proxy::forward_to(int server_port) {
  machine_->ask([&] { machine_->forward_to(server_port); });
}

void Proxy::set_latency(std::chrono::milliseconds each_way) {
  machine_->ask([&] { machine_->weather().latency = each_way; });
}

void Proxy::set_bandwidth(std::uint64_t bytes_per_second) {
  machine_->ask([&] { machine_->weather().bytes_per_second = bytes_per_second; });
}

void Proxy::pause() {
  machine_->ask([&] { machine_->weather().paused = true; });
}

void Proxy::resume() {
  machine_->ask([&] {
    machine_->weather().paused = false;
    machine_->wake_all();
  });
}

void Proxy::drop_connections() {
  machine_->ask([&] { machine_->drop_all(); });
}

void Proxy::refuse(bool refusing) {
  machine_->ask([&] { machine_->weather().refusing = refusing; });
}

void Proxy::cut_after(Way way, std::uint64_t bytes) {
  machine_->ask([&] { machine_->weather().until_cut[static_cast<std::size_t>(way)] = bytes; });
}

Proxy::Counts Proxy::counts() const {
  const auto& weather = machine_->weather();
  return {.connections = weather.connections,
          .up_bytes = weather.passed[0],
          .down_bytes = weather.passed[1]};
}

int Proxy::open_connections() const { return machine_->weather().open; }

}  // namespace gridwhistle::test

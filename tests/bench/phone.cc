#include "bench/phone.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <iostream>

#include "bench/process.h"
#include "gridwhistle/default_ports.h"

namespace gridwhistle::bench {

namespace {

constexpr std::size_t kTogether = 1000;  ///< operations of one transaction at most

[[noreturn]] void stop(const Error& error) {
  std::cerr << "gw-bench: " << error.message << " [" << name_of(error.code) << "] " << error.detail
            << '\n';
  std::abort();
}

template <typename T>
T must(Result<T> result) {
  if (!result) stop(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

BenchPhone::BenchPhone(const std::string& folder, Executor* executor)
    : folder_(folder),
      file_(folder + "/phone.db"),
      clock_(system_clock()),
      random_(system_random()),
      own_executor_(executor == nullptr ? thread_executor() : nullptr),
      executor_(executor == nullptr ? own_executor_.get() : executor) {
  std::filesystem::create_directories(folder);
  secrets_ = file_secret_store(folder + "/device.key");
  open();
}

BenchPhone::~BenchPhone() {
  if (client_) client_->close();
}

void BenchPhone::open() {
  ClientOptions options;
  options.path = file_;
  options.clock = clock_.get();
  options.random = random_.get();
  options.secrets = secrets_.get();
  options.executor = executor_;
  options.connect = [this](const ServerAddress& server) {
    ServerAddress address = server;
    if (port_ != 0) address.host_and_port = "127.0.0.1:" + std::to_string(port_);
    return grpc_transport(address, *executor_);
  };
  client_ = must(Client::open(std::move(options)));
}

double BenchPhone::reopen() {
  client_->close();
  client_.reset();
  const double start = now_s();
  open();
  return now_s() - start;
}

void BenchPhone::close() {
  client_->close();
  client_.reset();
}

void BenchPhone::go_through(int port) {
  port_ = port;
  reopen();
}

void BenchPhone::enrol(const std::string& code) {
  std::promise<Result<void>> done;
  client_->enrol(must(EnrolmentCode::parse(code)), "bench",
                 [&](Result<void> how) { done.set_value(std::move(how)); });
  must(done.get_future().get());
}

SyncReport BenchPhone::sync() { return sync({}); }

SyncReport BenchPhone::upload_only() { return sync({.budget_bytes = 1}); }

SyncReport BenchPhone::sync(const SyncOptions& options) {
  std::promise<Result<SyncReport>> done;
  client_->sync_once(options, [&](Result<SyncReport> how) { done.set_value(std::move(how)); });
  return must(done.get_future().get());
}

void BenchPhone::put_each(const Item& item) {
  switch (item.kind) {
    case Item::Kind::kVisit:
      must(client_->put(item.visit));
      break;
    case Item::Kind::kWhistle:
      must(client_->put(item.whistle));
      break;
    case Item::Kind::kHousehold: {
      const RecordId household = must(client_->put(item.household));
      for (v1::Resident member : item.members) {
        member.set_household(std::string(household.bytes()));
        must(client_->put(member));
      }
    }
  }
}

void BenchPhone::put_together(const std::vector<Item>& items) {
  for (std::size_t i = 0; i < items.size();) {
    Transaction transaction = client_->transaction();
    for (std::size_t used = 0; i < items.size(); ++i) {
      const Item& item = items[i];
      used += 1 + item.members.size();
      if (used > kTogether) break;
      if (item.kind == Item::Kind::kVisit) must(transaction.put(item.visit));
      if (item.kind == Item::Kind::kWhistle) must(transaction.put(item.whistle));
      if (item.kind != Item::Kind::kHousehold) continue;
      const RecordId household = must(transaction.put(item.household));
      for (v1::Resident member : item.members) {
        member.set_household(std::string(household.bytes()));
        must(transaction.put(member));
      }
    }
    must(transaction.commit());
  }
}

PhoneMemory measure_memory(const std::string& folder) {
  PhoneMemory memory;
  const auto idle = grpc::CreateChannel("127.0.0.1:1", grpc::SslCredentials({}));
  (void)idle->GetState(true);
  memory.empty_bytes = own_rss_bytes();
  BenchPhone phone(folder);
  phone.sync();
  for (const char* kind : {"Visit", "Whistle", "Household"}) {
    must(phone.client().query(kind, Query().first(100)));
  }
  must(phone.client().search({.text = "网格", .kinds = {}}));
  memory.phone_bytes = own_rss_bytes();
  return memory;
}

}  // namespace gridwhistle::bench

#include "cli/phone.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>

#include "cli/own_words.h"
#include "terminal/help.h"

namespace gridwhistle::cli {

std::string default_home() {
  if (const char* given = std::getenv("GRIDWHISTLE_HOME"); given != nullptr && *given != '\0') {
    return given;
  }
  const char* user = std::getenv("HOME");
  return std::string(user != nullptr ? user : ".") + "/.gridwhistle";
}

namespace {

/// The error with the file's name; that another program has it is said already.
Error about_file(const Settings& settings, Error error) {
  const std::string path = settings.home + "/phone.db";
  error.message = error.code == ErrorCode::kLocked ? both(path, path) : about(path, error.message);
  return error;
}

bool may_still_read(const Error& error) {
  return error.code == ErrorCode::kLocked || error.code == ErrorCode::kDiskFull ||
         error.code == ErrorCode::kReadOnly;
}

}  // namespace

ClientOptions Phone::make_doors(const Settings& settings) {
  clock_ = system_clock();
  random_ = system_random();
  secrets_ = file_secret_store(settings.home + "/device.key");
  loop_ = run_loop();
  RunLoop& loop = *loop_;

  ClientOptions options;
  options.path = settings.home + "/phone.db";
  options.clock = clock_.get();
  options.random = random_.get();
  options.secrets = secrets_.get();
  options.executor = &loop;
  options.connect = [&loop](const ServerAddress& server) { return grpc_transport(server, loop); };
  options.software = terminal::name_and_version("gw");
  return options;
}

Result<Salvage> Phone::salvage(const Settings& settings) {
  Phone phone;
  auto salvaged = Client::salvage(phone.make_doors(settings));
  if (!salvaged) return std::unexpected(about_file(settings, std::move(salvaged.error())));
  return salvaged;
}

Result<std::unique_ptr<Phone>> Phone::open(const Settings& settings, bool reads_only) {
  if (::mkdir(settings.home.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(ErrorCode::kReadOnly,
                both("不能建立文件夹 " + settings.home + "；请用 --home 指明另一个",
                     "cannot make the folder " + settings.home + "; name another with --home"));
  }
  std::unique_ptr<Phone> phone(new Phone);
  ClientOptions options = phone->make_doors(settings);
  auto client = Client::open(options);
  if (!client && reads_only && may_still_read(client.error())) {
    options.read_only = true;
    if (auto reader = Client::open(std::move(options))) {
      phone->why_read_only_ = about_file(settings, std::move(client.error()));
      client = std::move(reader);
    }
  }
  if (!client) {
    return std::unexpected(about_file(settings, std::move(client.error())));
  }
  phone->client_ = std::move(*client);
  return phone;
}

}  // namespace gridwhistle::cli

// What an integrator writes first: open a phone's file, and see how it stands.
#include <gridwhistle/client.h>
#include <gridwhistle/default_ports.h>
#include <gridwhistle/v1/records.pb.h>

#include <cstdio>

int main(int argc, char** argv) {
  using namespace gridwhistle;
  if (argc != 2) return 2;
  const auto clock = system_clock();
  const auto random = system_random();
  const auto loop = run_loop();
  const auto secrets = file_secret_store(std::string(argv[1]) + ".key");

  ClientOptions options;
  options.path = argv[1];
  options.clock = clock.get();
  options.random = random.get();
  options.secrets = secrets.get();
  options.executor = loop.get();
  options.connect = [&](const ServerAddress& server) { return grpc_transport(server, *loop); };
  auto client = Client::open(std::move(options));
  if (!client) {
    std::fprintf(stderr, "%s\n", client.error().message.c_str());
    return 1;
  }
  v1::Visit draft;
  draft.set_notes("样板");
  if (!(*client)->save_draft("first", draft)) return 1;
  const auto drafts = (*client)->drafts();
  return drafts && drafts->size() == 1 && !(*client)->status().enrolled ? 0 : 1;
}

#include "phone.h"

#include <sys/stat.h>

#include <utility>

namespace gridwhistle::demo {

Phone::Phone(Seat seat, const std::string& folder, std::uint64_t seed)
    : seat_(std::move(seat)),
      journal_(folder + "/journal"),
      dice_(seed),
      clock_(system_clock()),
      random_(system_random()),
      secrets_(file_secret_store(folder + "/device.key")) {}

Phone::~Phone() = default;

Result<std::unique_ptr<Phone>> Phone::open(const std::string& folder, const Seat& seat,
                                           Executor& network, std::uint64_t seed) {
  ::mkdir(folder.c_str(), 0700);
  std::unique_ptr<Phone> phone(new Phone(seat, folder, seed));
  ClientOptions options;
  options.path = folder + "/phone.db";
  options.clock = phone->clock_.get();
  options.random = phone->random_.get();
  options.secrets = phone->secrets_.get();
  options.executor = &network;
  // The server of the enrolment, with its pinned key, by way of the bad network.
  options.connect = [&network, port = seat.port](ServerAddress server) {
    server.host_and_port = "127.0.0.1:" + std::to_string(port);
    return grpc_transport(std::move(server), network);
  };
  options.software = "gridwhistle-demo";
  auto client = Client::open(std::move(options));
  if (!client) return std::unexpected(std::move(client.error()));
  phone->client_ = std::move(*client);
  return phone;
}

const v1::Worker& Phone::worker() {
  if (worker_.code().empty()) {
    if (auto own = client_->get<v1::Worker>(client_->status().worker)) worker_ = own->record;
  }
  return worker_;
}

Result<std::pair<double, double>> Phone::middle() {
  const auto grids = client_->query<v1::Grid>(Query().is("code15", seat_.grid));
  if (!grids) return std::unexpected(grids.error());
  if (grids->empty()) return fail(ErrorCode::kNotFound, "this phone does not know its grid yet");
  const v1::Grid& grid = grids->front().record;
  return std::pair(grid.center_latitude(), grid.center_longitude());
}

Result<RecordId> Phone::act(v1::WhistleAction action) {
  const auto id = client_->new_id();
  if (!id) return id;
  action.set_id(std::string(id->bytes()));
  const std::vector<Note> notes = {Note{true, "WhistleAction", *id, {}}};
  if (auto noted = journal_.trying(notes); !noted) return std::unexpected(noted.error());
  auto done = client_->act(action);
  if (!done) return done;
  if (auto noted = journal_.acknowledged(notes); !noted) return std::unexpected(noted.error());
  ++counts_["WhistleAction"];
  return done;
}

RecordId Entry::note(const Result<RecordId>& id, Note note) {
  if (!id) {
    if (wrong_) wrong_ = std::unexpected(id.error());
    return {};
  }
  note.record = *id;
  notes_.push_back(std::move(note));
  return *id;
}

Result<void> Entry::commit() {
  if (!wrong_) return wrong_;
  if (auto noted = phone_.journal_.trying(notes_); !noted) return noted;
  if (auto done = transaction_.commit(); !done) return done;
  if (auto noted = phone_.journal_.acknowledged(notes_); !noted) return noted;
  for (const Note& note : notes_) {
    if (note.creates) ++phone_.counts_[note.kind];
  }
  return {};
}

}  // namespace gridwhistle::demo

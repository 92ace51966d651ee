#include "bench/floor.h"

#include <grpcpp/grpcpp.h>
#include <sqlite3.h>
#include <zstd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <mutex>
#include <utility>

#include "base/p256.h"
#include "base/varint.h"
#include "gridwhistle/v1/sync.grpc.pb.h"

namespace gridwhistle::bench {

namespace {

constexpr std::size_t kBatch = 1000;

void must(bool held, const char* what) {
  if (held) return;
  std::cerr << "floor: " << what << '\n';
  std::abort();
}

}  // namespace

struct FloorFile::Handles {
  sqlite3* db = nullptr;
  sqlite3_stmt* record = nullptr;
  sqlite3_stmt* outbox = nullptr;

  void run(const char* sql) {
    must(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sqlite3_errmsg(db));
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    must(sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) == SQLITE_OK, sqlite3_errmsg(db));
    return statement;
  }
  void step(sqlite3_stmt* statement) {
    must(sqlite3_step(statement) == SQLITE_DONE, sqlite3_errmsg(db));
    sqlite3_reset(statement);
  }
  // A record's first field is its id of 16 bytes, behind a tag and a length of one byte each.
  void insert(const std::string& bytes) {
    sqlite3_bind_blob(record, 1, bytes.data() + 2, 16, SQLITE_STATIC);
    sqlite3_bind_blob(record, 2, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
    step(record);
  }
  void enqueue(const std::string& bytes) {
    sqlite3_bind_blob(outbox, 1, bytes.data() + 2, 16, SQLITE_STATIC);
    sqlite3_bind_blob(outbox, 2, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
    step(outbox);
  }
};

FloorFile::FloorFile(const std::string& path) : handles_(std::make_unique<Handles>()) {
  must(sqlite3_open(path.c_str(), &handles_->db) == SQLITE_OK, "cannot open");
  handles_->run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;");
  handles_->run("CREATE TABLE IF NOT EXISTS record(id BLOB PRIMARY KEY, body BLOB) WITHOUT ROWID");
  handles_->run("CREATE TABLE IF NOT EXISTS outbox(seq INTEGER PRIMARY KEY, id BLOB, body BLOB)");
  handles_->record = handles_->prepare("INSERT OR REPLACE INTO record VALUES(?,?)");
  handles_->outbox = handles_->prepare("INSERT INTO outbox(id, body) VALUES(?,?)");
}

FloorFile::~FloorFile() {
  sqlite3_finalize(handles_->record);
  sqlite3_finalize(handles_->outbox);
  sqlite3_close(handles_->db);
}

void FloorFile::capture(const Records& records, std::size_t per_transaction) {
  for (std::size_t i = 0; i < records.size();) {
    handles_->run("BEGIN IMMEDIATE");
    for (std::size_t n = 0; n < per_transaction && i < records.size(); ++n, ++i) {
      handles_->insert(records[i]);
      handles_->enqueue(records[i]);
    }
    handles_->run("COMMIT");
  }
}

void FloorFile::store(const Records& records) {
  handles_->run("BEGIN IMMEDIATE");
  for (const std::string& record : records) handles_->insert(record);
  handles_->run("COMMIT");
}

void FloorFile::read(std::size_t size, const std::function<void(const Records&)>& batch) {
  sqlite3_stmt* all = handles_->prepare("SELECT body FROM record");
  Records records;
  while (sqlite3_step(all) == SQLITE_ROW) {
    records.emplace_back(static_cast<const char*>(sqlite3_column_blob(all, 0)),
                         static_cast<std::size_t>(sqlite3_column_bytes(all, 0)));
    if (records.size() == size) batch(std::exchange(records, {}));
  }
  if (!records.empty()) batch(records);
  sqlite3_finalize(all);
}

std::size_t FloorFile::count() {
  sqlite3_stmt* statement = handles_->prepare("SELECT count(*) FROM record");
  must(sqlite3_step(statement) == SQLITE_ROW, "cannot count");
  const auto count = static_cast<std::size_t>(sqlite3_column_int64(statement, 0));
  sqlite3_finalize(statement);
  return count;
}

std::string pack(const Records& records) {
  std::string raw;
  for (const std::string& record : records) {
    append_varint(raw, record.size());
    raw += record;
  }
  std::string packed(ZSTD_compressBound(raw.size()), '\0');
  const std::size_t size = ZSTD_compress(packed.data(), packed.size(), raw.data(), raw.size(), 3);
  must(ZSTD_isError(size) == 0, "cannot compress");
  packed.resize(size);
  return packed;
}

Records unpack(const std::string& packed) {
  std::string raw(ZSTD_getFrameContentSize(packed.data(), packed.size()), '\0');
  const std::size_t size = ZSTD_decompress(raw.data(), raw.size(), packed.data(), packed.size());
  must(ZSTD_isError(size) == 0, "cannot decompress");
  Records records;
  ByteReader reader(raw);
  while (!reader.at_end()) {
    const auto length = reader.varint();
    const auto bytes = length ? reader.take(*length) : std::nullopt;
    must(bytes.has_value(), "damaged batch");
    records.emplace_back(*bytes);
  }
  return records;
}

namespace {

/// Stores what comes in operation frames; answers a Hello with all there is.
class FloorService final : public v1::SyncService::Service {
 public:
  explicit FloorService(const std::string& path) : file_(path) {}

  grpc::Status Sync(grpc::ServerContext*,
                    grpc::ServerReaderWriter<v1::Down, v1::Up>* stream) override {
    v1::Up up;
    while (stream->Read(&up)) {
      if (up.has_operations()) store(up.operations(), *stream);
      if (up.has_hello()) send_all(*stream);
      if (up.has_end()) {
        v1::Down down;
        down.mutable_end();
        stream->Write(down);
      }
    }
    return grpc::Status::OK;
  }

 private:
  void store(const v1::OperationFrame& frame, grpc::ServerReaderWriter<v1::Down, v1::Up>& stream) {
    const Records records = unpack(frame.packed());
    {
      const std::lock_guard lock(mutex_);
      file_.store(records);
    }
    v1::Down down;
    v1::AckRun* run = down.mutable_acks()->add_runs();
    run->set_first(frame.first_lane_seq());
    run->set_count(static_cast<std::uint32_t>(records.size()));
    stream.Write(down);
  }

  void send_all(grpc::ServerReaderWriter<v1::Down, v1::Up>& stream) {
    const std::lock_guard lock(mutex_);
    file_.read(kBatch, [&](const Records& records) {
      v1::Down down;
      down.mutable_cut()->set_packed(pack(records));
      stream.Write(down);
    });
  }

  std::mutex mutex_;
  FloorFile file_;
};

}  // namespace

int serve_floor(const std::string& folder) {
  const auto key = P256Key::make();
  must(key.has_value(), "no key");
  const auto certificate = self_signed_certificate(*key, "floor");
  must(certificate.has_value(), "no certificate");
  std::ofstream(folder + "/certificate.pem") << *certificate;

  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs.push_back({*key->pem(), *certificate});
  FloorService service(folder + "/floor.db");
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(tls), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  must(server != nullptr, "cannot listen");
  std::cout << port << std::endl;
  while (std::cin.get() != EOF) {
  }
  server->Shutdown();
  return 0;
}

struct FloorPhone::Channel {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::SyncService::Stub> stub;
};

FloorPhone::FloorPhone(int port, const std::string& certificate_pem)
    : channel_(std::make_unique<Channel>()) {
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = certificate_pem;
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("floor");
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  channel_->channel = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port),
                                                grpc::SslCredentials(tls), arguments);
  channel_->stub = v1::SyncService::NewStub(channel_->channel);
  idle();
}

FloorPhone::~FloorPhone() = default;

void FloorPhone::upload(const Records& records) {
  grpc::ClientContext context;
  const auto stream = channel_->stub->Sync(&context);
  std::size_t batches = 0;
  for (std::size_t i = 0; i < records.size(); i += kBatch, ++batches) {
    const std::size_t end = std::min(records.size(), i + kBatch);
    v1::Up up;
    v1::OperationFrame* frame = up.mutable_operations();
    frame->set_first_lane_seq(i + 1);
    frame->set_packed(pack(Records(records.begin() + static_cast<std::ptrdiff_t>(i),
                                   records.begin() + static_cast<std::ptrdiff_t>(end))));
    must(stream->Write(up), "the floor's server went away");
  }
  stream->WritesDone();
  v1::Down down;
  for (; batches > 0; --batches) must(stream->Read(&down), "an acknowledgement is missing");
  must(stream->Finish().ok(), "the call failed");
}

void FloorPhone::download(FloorFile& into) {
  grpc::ClientContext context;
  const auto stream = channel_->stub->Sync(&context);
  v1::Up up;
  up.mutable_hello();
  must(stream->Write(up), "the floor's server went away");
  stream->WritesDone();
  v1::Down down;
  while (stream->Read(&down)) into.store(unpack(down.cut().packed()));
  must(stream->Finish().ok(), "the call failed");
}

void FloorPhone::idle() {
  grpc::ClientContext context;
  const auto stream = channel_->stub->Sync(&context);
  v1::Up up;
  up.mutable_end();
  must(stream->Write(up), "the floor's server went away");
  stream->WritesDone();
  v1::Down down;
  must(stream->Read(&down), "no answer");
  must(stream->Finish().ok(), "the call failed");
}

}  // namespace gridwhistle::bench

#include "wire/media.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/limits.h"
#include "county_world.h"
#include "media/limits.h"
#include "media/media_desk.h"
#include "model/workflow_codes.h"
#include "support/golden.h"

// The desk that takes and gives attachments' bytes, before a real county and a real folder.
using namespace gridwhistle;
using namespace gridwhistle::test;

namespace {

std::string photograph(std::size_t size, unsigned seed = 1) {
  std::string bytes(size, '\0');
  std::uint32_t state = seed * 2654435761U + 1;
  for (char& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

MediaFile named(const std::string& bytes) { return {sha256(bytes), bytes.size()}; }

// The desk's questions, answered at once, or, when `later` is set, when the test says so.
struct Questions final : MediaCounty {
  World& world;
  explicit Questions(World& a_world) : world(a_world) {}

  void greet(v1::MediaHello hello, Then<MediaCaller> then) override {
    auto code = world.county->greet_media(hello);
    if (!code) return then(std::unexpected(code.error()));
    then(MediaCaller{DeviceId(hello.device()), *code});
  }
  void may_bring(DeviceId device, MediaFile file, Then<void> then) override {
    then(world.county->may_bring(device, file));
  }
  void may_fetch(DeviceId device, std::string hash, Then<void> then) override {
    then(world.county->may_fetch(device, hash));
  }
  void brought(DeviceId device, MediaFile file, Then<Seq> then) override {
    then(world.county->media_brought(device, file));
  }
};

struct TestLine final : MediaLine {
  std::vector<MediaDown> frames;
  bool wants = false;
  bool open = true;
  void send(std::string frame) override {
    auto down = decode_media_down(frame);
    REQUIRE(down);
    frames.push_back(std::move(*down));
  }
  void want_frame() override { wants = true; }
  void close() override { open = false; }
};

// A disk that takes no more, and no less, when it is told so.
struct TiredFiles final : MediaFiles {
  std::unique_ptr<MediaFiles> files;
  bool full = false;
  explicit TiredFiles(std::unique_ptr<MediaFiles> real) : files(std::move(real)) {}

  struct Part final : MediaPart {
    std::unique_ptr<MediaPart> part;
    const bool& full;
    Part(std::unique_ptr<MediaPart> real, const bool& is_full)
        : part(std::move(real)), full(is_full) {}
    std::uint64_t size() const override { return part->size(); }
    Result<void> append(std::string_view bytes) override {
      if (full) return fail(ErrorCode::kDiskFull, "full");
      return part->append(bytes);
    }
    Result<void> finish() override { return part->finish(); }
  };

  Result<std::optional<std::uint64_t>> size_of(std::string_view hash) override {
    return files->size_of(hash);
  }
  Result<std::unique_ptr<MediaPart>> part(std::string_view owner, const MediaFile& file) override {
    auto real = files->part(owner, file);
    if (!real) return real;
    return std::make_unique<Part>(std::move(*real), full);
  }
  Result<std::uint64_t> unfinished(std::string_view owner, std::string_view but_for) override {
    return files->unfinished(owner, but_for);
  }
  Result<std::vector<std::string>> parts_of(std::string_view owner) override {
    return files->parts_of(owner);
  }
  Result<void> drop_part(std::string_view owner, std::string_view hash) override {
    return files->drop_part(owner, hash);
  }
  Result<std::string> read(std::string_view hash, std::uint64_t at, std::size_t max) override {
    return files->read(hash, at, max);
  }
  Result<std::string> digest_behind(std::string_view nonce, std::string_view hash) override {
    return files->digest_behind(nonce, hash);
  }
  Result<void> remove(std::string_view hash) override { return files->remove(hash); }
  Result<std::vector<std::string>> all() override { return files->all(); }
  Result<std::size_t> drop_parts_before(std::int64_t ms) override {
    return files->drop_parts_before(ms);
  }
  std::string path_of(std::string_view hash) const override { return files->path_of(hash); }
};

struct Desk {
  World world;
  TiredFiles files{std::move(*open_media_folder(world.file("media")))};
  Questions questions{world};
  MediaDesk desk{files, questions, world.clock, world.random};
  std::uint64_t calls = 0;
  std::map<std::uint64_t, std::unique_ptr<TestLine>> lines;

  ~Desk() {
    for (const auto& [id, line] : lines) desk.on_closed(id);
  }

  std::uint64_t open() {
    const std::uint64_t id = ++calls;
    auto& line = lines[id];
    line = std::make_unique<TestLine>();
    desk.on_open(id, *line);
    return id;
  }
  // What the desk says to a frame.
  std::vector<MediaDown> say(std::uint64_t id, const MediaUp& part) {
    TestLine& line = *lines.at(id);
    REQUIRE(line.wants);
    line.wants = false;
    line.frames.clear();
    desk.on_frame(id, encode_media_up(part));
    return line.frames;
  }
  std::uint64_t call(Phone& phone) {
    const std::uint64_t id = open();
    CHECK(say(id, hello(phone)).empty());
    return id;
  }
  v1::MediaHello hello(Phone& phone, std::uint32_t protocol = 1) {
    v1::MediaHello hello;
    hello.set_protocol(protocol);
    hello.set_device(phone.device.value);
    hello.set_call_counter(++phone.calls);
    hello.set_signature(*phone.key.sign(media_hello_to_sign(hello, kServerKey)));
    return hello;
  }
  std::vector<MediaDown> put(std::uint64_t id, const MediaFile& file) {
    v1::MediaPut wanted;
    wanted.set_sha256(file.sha256);
    wanted.set_size(file.size);
    return say(id, wanted);
  }
  std::vector<MediaDown> get(std::uint64_t id, const std::string& hash, std::uint64_t offset = 0,
                             std::uint32_t bytes = limits::kMediaChunkBytes) {
    v1::MediaGet wanted;
    wanted.set_sha256(hash);
    wanted.set_offset(offset);
    wanted.set_bytes_max(bytes);
    return say(id, wanted);
  }
  // Sends the file from where the desk said; gives the last answer.
  MediaDown send(std::uint64_t id, const std::string& bytes, std::uint64_t from,
                 std::uint64_t to = UINT64_MAX) {
    MediaDown last;
    to = std::min<std::uint64_t>(to, bytes.size());
    for (std::uint64_t at = from; at < to;) {
      const std::uint64_t size = std::min<std::uint64_t>(limits::kMediaChunkBytes, to - at);
      const auto said = say(id, chunk_of(at, bytes.substr(at, size)));
      REQUIRE(said.size() == 1);
      last = said.front();
      at += size;
    }
    return last;
  }
  // Brings the file by a call of its own.
  void bring(Phone& phone, const std::string& bytes) {
    const auto id = call(phone);
    REQUIRE(has(put(id, named(bytes))) == 0);
    REQUIRE(std::holds_alternative<v1::MediaStored>(send(id, bytes, 0)));
  }

  // The record of a picture of something seen in the phone's grid, synced.
  RecordId attach(Phone& phone, const MediaFile& file, const std::string& grid = kGrid1) {
    const RecordId walk = phone.new_id();
    phone.record(kinds::kVisit, walk, visit(grid), true, world.clock.ms);
    const RecordId id = attach_to(phone, walk, file);
    world.sync(phone);
    return id;
  }
  RecordId attach_to(Phone& phone, RecordId walk, const MediaFile& file) {
    v1::Attachment picture;
    picture.set_sha256(file.sha256);
    picture.set_size_bytes(static_cast<std::int64_t>(file.size));
    picture.set_media_type("image/jpeg");
    picture.set_parent(std::string(walk.bytes()));
    picture.set_parent_kind(kinds::kVisit.value);
    const RecordId id = phone.new_id();
    phone.record(kinds::kAttachment, id, picture.SerializeAsString(), true, world.clock.ms);
    return id;
  }
  bool stored(RecordId id) {
    const auto row = world.county->get(kinds::kAttachment, id);
    v1::Attachment says;
    REQUIRE(says.ParseFromString((*row)->body));
    return says.stored();
  }

  static std::uint64_t has(const std::vector<MediaDown>& said) {
    REQUIRE(said.size() == 1);
    INFO("refused " << static_cast<int>(refused(said.front())) << why(said.front()));
    const auto* has = std::get_if<v1::MediaHas>(&said.front());
    REQUIRE(has != nullptr);
    return has->offset();
  }
  static std::string why(const MediaDown& said) {
    if (const auto* file = std::get_if<v1::MediaRefused>(&said)) return file->message();
    if (const auto* call = std::get_if<v1::Refusal>(&said)) return call->message();
    return {};
  }
  static ErrorCode refused(const MediaDown& said) {
    if (const auto* file = std::get_if<v1::MediaRefused>(&said)) {
      return static_cast<ErrorCode>(file->code());
    }
    if (const auto* call = std::get_if<v1::Refusal>(&said)) {
      return static_cast<ErrorCode>(call->code());
    }
    return {};
  }
  static ErrorCode refused(const std::vector<MediaDown>& said) {
    REQUIRE(said.size() == 1);
    return refused(said.front());
  }
};

}  // namespace

TEST_CASE("a picture that came whole is stored, its record says so, and colleagues can fetch it") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  Phone dora = desk.world.phone(desk.world.dora);
  const std::string bytes = photograph(1'000'000);
  const RecordId id = desk.attach(anna, named(bytes));
  CHECK_FALSE(desk.stored(id));
  desk.world.sync(dora);

  const auto dora_call = desk.call(dora);
  CHECK(desk.refused(desk.get(dora_call, sha256(bytes))) == ErrorCode::kUnavailable);

  desk.bring(anna, bytes);
  CHECK(desk.stored(id));
  const auto told = desk.world.sync(dora)->rows_of(kinds::kAttachment);
  REQUIRE(told.size() == 1);
  CHECK(told.front().id == id);

  std::string fetched;
  while (fetched.size() < bytes.size()) {
    const auto said = desk.get(dora_call, sha256(bytes), fetched.size());
    REQUIRE(said.size() == 1);
    const auto& chunk = std::get<v1::MediaChunk>(said.front());
    CHECK(is_intact(chunk));
    CHECK(chunk.offset() == fetched.size());
    fetched += chunk.content();
  }
  CHECK(fetched == bytes);
}

TEST_CASE(
    "a picture goes on at the byte where its call broke off, also after the server was killed") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  const std::string bytes = photograph(3'000'000);
  const RecordId id = desk.attach(anna, named(bytes));
  auto call = desk.call(anna);
  REQUIRE(desk.has(desk.put(call, named(bytes))) == 0);
  desk.send(call, bytes, 0, 1'234'567);
  desk.desk.on_closed(call);

  call = desk.call(anna);
  REQUIRE(desk.has(desk.put(call, named(bytes))) == 1'234'567);
  desk.send(call, bytes, 1'234'567, 2'500'000);
  // The process is killed: another desk on the same folder, and nobody has let go of the part.
  MediaDesk second(desk.files, desk.questions, desk.world.clock, desk.world.random);
  TestLine line;
  second.on_open(1, line);
  second.on_frame(1, encode_media_up(MediaUp(desk.hello(anna))));
  v1::MediaPut wanted;
  wanted.set_sha256(sha256(bytes));
  wanted.set_size(bytes.size());
  second.on_frame(1, encode_media_up(MediaUp(wanted)));
  const std::uint64_t from = desk.has(line.frames);
  CHECK(from >= 2'000'000);
  CHECK(from <= 2'500'000);
  for (std::uint64_t at = from; at < bytes.size(); at += limits::kMediaChunkBytes) {
    second.on_frame(
        1, encode_media_up(MediaUp(chunk_of(at, bytes.substr(at, limits::kMediaChunkBytes)))));
  }
  CHECK(std::holds_alternative<v1::MediaStored>(line.frames.back()));
  CHECK(desk.stored(id));
  second.on_closed(1);
}

TEST_CASE(
    "a phone of the next protocol brings pictures as it brings records, a later one is told") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  const std::string bytes = photograph(5'000);
  const RecordId id = desk.attach(anna, named(bytes));
  const auto later = desk.open();
  CHECK(desk.refused(desk.say(later, desk.hello(anna, 3))) == ErrorCode::kUnsupported);
  const auto next = desk.open();
  CHECK(desk.say(next, desk.hello(anna, 2)).empty());
  REQUIRE(desk.has(desk.put(next, named(bytes))) == 0);
  CHECK(std::holds_alternative<v1::MediaStored>(desk.send(next, bytes, 0)));
  CHECK(desk.stored(id));
}

TEST_CASE("a damaged chunk is refused at once, and the file goes on behind what was sound") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  const std::string bytes = photograph(700'000);
  const RecordId id = desk.attach(anna, named(bytes));
  const auto call = desk.call(anna);
  REQUIRE(desk.has(desk.put(call, named(bytes))) == 0);
  desk.send(call, bytes, 0, 262'144);
  auto damaged = chunk_of(262'144, bytes.substr(262'144, 262'144));
  (*damaged.mutable_content())[77] ^= 4;
  CHECK(desk.refused(desk.say(call, damaged)) == ErrorCode::kDamaged);
  // What was on its way behind it is passed over.
  CHECK(desk.say(call, chunk_of(524'288, bytes.substr(524'288))).empty());
  REQUIRE(desk.has(desk.put(call, named(bytes))) == 262'144);
  CHECK(std::holds_alternative<v1::MediaStored>(desk.send(call, bytes, 262'144)));
  CHECK(desk.stored(id));
}

TEST_CASE("bytes that are not those of the record are refused at the end, and begin anew") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  const std::string bytes = photograph(700'000);
  const RecordId id = desk.attach(anna, named(bytes));
  const auto call = desk.call(anna);
  REQUIRE(desk.has(desk.put(call, named(bytes))) == 0);
  CHECK(desk.refused(desk.send(call, photograph(700'000, 9), 0)) == ErrorCode::kDamaged);
  CHECK_FALSE(desk.stored(id));
  REQUIRE(desk.has(desk.put(call, named(bytes))) == 0);
  CHECK(std::holds_alternative<v1::MediaStored>(desk.send(call, bytes, 0)));
  CHECK(desk.stored(id));
}

TEST_CASE("only who wrote a record of the file, with its size, brings its bytes") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  Phone dora = desk.world.phone(desk.world.dora);
  const std::string bytes = photograph(1000);
  desk.attach(anna, named(bytes));
  desk.world.sync(dora);
  CHECK(desk.refused(desk.put(desk.call(dora), named(bytes))) == ErrorCode::kNotFound);
  const auto call = desk.call(anna);
  CHECK(desk.refused(desk.put(call, {sha256(bytes), 1001})) == ErrorCode::kNotFound);
  CHECK(desk.refused(desk.put(call, named(photograph(1000, 2)))) == ErrorCode::kNotFound);
  CHECK(desk.has(desk.put(call, named(bytes))) == 0);
  // Another phone of the same worker does, too.
  Phone second = desk.world.phone(desk.world.anna);
  CHECK(desk.has(desk.put(desk.call(second), named(bytes))) == 0);
}

TEST_CASE("only who sees a record of the file gets its bytes, and not once they have lost sight") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  Phone bruno = desk.world.phone(desk.world.bruno);
  const std::string bytes = photograph(500'000);
  desk.attach(anna, named(bytes));
  desk.bring(anna, bytes);
  CHECK(desk.refused(desk.get(desk.call(bruno), sha256(bytes))) == ErrorCode::kNotFound);
  const auto call = desk.call(anna);
  CHECK(std::holds_alternative<v1::MediaChunk>(desk.get(call, sha256(bytes)).front()));
  move_away(desk.world, desk.world.anna, "W1");
  desk.world.sync(anna);
  CHECK(desk.refused(desk.get(call, sha256(bytes), 262'144)) == ErrorCode::kNotFound);
}

TEST_CASE(
    "a phone whose worker left brings what it has, and reads nothing; a lost one does neither") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  const std::string bytes = photograph(1000);
  const RecordId id = desk.attach(anna, named(bytes));
  REQUIRE(desk.world.county->revoke(anna.device, DeviceState::kLeft, "test"));
  desk.bring(anna, bytes);
  CHECK(desk.stored(id));
  CHECK(desk.refused(desk.get(desk.call(anna), sha256(bytes))) == ErrorCode::kForbidden);
  REQUIRE(desk.world.county->revoke(anna.device, DeviceState::kLost, "test"));
  CHECK(desk.refused(desk.say(desk.open(), desk.hello(anna))) == ErrorCode::kDeviceLost);
}

TEST_CASE("who only knows the name of a file does not come to its bytes") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  Phone bruno = desk.world.phone(desk.world.bruno);
  const std::string bytes = photograph(1000);
  desk.attach(anna, named(bytes));
  const RecordId claimed = desk.attach(bruno, named(bytes), kGrid2);
  desk.bring(anna, bytes);
  CHECK_FALSE(desk.stored(claimed));
  const auto call = desk.call(bruno);
  CHECK(desk.refused(desk.get(call, sha256(bytes))) == ErrorCode::kUnavailable);
  // Asked to show that the phone has it, it can only guess.
  auto said = desk.put(call, named(bytes));
  REQUIRE(said.size() == 1);
  REQUIRE(std::holds_alternative<v1::MediaProve>(said.front()));
  v1::MediaProof guess;
  guess.set_sha256(sha256("a guess"));
  CHECK(desk.refused(desk.say(call, guess)) == ErrorCode::kDamaged);
  CHECK_FALSE(desk.stored(claimed));
}

TEST_CASE("a file that is there already is not sent again by who can show that they have it") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  Phone bruno = desk.world.phone(desk.world.bruno);
  const std::string bytes = photograph(800'000);
  desk.attach(anna, named(bytes));
  desk.bring(anna, bytes);
  const RecordId again = desk.attach(bruno, named(bytes), kGrid2);
  const auto call = desk.call(bruno);
  const auto said = desk.put(call, named(bytes));
  REQUIRE(said.size() == 1);
  v1::MediaProof proof;
  proof.set_sha256(sha256(std::get<v1::MediaProve>(said.front()).nonce() + bytes));
  const auto stored = desk.say(call, proof);
  REQUIRE(stored.size() == 1);
  CHECK(std::holds_alternative<v1::MediaStored>(stored.front()));
  CHECK(desk.stored(again));
  CHECK(desk.desk.figures().bytes_in == bytes.size());
  CHECK(desk.files.all()->size() == 1);
}

TEST_CASE("a call begins with a Hello that its device signed, and each counter is taken once") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  const std::string bytes = photograph(1000);
  desk.attach(anna, named(bytes));
  CHECK(desk.refused(desk.put(desk.open(), named(bytes))) == ErrorCode::kProtocol);
  v1::MediaHello hello = desk.hello(anna);
  CHECK(desk.say(desk.open(), hello).empty());
  CHECK(desk.refused(desk.say(desk.open(), hello)) == ErrorCode::kForked);
  hello = desk.hello(anna);
  hello.set_call_counter(hello.call_counter() + 1);
  CHECK(desk.refused(desk.say(desk.open(), hello)) == ErrorCode::kBadSignature);
  hello = desk.hello(anna);
  hello.set_device(4711);
  CHECK(desk.refused(desk.say(desk.open(), hello)) == ErrorCode::kNotEnrolled);
  const auto call = desk.call(anna);
  CHECK(desk.refused(desk.say(call, desk.hello(anna))) == ErrorCode::kProtocol);
  CHECK_FALSE(desk.lines.at(call)->open);
}

TEST_CASE("a phone has one call: the older one is a connection that it has given up") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  const std::string bytes = photograph(600'000);
  desk.attach(anna, named(bytes));
  const auto older = desk.call(anna);
  REQUIRE(desk.has(desk.put(older, named(bytes))) == 0);
  desk.send(older, bytes, 0, 300'000);
  const auto newer = desk.call(anna);
  CHECK_FALSE(desk.lines.at(older)->open);
  CHECK(desk.has(desk.put(newer, named(bytes))) == 300'000);
  CHECK(std::holds_alternative<v1::MediaStored>(desk.send(newer, bytes, 300'000)));
}

TEST_CASE("calls beyond what the desk takes hear when to come back; idle ones make room") {
  Desk desk;
  for (std::size_t i = 0; i < limits::kMediaCalls; ++i) {
    CHECK(desk.lines.at(desk.open())->open);
  }
  const auto beyond = desk.open();
  CHECK_FALSE(desk.lines.at(beyond)->open);
  const auto& said = desk.lines.at(beyond)->frames;
  REQUIRE(said.size() == 1);
  CHECK(desk.refused(said.front()) == ErrorCode::kBusy);
  CHECK(std::get<v1::Refusal>(said.front()).retry_after_ms() == limits::kMediaBusyMs);
  desk.world.clock.ms += limits::kMediaIdleMs - 1;
  desk.desk.tick();
  CHECK(desk.lines.at(1)->open);
  desk.world.clock.ms += 1;
  desk.desk.tick();
  CHECK_FALSE(desk.lines.at(1)->open);
}

TEST_CASE(
    "a phone that begins files and finishes none is held to a bound, with a time to come back") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  const std::uint64_t size = limits::kMediaBytes;
  const std::size_t files = limits::kMediaUnfinishedBytes / size;
  const RecordId walk = anna.new_id();
  anna.record(kinds::kVisit, walk, visit(kGrid1), true, desk.world.clock.ms);
  for (std::size_t i = 0; i <= files; ++i) {
    desk.attach_to(anna, walk, {sha256(std::to_string(i)), size});
  }
  desk.world.sync(anna);
  const auto call = desk.call(anna);
  for (std::size_t i = 0; i < files; ++i) {
    const MediaFile file{sha256(std::to_string(i)), size};
    REQUIRE(desk.has(desk.put(call, file)) == 0);
    // As if nearly all of it had come: what counts is what lies on the disk.
    desk.say(call, chunk_of(0, "begun"));
    std::filesystem::resize_file(
        desk.world.file("media/parts/" + media_owner(anna.device) + "_" + to_hex(file.sha256)),
        size - 1);
  }
  const auto said = desk.put(call, {sha256(std::to_string(files)), size});
  CHECK(desk.refused(said) == ErrorCode::kBusy);
  CHECK(std::get<v1::MediaRefused>(said.front()).retry_after_ms() > 0);
}

TEST_CASE("a full disk puts pictures off, and reports go on") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  const std::string bytes = photograph(600'000);
  const RecordId id = desk.attach(anna, named(bytes));
  auto call = desk.call(anna);
  REQUIRE(desk.has(desk.put(call, named(bytes))) == 0);
  desk.send(call, bytes, 0, 262'144);
  desk.files.full = true;
  const auto said = desk.say(call, chunk_of(262'144, bytes.substr(262'144, 1000)));
  CHECK(desk.refused(said) == ErrorCode::kBusy);
  CHECK(std::get<v1::Refusal>(said.front()).retry_after_ms() == limits::kMediaBusyMs);
  CHECK_FALSE(desk.lines.at(call)->open);
  anna.record(kinds::kVisit, anna.new_id(), visit(kGrid1), true, desk.world.clock.ms);
  CHECK(answers(*desk.world.sync(anna)) == std::vector{OutcomeStatus::kAccepted});
  desk.files.full = false;
  call = desk.call(anna);
  REQUIRE(desk.has(desk.put(call, named(bytes))) == 262'144);
  CHECK(std::holds_alternative<v1::MediaStored>(desk.send(call, bytes, 262'144)));
  CHECK(desk.stored(id));
}

TEST_CASE(
    "a chunk that does not follow the one before ends the call, and costs nothing that came") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  const std::string bytes = photograph(600'000);
  desk.attach(anna, named(bytes));
  const auto call = desk.call(anna);
  REQUIRE(desk.has(desk.put(call, named(bytes))) == 0);
  desk.send(call, bytes, 0, 262'144);
  CHECK(desk.refused(desk.say(call, chunk_of(300'000, bytes.substr(300'000, 10)))) ==
        ErrorCode::kProtocol);
  CHECK_FALSE(desk.lines.at(call)->open);
  const auto again = desk.call(anna);
  CHECK(desk.has(desk.put(again, named(bytes))) == 262'144);
  // Nor does one that leads beyond the file's end.
  desk.send(again, bytes, 262'144, 524'288);
  CHECK(desk.refused(desk.say(again, chunk_of(524'288, std::string(100'000, 'x')))) ==
        ErrorCode::kProtocol);
  CHECK(desk.has(desk.put(desk.call(anna), named(bytes))) == 524'288);
}

TEST_CASE("files that are not there any more are told to be lacking, and can be brought again") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  Phone dora = desk.world.phone(desk.world.dora);
  const std::string bytes = photograph(1000);
  const RecordId id = desk.attach(anna, named(bytes));
  desk.bring(anna, bytes);
  desk.world.sync(dora);
  CHECK(*desk.world.county->stored_media() == std::vector{named(bytes)});
  REQUIRE(desk.files.remove(sha256(bytes)));
  REQUIRE(desk.world.county->media_lost({sha256(bytes), sha256("never heard of")}));
  CHECK_FALSE(desk.stored(id));
  CHECK(desk.world.county->stored_media()->empty());
  CHECK(desk.world.sync(dora)->rows_of(kinds::kAttachment).size() == 1);
  desk.bring(anna, bytes);
  CHECK(desk.stored(id));
}

TEST_CASE("a file is somebody's as long as any record names it that was not erased") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  const std::string bytes = photograph(1000);
  const RecordId id = desk.attach(anna, named(bytes));
  const std::string other = sha256("nobody's");
  CHECK(*desk.world.county->unnamed_media({sha256(bytes), other}) == std::vector{other});
  Operation& erasure =
      anna.record(kinds::kAttachment, id, "", false, desk.world.clock.ms, Seq(1'000'000));
  erasure.type = OperationType::kErase;
  erasure.base_seq = desk.world.storage->last_seq();
  desk.world.sync(anna);
  CHECK(*desk.world.county->unnamed_media({sha256(bytes), other}) ==
        std::vector{sha256(bytes), other});
}

TEST_CASE("forgetting notes the files that go with it, until somebody says that they are gone") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  const std::string bytes = photograph(1000);
  const std::string shared = photograph(1000, 2);
  const RecordId walk = anna.new_id();
  anna.record(kinds::kVisit, walk, visit(kGrid1), true, desk.world.clock.ms);
  desk.attach_to(anna, walk, named(bytes));
  desk.attach_to(anna, walk, named(shared));
  desk.attach(anna, named(shared));
  const auto forget = [&](bool dry_run) {
    REQUIRE(
        desk.world.county->forget({{kinds::kVisit, walk}}, "test", dry_run,
                                  [](const std::vector<RecordKey>&) { return Result<void>(); }));
    return *desk.world.county->media_to_purge();
  };
  CHECK(forget(true).empty());
  CHECK(forget(false) == std::vector{sha256(bytes)});
  desk.world.open();
  CHECK(*desk.world.county->media_to_purge() == std::vector{sha256(bytes)});
  REQUIRE(desk.world.county->media_purged());
  CHECK(desk.world.county->media_to_purge()->empty());
}

TEST_CASE("what arrives for something that was forgotten has its file noted as well") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  const std::string bytes = photograph(1000);
  const std::string late = photograph(1000, 2);
  const std::string named_again = photograph(1000, 3);
  const RecordId walk = anna.new_id();
  anna.record(kinds::kVisit, walk, visit(kGrid1), true, desk.world.clock.ms);
  desk.attach_to(anna, walk, named(bytes));
  desk.world.sync(anna);
  const auto call = desk.call(anna);
  REQUIRE(desk.has(desk.put(call, named(bytes))) == 0);
  REQUIRE(desk.world.county->forget({{kinds::kVisit, walk}}, "test", false,
                                    [](const std::vector<RecordKey>&) { return Result<void>(); }));
  REQUIRE(desk.world.county->media_purged());

  // The bytes, which were under way.
  CHECK(desk.refused({desk.send(call, bytes, 0)}) == ErrorCode::kNotFound);
  CHECK(*desk.world.county->media_to_purge() == std::vector{sha256(bytes)});

  // Records, whose bytes a restored county may have had before.
  desk.attach_to(anna, walk, named(late));
  desk.attach_to(anna, walk, named(named_again));
  desk.attach_to(anna, walk, {"", 1});
  desk.attach_to(anna, walk, {sha256(late).substr(0, 1), 1});
  desk.world.sync(anna);
  CHECK(*desk.world.county->media_to_purge() ==
        std::vector{sha256(bytes), sha256(late), sha256(named_again)});
  desk.attach(anna, named(named_again));
  CHECK(*desk.world.county->media_to_purge() == std::vector{sha256(bytes), sha256(late)});
  desk.world.open();
  CHECK(*desk.world.county->media_to_purge() == std::vector{sha256(bytes), sha256(late)});
}

namespace {

// The same of version 1, for ever: what a phone said of a picture, and what it was answered.
constexpr const char* kGoldenCounty = "v1/media_county";
constexpr const char* kGoldenFrames = "v1/media";

}  // namespace

TEST_CASE("Write the golden frames of a picture's way", "[.regenerate]") {
  Desk desk;
  Phone anna = desk.world.phone(desk.world.anna);
  const std::string bytes = photograph(3'000);
  desk.attach(anna, named(bytes));
  const std::string copy = desk.world.file("copy.gwbackup");
  REQUIRE(desk.world.county->backup(copy, "test", [] { return Result<void>(); }));
  std::vector<std::pair<std::string, std::string>> lines;
  const auto id = desk.open();
  const auto says = [&](const MediaUp& part) {
    lines.emplace_back("up", encode_media_up(part));
    for (const MediaDown& answer : desk.say(id, part)) {
      lines.emplace_back("down", encode_media_down(answer));
    }
  };
  v1::MediaPut wanted;
  wanted.set_sha256(sha256(bytes));
  wanted.set_size(bytes.size());
  v1::MediaGet fetched;
  fetched.set_sha256(sha256(bytes));
  fetched.set_bytes_max(2'000);
  v1::MediaGet unknown;
  unknown.set_sha256(sha256("nobody's"));
  unknown.set_bytes_max(2'000);
  says(desk.hello(anna));
  says(wanted);
  says(chunk_of(0, bytes.substr(0, 2'000)));
  says(chunk_of(2'000, bytes.substr(2'000)));
  says(fetched);
  says(unknown);
  std::ifstream file(copy, std::ios::binary);
  keep_golden_file(kGoldenCounty, {std::istreambuf_iterator<char>(file), {}});
  keep_golden_lines(kGoldenFrames, lines);
}

TEST_CASE("a phone of version 1 still brings a picture and fetches it, frame by frame") {
  Desk desk;
  desk.world.county.reset();
  for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(desk.world.file() + part);
  std::ofstream(desk.world.file(), std::ios::binary) << golden_file(kGoldenCounty);
  desk.world.open();
  const std::string bytes = photograph(3'000);
  const auto id = desk.open();
  TestLine& line = *desk.lines.at(id);
  for (const std::string& frame : golden_lines(kGoldenFrames, "up")) {
    REQUIRE(line.wants);
    line.wants = false;
    desk.desk.on_frame(id, frame);
  }
  REQUIRE(line.frames.size() == 5);
  CHECK(std::holds_alternative<v1::MediaHas>(line.frames[0]));
  CHECK(std::holds_alternative<v1::MediaStored>(line.frames[2]));
  CHECK(std::get<v1::MediaChunk>(line.frames[3]).content() == bytes.substr(0, 2'000));
  CHECK(Desk::refused(line.frames[4]) == ErrorCode::kNotFound);
}

TEST_CASE("what a server of version 1 said of a picture is still understood") {
  std::vector<MediaDown> said;
  for (const std::string& frame : golden_lines(kGoldenFrames, "down")) {
    auto part = decode_media_down(frame);
    REQUIRE(part);
    said.push_back(std::move(*part));
  }
  const std::string bytes = photograph(3'000);
  REQUIRE(said.size() == 5);
  CHECK(std::get<v1::MediaHas>(said[0]).offset() == 0);
  CHECK(std::get<v1::MediaHas>(said[1]).offset() == 2'000);
  CHECK(std::holds_alternative<v1::MediaStored>(said[2]));
  CHECK(is_intact(std::get<v1::MediaChunk>(said[3])));
  CHECK(std::get<v1::MediaChunk>(said[3]).content() == bytes.substr(0, 2'000));
  CHECK(static_cast<ErrorCode>(std::get<v1::MediaRefused>(said[4]).code()) == ErrorCode::kNotFound);
}

namespace {

// A whistle that its reporter has settled, of a category that is closed only with a picture.
struct Settled : Desk {
  Phone anna = world.phone(world.anna);
  Phone visitor = world.phone(world.worker("W9", Role::kReturnVisitor, kTown, world.road_org));
  RecordId id = anna.new_id();

  Settled() {
    v1::Category category;
    category.set_code("0101");
    category.set_name("manholes");
    category.set_closing_evidence(true);
    world.import(category);
    v1::Whistle report;
    report.ParseFromString(whistle(kGrid1));
    report.set_handled_on_spot(true);
    anna.record(kinds::kWhistle, id, report.SerializeAsString(), true, world.clock.ms);
    world.sync(anna);
    REQUIRE(state() == v1::WHISTLE_STATE_HANDLED_ON_SPOT);
  }
  v1::WhistleState state() { return whistle_of(world, id).state(); }

  RecordId picture_of(Phone& phone, const std::string& bytes,
                      v1::AttachmentStage stage = v1::ATTACHMENT_STAGE_AFTER) {
    v1::Attachment picture;
    picture.set_sha256(sha256(bytes));
    picture.set_size_bytes(static_cast<std::int64_t>(bytes.size()));
    picture.set_media_type("image/jpeg");
    picture.set_stage(stage);
    picture.set_parent(std::string(id.bytes()));
    picture.set_parent_kind(kinds::kWhistle.value);
    const RecordId record = phone.new_id();
    phone.record(kinds::kAttachment, record, picture.SerializeAsString(), true, world.clock.ms);
    world.sync(phone);
    return record;
  }
  v1::AckRun acts(Phone& phone, v1::WhistleActionType type, RecordId evidence = {},
                  v1::ReturnVisitResult result = v1::RETURN_VISIT_RESULT_UNSPECIFIED) {
    v1::WhistleAction action;
    action.set_whistle(std::string(id.bytes()));
    action.set_type(type);
    action.set_round(whistle_of(world, id).round());
    if (const v1::Whistle now = whistle_of(world, id); now.has_last_action()) {
      action.set_after(now.last_action());
    }
    if (!evidence.is_nil()) action.add_evidence(std::string(evidence.bytes()));
    if (result != v1::RETURN_VISIT_RESULT_UNSPECIFIED) action.set_return_visit_result(result);
    phone.record(kinds::kWhistleAction, phone.new_id(), action.SerializeAsString(), true,
                 world.clock.ms);
    return world.sync(phone)->runs().back();
  }
  v1::AckRun visits(RecordId evidence = {}) {
    return acts(visitor, v1::WHISTLE_ACTION_TYPE_RETURN_VISIT, evidence,
                v1::RETURN_VISIT_RESULT_SATISFIED);
  }
  static bool accepted(const v1::AckRun& run) {
    return static_cast<OutcomeStatus>(run.status()) == OutcomeStatus::kAccepted;
  }
};

}  // namespace

TEST_CASE("without a picture of how it was left a visit does not close, and is told why") {
  Settled at;
  const v1::AckRun refused = at.visits();
  CHECK_FALSE(Settled::accepted(refused));
  CHECK(refused.code() == static_cast<std::uint32_t>(WorkflowCode::kClosingEvidenceMissing));
  at.picture_of(at.anna, photograph(5000), v1::ATTACHMENT_STAGE_BEFORE);
  at.bring(at.anna, photograph(5000));
  CHECK_FALSE(Settled::accepted(at.visits()));
  CHECK(at.state() == v1::WHISTLE_STATE_HANDLED_ON_SPOT);
  CHECK_FALSE(whistle_of(at.world, at.id).has_return_visit_result());
  // A category that does not ask is closed as ever.
  v1::Category category;
  category.set_code("0101");
  category.set_name("manholes");
  const auto known = at.world.storage->find(*built_schema().kind(kinds::kCategory),
                                            fields::category::kCode, "0101");
  REQUIRE(known);
  category.set_closing_evidence(false);
  at.world.import(category, known->front());
  CHECK(Settled::accepted(at.visits()));
  CHECK(at.state() == v1::WHISTLE_STATE_CLOSED);
}

TEST_CASE("a visit with a picture on its way closes the whistle when the bytes are there") {
  Settled at;
  const RecordId picture = at.picture_of(at.visitor, photograph(5000));
  REQUIRE(Settled::accepted(at.visits(picture)));
  CHECK(at.state() == v1::WHISTLE_STATE_HANDLED_ON_SPOT);
  at.bring(at.visitor, photograph(5000));
  const v1::Whistle closed = whistle_of(at.world, at.id);
  CHECK(closed.state() == v1::WHISTLE_STATE_CLOSED);
  CHECK(closed.return_visit_result() == v1::RETURN_VISIT_RESULT_SATISFIED);
  CHECK(closed.closing_reason() == v1::CLOSING_REASON_RETURN_VISIT);
  CHECK(at.world.county->explain(at.id)->steps.size() == 2);
  CHECK(at.world.sync(at.anna)->rows_of(kinds::kWhistle).size() == 1);
  CHECK(at.world.county->verify()->faults.empty());
}

TEST_CASE("the handler's picture closes as well, and one that is named before its record comes") {
  Settled theirs;
  theirs.picture_of(theirs.anna, photograph(5000));
  theirs.bring(theirs.anna, photograph(5000));
  CHECK(Settled::accepted(theirs.visits()));
  CHECK(theirs.state() == v1::WHISTLE_STATE_CLOSED);

  Settled late;
  const RecordId to_come(RecordId::make(late.visitor.device, late.visitor.counter + 2));
  CHECK(Settled::accepted(late.visits(to_come)));
  CHECK(late.picture_of(late.visitor, photograph(5000)) == to_come);
  CHECK(late.state() == v1::WHISTLE_STATE_HANDLED_ON_SPOT);
  late.bring(late.visitor, photograph(5000));
  CHECK(late.state() == v1::WHISTLE_STATE_CLOSED);
}

TEST_CASE("after a reopening an old picture proves nothing, one that a remark names does") {
  Settled at;
  const RecordId first = at.picture_of(at.anna, photograph(5000));
  at.bring(at.anna, photograph(5000));
  REQUIRE(Settled::accepted(at.visits()));
  Phone dora = at.world.phone(at.world.dora);
  at.world.sync(dora);
  REQUIRE(Settled::accepted(at.acts(dora, v1::WHISTLE_ACTION_TYPE_REOPEN)));
  const RecordId before = at.picture_of(at.anna, photograph(6000, 2), v1::ATTACHMENT_STAGE_BEFORE);
  const RecordId after = at.picture_of(at.anna, photograph(7000, 3));
  v1::WhistleAction handled;
  handled.set_whistle(std::string(at.id.bytes()));
  handled.set_type(v1::WHISTLE_ACTION_TYPE_HANDLE_ON_SPOT);
  handled.set_round(2);
  handled.set_after(whistle_of(at.world, at.id).last_action());
  handled.add_evidence(std::string(before.bytes()));
  handled.add_evidence(std::string(after.bytes()));
  at.anna.record(kinds::kWhistleAction, at.anna.new_id(), handled.SerializeAsString(), true,
                 at.world.clock.ms);
  REQUIRE(Settled::accepted(at.world.sync(at.anna)->runs().back()));
  CHECK(Settled::accepted(at.visits()));
  CHECK(at.state() == v1::WHISTLE_STATE_HANDLED_ON_SPOT);
  // Whose phone was lost: a remark by anybody with the proof will do.
  REQUIRE(Settled::accepted(at.acts(at.anna, v1::WHISTLE_ACTION_TYPE_COMMENT, first)));
  CHECK(at.state() == v1::WHISTLE_STATE_CLOSED);
}

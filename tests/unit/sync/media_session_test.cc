#include "sync/media_session.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/sha256.h"
#include "seeded_random.h"

using namespace gridwhistle;

namespace {

// A phone with its files in memory, and the server's answers typed by the test.
struct Host final : MediaHost {
  std::vector<MediaFile> unsent;
  std::map<std::string, std::string> bytes;  // by SHA-256
  std::vector<MediaUp> sent;
  std::map<std::string, std::uint64_t> stored_at;
  std::map<std::string, ErrorCode> refused_why;
  std::map<std::string, std::string> fetching;
  std::map<std::string, Result<void>> fetch_ends;
  int calls = 0;
  bool open = false;
  bool no_network = false;

  Result<void> open_call() override {
    if (no_network) return fail(ErrorCode::kUnavailable, "no network");
    ++calls;
    open = true;
    return {};
  }
  void send(std::string frame) override {
    auto up = decode_media_up(frame);
    REQUIRE(up);
    sent.push_back(std::move(*up));
  }
  void close_call() override { open = false; }
  Result<std::optional<MediaFile>> next_unsent() override {
    for (const MediaFile& file : unsent) {
      if (!stored_at.contains(file.sha256) && !refused_why.contains(file.sha256)) return file;
    }
    return std::nullopt;
  }
  Result<std::string> read(const MediaFile& file, std::uint64_t offset, std::size_t max) override {
    if (!bytes.contains(file.sha256)) return fail(ErrorCode::kNotFound, "not here");
    return bytes[file.sha256].substr(offset, max);
  }
  Result<std::string> digest_behind(std::string_view nonce, const MediaFile& file) override {
    return sha256(std::string(nonce) + bytes[file.sha256]);
  }
  Result<void> stored(const MediaFile& file, Seq seq) override {
    stored_at[file.sha256] = seq.value;
    return {};
  }
  Result<void> refused(const MediaFile& file, const Error& why, std::uint32_t) override {
    refused_why[file.sha256] = why.code;
    return {};
  }
  Result<std::uint64_t> begin_fetch(const MediaFile& file) override {
    return fetching[file.sha256].size();
  }
  Result<void> append(const MediaFile& file, std::string_view more) override {
    fetching[file.sha256] += more;
    return {};
  }
  void fetched(const MediaFile& file, Result<void> how) override {
    fetch_ends.emplace(file.sha256, std::move(how));
  }

  MediaFile add(std::size_t size, char fill) {
    const std::string content(size, fill);
    const MediaFile file{sha256(content), size};
    bytes[file.sha256] = content;
    return file;
  }
};

struct Scene {
  Host host;
  SeededRandom random{7};
  MediaSession session{host, random};
  std::uint64_t now = 1000;
  std::map<std::string, std::string> server;  // what it has of each file, by SHA-256
  std::size_t seen = 0;                       // of `host.sent`
  std::string putting;

  MediaFile unsent(std::size_t size, char fill) {
    host.unsent.push_back(host.add(size, fill));
    return host.unsent.back();
  }
  void say(const MediaDown& part) { session.frame(encode_media_down(part), now); }
  void has(std::uint64_t offset) {
    v1::MediaHas has;
    has.set_offset(offset);
    say(has);
  }
  // An honest server answers the next thing that was sent. False: nothing was.
  bool answer() {
    if (!host.open || seen >= host.sent.size()) return false;
    const MediaUp part = host.sent[seen++];
    if (const auto* put = std::get_if<v1::MediaPut>(&part)) {
      putting = put->sha256();
      has(server[putting].size());
    } else if (const auto* chunk = std::get_if<v1::MediaChunk>(&part)) {
      std::string& content = server[putting];
      CHECK(chunk->offset() == content.size());
      CHECK(is_intact(*chunk));
      content += chunk->content();
      if (sha256(content) != putting) {
        has(content.size());
      } else {
        v1::MediaStored stored;
        stored.set_seq(77);
        say(stored);
      }
    } else if (const auto* get = std::get_if<v1::MediaGet>(&part)) {
      say(chunk_of(get->offset(), server[get->sha256()].substr(get->offset(), get->bytes_max())));
    }
    return true;
  }
  void answer_all() {
    while (answer()) {
    }
  }
  // The call breaks off; what was on its way is lost.
  void cut() {
    host.open = false;
    seen = host.sent.size();
    session.ended(fail(ErrorCode::kUnavailable, "cut"), now);
  }
  std::size_t on_its_way() const {
    std::size_t chunks = 0;
    for (std::size_t i = seen; i < host.sent.size(); ++i) {
      chunks += std::holds_alternative<v1::MediaChunk>(host.sent[i]) ? 1 : 0;
    }
    return chunks;
  }
  ErrorCode pass_ended() {
    const auto ended = session.take_ended_pass();
    REQUIRE(ended.has_value());
    return *ended ? ErrorCode{} : ended->error().code;
  }
};

}  // namespace

TEST_CASE("a pass sends what is unsent, one file after the other, and ends its call") {
  Scene scene;
  const MediaFile one = scene.unsent(600'000, 'a');
  const MediaFile two = scene.unsent(10, 'b');
  scene.session.hold(false, scene.now);
  CHECK(scene.host.calls == 0);
  scene.session.pass(scene.now);
  scene.answer_all();
  CHECK(scene.host.stored_at.at(one.sha256) == 77);
  CHECK(scene.host.stored_at.contains(two.sha256));
  CHECK(scene.host.calls == 1);
  CHECK_FALSE(scene.host.open);
  CHECK(scene.pass_ended() == ErrorCode{});
  CHECK(scene.session.counts().files_sent == 2);
  CHECK(scene.session.counts().bytes_up == 600'010);
  CHECK_FALSE(scene.session.wake_ms());
}

TEST_CASE("a pass tells what it has done itself, and nothing of those before") {
  Scene scene;
  scene.session.hold(false, scene.now);
  for (const char fill : {'a', 'b'}) {
    scene.unsent(500, fill);
    scene.session.pass(scene.now);
    scene.answer_all();
    const auto ended = scene.session.take_ended_pass();
    REQUIRE((ended && *ended));
    CHECK((*ended)->files_sent == 1);
    CHECK((*ended)->bytes_up == 500);
  }
}

TEST_CASE("an upload goes on at the byte where it broke off, after every cut") {
  Scene scene;
  const MediaFile file = scene.unsent(4'000'000, 'a');
  scene.session.hold(false, scene.now);
  int calls = 0;
  while (!scene.host.stored_at.contains(file.sha256)) {
    REQUIRE(++calls < 60);
    scene.session.pass(scene.now);
    for (int i = 0; i < 3; ++i) scene.answer();
    if (scene.host.open) scene.cut();
    static_cast<void>(scene.session.take_ended_pass());
  }
  CHECK(calls > 5);
  // What was on its way when a call broke off is all that went twice.
  CHECK(scene.session.counts().bytes_up <
        4'000'000 + static_cast<std::uint64_t>(calls) * 2 * limits::kMediaChunkBytes);
  CHECK(sha256(scene.server[file.sha256]) == file.sha256);
}

TEST_CASE("one bad photograph blocks nothing: what is refused is told, and the next one goes") {
  Scene scene;
  const MediaFile bad = scene.unsent(100, 'a');
  const MediaFile gone = scene.unsent(100, 'b');
  const MediaFile good = scene.unsent(100, 'c');
  scene.host.bytes.erase(gone.sha256);
  scene.session.hold(false, scene.now);
  scene.session.pass(scene.now);
  ++scene.seen;
  v1::MediaRefused refused;
  refused.set_sha256(bad.sha256);
  refused.set_code(static_cast<std::uint32_t>(ErrorCode::kNotFound));
  scene.say(refused);
  scene.answer_all();
  CHECK(scene.host.refused_why.at(bad.sha256) == ErrorCode::kNotFound);
  CHECK(scene.host.refused_why.at(gone.sha256) == ErrorCode::kNotFound);
  CHECK(scene.host.stored_at.contains(good.sha256));
  CHECK(scene.pass_ended() == ErrorCode{});
}

TEST_CASE("a report that comes stops the upload at once, and it goes on behind the report") {
  Scene scene;
  const MediaFile file = scene.unsent(5'000'000, 'a');
  scene.session.hold(false, scene.now);
  scene.session.persist(true, scene.now);
  for (int i = 0; i < 4; ++i) scene.answer();
  CHECK(scene.on_its_way() <= MediaSession::kPiecesInFlight);
  scene.session.hold(true, scene.now);
  const std::size_t sent = scene.host.sent.size();
  scene.answer_all();
  CHECK(scene.host.sent.size() == sent);
  CHECK(scene.host.open);
  scene.session.hold(false, scene.now);
  CHECK(scene.host.sent.size() > sent);
  scene.answer_all();
  CHECK(scene.host.stored_at.contains(file.sha256));
  CHECK(scene.host.calls == 1);
}

TEST_CASE("a call that waits long for reports is given up, and begins again at its byte") {
  Scene scene;
  const MediaFile file = scene.unsent(2'000'000, 'a');
  scene.session.hold(false, scene.now);
  scene.session.persist(true, scene.now);
  for (int i = 0; i < 4; ++i) scene.answer();
  scene.session.hold(true, scene.now);
  scene.answer_all();
  REQUIRE(scene.session.wake_ms() == scene.now + MediaSession::kHeldMs);
  scene.now += MediaSession::kHeldMs;
  scene.session.tick(scene.now);
  CHECK_FALSE(scene.host.open);
  scene.session.hold(false, scene.now);
  scene.answer_all();
  CHECK(scene.host.calls == 2);
  CHECK(scene.host.stored_at.contains(file.sha256));
}

TEST_CASE("what lies on the line is what it takes in about a second, however slow it is") {
  Scene scene;
  scene.unsent(3'000'000, 'a');
  scene.session.hold(false, scene.now);
  scene.session.pass(scene.now);
  std::size_t largest = 0;
  const auto last_piece = [&] {
    return std::get<v1::MediaChunk>(scene.host.sent.back()).content().size();
  };
  // 8 KB a second.
  for (int i = 0; i < 40 && scene.host.open; ++i) {
    scene.answer();
    largest = last_piece();
    scene.now += largest / 8;
  }
  CHECK(largest <= 2 * 8 * 1024);
  // And a quick one.
  for (int i = 0; i < 12 && scene.host.open; ++i) {
    scene.now += 5;
    scene.answer();
  }
  CHECK(last_piece() == limits::kMediaChunkBytes);
}

TEST_CASE("a live line tries again with pauses of its own; a single pass ends with the failure") {
  Scene scene;
  const MediaFile file = scene.unsent(100, 'a');
  scene.host.no_network = true;
  scene.session.hold(false, scene.now);
  scene.session.pass(scene.now);
  CHECK(scene.pass_ended() == ErrorCode::kUnavailable);
  CHECK_FALSE(scene.session.wake_ms());

  scene.session.persist(true, scene.now);
  CHECK(scene.session.last_error()->code == ErrorCode::kUnavailable);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(scene.session.wake_ms());
    CHECK(*scene.session.wake_ms() > scene.now);
    CHECK(*scene.session.wake_ms() <= scene.now + Backoff::kCapMs);
    // Waking does not bring it forward.
    scene.session.wake(scene.now);
    scene.now = *scene.session.wake_ms();
    scene.session.tick(scene.now);
  }
  scene.host.no_network = false;
  scene.session.network_changed(scene.now);
  scene.answer_all();
  CHECK(scene.host.stored_at.contains(file.sha256));
  CHECK_FALSE(scene.session.last_error());
}

TEST_CASE("a server that is full says when to come back, and is left alone until then") {
  Scene scene;
  scene.unsent(100, 'a');
  scene.session.hold(false, scene.now);
  scene.session.persist(true, scene.now);
  v1::Refusal refusal;
  refusal.set_code(static_cast<std::uint32_t>(ErrorCode::kBusy));
  refusal.set_retry_after_ms(600'000);
  scene.say(refusal);
  CHECK_FALSE(scene.host.open);
  REQUIRE(scene.session.wake_ms());
  CHECK(*scene.session.wake_ms() >= scene.now + 600'000);
}

TEST_CASE("a server that owes an answer and says nothing is given up") {
  Scene scene;
  scene.unsent(100, 'a');
  scene.session.hold(false, scene.now);
  scene.session.pass(scene.now);
  scene.now += MediaSession::kAnswerTimeoutMs;
  scene.session.tick(scene.now);
  CHECK_FALSE(scene.host.open);
  CHECK(scene.pass_ended() == ErrorCode::kTimeout);
}

TEST_CASE(
    "of a file that the server has already the phone shows that it has it, and sends nothing") {
  Scene scene;
  const MediaFile file = scene.unsent(300'000, 'a');
  scene.session.hold(false, scene.now);
  scene.session.pass(scene.now);
  v1::MediaProve prove;
  prove.set_nonce(std::string(32, 'n'));
  scene.say(prove);
  const auto& proof = std::get<v1::MediaProof>(scene.host.sent.back());
  CHECK(proof.sha256() == sha256(std::string(32, 'n') + scene.host.bytes[file.sha256]));
  v1::MediaStored stored;
  stored.set_seq(5);
  scene.say(stored);
  CHECK(scene.host.stored_at.at(file.sha256) == 5);
  CHECK(scene.session.counts().bytes_up == 0);
}

TEST_CASE(
    "a server that answers what was not asked loses the call, and nothing is taken for sent") {
  Scene scene;
  const MediaFile file = scene.unsent(300'000, 'a');
  scene.session.hold(false, scene.now);
  const int lie = GENERATE(0, 1, 2, 3, 4);
  scene.session.pass(scene.now);
  if (lie == 0) scene.has(300'001);
  if (lie == 1) {
    v1::MediaStored stored;
    stored.set_seq(5);
    scene.say(stored);
  }
  if (lie == 2) {
    scene.has(0);
    scene.has(299'999);
  }
  if (lie == 3) scene.say(chunk_of(0, "unasked"));
  if (lie == 4) scene.session.frame("\xFF", scene.now);
  CHECK_FALSE(scene.host.open);
  CHECK(scene.pass_ended() == ErrorCode::kProtocol);
  CHECK(scene.host.stored_at.empty());
  CHECK_FALSE(scene.host.refused_why.contains(file.sha256));
}

TEST_CASE("what somebody wants to see comes before what is to be sent, from where it broke off") {
  Scene scene;
  const MediaFile mine = scene.unsent(3'000'000, 'a');
  const std::string theirs(700'000, 't');
  const MediaFile wanted{sha256(theirs), theirs.size()};
  scene.server[wanted.sha256] = theirs;
  scene.host.fetching[wanted.sha256] = theirs.substr(0, 123'456);
  scene.session.hold(true, scene.now);
  scene.session.fetch(wanted, scene.now);
  CHECK(std::get<v1::MediaGet>(scene.host.sent.front()).offset() == 123'456);
  scene.answer_all();
  CHECK(scene.host.fetch_ends.at(wanted.sha256));
  CHECK(scene.host.fetching[wanted.sha256] == theirs);
  CHECK(scene.session.counts().bytes_down == 700'000 - 123'456);
  CHECK_FALSE(scene.host.stored_at.contains(mine.sha256));
  scene.session.hold(false, scene.now);
  scene.session.pass(scene.now);
  scene.answer_all();
  CHECK(scene.host.stored_at.contains(mine.sha256));
}

TEST_CASE(
    "a fetch that cannot be is told, and one that was cut is told or, on a live line, goes on") {
  Scene scene;
  const MediaFile wanted{sha256("theirs"), 6};
  scene.server[wanted.sha256] = "theirs";
  scene.session.fetch(wanted, scene.now);
  v1::MediaRefused refused;
  refused.set_sha256(wanted.sha256);
  refused.set_code(static_cast<std::uint32_t>(ErrorCode::kNotFound));
  scene.say(refused);
  CHECK(scene.host.fetch_ends.at(wanted.sha256).error().code == ErrorCode::kNotFound);
  scene.seen = scene.host.sent.size();

  scene.host.fetch_ends.clear();
  scene.session.fetch(wanted, scene.now);
  scene.cut();
  CHECK(scene.host.fetch_ends.at(wanted.sha256).error().code == ErrorCode::kUnavailable);

  scene.host.fetch_ends.clear();
  scene.session.persist(true, scene.now);
  scene.session.fetch(wanted, scene.now);
  scene.cut();
  CHECK(scene.host.fetch_ends.empty());
  scene.now = *scene.session.wake_ms();
  scene.session.tick(scene.now);
  scene.answer_all();
  CHECK(scene.host.fetch_ends.at(wanted.sha256));
}

TEST_CASE("a chunk that was damaged on its way down ends the call, and is not laid to the others") {
  Scene scene;
  const MediaFile wanted{sha256("theirs"), 6};
  scene.session.fetch(wanted, scene.now);
  auto chunk = chunk_of(0, "theirs");
  (*chunk.mutable_content())[0] = 'T';
  scene.say(chunk);
  CHECK(scene.host.fetching[wanted.sha256].empty());
  CHECK(scene.host.fetch_ends.at(wanted.sha256).error().code == ErrorCode::kDamaged);
}

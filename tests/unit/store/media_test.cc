#include <algorithm>

#include "base/limits.h"
#include "phone.h"

using namespace gridwhistle;
using namespace gridwhistle::store;

// What a phone's file says of the bytes of attachments.
namespace {

constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;

MediaFile file_of(char fill, std::uint64_t size = 1000) { return {std::string(32, fill), size}; }

v1::Attachment attachment_of(const MediaFile& file, const RecordId& visit, bool stored = false) {
  v1::Attachment attachment;
  attachment.set_parent(std::string(visit.bytes()));
  attachment.set_parent_kind(kinds::kVisit.value);
  attachment.set_sha256(file.sha256);
  attachment.set_size_bytes(static_cast<std::int64_t>(file.size));
  attachment.set_media_type("image/jpeg");
  if (stored) attachment.set_stored(true);
  return attachment;
}

struct Kept {
  Phone phone;
  MediaFile file = file_of('a');
  RecordId walk;
  RecordId attachment;

  Kept() {
    phone.enrol();
    phone.welcome(phone.welcome_of({"grid:" + std::string(kGrid)}));
    walk = phone.put(kinds::kVisit, visit());
  }
  void keep() { REQUIRE(phone->note_media(file, true)); }
  void attach() { attachment = phone.put(kinds::kAttachment, attachment_of(file, walk)); }
  // The server has taken both records.
  void synced(std::uint64_t seq = 10) { phone.acknowledge(Lane::kRecords, seq); }
  bool is_next() { return phone->next_unsent_media()->has_value(); }
  bool is_spare(std::uint64_t cache = limits::kMediaCacheBytes) {
    const auto spare = phone->spare_media(cache);
    REQUIRE(spare);
    return std::ranges::find(*spare, file.sha256) != spare->end();
  }
  void arrived(std::uint64_t seq, bool stored = true) {
    phone.cut(row_of(kinds::kAttachment, attachment, seq, attachment_of(file, walk, stored)));
  }
};

}  // namespace

TEST_CASE("what was kept is sent once a record names it, and stays over a restart") {
  Kept kept;
  kept.keep();
  CHECK_FALSE(kept.is_next());
  kept.attach();
  kept.phone.open();
  CHECK(kept.is_next());
  CHECK(kept.phone->unsent_media()->size() == 1);
  kept.synced();
  REQUIRE(kept.phone->media_stored(kept.file.sha256, Seq(20)));
  CHECK_FALSE(kept.is_next());
  CHECK(kept.phone->unsent_media()->empty());
}

TEST_CASE("bytes stay on the phone until a backup of the server has them, and then make room") {
  Kept kept;
  kept.keep();
  kept.attach();
  CHECK_FALSE(kept.is_spare(0));
  kept.synced();
  CHECK_FALSE(kept.is_spare(0));
  REQUIRE(kept.phone->media_stored(kept.file.sha256, Seq(20)));
  kept.arrived(20);
  kept.phone.backed_up(19);
  CHECK_FALSE(kept.is_spare(0));
  kept.phone.backed_up(20);
  CHECK(kept.is_spare(0));
  // While there is room they stay to be looked at.
  CHECK_FALSE(kept.is_spare());
}

TEST_CASE("of what was fetched the longest unused goes first, and what only this phone has never") {
  Kept kept;
  kept.keep();
  kept.attach();
  const MediaFile old = file_of('o', 600);
  const MediaFile fresh = file_of('f', 600);
  std::uint64_t seq = 30;
  for (const MediaFile& file : {old, fresh}) {
    kept.phone.clock.pass(1000);
    REQUIRE(kept.phone->note_media(file, false));
    kept.phone.cut(row_of(kinds::kAttachment, RecordId::make(DeviceId(999), seq), seq,
                          attachment_of(file, kept.walk, true)));
    ++seq;
  }
  CHECK(kept.phone->spare_media(1200)->empty());
  CHECK(*kept.phone->spare_media(1199) == std::vector{old.sha256});
  kept.phone.clock.pass(1000);
  REQUIRE(kept.phone->note_media_used(old.sha256));
  CHECK(*kept.phone->spare_media(1199) == std::vector{fresh.sha256});
  REQUIRE(kept.phone->media_gone({fresh.sha256}));
  CHECK_FALSE(kept.phone->media(fresh.sha256)->has_value());
}

TEST_CASE("a refused file waits for its time, the next one goes, and people can see why") {
  Kept kept;
  kept.keep();
  kept.attach();
  const MediaFile second = file_of('b');
  kept.phone.clock.pass(1);
  REQUIRE(kept.phone->note_media(second, true));
  kept.phone.put(kinds::kAttachment, attachment_of(second, kept.walk));
  CHECK((*kept.phone->next_unsent_media())->sha256 == kept.file.sha256);
  REQUIRE(kept.phone->media_refused(kept.file.sha256, {ErrorCode::kBusy, "later", ""}, 60'000));
  CHECK((*kept.phone->next_unsent_media())->sha256 == second.sha256);
  const auto unsent = kept.phone->unsent_media();
  REQUIRE(unsent->size() == 2);
  CHECK(unsent->front().refused->code == ErrorCode::kBusy);
  kept.phone.clock.pass(60'000);
  CHECK((*kept.phone->next_unsent_media())->sha256 == kept.file.sha256);
  // A clock that is put back holds nothing up.
  REQUIRE(kept.phone->media_refused(kept.file.sha256, {ErrorCode::kBusy, "later", ""}, 60'000));
  kept.phone.clock.pass(-40 * kDayMs);
  CHECK((*kept.phone->next_unsent_media())->sha256 == kept.file.sha256);
}

TEST_CASE("a restored server is offered again what it took after its backup") {
  Kept kept;
  kept.phone.welcome(with_epochs(kept.phone.welcome_of({"grid:" + std::string(kGrid)}),
                                 {{.id = 1, .start = Seq(1)}}));
  kept.keep();
  kept.attach();
  kept.synced();
  REQUIRE(kept.phone->media_stored(kept.file.sha256, Seq(20)));
  kept.arrived(20);
  kept.phone.welcome(with_epochs(kept.phone.welcome_of({"grid:" + std::string(kGrid)}),
                                 {{.id = 2, .start = Seq(5)}, {.id = 1, .start = Seq(1)}}));
  CHECK(kept.is_next());
  CHECK_FALSE(kept.is_spare(0));
}

TEST_CASE("bytes that the server has are shown again for each record that names them later") {
  Kept kept;
  kept.keep();
  kept.attach();
  kept.synced();
  REQUIRE(kept.phone->media_stored(kept.file.sha256, Seq(20)));
  CHECK_FALSE(kept.is_next());
  kept.attach();
  CHECK(kept.is_next());
  // Of what it has not heard of the server said nothing.
  REQUIRE(kept.phone->media_stored(kept.file.sha256, Seq(21)));
  CHECK(kept.is_next());
  CHECK_FALSE(kept.is_spare(0));
  kept.synced(30);
  REQUIRE(kept.phone->media_stored(kept.file.sha256, Seq(31)));
  CHECK_FALSE(kept.is_next());
}

TEST_CASE("a record that says again that its bytes lack has them sent again") {
  Kept kept;
  kept.keep();
  kept.attach();
  kept.synced();
  REQUIRE(kept.phone->media_stored(kept.file.sha256, Seq(20)));
  kept.arrived(20);
  kept.phone.backed_up(20);
  CHECK_FALSE(kept.is_next());
  kept.arrived(25, false);
  CHECK(kept.is_next());
  CHECK_FALSE(kept.is_spare(0));
}

TEST_CASE(
    "bytes of a record that left this phone's scopes go, unless the server still lacks them") {
  Kept kept;
  kept.keep();
  kept.attach();
  kept.synced();
  const auto leave = [&] {
    kept.phone.welcome(kept.phone.welcome_of({"grid:" + std::string(kOtherGrid)}));
  };
  SECTION("they were sent, and a backup has them") {
    REQUIRE(kept.phone->media_stored(kept.file.sha256, Seq(20)));
    kept.arrived(20);
    kept.phone.backed_up(20);
    leave();
    CHECK(kept.is_spare());
  }
  SECTION("they were fetched from another") {
    const MediaFile theirs = file_of('t');
    REQUIRE(kept.phone->note_media(theirs, false));
    kept.phone.cut(
        row_of(kinds::kAttachment, kForeignId, 30, attachment_of(theirs, kept.walk, true)));
    CHECK(kept.phone->spare_media(limits::kMediaCacheBytes)->empty());
    leave();
    CHECK(*kept.phone->spare_media(limits::kMediaCacheBytes) == std::vector{theirs.sha256});
  }
  SECTION("they are unsent: who left loses access, not the work") {
    leave();
    CHECK(kept.is_next());
    CHECK_FALSE(kept.is_spare(0));
    // The server takes them, or says that it knows no record of them.
    kept.phone.backed_up(15);
    REQUIRE(kept.phone->media_refused(kept.file.sha256, {ErrorCode::kNotFound, "", ""}, 0));
    CHECK(kept.is_spare());
  }
}

TEST_CASE("bytes of what was forgotten go at once, sent or not, but not those that another names") {
  Kept kept;
  kept.keep();
  kept.attach();
  kept.synced();
  RecordId other;
  const bool named_twice = GENERATE(false, true);
  if (named_twice) {
    other = kept.phone.put(kinds::kVisit, visit());
    kept.phone.put(kinds::kAttachment, attachment_of(kept.file, other));
  }
  Row row{.kind = kinds::kVisit, .id = kept.walk, .last_seq = Seq(30)};
  row.change = RowChange::kErased;
  row.forgotten = true;
  kept.phone.cut(std::move(row));
  CHECK(kept.is_spare() == !named_twice);
}

TEST_CASE("a picture that was kept for a record nobody recorded stays for thirty days") {
  Kept kept;
  kept.keep();
  kept.phone.clock.pass(30 * kDayMs);
  CHECK_FALSE(kept.is_spare(0));
  CHECK(kept.phone->unsent_media()->size() == 1);
  kept.phone.clock.pass(1);
  CHECK(kept.is_spare());
}

TEST_CASE("a file from before a picture's record brings its bytes when the record comes back") {
  Kept kept;
  const bool was_a_draft = GENERATE(false, true);
  // Or it was a colleague's, which this phone's worker was shown and then used.
  REQUIRE(kept.phone->note_media(kept.file, was_a_draft));
  CHECK_FALSE(kept.is_next());
  kept.attachment = RecordId::make(kept.phone->device(), 4711);
  kept.arrived(30, false);
  CHECK(kept.is_next());
  CHECK(kept.phone->unsent_media()->size() == 1);
  CHECK_FALSE(kept.is_spare(0));
  kept.phone.clock.pass(31 * kDayMs);
  CHECK_FALSE(kept.is_spare(0));
  REQUIRE(kept.phone->media_stored(kept.file.sha256, Seq(35)));
  kept.arrived(35);
  CHECK_FALSE(kept.is_next());
}

TEST_CASE("what another phone's record names is that phone's to bring") {
  Kept kept;
  REQUIRE(kept.phone->note_media(kept.file, GENERATE(false, true)));
  kept.attachment = kForeignId;
  kept.arrived(30, false);
  CHECK_FALSE(kept.is_next());
}

TEST_CASE("a phone with unsent pictures stays with its worker") {
  Kept kept;
  kept.keep();
  kept.attach();
  kept.synced();
  kept.phone.backed_up(15);
  CHECK(*kept.phone->not_safe_yet() == 1);
  REQUIRE(kept.phone->media_stored(kept.file.sha256, Seq(20)));
  CHECK(*kept.phone->not_safe_yet() == 1);
  kept.phone.backed_up(20);
  CHECK(*kept.phone->not_safe_yet() == 0);
}

TEST_CASE("files that nothing speaks of are taken for the only copies there are") {
  Kept kept;
  kept.keep();
  const MediaFile found = file_of('x');
  REQUIRE(kept.phone->adopt_media({found, kept.file}));
  CHECK((*kept.phone->next_unsent_media())->sha256 == found.sha256);
  CHECK(kept.phone->unsent_media()->size() == 2);
  // Nobody's: the server knows no record of it, and this phone neither.
  REQUIRE(kept.phone->media_refused(found.sha256, {ErrorCode::kNotFound, "", ""}, 0));
  CHECK(*kept.phone->spare_media(0) == std::vector{found.sha256});
}

TEST_CASE("what a salvaged file knew of unsent pictures the new one knows") {
  Kept kept;
  kept.keep();
  kept.attach();
  const StoreOptions options = kept.phone.options();
  kept.phone.store.reset();
  REQUIRE(Store::salvage(options));
  kept.phone.open();
  CHECK(kept.is_next());
  CHECK(kept.phone->unsent_media()->front().file == kept.file);
}

#include "phone.h"
#include "sqlite/connection.h"

// What users of other systems have suffered from; docs/testing.md has the list with its sources.
namespace gridwhistle::store {
namespace {

using kinds::kVisit;

v1::Visit noting(const std::string& notes) {
  v1::Visit visit;
  visit.set_notes(notes);
  return visit;
}

}  // namespace

TEST_CASE("what one reads of one's own writes never goes backwards while syncing") {
  Phone phone;
  phone.enrol();
  const RecordId id = phone.put(kVisit, visit_noting("first"));
  phone.acknowledge(Lane::kRecords, 5);
  phone.put(kVisit, noting("second"), id);
  const auto seen = [&] { return phone.get<v1::Visit>(kVisit, id).notes(); };
  CHECK(seen() == "second");
  // The row as the server had it before the second write came there.
  phone.cut(row_of(kVisit, id, 6, visit_noting("first")));
  CHECK(seen() == "second");
  phone.put(kVisit, noting("third"), id);
  phone.acknowledge(Lane::kRecords, 8, OutcomeStatus::kAccepted, 1);
  CHECK(seen() == "third");
  phone.cut(row_of(kVisit, id, 8, visit_noting("second")));
  CHECK(seen() == "third");
  phone.acknowledge(Lane::kRecords, 9);
  CHECK(seen() == "third");
  phone.open();
  CHECK(seen() == "third");
}

TEST_CASE("what a file keeps beside its records grows no faster than three times what they do") {
  Phone phone;
  phone.enrol();
  std::size_t bare = 0;
  std::uint64_t seq = 5;
  const auto record = [&](int count) {
    for (int i = 0; i < count; ++i) {
      v1::Visit visit = visit_noting("checked the lamps along the sea road and the well, number " +
                                     std::to_string(i));
      visit.set_purpose("all in order; the lamp by the well was mended, the neighbour knows");
      bare += visit.ByteSizeLong();
      phone.put(kVisit, visit);
    }
    phone.acknowledge(Lane::kRecords, seq);
    phone.backed_up(seq += static_cast<std::uint64_t>(count));
    REQUIRE(phone->search({.text = "lamp"}));  // it is indexed
  };
  // What is free is there for what comes next; tables and indexes of kinds without a record, too.
  const auto used = [&] {
    phone.store.reset();
    auto file = sqlite::Connection::open({.path = phone.options().path, .read_only = true});
    REQUIRE(file);
    const auto number = [&](const char* what) {
      return static_cast<std::size_t>(file->number(what, 0).value());
    };
    const std::size_t pages = number("PRAGMA page_count") - number("PRAGMA freelist_count");
    const std::size_t bytes = pages * number("PRAGMA page_size");
    return bytes;
  };
  record(500);
  const std::size_t bare_before = bare;
  const std::size_t before = used();
  phone.open();
  record(1'500);
  const std::size_t records = bare - bare_before;
  const std::size_t file = used() - before;
  INFO(records << " bytes of records took " << file << " of the file, indexes and search included");
  CHECK(file - records < 3 * records);
  phone.open();
}

}  // namespace gridwhistle::store

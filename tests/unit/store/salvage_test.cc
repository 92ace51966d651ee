#include <filesystem>
#include <fstream>

#include "phone.h"
#include "sqlite/connection.h"

// What becomes of a damaged file: design.md "Damage on the phone".
namespace gridwhistle::store {
namespace {

using kinds::kVisit;
using kinds::kWhistle;

/// Spoils the pages of a table, all of them or the one at that place.
void damage(Phone& phone, const std::string& table, std::optional<std::size_t> only = {}) {
  phone.store.reset();
  std::vector<std::int64_t> pages;
  {
    auto file = sqlite::Connection::open({.path = phone.options().path, .read_only = true});
    REQUIRE(file);
    auto query = file->prepare("SELECT pageno FROM dbstat WHERE name=? AND pagetype='leaf'");
    REQUIRE(query);
    query->bind(table);
    while (query->step().value()) pages.push_back(query->integer(0));
  }
  REQUIRE_FALSE(pages.empty());
  std::fstream file(phone.options().path, std::ios::in | std::ios::out | std::ios::binary);
  for (std::size_t i = 0; i < pages.size(); ++i) {
    if (only && i != *only) continue;
    file.seekp((pages[i] - 1) * 4096);
    file << std::string(1024, '\x5a');
  }
}

Salvaged salvage(Phone& phone) {
  auto salvaged = Store::salvage(phone.options());
  if (!salvaged) FAIL(salvaged.error().message);
  phone.open();
  return *salvaged;
}

std::vector<std::string> unsent_notes(Phone& phone) {
  std::vector<std::string> notes;
  for (const Operation& operation : phone.unsent(Lane::kRecords)) {
    v1::Visit visit;
    REQUIRE(visit.ParseFromString(operation.set));
    notes.push_back(visit.notes());
  }
  return notes;
}

}  // namespace

TEST_CASE("of a file whose records are damaged everything is saved that only it has") {
  Phone phone;
  phone.enrol();
  phone.welcome(phone.welcome_of({"grid:" + std::string(kGrid)}));
  const RecordId sent = phone.put(kVisit, visit_noting("sent"));
  phone.acknowledge(Lane::kRecords, 5);
  phone.cut(row_of(kVisit, kForeignId, 7, visit_noting("a colleague's")));
  const RecordId own = phone.put(kVisit, visit_noting("own"));
  v1::Visit edit;
  edit.set_notes("edited");
  phone.put(kVisit, edit, sent);
  REQUIRE(phone->save_draft("half", kWhistle, "half a whistle"));
  const SyncState before = phone->sync_state().value();
  damage(phone, "k1");
  const std::string spoilt = phone.options().path;
  const std::uintmax_t size = std::filesystem::file_size(spoilt);

  const Salvaged salvaged = salvage(phone);
  CHECK(salvaged.whole);
  CHECK(salvaged.unsent == 2);
  CHECK(std::filesystem::file_size(salvaged.kept) == size);
  const SyncState after = phone->sync_state().value();
  CHECK(after.device == before.device);
  CHECK(after.enrolment == before.enrolment);
  CHECK(after.lanes[index_of(Lane::kRecords)].noted == LaneSeq(1));
  CHECK(after.lanes[index_of(Lane::kRecords)].last == LaneSeq(3));
  CHECK(after.cursor == Seq(0));
  CHECK(after.own_since == DevSeq(3));
  CHECK(unsent_notes(phone) == std::vector<std::string>{"own", "edited"});
  CHECK(phone->draft("half").value().record == "half a whistle");
  CHECK(phone.get<v1::Visit>(kVisit, own).notes() == "own");

  // The rest comes with the feed, beneath what is unsent.
  phone.cut(row_of(kVisit, sent, 5, visit_noting("sent")));
  phone.cut(row_of(kVisit, kForeignId, 7, visit_noting("a colleague's")));
  CHECK(phone.get<v1::Visit>(kVisit, sent).notes() == "edited");
  CHECK(phone->query(kVisit, {}).value().size() == 3);
  const RecordId next = phone.put(kVisit, visit_noting("today"));
  CHECK(next.counter() > own.counter());
  phone.acknowledge(Lane::kRecords, 8);
  CHECK(unsent_notes(phone).empty());
}

TEST_CASE("of a damaged outbox what can be read is saved, and the lane has no gap") {
  Phone phone;
  phone.enrol();
  constexpr int kRecords = 600;
  for (int i = 0; i < kRecords; ++i) phone.put(kVisit, visit_noting(std::to_string(i)));
  damage(phone, "outbox", 3);
  const Salvaged salvaged = salvage(phone);
  CHECK_FALSE(salvaged.whole);
  CHECK(salvaged.unsent > kRecords * 3 / 4);
  CHECK(salvaged.unsent < kRecords);
  const std::vector<std::string> notes = unsent_notes(phone);
  CHECK(notes.size() == salvaged.unsent);
  CHECK(notes.front() == "0");
  CHECK(notes.back() == std::to_string(kRecords - 1));
  CHECK(phone->query(kVisit, {.limit = 1'000}).value().size() == notes.size());
  phone.acknowledge(Lane::kRecords, 5);
  CHECK(unsent_notes(phone).empty());
  phone.put(kVisit, visit_noting("and on"));
  CHECK(unsent_notes(phone) == std::vector<std::string>{"and on"});
}

TEST_CASE("a file that nothing can be saved of, or that somebody has open, is left as it is") {
  Phone phone;
  phone.enrol();
  phone.put(kVisit, visit_noting("own"));
  CHECK(Store::salvage(phone.options()).error().code == ErrorCode::kLocked);
  damage(phone, "meta");
  CHECK(Store::salvage(phone.options()).error().code == ErrorCode::kCorrupt);
  const auto listing = std::filesystem::directory_iterator(phone.folder.path());
  CHECK(std::none_of(begin(listing), end(listing), [](const auto& entry) {
    return entry.path().string().find("damaged") != std::string::npos;
  }));
}

}  // namespace gridwhistle::store

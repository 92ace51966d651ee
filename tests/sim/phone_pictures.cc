#include <algorithm>
#include <utility>

#include "disk_faults.h"
#include "model/record.h"
#include "phone.h"
#include "schema/kinds.h"

// What persons do with pictures.
namespace gridwhistle::sim {

namespace {

const Purpose kPurpose{"simulated work"};

}  // namespace

void Phone::take_picture(Dice& dice) {
  look_for_number();
  const Phase phase(phase_, "records");
  failures_before_ = failures();
  try {
    memory_.during("phone records", MemoryFaults::kOften, [&] {
      std::string bytes = album_.take();
      auto kept = client_->keep(bytes, {.media_type = "image/png"});
      count(kept, "keep a picture");
      if (!kept) return;
      album_.kept(name_, kept->sha256(), std::move(bytes));
      record_picture(std::move(*kept), dice);
    });
    if (!storage_failed()) recorded_ = recorded();
  } catch (const Hindered& hindered) {
    timeline_.note(hindered.what());
  }
}

// With a report of its own, or in one that is there.
void Phone::record_picture(v1::Attachment picture, Dice& dice) {
  Transaction transaction = client_->transaction();
  std::optional<RecordId> report;
  KindId kind = person_.walks ? kinds::kVisit : kinds::kWhistle;
  std::uint32_t field = 0;
  std::string words;
  const bool is_new = (person_.walks || person_.volunteers) && dice.chance(700);
  if (is_new && person_.walks) {
    v1::Visit visit;
    visit.set_grid(person_.place);
    visit.set_kind(v1::VISIT_KIND_PATROL);
    visit.set_notes(words = fresh("visit"));
    field = v1::Visit::kNotesFieldNumber;
    const auto put = transaction.put(visit);
    if (!put) cannot("visit", put.error());
    report = *put;
  } else if (is_new) {
    v1::Whistle whistle;
    whistle.set_grid(person_.place);
    whistle.set_title(words = fresh("whistle"));
    whistle.set_category("01");
    whistle.set_whistle_class(v1::WHISTLE_CLASS_ROUTINE);
    field = v1::Whistle::kTitleFieldNumber;
    const auto put = transaction.put(whistle);
    if (!put) cannot("blow a whistle", put.error());
    report = *put;
  } else {
    auto there = all(person_.walks && dice.chance(600) ? "Visit" : "Whistle");
    if (there.empty()) return;
    const RecordInfo& info = there[dice.below(there.size())].info;
    report = info.id;
    kind = info.kind;
  }
  picture.set_parent(std::string(report->bytes()));
  picture.set_parent_kind(static_cast<std::int64_t>(kind.value));
  picture.set_name(fresh("picture"));
  const auto put = transaction.put(picture);
  if (!put) cannot("name a picture", put.error());
  const auto word = count(transaction.commit(), "record a picture");
  if (!word) return;
  marks_.hit(is_new ? "pictures: with a report" : "pictures: of what was there");
  if (is_new) oracle_.wrote(name_, kind, *report, field, words, "", *word);
  oracle_.wrote(name_, kinds::kAttachment, *put, v1::Attachment::kNameFieldNumber, picture.name(),
                "", *word);
  oracle_.belongs(*put, *report);
  album_.named(name_, picture.sha256(), *put, *word == Word::kGiven);
}

void Phone::look_at_picture(Dice& dice) {
  const Phase phase(phase_, "records");
  failures_before_ = failures();
  try {
    const auto pictures = all("Attachment");
    if (pictures.empty()) return;
    show_picture(pictures[dice.below(pictures.size())], [this](const RecordId&, const Error& why) {
      timeline_.note(name_ + " is shown no picture: " + std::string(name_of(why.code)));
    });
  } catch (const Hindered& hindered) {
    timeline_.note(hindered.what());
  }
}

void Phone::look_at_all_pictures(const std::function<void(const RecordId&, const Error&)>& missed) {
  for (const FoundBytes& attachment : all("Attachment")) show_picture(attachment, missed);
}

void Phone::show_picture(const FoundBytes& attachment,
                         std::function<void(const RecordId&, const Error&)> missed) {
  v1::Attachment says;
  if (!says.ParseFromString(attachment.record)) throw Violation("an attachment cannot be read");
  const RecordId id = attachment.info.id;
  client_->fetch(id, [this, id, sha256 = says.sha256(),
                      missed = std::move(missed)](const Result<std::string>& path) {
    if (!path) return missed(id, path.error());
    // It may go as soon as its record has gone.
    const auto attachments = client_->query("Attachment", Query().first(100'000), kPurpose);
    if (!attachments || std::ranges::find(*attachments, id, [](const FoundBytes& found) {
                          return found.info.id;
                        }) == attachments->end()) {
      return;
    }
    album_.check_shown(name_, sha256, *path);
    if (id.device() != device_) marks_.hit("pictures: somebody else's is seen");
    timeline_.note(name_ + " sees a picture");
  });
}

void Phone::send_pictures() {
  client_->send_media([this](const Result<MediaReport>& report) {
    timeline_.note(name_ + (report ? " sent pictures " + std::to_string(report->files_sent)
                                   : " sent none " + std::string(name_of(report.error().code))));
  });
}

}  // namespace gridwhistle::sim

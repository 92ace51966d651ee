#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "county/county.h"
#include "gridwhistle/client.h"
#include "recorder.h"

namespace gridwhistle::sim {

/// A law was broken.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What a commit said.
enum class Word : std::uint8_t {
  kGiven,  ///< it is recorded, whatever happens
  kOpen,   ///< the disk failed: it may be recorded, or not
};

/// What was promised, kept apart from everything that is tested: each change that a commit has
/// acknowledged, with what its author saw at that moment. Values are never used twice, so a value
/// tells which write it came from.
class Oracle {
 public:
  /// What it hears it has written down.
  explicit Oracle(Recorder& recorder) : recorder_(recorder) {}

  /// A field of a record was written; `seen` is what the author's phone showed before.
  void wrote(const std::string& author, KindId kind, const RecordId& id, std::uint32_t field,
             const std::string& value, const std::string& seen, Word word = Word::kGiven);
  /// An element was added to a SET field, or removed from it.
  void added(const std::string& author, KindId kind, const RecordId& id, std::uint32_t field,
             const std::string& element, Word word = Word::kGiven);
  void removed(KindId kind, const RecordId& id, std::uint32_t field, const std::string& element,
               Word word = Word::kGiven);
  void erased(KindId kind, const RecordId& id, Word word = Word::kGiven);
  /// The county forgets a record. Nobody promises anything of it any more.
  void forgot(const RecordId& id);
  /// A record is a part of another: erased and forgotten with that one too.
  void belongs(const RecordId& part, const RecordId& whole) { wholes_[part].insert(whole); }

  /// A phone's file was copied: from here on both hold what was written there.
  void copied(const std::string& phone, const std::string& copy);
  /// What a phone's file holds was put away, in the place of what was put away before.
  void put_away(const std::string& phone);
  /// A phone's file is as it was put away. What was written there since is no longer its own;
  /// unless the server has it for good, nobody promises it any more.
  void put_back(const std::string& phone, bool server_has_it);
  /// The county is as a backup had it. What no file holds any more nobody promises.
  void restored();
  /// No file is put back any more.
  void drop_put_away(const std::string& phone);
  /// In a phone's file records have other ids from here on: nobody else had them. Gives how many
  /// another file holds under the old ones.
  std::size_t renamed(const std::string& phone, const std::map<RecordId, RecordId>& now);

  /// Whether a phone's file holds anything that was written on this record.
  bool has_written(const std::string& phone, const RecordId& id) const;

  /// A phone shows this value of a record that none of its own writes was refused of. Having shown
  /// an own write, it never shows an older own one.
  void shows(const std::string& reader, const RecordId& id, std::uint32_t field,
             const std::string& value);

  /// A phone lists a value that lost. What it was told before a restore, no Outcome of the restored
  /// county may say again.
  void told(const RecordId& id, const std::string& lost) { listed_[id] += lost; }

  /// Every value that was promised is in the record, was knowingly overwritten, or is kept in an
  /// Outcome, at the county or on a phone.
  void check_nothing_lost(const County& county) const;

  /// Every value that anybody wrote on what was forgotten, or on a part of it, and that stands
  /// nowhere else.
  std::set<std::string> forgotten_values() const;
  /// Whatever was forgotten, with all that belonged to it.
  std::set<RecordId> forgotten_with_parts() const;
  /// How many values were written on what was forgotten already.
  std::size_t written_on_forgotten() const { return written_on_forgotten_; }

  /// Nothing of a phone's is at the county that the phone has not recorded.
  void check_nothing_made(const County& county) const;

  std::size_t promises() const { return promises_; }

 private:
  struct Write {
    KindId kind;
    std::string author;
    std::string value;
    std::string seen;
    Word word;
    std::uint64_t place;                 ///< counts all writes of the run
    std::set<std::string> holders = {};  ///< phones with it in their files, as written there
  };
  using Writes = std::map<std::uint32_t, std::vector<Write>>;  ///< by field
  struct History {
    Writes writes;
    Writes elements;  ///< that were added to SET fields
    std::set<std::string> removed;
    bool erased = false;
    bool is_promised() const;  ///< a commit gave its word for anything of it
    KindId kind() const;       ///< zero: nobody wrote anything on it
  };
  struct Told;

  template <typename Each>
  void for_each_write(Each each);
  static bool move(Writes& from, Writes& to, const std::string& phone);
  static bool holds_any(const History& history, const std::string& phone);

  /// Whether `says` holds of the record or of something that it belongs to, at any depth.
  template <typename Says>
  bool any_whole(const RecordId& id, const Says& says) const;
  bool may_be_erased(const RecordId& id) const;
  bool is_forgotten(const RecordId& id) const;
  void check_field(const RecordId& id, std::uint32_t field, const std::vector<Write>& writes,
                   const std::string& body, const Told& told) const;
  void check_elements(const RecordId& id, const History& history, const std::string& body,
                      const Told& told) const;

  Recorder& recorder_;
  std::map<RecordId, History> records_;
  std::uint64_t writes_ = 0;  ///< so many of all
  std::map<RecordId, std::set<RecordId>> wholes_;
  std::map<RecordId, std::string> listed_;
  std::set<RecordId> forgotten_;
  std::size_t promises_ = 0;
  std::size_t written_on_forgotten_ = 0;
};

}  // namespace gridwhistle::sim

#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "county/county.h"
#include "timeline.h"

namespace gridwhistle::sim {

/// Every picture that anybody took, by its SHA-256, kept apart from everything that is tested.
class Album {
 public:
  explicit Album(Dice& dice) : dice_(dice) {}

  /// Bytes that begin as a picture does: new ones, or now and then those of one that is there.
  std::string take();
  /// A phone has kept these bytes under this name. Throws a Violation where it is not theirs.
  void kept(const std::string& phone, const std::string& sha256, std::string bytes);
  bool has(const std::string& sha256) const { return pictures_.contains(sha256); }

  /// Somebody was shown the file at `path` as the picture of that name. Throws a Violation where it
  /// is not, to the byte.
  void check_shown(const std::string& reader, const std::string& sha256,
                   const std::string& path) const;

  /// How many attachments of the county's have not all their bytes in yet.
  static std::size_t lacking(const County& county);
  /// Every attachment that stands is one that somebody took, and its bytes are in `folder`.
  void check_brought(const County& county, const std::string& folder) const;
  /// Nothing in `folder` is of attachments that were all forgotten, but for what its phone keeps
  /// for a record that nobody has recorded.
  void check_forgotten(const County& county, const std::set<RecordId>& forgotten,
                       const std::string& whose, const std::string& folder) const;
  /// A phone named the picture in this attachment, or perhaps it did.
  void named(const std::string& phone, const std::string& sha256, const RecordId& attachment,
             bool is_recorded) {
    named_[sha256].insert(attachment);
    if (is_recorded) drafts_[phone].erase(sha256);
  }
  /// A phone's files were copied.
  void copied(const std::string& phone, const std::string& copy) { drafts_[copy] = drafts_[phone]; }

 private:
  void check_bytes(const std::string& whose, const std::string& sha256,
                   const std::string& path) const;

  Dice& dice_;
  std::map<std::string, std::string> pictures_;
  std::map<std::string, std::set<RecordId>> named_;
  std::map<std::string, std::set<std::string>> drafts_;  ///< of each phone: named in no record yet
};

/// Where a file of that name lies in a folder of files.
std::string path_in(const std::string& folder, std::string_view sha256);

/// Ends whatever goes on in a folder of files as a kill does, or the power: `end` lets go of it,
/// and of files that were coming in what was not noted is not there, or no more, by the dice.
void end_amid_files(const std::string& folder, bool power_goes, Dice& dice,
                    const std::function<void()>& end);

}  // namespace gridwhistle::sim

#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/phone.h"
#include "gridwhistle/query.h"
#include "gridwhistle/road.h"
#include "model/schema.h"
#include "terminal/details.h"

// How answers look: tables for people, one JSON document for programs.
namespace gridwhistle::cli {

/// Exit codes of `gw`; its --help lists them.
enum class Exit : int {
  kOk = 0,
  kRefused = 1,      ///< the input, or what it asks for, is refused; the message says why
  kUsage = 2,        ///< the command line is wrong
  kNotFound = 3,     ///< no such record
  kOffline = 4,      ///< the server cannot be reached; everything recorded is safe on the phone
  kNotEnrolled = 5,  ///< enrol first, or again
  kFile = 6,         ///< the phone's file: locked, damaged, full, read-only
};

/// The exit code that belongs to an error.
Exit exit_of(const Error& error);

/// A table whose columns are as wide as what stands in them; Chinese characters take two places. A
/// cell stays on its line, and nothing in it steers the terminal, whoever wrote it.
class Table {
 public:
  explicit Table(std::vector<std::string> heads) : heads_(std::move(heads)) {}
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  std::string text() const;

 private:
  std::vector<std::string> heads_;
  std::vector<std::vector<std::string>> rows_;
};

/// Writes to standard output and standard error in the reader's language.
class Output {
 public:
  explicit Output(const Settings& settings) : settings_(settings) {}

  /// The Chinese or the English words.
  const char* say(const char* chinese, const char* english) const {
    return settings_.chinese ? chinese : english;
  }
  bool wants_json() const { return settings_.json; }
  const Settings& settings() const { return settings_; }

  /// A line for people; what would break it or steer the terminal is shown as an escape.
  void line(std::string_view text) const;
  /// A table, and an empty line.
  void table(const Table& table) const;
  void document(const nlohmann::json& document) const;
  /// What an error means in the reader's language, and then what it says of the case at hand.
  std::string words_of(const Error& error) const;
  /// Tells people, on standard error, what is wrong although the command is done.
  void note(const Error& error) const;
  /// Prints why something failed and gives the exit code.
  Exit failed(const Error& error) const;

  /// A value as people read it; enum values and times in words.
  std::string value_text(const FieldSchema& field, std::string_view entries) const;
  std::string field_name(const FieldSchema& field) const;
  std::string kind_name(const KindSchema& kind) const;
  /// The fields of a record in one line, "备注: 门未关; 目的: …".
  std::string fields_text(const KindSchema& kind, const FoundBytes& found) const;
  /// How personal values come to be shown in full.
  const char* masked_advice() const;
  std::string delivery_text(Delivery delivery) const;

  using NameOf = terminal::NameOf;
  /// A record in full: a line a field, or a JSON object, which keeps the ids.
  void record(const KindSchema& kind, const FoundBytes& found, const NameOf& name_of) const;
  /// Records of one kind: a table of their telling fields, or a JSON array. Of more than `limit`
  /// the first; people read that there are more.
  void records(const KindSchema& kind, std::vector<FoundBytes> found, std::size_t limit) const;
  /// How many there are, under a list.
  void count(std::size_t shown, bool more) const;
  /// A whistle's way so far: its timeline and its parts, or a JSON object.
  void road(const Road& road, const NameOf& name_of) const;
  nlohmann::json record_json(const KindSchema& kind, const FoundBytes& found) const;

 private:
  nlohmann::json road_json(const Road& road, const NameOf& name_of) const;
  std::string untold(const Error& error) const;
  void complain(const Error& error) const;

  Settings settings_;
};

}  // namespace gridwhistle::cli

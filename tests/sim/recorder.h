#pragma once

#include <cstdint>
#include <fstream>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "gridwhistle/ids.h"
#include "timeline.h"

namespace gridwhistle::sim {

/// What happens in a run, one event a line, for the independent checker: docs/checker.md says which
/// events there are and what they mean. Only writes down; a run plays alike with it and without.
class Recorder {
 public:
  /// Into `folder`; empty: nowhere.
  Recorder(Timeline& timeline, const std::string& folder);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// A name and what it stands for, as JSON.
  class Fact {
   public:
    Fact(std::string_view name, std::string_view text);
    Fact(std::string_view name, const char* text) : Fact(name, std::string_view(text)) {}
    Fact(std::string_view name, const RecordId& id);
    Fact(std::string_view name, std::uint64_t number);
    const std::string& json() const { return json_; }

   private:
    std::string json_;
  };
  void note(std::string_view event, std::initializer_list<Fact> facts = {});

  /// What a phone shows: noted when it is not what it showed before.
  void shows(const std::string& phone, const RecordId& id, std::uint32_t field,
             const std::string& value);
  /// A phone lets a frame go, whatever the line makes of it: each operation is noted once, a call
  /// with how far the phone has read.
  void sent(std::uint64_t call, const std::string& phone, const std::string& frame);
  /// The server lets a frame go: acknowledgements are noted.
  void answered(std::uint64_t call, const std::string& frame);

 private:
  Timeline& timeline_;
  std::ofstream file_;
  std::map<std::uint64_t, DeviceId> callers_;  ///< of each call
  std::map<std::string, std::string> sent_;    ///< operations by their place
  std::map<std::string, std::string> shown_;   ///< values by phone, record and field
};

}  // namespace gridwhistle::sim

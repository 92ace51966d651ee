#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/line.h"
#include "gridwhistle/ids.h"
#include "model/schema.h"
#include "model/workflow_words.h"

namespace gridwhistle::terminal {

/// What people call a record that a field names.
using NameOf = std::function<std::string(KindId, const RecordId&)>;

/// What stands above or before a field's values for people. A time's unit is left out: they read a
/// date.
std::string_view title_of(const FieldSchema& field, bool chinese);

/// A field that is set, as people and as programs read it.
struct Detail {
  const FieldSchema* field = nullptr;
  std::string text;
  std::variant<std::int64_t, std::string> value;  ///< an enum's value by its name, an id as text
};

/// Of a record those of the named fields that are set, in the order they are named.
std::vector<Detail> details_of(const KindSchema& kind, std::string_view record,
                               std::initializer_list<std::string_view> names, bool chinese,
                               const NameOf& name_of);

/// What an action says beside who, when and its note: why, whom it calls, until when, with which
/// result.
std::vector<Detail> action_details(std::string_view action, bool chinese, const NameOf& name_of);

/// What a whistle has come to beside its state: level, round, why refused or closed, until when,
/// which other it goes on with.
std::vector<Detail> whistle_details(std::string_view whistle, bool chinese, const NameOf& name_of);

/// What a whistle is now and what can be done from there, by whoever may, for somebody who tried
/// something else: " It is ACCEPTED; possible from there: blow, …".
Line possible_now(WhistleState state, std::span<const AssignmentState> assignments);

/// "reason: not_public; lead: 城管局", in the reader's words.
std::string in_words(const std::vector<Detail>& details, bool chinese);

/// Puts what they hold into an object for programs, by the names of their fields; in no language.
/// `Json` is nlohmann's, ordered or not.
template <typename Json>
void add_to(Json& object, const std::vector<Detail>& details) {
  for (const Detail& one : details) {
    Json value;
    std::visit([&](const auto& given) { value = given; }, one.value);
    const std::string name(one.field->name);
    if (one.field->repeated) {
      object[name].push_back(std::move(value));
    } else {
      object[name] = std::move(value);
    }
  }
}

}  // namespace gridwhistle::terminal

#include "county_view.h"

#include <algorithm>

#include "schema/kinds.h"
#include "schema/tables.h"

namespace gridwhistle::demo {

namespace {

template <typename T>
Result<T> parsed(const std::string& body) {
  T record;
  if (record.ParseFromString(body)) return record;
  return fail(ErrorCode::kCorrupt, "a record in the server's database cannot be read");
}

struct Reader {
  CountyView view;
  std::map<RecordId, WhistleStory> stories;
  Result<void> done;

  template <typename T, typename Use>
  void read(const std::string& body, Use&& use) {
    auto record = parsed<T>(body);
    if (!record) {
      done = std::unexpected(record.error());
    } else {
      use(std::move(*record));
    }
  }

  WhistleStory& story(const std::string& whistle) {
    return stories[RecordId::from_bytes(whistle).value_or(RecordId{})];
  }

  void take(const Key& key, const std::string& body) {
    const KindId kind(key.kind);
    if (kind == kinds::kGrid) {
      read<v1::Grid>(body, [&](v1::Grid grid) { view.grids.push_back(std::move(grid)); });
    } else if (kind == kinds::kAdminArea) {
      read<v1::AdminArea>(body, [&](v1::AdminArea area) {
        if (area.level() == v1::LEVEL_TOWN) view.towns.push_back(std::move(area));
      });
    } else if (kind == kinds::kOrgUnit) {
      read<v1::OrgUnit>(body, [&](v1::OrgUnit org) {
        view.organisations.emplace(std::string(key.id.bytes()), std::move(org));
      });
    } else if (kind == kinds::kCategory) {
      read<v1::Category>(body, [&](const v1::Category& category) {
        view.categories.emplace(category.code(), category.name());
      });
    } else if (kind == kinds::kWhistle) {
      read<v1::Whistle>(body,
                        [&](v1::Whistle whistle) { stories[key.id].whistle = std::move(whistle); });
    } else if (kind == kinds::kWhistleAction) {
      read<v1::WhistleAction>(body, [&](v1::WhistleAction action) {
        story(action.whistle()).actions.push_back(std::move(action));
      });
    } else if (kind == kinds::kAssignment) {
      read<v1::Assignment>(body, [&](v1::Assignment assignment) {
        story(assignment.whistle()).assignments.emplace_back(key.id, std::move(assignment));
      });
    }
  }
};

void put_in_order(WhistleStory& story) {
  std::ranges::stable_sort(story.actions, {}, &v1::WhistleAction::effective_ms);
  std::ranges::stable_sort(story.assignments, {}, [](const auto& one) {
    return std::pair(one.second.part(), one.second.assigned_ms());
  });
}

}  // namespace

Result<CountyView> view_of(const ServerFacts& facts) {
  Reader reader;
  for (const auto& [key, body] : facts.records) {
    reader.take(key, body);
    const KindSchema* kind = built_schema().kind(KindId(key.kind));
    if (kind != nullptr && !kind->server_written) ++reader.view.records[std::string(kind->name)];
  }
  if (!reader.done) return std::unexpected(reader.done.error());
  for (auto& [id, story] : reader.stories) {
    story.id = id;
    put_in_order(story);
    reader.view.whistles.push_back(std::move(story));
  }
  std::ranges::sort(reader.view.whistles, {},
                    [](const WhistleStory& story) { return story.whistle.received_ms(); });
  return std::move(reader.view);
}

Place place_of(const WhistleStory& story) {
  switch (story.whistle.state()) {
    case v1::WHISTLE_STATE_REPORTED:
    case v1::WHISTLE_STATE_VERIFYING:
      return Place::kBeforeAcceptance;
    case v1::WHISTLE_STATE_REFUSED:
    case v1::WHISTLE_STATE_MERGED:
    case v1::WHISTLE_STATE_VOID:
      return Place::kRefused;
    case v1::WHISTLE_STATE_HANDLED_ON_SPOT:
      return Place::kOnTheSpot;
    default:
      break;
  }
  if (story.whistle.headless()) return Place::kHeadless;
  if (!story.assignments.empty()) return Place::kRouted;
  if (story.whistle.handled_on_spot()) return Place::kOnTheSpot;
  return story.whistle.state() == v1::WHISTLE_STATE_ACCEPTED ? Place::kBeforeBlowing
                                                             : Place::kNowhere;
}

}  // namespace gridwhistle::demo

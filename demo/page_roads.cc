#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "html.h"
#include "page_parts.h"
#include "schema/fields.h"
#include "schema/kinds.h"

namespace gridwhistle::demo {

namespace {

bool has(const WhistleStory& story, v1::WhistleActionType type) {
  return std::ranges::any_of(
      story.actions, [&](const v1::WhistleAction& action) { return action.type() == type; });
}

bool has_status(const WhistleStory& story, v1::OutcomeStatus status) {
  return std::ranges::any_of(
      story.actions, [&](const v1::WhistleAction& action) { return action.status() == status; });
}

// What makes a road worth a picture; one whistle for each, then others until there are a dozen.
std::vector<const WhistleStory*> chosen(const CountyView& county) {
  constexpr std::size_t kRoads = 12;
  using Story = const WhistleStory&;
  const std::vector<std::function<bool(Story)>> kinds_of_road = {
      [](Story s) { return s.whistle.emergency(); },
      [](Story s) { return has_status(s, v1::OUTCOME_STATUS_SUPERSEDED); },
      [](Story s) { return has(s, v1::WHISTLE_ACTION_TYPE_OBJECT); },
      [](Story s) { return has(s, v1::WHISTLE_ACTION_TYPE_REJECT); },
      [](Story s) { return has(s, v1::WHISTLE_ACTION_TYPE_GRANT_SUSPENSION); },
      [](Story s) { return has(s, v1::WHISTLE_ACTION_TYPE_JOINT_MEETING); },
      [](Story s) { return s.whistle.category().starts_with("99") && !s.assignments.empty(); },
      [](Story s) { return s.whistle.supervised(); },
      [](Story s) { return s.whistle.contact_attempts() > 0; },
      [](Story s) { return s.whistle.state() == v1::WHISTLE_STATE_REFUSED; },
      [](Story s) { return s.whistle.handled_on_spot() && s.whistle.closed_ms() != 0; },
      [](Story s) { return s.whistle.whistle_class() == v1::WHISTLE_CLASS_DIFFICULT; },
      [](Story s) { return s.whistle.headless(); },
      [](Story s) { return s.assignments.size() >= 3; },
      [](Story s) { return s.whistle.state() == v1::WHISTLE_STATE_CLOSED; }};
  std::vector<const WhistleStory*> roads;
  const auto take_one = [&](const std::function<bool(Story)>& fits) {
    for (const WhistleStory& story : county.whistles) {
      if (!fits(story) || std::ranges::count(roads, &story) > 0) continue;
      roads.push_back(&story);
      return;
    }
  };
  for (const auto& fits : kinds_of_road) take_one(fits);
  while (roads.size() < std::min(kRoads, county.whistles.size()))
    take_one([](Story) { return true; });
  if (roads.size() > kRoads) roads.resize(kRoads);
  return roads;
}

// One whistle as a picture: a lane for the centre, one for each called organisation; actions from
// left to right in the order they took effect, the accepted ones joined by the road.
class RoadPicture {
 public:
  RoadPicture(const CountyView& county, const WhistleStory& story) : story_(story) {
    lanes_.emplace_back("", "网格·中心");
    for (const auto& [id, assignment] : story.assignments) {
      const auto organisation = county.organisations.find(assignment.organisation());
      std::string name = organisation == county.organisations.end()
                             ? std::string("部门")
                             : organisation->second.short_name();
      name += assignment.part() == v1::ASSIGNMENT_PART_LEAD ? " 主办" : " 协办";
      lanes_.emplace_back(std::string(id.bytes()), name);
    }
  }

  std::string svg() const {
    const double width = kLeft + kStep * static_cast<double>(story_.actions.size() + 1);
    const double height = kTop + kLane * static_cast<double>(lanes_.size());
    std::string out = "<svg class=\"road\" viewBox=\"0 0 " + decimal(std::max(width, 560.0)) + " " +
                      decimal(height) + "\" style=\"width:" + decimal(std::max(width, 560.0)) +
                      "px\" role=\"img\">\n";
    for (std::size_t i = 0; i < lanes_.size(); ++i) out += lane(i, std::max(width, 560.0));
    return out + road() + stations() + "</svg>\n";
  }

 private:
  static constexpr double kLeft = 112, kStep = 60, kTop = 8, kLane = 52;

  double x(std::size_t step) const { return kLeft + 28 + kStep * static_cast<double>(step); }
  static double y(std::size_t lane) { return kTop + 16 + kLane * static_cast<double>(lane); }

  std::size_t lane_of(const v1::WhistleAction& action) const {
    for (std::size_t i = 1; i < lanes_.size(); ++i) {
      if (lanes_[i].first == action.assignment()) return i;
    }
    return 0;
  }

  std::string lane(std::size_t i, double width) const {
    return "<text class=\"lane\" x=\"4\" y=\"" + decimal(y(i) + 4) + "\">" +
           escaped(lanes_[i].second) + "</text><line class=\"lane\" x1=\"" + decimal(kLeft) +
           "\" x2=\"" + decimal(width - 6) + "\" y1=\"" + decimal(y(i)) + "\" y2=\"" +
           decimal(y(i)) + "\"/>\n";
  }

  std::string road() const {
    std::string path = "M" + decimal(x(0)) + " " + decimal(y(0));
    for (std::size_t i = 0; i < story_.actions.size(); ++i) {
      if (story_.actions[i].status() != v1::OUTCOME_STATUS_ACCEPTED) continue;
      path += "L" + decimal(x(i + 1)) + " " + decimal(y(lane_of(story_.actions[i])));
    }
    return "<path class=\"road\" d=\"" + path + "\"/>\n";
  }

  std::string station(std::size_t step, std::size_t at_lane, const std::string& colour,
                      const std::string& label, const std::string& below, bool taken) const {
    const std::string cx = decimal(x(step));
    return "<circle cx=\"" + cx + "\" cy=\"" + decimal(y(at_lane)) + "\" r=\"7\" fill=\"" +
           (taken ? colour : std::string("#fff")) + "\" stroke=\"" + colour +
           "\" stroke-width=\"2\"" + (taken ? "" : " stroke-dasharray=\"3 2\"") +
           "/><text class=\"act\" x=\"" + cx + "\" y=\"" + decimal(y(at_lane) + 19) + "\">" +
           label + "</text><text class=\"sub\" x=\"" + cx + "\" y=\"" + decimal(y(at_lane) + 29) +
           "\">" + below + "</text>\n";
  }

  std::string stations() const {
    std::string out = station(0, 0, "#8a94a3", "上报", "report", true);
    for (std::size_t i = 0; i < story_.actions.size(); ++i) {
      const v1::WhistleAction& action = story_.actions[i];
      const Words type =
          words_of(kinds::kWhistleAction, fields::whistle_action::kType, action.type());
      const bool taken = action.status() == v1::OUTCOME_STATUS_ACCEPTED;
      const Words status =
          words_of(kinds::kWhistleAction, fields::whistle_action::kStatus, action.status());
      out += station(i + 1, lane_of(action), std::string(colour_after(action)),
                     escaped(type.chinese), escaped(taken ? type.english : status.chinese), taken);
    }
    return out;
  }

  static std::string_view colour_after(const v1::WhistleAction& action) {
    if (action.status() != v1::OUTCOME_STATUS_ACCEPTED) return "#d4351c";
    switch (action.type()) {
      case v1::WHISTLE_ACTION_TYPE_ACCEPT:
      case v1::WHISTLE_ACTION_TYPE_BLOW:
        return colour_of(v1::WHISTLE_STATE_ACCEPTED);
      case v1::WHISTLE_ACTION_TYPE_ASSIGN:
        return colour_of(v1::WHISTLE_STATE_ASSIGNED);
      case v1::WHISTLE_ACTION_TYPE_CHECK_IN:
      case v1::WHISTLE_ACTION_TYPE_START:
        return colour_of(v1::WHISTLE_STATE_HANDLING);
      case v1::WHISTLE_ACTION_TYPE_REPORT_BACK:
      case v1::WHISTLE_ACTION_TYPE_CHECK:
      case v1::WHISTLE_ACTION_TYPE_REVIEW:
        return colour_of(v1::WHISTLE_STATE_CHECKING);
      case v1::WHISTLE_ACTION_TYPE_RETURN_VISIT:
        return colour_of(v1::WHISTLE_STATE_CLOSED);
      case v1::WHISTLE_ACTION_TYPE_OBJECT:
      case v1::WHISTLE_ACTION_TYPE_REJECT:
      case v1::WHISTLE_ACTION_TYPE_REFUSE:
        return colour_of(v1::WHISTLE_STATE_REFUSED);
      default:
        return "#5f6b7a";
    }
  }

  const WhistleStory& story_;
  std::vector<std::pair<std::string, std::string>> lanes_;  ///< assignment id, name
};

std::string heading(const CountyView& county, const WhistleStory& story) {
  const v1::Whistle& whistle = story.whistle;
  const auto category = county.categories.find(whistle.category());
  const Words state = words_of(kinds::kWhistle, fields::whistle::kState, whistle.state());
  std::string html =
      "<h3>" +
      escaped(category == county.categories.end() ? whistle.category() : category->second) +
      " <code>" + escaped(whistle.number()) +
      "</code><span class=\"state\" style=\"background:" + std::string(colour_of(whistle.state())) +
      "\">" + state.chinese + " " + state.english + "</span>";
  if (whistle.emergency()) html += "<span class=\"tag red\">紧急 emergency</span>";
  if (whistle.supervised()) html += "<span class=\"tag\">督办 supervised</span>";
  if (whistle.headless()) html += "<span class=\"tag\">无头 nobody's</span>";
  if (!whistle.routing_rule().empty()) {
    html += "<span class=\"tag\">" + escaped(whistle.routing_rule()) + " → " +
            escaped(whistle.responsibility_item()) + "</span>";
  }
  return html + "</h3>\n";
}

}  // namespace

std::string roads_part(const CountyView& county) {
  std::string html =
      "<section><h2>哨声的路 <i>Some whistles' roads</i></h2><p class=\"note\">"
      "每行一个机构，自左向右按生效先后；虚线圈为未采纳的提议 A row each for the centre and the "
      "called "
      "organisations, left to right as things took effect; dashed: proposals that were not taken, "
      "kept "
      "with their notes</p>\n";
  for (const WhistleStory* story : chosen(county)) {
    html += "<div class=\"one\">" + heading(county, *story) + "<div class=\"scroll\">" +
            RoadPicture(county, *story).svg() + "</div></div>\n";
  }
  return html + "</section>\n";
}

}  // namespace gridwhistle::demo

#include <algorithm>
#include <functional>
#include <set>

#include "html.h"
#include "page_parts.h"

namespace gridwhistle::demo {

namespace {

struct Share {
  std::uint64_t part = 0;
  std::uint64_t whole = 0;

  void count(bool is_part) {
    ++whole;
    if (is_part) ++part;
  }
};

std::string tile(const char* chinese, const char* english, const std::string& value,
                 const std::string& below) {
  return std::string("<div class=\"tile\"><b>") + value + "</b><span>" + chinese + " <i>" +
         english + "</i></span><small>" + below + "</small></div>\n";
}

std::string share_tile(const char* chinese, const char* english, const Share& share,
                       const char* of_what) {
  const std::string value =
      share.whole == 0
          ? std::string("–")
          : decimal(100.0 * static_cast<double>(share.part) / static_cast<double>(share.whole)) +
                "%";
  return tile(chinese, english, value,
              std::to_string(share.part) + " / " + std::to_string(share.whole) + " " + of_what);
}

bool did(const WhistleStory& story, v1::WhistleActionType type) {
  return std::ranges::any_of(story.actions, [&](const v1::WhistleAction& action) {
    return action.type() == type && action.status() == v1::OUTCOME_STATUS_ACCEPTED;
  });
}

struct RoadFigures {
  Share routed, answered_call, closed, reworked, reached, satisfied;
};

RoadFigures figures_of(const CountyView& county) {
  RoadFigures figures;
  for (const WhistleStory& story : county.whistles) {
    const Place place = place_of(story);
    if (place == Place::kRouted || place == Place::kHeadless) {
      figures.routed.count(place == Place::kRouted);
    }
    if (story.whistle.accepted_ms() != 0) {
      figures.closed.count(story.whistle.state() == v1::WHISTLE_STATE_CLOSED);
    }
    for (const auto& [id, assignment] : story.assignments) {
      if (assignment.state() == v1::ASSIGNMENT_STATE_WITHDRAWN ||
          assignment.state() == v1::ASSIGNMENT_STATE_OBJECTED) {
        continue;
      }
      figures.answered_call.count(assignment.checked_in_ms() != 0);
    }
    if (did(story, v1::WHISTLE_ACTION_TYPE_CHECK) || did(story, v1::WHISTLE_ACTION_TYPE_REJECT)) {
      figures.reworked.count(did(story, v1::WHISTLE_ACTION_TYPE_REJECT));
    }
    if (did(story, v1::WHISTLE_ACTION_TYPE_RETURN_VISIT)) {
      const auto result = story.whistle.return_visit_result();
      figures.reached.count(result != v1::RETURN_VISIT_RESULT_NOT_REACHED);
      if (result != v1::RETURN_VISIT_RESULT_NOT_REACHED) {
        figures.satisfied.count(result == v1::RETURN_VISIT_RESULT_SATISFIED);
      }
    }
  }
  return figures;
}

}  // namespace

std::string numbers_part(const CountyView& county, const DayNumbers& numbers) {
  const Findings& found = numbers.findings;
  const RoadFigures figures = figures_of(county);
  std::string html = "<section class=\"tiles\">\n";
  html += share_tile("送达", "arrived", {found.on_server, found.recorded},
                     "手机已确认的记录 acknowledged records");
  html += tile("丢失 · 重复", "lost · twice",
               std::to_string(found.lost) + " · " + std::to_string(found.duplicated),
               "逐条核对 each one looked up");
  html += share_tile("交办", "routed", figures.routed,
                     "已吹哨 blown; 其余入无头队列 the rest in the queue");
  html += share_tile("响应", "checked in", figures.answered_call, "被交办部门 called departments");
  html += share_tile("办结", "closed", figures.closed, "已受理 accepted");
  html += share_tile("返工", "reworked", figures.reworked, "经核查 checked");
  html += share_tile("回访接通", "reached", figures.reached, "已回访 return visits");
  html += share_tile("满意", "satisfied", figures.satisfied, "已接通 answered");
  html += tile("冲突留存", "beaten values kept", std::to_string(found.conflicts_kept),
               "作者手机可见、可恢复 with their authors, restorable");
  html += tile("强制终止", "SIGKILLs", std::to_string(numbers.kills),
               "记录中、同步中、服务器 recording, syncing, server");
  html +=
      share_tile("通话中断", "calls broken", {numbers.failed_calls, numbers.calls}, "通话 calls");
  html += tile("手机", "phones", std::to_string(numbers.phones),
               std::to_string(found.rows_compared) + " 行与服务器一致 rows compared");
  return html + "</section>\n";
}

}  // namespace gridwhistle::demo

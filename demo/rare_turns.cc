#include "rare_turns.h"

#include <ctime>

namespace gridwhistle::demo {

namespace {

struct Turn {
  std::size_t whistle;
  const char* action;
  std::string who;
  std::vector<std::string> more;
};

std::string day_in(int days) {
  const std::time_t then = std::time(nullptr) + std::time_t{days} * 24 * 3600;
  char text[16];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d", std::localtime(&then))};
}

std::vector<Turn> turns(const std::string& town, const std::vector<std::string>& numbers) {
  const std::string acceptor = "SL" + town;
  const std::string supervisor = "DB" + town;
  const std::string visitor = "HF" + town;
  const std::string department = "BM-ZJ1";
  const std::string dispatcher = "DD-Q1";
  const std::vector<std::string> its_part = {"--part-of", "BM-ZJ"};
  const std::vector<std::string> same_matter = {"--other", numbers[1]};
  std::vector<Turn> all = {
      {0, "merge", acceptor, same_matter},
      {0, "unmerge", supervisor, {"--note", "地点不同，先分开核实。"}},
      {0, "merge", acceptor, same_matter},
  };
  for (const std::size_t whistle : {1, 2}) {
    all.push_back({whistle, "accept", acceptor, {}});
    all.push_back({whistle, "blow", acceptor, {}});
  }
  const std::vector<Turn> rest = {
      {1, "check_in", department, {"--on-site"}},
      {1, "start", department, {}},
      {1, "request_extension", department, {"--until", day_in(10), "--note", "等沥青到货。"}},
      {1, "grant_extension", dispatcher, its_part},
      {1, "resume", department, {}},
      {1, "request_suspension", department, {"--until", day_in(40), "--note", "雨季后再施工。"}},
      {1, "grant_suspension", dispatcher, its_part},
      {1, "resume", department, {}},
      {1, "report_back", department, {}},
      {1, "check", acceptor, {}},
      {1, "review", acceptor, {}},
      {1, "return_visit", visitor, {"--result", "dissatisfied"}},
      {1, "reopen", supervisor, {"--note", "反映人不满意，重新办理。"}},
      {2, "object", department, {"--reason", "1", "--note", "该路段已移交。"}},
      {2, "blow", acceptor, {}},
      {2, "object", department, {"--reason", "1", "--note", "仍非本局管养。"}},
      {2, "joint_meeting", dispatcher, {"--lead", "BM-CG", "--co", "BM-ZJ"}},
      {3, "accept", acceptor, {}},
      {3, "void", supervisor, {"--note", "重复录入。"}},
  };
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

}  // namespace

Result<std::size_t> play_rare_turns(CountyServer& server, const std::string& town,
                                    const std::vector<std::string>& numbers) {
  std::size_t taken = 0;
  for (const Turn& turn : turns(town, numbers)) {
    std::vector<std::string> words = {"act", numbers[turn.whistle], turn.action, "--as", turn.who};
    words.insert(words.end(), turn.more.begin(), turn.more.end());
    if (const auto done = server.command(words); !done) return std::unexpected(done.error());
    ++taken;
  }
  return taken;
}

}  // namespace gridwhistle::demo

#include "document.h"

#include <fstream>
#include <stdexcept>

namespace gridwhistle {
namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const auto end = std::min(text.find(separator, begin), text.size());
    parts.push_back(trimmed(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return parts;
}

template <typename Enum>
Enum word(const std::string& name, int count) {
  for (int i = 0; i <= count; ++i) {
    if (name_of(static_cast<Enum>(i)) == name && !name.empty()) return static_cast<Enum>(i);
  }
  throw std::runtime_error("docs/workflow.md: unknown word " + name);
}

template <typename Enum>
std::uint64_t words(const std::string& list, int count) {
  std::uint64_t bits = 0;
  for (const std::string& name : split(list, ',')) {
    bits |= Set<Enum>{word<Enum>(name, count)}.bits();
  }
  return bits;
}

std::uint64_t read_from(Subject subject, const std::string& cell) {
  if (subject == Subject::kAssignment) {
    return words<AssignmentState>(cell, kAssignmentStateCount);
  }
  constexpr std::uint64_t kEvery = (1U << (kWhistleStateCount + 1)) - 2;
  const auto every_but = [&](const std::string& list) {
    return kEvery & ~words<WhistleState>(list, kWhistleStateCount);
  };
  if (cell == "any") return kEvery;
  if (cell == "any open") return every_but("REFUSED, MERGED, CLOSED, VOID");
  const std::string but = "any but ";
  if (cell.starts_with(but)) return every_but(cell.substr(but.size()));
  return words<WhistleState>(cell, kWhistleStateCount);
}

RoleSet read_who(const std::string& cell) {
  if (cell == "anyone") return kAnyone;
  if (cell == "any person") return kAnyone.without({kServerRole});
  return RoleSet::of_bits(words<Role>(cell, kRoleCount));
}

Transition read_row(const std::vector<std::string>& cells) {
  Transition row;
  row.subject = cells[1] == "whistle" ? Subject::kWhistle : Subject::kAssignment;
  row.from = read_from(row.subject, cells[2]);
  row.action = word<WhistleActionType>(cells[3], kWhistleActionTypeCount);
  row.who = read_who(cells[4]);
  if (cells[5] != "same") {
    row.to =
        row.subject == Subject::kWhistle
            ? static_cast<std::uint8_t>(word<WhistleState>(cells[5], kWhistleStateCount))
            : static_cast<std::uint8_t>(word<AssignmentState>(cells[5], kAssignmentStateCount));
  }
  if (cells[6] != "–") row.guards = Set<Guard>::of_bits(words<Guard>(cells[6], kGuardCount - 1));
  if (cells[7] != "–") row.limit = word<LimitKey>(cells[7], kLimitKeyCount);
  return row;
}

}  // namespace

WorkflowPage read_workflow_page() {
  std::ifstream file(GRIDWHISTLE_WORKFLOW_PAGE);
  if (!file) throw std::runtime_error("docs/workflow.md cannot be read");
  WorkflowPage page;
  std::string line;
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = split(line, '|');
    if (cells.size() == 9 && (cells[1] == "whistle" || cells[1] == "assignment")) {
      page.rows.push_back(read_row(cells));
    } else if (cells.size() == 5 && cells[3].starts_with("10")) {
      page.guards.push_back({cells[1], std::stoi(cells[3])});
    }
  }
  return page;
}

}  // namespace gridwhistle

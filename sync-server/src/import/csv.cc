#include "import/csv.h"

#include <algorithm>
#include <utility>

#include "import/limits.h"
#include "import/text.h"

namespace gridwhistle::import {
namespace {

class Reader {
 public:
  Reader(const std::string& file, std::string_view text, Problems& problems)
      : file_(file), text_(text), problems_(problems) {}

  std::vector<CsvRow> rows() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size() && sound_) {
      CsvRow row = next_row();
      const bool empty = row.values.size() == 1 && row.values[0].empty();
      if (empty || !sound_) continue;
      if (rows.size() > limits::kRows) {
        const std::string most = std::to_string(limits::kRows);
        refuse(row.line, {"超过 " + most + " 行", "more than " + most + " rows"});
      } else {
        rows.push_back(std::move(row));
      }
    }
    return rows;
  }

 private:
  CsvRow next_row() {
    CsvRow row{line_, {}};
    do {
      row.values.push_back(peek() == '"' ? quoted() : bare());
      if (row.values.back().size() > limits::kValueBytes)
        refuse(line_, {"有一个值过长", "a value is too long"});
      if (row.values.size() > limits::kColumns) refuse(line_, {"列数过多", "too many columns"});
    } while (sound_ && take(','));
    take('\r');
    if (sound_ && at_ < text_.size() && !take('\n'))
      refuse(line_, {"引号之后缺少逗号", "a comma is missing after a quote"});
    ++line_;
    return row;
  }

  std::string bare() {
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    std::string value(text_.substr(at_, end - at_));
    at_ = end;
    if (value.find('"') != std::string::npos) {
      refuse(line_,
             {"未加引号的值中出现了引号", "a quote stands inside a value that is not in quotes"});
    }
    return value;
  }

  std::string quoted() {
    const std::size_t begun = line_;
    std::string value;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        if (peek() != '"') return value;
      }
      if (text_[at_] == '\n') ++line_;
      value += text_[at_];
    }
    refuse(begun, {"引号没有闭合", "a quote is not closed"});
    return value;
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool take(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }

  /// What follows a broken quote is guesswork, so reading ends.
  void refuse(std::size_t line, Line reason) {
    if (sound_) problems_.add(file_, line, std::move(reason));
    sound_ = false;
  }

  const std::string& file_;
  std::string_view text_;
  Problems& problems_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  bool sound_ = true;
};

}  // namespace

std::vector<CsvRow> read_csv(const std::string& file, std::string_view bytes, Problems& problems) {
  const std::string_view text = without_bom(bytes);
  if (const auto line = unsound_line(text)) {
    problems.add(file, *line, not_text());
    return {};
  }
  return Reader(file, text, problems).rows();
}

}  // namespace gridwhistle::import

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "import/readers.h"
#include "import/table.h"
#include "import/text.h"
#include "schema/kinds.h"
#include "schema/tables.h"

namespace gridwhistle::import {
namespace {

std::size_t line_of_node(const toml::node& node) { return node.source().begin.line; }

/// One [[rule]].
class RuleTable {
 public:
  RuleTable(const std::string& file, const toml::table& table, Problems& problems)
      : file_(file), table_(table), problems_(problems) {}

  std::size_t line() const { return line_of_node(table_); }
  std::size_t last_line() const {
    std::size_t last = line();
    for (const auto& [key, node] : table_) last = std::max(last, line_of_node(node));
    return last;
  }

  void complain(std::string_view key, const Line& what) {
    const toml::node* node = table_.get(key);
    const std::string name(key);
    problems_.add(file_, node ? line_of_node(*node) : line(),
                  {name + " " + what.zh, name + " " + what.en});
  }

  std::optional<std::string> text(std::string_view key) {
    const toml::node* node = table_.get(key);
    if (!node) return std::nullopt;
    const auto value = node->value_exact<std::string>();
    if (!value || trimmed(*value).empty()) complain(key, {"须为非空的文字", "must be a text"});
    return value;
  }

  std::vector<std::string> texts(std::string_view key) {
    std::vector<std::string> texts;
    const toml::node* node = table_.get(key);
    if (!node) return texts;
    const toml::array* list = node->as_array();
    if (list) {
      for (const toml::node& entry : *list) {
        if (const auto value = entry.value_exact<std::string>()) texts.push_back(*value);
      }
    }
    if (!list || texts.size() != list->size())
      complain(key, {"须为文字的列表", "must be a list of texts"});
    return texts;
  }

  std::optional<bool> flag(std::string_view key) {
    const toml::node* node = table_.get(key);
    if (!node) return std::nullopt;
    const auto value = node->value_exact<bool>();
    if (!value) complain(key, {"须为 true 或 false", "must be true or false"});
    return value;
  }

  std::optional<std::int64_t> number(std::string_view key) {
    const toml::node* node = table_.get(key);
    if (!node) return std::nullopt;
    const auto value = node->value_exact<std::int64_t>();
    if (!value) complain(key, {"须为整数", "must be a whole number"});
    return value;
  }

  std::optional<std::int64_t> word(std::string_view key, const FieldSchema& field) {
    const auto value = text(key);
    if (!value) return std::nullopt;
    const Cell cell{file_, line_of_node(*table_.get(key)), key, *value, problems_};
    return cell.word(field);
  }

  /// A TOML date, or a text like "2026-01-31".
  std::optional<std::int64_t> date_ms(std::string_view key) {
    const toml::node* node = table_.get(key);
    if (!node) return std::nullopt;
    std::ostringstream written;
    if (const auto date = node->value_exact<toml::date>()) {
      written << *date;
    } else {
      written << node->value_exact<std::string>().value_or("");
    }
    const auto ms = date_ms_of(written.str());
    if (!ms) complain(key, {"须为日期，如 2026-01-31", "must be a date like 2026-01-31"});
    return ms;
  }

  void only_known(std::initializer_list<std::string_view> known) {
    for (const auto& [key, node] : table_) {
      if (std::ranges::find(known, key.str()) != known.end()) continue;
      const std::string quoted = "\"" + std::string(key.str()) + "\"";
      problems_.add(file_, line_of_node(node), {"没有键 " + quoted, "unknown key " + quoted});
    }
  }

 private:
  const std::string& file_;
  const toml::table& table_;
  Problems& problems_;
};

void read_conditions(RuleTable& table, v1::RoutingRule& rule) {
  const KindSchema& kind = *built_schema().kind(kinds::kRoutingRule);
  if (const auto v = table.text("category_prefix")) rule.set_category_prefix(*v);
  if (const auto v = table.text("area_prefix")) rule.set_area_prefix(*v);
  if (const auto v = table.word("grid_type", *kind.field("grid_type"))) {
    rule.set_grid_type(static_cast<v1::GridType>(*v));
  }
  if (const auto v = table.word("source", *kind.field("source"))) {
    rule.set_source(static_cast<v1::Source>(*v));
  }
  if (const auto v = table.word("whistle_class", *kind.field("whistle_class"))) {
    rule.set_whistle_class(static_cast<v1::WhistleClass>(*v));
  }
  if (const auto v = table.flag("emergency")) rule.set_emergency(*v);
}

void read_consequences(RuleTable& table, v1::RoutingRule& rule) {
  const KindSchema& kind = *built_schema().kind(kinds::kRoutingRule);
  if (const auto v = table.text("responsibility_item")) {
    rule.set_responsibility_item(*v);
  } else {
    table.complain("responsibility_item", {"缺失", "is missing"});
  }
  if (const auto v = table.word("lead_level", *kind.field("lead_level"))) {
    rule.set_lead_level(static_cast<v1::Level>(*v));
  }
  for (const std::string& type : table.texts("co_department_types")) {
    rule.add_co_department_types(type);
  }
  if (const auto v = table.text("time_limit_profile")) rule.set_time_limit_profile(*v);
  if (const auto v = table.text("pipeline")) rule.set_pipeline(*v);
}

void read_rule(RuleTable table, const std::string& file, Reference& into, Problems& problems) {
  table.only_known({"code", "title", "priority", "category_prefix", "area_prefix", "grid_type",
                    "source", "whistle_class", "emergency", "responsibility_item", "lead_level",
                    "co_department_types", "time_limit_profile", "pipeline", "valid_from",
                    "valid_until"});
  const auto code = table.text("code");
  if (!code || !is_code(*code)) {
    table.complain("code", {"须为最多 32 个字母、数字、“-”和“_”",
                            "must be at most 32 letters, digits, '-' and '_'"});
    return;
  }
  Entry<v1::RoutingRule> entry{{}, file, table.line(), table.last_line()};
  v1::RoutingRule& rule = entry.value;
  rule.set_code(*code);
  if (const auto v = table.text("title")) rule.set_title(*v);
  rule.set_priority(table.number("priority").value_or(0));
  read_conditions(table, rule);
  read_consequences(table, rule);
  if (const auto v = table.date_ms("valid_from")) rule.set_valid_from_ms(*v);
  if (const auto v = table.date_ms("valid_until")) rule.set_valid_until_ms(*v);
  if (rule.has_category_prefix()) {
    into.links.push_back({Link::To::kCategoryPrefix, rule.category_prefix(), file, entry.line});
  }
  into.add(into.rules, *code, std::move(entry), problems);
}

}  // namespace

void read_rules(const std::string& file, std::string_view bytes, Reference& into,
                Problems& problems) {
  const std::string_view text = without_bom(bytes);
  if (const auto line = unsound_line(text)) {
    problems.add(file, *line, not_text());
    return;
  }
  toml::table document;
  try {
    document = toml::parse(text);
  } catch (const toml::parse_error& error) {
    const std::string why(error.description());
    problems.add(file, error.source().begin.line, {"不是 TOML：" + why, "is not TOML: " + why});
    return;
  }
  for (const auto& [key, node] : document) {
    const toml::array* rules = key.str() == "rule" ? node.as_array() : nullptr;
    if (!rules || !rules->is_homogeneous<toml::table>()) {
      const std::string quoted = "\"" + std::string(key.str()) + "\"";
      problems.add(file, line_of_node(node),
                   {"没有键 " + quoted + "；每条规则以 [[rule]] 开头",
                    "unknown key " + quoted + "; each rule begins with [[rule]]"});
      continue;
    }
    for (const toml::node& rule : *rules) {
      read_rule(RuleTable(file, *rule.as_table(), problems), file, into, problems);
    }
  }
}

}  // namespace gridwhistle::import

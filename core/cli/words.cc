#include "cli/words.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <map>

#include "base/utf8.h"
#include "cli/own_words.h"
#include "gridwhistle/v1/reference.pb.h"
#include "model/choices.h"
#include "model/record.h"
#include "schema/kinds.h"
#include "schema/tables.h"
#include "terminal/details.h"
#include "terminal/times.h"
#include "terminal/usage.h"

namespace gridwhistle::cli {

namespace {

std::string lower(std::string_view word) {
  std::string text(word);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

std::optional<std::int64_t> integer(std::string_view word) {
  std::int64_t value = 0;
  const auto [end, wrong] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (wrong != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

std::optional<double> real(const std::string& word) {
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  if (word.empty() || end != word.c_str() + word.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(at);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

constexpr int kYearMin = 1900;
constexpr int kYearMax = 2100;

/// Seconds since 1970; none where the word has another form or no calendar has that day.
std::optional<std::int64_t> china_seconds(const std::string& word, const char* form) {
  std::tm asked{};
  const char* end = ::strptime(word.c_str(), form, &asked);
  if (end == nullptr || *end != '\0') return std::nullopt;
  std::tm real = asked;
  const auto seconds = static_cast<std::int64_t>(::timegm(&real));
  const int year = asked.tm_year + 1900;
  const bool exists = real.tm_mon == asked.tm_mon && real.tm_mday == asked.tm_mday;
  if (!exists || year < kYearMin || year > kYearMax) return std::nullopt;
  return seconds - terminal::kChinaAhead_s;
}

/// Holds a SHA-256; other fields of bytes hold ids.
bool is_digest(const FieldSchema& field) {
  return field.name == "sha256" || field.name.ends_with("_hash");
}

/// One value of a field, appended as the message wants it.
Result<void> append_value(std::string& message, const FieldSchema& field, const std::string& word,
                          std::int64_t now_ms) {
  const std::string name(field.name);
  switch (field.type) {
    case FieldType::kString:
      if (is_blank(word)) return terminal::typed_wrong(both(name + "不能为空", name + " is empty"));
      append_text(message, field.number, word);
      return {};
    case FieldType::kBytes: {
      const auto bytes = bytes_from(field, word);
      if (!bytes) return std::unexpected(bytes.error());
      append_text(message, field.number, *bytes);
      return {};
    }
    case FieldType::kEnum: {
      const auto value = enum_from(field, word);
      if (!value) return std::unexpected(value.error());
      append_int(message, field.number, *value);
      return {};
    }
    case FieldType::kBool:
    case FieldType::kInt: {
      const auto value = number_from(field, word, now_ms);
      if (!value) return std::unexpected(value.error());
      append_int(message, field.number, *value);
      return {};
    }
    case FieldType::kDouble: {
      const auto value = real(word);
      if (!value)
        return terminal::typed_wrong(about(name, both("不是数 " + word, "not a number: " + word)));
      append_double(message, field.number, *value);
      return {};
    }
    case FieldType::kMessage:
    case FieldType::kFixed64:
      break;
  }
  return terminal::typed_wrong(
      about(name, both("不能在命令行填写", "cannot be written from the command line")));
}

}  // namespace

Result<const KindSchema*> kind_from(std::string_view word) {
  const std::string wanted = lower(word);
  std::string known;
  for (const KindSchema& kind : built_schema().kinds) {
    const std::string name = lower(kind.name);
    if (wanted == name || wanted == name + "s" || word == kind.name_zh) return &kind;
    known += (known.empty() ? "" : ", ") + name;
  }
  return terminal::typed_wrong(
      both("没有记录种类 " + std::string(word) + "；有：" + known,
           "no kind of record is called " + std::string(word) + "; there are: " + known));
}

const FieldSchema* field_called(const KindSchema& kind, std::string_view word) {
  if (const FieldSchema* field = kind.field(word)) return field;
  const auto called = std::ranges::find_if(kind.fields, [&](const FieldSchema& field) {
    return word == terminal::title_of(field, false) || word == terminal::title_of(field, true);
  });
  return called == kind.fields.end() ? nullptr : &*called;
}

Result<std::int64_t> enum_from(const FieldSchema& field, std::string_view word) {
  const auto number = integer(word);
  if (number && *number != 0 && field.enum_value(*number) != nullptr) return *number;
  const std::string wanted = lower(word);
  for (const EnumValue& value : field.enum_values) {
    if (value.number == 0) continue;
    // 重点 stands for 重点哨.
    if (wanted == lower(value.name) || (!word.empty() && value.name_zh.starts_with(word))) {
      return value.number;
    }
  }
  const Line known = choices(field);
  return terminal::typed_wrong(
      both(std::string(field.name_zh) + "：" + std::string(word) + " 不在其中：" + known.zh,
           std::string(field.name) + ": " + std::string(word) + " is none of: " + known.en));
}

Result<std::string> bytes_from(const FieldSchema& field, std::string_view word) {
  const std::string name(field.name);
  if (!is_digest(field)) {
    const auto id = RecordId::parse(word);
    if (!id) return terminal::typed_wrong(about(name, not_an_id(word)));
    return std::string(id->bytes());
  }
  const std::string digits = lower(word);
  const bool whole =
      digits.size() == 64 && digits.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!whole) {
    return terminal::typed_wrong(
        about(name, both("摘要是 64 位十六进制数 " + std::string(word),
                         "a digest has 64 hexadecimal digits: " + std::string(word))));
  }
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

Result<std::int64_t> number_from(const FieldSchema& field, std::string_view word,
                                 std::int64_t now_ms) {
  const std::string name(field.name);
  const auto told = [&](const std::string& chinese, const std::string& english) {
    const std::string given(word);
    return terminal::typed_wrong(about(name, both(chinese + " " + given, english + ": " + given)));
  };
  if (field.type == FieldType::kBool) {
    const std::string asked = lower(word);
    for (const char* yes : {"1", "true", "yes", "是"}) {
      if (asked == yes) return 1;
    }
    for (const char* no : {"0", "false", "no", "否"}) {
      if (asked == no) return 0;
    }
    return told("不是“是”或“否”", "neither yes nor no");
  }
  if (const auto value = integer(word)) {
    const bool is_year = name.ends_with("_year");
    if (!is_year || (*value >= kYearMin && *value <= kYearMax)) return *value;
    return told("年份是四位数，1900 到 2100", "a year has four digits, 1900 to 2100");
  }
  if (!name.ends_with("_ms")) return told("不是数", "not a number");
  const auto time = time_from(word, now_ms, false);
  if (!time) return terminal::typed_wrong(about(name, time.error().message));
  return *time;
}

Result<std::int64_t> time_from(std::string_view word, std::int64_t now_ms, bool before) {
  if (!word.empty()) {
    static const std::map<char, std::int64_t> kUnits = {
        {'m', 60'000}, {'h', 3'600'000}, {'d', 86'400'000}};
    const auto unit = kUnits.find(word.back());
    const auto count = integer(word.substr(0, word.size() - 1));
    if (unit != kUnits.end() && count && *count >= 0 && *count <= 36'500) {
      return before ? now_ms - *count * unit->second : now_ms + *count * unit->second;
    }
  }
  for (const char* form : {"%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
    if (const auto seconds = china_seconds(std::string(word), form)) return *seconds * 1000;
  }
  return terminal::typed_wrong(
      both("不是时间 " + std::string(word) + "（2026-11-22、\"2026-11-22 08:30\"、2h 或 3d）",
           "not a time: " + std::string(word) + " (2026-11-22, \"2026-11-22 08:30\", 2h or 3d)"));
}

Result<Position> position_from(std::string_view word) {
  const auto parts = split(word, ',');
  const auto wrong = [&] {
    return terminal::typed_wrong(
        both("不是位置 " + std::string(word) + "（21.2632,110.3345，可加精度 ,8 米）",
             "not a position: " + std::string(word) + " (21.2632,110.3345 or with ,8 metres)"));
  };
  if (parts.size() < 2 || parts.size() > 3) return wrong();
  const auto latitude = real(parts[0]);
  const auto longitude = real(parts[1]);
  const auto accuracy = parts.size() == 3 ? real(parts[2]) : std::optional(10.0);
  if (!latitude || !longitude || !accuracy || std::abs(*latitude) > 90 ||
      std::abs(*longitude) > 180 || *accuracy < 0) {
    return wrong();
  }
  return Position{*latitude, *longitude, *accuracy};
}

std::optional<Line> why_no_area(const ClientStatus& status) {
  if (!status.enrolled || !status.scopes.empty()) return std::nullopt;
  if (!status.since_sync_ms) {
    return Line{"请先同步一次，以获知您的区域：gw sync", "sync once to learn your areas: gw sync"};
  }
  return Line{
      "您已离职或不再担任任何岗位，本机没有可登记的区域；如有不符，请联系管理员",
      "you left or hold no role any more, so this phone has no area to record in; if that is "
      "wrong, ask the operator"};
}

Error with_areas(Client& client, Error error) {
  if (error.code != ErrorCode::kOutOfScope) return error;
  std::string grids;
  std::string others;
  for (const std::string& scope : client.status().scopes) {
    constexpr std::string_view kGridPrefix = "grid:";
    const bool grid = scope.starts_with(kGridPrefix);
    std::string& list = grid ? grids : others;
    list += (list.empty() ? "" : ", ") + (grid ? scope.substr(kGridPrefix.size()) : scope);
  }
  if (!grids.empty()) {
    error.message = both("您的网格：" + grids, "your grids are: " + grids);
  } else if (!others.empty()) {
    error.message = both("您的岗位只覆盖 " + others + "，不能在别处登记",
                         "your role covers " + others + " and records nothing elsewhere");
  } else if (const auto why = why_no_area(client.status())) {
    error.message = both(why->zh, why->en);
  }
  return error;
}

Result<std::string> grid_at(Client& client, const Position& at) {
  auto found = client.locate(at.latitude, at.longitude, at.accuracy_m);
  if (!found) return std::unexpected(std::move(found.error()));
  if (found->grid) return *found->grid;
  std::string candidates;
  for (const auto& one : found->candidates) {
    candidates += (candidates.empty() ? "" : ", ") + one.code15 + " " + one.name;
  }
  if (candidates.empty()) {
    return fail(ErrorCode::kInvalid,
                both("该点不在本机所知的任何网格内；请用 --grid 指明",
                     "the point lies in no grid this phone knows; give --grid"));
  }
  return fail(
      ErrorCode::kInvalid,
      both("该点离网格边界太近；请用 --grid 从中选一：" + candidates,
           "the point is too near a boundary to be sure; give --grid, one of: " + candidates));
}

void own_first(std::vector<Found<v1::Visit>>& visits, DeviceId device) {
  std::ranges::stable_partition(
      visits, [&](const Found<v1::Visit>& one) { return one.info.id.device() == device; });
}

Result<std::vector<Found<v1::Visit>>> open_visits(Client& client) {
  Query query;
  query.that("ended_ms", Compare::kUnset).by("started_ms", true);
  query.is("worker", std::string(client.status().worker.bytes()));
  auto open = client.query<v1::Visit>(query);
  if (open) own_first(*open, client.status().device);
  return open;
}

Result<Change> change_from(const KindSchema& kind, const std::vector<std::string>& pairs,
                           std::int64_t now_ms) {
  Change change;
  change.kind = kind.name;
  for (const std::string& pair : pairs) {
    const std::size_t at = pair.find('=');
    if (at == std::string::npos) {
      return terminal::typed_wrong(about(
          pair, both("请写 字段=值；写 字段= 为清空", "write field=value, or field= to empty it")));
    }
    const FieldSchema* field = field_called(kind, std::string_view(pair).substr(0, at));
    if (field == nullptr || field->number == 1) {
      return terminal::typed_wrong(
          both(std::string(kind.name_zh) + "没有字段 " + pair.substr(0, at),
               std::string(kind.name) + " has no field " + pair.substr(0, at)));
    }
    const std::string value = pair.substr(at + 1);
    if (value.empty()) {
      change.clear.push_back(field->number);
      continue;
    }
    const auto words = field->repeated ? split(value, ',') : std::vector{value};
    for (const std::string& word : words) {
      if (auto appended = append_value(change.record, *field, word, now_ms); !appended) {
        return std::unexpected(std::move(appended.error()));
      }
    }
  }
  return change;
}

Result<Named> record_from(Client& client, std::string_view word) {
  if (const auto id = RecordId::parse(word)) {
    for (const KindSchema& kind : built_schema().kinds) {
      if (client.get(kind.name, *id)) return Named{&kind, *id};
    }
    return fail(ErrorCode::kNotFound, both("本机没有记录 " + std::string(word),
                                           "this phone has no record " + std::string(word)));
  }
  const KindSchema* whistles = built_schema().kind("Whistle");
  const auto found = client.query("Whistle", Query().is("number", std::string(word)).first(1));
  if (!found) return std::unexpected(found.error());
  if (found->empty()) {
    return fail(
        ErrorCode::kNotFound,
        both("本机没有编号为 " + std::string(word) + " 的哨声，它也不是标识",
             "this phone has no whistle number " + std::string(word) + ", and it is no id"));
  }
  return Named{whistles, found->front().info.id};
}

Result<RecordId> organisation_from(Client& client, std::string_view option, std::string_view word) {
  if (const auto id = RecordId::parse(word)) return *id;
  const auto found = client.query<v1::OrgUnit>({});
  if (!found) return std::unexpected(found.error());
  for (const Found<v1::OrgUnit>& one : *found) {
    if (one.record.code() == word || one.record.name() == word) return one.info.id;
  }
  return fail(ErrorCode::kNotFound,
              about(std::string(option),
                    both("本机不知道机构 " + std::string(word) + "；见 gw list orgunit",
                         "this phone knows no organisation " + std::string(word) +
                             "; see gw list orgunit")));
}

Result<std::string> assignment_to_grant(const Road& road, const std::string& whistle) {
  std::vector<std::string> called;
  for (const RoadPart& part : road.parts) {
    const v1::Assignment& one = part.assignment.record;
    if (one.state() != v1::ASSIGNMENT_STATE_WITHDRAWN) called.push_back(one.id());
  }
  if (called.size() == 1) return called.front();
  if (called.empty()) {
    return fail(ErrorCode::kInvalid, both("本机所知的这条哨声没有交办任何单位",
                                          "as far as this phone knows nobody is called to it"));
  }
  const std::string ids = "gw road " + whistle;
  return terminal::typed_wrong(
      about("--assignment", both("请指明是哪一项交办，标识见 " + ids,
                                 "say whose part it is about; the ids stand in " + ids)));
}

std::string name_of_record(Client& client, KindId kind, const RecordId& id) {
  if (id.is_nil()) return {};
  std::string name;
  if (kind == kinds::kWorker) {
    if (const auto found = client.get<v1::Worker>(id)) name = found->record.name();
  } else if (kind == kinds::kOrgUnit) {
    if (const auto found = client.get<v1::OrgUnit>(id)) name = found->record.name();
  } else if (kind == kinds::kWhistle) {
    if (const auto found = client.get<v1::Whistle>(id)) name = found->record.number();
  }
  return name.empty() ? id.text() : name;
}

}  // namespace gridwhistle::cli

#include <map>

#include "app/commands.h"
#include "app/forget_journal.h"
#include "app/listing.h"
#include "schema/tables.h"

namespace gridwhistle::app {

namespace {

Result<std::vector<RecordKey>> keys_of(const County& county,
                                       const std::vector<std::string>& records) {
  std::vector<RecordKey> keys;
  for (const std::string& text : records) {
    const auto id = RecordId::parse(text);
    if (!id) {
      return fail(ErrorCode::kInvalid,
                  both("“" + text + "”不是记录标识；export 列出每条记录的标识",
                       "\"" + text + "\" is no record's id; `export` lists them"));
    }
    auto key = county.locate(*id);
    if (!key) return std::unexpected(std::move(key.error()));
    keys.push_back(*key);
  }
  return keys;
}

// Counts alone: what the records say is nobody's business on the way out.
void print(const ForgetReport& report, const Output& output) {
  std::map<KindId, std::uint64_t> by_kind;
  for (const RecordKey& key : report.records) ++by_kind[key.kind];
  Sheet sheet;
  for (const auto& [kind, count] : by_kind) {
    const KindSchema* known = built_schema().kind(kind);
    sheet.add({known->name, known->name, known->name_zh}, number_value(count));
  }
  sheet.add({"receipts", "Receipts that quote them", "引用其内容的回执"},
            number_value(report.receipts));
  sheet.add({"lost_values", "Values that lost", "未生效的值"}, number_value(report.lost_values));
  sheet.add({"kept", "Kept work on them", "与其有关的留存内容"}, number_value(report.kept));
  sheet.print(output);
}

ExitCode forget(Context& context, const std::vector<RecordKey>& keys, bool yes) {
  const Output& output = context.output;
  const Surroundings& around = context.surroundings;
  const auto report =
      forget_noted(context.county, around.config, keys, around.by, yes, around.now_ms);
  if (!report) return output.fail(report.error());
  print(*report, output);
  if (!yes) {
    output.line("Nothing was deleted. With --yes this goes for good; nobody can bring it back.",
                "未删除任何内容。加 --yes 将彻底删除，任何人都无法恢复。");
    return ExitCode::kDone;
  }
  output.line("Deleted for good here. Phones delete it when they call next.",
              "此处已彻底删除。各手机下次连接时删除。");
  output.line(
      "Backups made before hold it until they are dropped; none of them is restored without "
      "deleting it again.",
      "此前的备份在清除之前仍含有这些内容；用它们恢复时会再次删除。");
  if (report->not_wiped) {
    output.line(
        "Another program is reading the file: what was removed stands in its log until that "
        "ends.",
        "另一个程序正在读取数据库：被删除的内容在其结束前仍留在日志中。");
  }
  return ExitCode::kDone;
}

}  // namespace

ExitCode run_command(Context& context, const ForgetCommand& command) {
  const auto keys = keys_of(context.county, command.records);
  if (!keys) return context.output.fail(keys.error());
  return forget(context, *keys, command.yes);
}

ExitCode run_command(Context& context, const RetentionCommand& command) {
  const auto due = context.county.due(context.surroundings.config.retention);
  if (!due) return context.output.fail(due.error());
  return forget(context, *due, command.yes && !due->empty());
}

}  // namespace gridwhistle::app

#include "app/commands.h"
#include "app/faults.h"
#include "app/listing.h"
#include "import/import.h"

namespace gridwhistle::app {
namespace {

Result<std::vector<import::ReferenceRow>> existing_rows(const County& county) {
  std::vector<import::ReferenceRow> existing;
  for (const KindId kind : import::imported_kinds()) {
    auto rows = county.all(kind);
    if (!rows) return std::unexpected(rows.error());
    for (StoredRow& row : *rows) existing.push_back({row.kind, row.id, std::move(row.body)});
  }
  return existing;
}

ExitCode tell_problems(const import::Problems& problems, const Output& output) {
  for (const import::Problem& problem : problems.kept()) output.out(fault_line(problem, output));
  const std::string count = std::to_string(problems.count());
  if (!output.json) {
    const std::string english = counted(problems.count(), "problem", "problems");
    output.err(std::string(output.say(english + ", nothing was imported",
                                      count + " 处问题，未导入任何内容")) +
               "\n");
  }
  return ExitCode::kFaults;
}

}  // namespace

ExitCode run_command(Context& context, const ImportCommand& command) {
  const Output& output = context.output;
  std::vector<import::SourceFile> sources;
  for (const auto& [name, bytes] : context.files) sources.push_back({name, bytes});
  const auto existing = existing_rows(context.county);
  if (!existing) return output.fail(existing.error());
  auto rows = import::read(sources, *existing, context.county.name(), context.surroundings.now_ms);
  if (!rows) return tell_problems(rows.error(), output);
  std::vector<ImportedRecord> records;
  for (import::ReferenceRow& row : *rows)
    records.push_back({row.kind, row.id, std::move(row.body)});
  const auto report =
      context.county.import_records(records, context.surroundings.by, command.dry_run);
  if (!report) return output.fail(report.error());
  Sheet sheet;
  sheet.add({"created", "New", "新增"}, number_value(report->created));
  sheet.add({"changed", "Changed", "变更"}, number_value(report->changed));
  sheet.add({"unchanged", "As before", "未变"}, number_value(report->unchanged));
  if (report->led > 0 || output.json) {
    sheet.add({"led", "Led from the queue", "移出无头事项"}, number_value(report->led));
  }
  if (output.json) sheet.add({"dry_run", "", ""}, flag_value(command.dry_run, ""));
  sheet.print(output);
  if (command.dry_run) output.line("Nothing was written: --dry-run", "试运行，未写入");
  return ExitCode::kDone;
}

}  // namespace gridwhistle::app

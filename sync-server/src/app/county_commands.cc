#include <algorithm>
#include <filesystem>
#include <iterator>

#include "app/backup.h"
#include "app/commands.h"
#include "app/listing.h"
#include "app/storage_warning.h"
#include "schema/tables.h"

namespace gridwhistle::app {

ExitCode run_command(Context& context, const StatusCommand&) {
  const Output& output = context.output;
  const auto status = context.county.status();
  if (!status) return output.fail(status.error());
  Sheet sheet;
  sheet.add({"county", "County", "县区"}, text_value(status->county));
  const ServerConfig& config = context.surroundings.config;
  sheet.add({"config", "Configuration", "配置"},
            text_value(std::filesystem::absolute(config.path).lexically_normal().string()));
  sheet.add(
      {"database", "Database", "数据库"},
      text_value(std::filesystem::absolute(config.database_path()).lexically_normal().string()));
  sheet.add({"last_seq", "Log", "日志号"}, number_value(status->last_seq.value));
  sheet.add({"backed_up", "Backed up to", "已备份至"}, number_value(status->backed_up.value));
  sheet.add({"forgettable", "  phones keep what is after", "  手机保留此后内容"},
            number_value(status->forgettable.value));
  sheet.add({"backed_up_ms", "Last backup", "最近备份"}, time_value(status->backed_up_ms));
  sheet.add({"starts", "Starts", "启动次数"}, number_value(status->epochs));
  sheet.add({"devices", "Devices", "设备"}, number_value(status->devices));
  sheet.add({"silent_devices", "  silent", "  静默"}, number_value(status->silent_devices));
  sheet.add({"calls", "Calls open", "在线连接"}, number_value(status->sessions));
  sheet.add({"whistles", "Whistles", "哨声"}, number_value(status->whistles));
  sheet.add({"headless", "  无头事项", "  无头事项"}, number_value(status->headless));
  sheet.add({"sealed", "Sealed", "待复核"}, number_value(status->sealed));
  sheet.add({"parked", "Parked", "暂存"}, number_value(status->parked));
  if (status->redrawing > 0 || output.json) {
    sheet.add({"redrawing", "Grids being redrawn", "正在调整的网格"},
              number_value(status->redrawing));
  }
  for (const auto& [kind, count] : status->records) {
    const KindSchema* known = built_schema().kind(kind);
    if (known && count > 0)
      sheet.add({known->name, known->name, known->name_zh}, number_value(count));
  }
  sheet.print(output);
  if (const auto warning = storage_warning(context.county.storage_health())) {
    output.line("Warning: " + warning->en, "警告：" + warning->zh);
  }
  const auto warning = backup_warning(context.surroundings.config, status->backed_up_ms,
                                      context.surroundings.now_ms);
  if (warning) output.line("Warning: " + warning->en, "警告：" + warning->zh);
  return ExitCode::kDone;
}

ExitCode run_command(Context& context, const VerifyCommand&) {
  const Output& output = context.output;
  auto report = context.county.verify();
  if (!report) return output.fail(report.error());
  std::ranges::move(report->orphans, std::back_inserter(report->faults));
  const auto told = [&](const std::vector<Line>& lines) {
    std::vector<std::string> texts;
    for (const Line& line : lines) texts.push_back(output.say(line));
    return texts;
  };
  if (output.json) {
    const nlohmann::ordered_json json = {{"faults", told(report->faults)},
                                         {"notes", told(report->notes)},
                                         {"records", report->records},
                                         {"memberships", report->memberships},
                                         {"audit_entries", report->audit_entries}};
    output.out(json.dump() + "\n");
  } else {
    for (const Line& fault : report->faults) output.line("FAULT " + fault.en, "错误 " + fault.zh);
    for (const Line& note : report->notes) output.line("note  " + note.en, "说明 " + note.zh);
    const std::string records = std::to_string(report->records);
    const std::string entries = std::to_string(report->audit_entries);
    const std::string faults = std::to_string(report->faults.size());
    output.line(counted(report->records, "record", "records") + ", " +
                    counted(report->audit_entries, "audit entry", "audit entries") + ": " +
                    counted(report->faults.size(), "fault", "faults"),
                records + " 条记录，" + entries + " 条审计：" + faults + " 处错误");
  }
  return report->faults.empty() ? ExitCode::kDone : ExitCode::kFaults;
}

ExitCode run_command(Context& context, const ExportCommand& command) {
  const auto done = context.county.export_json(
      command.purpose, context.surroundings.by, [&](std::string_view line) -> Result<void> {
        context.output.out(std::string(line) + (line.ends_with('\n') ? "" : "\n"));
        return {};
      });
  return done ? ExitCode::kDone : context.output.fail(done.error());
}

ExitCode run_command(Context& context, const BackupCommand& command) {
  const Output& output = context.output;
  const std::filesystem::path given = context.surroundings.working_directory;
  const std::string path = command.path.empty() ? "" : (given / command.path).string();
  const auto made = make_backup(context.county, context.surroundings.config, path,
                                context.surroundings.by, context.surroundings.now_ms);
  if (!made) return output.fail(made.error());
  Sheet sheet;
  sheet.add({"path", "Backup", "备份文件"}, text_value(made->path));
  sheet.add({"upto", "Up to", "日志号"}, number_value(made->upto.value));
  sheet.print(output);
  if (!made->damaged.empty()) {
    output.line("Warning: " + made->damaged +
                    " is not as it was written; it and what stands on it cannot be restored. Put a "
                    "copy of it back, if there is one, and look after that disk.",
                "警告：" + made->damaged +
                    " 与备份时不同，它和以它为基础的备份都无法恢复。如有副本请放回，并检查该磁盘。");
  }
  return ExitCode::kDone;
}

}  // namespace gridwhistle::app

#include <algorithm>

#include "app/commands.h"
#include "app/listing.h"
#include "schema/tables.h"

namespace gridwhistle::app {

namespace {

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

Result<void> read_workers(const Context& context, const std::vector<std::string>& typed,
                          RedrawRequest& request) {
  for (const std::string& text : typed) {
    const std::size_t at = text.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == text.size()) {
      return fail(ErrorCode::kInvalid,
                  both("“" + text + "”应写作 人员=网格，如 WG001=440811001001012",
                       "\"" + text + "\" is written WORKER=GRID, WG001=440811001001012 for one"));
    }
    auto worker = context.directory.worker(text.substr(0, at));
    if (!worker) return std::unexpected(std::move(worker.error()));
    request.workers[*worker].push_back(text.substr(at + 1));
  }
  return {};
}

void print_records(const RedrawReport& report, const Output& output) {
  Listing listing(
      {{"grid", "Grid", "网格"}, {"kind", "Kind", "种类"}, {"records", "Records", "记录"}});
  for (const auto& [where, count] : report.records) {
    const KindSchema* kind = built_schema().kind(where.second);
    listing.add({text_value(where.first),
                 {kind->name, std::string(output.say(kind->name, kind->name_zh))},
                 number_value(count)});
  }
  listing.print(output, "No records lie there", "其中没有记录");
}

ExitCode redraw(Context& context, const RedrawRequest& request, bool dry_run) {
  const Output& output = context.output;
  const auto report = context.county.redraw_grids(request, context.surroundings.by, dry_run);
  if (!report) return output.fail(report.error());
  std::vector<std::string> workers;
  for (const RecordId worker : report->workers) {
    workers.push_back(context.directory.worker_code(worker));
  }
  std::ranges::sort(workers);
  if (output.json) {
    nlohmann::ordered_json records = nlohmann::ordered_json::array();
    for (const auto& [where, count] : report->records) {
      records.push_back({{"grid", where.first},
                         {"kind", built_schema().kind(where.second)->name},
                         {"records", count}});
    }
    const nlohmann::ordered_json json = {{"records", records},
                                         {"workers", workers},
                                         {"rules", report->rules},
                                         {"known", report->known},
                                         {"dry_run", dry_run}};
    output.out(json.dump() + "\n");
    return ExitCode::kDone;
  }
  if (report->known) {
    output.line("This was ordered before; nothing is done twice.", "此前已调整过，不再重复。");
    return ExitCode::kDone;
  }
  print_records(*report, output);
  const std::string count = std::to_string(workers.size());
  output.line(
      "Roles of " + counted(workers.size(), "worker", "workers") + " follow: " + listed(workers),
      "角色随之调整 " + count + " 人：" + listed(workers));
  if (!report->rules.empty()) {
    output.line("Warning: these rules go by an old grid's code: " + listed(report->rules),
                "警告：这些分派规则写着原网格的代码：" + listed(report->rules));
  }
  if (dry_run) {
    output.line("Nothing was written: --dry-run", "试运行，未写入");
  } else {
    output.line(
        "New reports go by the new grids from now on; `status` says while records are "
        "still on their way. Write the roles into workers.csv, too.",
        "此后的上报按新网格归入；记录尚在迁移时 status 会说明。请在 workers.csv 中同步修改角色。");
  }
  return ExitCode::kDone;
}

}  // namespace

ExitCode run_command(Context& context, const GridSplitCommand& command) {
  RedrawRequest request{{command.grid}, command.into, command.rest, {}};
  if (auto read = read_workers(context, command.workers, request); !read) {
    return context.output.fail(read.error());
  }
  return redraw(context, request, command.dry_run);
}

ExitCode run_command(Context& context, const GridMergeCommand& command) {
  return redraw(context, {command.grids, {command.into}, command.into, {}}, command.dry_run);
}

ExitCode run_command(Context& context, const HandoverCommand& command) {
  const Output& output = context.output;
  const auto from = context.directory.worker(command.from);
  if (!from) return output.fail(from.error());
  const auto to = context.directory.worker(command.to);
  if (!to) return output.fail(to.error());
  const auto report = context.county.hand_over(*from, *to, command.grids, context.surroundings.by);
  if (!report) return output.fail(report.error());
  Sheet sheet;
  sheet.add({"grids", "Grids", "网格"}, {report->grids, listed(report->grids)});
  sheet.add({"roles", "Roles", "角色"}, number_value(report->roles));
  sheet.add({"tasks", "Open tasks", "未完成任务"}, number_value(report->tasks));
  sheet.add({"care_plans", "Care plans", "关爱计划"}, number_value(report->care_plans));
  sheet.print(output);
  output.line(
      "What " + command.from +
          " recorded until now still counts when it comes. Write the "
          "roles into workers.csv, too.",
      command.from + " 此前记录而未发送的内容，送达后仍然有效。请在 workers.csv 中同步修改角色。");
  return ExitCode::kDone;
}

}  // namespace gridwhistle::app

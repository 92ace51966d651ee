#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/help_texts.h"
#include "app/whistle_listing.h"
#include "base/line.h"
#include "model/choices.h"
#include "schema/kinds.h"
#include "terminal/help.h"
#include "terminal/printable.h"
#include "terminal/usage.h"

namespace gridwhistle::app {
namespace {

/// An option that takes one of a field's words, for an action alone.
std::string words_for(const std::string& english, const std::string& chinese, KindId kind,
                      std::string_view field) {
  const Line known = choices(field_schema(kind, field));
  return both(english + " " + chinese + "：" + known.zh, english + ": " + known.en);
}

/// One subcommand: options write into `command`, and running it moves that into the line.
class Builder {
 public:
  Builder(CommandLine& line, Language language)
      : line_(line),
        made_(std::make_unique<CLI::App>(about_program(), "gridwhistle-server")),
        app_(*made_) {
    terminal::add_help(app_, language == Language::kChinese);
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.add_option("-c,--config", line.config,
                    both("配置文件［本文件夹的 gridwhistle.toml］",
                         "Configuration [gridwhistle.toml in this folder]"))
        ->type_name("FILE");
    app_.add_option("--lang", line.language,
                    both("中文或英文［终端的 LANG］", "Chinese or English [LANG's]"))
        ->check(CLI::IsMember({"zh", "en"}))
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app_.add_option("--by", line.by,
                    both("操作人，记入审计［本机账号］", "Who asks, for the audit [the account]"))
        ->type_name("NAME");
    app_.add_flag("--json", line.json,
                  both("供程序读取：每行一个 JSON 对象", "For programs: JSON, an object a line"));
    setup();
    devices();
    grids();
    whistles();
    act();
    review();
    county();
    // Last: a command begins with what its program has at that moment.
    app_.footer(program_footer());
  }

  std::unique_ptr<CLI::App> take() { return std::move(made_); }

 private:
  template <typename Command>
  struct Added {
    CLI::App& app;
    Command& command;

    template <typename Value>
    CLI::Option* takes(const std::string& name, Value& value, const char* chinese,
                       const char* english) {
      return app.add_option(name, value, both(chinese, english));
    }
    void examples(const std::vector<std::string>& lines) {
      std::vector<std::string> whole;
      for (const std::string& line : lines) whole.push_back("gridwhistle-server " + line);
      terminal::add_examples(app, whole);
    }
  };

  template <typename Kind, typename Command>
  Added<Command> add(CLI::App& parent, const std::string& name, const std::string& about) {
    auto command = std::make_shared<Command>();
    CLI::App* sub = parent.add_subcommand(name, about);
    sub->callback([&line = line_, command] { line.command = Kind(*command); });
    return {*sub, *command};
  }
  template <typename Command>
  auto local(const std::string& name, const std::string& about) {
    return add<LocalCommand, Command>(app_, name, about);
  }
  template <typename Command>
  auto county_command(CLI::App& parent, const std::string& name, const std::string& about) {
    return add<CountyCommand, Command>(parent, name, about);
  }

  void setup() {
    auto init = local<InitCommand>("init", both("建立一个县：配置、数据库和密钥",
                                                "Makes a county: its configuration, file and key"));
    init.takes("--county", init.command.county, "县区的六位代码", "The county's six digits")
        ->required();
    init.takes("--public", init.command.public_address,
               "手机连接本服务器的 HOST:PORT；服务器监听 7443 端口，可在 gridwhistle.toml 中更改",
               "HOST:PORT where phones reach this server; it listens at port 7443, until "
               "gridwhistle.toml says another")
        ->required();
    init.takes("folder", init.command.folder, "建在哪里［此处］", "Where to make it [here]");
    init.examples({"init mz --county 440811 --public sync.example.gov.cn:7443"});
    local<ServeCommand>("serve", both("为手机服务，直到 SIGTERM", "Serves phones until SIGTERM"));
    auto restore = local<RestoreCommand>(
        "restore", both("用核验过的备份恢复本县；请先停止服务器",
                        "Puts a verified backup in the county's place; stop the server first"));
    restore
        .takes("backup", restore.command.backup, "backup 命令所建的文件",
               "A file that `backup` made")
        ->required();
    restore.app.add_flag(
        "--replace", restore.command.replace,
        both("已有数据库：改名保留在旁边",
             "There is a county's file already: keep it beside, under a new name"));
    restore.examples({"restore backup/440811-20261122T062359Z.gwbackup --replace"});
    auto import = county_command<ImportCommand>(
        app_, "import",
        both("导入区划、网格、机构、人员、清单和规则",
             "Takes areas, grids, organisations, people, lists and rules"));
    import
        .takes("paths", import.command.paths, "下列名称的文件，或其所在文件夹",
               "Files named as below, or a folder of them")
        ->required();
    import.app.add_flag("--dry-run", import.command.dry_run,
                        both("全部检查并说明会有哪些变更；不写入",
                             "Checks everything and says what would change; writes nothing"));
    import.app.footer(about_import_files());
    import.examples({"import data/mazhang --dry-run", "import workers.csv"});
  }

  void devices() {
    auto bundle = county_command<ImportBundleCommand>(
        app_, "import-bundle",
        both("导入一部手机离线导出、由人带来的内容（gw bundle export）",
             "Takes what a phone had unsent and somebody carried here (`gw bundle export`)"));
    bundle
        .takes("file", bundle.command.path, "gw bundle export 所建的文件",
               "A file that `gw bundle export` made")
        ->required();
    bundle.examples({"import-bundle unsent.gwbundle"});
    auto enrol = county_command<EnrolCommand>(
        app_, "enrol",
        both("供一名人员的手机使用一次的注册码", "A one-time code for a worker's phone"));
    enrol.takes("worker", enrol.command.worker, "人员代码", "The worker's code")->required();
    enrol.examples({"enrol WG001"});
    auto revoke = county_command<RevokeCommand>(app_, "revoke",
                                                both("停用一台设备", "Ends a device's access"));
    revoke.takes("device", revoke.command.device, "如 devices 所列", "As `devices` names it")
        ->required();
    auto* why = revoke.app.add_option_group("why");
    why->require_option(1);
    why->add_flag("--left", revoke.command.left,
                  both("人员离职：此后发来的内容待复核",
                       "Its worker left: what it still sends goes to the reviewer"));
    why->add_flag("--lost", revoke.command.lost,
                  both("设备遗失：不再接收它发送的内容", "It was lost: it may send nothing"));
    revoke.examples({"revoke 3f0a5c21d9e84b07 --lost"});
    auto devices = county_command<DevicesCommand>(
        app_, "devices",
        both("手机列表：最近联系、未发送、静默", "Lists phones: seen, unsent, silent"));
    devices.app.add_flag("--silent", devices.command.silent,
                         both("只列长时间没有联系的", "Only those not heard of for too long"));
  }

  void grids() {
    CLI::App* grid = app_.add_subcommand("grid", both("拆分或合并网格", "Splits or merges grids"));
    grid->require_subcommand(1);
    auto split = county_command<GridSplitCommand>(
        *grid, "split",
        both("把一个网格拆成几个；记录按位置、住户归入，角色随之调整",
             "One grid into several; records go by position and household, roles follow"));
    split.takes("grid", split.command.grid, "原网格的 15 位代码", "The grid's 15 digits")
        ->required();
    split
        .takes("into", split.command.into, "新网格，已导入边界；缩小后保留的原网格也写上",
               "The new grids, imported with their boundaries; the old one too, where it goes on")
        ->required();
    split
        .takes("--rest", split.command.rest, "没有位置的记录归入其中哪个网格",
               "Which of them takes what has no position")
        ->required();
    split
        .takes("--worker", split.command.workers,
               "该人员只负责其中这个网格；可重复；其他人员负责全部新网格",
               "This worker goes on in this one alone; may be repeated; all others go on in all")
        ->type_name("WORKER=GRID");
    add_dry_run(split.app, split.command.dry_run);
    split.examples(
        {"grid split 440811001001001 440811001001011 440811001001012 --rest "
         "440811001001011 --dry-run",
         "grid split 440811001001001 440811001001001 440811001001012 --rest "
         "440811001001001 --worker WG001=440811001001012"});
    auto merge = county_command<GridMergeCommand>(
        *grid, "merge",
        both("把几个网格并成一个；记录和角色都归入", "Several grids into one, with all in them"));
    merge.takes("grids", merge.command.grids, "原网格的代码", "The grids' codes")->required();
    merge
        .takes("--into", merge.command.into, "并入的网格，可以是其中之一",
               "The grid that takes them in; it may be one of them")
        ->required();
    add_dry_run(merge.app, merge.command.dry_run);
    merge.examples({"grid merge 440811001001001 440811001001002 --into 440811001001002"});
    auto handover = county_command<HandoverCommand>(
        app_, "handover",
        both("把一名人员的网格交给另一名，连同指名交办的任务和关爱计划",
             "Gives one worker's grids to another, with tasks and care plans given by name"));
    handover.takes("from", handover.command.from, "移交人的代码", "Whose they are")->required();
    handover.takes("to", handover.command.to, "接收人的代码", "Who takes over")->required();
    handover.takes("--grid", handover.command.grids, "只移交这个网格；可重复",
                   "This grid alone; may be repeated");
    handover.examples({"handover WG001 WG007", "handover WG001 WG007 --grid 440811001001002"});
  }

  static void add_dry_run(CLI::App& app, bool& dry_run) {
    app.add_flag("--dry-run", dry_run,
                 both("只说明会有哪些变更；不写入", "Says what would change; writes nothing"));
  }

  void whistles() {
    CLI::App* queue = app_.add_subcommand(
        "queue", both("无头事项：没有规则可循的哨声", "无头事项: whistles that no rule covers"));
    queue->require_subcommand(1);
    county_command<QueueListCommand>(*queue, "list",
                                     both("列表，最早的在前", "Lists them, oldest first"));
    auto assign = county_command<QueueAssignCommand>(
        *queue, "assign", both("为其交办机构", "Calls organisations to one"));
    assign.takes("whistle", assign.command.whistle, "哨声编号", "Its number")->required();
    assign.takes("--lead", assign.command.lead, "主办机构", "The organisation that leads")
        ->required();
    assign.takes("--co", assign.command.co, "协办机构；可重复", "One that helps; may be repeated");
    assign.examples({"queue assign EAP6-000008-6 --lead BM-CG --co BM-GA"});
    auto inbox = county_command<InboxCommand>(
        app_, "inbox", both("一个机构的待办", "What an organisation has to do"));
    inbox.takes("organisation", inbox.command.organisation, "机构代码", "Its code")->required();
    inbox.examples({"inbox BM-CG"});
    auto explain = county_command<ExplainCommand>(
        app_, "explain", both("一条哨声为什么在这里", "Why a whistle is where it is"));
    explain.takes("whistle", explain.command.whistle, "哨声编号", "Its number")->required();
    explain.examples({"explain EAP6-000008-6"});
  }

  void act() {
    auto added = county_command<ActCommand>(
        app_, "act",
        both("工作人员的流转动作：受理、吹哨、交办、报到……",
             "An action of staff: accept, blow, assign, check_in, start, report_back…"));
    ActCommand& act = added.command;
    const Line actions = choices(field_schema(kinds::kWhistleAction, "type"));
    added.takes("whistle", act.whistle, "哨声编号", "Its number")->required();
    added.takes("action", act.action, actions.zh.c_str(), actions.en.c_str())->required();
    added.takes("--as", act.actor, "办理人的代码", "The code of the worker who acts")->required();
    added.takes("--for", act.organisation, "代表哪个机构［本人所属］",
                "The organisation acted for [the worker's own]");
    added.takes("--part-of", act.part_of, "针对哪个机构的交办［即该机构的］",
                "Whose part it is about [that organisation's]");
    added.takes("--note", act.note, "说明", "In words");
    added.takes("--lead", act.lead,
                "assign 交办、joint_meeting 会商、push_down 下沉：主办或接收机构",
                "assign, joint_meeting, push_down: who leads or receives");
    added.takes("--co", act.co, "assign 交办、joint_meeting 会商：协办机构；可重复",
                "assign, joint_meeting: who helps; may be repeated");
    added.takes("--item", act.item, "assign 交办、push_down 下沉：责任清单条目",
                "assign, push_down: the responsibility item");
    added.takes("--other", act.other, "merge 并单：并入的哨声",
                "merge: the whistle it goes on with");
    added.takes("--until", act.until, "延期和挂账：日期，如 2026-01-31",
                "Extensions and suspensions: a day like 2026-01-31");
    added.app.add_option(
        "--level", act.level,
        words_for("pull_up, push_down", "提级、下沉", kinds::kWhistleAction, "level"));
    added.app.add_option("--class", act.whistle_class,
                         words_for("accept", "受理", kinds::kWhistleAction, "whistle_class"));
    added.app.add_option(
        "--result", act.result,
        words_for("return_visit", "回访", kinds::kWhistleAction, "return_visit_result"));
    added.app.add_option(
        "--reason", act.reason,
        followed_by(words_for("refuse", "不予受理", kinds::kWhistle, "refusal_reason"),
                    objection_reasons()));
    added.app.add_flag(
        "--on-site", act.on_site,
        both("check_in 报到：到现场，不是电话联系", "check_in: on the spot, not by telephone"));
    added.examples({"act EAP6-000008-6 accept --as SL100 --class key",
                    "act EAP6-000008-6 assign --as DD100 --lead BM-CG --co BM-GA",
                    "act EAP6-000008-6 check_in --as BM-CG1 --on-site",
                    "act EAP6-000008-6 return_visit --as HF100 --result satisfied"});
  }

  void review() {
    CLI::App* review = app_.add_subcommand(
        "review", both("等待人来决定的内容", "Work that waits for a person's decision"));
    review->require_subcommand(1);
    county_command<ReviewListCommand>(
        *review, "list", both("封存的内容和恢复的记录", "Sealed work and records that came back"));
    auto show = county_command<ReviewShowCommand>(
        *review, "show", both("封存内容写了什么", "What sealed work says"));
    show.takes("number", show.command.number, "列表中的序号", "As listed")->required();
    show.takes("--purpose", show.command.purpose, "显示个人信息并记入审计；不写则脱敏",
               "Shows personal data, and notes that in the audit; without it, masked");
    show.examples({"review show 3 --purpose 核对离职人员的记录"});
    auto accept = county_command<ReviewAcceptCommand>(
        *review, "accept", both("采纳封存的内容", "Applies sealed work"));
    accept.takes("number", accept.command.number, "列表中的序号", "As listed")->required();
    auto back = county_command<ReviewReturnCommand>(
        *review, "return", both("退回作者并说明原因", "Tells its author why not"));
    back.takes("number", back.command.number, "列表中的序号", "As listed")->required();
    back.takes("--reason", back.command.reason, "给作者的原因", "For its author")->required();
    back.examples({"review return 3 --reason 与既有记录重复"});
    auto done = county_command<ReviewDoneCommand>(
        *review, "done",
        both("把恢复的记录从列表中去掉", "Takes a record that came back off the list"));
    done.takes("number", done.command.number, "列表中的序号", "As listed")->required();
  }

  void county() {
    auto forget = county_command<ForgetCommand>(
        app_, "forget",
        both("彻底删除记录及其所属内容：手机、检索、审计和备份中都不再有",
             "Deletes records for good, with what belongs to them: from phones, search, audit, "
             "backups"));
    forget
        .takes("records", forget.command.records, "记录的标识，如 export 所列",
               "Records' ids, as `export` lists them")
        ->required();
    forget.app.add_flag(
        "--yes", forget.command.yes,
        both("真正删除；不写则只说明会删除什么", "Does it; without it, only says what would go"));
    forget.examples({"forget 3f0a5c21-d9e8-8b07-8000-00000000002a",
                     "forget 3f0a5c21-d9e8-8b07-8000-00000000002a --yes"});
    auto retention = county_command<RetentionCommand>(
        app_, "retention",
        both("保存期满、每天自动彻底删除的内容有多少",
             "How much may not be kept any longer; the server deletes it every day"));
    retention.app.add_flag("--yes", retention.command.yes,
                           both("现在就彻底删除", "Deletes it for good now"));
    county_command<StatusCommand>(app_, "status", both("本县情况", "How the county stands"));
    county_command<VerifyCommand>(
        app_, "verify",
        both("检查数据库、审计链、摘要、范围和引用",
             "Checks the file, the audit's chain, digests, scopes and references"));
    auto out = county_command<ExportCommand>(
        app_, "export", both("每条记录一行 JSON", "Every record as a line of JSON"));
    out.takes("--purpose", out.command.purpose, "显示个人信息并记入审计；不写则脱敏",
              "Shows personal data, and notes that in the audit; without it, masked");
    out.examples({"export > county.jsonl", "export --purpose 移交档案 > county.jsonl"});
    auto backup = county_command<BackupCommand>(
        app_, "backup", both("核验过的副本，运行中也可以", "A checked copy, while serving too"));
    backup.takes("path", backup.command.path, "新文件［备份文件夹中］",
                 "A new file [in the backup folder]");
  }

  CommandLine& line_;
  std::unique_ptr<CLI::App> made_;
  CLI::App& app_;
};

}  // namespace

int tell(const Usage& usage, const Output& output) {
  if (usage.exit_code == 0) {
    output.out(usage.text);
  } else if (usage.json) {
    const nlohmann::ordered_json told = {{"error", "usage"}, {"message", usage.text}};
    output.err(told.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  } else {
    output.err("gridwhistle-server: " + terminal::printable(usage.text) + "\n");
  }
  return usage.exit_code;
}

std::unique_ptr<CLI::App> make_app(CommandLine& line, Language language) {
  return Builder(line, language).take();
}

std::expected<CommandLine, Usage> parse_command_line(const std::vector<std::string>& arguments,
                                                     Language language) {
  // Options are not filled in yet when one of them is wrong.
  const bool json = std::ranges::find(arguments, "--json") != arguments.end();
  const auto wrong = [&](const Line& told) {
    return std::unexpected(Usage{static_cast<int>(ExitCode::kUsage),
                                 language == Language::kChinese ? told.zh : told.en, json});
  };
  if (const auto no_text = terminal::no_text_line(arguments)) return wrong(*no_text);
  CommandLine line;
  const auto app = make_app(line, language);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app->parse(reversed);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      std::ostringstream help;
      app->exit(error, help, help);
      return std::unexpected(Usage{.text = help.str()});
    }
    return wrong(terminal::usage_line(*app, error));
  }
  return line;
}

}  // namespace gridwhistle::app

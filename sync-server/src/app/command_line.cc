#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <sstream>

#include "terminal/printable.h"
#include "terminal/usage.h"

namespace gridwhistle::app {
namespace {

constexpr char kAbout[] =
    R"(The server of a county's grid work: takes over what grid workers' phones recorded, merges and routes it.

First day, in an empty folder, with LISTS the folder of the county's lists (the sample county's is data/mazhang in the sources):
  gridwhistle-server init --county 440811 --public HOST:7443   makes gridwhistle.toml, the county's file, its key
  gridwhistle-server import LISTS --dry-run                    checks areas, grids, people, lists and rules
  gridwhistle-server import LISTS                              takes them; `import --help` says what they are
  gridwhistle-server serve                                     phones can call while this runs; go on in a second terminal, in the same folder
  gridwhistle-server enrol WG001                               a one-time code for that worker's phone, good for ten minutes
  gridwhistle-server status                                    how the county stands, and warnings)";

constexpr char kImportFooter[] =
    R"(Files are known by their names. They may come together in any order, or singly once the county has what they refer to. Columns in [] may be left out:
  areas.csv           code12, level, name [parent12, area_class, valid_from, valid_until]
  organisations.csv   code, name, level, department_type, area12 [short_name, parent, duty_phone, valid_until]
  grids.geojson       a Feature a grid, its polygon in WGS 84; code15, name, type [village12, owner, parent15, ...]
  workers.csv         code, name, organisation [duty_phone, roles, left]; a role is GRID_WORKER@grid:440811100001001
  categories.csv      code, name [parent, default_class, on_spot, emergency, keywords, help, valid_until]
  responsibility.csv  code, title, lead_department_type, levels, list_version [co_department_types, categories, ...]
  rules.toml          [[rule]] with code, responsibility_item [category_prefix, area_prefix, lead_level, ...]
Text is UTF-8; several values in a cell stand between semicolons; data/mazhang in the sources is a pattern of all, its README.md the whole list.
Everything is taken or nothing: each fault is named with its file and line. Importing again changes what differs. What a file leaves out stays, be it a row or a column; an empty cell empties. To end something give it a valid_until, a worker a left.)";

constexpr char kFooter[] =
    R"(init, serve and restore need that no server runs here. All others are run by the server while it runs, through a socket in the data folder, else on the file itself.
Exit codes: 0 done, 1 refused, 2 typed wrong, 3 faults found, 4 configuration, 5 no server and no file, 6 disk or file broken.)";

/// One subcommand: options write into `command`, and running it moves that into the line.
class Builder {
 public:
  explicit Builder(CommandLine& line) : line_(line), app_(kAbout, "gridwhistle-server") {
    app_.footer(kFooter);
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.get_formatter()->column_width(28);
    app_.add_option("-c,--config", line.config, "Configuration [gridwhistle.toml in this folder]")
        ->type_name("FILE");
    app_.add_option("--lang", line.language, "zh or en [the terminal's]")
        ->check(CLI::IsMember({"zh", "en"}))
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->type_name("LANG");
    app_.add_option("--by", line.by, "Who asks, for the audit [the account]")->type_name("NAME");
    app_.add_flag("--json", line.json, "For programs: JSON, an object a line");
    setup();
    devices();
    whistles();
    county();
  }

  CLI::App& app() { return app_; }

 private:
  template <typename Command, typename Kind>
  struct Added {
    CLI::App& app;
    Command& command;
  };

  template <typename Kind, typename Command>
  Added<Command, Kind> add(CLI::App& parent, const std::string& name, const std::string& about) {
    auto command = std::make_shared<Command>();
    CLI::App* sub = parent.add_subcommand(name, about);
    sub->callback([this, command] { line_.command = Kind(*command); });
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
    auto init = local<InitCommand>("init", "Makes a county: its configuration, file and key");
    init.app.add_option("--county", init.command.county, "The county's six digits")->required();
    init.app
        .add_option("--public", init.command.public_address,
                    "HOST:PORT where phones reach this server; it listens at port 7443, until "
                    "gridwhistle.toml says another")
        ->required();
    init.app.add_option("folder", init.command.folder, "Where to make it [here]");
    local<ServeCommand>("serve", "Serves phones until SIGTERM");
    auto restore = local<RestoreCommand>(
        "restore", "Puts a verified backup in the county's place; stop the server first");
    restore.app.add_option("backup", restore.command.backup, "A file that `backup` made")
        ->required();
    restore.app.add_flag("--replace", restore.command.replace,
                         "There is a county's file already: keep it beside, under a new name");
    auto import = county_command<ImportCommand>(
        app_, "import", "Takes areas, grids, organisations, people, lists and rules");
    import.app
        .add_option("paths", import.command.paths, "Files named as below, or a folder of them")
        ->required();
    import.app.add_flag("--dry-run", import.command.dry_run,
                        "Checks everything and says what would change; writes nothing");
    import.app.footer(kImportFooter);
  }

  void devices() {
    auto enrol =
        county_command<EnrolCommand>(app_, "enrol", "A one-time code for a worker's phone");
    enrol.app.add_option("worker", enrol.command.worker, "The worker's code")->required();
    auto revoke = county_command<RevokeCommand>(app_, "revoke", "Ends a device's access");
    revoke.app.add_option("device", revoke.command.device, "As `devices` names it")->required();
    auto* why = revoke.app.add_option_group("why");
    why->require_option(1);
    why->add_flag("--left", revoke.command.left,
                  "Its worker left: what it still sends goes to the reviewer");
    why->add_flag("--lost", revoke.command.lost, "It was lost: it may send nothing");
    auto devices =
        county_command<DevicesCommand>(app_, "devices", "Lists phones: seen, unsent, silent");
    devices.app.add_flag("--silent", devices.command.silent,
                         "Only those not heard of for too long");
  }

  void whistles() {
    CLI::App* queue = app_.add_subcommand("queue", "无头事项: whistles that no rule covers");
    queue->require_subcommand(1);
    county_command<QueueListCommand>(*queue, "list", "Lists them, oldest first");
    auto assign =
        county_command<QueueAssignCommand>(*queue, "assign", "Calls organisations to one");
    assign.app.add_option("whistle", assign.command.whistle, "Its number")->required();
    assign.app.add_option("--lead", assign.command.lead, "The organisation that leads")->required();
    assign.app.add_option("--co", assign.command.co, "One that helps; may be repeated");
    auto inbox = county_command<InboxCommand>(app_, "inbox", "What an organisation has to do");
    inbox.app.add_option("organisation", inbox.command.organisation, "Its code")->required();
    auto explain = county_command<ExplainCommand>(app_, "explain", "Why a whistle is where it is");
    explain.app.add_option("whistle", explain.command.whistle, "Its number")->required();
    act();
  }

  void act() {
    auto added = county_command<ActCommand>(
        app_, "act", "An action of staff: accept, blow, assign, check_in, start, report_back…");
    ActCommand& act = added.command;
    CLI::App& app = added.app;
    app.add_option("whistle", act.whistle, "Its number")->required();
    app.add_option("action", act.action, "As docs/workflow.md names it, in small letters")
        ->required();
    app.add_option("--as", act.actor, "The code of the worker who acts")->required();
    app.add_option("--for", act.organisation, "The organisation acted for [the worker's own]");
    app.add_option("--part-of", act.part_of, "Whose part it is about [that organisation's]");
    app.add_option("--note", act.note, "In words");
    app.add_option("--lead", act.lead, "assign, joint_meeting, push_down: who leads or receives");
    app.add_option("--co", act.co, "assign, joint_meeting: who helps; may be repeated");
    app.add_option("--item", act.item, "assign, push_down: the responsibility item");
    app.add_option("--other", act.other, "merge: the whistle it goes on with");
    app.add_option("--until", act.until, "Extensions and suspensions: a day like 2026-01-31");
    app.add_option("--level", act.level, "pull_up, push_down: village, town, county, city");
    app.add_option("--class", act.whistle_class, "accept: routine, key, difficult");
    app.add_option("--result", act.result,
                   "return_visit: satisfied, dissatisfied, unresolved, not_reached");
    app.add_option("--reason", act.reason,
                   "refuse: not_public, not_verified …; object: its number");
    app.add_flag("--on-site", act.on_site, "check_in: on the spot, not by telephone");
  }

  void county() {
    CLI::App* review = app_.add_subcommand("review", "Work that waits for a person's decision");
    review->require_subcommand(1);
    county_command<ReviewListCommand>(*review, "list", "Sealed work and records that came back");
    auto show = county_command<ReviewShowCommand>(*review, "show", "What sealed work says");
    show.app.add_option("number", show.command.number, "As listed")->required();
    show.app.add_option("--purpose", show.command.purpose,
                        "Shows personal data, and notes that in the audit; without it, masked");
    auto accept = county_command<ReviewAcceptCommand>(*review, "accept", "Applies sealed work");
    accept.app.add_option("number", accept.command.number, "As listed")->required();
    auto back = county_command<ReviewReturnCommand>(*review, "return", "Tells its author why not");
    back.app.add_option("number", back.command.number, "As listed")->required();
    back.app.add_option("--reason", back.command.reason, "For its author")->required();
    auto done = county_command<ReviewDoneCommand>(*review, "done",
                                                  "Takes a record that came back off the list");
    done.app.add_option("number", done.command.number, "As listed")->required();
    county_command<StatusCommand>(app_, "status", "How the county stands");
    county_command<VerifyCommand>(
        app_, "verify", "Checks the file, the audit's chain, digests, scopes and references");
    auto out = county_command<ExportCommand>(app_, "export", "Every record as a line of JSON");
    out.app.add_option("--purpose", out.command.purpose,
                       "Shows personal data, and notes that in the audit; without it, masked");
    auto backup =
        county_command<BackupCommand>(app_, "backup", "A checked copy, while serving too");
    backup.app.add_option("path", backup.command.path, "A new file [in the backup folder]");
  }

  CommandLine& line_;
  CLI::App app_;
};

}  // namespace

int tell(const Usage& usage, const Output& output) {
  (usage.exit_code == 0 ? output.out : output.err)(output.say(usage.text));
  return usage.exit_code;
}

std::expected<CommandLine, Usage> parse_command_line(const std::vector<std::string>& arguments) {
  CommandLine line;
  Builder builder(line);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    builder.app().parse(reversed);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      std::ostringstream help;
      builder.app().exit(error, help, help);
      return std::unexpected(Usage{0, {help.str(), help.str()}});
    }
    const Line wrong = terminal::usage_line(builder.app(), error);
    const auto told = [](const std::string& words) {
      return "gridwhistle-server: " + terminal::printable(words) + "\n";
    };
    return std::unexpected(Usage{2, {told(wrong.zh), told(wrong.en)}});
  }
  return line;
}

}  // namespace gridwhistle::app

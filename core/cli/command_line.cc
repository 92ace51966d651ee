#include "cli/command_line.h"

#include "base/line.h"
#include "terminal/help.h"

namespace gridwhistle::cli {
namespace {

constexpr char kAboutChinese[] =
    R"(网格哨：终端里的网格员手机。所有记录先可靠地保存在本机，有网络时再发送。

第一天，以麻章区样例中的网格和事项编码为例：
  gw enrol CODE                          向县服务器注册
  gw sync                                接收网格、清单和他人的记录
  gw visit start --grid 440811100001001  开始巡查
  gw whistle --title 井盖松动 --category 01001
  gw visit end --notes 一切正常
  gw sync                                发送并接收
  gw status                              哪些未发送、已发送、被退回，以及原因)";

constexpr char kAboutEnglish[] =
    R"(Gridwhistle: a grid worker's phone in the terminal. Everything is recorded on this machine first,
durably, and sent when there is a network.

A first day, in Mazhang with the grid and the codes of its sample:
  gw enrol CODE                          register with the county's server
  gw sync                                receive grids, lists and what others did
  gw visit start --grid 440811100001001  begin a patrol
  gw whistle --title 井盖松动 --category 01001
  gw visit end --notes 一切正常
  gw sync                                send and receive
  gw status                              what is unsent, sent, refused and why)";

constexpr char kFooterChinese[] =
    R"(每个命令都有自己的说明：gw whistle --help。所示时间均为北京时间。
退出码：0 完成；1 被拒绝，消息中有原因；2 命令写得不对；3 没有这条记录；4 连不上服务器，已记录的内容都在；
5 未注册；6 手机文件被占用、损坏、已满或只读。)";

constexpr char kFooterEnglish[] =
    R"(Each command has a help of its own: gw whistle --help. Times are China's (UTC+8).
Exit codes: 0 done; 1 refused, the message says why; 2 wrong command line; 3 no such record;
4 the server cannot be reached, what was recorded is safe; 5 not enrolled; 6 the phone's file is
locked, damaged, full or read-only.)";

}  // namespace

std::unique_ptr<CLI::App> make_app(Settings& settings, Chosen& chosen) {
  auto app = std::make_unique<CLI::App>(both(kAboutChinese, kAboutEnglish), "gw");
  terminal::add_help(*app, settings.chinese);
  app->require_subcommand(1);
  app->fallthrough();
  app->add_option("--home", settings.home,
                  both("手机文件和密钥所在的文件夹", "folder of the phone's file and key"))
      ->capture_default_str();
  app->add_flag("--json", settings.json,
                both("供程序读取：一份 JSON，不是表格", "one JSON document instead of a table"));
  app->add_option_function<std::string>("--lang", [](const std::string&) {})
      ->check(CLI::IsMember({"zh", "en"}))
      ->description(both("中文或英文；不写则按终端的 LANG", "Chinese or English; else LANG's"));
  app->add_option("--purpose", settings.purpose,
                  both("查看个人信息的用途；写明后完整显示，并留下记录",
                       "why personal data is read; shown in full then, and logged"));
  add_record_commands(*app, settings, chosen);
  add_whistle_commands(*app, settings, chosen);
  add_attachment_commands(*app, settings, chosen);
  add_sync_commands(*app, settings, chosen);
  // Last: a command begins with what its program has at that moment.
  app->footer(both(kFooterChinese, kFooterEnglish));
  return app;
}

}  // namespace gridwhistle::cli

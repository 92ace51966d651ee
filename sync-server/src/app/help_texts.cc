#include "app/help_texts.h"

#include "base/line.h"

namespace gridwhistle::app {
namespace {

constexpr char kAboutChinese[] =
    R"(县级网格工作服务器：接收网格员手机上的记录，合并并分派。

第一天，在一个空文件夹中；LISTS 是本县清单所在的文件夹（样例县的清单在源码的 data/mazhang）：
  gridwhistle-server init --county 440811 --public HOST:7443   建立 gridwhistle.toml、本县数据库和密钥
  gridwhistle-server import LISTS --dry-run                    检查区划、网格、人员、清单和规则
  gridwhistle-server import LISTS                              导入；各文件的写法见 import --help
  gridwhistle-server serve                                     运行时手机可以连接；请在另一个终端、同一文件夹中继续
  gridwhistle-server enrol WG001                               供该网格员手机使用一次的注册码，十分钟内有效
  gridwhistle-server status                                    本县情况和警告)";

constexpr char kAboutEnglish[] =
    R"(The server of a county's grid work: takes over what grid workers' phones recorded, merges and routes it.

First day, in an empty folder, with LISTS the folder of the county's lists (the sample county's is data/mazhang in the sources):
  gridwhistle-server init --county 440811 --public HOST:7443   makes gridwhistle.toml, the county's file, its key
  gridwhistle-server import LISTS --dry-run                    checks areas, grids, people, lists and rules
  gridwhistle-server import LISTS                              takes them; `import --help` says what they are
  gridwhistle-server serve                                     phones can call while this runs; go on in a second terminal, in the same folder
  gridwhistle-server enrol WG001                               a one-time code for that worker's phone, good for ten minutes
  gridwhistle-server status                                    how the county stands, and warnings)";

constexpr char kFilesChinese[] =
    "文件按名称识别，可一并导入，不分先后；所引用的内容本县已有时，也可单独导入。[] 中的列可省略：";
constexpr char kFilesEnglish[] =
    "Files are known by their names. They may come together in any order, or singly once the "
    "county has what they refer to. Columns in [] may be left out:";

/// The same in both languages: columns have the names they have.
constexpr char kFiles[] = R"(
  areas.csv           code12, level, name [parent12, area_class, valid_from, valid_until]
  organisations.csv   code, name, level, department_type, area12 [short_name, parent, duty_phone, valid_until]
  grids.geojson       code15, name, type [village12, owner, parent15, ...]
  workers.csv         code, name, organisation [duty_phone, roles, left]
  categories.csv      code, name [parent, default_class, on_spot, emergency, keywords, help, valid_until]
  responsibility.csv  code, title, lead_department_type, levels, list_version [co_department_types, categories, ...]
  rules.toml          [[rule]] code, responsibility_item [category_prefix, area_prefix, lead_level, ...]
)";

constexpr char kImportChinese[] =
    R"(grids.geojson 中每个 Feature 是一个网格，多边形用 WGS 84 坐标；角色写作 GRID_WORKER@grid:440811100001001。
文字用 UTF-8；一格中的多个值用分号隔开；源码的 data/mazhang 是各文件的范例，其中的 README.md 有完整说明。
要么全部导入，要么什么都不导入：每处错误都指明文件和行。再次导入时只改不同之处；文件中没有的行和列保持不变，
空格子则清空。要停用某项，填写 valid_until；人员离职，填写 left。)";

constexpr char kImportEnglish[] =
    R"(grids.geojson has a Feature a grid, its polygon in WGS 84; a role is GRID_WORKER@grid:440811100001001.
Text is UTF-8; several values in a cell stand between semicolons; data/mazhang in the sources is a pattern of all, its README.md the whole list.
Everything is taken or nothing: each fault is named with its file and line. Importing again changes what differs. What a file leaves out stays, be it a row or a column; an empty cell empties. To end something give it a valid_until, a worker a left.)";

constexpr char kFooterChinese[] =
    R"(init、serve 和 restore 须在本机没有服务器运行时使用。其他命令在服务器运行时由它执行（经数据文件夹中的套接字），否则直接在数据库上执行。
每个命令都有自己的说明：gridwhistle-server act --help。所示时间均为北京时间。
退出码：0 完成；1 被拒绝；2 命令写得不对；3 发现错误；4 配置；5 没有服务器也没有数据库；6 磁盘或文件损坏。)";

constexpr char kFooterEnglish[] =
    R"(init, serve and restore need that no server runs here. All others are run by the server while it runs, through a socket in the data folder, else on the file itself.
Each command has a help of its own: gridwhistle-server act --help. Times are China's (UTC+8).
Exit codes: 0 done, 1 refused, 2 typed wrong, 3 faults found, 4 configuration, 5 no server and no file, 6 disk or file broken.)";

}  // namespace

std::string about_program() { return both(kAboutChinese, kAboutEnglish); }

std::string program_footer() { return both(kFooterChinese, kFooterEnglish); }

std::string about_import_files() {
  return both(std::string(kFilesChinese) + kFiles + kImportChinese,
              std::string(kFilesEnglish) + kFiles + kImportEnglish);
}

}  // namespace gridwhistle::app

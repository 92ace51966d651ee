#include "terminal/told.h"

#include <algorithm>
#include <span>

#include "base/line.h"
#include "schema/tables.h"

namespace gridwhistle::terminal {
namespace {

/// Between the halves of what a server tells a phone, whose app may show both.
constexpr std::string_view kBetweenTold = " / ";

struct Words {
  std::string_view en;
  std::string_view zh;
};

/// What is said of a field, behind "Kind.field ", or of a kind, behind "Kind ".
constexpr Words kOfFields[] = {
    {"is required", "必须填写"},
    {"cannot be emptied", "不能清空"},
    {"is written by the server alone", "只由服务器填写"},
    {"never changes once it is recorded", "记录之后不再更改"},
    {"is a log, and nothing leaves it", "只增不减"},
    {"is not a set to remove from", "不能从中移除"},
    {"is never erased; what is wrong is made void", "不能删除；有误请作废"},
    {"is neither true nor false", "须为是或否"},
    {"is no enum value", "不在可选之列"},
    {"is not a finite number", "不是有效的数"},
    {"is not UTF-8 text without NUL", "不是有效的文字"},
    {"is not a record's id", "不是记录的标识"},
    {"exceeds 16 KB", "超过 16 KB"},
    {"exceeds 64 KB", "超过 64 KB"},
    {"is no time between 1970 and 2200", "不是 1970 至 2200 年间的时间"},
    {"lies beyond 90 degrees", "超过 90 度"},
    {"lies beyond 180 degrees", "超过 180 度"},
    {"takes the 15 digits of a grid", "须为网格的 15 位编码"},
    {"takes the 15 digits of a grid, or the 12 of an area",
     "须为网格的 15 位编码，或区划的 12 位编码"},
    {"is less than nothing", "不能小于零"},
    {"is half a position", "位置不完整"},
    {"ends before it begins", "结束早于开始"},
    {"does not exist", "没有这个字段"},
    {"has no index", "不能用来筛选"},
    {"has no beginning", "不能按开头筛选"},
    {"is compared with a value of another type", "的值类型不符"},
    {"is kept in encrypted files only", "只能存放在加密文件中"},
};

constexpr Words kLines[] = {
    {"that is no point on earth", "不是地球上的位置"},
    {"this file belongs to another county; begin a new one", "这个文件属于另一个县，请新建一个"},
    {"there is no word to look for", "没有要找的字词"},
    {"the purpose is too long", "用途太长"},
    {"no such record", "没有这条记录"},
    {"none of your areas holds this record", "您负责的区域内没有这条记录"},
    {"positions are recorded during an open patrol only", "只在巡查期间记录位置"},
    {"nothing may be attached to personal records", "不能附在个人信息上"},
    {"no such kind of record", "没有这类记录"},
    {"the record is too large; put long things into attachments", "记录太大；长的内容请作为附件"},
    {"a media type is of the form image/jpeg", "媒体类型应形如 image/jpeg"},
    {"the file is empty", "文件是空的"},
    {"the picture is no sound JPEG; take it again, or keep it as it is",
     "照片不是完好的 JPEG；请重新拍摄，或作为凭证原样保存"},
    {"the file is larger than 64 MB", "文件超过 64 MB"},
    {"its bytes have not arrived at the server yet: its author's phone has them",
     "附件尚未到达服务器，还在上传人的手机上"},
    {"reports are unsent and go first: sync, then send pictures",
     "还有未发送的记录，应先发送；请先同步，再发送附件"},
    {"the file on this phone is damaged; take the picture again", "本机的附件已损坏，请重新拍摄"},
    {"the file on this phone is shorter than it was", "本机的附件不完整"},
    {"too much at once", "一次写入的内容太多"},
    {"too many changes at once", "一次写入的条数太多"},
    {"nothing to record", "没有要记录的内容"},
    {"too much is unsent; connect to the server first", "未发送的太多；请先连接服务器"},
    {"there is no such record on this phone", "本机没有这条记录"},
    {"what it belongs to has been erased on this phone", "所属记录已在本机删除"},
    {"it holds nothing that can be written again", "其中没有可以重新写入的内容"},
    {"there is no such refused change", "没有这条被退回的修改"},
    {"there is no such outcome", "没有这条回执"},
    {"the record is no message of its kind", "记录与其种类不符"},
    {"the enrolment code is not complete: it does not begin with gw1:; scan or type it again",
     "注册码不完整：应以 gw1: 开头；请重新扫描或输入"},
    {"the enrolment code is not complete: its last part is missing; scan or type it again",
     "注册码不完整：缺少最后一段；请重新扫描或输入"},
    {"the enrolment code is not complete: the server's key is damaged; scan or type it again",
     "注册码不完整：服务器密钥有误；请重新扫描或输入"},
    {"the enrolment code is not complete: the server's address is damaged; scan or type it again",
     "注册码不完整：服务器地址有误；请重新扫描或输入"},
    {"the enrolment code is not complete: a port is a number from 1 to 65535; scan or type it "
     "again",
     "注册码不完整：端口须为 1 到 65535；请重新扫描或输入"},
};

const Words* find(std::span<const Words> all, std::string_view english) {
  const auto found = std::ranges::find(all, english, &Words::en);
  return found == all.end() ? nullptr : &*found;
}

bool holds_chinese(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0xE3; });
}

/// "Whistle.title is required" in Chinese.
std::optional<std::string> of_field(std::string_view message) {
  const std::size_t at = message.find(' ');
  if (at == message.npos) return std::nullopt;
  const Words* said = find(kOfFields, message.substr(at + 1));
  if (said == nullptr) return std::nullopt;
  const std::string_view path = message.substr(0, at);
  const std::size_t dot = path.find('.');
  const KindSchema* kind = built_schema().kind(path.substr(0, dot));
  if (kind == nullptr) return std::nullopt;
  if (dot == path.npos) return std::string(kind->name_zh) + std::string(said->zh);
  const FieldSchema* field = kind->field(path.substr(dot + 1));
  const std::string name(field != nullptr ? field->name_zh : path.substr(dot + 1));
  return std::string(kind->name_zh) + "的" + name + std::string(said->zh);
}

}  // namespace

std::optional<std::string> told_in(std::string_view message, bool chinese) {
  if (in_both(message)) return half_of(message, chinese);
  const std::size_t at = message.find(kBetweenTold);
  if (at != message.npos && holds_chinese(message.substr(0, at))) {
    return std::string(chinese ? message.substr(0, at) : message.substr(at + kBetweenTold.size()));
  }
  if (!chinese || message.empty() || holds_chinese(message)) return std::string(message);
  if (const Words* line = find(kLines, message)) return std::string(line->zh);
  return of_field(message);
}

}  // namespace gridwhistle::terminal

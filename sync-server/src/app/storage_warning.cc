#include "app/storage_warning.h"

#include <algorithm>
#include <string>

namespace gridwhistle::app {
namespace {

using PutOff = StorageHealth::PutOff;

Line what_to_do(ErrorCode code) {
  switch (code) {
    case ErrorCode::kDiskFull:
      return {"磁盘已满，请腾出空间", "its disk is full: make room on it"};
    case ErrorCode::kReadOnly:
      return {"数据库文件不可写，请检查文件权限与磁盘挂载方式",
              "its file may not be written: look at the file's rights and how its disk is mounted"};
    case ErrorCode::kIo:
      return {"磁盘故障，请查看系统日志", "its disk fails: look into the system's log"};
    case ErrorCode::kCorrupt:
    case ErrorCode::kNotADatabase:
      return {"数据库文件损坏，请运行 verify，并用最近的备份恢复",
              "its file is damaged: run `verify`, and restore the last backup"};
    case ErrorCode::kLocked:
      return {"数据库文件被其他程序占用，请关闭该程序",
              "another program holds its file: end that one"};
    default:
      return {"软件故障，请报告日志中的相应行",
              "a fault of this software: please report the log's line about it"};
  }
}

std::string phone_names(const std::vector<PutOff>& phones) {
  std::string names;
  for (const PutOff& phone : phones) {
    names += (names.empty() ? "" : ", ") + (phone.short_code.empty() ? "?" : phone.short_code);
  }
  return names;
}

bool contains(const std::vector<PutOff>& phones, const PutOff& wanted) {
  return std::ranges::any_of(phones, [&](const PutOff& phone) {
    return phone.short_code == wanted.short_code && phone.why.code == wanted.why.code;
  });
}

}  // namespace

std::optional<Line> storage_warning(const StorageHealth& health) {
  if (health.refuses) {
    const Line advice = what_to_do(health.refuses->code);
    return Line{"县级数据库无法写入；" + advice.zh + "。手机会保留内容并自动重新发送",
                "the county's storage takes no writes (" +
                    std::string(name_of(health.refuses->code)) + "); " + advice.en +
                    ". Phones keep their work and send it again by themselves"};
  }
  if (health.put_off.empty()) return std::nullopt;
  const Line advice = what_to_do(health.put_off.front().why.code);
  const std::string names = phone_names(health.put_off);
  return Line{
      "县级数据库无法接收以下手机的内容：" + names + "；" + advice.zh + "。手机会保留内容并重试",
      "the county's storage refuses the work of phones " + names + " alone (" +
          std::string(name_of(health.put_off.front().why.code)) + "); " + advice.en +
          ". They keep it and try again"};
}

void log_storage_changes(const StorageHealth& before, const StorageHealth& now, const Log& log) {
  const auto same_code = [&] { return before.refuses->code == now.refuses->code; };
  if (now.refuses && (!before.refuses || !same_code())) {
    log.error("storage_refuses_writes",
              {{"code", std::string(name_of(now.refuses->code))}, {"detail", now.refuses->detail}});
  }
  if (before.refuses && !now.refuses) log.info("storage_takes_writes");
  for (const PutOff& phone : now.put_off) {
    if (contains(before.put_off, phone)) continue;
    log.error("storage_refuses_work", {{"device", phone.short_code},
                                       {"code", std::string(name_of(phone.why.code))},
                                       {"detail", phone.why.detail}});
  }
  for (const PutOff& phone : before.put_off) {
    if (!contains(now.put_off, phone)) {
      log.info("storage_refuses_work_no_more", {{"device", phone.short_code}});
    }
  }
}

}  // namespace gridwhistle::app

#include <algorithm>

#include "app/commands.h"
#include "app/listing.h"
#include "base/sha256.h"

namespace gridwhistle::app {
namespace {

Value state_value(const DeviceInfo& device, bool silent, const Output& output) {
  switch (device.state) {
    case DeviceState::kLeft:
      return {"left", std::string(output.say("left", "离职"))};
    case DeviceState::kLost:
      return {"lost", std::string(output.say("lost", "遗失"))};
    default:
      if (device.forked_ms != 0) {
        return {"forked", std::string(output.say("forked", "分叉"))};
      }
      return silent ? Value{"silent", std::string(output.say("silent", "静默"))}
                    : Value{"active", std::string(output.say("active", "正常"))};
  }
}

Value predecessor_value(const DeviceInfo& device) {
  return text_value(device.predecessor ? device_text(device.predecessor) : std::string());
}

}  // namespace

ExitCode run_command(Context& context, const EnrolCommand& command) {
  const Output& output = context.output;
  const auto worker = context.directory.worker(command.worker);
  if (!worker) return output.fail(worker.error());
  const auto issued = context.county.create_code(*worker, context.surroundings.by);
  if (!issued) return output.fail(issued.error());
  const std::string code = "gw1:" + context.surroundings.config.public_address + ":" +
                           to_hex(context.surroundings.key_sha256) + ":" + issued->code;
  if (output.json) {
    Sheet sheet;
    sheet.add({"code", "", ""}, text_value(code));
    sheet.add({"expires_ms", "", ""}, time_value(issued->expires_ms));
    sheet.print(output);
    return ExitCode::kDone;
  }
  output.out(code + "\n");
  const std::string until = time_text(issued->expires_ms);
  output.line("For the phone of " + command.worker + ", once, until " + until + " China time",
              "供 " + command.worker + " 的手机使用一次，有效至北京时间 " + until);
  return ExitCode::kDone;
}

ExitCode run_command(Context& context, const RevokeCommand& command) {
  const Output& output = context.output;
  const auto device = context.directory.device(command.device);
  if (!device) return output.fail(device.error());
  const DeviceState how = command.lost ? DeviceState::kLost : DeviceState::kLeft;
  const auto revoked = context.county.revoke(*device, how, context.surroundings.by);
  if (!revoked) return output.fail(revoked.error());
  if (command.lost) {
    output.line("It may send nothing any more.", "该设备不能再发送任何内容。");
  } else {
    output.line("It reads nothing more; what it still sends waits under `review list`.",
                "该设备不再接收数据；其后发送的内容进入 review list 待复核。");
  }
  return ExitCode::kDone;
}

ExitCode run_command(Context& context, const DevicesCommand& command) {
  const Output& output = context.output;
  const auto devices = context.county.devices();
  if (!devices) return output.fail(devices.error());
  Listing listing({{"device", "Device", "设备"},
                   {"short_code", "Code", "代号"},
                   {"worker", "Worker", "人员"},
                   {"state", "State", "状态"},
                   {"last_seen_ms", "Last seen", "最近联系"},
                   {"unsent", "Unsent", "未发送"},
                   {"predecessor", "Copy of", "副本自"},
                   {"name", "Name", "名称"},
                   {"software", "Software", "软件"}});
  for (const DeviceInfo& device : *devices) {
    const bool silent = device.state == DeviceState::kActive && context.county.is_silent(device);
    if (command.silent && !silent) continue;
    listing.add({text_value(device_text(device.device)), text_value(device.short_code),
                 text_value(context.directory.worker_code(device.worker)),
                 state_value(device, silent, output), time_value(device.last_seen_ms),
                 number_value(device.unsent), predecessor_value(device), text_value(device.name),
                 text_value(device.software)});
  }
  listing.print(output, "No devices.", "没有设备。");
  const bool forked =
      std::ranges::any_of(*devices, [](const DeviceInfo& device) { return device.forked_ms != 0; });
  if (forked) {
    output.line(
        "forked: a copy of its file, or an older state of it, was turned away. The app goes on by "
        "itself under a new number, which is listed with the one it was a copy of; one that can't "
        "(its key is lost) enrols with a code.",
        "分叉：其文件的副本或旧状态被拒绝。应用会自动换用新的设备编号继续，列表中注明副本来源；若密"
        "钥已"
        "丢失，请发新注册码重新注册。");
  }
  return ExitCode::kDone;
}

}  // namespace gridwhistle::app

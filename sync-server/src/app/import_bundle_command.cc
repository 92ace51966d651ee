#include "app/commands.h"
#include "app/listing.h"
#include "base/durable_file.h"
#include "base/envelope.h"

namespace gridwhistle::app {
namespace {

constexpr std::size_t kKeyFileBytes = 64 * 1024;

Result<P256Key> server_key(const ServerConfig& config) {
  const auto pem = read_small_file(config.key_path(), kKeyFileBytes);
  if (!pem) return std::unexpected(pem.error());
  return P256Key::from_pem(*pem);
}

// An envelope says little of why it does not open, and its file is not the server's.
Error about_file(const std::string& path, const Error& error) {
  switch (error.code) {
    case ErrorCode::kCorrupt:
      return {ErrorCode::kInvalid,
              both(path + " 不是 gw bundle export 所建的文件，或在途中损坏、不完整："
                          "请重新拷贝或重新导出",
                   path + " is no file that `gw bundle export` made, or was damaged or cut on its "
                          "way: copy or export it again"),
              error.detail};
    case ErrorCode::kWrongServerKey:
      return {error.code,
              both(path + " 是为另一台服务器导出的：请交给该手机所登记的服务器",
                   path + " was made for another server: bring it to the one that its phone is "
                          "enrolled with"),
              error.detail};
    default:
      return error;
  }
}

void add(BundleReport& whole, const BundleReport& part) {
  whole.short_code = part.short_code;
  whole.taken += part.taken;
  whole.known += part.known;
  whole.waiting += part.waiting;
  whole.refused += part.refused;
}

void print(const BundleReport& report, const Output& output) {
  Sheet sheet;
  sheet.add({"device", "Phone", "手机"}, text_value(report.short_code));
  sheet.add({"new", "New", "新增"}, number_value(report.taken));
  sheet.add({"known", "As before", "此前已有"}, number_value(report.known));
  sheet.add({"waiting", "Waiting", "待复核"}, number_value(report.waiting));
  sheet.add({"refused", "Refused", "退回"}, number_value(report.refused));
  sheet.print(output);
}

}  // namespace

// Each part is taken whole and for good; after a fault what came before it stays.
ExitCode run_command(Context& context, const ImportBundleCommand& command) {
  const Output& output = context.output;
  const auto key = server_key(context.surroundings.config);
  if (!key) return output.fail(key.error());
  const std::string& bytes = context.files.at(command.path);
  BundleReport whole;
  std::string_view rest = bytes;
  do {
    const auto part = open_envelope(*key, rest);
    const auto taken =
        part ? context.county.import_bundle(*part, context.surroundings.by)
             : Result<BundleReport>(std::unexpected(about_file(command.path, part.error())));
    if (!taken) {
      if (!whole.short_code.empty()) print(whole, output);
      return output.fail(taken.error());
    }
    add(whole, *taken);
  } while (!rest.empty());
  print(whole, output);
  output.line("The phone hears of it in its next call, and keeps everything until then.",
              "手机下次连接时得知结果，在此之前保留全部内容。");
  return ExitCode::kDone;
}

}  // namespace gridwhistle::app

#include "app/directory.h"

#include "schema/fields.h"
#include "schema/kinds.h"

namespace gridwhistle::app {
namespace {

template <typename Message>
Result<Message> read_record(const County& county, RecordId id) {
  const auto row = county.get(kind_of<Message>, id);
  if (!row) return std::unexpected(row.error());
  Message message;
  if (!*row || !message.ParseFromString((*row)->body)) {
    return fail(ErrorCode::kNotFound,
                both("没有记录 " + id.text(), "there is no record " + id.text()));
  }
  return message;
}

}  // namespace

Result<RecordId> Directory::found(KindId kind, std::uint32_t field, std::string_view text,
                                  const Line& what) const {
  const auto row = county_.find(kind, field, text);
  if (!row) return std::unexpected(row.error());
  if (*row) return (*row)->id;
  if (const auto id = RecordId::parse(text)) {
    const auto by_id = county_.get(kind, *id);
    if (by_id && *by_id && !(*by_id)->erased) return *id;
  }
  return fail(ErrorCode::kNotFound, both("没有" + what.zh + " " + std::string(text),
                                         "there is no " + what.en + " " + std::string(text)));
}

Result<RecordId> Directory::organisation(std::string_view code) const {
  return found(kinds::kOrgUnit, fields::org_unit::kCode, code, {"机构", "organisation"});
}

Result<RecordId> Directory::worker(std::string_view code) const {
  return found(kinds::kWorker, fields::worker::kCode, code, {"人员", "worker"});
}

Result<RecordId> Directory::whistle(std::string_view number) const {
  return found(kinds::kWhistle, fields::whistle::kNumber, number, {"哨声", "whistle"});
}

Result<DeviceId> Directory::device(std::string_view name) const {
  const auto devices = county_.devices();
  if (!devices) return std::unexpected(devices.error());
  for (const DeviceInfo& info : *devices) {
    if (info.short_code == name || device_text(info.device) == name) return info.device;
  }
  return fail(ErrorCode::kNotFound,
              both("没有设备 " + std::string(name), "there is no device " + std::string(name)));
}

const std::string& Directory::organisation_name(RecordId id) {
  auto [slot, is_new] = names_.try_emplace(id, id.is_nil() ? "-" : "?");
  if (is_new && !id.is_nil()) {
    if (const auto unit = read_record<v1::OrgUnit>(county_, id)) {
      slot->second =
          unit->code() + " " + (unit->has_short_name() ? unit->short_name() : unit->name());
    }
  }
  return slot->second;
}

const std::string& Directory::worker_code(RecordId id) {
  auto [slot, is_new] = names_.try_emplace(id, id.is_nil() ? "-" : "?");
  if (is_new && !id.is_nil()) {
    if (const auto worker = worker_record(id)) slot->second = worker->code();
  }
  return slot->second;
}

const std::string& Directory::whistle_number(RecordId id) {
  auto [slot, is_new] = names_.try_emplace(id, id.is_nil() ? "-" : "?");
  if (is_new && !id.is_nil()) {
    if (const auto whistle = read_record<v1::Whistle>(county_, id))
      slot->second = whistle->number();
  }
  return slot->second;
}

Result<v1::Worker> Directory::worker_record(RecordId id) const {
  return read_record<v1::Worker>(county_, id);
}

Result<v1::Assignment> Directory::assignment_record(RecordId id) const {
  return read_record<v1::Assignment>(county_, id);
}

}  // namespace gridwhistle::app

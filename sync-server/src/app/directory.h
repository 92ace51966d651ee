#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/line.h"
#include "county/county.h"
#include "gridwhistle/v1/records.pb.h"
#include "gridwhistle/v1/reference.pb.h"

namespace gridwhistle::app {

/// Finds a county's things by what people call them, and names things for people. Looks each up
/// once, so it lives as long as one command.
class Directory {
 public:
  explicit Directory(const County& county) : county_(county) {}

  // By code, number or id. Errors: kNotFound, naming what was looked for.
  Result<RecordId> organisation(std::string_view code) const;
  Result<RecordId> worker(std::string_view code) const;
  Result<RecordId> whistle(std::string_view number) const;
  /// By short code, or the 16 hexadecimal digits of its id.
  Result<DeviceId> device(std::string_view name) const;

  // For people: "BM-CG 城管局", "WG001", "EAP6-000008-6"; "-" for none, "?" for one that is not
  // there.
  const std::string& organisation_name(RecordId id);
  const std::string& worker_code(RecordId id);
  const std::string& whistle_number(RecordId id);

  Result<v1::Worker> worker_record(RecordId id) const;
  Result<v1::Assignment> assignment_record(RecordId id) const;

 private:
  Result<RecordId> found(KindId kind, std::uint32_t field, std::string_view text,
                         const Line& what) const;

  const County& county_;
  std::map<RecordId, std::string> names_;
};

}  // namespace gridwhistle::app

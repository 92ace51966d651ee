#include "hostile_server.h"

#include <variant>

#include "gridwhistle/v1/records.pb.h"
#include "model/record.h"
#include "schema/kinds.h"
#include "schema/tables.h"

namespace gridwhistle::sim {

std::vector<std::string> HostileServer::down(const std::string& phone, const std::string& frame) {
  if (const auto welcome = another_welcome(phone, frame)) return {*welcome};
  if (per_mille_ == 0 || !dice_.chance(per_mille_)) return {frame};
  std::string more = something();
  if (dice_.chance(500)) return {frame, std::move(more)};
  return {std::move(more), frame};
}

std::optional<std::string> HostileServer::another_welcome(const std::string& phone,
                                                          const std::string& frame) {
  const auto sound = decode_down(built_schema(), frame);
  const auto* said = sound ? std::get_if<v1::Welcome>(&*sound) : nullptr;
  if (said == nullptr) return std::nullopt;
  if (!said->as_before()) told_[phone] = *said;
  const bool strikes = per_mille_ > 0 && dice_.chance(per_mille_);
  if (!strikes || !told_.contains(phone)) return std::nullopt;
  v1::Welcome welcome = told_[phone];
  welcome.set_server_ms(said->server_ms());
  welcome.set_backed_up(said->backed_up());
  welcome.set_newest_backup(said->newest_backup());
  marks_.hit("hostile-server: another history");
  welcome.clear_epochs();
  v1::Epoch& epoch = *welcome.add_epochs();
  epoch.set_id(dice_.next());
  epoch.set_start_seq(dice_.below(40));
  return encode(welcome);
}

std::string HostileServer::something() {
  switch (dice_.below(7)) {
    case 0: {
      marks_.hit("hostile-server: bytes of chance");
      std::string bytes(1 + dice_.below(300), '\0');
      for (char& byte : bytes) byte = static_cast<char>(dice_.next());
      return bytes;
    }
    case 1: {
      marks_.hit("hostile-server: a second welcome");
      v1::Welcome welcome;
      welcome.set_protocol(1);
      welcome.set_as_before(true);
      return encode(welcome);
    }
    case 2: {
      marks_.hit("hostile-server: thanks for what was never sent");
      v1::Acks acks;
      v1::AckRun& run = *acks.add_runs();
      run.set_lane(1 + static_cast<std::uint32_t>(dice_.below(3)));
      run.set_first(1'000'000 + dice_.below(1'000'000));
      run.set_count(1 + static_cast<std::uint32_t>(dice_.below(5)));
      run.set_first_seq(1);
      run.set_status(static_cast<std::uint32_t>(v1::OUTCOME_STATUS_ACCEPTED));
      return encode(acks);
    }
    case 3: {
      marks_.hit("hostile-server: a row beyond its cut");
      CutDown cut;
      cut.upto = Seq(1);
      Row& row = cut.rows.emplace_back();
      row.kind = kinds::kVisit;
      row.id = RecordId::make(DeviceId(7), dice_.below(100));
      row.last_seq = Seq(2 + (dice_.next() >> 2));
      row.change = RowChange::kWhole;
      append_text(row.set, v1::Visit::kNotesFieldNumber, "nobody wrote this");
      return encode_cut(cut);
    }
    case 4: {
      marks_.hit("hostile-server: a scope that is not granted");
      CutDown cut;
      cut.scope = "org:" + std::string(32, 'f');
      cut.upto = Seq(dice_.next() >> 2);
      return encode_cut(cut);
    }
    case 5: {
      marks_.hit("hostile-server: differences that nobody asked for");
      v1::Differences differences;
      differences.add_ranges(static_cast<std::uint32_t>(dice_.below(64)));
      return encode(differences);
    }
    default: {
      marks_.hit("hostile-server: come back in a year");
      v1::Refusal refusal;
      refusal.set_code(static_cast<std::uint32_t>(ErrorCode::kBusy));
      refusal.set_message("no");
      refusal.set_retry_after_ms(4'000'000'000U);
      return encode(refusal);
    }
  }
}

}  // namespace gridwhistle::sim

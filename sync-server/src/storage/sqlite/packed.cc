#include "storage/sqlite/packed.h"

#include <optional>

#include "base/varint.h"

namespace gridwhistle {

namespace {

std::unexpected<Error> unreadable(const char* what) {
  return fail(ErrorCode::kCorrupt, "the county's file is damaged", what);
}

}  // namespace

std::string pack(const std::vector<Membership>& memberships) {
  std::string bytes;
  for (const Membership& m : memberships) {
    append_varint(bytes, std::uint64_t{m.scope.value} << 1 | (m.in ? 1U : 0U));
    append_varint(bytes, m.entered.value);
    append_varint(bytes, m.seq.value - m.entered.value);
  }
  return bytes;
}

Result<std::vector<Membership>> unpack_memberships(std::string_view bytes) {
  std::vector<Membership> memberships;
  ByteReader reader(bytes);
  while (!reader.at_end()) {
    const auto scope = reader.varint();
    const auto entered = reader.varint();
    const auto after = reader.varint();
    if (!scope || !entered || !after) return unreadable("memberships");
    memberships.push_back({ScopeNo(static_cast<std::uint32_t>(*scope >> 1)), Seq(*entered + *after),
                           Seq(*entered), (*scope & 1) != 0});
  }
  return memberships;
}

std::string pack(const std::vector<AckedRun>& runs) {
  std::string bytes;
  for (const AckedRun& run : runs) {
    append_varint(bytes, run.first.value);
    append_varint(bytes, run.count);
    append_varint(bytes, run.first_seq.value);
    append_varint(bytes, static_cast<std::uint64_t>(run.status));
    append_varint(bytes, run.code);
  }
  return bytes;
}

Result<std::vector<AckedRun>> unpack_runs(std::string_view bytes) {
  std::vector<AckedRun> runs;
  ByteReader reader(bytes);
  while (!reader.at_end()) {
    const auto first = reader.varint();
    const auto count = reader.varint();
    const auto seq = reader.varint();
    const auto status = reader.varint();
    const auto code = reader.varint();
    if (!first || !count || !seq || !status || !code) return unreadable("acknowledgements");
    runs.push_back({LaneSeq(*first), static_cast<std::uint32_t>(*count), Seq(*seq),
                    static_cast<OutcomeStatus>(*status), static_cast<std::uint32_t>(*code)});
  }
  return runs;
}

std::string pack(const std::vector<std::uint32_t>& numbers) {
  std::string bytes;
  for (const std::uint32_t number : numbers) append_varint(bytes, number);
  return bytes;
}

Result<std::vector<std::uint32_t>> unpack_numbers(std::string_view bytes) {
  std::vector<std::uint32_t> numbers;
  ByteReader reader(bytes);
  while (!reader.at_end()) {
    const auto number = reader.varint();
    if (!number) return unreadable("field numbers");
    numbers.push_back(static_cast<std::uint32_t>(*number));
  }
  return numbers;
}

}  // namespace gridwhistle

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gridwhistle/status.h"
#include "gridwhistle/v1/sync.pb.h"
#include "model/operation.h"
#include "model/schema.h"

// What is asked of everything that comes from outside, beyond its form.
namespace gridwhistle {

/// A refusal whose text holds names and numbers alone, and so may be logged.
std::unexpected<Error> refuse_frame(ErrorCode code, std::string why);

/// "grid:440811001001001", "county": printable ASCII, up to limits::kScopeBytes.
bool is_scope(std::string_view scope);

/// What an operation writes of a record: into canonical form where the kind is known, of canonical
/// structure where it is not.
Result<std::string> checked_part(const KindSchema* kind, std::string_view message);

/// The same of a row: many wrote to it, so a field may be larger than one write.
Result<std::string> checked_record(const KindSchema* kind, std::string_view message);

/// What an operation or a row holds beside its numbers.
Result<void> check_clear(const std::vector<std::uint32_t>& clear);

Result<void> check(const v1::Hello& hello);
Result<void> check(const v1::Noted& noted);
Result<void> check(const v1::Digests& digests);
Result<void> check(const v1::RangeContents& contents);
Result<void> check(const v1::Differences& differences);
Result<void> check(const v1::Welcome& welcome);
Result<void> check(const v1::Acks& acks);
Result<void> check(const v1::Refusal& refusal);

}  // namespace gridwhistle

#include <utility>

#include "base/limits.h"
#include "wire/batch.h"
#include "wire/checks.h"
#include "wire/compress.h"
#include "wire/frames.h"
#include "wire/parse.h"

namespace gridwhistle {
namespace {

Result<Down> decode_cut(const Schema& schema, const v1::Cut& cut) {
  if (!cut.scope().empty() && !is_scope(cut.scope())) {
    return refuse_frame(ErrorCode::kInvalid, "a cut's scope is malformed");
  }
  if (cut.count() > limits::kCutRows) {
    return refuse_frame(ErrorCode::kTooMany, "a cut has more than 4,096 rows");
  }
  if (cut.upto() >> 63 != 0) {
    return refuse_frame(ErrorCode::kProtocol, "a cut's number is malformed");
  }
  const auto batch = unpack(cut.packed(), cut.raw_size(), cut.zstd());
  if (!batch) return std::unexpected(batch.error());
  auto rows = read_rows(schema, cut.count(), *batch);
  if (!rows) return std::unexpected(rows.error());
  if (rows->size() != cut.count()) {
    return refuse_frame(ErrorCode::kProtocol, "a cut has fewer rows than it says");
  }
  if ((cut.repairs() || cut.urgent()) && !cut.scope().empty()) {
    return refuse_frame(ErrorCode::kProtocol, "what repairs or comes ahead is of no one scope");
  }
  return CutDown{cut.scope(), Seq(cut.upto()), std::move(*rows), cut.repairs(), cut.urgent()};
}

// Role 0 is the server itself; no list of grants can make a phone that.
constexpr std::uint32_t kServerRole = 1;

Result<Down> welcome_of(v1::Welcome welcome) {
  if (auto sound = check(welcome); !sound) return std::unexpected(sound.error());
  for (v1::Grant& grant : *welcome.mutable_grants()) {
    grant.set_roles(grant.roles() & ~kServerRole);
    grant.set_roles_inside(grant.roles_inside() & ~kServerRole);
  }
  return welcome;
}

template <typename Part>
Result<Down> checked(const Part& part) {
  if (auto sound = check(part); !sound) return std::unexpected(sound.error());
  return part;
}

}  // namespace

Result<Down> decode_down(const Schema& schema, std::string_view frame) {
  if (frame.size() > limits::kLoneFrameBytes) {
    return refuse_frame(ErrorCode::kTooLarge, "a frame exceeds what a row can take");
  }
  v1::Down down;
  if (!parse_shallow(frame, down))
    return refuse_frame(ErrorCode::kProtocol, "a frame is malformed");
  switch (down.part_case()) {
    case v1::Down::kWelcome:
      return welcome_of(std::move(*down.mutable_welcome()));
    case v1::Down::kAcks:
      return checked(down.acks());
    case v1::Down::kCut:
      return decode_cut(schema, down.cut());
    case v1::Down::kEnd:
      return down.end();
    case v1::Down::kRefusal:
      return checked(down.refusal());
    case v1::Down::kDifferences:
      return checked(down.differences());
    case v1::Down::PART_NOT_SET:
      break;
  }
  return refuse_frame(ErrorCode::kProtocol, "a frame holds nothing that is known here");
}

std::string encode(const v1::Welcome& welcome) {
  v1::Down down;
  *down.mutable_welcome() = welcome;
  return down.SerializeAsString();
}

std::string encode(const v1::Acks& acks) {
  v1::Down down;
  *down.mutable_acks() = acks;
  return down.SerializeAsString();
}

std::string encode(const v1::DownEnd& end) {
  v1::Down down;
  *down.mutable_end() = end;
  return down.SerializeAsString();
}

std::string encode(const v1::Refusal& refusal) {
  v1::Down down;
  *down.mutable_refusal() = refusal;
  return down.SerializeAsString();
}

std::string encode(const v1::Differences& differences) {
  v1::Down down;
  *down.mutable_differences() = differences;
  return down.SerializeAsString();
}

std::string encode_cut(const CutDown& cut) {
  Packed packed = pack(write_rows(cut.rows));
  v1::Down down;
  v1::Cut& frame = *down.mutable_cut();
  frame.set_scope(cut.scope);
  frame.set_upto(cut.upto.value);
  frame.set_count(static_cast<std::uint32_t>(cut.rows.size()));
  frame.set_raw_size(packed.raw_size);
  frame.set_zstd(packed.zstd);
  *frame.mutable_packed() = std::move(packed.bytes);
  frame.set_repairs(cut.repairs);
  frame.set_urgent(cut.urgent);
  return down.SerializeAsString();
}

}  // namespace gridwhistle

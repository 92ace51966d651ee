#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <vector>

#include "feed/limits.h"
#include "gridwhistle/ids.h"
#include "gridwhistle/status.h"
#include "gridwhistle/v1/sync.pb.h"
#include "model/schema.h"
#include "storage/scopes.h"
#include "storage/storage.h"
#include "wire/frames.h"

namespace gridwhistle {

/// For whom a feed is read.
struct Reader {
  DeviceId device;
  DevSeq own_since;              ///< own writes above it are in the device's file already
  std::vector<DeviceId> before;  ///< the numbers that its file had, and wrote under, before
  /// The schema it was built with. It gets no rows of later kinds: it could not know that they
  /// belong into an encrypted file, are masked, or ask for a purpose.
  std::uint32_t schema = 0;
  Seq since;  ///< when the device was enrolled: a cursor from before speaks of nothing it holds
  bool urgent_first = false;  ///< it takes urgent kinds ahead of the rest
  /// It knows of these very grants: where it stands it says of each of them.
  bool knows_grants = false;
};

/// What one device has still to read of a county's log, cut by cut. Reads what was committed: not
/// for a batch that has written something.
///
/// Scopes that lag behind the device's cursor, because they were newly granted or the device said
/// so, are brought up first, each in cuts that name it; then everything goes on from the cursor.
/// A row is whole when the device cannot have it, else the fields it cannot have; own writes stay
/// out. A cut may be lost: the next call begins where the device says it stands.
///
/// Where one cut does not bring everything, the kinds of the most urgent lane come first, of all
/// scopes, in cuts that say so; the rest passes them over.
class Feed {
 public:
  /// Storage and schema outlive it.
  Feed(Storage& storage, const Schema& schema, Reader reader, const ScopeSet& grants,
       const v1::Cursor& cursor);

  /// The next cut, at most up to what is committed now and about `raw_bytes` large; nothing when
  /// all of it was read.
  Result<std::optional<CutDown>> next(std::size_t raw_bytes = limits::kCutRawBytes);

  /// Whether next() might give something.
  bool may_have_more() const;

  Seq cursor() const { return cursor_; }

 private:
  struct Held {
    ScopeGrant grant;
    Seq cursor;
    Seq complete;                  ///< the device has everything of it as it was at least here
    Seq urgent;                    ///< or of its urgent kinds, which came ahead
    std::size_t leaves_known = 0;  ///< how many scopes there were when its leaves were looked up
    std::vector<ScopeNo> leaves;
  };
  // One leaf scope's lines, a few at a time.
  struct Source {
    ScopeNo leaf;
    Seq read_to;
    Seq urgent;  ///< so far they came ahead
    std::deque<FeedEntry> lines;
  };
  struct Place;

  void look_up_leaves();
  std::size_t first_behind() const;
  bool is_urgent(KindId kind) const;
  void begin_pass(std::size_t held);
  Result<bool> refill(Source& source, Seq upto);
  Result<CutDown> fill(Seq upto, std::size_t raw_bytes);
  Result<std::optional<CutDown>> next_urgent(Seq upto, std::size_t raw_bytes);
  Result<std::optional<Row>> row_of(const FeedEntry& line);
  bool shown_after(const KindSchema& kind, const StoredRecord& stored, Seq seq) const;
  Place place_of(const KindSchema& kind, const StoredRecord& stored) const;
  Row row_with(const FeedEntry& line, const StoredRecord& stored, RowChange change,
               std::vector<std::string> scopes) const;
  void advance(Seq upto);

  Storage& storage_;
  const Schema& schema_;
  const Reader reader_;
  Seq cursor_;
  const Seq reached_;  ///< so far anything may be in the device's file
  ScopeSet grants_;
  std::vector<Held> held_;  ///< as in `grants_`

  /// Which kinds come ahead, and whether they still have to.
  enum class Urgent : std::uint8_t { kPerhaps, kNow, kNoMore };
  std::vector<KindId> urgent_kinds_;
  Urgent urgent_ = Urgent::kNoMore;

  static constexpr std::size_t kAll = static_cast<std::size_t>(-1);
  std::size_t pass_ = kAll;  ///< the scope that is brought up, or all
  bool pass_open_ = false;
  std::vector<Source> sources_;
};

}  // namespace gridwhistle

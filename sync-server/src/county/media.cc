#include "wire/media.h"

#include <algorithm>
#include <set>

#include "access/grants.h"
#include "access/hello.h"
#include "apply/purging.h"
#include "apply/road.h"
#include "base/file_digest.h"
#include "base/sha256.h"
#include "county/impl.h"
#include "gridwhistle/v1/media.pb.h"
#include "gridwhistle/v1/records.pb.h"
#include "model/record.h"
#include "schema/fields.h"
#include "schema/kinds.h"

// Which phones bring and fetch the bytes of attachments, by what the records say.
namespace gridwhistle {

namespace {

Error no_such_file() {
  return {ErrorCode::kNotFound,
          "没有指明这个附件的记录 / no record of yours, or in your sight, names this file",
          {}};
}

// Who wrote what the record says of its file, in its one moment.
DeviceId writer_of(const RecordState& state) {
  const auto own =
      std::ranges::find(state.fields, fields::attachment::kSha256, &FieldStamp::number);
  return own != state.fields.end() ? own->stamp.writer : state.common.writer;
}

// The attachments that a test picks of those that name a file.
template <typename Test>
Result<std::vector<RecordKey>> attachments_of(Storage& storage, const Schema& schema,
                                              std::string_view sha256, Test test) {
  auto ids = storage.find(*schema.kind(kinds::kAttachment), fields::attachment::kSha256, sha256);
  if (!ids) return std::unexpected(std::move(ids.error()));
  std::vector<RecordKey> keys;
  for (const RecordId id : *ids) {
    auto stored = storage.record({kinds::kAttachment, id});
    if (!stored) return std::unexpected(std::move(stored.error()));
    v1::Attachment says;
    if (!*stored || !says.ParseFromString((*stored)->state.body)) continue;
    auto picked = test(says, **stored);
    if (!picked) return std::unexpected(std::move(picked.error()));
    if (*picked) keys.push_back({kinds::kAttachment, id});
  }
  return keys;
}

Result<RecordId> worker_of(Storage& storage, DeviceId device) {
  auto row = storage.device(device);
  if (!row) return std::unexpected(std::move(row.error()));
  return *row ? (*row)->worker : RecordId();
}

// Those that this phone's worker wrote.
Result<std::vector<RecordKey>> own_attachments(Storage& storage, const Schema& schema,
                                               DeviceId device, const MediaFile& file) {
  const auto worker = worker_of(storage, device);
  if (!worker) return std::unexpected(worker.error());
  return attachments_of(
      storage, schema, file.sha256,
      [&](const v1::Attachment& says, const StoredRecord& stored) -> Result<bool> {
        if (says.size_bytes() != static_cast<std::int64_t>(file.size)) return false;
        const DeviceId writer = writer_of(stored.state);
        if (writer == device) return true;
        if (!writer || worker->is_nil()) return false;
        const auto author = worker_of(storage, writer);
        if (!author) return std::unexpected(author.error());
        return *author == *worker;
      });
}

}  // namespace

Result<std::string> County::greet_media(const v1::MediaHello& hello) {
  Impl& impl = *impl_;
  if (!is_understood(hello.protocol())) return std::unexpected(too_new());
  if (auto begun = impl.begin(); !begun) return std::unexpected(impl.noted(begun.error()));
  auto device =
      recognise(*impl.storage,
                {DeviceId(hello.device()), hello.call_counter(),
                 media_hello_to_sign(hello, impl.options.server_key_sha256), hello.signature()},
                impl.now_ms());
  if (!device) {
    impl.storage->rollback();
    return std::unexpected(impl.noted(device.error()));
  }
  if (auto done = impl.commit(); !done) return std::unexpected(impl.noted(done.error()));
  return device->short_code;
}

Result<void> County::may_bring(DeviceId device, const MediaFile& file) const {
  auto own = own_attachments(*impl_->storage, impl_->schema, device, file);
  if (!own) return std::unexpected(std::move(own.error()));
  if (own->empty()) return std::unexpected(no_such_file());
  return {};
}

Result<void> County::may_fetch(DeviceId device, std::string_view sha256) const {
  Impl& impl = *impl_;
  auto row = impl.storage->device(device);
  if (!row) return std::unexpected(std::move(row.error()));
  if (!*row || (*row)->state != DeviceState::kActive) {
    return fail(ErrorCode::kForbidden, "本机已不能读取 / this device reads nothing any more");
  }
  const auto standing = standing_of(*impl.storage, (*row)->worker);
  if (!standing) return std::unexpected(standing.error());
  const KindSchema& kind = *impl.schema.kind(kinds::kAttachment);
  bool on_its_way = false;
  auto seen = attachments_of(
      *impl.storage, impl.schema, sha256,
      [&](const v1::Attachment& says, const StoredRecord& stored) -> Result<bool> {
        const bool in_sight = std::ranges::any_of(stored.memberships, [&](const Membership& m) {
          return m.in && standing->held.sees(kind, impl.storage->scope_name(m.scope));
        });
        on_its_way |= in_sight && !says.stored();
        return in_sight && says.stored();
      });
  if (!seen) return std::unexpected(std::move(seen.error()));
  if (!seen->empty()) return {};
  if (!on_its_way) return std::unexpected(no_such_file());
  return fail(ErrorCode::kUnavailable,
              "附件尚未到达服务器 / the bytes have not arrived at the server yet");
}

Result<Seq> County::media_brought(DeviceId device, const MediaFile& file) {
  Impl& impl = *impl_;
  if (auto begun = impl.begin(); !begun) return std::unexpected(impl.noted(begun.error()));
  bool is_nobodys = false;
  const auto write = [&]() -> Result<void> {
    auto own = own_attachments(*impl.storage, impl.schema, device, file);
    if (!own) return std::unexpected(std::move(own.error()));
    // Its record was forgotten while the bytes were on their way.
    is_nobodys = own->empty();
    if (is_nobodys) return note_to_purge(*impl.storage, impl.schema, {file.sha256});
    v1::Attachment arrived;
    arrived.set_stored(true);
    auto reference = impl.applier.reference();
    if (!reference) return std::unexpected(std::move(reference.error()));
    Workspace workspace(*impl.storage, impl.schema, impl.now_ms());
    Road road(workspace, **reference, impl.applier.mint());
    for (const RecordKey& key : *own) {
      auto page = workspace.open(key);
      if (!page) return std::unexpected(std::move(page.error()));
      v1::Attachment says;
      if (!says.ParseFromString((*page)->record.state.body) || says.stored()) continue;
      const auto done = workspace.write_message(key, arrived, {}, workspace.next_seq());
      if (!done) return done;
      if (auto closed = road.picture_arrived(says); !closed) return closed;
    }
    return impl.applier.finish(workspace);
  };
  if (auto written = write(); !written) {
    impl.storage->rollback();
    impl.applier.rolled_back();
    return std::unexpected(impl.noted(written.error()));
  }
  if (auto done = impl.commit(); !done) return std::unexpected(impl.noted(done.error()));
  if (is_nobodys) return std::unexpected(no_such_file());
  return impl.storage->last_seq();
}

Result<std::vector<MediaFile>> County::stored_media() const {
  std::set<MediaFile> files;
  const auto scanned = impl_->storage->scan(
      kinds::kAttachment, [&](RecordId, const StoredRecord& stored) -> Result<void> {
        v1::Attachment says;
        if (stored.state.erased || !says.ParseFromString(stored.state.body)) return {};
        if (says.stored()) {
          files.insert({says.sha256(), static_cast<std::uint64_t>(says.size_bytes())});
        }
        return {};
      });
  if (!scanned) return std::unexpected(scanned.error());
  return std::vector<MediaFile>(files.begin(), files.end());
}

Result<void> County::media_lost(const std::vector<std::string>& sha256s) {
  Impl& impl = *impl_;
  if (sha256s.empty()) return {};
  return impl.in_batch([&]() -> Result<void> {
    v1::Attachment lacking;
    lacking.set_stored(false);
    Workspace workspace(*impl.storage, impl.schema, impl.now_ms());
    for (const std::string& sha256 : sha256s) {
      const auto told =
          attachments_of(*impl.storage, impl.schema, sha256,
                         [](const v1::Attachment& says, const StoredRecord&) -> Result<bool> {
                           return says.stored();
                         });
      if (!told) return std::unexpected(told.error());
      for (const RecordKey& key : *told) {
        const auto done = workspace.write_message(key, lacking, {}, workspace.next_seq());
        if (!done) return done;
      }
    }
    if (auto done = impl.applier.finish(workspace); !done) return done;
    return impl.audit("media", std::to_string(sha256s.size()) + " files are not there any more");
  });
}

Result<std::vector<std::string>> County::unnamed_media(
    const std::vector<std::string>& sha256s) const {
  return gridwhistle::unnamed_media(*impl_->storage, impl_->schema, sha256s);
}

Result<std::vector<std::string>> County::media_to_purge() const {
  return gridwhistle::media_to_purge(*impl_->storage, impl_->schema);
}

Result<void> County::media_purged() {
  Impl& impl = *impl_;
  return impl.in_batch([&] { return gridwhistle::media_purged(*impl.storage); });
}

}  // namespace gridwhistle

#include "gridwhistle/client.h"

#include <utility>

#include "client/outcomes.h"
#include "client/road.h"
#include "client/state.h"
#include "gridwhistle/v1/records.pb.h"

// The public contract on top of the state: one line each, as far as it goes.
namespace gridwhistle {

Result<std::unique_ptr<Client>> open_as(const Build& build, ClientOptions options) {
  auto state = ClientState::open(build, std::move(options));
  if (!state) return std::unexpected(std::move(state.error()));
  return std::unique_ptr<Client>(new Client(std::move(*state)));
}

Result<std::unique_ptr<Client>> Client::open(ClientOptions options) {
  return open_as({}, std::move(options));
}

Result<Salvage> Client::salvage(const ClientOptions& options) {
  return ClientState::salvage(options);
}

Client::~Client() { close(); }

Result<RecordId> Client::put(Change change) {
  return state_->record([&](store::Store& store) -> Result<RecordId> {
    auto wanted = state_->change(store, change);
    if (!wanted) return std::unexpected(std::move(wanted.error()));
    return store.put(std::move(*wanted));
  });
}

Result<void> Client::erase(std::string_view kind, const RecordId& id) {
  return state_->record([&](store::Store& store) -> Result<void> {
    const auto known = state_->kind(kind);
    if (!known) return std::unexpected(known.error());
    return store.erase((*known)->id, id);
  });
}

Transaction Client::transaction() { return Transaction(state_); }

Result<RecordId> Client::new_id() {
  return state_->write([](store::Store& store) { return store.new_id(); });
}

Result<FoundBytes> Client::get(std::string_view kind, const RecordId& id, const Purpose& purpose) {
  return state_->read([&](store::Store& store) -> Result<FoundBytes> {
    const auto known = state_->kind(kind);
    if (!known) return std::unexpected(known.error());
    return store.get((*known)->id, id, purpose);
  });
}

Result<std::vector<FoundBytes>> Client::query(std::string_view kind, const Query& query,
                                              const Purpose& purpose) {
  return state_->read([&](store::Store& store) -> Result<std::vector<FoundBytes>> {
    const auto known = state_->kind(kind);
    if (!known) return std::unexpected(known.error());
    return store.query((*known)->id, query, purpose);
  });
}

Result<std::vector<Hit>> Client::search(const Search& search, const Purpose& purpose) {
  return state_->read([&](store::Store& store) { return store.search(search, purpose); });
}

Watch Client::watch(std::string kind, Query query,
                    std::function<void(Result<std::vector<FoundBytes>>)> changed, Purpose purpose) {
  return state_->watch(std::move(kind), std::move(query), std::move(changed), std::move(purpose));
}

Result<Location> Client::locate(double latitude, double longitude, double accuracy_m) {
  return state_->read(
      [&](store::Store& store) { return store.locate(latitude, longitude, accuracy_m); });
}

Result<Road> Client::road(const RecordId& whistle) {
  return state_->read([&](store::Store& store) { return road_of(store, whistle); });
}

Result<RecordId> Client::act(const v1::WhistleAction& action) { return act(action, {}); }

Result<RecordId> Client::act(const v1::WhistleAction& action,
                             const std::vector<v1::Attachment>& evidence) {
  return state_->record([&](store::Store& store) -> Result<RecordId> {
    const auto& enrolment = state_->enrolment();
    if (!enrolment) return fail(ErrorCode::kNotEnrolled, "this device is not enrolled");
    const auto attachments =
        completed_evidence(store, action.whistle(), evidence, enrolment->worker);
    if (!attachments) return std::unexpected(attachments.error());
    const auto whole =
        completed_action(store, action, *attachments, enrolment->worker, state_->wall_ms());
    if (!whole) return std::unexpected(whole.error());
    store::Changes changes;
    const auto add = [&](const char* kind, const std::string& record) -> Result<void> {
      auto wanted = state_->change(store, {kind, record, {}, {}});
      if (!wanted) return std::unexpected(std::move(wanted.error()));
      changes.push_back(std::move(*wanted));
      return {};
    };
    for (const v1::Attachment& attachment : *attachments) {
      if (auto added = add("Attachment", attachment.SerializeAsString()); !added) {
        return std::unexpected(std::move(added.error()));
      }
    }
    if (auto added = add("WhistleAction", whole->SerializeAsString()); !added) {
      return std::unexpected(std::move(added.error()));
    }
    const auto ids = store.commit(changes);
    if (!ids) return std::unexpected(ids.error());
    return ids->back();
  });
}

Result<v1::Attachment> Client::keep(std::string_view bytes, const KeepOptions& options) {
  return state_->keep(bytes, options);
}

Result<v1::Attachment> Client::keep_file(const std::string& path, const KeepOptions& options) {
  return state_->keep_file(path, options);
}

void Client::fetch(const RecordId& attachment, std::function<void(Result<std::string>)> done) {
  state_->fetch(attachment, std::move(done));
}

void Client::send_media(std::function<void(Result<MediaReport>)> done) {
  state_->send_media(std::move(done));
}

Result<std::vector<AccessEntry>> Client::access_log(std::size_t limit, std::uint64_t before) {
  return state_->read([&](store::Store& store) -> Result<std::vector<AccessEntry>> {
    auto kept = store.access_log(before, limit);
    if (!kept) return std::unexpected(std::move(kept.error()));
    std::vector<AccessEntry> entries;
    for (store::Store::AccessLogEntry& one : *kept) {
      const KindSchema* kind = store.schema().kind(one.kind);
      entries.push_back({.number = one.number,
                         .at_ms = one.at_ms,
                         .worker = one.worker,
                         .kind = kind != nullptr ? std::string(kind->name) : "",
                         .records = std::move(one.ids),
                         .purpose = std::move(one.purpose)});
    }
    return entries;
  });
}

Result<void> Client::save_draft(std::string_view name, const AnyRecord& draft) {
  return state_->write([&](store::Store& store) -> Result<void> {
    const auto known = state_->kind(draft.kind);
    if (!known) return std::unexpected(known.error());
    return store.save_draft(name, (*known)->id, draft.record);
  });
}

Result<AnyRecord> Client::draft(std::string_view name) {
  return state_->read([&](store::Store& store) -> Result<AnyRecord> {
    auto kept = store.draft(name);
    if (!kept) return std::unexpected(std::move(kept.error()));
    const KindSchema* kind = store.schema().kind(kept->kind);
    return AnyRecord{kind != nullptr ? std::string(kind->name) : "", std::move(kept->record)};
  });
}

Result<std::vector<std::string>> Client::drafts() {
  return state_->read([](store::Store& store) -> Result<std::vector<std::string>> {
    auto kept = store.drafts();
    if (!kept) return std::unexpected(std::move(kept.error()));
    std::vector<std::string> names;
    for (store::Store::Draft& draft : *kept) names.push_back(std::move(draft.name));
    return names;
  });
}

Result<void> Client::drop_draft(std::string_view name) {
  return state_->write([&](store::Store& store) { return store.drop_draft(name); });
}

void Client::enrol(const EnrolmentCode& code, const std::string& device_name,
                   std::function<void(Result<void>)> done) {
  state_->enrol(code, device_name, std::move(done));
}

Result<ExportedBundle> Client::export_bundle(
    const std::function<Result<void>(std::string_view)>& write) {
  return state_->export_bundle(write);
}

void Client::sync_once(const SyncOptions& options, std::function<void(Result<SyncReport>)> done) {
  state_->sync_once(options, std::move(done));
}

void Client::start_live() {
  state_->post([state = state_.get()] { state->start_live(); });
}

void Client::stop() {
  state_->post([state = state_.get()] { state->stop(); });
}

void Client::network_changed() {
  state_->post([state = state_.get()] { state->network_changed(); });
}

ClientStatus Client::status() { return state_->status(); }

Result<std::vector<OutcomeView>> Client::outcomes(const Purpose& purpose) {
  return state_->read([&](store::Store& store) { return outcomes_of(store, purpose); });
}

Result<Restored> Client::restore(const RecordId& outcome) {
  return state_->record([&](store::Store& store) { return restore_outcome(store, outcome); });
}

Result<void> Client::dismiss(const RecordId& outcome) {
  return state_->write([&](store::Store& store) { return dismiss_outcome(store, outcome); });
}

void Client::close() { state_->close(); }

}  // namespace gridwhistle

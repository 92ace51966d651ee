#include "model/forget.h"

#include <algorithm>

#include "model/record.h"
#include "store/state.h"

// What the server forgot, this file forgets too: nothing that was ever said of it stays in it.
namespace gridwhistle::store {

namespace {

constexpr std::string_view kTraces = "traces";

Result<std::vector<OutboxKey>> operations_on(StoreState& state, KindId kind, const RecordId& id) {
  GW_TRY_LET(query, state.connection.prepare("SELECT key FROM outbox WHERE id=? AND kind=?"));
  query.bind(id, kind);
  std::vector<OutboxKey> keys;
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) return keys;
    keys.push_back(query.integer(0));
  }
}

// A draft edits a record, or is to become a part of it.
bool speaks_of(const StoreState& state, const Store::Draft& draft, const Parent& record) {
  if (draft.name.find(record.id.text()) != std::string::npos) return true;
  const KindSchema* kind = state.schema.kind(draft.kind);
  if (kind == nullptr) return false;
  const auto own = RecordId::from_bytes(text_of(draft.record, 1).value_or(""));
  if (draft.kind == record.kind && own == record.id) return true;
  const auto whole = parent_of(*kind, draft.record);
  return whole && whole->kind == record.kind && whole->id == record.id;
}

Result<void> drop_drafts(StoreState& state, const Parent& record) {
  GW_TRY_LET(query, state.connection.prepare("SELECT name, kind, record, saved_ms FROM drafts"));
  std::vector<std::string> names;
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) break;
    const Store::Draft draft = read_draft(query);
    if (speaks_of(state, draft, record)) names.push_back(draft.name);
  }
  for (const std::string& name : names) {
    GW_TRY(state.connection.run("DELETE FROM drafts WHERE name=?", name));
  }
  return {};
}

// Notices of a log that was lost, which this file alone still has: the server clears all others. Of
// every operation on the record, or of one alone.
Result<void> silence_notices(StoreState& state, const Parent& record,
                             std::optional<DevSeq> operation = {}) {
  const KindSchema* kind = state.schema.kind("Outcome");
  const KindTable* table = kind != nullptr ? table_of(state, kind->id) : nullptr;
  if (table == nullptr) return {};
  std::vector<std::uint32_t> quoting;
  for (const std::string_view name : {"message", "lost_set", "lost_clear"}) {
    if (const FieldSchema* field = kind->field(name)) quoting.push_back(field->number);
  }
  GW_TRY_LET(query,
             state.connection.prepare("SELECT id FROM " + table->name + " WHERE last_seq=0 AND " +
                                      sqlite::column_name(kind->field("record")->number) + "=?"));
  query.bind(record.id);
  GW_TRY_LET(ids, ids_of(query));
  for (const RecordId& id : ids) {
    GW_TRY_LET(row, load_row(state, *table, id));
    if (!row->body) continue;
    if (operation && number_in(*kind, *row->body, "dev_seq") != operation->value) continue;
    row->body = replace_fields(*row->body, {}, quoting);
    GW_TRY(save_row(state, *table, id, *row));
  }
  return {};
}

// All that this file says a record is, or was to be.
Result<std::vector<std::string>> contents_of(StoreState& state, const KindTable& table,
                                             const RecordId& id,
                                             const std::vector<OutboxKey>& operations) {
  std::vector<std::string> contents;
  GW_TRY_LET(row, load_row(state, table, id));
  if (row && row->body) contents.push_back(*row->body);
  if (row && row->base) contents.push_back(*row->base);
  for (const OutboxKey key : operations) {
    GW_TRY_LET(operation, load_operation(state, key));
    if (operation && !operation->set.empty()) contents.push_back(operation->set);
  }
  return contents;
}

}  // namespace

Result<void> empty_operation(StoreState& state, OutboxKey key) {
  GW_TRY_LET(operation, load_operation(state, key));
  if (!operation || !operation->hash_before.empty()) return {};
  GW_TRY(silence_notices(state, {operation->kind, operation->id}, operation->dev_seq));
  forget(*operation);
  return state.connection.run(
      "UPDATE outbox SET type=?, creates=0, fields=x'', clear=x'', remove=x'', hash_before=? "
      "WHERE key=?",
      operation->type, sqlite::Blob{operation->hash_before}, key);
}

Result<std::vector<KindId>> forget_record(StoreState& state, const KindTable& table,
                                          const RecordId& id) {
  std::vector<KindId> kinds;
  std::vector<Part> records = {{&table, id}};
  while (!records.empty()) {
    const Part next = records.back();
    const Parent record{next.table->id, next.id};
    records.pop_back();
    GW_TRY_LET(parts, parts_in_sight(state, record));
    records.insert(records.end(), parts.begin(), parts.end());
    GW_TRY_LET(operations, operations_on(state, record.kind, record.id));
    std::vector<std::string> said;
    if (next.table->rules().name == "Attachment") {
      GW_TRY_LET(all, contents_of(state, *next.table, record.id, operations));
      said = std::move(all);
    }
    for (const OutboxKey key : operations) GW_TRY(empty_operation(state, key));
    GW_TRY(remove_row(state, *next.table, record.id));
    for (const std::string& content : said) GW_TRY(forget_media(state, content));
    GW_TRY(drop_drafts(state, record));
    GW_TRY(silence_notices(state, record));
    // Who looked at it and when stays; what for may say whom it was about.
    GW_TRY(state.connection.run("UPDATE access_log SET purpose='' WHERE kind=? AND id=?",
                                record.kind, record.id));
    kinds.push_back(record.kind);
  }
  return kinds;
}

Result<void> compact_index(StoreState& state) {
  return state.connection.run("INSERT INTO search_terms(search_terms) VALUES('optimize')");
}

Result<void> note_traces(StoreState& state) { return put_meta(state, kTraces, 1); }

void wipe_later(StoreState& state) {
  static_cast<void>(state.connection.cut_log());
  state.wipe_due = true;
}

void wipe(StoreState& state) {
  const auto traces = meta_number(state, kTraces);
  const bool has_traces = !traces || *traces != 0;
  const bool wiped =
      has_traces ? state.connection.wipe().has_value() : state.connection.cut_log().has_value();
  state.wipe_due = !wiped;
  if (wiped && has_traces) static_cast<void>(put_meta(state, kTraces, 0));
}

}  // namespace gridwhistle::store

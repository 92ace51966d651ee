#include "store/search_index.h"

#include <set>
#include <utility>

#include "base/varint.h"
#include "model/record.h"
#include "store/terms.h"

namespace gridwhistle::store {

namespace {

using Place = std::pair<KindId, RecordId>;

std::string indexed_key(Lane lane) { return "indexed" + std::to_string(static_cast<int>(lane)); }

// Each place once, in the order in which they were found.
struct Places {
  void add(std::uint64_t kind, const RecordId& id) {
    Place place{KindId(static_cast<std::uint32_t>(kind)), id};
    if (seen.insert(place).second) all.push_back(std::move(place));
  }
  std::vector<Place> all;
  std::set<Place> seen;
};

Result<void> collect(sqlite::Statement& query, Places& places) {
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) return {};
    places.add(query.number(0), query.record_id(1));
  }
}

Result<void> collect_of_cuts(StoreState& state, Places& places) {
  GW_TRY_LET(query, state.connection.prepare("SELECT places FROM search_cuts ORDER BY number"));
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) return {};
    ByteReader reader(query.blob(0));
    while (const auto kind = reader.varint()) {
      const auto id = RecordId::from_bytes(reader.take(RecordId::kSize).value_or(""));
      if (id) places.add(*kind, *id);
    }
  }
}

Result<void> write_document(StoreState& state, const KindTable& table, const RecordId& id) {
  GW_TRY(drop_from_index(state, table, id));
  GW_TRY_LET(row, load_row(state, table, id));
  if (!row || !row->body) return {};
  const Document document = document_of(table.rules(), *row->body);
  if (document.text.empty() && document.personal.empty()) return {};
  GW_TRY(
      state.connection.run("INSERT INTO search_docs(kind, id, text, personal) VALUES(?, ?, ?, ?)",
                           table.id, id, document.text, document.personal));
  return state.connection.run("INSERT INTO search_terms(rowid, terms) VALUES(?, ?)",
                              state.connection.last_insert_rowid(),
                              terms_of(folded(document.text + "\n" + document.personal)));
}

}  // namespace

Document document_of(const KindSchema& kind, std::string_view body) {
  Document document;
  FieldCursor present(body);
  for (const FieldSchema& field : kind.fields) {
    if (!field.searchable) continue;
    const bool open = field.sensitivity == Sensitivity::kPublic;
    std::string& text = open ? document.text : document.personal;
    for (const ValueView& value : values_of(present.entries(field.number))) {
      text.append(value.bytes).append("\n");
    }
  }
  return document;
}

Result<std::vector<std::pair<KindId, RecordId>>> unindexed(StoreState& state) {
  Places places;
  GW_TRY_LET(marked, state.connection.prepare("SELECT kind, id FROM search_unindexed"));
  GW_TRY(collect(marked, places));
  GW_TRY(collect_of_cuts(state, places));
  for (const Lane lane : kLanes) {
    GW_TRY_LET(upto, meta_number(state, indexed_key(lane)));
    GW_TRY_LET(recorded, state.connection.prepare(
                             "SELECT kind, id FROM outbox WHERE key>? AND key<=? ORDER BY key"));
    recorded.bind(key_of(lane, LaneSeq(static_cast<std::uint64_t>(upto))),
                  key_of(lane, state.lanes[index_of(lane)].last));
    GW_TRY(collect(recorded, places));
  }
  return std::move(places.all);
}

Result<void> catch_up_index(StoreState& state) {
  GW_TRY_LET(places, unindexed(state));
  if (places.empty()) return {};
  GW_TRY_LET(transaction, begin(state));
  for (const auto& [kind, id] : places) {
    const KindTable* table = table_of(state, kind);
    if (table != nullptr && table->searchable) GW_TRY(write_document(state, *table, id));
  }
  GW_TRY(state.connection.run("DELETE FROM search_unindexed"));
  GW_TRY(state.connection.run("DELETE FROM search_cuts"));
  for (const Lane lane : kLanes) {
    GW_TRY(put_meta(state, indexed_key(lane),
                    static_cast<std::int64_t>(state.lanes[index_of(lane)].last.value)));
  }
  return transaction.commit();
}

Result<void> mark_unindexed(StoreState& state, const KindTable& table, const RecordId& id) {
  if (!table.searchable) return {};
  return state.connection.run("INSERT OR IGNORE INTO search_unindexed VALUES(?, ?)", table.id, id);
}

void collect_unindexed(std::string& places, const KindTable& table, const RecordId& id) {
  if (!table.searchable) return;
  append_varint(places, table.id.value);
  places += id.bytes();
}

Result<void> mark_unindexed(StoreState& state, const std::string& places) {
  if (places.empty()) return {};
  return state.connection.run("INSERT INTO search_cuts(places) VALUES(?)", sqlite::Blob{places});
}

Result<void> drop_from_index(StoreState& state, const KindTable& table, const RecordId& id) {
  if (!table.searchable) return {};
  std::int64_t doc = 0;
  std::string terms;
  {
    GW_TRY_LET(query, state.connection.prepare(
                          "SELECT doc, text, personal FROM search_docs WHERE kind=? AND id=?"));
    query.bind(table.id, id);
    GW_TRY_LET(found, query.step());
    if (!found) return {};
    doc = query.integer(0);
    terms = terms_of(folded(std::string(query.text(1)) + "\n" + std::string(query.text(2))));
  }
  // An index without content has to be told what it is to forget.
  GW_TRY(state.connection.run(
      "INSERT INTO search_terms(search_terms, rowid, terms) VALUES('delete', ?, ?)", doc, terms));
  return state.connection.run("DELETE FROM search_docs WHERE doc=?", doc);
}

}  // namespace gridwhistle::store

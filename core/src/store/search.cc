#include <algorithm>
#include <map>
#include <set>

#include "model/record.h"
#include "store/search_index.h"
#include "store/terms.h"

namespace gridwhistle::store {

namespace {

constexpr std::size_t kSnippetCharacters = 40;

class Finder {
 public:
  Finder(StoreState& state, const Search& search, const Purpose& purpose)
      : state_(state), search_(search), purpose_(purpose), words_(words_of(search.text)) {}

  Result<std::vector<Hit>> run() {
    if (words_.empty()) return fail(ErrorCode::kInvalid, "there is no word to look for", "search");
    GW_TRY(check_purpose(state_, purpose_));
    GW_TRY(choose_kinds());
    if (state_.options.read_only) {
      GW_TRY(look_at_unindexed());
    } else {
      GW_TRY(catch_up_index(state_));
    }
    for (const Rank rank : {Rank::kOwn, Rank::kOthers, Rank::kReference}) {
      GW_TRY(look_into_index(rank));
    }
    std::ranges::stable_sort(hits_, {}, [this](const Hit& hit) { return order_of(hit); });
    for (const auto& [kind, ids] : read_) {
      GW_TRY(log_reads(state_, *table_of(state_, kind), ids, purpose_));
    }
    return std::move(hits_);
  }

 private:
  Result<void> choose_kinds() {
    for (const std::string& name : search_.kinds) {
      const KindSchema* kind = state_.schema.kind(name);
      if (kind == nullptr) {
        return fail(ErrorCode::kInvalid, "no such kind of record: " + name, "search");
      }
      kinds_.insert(kind->id);
    }
    return {};
  }

  bool wanted(KindId kind) const { return kinds_.empty() || kinds_.contains(kind); }
  // What one looks for is mostly what one wrote; grids and items hold every common word.
  enum class Rank : std::uint8_t { kOpen, kOwn, kOthers, kReference };
  Rank rank_of(const KindTable& table, const RecordId& id) const {
    if (table.rules().reference) return Rank::kReference;
    return id.device() == state_.device ? Rank::kOwn : Rank::kOthers;
  }
  Rank order_of(const Hit& hit) const {
    const Delivery delivery = hit.info.delivery;
    const bool open = delivery == Delivery::kUnsent || delivery == Delivery::kRefused;
    return open ? Rank::kOpen : rank_of(*table_of(state_, hit.info.kind), hit.info.id);
  }
  bool full() const { return hits_.size() >= search_.limit; }

  // A file that cannot be written cannot be indexed: what is new in it is read as it stands.
  Result<void> look_at_unindexed() {
    GW_TRY_LET(places, unindexed(state_));
    for (const auto& [kind, id] : places) {
      seen_.emplace(kind, id);
      const KindTable* table = table_of(state_, kind);
      if (table == nullptr || !table->searchable || !wanted(kind) || full()) continue;
      GW_TRY_LET(row, load_row(state_, *table, id));
      if (!row || !row->body) continue;
      consider(*table, id, *row, document_of(table->rules(), *row->body));
    }
    return {};
  }

  Result<void> look_into_index(Rank rank) {
    GW_TRY_LET(query, state_.connection.prepare(
                          "SELECT d.kind, d.id, d.text, d.personal FROM search_terms AS t "
                          "JOIN search_docs AS d ON d.doc = t.rowid "
                          "WHERE search_terms MATCH ? ORDER BY t.rowid DESC"));
    query.bind(match_of(words_));
    while (!full()) {
      GW_TRY_LET(found, query.step());
      if (!found) break;
      const KindId kind(static_cast<std::uint32_t>(query.integer(0)));
      const RecordId id = query.record_id(1);
      const KindTable* table = table_of(state_, kind);
      if (table == nullptr || !wanted(kind) || seen_.contains({kind, id})) continue;
      if (rank_of(*table, id) != rank) continue;
      const Document document{std::string(query.text(2)), std::string(query.text(3))};
      if (!all_words_in(document)) continue;
      GW_TRY_LET(row, load_row(state_, *table, id));
      if (row && row->body) consider(*table, id, *row, document);
    }
    return {};
  }

  std::string readable(const Document& document) const {
    return purpose_.text.empty() ? document.text : document.text + document.personal;
  }

  bool all_words_in(const Document& document) const {
    const std::string text = folded(readable(document));
    return std::ranges::all_of(
        words_, [&](const std::string& word) { return text.find(word) != std::string::npos; });
  }

  void consider(const KindTable& table, const RecordId& id, const RecordRow& row,
                const Document& document) {
    if (!all_words_in(document)) return;
    Hit hit;
    hit.info = found_of(state_, table, id, row, purpose_).info;
    hit.title = title_of(table.rules(), *row.body);
    hit.snippet = snippet_of(readable(document), words_.front(), kSnippetCharacters);
    hits_.push_back(std::move(hit));
    read_[table.id].push_back(id);
  }

  std::string title_of(const KindSchema& kind, std::string_view body) const {
    for (const FieldSchema& field : kind.fields) {
      if (!field.searchable) continue;
      const std::string_view text = text_of(body, field.number).value_or("");
      if (text.empty()) continue;
      const bool open = field.sensitivity == Sensitivity::kPublic || !purpose_.text.empty();
      return open ? std::string(text) : masked_text(field.mask, text);
    }
    return {};
  }

  StoreState& state_;
  const Search& search_;
  const Purpose& purpose_;
  std::vector<std::string> words_;
  std::set<KindId> kinds_;
  std::set<std::pair<KindId, RecordId>> seen_;
  std::map<KindId, std::vector<RecordId>> read_;
  std::vector<Hit> hits_;
};

}  // namespace

Result<std::vector<Hit>> Store::search(const Search& search, const Purpose& purpose) {
  return Finder(*state_, search, purpose).run();
}

}  // namespace gridwhistle::store

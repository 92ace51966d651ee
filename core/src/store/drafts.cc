#include "store/state.h"
#include "wire/limits.h"

namespace gridwhistle::store {

Store::Draft read_draft(const sqlite::Statement& row) {
  return {std::string(row.text(0)), KindId(static_cast<std::uint32_t>(row.integer(1))),
          std::string(row.blob(2)), row.integer(3)};
}

Result<void> Store::save_draft(std::string_view name, KindId kind, std::string_view record) {
  if (name.empty() || name.size() > limits::kLabelBytes || record.size() > limits::kRecordBytes) {
    return fail(ErrorCode::kTooLarge, "the draft or its name is too long, or has no name", "draft");
  }
  const KindSchema* known = state_->schema.kind(kind);
  if (known != nullptr && known->audience == Audience::kCare) {
    return fail(ErrorCode::kEncryptionRequired, "this is kept in encrypted files only", "draft");
  }
  GW_TRY_LET(transaction, begin(*state_));
  GW_TRY(state_->connection.run("INSERT OR REPLACE INTO drafts VALUES(?, ?, ?, ?)", name, kind,
                                sqlite::Blob{record}, state_->options.clock->now().wall_ms));
  return transaction.commit();
}

Result<Store::Draft> Store::draft(std::string_view name) {
  GW_TRY_LET(query, state_->connection.prepare(
                        "SELECT name, kind, record, saved_ms FROM drafts WHERE name=?"));
  query.bind(name);
  GW_TRY_LET(row, query.step());
  if (!row) return fail(ErrorCode::kNotFound, "there is no such draft", "draft");
  return read_draft(query);
}

Result<std::vector<Store::Draft>> Store::drafts() {
  GW_TRY_LET(query, state_->connection.prepare("SELECT name, kind, record, saved_ms FROM drafts "
                                               "ORDER BY saved_ms DESC, name"));
  std::vector<Draft> drafts;
  for (;;) {
    GW_TRY_LET(row, query.step());
    if (!row) return drafts;
    drafts.push_back(read_draft(query));
  }
}

Result<void> Store::drop_draft(std::string_view name) {
  GW_TRY_LET(transaction, begin(*state_));
  GW_TRY(state_->connection.run("DELETE FROM drafts WHERE name=?", name));
  return transaction.commit();
}

}  // namespace gridwhistle::store

#include "storage/sqlite/tables.h"

#include <algorithm>
#include <utility>

#include "schema/fields.h"
#include "schema/kinds.h"

namespace gridwhistle {

const std::string_view kCountyTables = R"sql(
CREATE TABLE IF NOT EXISTS scope(no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS feed(scope INTEGER NOT NULL, seq INTEGER NOT NULL,
  kind INTEGER NOT NULL, id BLOB NOT NULL, entered INTEGER NOT NULL, held INTEGER NOT NULL,
  PRIMARY KEY(scope, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS child(parent BLOB NOT NULL, kind INTEGER NOT NULL, id BLOB NOT NULL,
  PRIMARY KEY(parent, kind, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lane(device INTEGER NOT NULL, lane INTEGER NOT NULL,
  last INTEGER NOT NULL, noted INTEGER NOT NULL, running_hash BLOB NOT NULL,
  PRIMARY KEY(device, lane)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunk(device INTEGER NOT NULL, lane INTEGER NOT NULL,
  first INTEGER NOT NULL, hashes BLOB NOT NULL, runs BLOB NOT NULL,
  PRIMARY KEY(device, lane, first)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS device(device INTEGER PRIMARY KEY, worker BLOB NOT NULL,
  public_key BLOB NOT NULL, state INTEGER NOT NULL, short_code TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL, software TEXT NOT NULL, enrolled_ms INTEGER NOT NULL,
  last_seen_ms INTEGER NOT NULL, unsent INTEGER NOT NULL, cursor INTEGER NOT NULL,
  call_counter INTEGER NOT NULL, call_window INTEGER NOT NULL,
  predecessor INTEGER NOT NULL DEFAULT 0, inherits INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS holder(device INTEGER NOT NULL, since INTEGER NOT NULL,
  worker BLOB NOT NULL, PRIMARY KEY(device, since)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS worker_grant(worker BLOB NOT NULL, scope TEXT NOT NULL,
  position INTEGER NOT NULL, subtree INTEGER NOT NULL, audiences INTEGER NOT NULL,
  roles INTEGER NOT NULL, granted INTEGER NOT NULL, ended_ms INTEGER NOT NULL,
  roles_inside INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(worker, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS code(lookup TEXT PRIMARY KEY, salt BLOB NOT NULL, hash BLOB NOT NULL,
  worker BLOB NOT NULL, expires_ms INTEGER NOT NULL, tries_left INTEGER NOT NULL,
  used_by INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS epoch(position INTEGER PRIMARY KEY, id INTEGER NOT NULL,
  start_seq INTEGER NOT NULL, started_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS audit(number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,
  salt BLOB NOT NULL, content TEXT NOT NULL, content_hash BLOB NOT NULL, chain BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS merge_audit(number INTEGER PRIMARY KEY, decided INTEGER NOT NULL,
  kind INTEGER NOT NULL, id BLOB NOT NULL, writer INTEGER NOT NULL, dev_seq INTEGER NOT NULL,
  seq INTEGER NOT NULL, hlc INTEGER NOT NULL, lost BLOB NOT NULL, cleared BLOB NOT NULL,
  by_erasure INTEGER NOT NULL, at_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS merge_audit_record ON merge_audit(id, kind);
CREATE INDEX IF NOT EXISTS merge_audit_revived ON merge_audit(number) WHERE by_erasure=1;
CREATE TABLE IF NOT EXISTS kept(number INTEGER PRIMARY KEY, why INTEGER NOT NULL,
  state INTEGER NOT NULL, device INTEGER NOT NULL, worker BLOB NOT NULL, kind INTEGER NOT NULL,
  id BLOB NOT NULL, received_ms INTEGER NOT NULL, effective_ms INTEGER NOT NULL,
  frame BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS kept_waiting ON kept(why, number) WHERE state=1;
CREATE INDEX IF NOT EXISTS feed_left ON feed(seq) WHERE held=0;
CREATE TABLE IF NOT EXISTS gone(id BLOB NOT NULL, kind INTEGER NOT NULL,
  erased_ms INTEGER NOT NULL, PRIMARY KEY(id, kind)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log_mark(at_ms INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
)sql";

namespace {

constexpr std::pair<KindId, std::uint32_t> kLookups[] = {
    {kinds::kWhistle, fields::whistle::kNumber},
    {kinds::kWhistle, fields::whistle::kOwnerOrg},
    {kinds::kWhistle, fields::whistle::kHeadless},
    {kinds::kAssignment, fields::assignment::kOrganisation},
    {kinds::kOutcome, fields::outcome::kRecord},
    {kinds::kAttachment, fields::attachment::kSha256},
};

bool server_looks_up(const KindSchema& kind, const FieldSchema& field) {
  if (!field.indexed) return false;
  return kind.reference || std::ranges::find(kLookups, std::pair{kind.id, field.number}) !=
                               std::ranges::end(kLookups);
}

}  // namespace

ServerSchema::ServerSchema(const Schema& schema) : pruned_(schema) {
  for (const KindSchema& kind : schema.kinds) {
    std::vector<FieldSchema>& fields = fields_.emplace_back(kind.fields.begin(), kind.fields.end());
    for (FieldSchema& field : fields) field.indexed = server_looks_up(kind, field);
    kinds_.push_back(kind);
    kinds_.back().fields = fields;
  }
  pruned_.kinds = kinds_;
}

}  // namespace gridwhistle

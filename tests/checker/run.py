"""A run as it lies in its folder: the history and the files at its end."""

import functools
import json
import pathlib
import sqlite3
from dataclasses import dataclass, field

import scopes
import wire
from answers import APPLIED, PARKED, REJECTED, SEALED, STATUS
from merge import Merge
from road import Action, Walk, Whistle

# The faults of gw-sim that this checker cannot judge, and what a run with one of them tells.
NOT_KNOWN = "clones,put-backs,forgets,sweeps,hostile-phone,hostile-server,pictures"
BEYOND = {
    "copied": "two files under one number",
    "put_back": "a file that was put back",
    "intruder": "somebody who means harm",
    "forgot": "what was forgotten",
    "swept": "tombstones that were swept",
    "pictures": "what becomes of pictures",
}


@dataclass
class Operation:
    phone: str
    device: int
    lane: int
    lane_seq: int
    dev_seq: int
    kind: int
    id: str
    erases: bool
    creates: bool
    more: bool
    base_seq: int
    own_since: int
    hlc: int
    scope: str
    set: dict  # values by field number
    set_bytes: bytes
    clear: list
    remove: dict
    at: int  # when it was first let go
    seq: int = 0  # 0: not acknowledged
    status: int = 0
    code: int = 0
    acknowledged_at: int = 0

    @property
    def place(self):
        return self.device, self.lane, self.lane_seq

    @property
    def applied(self):
        return self.status in APPLIED

    def __str__(self):
        return (f"{self.phone}'s operation {self.lane}/{self.lane_seq} (dev_seq {self.dev_seq}, "
                f"seq {self.seq}, {STATUS.get(self.status, 'unanswered')})")


@dataclass
class Row:
    """A record as the county has it."""
    kind: int
    id: str
    last_seq: int
    erased: bool
    stamps: bytes
    memberships: bytes
    digest: bytes
    body: bytes

    @property
    def fields(self):
        return wire.fields(self.body)


@dataclass
class Held:
    """A record as a phone has it."""
    kind: int
    id: str
    body: bytes  # None: hidden by a pending erasure
    base: bytes
    pending: bytes
    base_seq: int
    last_seq: int
    gone: bool


@dataclass
class Outcome:
    id: str
    device: int
    lane: int
    lane_seq: int  # 0: a notice that a value was beaten later, no receipt
    dev_seq: int
    kind: int
    record: str
    status: int
    code: int
    lost: dict
    lost_clear: list
    scope: str

    @property
    def place(self):
        return self.device, self.lane, self.lane_seq


@dataclass
class Phone:
    name: str
    worker: str
    path: pathlib.Path
    device: int = 0
    lacks: int = 0  # the number of a kind that its build does not know
    meta: dict = field(default_factory=dict)
    rows: dict = field(default_factory=dict)  # by (kind, id)
    outbox: list = field(default_factory=list)


def _open(path):
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    connection.text_factory = bytes
    return connection


def _kinds_in(connection):
    for (name,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type='table' AND name GLOB 'k[0-9]*'"):
        yield int(name[1:]), name.decode()


class County:
    def __init__(self, path):
        self.rows = {}
        with _open(path) as file:
            self.sound = [row[0].decode() for row in file.execute("PRAGMA integrity_check")]
            for kind, table in _kinds_in(file):
                for row in file.execute(f"SELECT * FROM {table}"):
                    record = Row(kind, row["id"].hex(), row["last_seq"], bool(row["erased"]),
                                 row["stamps"], row["memberships"], row["digest"], row["body"])
                    self.rows[kind, record.id] = record
            self.meta = {row["key"].decode(): row["value"]
                         for row in file.execute("SELECT * FROM meta")}
            self.scopes = {row["no"]: row["name"].decode()
                           for row in file.execute("SELECT * FROM scope")}
            for table in ("feed", "child", "lane", "chunk", "device", "worker_grant", "epoch",
                          "audit", "merge_audit", "kept"):
                setattr(self, table, list(file.execute(f"SELECT * FROM {table}")))
        self.name = self.meta["county"].decode()
        self.last_seq = int(self.meta["last_seq"])

    def of(self, kind):
        """The live records of a kind."""
        return [row for row in self.rows.values() if row.kind == kind and not row.erased]


def _read_phone(phone):
    with _open(phone.path) as file:
        phone.meta = {row["key"].decode(): row["value"]
                      for row in file.execute("SELECT * FROM meta")}
        phone.device = int(phone.meta["device"])
        for kind, table in _kinds_in(file):
            for row in file.execute(f"SELECT * FROM {table}"):
                phone.rows[kind, row["id"].hex()] = Held(
                    kind, row["id"].hex(), row["body"], row["base"], row["pending"],
                    row["base_seq"], row["last_seq"], row["scopes"] == -1)
        phone.outbox = [dict(row) for row in file.execute("SELECT * FROM outbox ORDER BY key")]


class Run:
    """Everything the checker knows of a run; all of it from `folder`."""

    def __init__(self, folder, schema, table):
        self.folder, self.schema, self.table = pathlib.Path(folder), schema, table
        with open(self.folder / "history.jsonl", encoding="utf-8") as lines:
            self.events = [json.loads(line) for line in lines]
        self.phones, self.operations, self.calls, self.faults = {}, {}, {}, []
        self.settled = any(event["event"] == "settled" for event in self.events)
        self.healed = any(event.get("what") == "healed" for event in self.events)
        self.restored = any(event["event"] == "restored" for event in self.events)
        for event in self.events:
            getattr(self, "_on_" + event["event"], lambda event: None)(event)
        self.county = County(self.folder / "county.db")
        for phone in self.phones.values():
            _read_phone(phone)
        self.phone_of = {phone.device: phone for phone in self.phones.values()}

    def _on_phone(self, event):
        name = event["phone"]
        self.phones[name] = Phone(name, event["worker"], self.folder / f"{name}.db")

    def _on_build(self, event):
        self.phones[event["phone"]].lacks = event["lacks"]

    def _beyond(self, event):
        raise ValueError(f"the run has {BEYOND[event['event']]}, which this checker cannot judge; "
                         f"play with gw-sim --without {NOT_KNOWN}")

    _on_copied = _on_put_back = _on_intruder = _on_forgot = _on_swept = _on_pictures = _beyond

    def _on_sent(self, event):
        values = bytes.fromhex(event["set"])
        op = Operation(
            event["phone"], event["device"], event["lane"], event["lane_seq"], event["dev_seq"],
            event["kind"], event["id"], event["type"] == 1, event["creates"] == 1,
            event["more"] == 1, event["base_seq"], event["own_since"], event["hlc"],
            event["scope"], wire.fields(values), values,
            [int(number) for number in event["clear"].split()],
            wire.fields(bytes.fromhex(event["remove"])), event["at"])
        before = self.operations.get(op.place)
        if before and not self.restored and before.at != op.at:
            self.faults.append(("lanes", f"{before} was sent twice with different contents"))
        self.operations[op.place] = op

    def _on_acknowledged(self, event):
        for i in range(event["count"]):
            place = event["device"], event["lane"], event["first"] + i
            said = event["seq"] + i, event["status"], event["code"]
            op = self.operations.get(place)
            if op is None:
                self.faults.append(("lanes", f"the server acknowledged {place}, which nobody sent"))
                continue
            heard = op.seq, op.status, op.code
            if op.seq and heard != said:
                self.faults.append(("receipts", f"{op} was acknowledged as {said} as well"))
            if not op.seq:
                op.acknowledged_at = event["at"]
            op.seq, op.status, op.code = said

    def _on_called(self, event):
        self.calls.setdefault(event["device"], []).append((event["at"], event["read"]))

    def has_read(self, op):
        """How far its phone had read when the call began in which the operation was taken over: the
        least and the most that may be, because which call that was only the server knows."""
        calls = self.calls.get(op.device, [])
        before = [read for at, read in calls if at <= op.at][-1:]
        during = [read for at, read in calls if op.at < at <= op.acknowledged_at]
        return min(before + during, default=0), max(before + during, default=0)

    def _on_restored(self, event):
        # What the lost log had said says nothing any more.
        for op in self.operations.values():
            if op.seq > event["upto"]:
                op.seq = op.status = op.code = 0

    def outcomes(self):
        """The county's receipts and notices: (place or None, Row, fields)."""
        kind = self.schema.by_name["Outcome"]
        number = kind.number_of
        for row in self.county.of(kind.number):
            said = row.fields
            first = lambda name: said.get(number(name), [0])[0]
            device = int.from_bytes(first("device") or b"", "little")
            yield Outcome(row.id, device, first("lane"), first("lane_seq"), first("dev_seq"),
                          first("record_kind"), (first("record") or b"").hex(), first("status"),
                          first("code"), wire.fields(first("lost_set") or b""),
                          wire.numbers_of(said.get(number("lost_clear"), [])),
                          (first("worker") or b"").decode())

    def applied_later(self):
        """Places of operations that were parked or sealed first, and applied then."""
        return {o.place for o in self.outcomes()
                if o.lane_seq and o.status in APPLIED and o.place in self.operations
                and self.operations[o.place].status in (PARKED, SEALED)}

    @functools.cached_property
    def places(self):
        return scopes.Places(self.schema, self.county)

    @functools.cached_property
    def ended_at(self):
        return self.events[-1]["at"]

    @functools.lru_cache(maxsize=None)
    def merge(self):
        merge = Merge(self.schema, self.has_read, self.applied_later())
        merge.play(self.in_order())
        return merge

    @functools.cached_property
    def walk(self):
        """Every whistle's road, walked anew."""
        walk = Walk(self.table, {row.id: self._whistle(row) for row in self._all("Whistle")},
                    self._called())
        actions = [self._action(row) for row in self._all("WhistleAction")]
        walk.play(sorted(filter(None, actions + self._refused()), key=lambda action: action.seq))
        return walk

    def _all(self, kind):
        return self.county.of(self.schema.by_name[kind].number)

    def named_fields(self, kind, fields):
        """A record's last values by the names of their fields, ids and texts as words."""
        declared = self.schema.by_name[kind].fields
        return {declared[n].name: (v[-1] if not isinstance(v[-1], bytes) else
                                   v[-1].hex() if declared[n].type == "bytes" else
                                   v[-1].decode("utf-8", "replace"))
                for n, v in fields.items() if n in declared}

    def _seq_of(self, row):
        """Where the log has a record's creation; for the server's own its only change."""
        return next((op.seq for op in self._made.get((row.kind, row.id), []) if op.applied),
                    row.last_seq)

    @functools.cached_property
    def _made(self):
        made = {}
        for op in self.operations.values():
            if op.creates:
                made.setdefault((op.kind, op.id), []).append(op)
        return made

    @functools.cached_property
    def _organisations(self):
        return {row.id: self.named_fields("OrgUnit", row.fields) for row in self._all("OrgUnit")}

    def _level(self, organisation):
        return self._organisations.get(organisation, {}).get("level", 0)

    def _organisation_of(self, worker):
        row = self.places.workers.get(worker)
        return self.named_fields("Worker", row.fields).get("organisation", "") if row else ""

    def _whistle(self, row):
        said = self.named_fields("Whistle", row.fields)
        source = self.schema.word("Source", said.get("source", 0))
        owner = self._organisation_of(said.get("reporter", ""))
        routine = self.schema.word("WhistleClass", said.get("whistle_class", 0)) == "ROUTINE"
        step = "REPORTED" if source == "WORKER" else "VERIFYING"
        if said.get("handled_on_spot") and routine and source == "WORKER":
            step = "HANDLED_ON_SPOT"
        return Whistle(row.id, said.get("reporter", ""), source, owner, self._level(owner), routine,
                       step, self._seq_of(row))

    def _called(self):
        called = {}
        for row in self._all("Assignment"):
            said = self.named_fields("Assignment", row.fields)
            lead = self.schema.word("AssignmentPart", said.get("part", 0)) == "LEAD"
            called.setdefault(said["whistle"], []).append((row.id, said["organisation"], lead))
        return called

    def _action(self, row):
        said = self.named_fields("WhistleAction", row.fields)
        return self._proposal(row.id, said, self._seq_of(row), said.get("status", 0),
                              said.get("code", 0))

    def _refused(self):
        """Actions that the county has refused are no records of it."""
        kind = self.schema.by_name["WhistleAction"]
        return [self._proposal(op.id, self.named_fields(kind.name, op.set), op.seq, op.status,
                               op.code)
                for op in self.operations.values()
                if op.kind == kind.number and op.status == REJECTED and op.code > 1000]

    def _proposal(self, id_, said, seq, status, code):
        actor = said.get("actor", "")
        organisation = self._organisation_of(actor)
        return Action(id_, seq, said.get("whistle", ""),
                      self.schema.word("WhistleActionType", said.get("type", 0)), actor,
                      organisation, self._level(organisation), self._roles(actor, said),
                      said.get("assignment", ""), said.get("after", ""), said.get("round", 0), said,
                      status, code)

    def _roles(self, worker, said):
        """The roles held, now or once, over the whistle: those that change are beyond this."""
        whistle = self.county.rows.get((self.schema.by_name["Whistle"].number,
                                        said.get("whistle", "")))
        if whistle is None:
            return set()
        words = {number: word.removeprefix("ROLE_")
                 for word, number in self.schema.enums["Role"].items()}
        roles = set()
        for row in self.county.worker_grant:
            grant = scopes.Grant(bool(row["subtree"]))
            scope = row["scope"].decode()
            if row["worker"].hex() != worker:
                continue
            for place in self.places.of(whistle):
                if scopes.reaches(scope, grant, place):
                    bits = row["roles"] if scope == place else row["roles_inside"]
                    roles |= {word for number, word in words.items() if bits >> number & 1}
        return roles

    def is_volunteer(self, whistle):
        """Whether a whistle's reporter is nothing but a volunteer."""
        number = self.schema.by_name["Whistle"].number_of("reporter")
        worker = whistle.get(number, [b""])[0].hex()
        held = self.places.held_by(worker, self.ended_at).values()
        return set().union(*(grant.roles for grant in held)) == {"VOLUNTEER"}

    def in_order(self):
        """The acknowledged operations in the order of the log."""
        return sorted((op for op in self.operations.values() if op.seq), key=lambda op: op.seq)

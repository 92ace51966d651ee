"""The laws of docs/checker.md, each a function of a run that yields what breaks it."""

import collections
import hashlib

import scopes
import wire
from routing import Book
from answers import ACCEPTED, APPLIED, PARKED, STATUS


def named(run, key):
    kind = run.schema.kinds.get(key[0])
    return f"{kind.name if kind else key[0]} {key[1]}"


def readable(values):
    """Values for a person's eyes: made-up words of a simulation, no record of anybody."""
    return [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values or []]


# What was recorded


def recorded(run):
    """Every change that a phone made durable was offered to the server with the very value."""
    if not run.settled:
        return
    by_record = collections.defaultdict(list)
    for op in run.operations.values():
        by_record[op.kind, op.id].append(op)
    for event in run.events:
        what = event["event"]
        if what not in ("wrote", "added", "removed", "erased"):
            continue
        key = event["kind"], event["id"]
        value = event.get("value", "").encode()

        def offers(op):
            if what == "wrote" and op.phone != event["phone"]:
                return False
            if what == "erased":
                return op.erases
            return value in (op.remove if what == "removed" else op.set).get(event["field"], [])

        if not any(offers(op) for op in by_record[key]):
            yield f"at {event['at']}: {what} {readable([value])} on {named(run, key)}, and " \
                  f"never offered"


def lanes(run):
    """Lanes are contiguous, each place has one content, seqs ascend along a lane, none is twice."""
    yield from (text for law, text in run.faults if law == "lanes")
    by_lane = collections.defaultdict(list)
    for op in run.operations.values():
        by_lane[op.device, op.lane].append(op)
    taken = {(row["device"], row["lane"]): row["last"] for row in run.county.lane}
    for (device, lane), ops in by_lane.items():
        ops.sort(key=lambda op: op.lane_seq)
        for expected, op in enumerate(ops, 1):
            if op.lane_seq != expected:
                yield f"{op} comes where {expected} should"
                break
        answered = [op for op in ops if op.seq]
        for before, after in zip(answered, answered[1:]):
            if after.seq <= before.seq or after.dev_seq <= before.dev_seq:
                yield f"{after} does not come after {before}"
        if run.settled and taken.get((device, lane), 0) != len(ops):
            yield f"{ops[0].phone} sent {len(ops)} in lane {lane}, the county has taken " \
                  f"{taken.get((device, lane), 0)}"
    seqs = collections.Counter(op.seq for op in run.operations.values() if op.seq)
    yield from (f"seq {seq} was given {times} times" for seq, times in seqs.items() if times > 1)
    dev_seqs = collections.Counter((op.device, op.dev_seq) for op in run.operations.values())
    yield from (f"{place} was used {times} times" for place, times in dev_seqs.items() if times > 1)


# What became of it


def receipts(run):
    """Every operation has one answer; what was not plainly accepted has one receipt in its author's
    own scope that says the same, and the phone has noted it."""
    yield from (text for law, text in run.faults if law == "receipts")
    said = collections.defaultdict(list)
    for outcome in run.outcomes():
        if outcome.lane_seq:
            said[outcome.place].append(outcome)
    for op in run.operations.values():
        outcomes = said.pop(op.place, [])
        if not op.seq:
            if run.settled:
                yield f"{op} was never answered"
            continue
        statuses = sorted((o.status for o in outcomes), key=lambda s: s != op.status)
        fine = statuses == ([] if op.status == ACCEPTED else [op.status])
        if op.status not in APPLIED and len(statuses) == 2 and statuses[0] == op.status:
            fine = True  # Parked or sealed, and decided then.
        if not fine:
            yield f"{op} has the receipts {[STATUS.get(s, s) for s in statuses]}"
        worker = run.phones[op.phone].worker
        for outcome in outcomes:
            if outcome.scope != f"worker:{worker}":
                yield f"the receipt {outcome.id} of {op} lies in {outcome.scope}"
    if run.settled:
        for place, outcomes in said.items():
            yield f"the receipt {outcomes[0].id} is of {place}, which nobody sent"
    for phone in run.phones.values():
        for row in phone.outbox:
            place = phone.device, row["key"] >> 56, row["key"] & (1 << 56) - 1
            op = run.operations.get(place)
            if run.settled and op is None:
                yield f"{phone.name} keeps {place}, which it never sent"
            elif run.settled and op.seq and row["status"] not in (op.status, 0) and \
                    not (op.status == PARKED):
                yield f"{op}: {phone.name} has noted {STATUS.get(row['status'])}"


def merged(run):
    """Every record is what the merge of docs/merge-laws.md makes of the operations in the order of
    the log, and so is the answer to each of them."""
    merge = run.merge()
    ops = {op.place: op for op in run.operations.values()}
    for place, status in merge.statuses.items():
        if ops[place].status != status:
            yield f"{ops[place]} on {named(run, (ops[place].kind, ops[place].id))} " \
                  f"should be {STATUS[status]}"
    for key, record in merge.records.items():
        if key in merge.unknown:
            continue
        row = run.county.rows.get(key)
        if row is None:
            if record.exists:
                yield f"{named(run, key)} was acknowledged and is not there"
        elif row.erased != record.erased:
            yield f"{named(run, key)} is {'' if row.erased else 'not '}erased, and should " \
                  f"{'not ' if row.erased else ''}be"
        elif not row.erased:
            yield from _differences(run, key, record.body(), row.fields)


def _differences(run, key, own, county):
    kind = run.schema.kinds[key[0]]
    for number in sorted(set(own) | set(county)):
        field = kind.fields.get(number)
        if field is not None and field.merge == "SERVER":
            continue
        expected = own.get(number)
        if kind.name == "Whistle" and field is not None and field.name == "source":
            # Who is nothing but a volunteer there reports as one, whatever the phone says.
            volunteer = [run.schema.enums["Source"]["SOURCE_VOLUNTEER"]]
            if county.get(number) == volunteer and run.is_volunteer(own):
                continue
        if expected != county.get(number):
            yield f"{named(run, key)} field {number} is {readable(county.get(number))}, " \
                  f"the merge makes it {readable(expected)}"


def invented(run):
    """Nothing of a phone's is at the county that the phone has not recorded."""
    written = {(op.kind, op.id) for op in run.operations.values()}
    for key in run.county.rows:
        kind = run.schema.kinds.get(key[0])
        if kind is None or kind.server_written or key in written:
            continue
        device = device_of(key[1])
        if device in run.phone_of or kind.name != "WhistleAction":
            yield f"{named(run, key)} is there, and nobody recorded it"


def device_of(id_):
    """The device in a record's id: 48 bits, the version, 12 bits."""
    return int(id_[:12], 16) << 12 | int(id_[13:16], 16)


def losers(run):
    """Every value that was beaten is in the audit of merges once, and its author has been told."""
    merge = run.merge()
    audit = collections.Counter()
    for row in run.county.merge_audit:
        audit[row["kind"], row["id"].hex(), row["writer"], row["dev_seq"]] += 1
    own = collections.Counter(loser.key for loser in merge.losers)
    known = lambda key: key[:2] not in merge.unknown
    for key in set(audit) | set(own):
        if key in merge.may_lose and audit[key] <= own[key]:
            continue
        if known(key) and audit[key] != own[key]:
            yield f"{named(run, key)}: what device {key[2]} wrote with dev_seq {key[3]} lost " \
                  f"{own[key]} times, the audit has it {audit[key]} times"
    told = collections.defaultdict(list)
    for outcome in run.outcomes():
        told[outcome.kind, outcome.record, outcome.device, outcome.dev_seq].append(outcome)
    for row in run.county.merge_audit:
        key = row["kind"], row["id"].hex(), row["writer"], row["dev_seq"]
        values = wire.fields(row["lost"])
        if not any(all(o.lost.get(n) == v for n, v in values.items()) for o in told[key]):
            yield f"{named(run, key)}: device {key[2]} was not told that its dev_seq {key[3]} lost"
    for loser in merge.losers:
        row_values = [wire.fields(row["lost"]) for row in run.county.merge_audit
                      if (row["kind"], row["id"].hex(), row["writer"], row["dev_seq"]) == loser.key]
        if loser.key in merge.may_lose or not row_values or not known(loser.key):
            continue
        for number, values in zip(loser.fields, loser.values):
            if number != "empty" and not any(
                    row.get(number) == list(values) for row in row_values):
                yield f"{named(run, loser.key)} field {number}: {readable(values)} lost, and the " \
                      f"audit keeps something else"


# The whistle's road


def road(run):
    """Every whistle's state, owner, level and round, every assignment's state and the answer to each
    action follow from the actions in the order of the log, by the table."""
    walk = run.walk
    for id_, (status, code) in walk.verdicts.items():
        action = walk.by_id[id_]
        if action.whistle in walk.not_walked:
            continue
        if (status, code) != (action.status, action.code):
            yield f"{action.type} {id_} of {action.seq} should be {STATUS[status]} {code}, and " \
                  f"is {STATUS.get(action.status)} {action.code}"
    for row in run.county.of(run.schema.by_name["Whistle"].number):
        own = walk.whistles[row.id]
        if row.id in walk.not_walked:
            continue
        said = run.named_fields("Whistle", row.fields)
        state = run.schema.word("WhistleState", said.get("state", 0))
        for name, expected, found in (("state", own.state, state),
                                      ("round", own.round, said.get("round")),
                                      ("owner", own.owner, said.get("owner_org")),
                                      ("level", own.level, said.get("level"))):
            if expected != found:
                yield f"whistle {row.id}: its {name} should be {expected}, and is {found}"
    for row in run.county.of(run.schema.by_name["Assignment"].number):
        said = run.named_fields("Assignment", row.fields)
        own = walk.whistles.get(said["whistle"])
        if own is None or said["whistle"] in walk.not_walked:
            continue
        expected = own.assignments[row.id].state if row.id in own.assignments else "WITHDRAWN"
        found = run.schema.word("AssignmentState", said.get("state", 0))
        if found != expected:
            yield f"assignment {row.id}: its state should be {expected}, and is {found}"


def routed(run):
    """Every whistle bears the item, the version and the rule that the list gives it, or waits in the
    county's queue; and who leads is whom the list names."""
    book = Book(run)
    leads = {}
    for row in run.county.of(run.schema.by_name["Assignment"].number):
        said = run.named_fields("Assignment", row.fields)
        if run.schema.word("AssignmentPart", said.get("part", 0)) == "LEAD":
            leads[said["whistle"]] = said["organisation"]
    for row in run.county.of(run.schema.by_name["Whistle"].number):
        said = run.named_fields("Whistle", row.fields)
        rule, item, lead = book.route(said, run.ended_at)
        expected = {"routing_rule": rule and rule["code"],
                    "responsibility_item": item and item["code"],
                    "responsibility_version": item and item.get("list_version"),
                    "routed": 1 if lead else None, "headless": None if lead else 1}
        for name, value in expected.items():
            if said.get(name) != value and not (lead is None and name.startswith("r")):
                yield f"whistle {row.id}: its {name} should be {value}, and is {said.get(name)}"
        if row.id in leads and leads[row.id] != lead:
            yield f"whistle {row.id}: {leads[row.id]} was called to lead, the list names {lead}"


# Who sees it


def access(run):
    """Grants follow from roles, places from what stands in the records, the feed from the places."""
    bits = (None, scopes.PUBLIC, scopes.WORK, scopes.PERSONAL, scopes.CARE)
    held = collections.defaultdict(dict)
    for row in run.county.worker_grant:
        if row["ended_ms"] == 0:
            audiences = {w for i, w in enumerate(bits) if w and row["audiences"] >> i & 1}
            held[row["worker"].hex()][row["scope"].decode()] = bool(row["subtree"]), audiences
    for worker in run.places.workers:
        own = {scope: (grant.subtree, grant.audiences)
               for scope, grant in run.places.held_by(worker, run.ended_at).items()}
        for scope in sorted(set(own) | set(held[worker])):
            if own.get(scope) != held[worker].get(scope):
                yield f"worker {worker} holds {held[worker].get(scope)} in {scope}, their roles " \
                      f"give {own.get(scope)}"
    lines = {}
    for row in run.county.feed:
        lines[row["scope"], row["seq"]] = (row["kind"], row["id"].hex(), row["entered"],
                                           bool(row["held"]))
    for key, row in run.county.rows.items():
        places = wire.memberships(row.memberships)
        for scope, inside, entered, seq in places:
            if lines.pop((scope, seq), None) != (*key, entered, inside):
                yield f"{named(run, key)} has no line at {seq} in {run.county.scopes.get(scope)}"
        lies_in = {run.county.scopes.get(scope) for scope, inside, _, _ in places if inside}
        if not row.erased and lies_in != run.places.of(row):
            yield f"{named(run, key)} lies in {sorted(lies_in)}, by what stands in it in " \
                  f"{sorted(run.places.of(row))}"
    for (scope, seq), line in lines.items():
        yield f"{run.county.scopes.get(scope)} has a line at {seq} of {named(run, line)}, " \
              f"which does not lie there"


def replicas(run):
    """Each phone holds what its worker's grants show, as the county has it, and nothing else."""
    if not run.settled:
        return
    for phone in run.phones.values():
        grants = run.places.held_by(phone.worker, run.ended_at).items()
        for key, row in run.county.rows.items():
            kind = run.schema.kinds[key[0]]
            shown = not row.erased and key[0] != phone.lacks and any(
                scopes.shows(kind, scope, grant, place)
                for place in run.places.of(row) for scope, grant in grants)
            held = phone.rows.get(key)
            holds = held is not None and not held.gone
            if shown and not holds:
                yield f"{phone.name} lacks {named(run, key)}"
            elif holds and not shown and not _waits(run, phone, key, row):
                yield f"{phone.name} holds {named(run, key)}, which is not in its scopes"
            elif shown and held.body != row.body and not _left_out(run, phone, held, row):
                yield f"{phone.name} has another {named(run, key)} than the county: " \
                      f"{_unlike(held.body, row.body)}"
        for key, held in phone.rows.items():
            if key not in run.county.rows and not held.gone and \
                    not _waits(run, phone, key, None) and not _of_a_lost_log(run, held):
                yield f"{phone.name} holds {named(run, key)}, which the county has not"


def _waits(run, phone, key, row):
    """An own record whose whole has not come: its author sees it, and the county can show it to
    nobody."""
    own = any(op.device == phone.device and (op.kind, op.id) == key
              for op in run.operations.values())
    return own and (row is None and any(
        op.status == PARKED for op in run.operations.values() if (op.kind, op.id) == key)
        or row is not None and not run.places.of(row))


def _left_out(run, phone, held, row):
    """Of a record whose kind its build does not know a phone keeps a receipt, without its words."""
    kind = run.schema.kinds[row.kind]
    if kind.name != "Outcome" or row.fields.get(kind.number_of("record_kind")) != [phone.lacks]:
        return False
    there = {n: v for n, v in row.fields.items() if n != kind.number_of("lost_set")}
    return wire.fields(held.body) == there


def _of_a_lost_log(run, held):
    """What a log that a restore has lost told of a value that will not be offered again."""
    return run.restored and run.schema.kinds[held.kind].name == "Outcome" and held.last_seq == 0


def _unlike(phone, county):
    if phone is None:
        return "hidden on the phone"
    here, there = wire.fields(phone), wire.fields(county)
    return ", ".join(f"field {n} is {readable(here.get(n))}, there {readable(there.get(n))}"
                     for n in sorted(set(here) | set(there)) if here.get(n) != there.get(n))


def forgotten(run):
    """What left a phone's scopes or was erased is nowhere in its file, but in what is its own."""
    if not run.settled:
        return
    for phone in run.phones.values():
        with open(phone.path, "rb") as file:
            data = file.read()
        own = b"".join(row["fields"] + row["remove"] for row in phone.outbox)
        own += b"".join(held.body or b"" for held in phone.rows.values() if not held.gone)
        for op in run.operations.values():
            kind = run.schema.kinds.get(op.kind)
            if kind is None or op.device == phone.device:
                continue
            for number, values in op.set.items():
                field = kind.fields.get(number)
                if field is None or field.rules.get("sensitivity", "SENSITIVITY_PUBLIC") == \
                        "SENSITIVITY_PUBLIC":
                    continue
                for value in values:
                    if isinstance(value, bytes) and b"<" in value and value in data and \
                            value not in own:
                        yield f"{phone.name}'s file still has {readable([value])} of " \
                              f"{named(run, (op.kind, op.id))}"


def views(run):
    """What a phone shows of a field never goes back to an own value that it had written over, as
    long as no operation on the record was refused."""
    refused = {(op.device, op.id) for op in run.operations.values()
               if op.seq and op.status not in APPLIED}
    wrote = collections.defaultdict(list)
    for event in run.events:
        if event["event"] == "wrote":
            wrote[event["phone"], event["id"], event["field"]].append(event["value"])
        elif event["event"] == "shows":
            key = event["phone"], event["id"], event["field"]
            own = wrote[key]
            if event["value"] in own[:-1] and not run.restored and \
                    (run.phones[event["phone"]].device, event["id"]) not in refused:
                yield f"at {event['at']}: {event['phone']} shows its own older " \
                      f"{event['value']} of {event['id']} again"


# The file itself


def log(run):
    """The county's file is sound: pages, digests, seqs, starts, and whistles' numbers."""
    if run.county.sound != ["ok"]:
        yield f"the county's file is damaged: {run.county.sound[0]}"
    for key, row in run.county.rows.items():
        if row.digest and row.digest != digest(row):
            yield f"{named(run, key)} is not what was written"
        if row.last_seq > run.county.last_seq:
            yield f"{named(run, key)} is of {row.last_seq}, the log ends at {run.county.last_seq}"
    for op in run.operations.values():
        if op.seq > run.county.last_seq:
            yield f"{op}: the log ends at {run.county.last_seq}"
    starts = [(row["start_seq"], row["started_ms"]) for row in
              sorted(run.county.epoch, key=lambda row: row["position"])]
    if starts != sorted(starts):
        yield f"the starts do not ascend: {starts}"


def digest(row):
    data = bytes.fromhex(row.id) + wire.varint(row.last_seq) + wire.varint(int(row.erased))
    data += wire.varint(len(row.stamps)) + row.stamps
    data += wire.varint(len(row.memberships)) + row.memberships + row.body
    return hashlib.sha256(data).digest()[:16]


def audit(run):
    """The audit has no gap, and each entry is chained to the one before, up to the noted end."""
    before = b""
    for expected, row in enumerate(sorted(run.county.audit, key=lambda row: row["number"]), 1):
        if row["number"] != expected:
            yield f"entry {row['number']} comes where {expected} should"
            return
        forgotten_entry = not row["salt"] and not row["content"]
        if not forgotten_entry and hashlib.sha256(row["salt"] + row["content"]).digest() != \
                row["content_hash"]:
            yield f"entry {expected} was rewritten"
        number_and_time = (row["number"].to_bytes(8, "little") +
                           row["at_ms"].to_bytes(8, "little", signed=True))
        before = hashlib.sha256(before + number_and_time + row["content_hash"]).digest()
        if before != row["chain"]:
            yield f"entry {expected} breaks the chain"
            before = row["chain"]
    if run.county.meta.get("audit_head", b"").decode() != before.hex():
        yield "its newest entries are missing or replaced"


def numbers(run):
    """A whistle's number has its author's letters and the right check character, and is its own."""
    kind = run.schema.by_name["Whistle"]
    letters = {row["device"]: row["short_code"].decode() for row in run.county.device}
    seen = {}
    for row in run.county.of(kind.number):
        number = row.fields.get(kind.number_of("number"), [b""])[0].decode()
        code, _, rest = number.partition("-")
        if check_character(number[:-2]) != number[-1:] or len(rest.partition("-")[0]) < 6:
            yield f"whistle {row.id} has the number {number}, whose check character is wrong"
        if letters.get(device_of(row.id)) not in (None, code):
            yield f"whistle {row.id} has the number {number} of another phone"
        if number in seen:
            yield f"whistles {row.id} and {seen[number]} have one number, {number}"
        seen[number] = row.id


def check_character(text):
    """ISO 7064, MOD 37,36."""
    characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    product = 36
    for character in text:
        if character not in characters:
            continue
        total = (product + characters.index(character)) % 36 or 36
        product = total * 2 % 37
    return characters[(37 - product) % 36]


def settled(run):
    """On a healed network every phone sends everything and catches up."""
    if not run.healed or run.settled:
        return
    for phone in run.phones.values():
        if not phone.meta.get("caught_up"):
            yield f"{phone.name} has not caught up"
    for op in run.operations.values():
        if not op.seq:
            yield f"{op} is unanswered"


LAWS = {law.__name__: law for law in (recorded, lanes, receipts, merged, invented, losers, road,
                                      routed, access, replicas, forgotten, views, log, audit,
                                      numbers, settled)}

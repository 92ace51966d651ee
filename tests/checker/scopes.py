"""Who may see what, from the domain's table of roles and docs/architecture.md: leaf scopes of
records, grants of workers, and what a device must hold."""

from dataclasses import dataclass, field

import wire

PUBLIC, WORK, PERSONAL, CARE = "PUBLIC", "WORK", "PERSONAL", "CARE"
STAFF = {PUBLIC, WORK}
CASE_STAFF = {"VILLAGE_ACCEPTOR", "TOWN_ACCEPTOR", "DISPATCHER", "SUPERVISOR"}
CENTRE = CASE_STAFF | {"OPERATOR"}


def leaf(county, value):
    """The canonical scope that a value names; None when it is none."""
    prefix, colon, code = value.partition(":")
    if colon and prefix in ("org", "worker"):
        return value
    code = code if colon else prefix
    if value in ("county", "centre", "staff"):
        return f"{value}:{county}"
    if len(code) == 6 and colon:
        return value
    if len(code) == 15:
        return f"grid:{code}"
    if len(code) != 12:
        return None
    if code.endswith("000000"):
        return f"county:{code[:6]}"
    return f"town:{code}" if code.endswith("000") else f"village:{code}"


def around(scope):
    """A place's scope and those that it lies in."""
    level, _, code = scope.partition(":")
    found = [scope]
    if level == "grid":
        found.append(f"village:{code[:12]}")
    if level in ("grid", "village"):
        found.append(f"town:{code[:9]}000")
    if level in ("grid", "village", "town"):
        found.append(f"county:{code[:6]}")
    return found


@dataclass
class Grant:
    subtree: bool = False
    audiences: set = field(default_factory=set)
    roles: set = field(default_factory=set)


def grants_of(schema, county, worker, record, now_ms):
    """What a worker holds by their record: grants by scope."""
    kind = schema.by_name["Worker"]
    fields = wire.fields(record)
    left = fields.get(kind.number_of("left_ms"))
    if left and wire.signed(left[0]) <= now_ms:
        return {}
    grants = {}

    def add(scope, subtree, audiences, role):
        grant = grants.setdefault(scope, Grant())
        grant.subtree |= subtree
        grant.audiences |= audiences
        grant.roles.add(role)

    roles = set()
    for packed in fields.get(kind.number_of("roles"), []):
        held = wire.fields(packed)
        role = schema.word("Role", held.get(1, [0])[0])
        begins, ends = (wire.signed(held[n][0]) if n in held else None for n in (3, 4))
        if (begins is not None and now_ms < begins) or (ends is not None and now_ms >= ends):
            continue
        place = leaf(county, held[2][0].decode()) if 2 in held else None
        if role == "DEPARTMENT" and place is None:
            place = "org:" + fields[kind.number_of("organisation")][0].hex()
        if place is None:
            continue
        roles.add(role)
        own = {"GRID_WORKER": STAFF | {PERSONAL}, "CARE_WORKER": STAFF | {PERSONAL, CARE},
               "MICRO_CONTACT": STAFF, "VOLUNTEER": {PUBLIC},
               "DEPARTMENT": STAFF | {PERSONAL}}.get(role, STAFF)
        add(place, role not in ("GRID_WORKER", "CARE_WORKER", "MICRO_CONTACT", "VOLUNTEER",
                                "DEPARTMENT"), own, role)
        if role == "DEPARTMENT":
            add(f"staff:{county}", False, STAFF, role)
        else:
            for outer in around(place)[1:]:
                add(outer, False, own & STAFF, role)
        if role in CENTRE:
            add(f"centre:{county}", False, STAFF, role)
    for role in roles:
        add(f"county:{county}", False, STAFF if roles - {"VOLUNTEER"} else {PUBLIC}, role)
        add(f"worker:{worker}", False, STAFF | {PERSONAL, CARE}, role)
    return grants


def reaches(scope, grant, place):
    return place == scope or (grant.subtree and scope in around(place))


def shows(kind, scope, grant, place):
    """Whether a grant shows rows of a kind that lie in a place."""
    if not reaches(scope, grant, place):
        return False
    if place.startswith("worker:") or kind.audience in grant.audiences:
        return True
    follows_a_whistle = kind.rules.get("scope_parent") == "whistle"
    return (kind.audience == PERSONAL and follows_a_whistle and
            bool(grant.roles & CASE_STAFF))


class Places:
    """Where the county's records lie, worked out anew from what stands in them."""

    def __init__(self, schema, county):
        self.schema, self.county, self.found = schema, county, {}
        number = schema.by_name["Assignment"].number_of
        self.called = {}  # organisations by whistle
        for row in county.of(schema.by_name["Assignment"].number):
            whistle = row.fields[number("whistle")][0].hex()
            self.called.setdefault(whistle, set()).add(
                "org:" + row.fields[number("organisation")][0].hex())
        self.workers = {row.id: row for row in county.of(schema.by_name["Worker"].number)}
        self.grants = {}

    def of(self, row):
        """The leaf scopes of a record; none while its whole is missing."""
        key = row.kind, row.id
        if key not in self.found:
            self.found[key] = self._leaves(row)
        return self.found[key]

    def held_by(self, worker, now_ms):
        key = worker, now_ms
        if key not in self.grants:
            row = self.workers.get(worker)
            self.grants[key] = {} if row is None else grants_of(
                self.schema, self.county.name, worker, row.body, now_ms)
        return self.grants[key]

    def _leaves(self, row):
        kind = self.schema.kinds[row.kind]
        fields = row.fields
        if "scope" in kind.rules:
            leaves = {leaf(self.county.name, kind.rules["scope"])}
            return leaves | self._of_worker(row) if kind.name == "Worker" else leaves
        if "scope_field" in kind.rules:
            value = fields.get(kind.number_of(kind.rules["scope_field"]), [b""])[0].decode()
            leaves = {leaf(self.county.name, value)} - {None}
            return leaves | self._of_whistle(row) if kind.name == "Whistle" else leaves
        whole = self._whole(kind, fields)
        if whole is None:
            return set()
        leaves = self.of(whole)
        return self._followed(kind, fields, leaves)

    def _whole(self, kind, fields):
        parent = kind.rules["scope_parent"]
        id_ = fields.get(kind.number_of(parent), [b""])[0].hex()
        by = kind.rules.get("scope_parent_kind_field")
        if by:
            number = fields.get(kind.number_of(by), [0])[0]
        else:
            refers_to = kind.fields[kind.number_of(parent)].rules["refers_to"]
            number = self.schema.by_name[refers_to].number
        return self.county.rows.get((number, id_))

    def _of_whistle(self, row):
        """Beside its grid: who was called, and an author who may not see it where it lies."""
        kind = self.schema.by_name["Whistle"]
        author = row.fields.get(kind.number_of("reporter"), [b""])[0].hex()
        grid = leaf(self.county.name, row.fields[kind.number_of("grid")][0].decode())
        own = set() if self._ever_saw(author, kind, grid) else {f"worker:{author}"}
        return self.called.get(row.id, set()) | own

    def _ever_saw(self, author, kind, place):
        """Whether the worker holds, or once held, what shows them such records there."""
        if author not in self.workers:
            return True
        for row in self.county.worker_grant:
            audiences = {word for bit, word in enumerate((None, PUBLIC, WORK, PERSONAL, CARE))
                         if row["audiences"] >> bit & 1}
            grant = Grant(bool(row["subtree"]), audiences)
            scope = row["scope"].decode()
            if (row["worker"].hex() == author and not scope.startswith("worker:") and
                    shows(kind, scope, grant, place)):
                return True
        return False

    def _followed(self, kind, fields, leaves):
        """A whistle's parts follow it, but into its author's own scope only what that author wrote,
        and nothing about a person."""
        own = {place for place in leaves if place.startswith("worker:")}
        if not own or kind.rules["scope_parent"] != "whistle":
            return leaves
        author = next((f.number for f in kind.fields.values()
                       if f.rules.get("by_author") == "true"), None)
        wrote = fields.get(author, [b""])[0].hex() if author else ""
        kept = own & {f"worker:{wrote}"} if kind.audience == WORK else set()
        return (leaves - own) | kept

    def _of_worker(self, row):
        """To themselves, where a role of theirs is held, and where their organisation answers."""
        fields, kind = row.fields, self.schema.by_name["Worker"]
        leaves = {f"worker:{row.id}"}
        for packed in fields.get(kind.number_of("roles"), []):
            place = wire.fields(packed).get(2)
            if place:
                leaves.add(leaf(self.county.name, place[0].decode()))
        org = fields.get(kind.number_of("organisation"), [b""])[0].hex()
        row = self.county.rows.get((self.schema.by_name["OrgUnit"].number, org))
        if row is not None:
            area = row.fields.get(self.schema.by_name["OrgUnit"].number_of("area12"))
            if area:
                leaves.add(leaf(self.county.name, area[0].decode()))
        return leaves

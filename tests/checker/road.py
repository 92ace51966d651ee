"""The whistle's road: the table and the guards of docs/workflow.md, walked anew by the actions in the
order of the log."""

import re
from dataclasses import dataclass, field

from answers import ACCEPTED, REJECTED, SUPERSEDED

CLOSED_STATES = {"REFUSED", "MERGED", "CLOSED", "VOID"}
NEVER_LATE = {"COMMENT", "SUPERVISE", "LIFT_SUPERVISION"}
LEVELS = ("UNSPECIFIED", "VILLAGE", "TOWN", "COUNTY", "CITY")


class NotWalked(Exception):
    """Something that this walk does not know how to judge."""


@dataclass
class Row:
    of: str
    sources: str
    action: str
    who: set
    to: str
    guards: list

    def leaves(self, state):
        if self.sources == "any":
            return True
        if self.sources == "any open":
            return state not in CLOSED_STATES
        if self.sources.startswith("any but "):
            return state not in self.sources.removeprefix("any but ").split(", ")
        return state in self.sources.split(", ")


class Table:
    """The page's first two tables."""

    def __init__(self, page):
        self.rows, self.codes = [], {}
        for line in page.read_text(encoding="utf-8").splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if len(cells) == 7 and cells[0] in ("whistle", "assignment"):
                of, sources, action, who, to, guards, _ = cells
                self.rows.append(Row(of, sources, action, set(who.split(", ")), to,
                                     [] if guards == "–" else guards.split(", ")))
            elif len(cells) == 3 and re.fullmatch(r"\d{4}", cells[2]):
                self.codes[cells[0]] = int(cells[2])

    def of(self, action):
        return {row.of for row in self.rows if row.action == action}


@dataclass
class Chain:
    """What was applied to one subject, a whistle's own step or an assignment, in order."""
    actions: list = field(default_factory=list)  # (action, whether it changed the state)


@dataclass
class Assignment:
    id: str
    organisation: str
    lead: bool
    state: str = "ASSIGNED"
    chain: Chain = field(default_factory=Chain)


@dataclass
class Whistle:
    id: str
    reporter: str
    source: str
    owner: str
    level: int
    routine: bool
    step: str
    seq: int
    round: int = 1
    accepted: bool = False
    objections: int = 0
    supervised: bool = False
    handlers: set = field(default_factory=set)  # workers and organisations
    assignments: dict = field(default_factory=dict)  # of this round, by id
    withdrawn: set = field(default_factory=set)
    chain: Chain = field(default_factory=Chain)

    @property
    def lead(self):
        return next((a for a in self.assignments.values() if a.lead), None)

    @property
    def state(self):
        """Its own step, or while departments are at work the lead's state."""
        return self.step or self.lead.state


@dataclass
class Action:
    id: str
    seq: int
    whistle: str
    type: str
    actor: str  # empty: the server
    organisation: str
    level: int  # of the actor's organisation
    roles: set
    assignment: str
    after: str
    round: int
    values: dict  # by field name
    status: int
    code: int


class Walk:
    def __init__(self, table, whistles, called):
        """`called`: (id, organisation, whether it leads) by whistle, as the county has them."""
        self.table, self.whistles, self.called = table, whistles, called
        self.by_id, self.verdicts, self.not_walked = {}, {}, {}

    def play(self, actions):
        for action in actions:
            if action.whistle in self.not_walked:
                continue
            whistle = self.whistles.get(action.whistle)
            self.by_id[action.id] = action
            try:
                if whistle is None or whistle.seq > action.seq:
                    raise NotWalked("it waited for its whistle")
                self.verdicts[action.id] = self._judge(whistle, action)
            except NotWalked as reason:
                self.not_walked[action.whistle] = f"{action.type} {action.id}: {reason}"

    def _judge(self, whistle, action):
        of_assignment = "assignment" in self.table.of(action.type)
        subject = whistle.assignments.get(action.assignment) if of_assignment else None
        late = action.round and action.round < whistle.round
        late |= of_assignment and subject is None and action.assignment in whistle.withdrawn
        if of_assignment and subject is None and not late:
            return REJECTED, 1002
        chain = subject.chain if subject else whistle.chain
        late |= self._unseen_change(chain, action)
        if late and action.type not in NEVER_LATE:
            return SUPERSEDED, 0
        row, code = self._row(whistle, subject, action)
        if row is None:
            return REJECTED, code
        self._apply(whistle, subject, action, row)
        return ACCEPTED, 0

    def _unseen_change(self, chain, action):
        """Whether the subject changed state by an action that its author had not seen. Another's
        action is read in the order of the log, so what came before it was seen too. An own one may
        have been written before any of that was: where it changed this very subject it counts, else
        what it was itself written after does."""
        moves = [id_ for id_, changed in chain.actions if changed]
        seen = self.by_id.get(action.after)
        while seen and seen.actor == action.actor and seen.id not in moves[-1:]:
            seen = self.by_id.get(seen.after)
        return bool(moves) and (seen is None or seen.seq < self.by_id[moves[-1]].seq)

    def _row(self, whistle, subject, action):
        rows = [row for row in self.table.rows if row.action == action.type and
                row.of == ("assignment" if subject else "whistle")]
        if not rows:
            return None, 1001
        rows = [row for row in rows if row.leaves(subject.state if subject else whistle.state)]
        if not rows:
            return None, 1003
        allowed = [row for row in rows if self._may(row, action)]
        if not allowed:
            return None, 1004
        furthest, code = -1, 0
        for row in allowed:
            for place, guard in enumerate(row.guards):
                if not self._holds(guard, whistle, subject, action):
                    if place > furthest:
                        furthest, code = place, self.table.codes[guard]
                    break
            else:
                return row, 0
        return None, code

    @staticmethod
    def _may(row, action):
        if "anyone" in row.who:
            return True
        if not action.actor:
            return "SERVER" in row.who
        return "any person" in row.who or bool(row.who & action.roles)

    def _holds(self, guard, whistle, subject, action):
        said = action.values
        if guard == "other_whistle_open":
            other = self.whistles.get(said.get("other_whistle", ""))
            return other is not None and other is not whistle and other.seq < action.seq and \
                other.state not in CLOSED_STATES
        if guard == "co_departments_done":
            return not subject.lead or all(
                a.state in ("REPORTED_BACK", "OBJECTED") for a in whistle.assignments.values()
                if a is not subject)
        simple = {
            "own_report": lambda: action.actor == whistle.reporter,
            "before_acceptance": lambda: not whistle.accepted,
            "from_outside": lambda: whistle.source != "WORKER",
            "from_worker": lambda: whistle.source == "WORKER",
            "routine": lambda: whistle.routine,
            "no_meeting_due": lambda: whistle.objections < 2,
            "at_level": lambda: not action.actor or action.level >= whistle.level,
            "town_or_above": lambda: action.level >= LEVELS.index("TOWN"),
            "one_lead": lambda: bool(said.get("lead")),
            "own_organisation": lambda: action.organisation == subject.organisation,
            "not_handler": lambda: not {action.actor, action.organisation} & whistle.handlers,
            "supervised": lambda: whistle.supervised,
            "not_supervised": lambda: not whistle.supervised,
        }
        if guard not in simple:
            raise NotWalked(f"the guard {guard}")
        return simple[guard]()

    def _apply(self, whistle, subject, action, row):
        if subject:
            self._of_assignment(whistle, subject, action, row)
        elif action.type not in ("COMMENT",):
            self._of_whistle(whistle, action, row)
        chain = subject.chain if subject else whistle.chain
        chain.actions.append((action.id, row.to != "same"))

    def _of_assignment(self, whistle, subject, action, row):
        if action.type not in ("CHECK_IN", "START", "REPORT_BACK"):
            raise NotWalked("its effect")
        subject.state = row.to
        whistle.handlers |= {action.actor, action.organisation}
        if action.type == "CHECK_IN" and subject.lead:
            whistle.owner = subject.organisation

    def _of_whistle(self, whistle, action, row):
        if action.type not in ("ACCEPT", "BLOW", "ASSIGN", "CHECK", "REJECT", "MERGE", "UNMERGE",
                               "VOID", "REFUSE", "VERIFY"):
            raise NotWalked("its effect")
        before = whistle.state
        if action.type == "ACCEPT":
            whistle.accepted = True
        if action.type in ("ACCEPT", "BLOW", "CHECK") or (
                action.type == "REJECT" and before == "HANDLED_ON_SPOT"):
            whistle.owner = action.organisation
        if action.type == "ASSIGN":
            whistle.step = None
            for id_, organisation, lead in self.called.get(whistle.id, ()):
                whistle.assignments[id_] = Assignment(id_, organisation, lead)
            return
        if row.to == "same":
            return
        if row.to == "HANDLING":
            whistle.step, whistle.lead.state = None, "HANDLING"
            whistle.owner = whistle.lead.organisation
            return
        whistle.step = row.to
        if row.to in ("VOID", "MERGED", "ACCEPTED"):
            whistle.withdrawn |= set(whistle.assignments)
            whistle.assignments = {}

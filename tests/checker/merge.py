"""The merge, written from docs/merge-laws.md alone: what a county must have made of the operations
that it acknowledged, in the order of its log."""

import copy
from dataclasses import dataclass, field

from wire import varint
from answers import ACCEPTED, BEATEN, GONE, REVIVED, SUPERSEDED


@dataclass
class Stamp:
    """Who wrote a unit last."""
    seq: int = 0
    writer: int = 0
    dev_seq: int = 0
    hlc: int = 0
    shown_at: int = 0  # the feed brings the unit to who has read less than this

    @property
    def rank(self):
        return self.hlc, self.writer


@dataclass
class Unit:
    value: dict = field(default_factory=dict)  # lists of values by field number; nothing: empty
    stamp: Stamp = field(default_factory=Stamp)
    agreed: list = field(default_factory=list)  # stamps of others who wrote the same unseen


@dataclass
class Element:
    value: object
    stamp: Stamp


@dataclass
class Loser:
    kind: int
    id: str
    writer: int
    dev_seq: int
    fields: tuple  # the field numbers whose values lost; empty: the erasure itself
    values: tuple  # and those values
    decided: int  # the seq of the change that decided; None: the server's own, on a part

    @property
    def key(self):
        return self.kind, self.id, self.writer, self.dev_seq


def encoded(value):
    """A set's elements stand in the order of their bytes on the wire: of texts the shorter first."""
    return varint(value) if isinstance(value, int) else varint(len(value)) + value


class Record:
    def __init__(self, kind, id_):
        self.kind, self.id = kind, id_
        self.units, self.elements, self.removals = {}, {}, []
        self.exists = self.erased = False
        self.erasure = None  # the stamp of what erased it, also of the whole it went along with
        self.along = False  # erased with its whole, not by itself
        self.writes = []  # (seq, device, operation); an erasure is none

    def body(self):
        """Values by field number, as a device may write them."""
        found = {}
        for unit in self.units.values():
            found.update({number: values for number, values in unit.value.items() if values})
        for number, elements in self.elements.items():
            if self.kind.fields[number].merge == "SET":
                values = sorted({e.value for e in elements}, key=encoded)
            else:
                values = [e.value for e in sorted(
                    elements, key=lambda e: (*e.stamp.rank, e.stamp.dev_seq))]
            if values:
                found[number] = values
        return found


class Merge:
    """Plays the log. `records` by (kind, id); `losers`; `statuses` by operation where the merge
    itself decides; `unknown`: records that cannot be replayed, with the reason; `may_lose`: what may
    or may not count as lost, because the history does not say what a phone had read."""

    def __init__(self, schema, has_read, applied_later):
        self.schema, self.has_read, self.applied_later = schema, has_read, applied_later
        self.records, self.parts, self.losers, self.statuses, self.unknown = {}, {}, [], {}, {}
        self.may_lose = set()
        self.came_later = set()  # of those unknown: when they began is not known either

    def play(self, operations):
        for op in operations:
            kind = self.schema.kinds.get(op.kind)
            if kind is None:
                continue
            key = op.kind, op.id
            if op.hlc >> 16 > op.acknowledged_at:
                self.unknown[key] = f"{op} has a clock ahead of the server's"
            record = self.records.setdefault(key, Record(kind, op.id))
            if op.erases:
                status = self._erase(record, op)
            elif op.applied or op.status == GONE:
                status = self._put(record, op)
            else:
                if op.place in self.applied_later:
                    self.unknown[key] = f"{op} was applied later, the history does not say when"
                    self.came_later.add(key)
                continue
            if op.status != SUPERSEDED and key not in self.came_later:
                self.statuses[op.place] = status

    # Erasing

    def _erase(self, record, op):
        if not op.applied:
            return op.status
        if record.erased and not record.along:
            return ACCEPTED
        if not record.exists and not op.creates:
            return ACCEPTED  # What is gone may be erased again.
        record.exists = True
        unseen = [w for w in record.writes if w[1] != op.device and w[0] > op.base_seq]
        if unseen:
            self._lose(record, op, (), (), op.seq)
            self._show_anew(record, op.seq)
            return REVIVED
        record.erased, record.along = True, False
        record.erasure = Stamp(op.seq, op.device, op.dev_seq, op.hlc)
        record.erased_by = op
        for part in self._parts_of(record):
            self._go_along(part, record.erasure, op)
        return ACCEPTED

    @staticmethod
    def _show_anew(record, seq):
        """A record that stands again comes whole: who writes before that writes unseeing."""
        for unit in record.units.values():
            unit.stamp.shown_at = max(unit.stamp.shown_at, seq)

    def _parts_of(self, record):
        return [part for part in self.records.values()
                if part.exists and self._whole_of(part) is record]

    def _whole_of(self, record):
        parent = record.kind.rules.get("scope_parent")
        if parent is None:
            return None
        number = record.kind.number_of(parent)
        whole = record.body().get(number)
        refers_to = record.kind.fields[number].rules.get("refers_to")
        if not whole or refers_to is None:
            return None
        return self.records.get((self.schema.by_name[refers_to].number, whole[0].hex()))

    def _go_along(self, part, stamp, eraser):
        if part.erased:
            return
        part.erased, part.along, part.erasure = True, True, stamp
        self._tell_unseen(part, eraser)
        for deeper in self._parts_of(part):
            self._go_along(deeper, stamp, eraser)

    def _keep_as_gone(self, record, op, decided):
        numbers = tuple(sorted(op.set))
        self._lose(record, op, numbers, tuple(tuple(op.set[n]) for n in numbers), decided)

    def _tell_unseen(self, part, eraser):
        """Each who wrote what stands in a part and the eraser cannot have seen is told once."""
        least, most = self.has_read(eraser)
        unseen = {}  # what stands, by writer
        for number, unit in part.units.items():
            for stamp in [unit.stamp, *unit.agreed]:
                unseen.setdefault(stamp.writer, []).append((stamp, unit.value))
        for number, elements in part.elements.items():
            for e in elements:
                unseen.setdefault(e.stamp.writer, []).append((e.stamp, {number: [e.value]}))
        for writer, stands in unseen.items():
            late = [(stamp, value) for stamp, value in stands if stamp.seq > least]
            if writer == eraser.device or not late:
                continue
            values = {}
            for _, value in late:
                for number, said in value.items():
                    values.setdefault(number, []).extend(said)
            numbers = tuple(sorted(values))
            self.losers.append(Loser(part.kind.number, part.id, writer,
                                     max(stamp.dev_seq for stamp, _ in late), numbers,
                                     tuple(tuple(sorted(values[n], key=encoded))
                                           for n in numbers), None))
            if any(stamp.seq <= most for stamp, _ in late):
                self.may_lose |= {(part.kind.number, part.id, writer, stamp.dev_seq)
                                  for stamp, _ in late}

    def _come_back(self, record, stamp, seq):
        record.erased = record.along = False
        record.erasure = None
        self._show_anew(record, seq)
        for part in self._parts_of(record):
            if part.erased and part.along and part.erasure == stamp:
                self._come_back(part, stamp, seq)

    # Writing

    def _put(self, record, op):
        if not record.exists and not op.creates:
            self._keep_as_gone(record, op, op.seq)
            return GONE
        status = ACCEPTED
        went_along = record.erased and record.along
        if record.erased and not record.along:
            own = record.erasure.writer == op.device
            if own and op.dev_seq < record.erasure.dev_seq:
                record.writes.append((op.seq, op.device, op))
                self._write(record, op)
                return ACCEPTED
            if not own and record.erasure.seq > op.base_seq:
                self._lose(record, record.erased_by, (), (), op.seq)
                status = REVIVED
            # Who writes knowing of the erasure brings the record back too, and nothing is lost.
            self._come_back(record, record.erasure, 0)
        record.exists = True
        record.writes.append((op.seq, op.device, op))
        if self._write(record, op) and status == ACCEPTED:
            status = BEATEN
        if status == REVIVED:
            self._show_anew(record, op.seq)
        whole = self._whole_of(record)
        if went_along or (whole is not None and whole.erased):
            if whole is not None and not whole.erased:
                self._come_back(record, record.erasure, op.seq)
            elif whole is not None:
                record.erased, record.along, record.erasure = True, True, whole.erasure
                # What lost to another write as well is kept once, whole.
                mine = (record.kind.number, op.id, op.device, op.dev_seq)
                self.losers = [l for l in self.losers if l.key != mine]
                self._keep_as_gone(record, op, op.seq)
                status = GONE
        return status

    def _write(self, record, op):
        """Lays the values in; whether one of them was beaten."""
        writes = {}
        for number, values in op.set.items():
            rule = record.kind.fields.get(number)
            if rule is not None and rule.merge in ("SET", "APPEND"):
                self._add(record, op, number, values)
            else:
                writes.setdefault(record.kind.unit(number), {})[number] = values
        for number in op.clear:
            writes.setdefault(record.kind.unit(number), {})
            if number in record.kind.fields and record.kind.fields[number].merge == "SET":
                self.unknown[record.kind.number, op.id] = f"{op} empties a set"
        for number, values in op.remove.items():
            self._remove(record, op, number, values)
        lost = [self._write_unit(record, op, number, value) for number, value in writes.items()]
        return any(lost)

    def _write_unit(self, record, op, number, value):
        unit = record.units.setdefault(number, Unit())
        now, mine = unit.stamp, Stamp(op.seq, op.device, op.dev_seq, op.hlc, op.seq)
        if now.seq == 0:
            unit.value, unit.stamp = value, mine
            return False
        if now.writer == op.device and now.dev_seq > op.dev_seq:
            return False
        hidden = now.writer == op.device and now.seq > op.base_seq and now.dev_seq <= op.own_since
        if now.writer == op.device and not hidden:
            self._lose_agreed(record, unit, op, value)
            unit.value, unit.stamp, unit.agreed = value, mine, []
            return False
        if now.seq <= op.base_seq or hidden:
            if now.shown_at > op.base_seq or hidden:
                self._lose_unit(record, unit.stamp, unit.value, value, op.seq)
            self._lose_agreed(record, unit, op, value)
            unit.value, unit.stamp, unit.agreed = value, mine, []
            return False
        # Concurrent: the later clock stands.
        if unit.value == value:
            if mine.rank > now.rank:
                unit.agreed.append(now)
                unit.stamp = mine
            else:
                unit.agreed.append(mine)
            return False
        if mine.rank > now.rank:
            self._lose_unit(record, now, unit.value, value, op.seq)
            self._lose_agreed(record, unit, op, value)
            unit.value, unit.stamp, unit.agreed = value, mine, []
            return False
        now.shown_at = max(now.shown_at, op.seq)
        self._lose_unit(record, mine, value, unit.value, op.seq)
        return True

    def _lose_agreed(self, record, unit, op, value):
        if value == unit.value:
            return
        for stamp in unit.agreed:
            if stamp.writer != op.device and stamp.seq > op.base_seq:
                self._lose_unit(record, stamp, unit.value, value, op.seq)

    def _lose_unit(self, record, stamp, value, winner, decided):
        if value == winner:
            return
        numbers = tuple(sorted(value)) or ("empty",)
        self.losers.append(Loser(record.kind.number, record.id, stamp.writer, stamp.dev_seq,
                                 numbers, tuple(tuple(v) for _, v in sorted(value.items())),
                                 decided))

    def _lose(self, record, op, fields, values, decided):
        self.losers.append(Loser(record.kind.number, record.id, op.device, op.dev_seq, fields,
                                 values, decided))

    def _add(self, record, op, number, values):
        elements = record.elements.setdefault(number, [])
        stamp = Stamp(op.seq, op.device, op.dev_seq, op.hlc)
        is_set = record.kind.fields[number].merge == "SET"
        for value in values:
            overtaken = is_set and any(
                n == number and v == value and device == op.device and dev_seq > op.dev_seq
                for n, v, device, dev_seq in record.removals)
            if not overtaken:
                elements.append(Element(value, copy.copy(stamp)))

    def _remove(self, record, op, number, values):
        elements = record.elements.setdefault(number, [])
        for value in values:
            record.removals.append((number, value, op.device, op.dev_seq))
            elements[:] = [e for e in elements if not (e.value == value and (
                e.stamp.seq <= op.base_seq or
                (e.stamp.writer == op.device and e.stamp.dev_seq < op.dev_seq)))]

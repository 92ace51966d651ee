"""The record kinds, read from their declarations in proto/."""

import pathlib
import re
from dataclasses import dataclass, field


@dataclass
class Field:
    number: int
    name: str
    type: str
    repeated: bool
    rules: dict

    @property
    def merge(self):
        return self.rules.get("merge", "MERGE_LWW").removeprefix("MERGE_")


@dataclass
class Kind:
    name: str
    number: int
    rules: dict
    fields: dict = field(default_factory=dict)  # by number

    @property
    def audience(self):
        return self.rules["audience"].removeprefix("AUDIENCE_")

    @property
    def server_written(self):
        return self.rules.get("server_written") == "true" or self.rules.get("reference") == "true"

    def number_of(self, name):
        return next(f.number for f in self.fields.values() if f.name == name)

    def unit(self, number):
        """What is merged as one with this field: the lowest number of its group, or itself."""
        group = self.fields[number].rules.get("group") if number in self.fields else None
        if group is None:
            return number
        return min(f.number for f in self.fields.values() if f.rules.get("group") == group)


def _rules(text):
    return {name: value.strip('"')
            for name, value in re.findall(r'(\w+)\s*:\s*("[^"]*"|\w+)', text or "")}


def _blocks(text, keyword):
    """(name, what stands between the braces) of each top-level block."""
    for start in re.finditer(rf"^{keyword} (\w+) {{", text, re.M):
        depth, at = 1, start.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        yield start.group(1), text[start.end():at - 1]


_FIELD = re.compile(r"\b(optional|repeated)\s+([\w.]+)\s+(\w+)\s*=\s*(\d+)\s*"
                    r"(?:\[\s*\(field\)\s*=\s*\{(.*?)\}\s*\])?\s*;", re.S)


class Schema:
    def __init__(self, proto):
        """From the folder that holds records.proto and its neighbours."""
        self.kinds, self.enums = {}, {}
        for path in sorted(pathlib.Path(proto).glob("*.proto")):
            text = re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8"))
            for name, block in _blocks(text, "enum"):
                self.enums[name] = {word: int(number) for word, number
                                    in re.findall(r"(\w+)\s*=\s*(\d+)", block)}
            for name, block in _blocks(text, "message"):
                rule = re.search(r"option \(kind\) = \{(.*?)\}", block, re.S)
                if not rule:
                    continue
                rules = _rules(rule.group(1))
                kind = Kind(name, int(rules["number"]), rules)
                for how, type_, field_name, number, said in _FIELD.findall(block):
                    kind.fields[int(number)] = Field(int(number), field_name, type_,
                                                     how == "repeated", _rules(said))
                self.kinds[kind.number] = kind
        self.by_name = {kind.name: kind for kind in self.kinds.values()}

    def word(self, enum, number):
        """Of an enum's number its word, without the enum's own name before it."""
        prefix = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", enum).upper() + "_"
        words = {value: word for word, value in self.enums[enum].items()}
        return words.get(number, str(number)).removeprefix(prefix)

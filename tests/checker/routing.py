"""Whom the responsibility list names for a whistle: domain.md's "most specific first, then priority",
worked out anew from the county's rules."""


class Book:
    def __init__(self, run):
        read = lambda kind: [run.named_fields(kind, row.fields) | {"id": row.id, "row": row}
                             for row in run.county.of(run.schema.by_name[kind].number)]
        self.schema = run.schema
        self.rules, self.organisations = read("RoutingRule"), read("OrgUnit")
        self.items = {item["code"]: item for item in read("ResponsibilityItem")}
        self.grids = {grid["code15"]: grid for grid in read("Grid")}

    def route(self, whistle, now_ms):
        """The rule, the item and the organisation to lead; None for what there is not."""
        matching = [rule for rule in self.rules if _in_force(rule, now_ms) and
                    self._matches(rule, whistle)]
        if not matching:
            return None, None, None
        rule = max(matching, key=_precedence)
        item = self.items.get(rule.get("responsibility_item"))
        if item is None or not _in_force(item, now_ms):
            return rule, item, None
        return rule, item, self._lead(rule, item, whistle, now_ms)

    def _matches(self, rule, whistle):
        grid = self.grids.get(whistle.get("grid"), {})
        wants = {"grid_type": grid.get("type"), "source": whistle.get("source"),
                 "whistle_class": whistle.get("whistle_class")}
        return (whistle.get("category", "").startswith(rule.get("category_prefix", "")) and
                whistle.get("grid", "").startswith(rule.get("area_prefix", "")) and
                all(rule.get(name) in (None, value) for name, value in wants.items()) and
                ("emergency" not in rule or
                 bool(rule["emergency"]) == bool(whistle.get("emergency"))))

    def _lead(self, rule, item, whistle, now_ms):
        """The organisation of the item's type, at the rule's level, that serves the place."""
        digits = {"VILLAGE": 12, "TOWN": 9, "COUNTY": 6}
        fitting = [unit["id"] for unit in self.organisations
                   if unit.get("department_type") == item.get("lead_department_type") and
                   unit.get("level") == rule.get("lead_level") and
                   now_ms < unit.get("valid_until_ms", now_ms + 1) and
                   unit.get("area12", "")[:digits[self.schema.word("Level", unit["level"])]] ==
                   whistle.get("grid", "")[:digits[self.schema.word("Level", unit["level"])]]]
        return min(fitting, default=None)


def _in_force(record, now_ms):
    return record.get("valid_from_ms", 0) <= now_ms < record.get("valid_until_ms", now_ms + 1)


def _precedence(rule):
    """The most specific first: the longer prefixes, then the more conditions; then the priority."""
    conditions = sum(name in rule for name in ("grid_type", "source", "whistle_class", "emergency"))
    return (len(rule.get("category_prefix", "")), len(rule.get("area_prefix", "")), conditions,
            rule.get("priority", 0))

#!/usr/bin/env python3
"""A second opinion on a run of phones and their county: reads the history and the files at the end,
works out anew what must hold, and tells what does not. Shares no code with what it judges.

docs/checker.md says what a folder holds and which laws there are.
"""

import argparse
import collections
import pathlib
import sqlite3
import sys
import traceback

sys.dont_write_bytecode = True

from kinds import Schema  # noqa: E402
from laws import LAWS  # noqa: E402
from road import Table  # noqa: E402
from run import NOT_KNOWN, Run  # noqa: E402

TREE = pathlib.Path(__file__).resolve().parents[2]
PROTO = TREE / "proto/gridwhistle/v1"
ROAD = TREE / "docs/workflow.md"


def check(folder, schema):
    """What is wrong with a run: (law, what)."""
    try:
        run = Run(folder, schema, Table(ROAD))
    except (OSError, ValueError, KeyError, sqlite3.Error) as error:
        return [("files", f"cannot be read: {error!r}")], None
    findings = []
    for name, law in LAWS.items():
        try:
            findings += [(name, what) for what in law(run)]
        except Exception:  # What cannot be judged is no clean run.
            findings.append((name, traceback.format_exc(limit=-3).strip()))
    return findings, run


def folders_in(path):
    """The runs in a folder: itself, or each folder in it."""
    if (path / "history.jsonl").exists():
        return [path]
    return sorted(inner.parent for inner in path.glob("*/history.jsonl"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", nargs="*", type=pathlib.Path,
                        help="of one run, or of many: what gw-sim --keep has written")
    parser.add_argument("--not-known", action="store_true",
                        help="print the faults that it cannot judge, for gw-sim --without")
    parser.add_argument("--most", type=int, default=20, help="findings to print of a run")
    options = parser.parse_args()
    if options.not_known:
        print(NOT_KNOWN)
        return 0
    schema = Schema(PROTO)
    counts, broken = collections.Counter(), 0
    runs = [run for path in options.folder for run in folders_in(path)]
    if not runs:
        parser.error("no history.jsonl here; make one with gw-sim --keep FOLDER")
    for folder in runs:
        findings, run = check(folder, schema)
        if run is not None:
            counts["operations"] += len(run.operations)
            counts["records"] += len(run.county.rows)
            counts["not replayed"] += len(run.merge().unknown)
            counts["not walked"] += len(run.walk.not_walked)
        for law, what in findings[:options.most]:
            print(f"{folder}: {law}: {what}")
        if len(findings) > options.most:
            print(f"{folder}: and {len(findings) - options.most} more")
        broken += bool(findings)
    print(f"{len(runs)} runs, {broken} with findings; {counts['operations']} operations, "
          f"{counts['records']} records, {counts['not replayed']} of them not replayed, "
          f"{counts['not walked']} whistles not walked")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

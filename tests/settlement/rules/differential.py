"""Compares the engine with the independent recalculation on random packages.

python -m tests.settlement.rules.differential FIRST_SEED LAST_SEED [LINES]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.oracle.generate import generate, write
from tests.oracle.recalculate import recalculate
from tests.settlement.rules.package_facts import output_rows


def differences(folder: Path) -> list[str]:
    """Rows of either side that the other lacks."""
    theirs, ours = recalculate(folder), output_rows(folder)
    result = []
    for name in ("adjudications", "findings", "remittances"):
        expected = sorted(tuple(row.values()) for row in getattr(theirs, name))
        result += [f"{name} oracle {row}" for row in _lacking(expected, list(ours[name]))]
        result += [f"{name} engine {row}" for row in _lacking(list(ours[name]), expected)]
    return sorted(result, key=lambda text: text.split("(")[1])


def _lacking(rows: list[tuple[str, ...]], others: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    rest = list(others)
    lacking = []
    for row in rows:
        if row in rest:
            rest.remove(row)
        else:
            lacking.append(row)
    return lacking


def main(first: int, last: int, lines: int) -> None:
    """Print what differs; the exit code says whether something did."""
    differing = 0
    for seed in range(first, last + 1):
        with tempfile.TemporaryDirectory() as folder:
            write(generate(seed, lines=lines, same_run_reversal=seed % 5 == 0), Path(folder))
            found = differences(Path(folder))
        if found:
            differing += 1
            print(f"seed {seed}: {len(found)} differences", *found[:12], sep="\n  ")
    print(f"{last - first + 1} packages, {differing} differ")
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 60)

"""How fast matching is: a statement of very many entries with as many payments, against two bare merges of the frames.

    python -m tests.benchmarks.reconcile [--entries 1000000]

Of the payments 1 % come back, 1 % are told twice, 2 % have lost their references, 0.5 % leave in two parts. There is no
database: the frames are what the rules get. Both sides run in one process, each in turn; the best of ``--rounds``.
"""

from __future__ import annotations

import argparse
import gc
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from settlement.rules.matching import SURE, MatchResult, match_lines

RETURNED, REPEATED, UNNAMED, SPLIT = 0.01, 0.01, 0.02, 0.005
WINDOW, ACCOUNTS, DAYS = 3, 5_000, 250


def payment_frame(count: int, random: np.random.Generator) -> pd.DataFrame:
    """Payments of a year, none of them confirmed yet."""
    numbers = pd.Series(np.arange(count)).astype(str).str.zfill(8)
    return pd.DataFrame(
        {
            "payment": np.arange(1, count + 1),
            "amount": random.integers(200, 5_000_000, count),
            "seen": np.zeros(count, dtype=np.int64),
            "day": 20_000 + random.integers(0, DAYS, count),
            "end_to_end": "PAY-2025-" + numbers,
            "reference": "RF18" + numbers,
            "account": "UA2132231300000" + pd.Series(random.integers(10**8, 10**8 + ACCOUNTS, count)).astype(str),
            "batch": "",
            "paid": np.zeros(count, dtype=bool),
            "returned": np.zeros(count, dtype=bool),
        }
    )


def line_frame(payments: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """As many bank lines, in a mixed order: payments, repeated ones, ones in two parts, and returns."""
    count = len(payments)
    extra = int(count * RETURNED) + int(count * REPEATED) + int(count * SPLIT)
    told = payments.iloc[: count - extra]
    lines = told[["amount", "day", "end_to_end", "reference", "account", "batch"]].copy()
    lines["also"] = ""
    lines["amount"], lines["is_return"] = -lines["amount"], False
    lines["day"] += random.integers(0, 2, len(lines))
    chosen = random.permutation(len(lines))
    returned, repeated, unnamed, split = np.split(
        chosen, np.cumsum([int(count * share) for share in (RETURNED, REPEATED, UNNAMED, SPLIT)])
    )[:4]
    lines.iloc[unnamed, lines.columns.get_indexer(["end_to_end", "reference"])] = ""
    back = lines.iloc[returned].assign(amount=-lines["amount"].iloc[returned], is_return=True)
    second = lines.iloc[split].copy()
    second["amount"] //= 2
    lines.iloc[split, lines.columns.get_loc("amount")] -= second["amount"].to_numpy()
    whole = pd.concat([lines, back, lines.iloc[repeated], second], ignore_index=True)
    mixed = whole.sample(frac=1, random_state=1, ignore_index=True)
    mixed.insert(0, "line", np.arange(1, len(mixed) + 1))
    return mixed


def two_merges(lines: pd.DataFrame, payments: pd.DataFrame) -> None:
    """What nobody can do without: both frames joined by the end-to-end id, and by account and amount."""
    lines.merge(payments, on="end_to_end", suffixes=("_line", "_payment"))
    lines.assign(size=lines["amount"].abs()).merge(
        payments, left_on=["account", "size"], right_on=["account", "amount"], suffixes=("_line", "_payment")
    )


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of a call, and what it gave."""
    gc.collect()
    start = time.perf_counter()
    given = call()
    return time.perf_counter() - start, given


def report(result: MatchResult) -> None:
    """What was found, so that speed is not bought with silence."""
    sure = result.matches[result.matches["confidence"] >= SURE]
    print(f"matched for sure {len(sure):,}, for a person {len(result.matches) - len(sure):,}")
    print("  by rule       ", result.matches["rule"].value_counts().to_dict())
    print("  unmatched     ", result.exceptions["code"].value_counts().to_dict())


def memory() -> float:
    """The most this process has held so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(entries: int, rounds: int) -> None:
    """Print the figures of one run."""
    random = np.random.default_rng(2025)
    payments = payment_frame(entries, random)
    lines = line_frame(payments, random)
    gc.collect()
    print(f"{len(lines):,} entries, {len(payments):,} payments; frames and libraries {memory():,.0f} MiB")
    matching, merging, peaks = [], [], []
    for _ in range(rounds):
        spent, result = seconds(lambda: match_lines(lines, payments, window_days=WINDOW))
        matching.append(spent)
        peaks.append(memory())
        merging.append(seconds(lambda: two_merges(lines, payments))[0])
    report(result)
    for name, times, peak in (("matching", matching, peaks[0]), ("two merges", merging, memory())):
        print(f"{name:11s} {min(times):7.2f} s {entries / min(times):12,.0f} entries/s   peak memory {peak:,.0f} MiB")
    print(f"matching / two merges: {min(matching) / min(merging):.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(sys.argv[1:])
    main(options.entries, options.rounds)

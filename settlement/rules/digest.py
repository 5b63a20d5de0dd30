"""A fingerprint of a run's output that does not depend on database keys."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from settlement.rules.adjudicate import AdjudicationResult
from settlement.rules.facts import Facts, Ints
from settlement.rules.figures import CLAIM_FIGURES, LINE_FIGURES
from settlement.rules.integers import numbered

_ADJUDICATIONS = ("line", *LINE_FIGURES, "reversal")
_FINDINGS = ("line", "units", "amount")


def digest_of(facts: Facts, result: AdjudicationResult) -> str:
    """sha256 over adjudications, findings and remittances, sorted by claim number, line and check."""
    numbers = dict(zip(facts.claims["claim"].tolist(), facts.claims["number"].tolist(), strict=True))
    return digest_of_tables(numbers, result.adjudications, result.findings, result.remittances)


def digest_of_tables(
    numbers: Mapping[int, str], adjudications: pd.DataFrame, findings: pd.DataFrame, remittances: pd.DataFrame
) -> str:
    """The same of tables read back; ``numbers``: of the claims by their keys."""
    ordered = sorted(numbers.values())
    places = {number: place for place, number in enumerate(ordered)}
    ranks = {claim: places[number] for claim, number in numbers.items()}
    digest = hashlib.sha256("\n".join(ordered).encode())
    _add(digest, adjudications, ranks, _ADJUDICATIONS, ["outcome"])
    _add(digest, findings, ranks, _FINDINGS, ["check", "severity"])
    _add(digest, remittances, ranks, CLAIM_FIGURES, [])
    return digest.hexdigest()


def _add(digest: Any, table: pd.DataFrame, ranks: dict[int, int], figures: Sequence[str], words: Sequence[str]) -> None:
    columns: list[Ints] = [np.asarray(table["claim"].map(ranks), dtype=np.int64)]
    columns += [table[name].to_numpy(dtype=np.int64) for name in figures]
    for name in words:
        texts = table[name].astype("category").cat
        # Category codes depend on what occurs; the words' own order does not.
        fixed = np.array([int.from_bytes(str(word).encode()[-7:], "big") for word in texts.categories] or [0])
        columns.append(fixed.astype(np.int64)[texts.codes.to_numpy()])
    order = _order(columns)
    for values in columns:
        digest.update(values[order].astype("<i8").tobytes())


def _order(columns: list[Ints]) -> Ints:
    """Rows sorted by the first column, then the second and so on; mostly the first two leave nothing to the others."""
    first, second = columns[:2]
    low, span = second.min(initial=0), int(np.ptp(second)) + 1 if len(second) else 1
    distinct, found, _ = numbered(first * span + second - low)
    return found if len(distinct) == len(first) else np.lexsort(tuple(reversed(columns)))

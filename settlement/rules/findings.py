"""Findings collected column by column while the waterfall runs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from settlement.rules.facts import Ints
from settlement.rules.frame import Frame
from settlement.rules.integers import write_details

REJECT, PEND, CUT, WARN = "R", "P", "C", "W"


@dataclass(frozen=True)
class Batch:
    """Findings of one check: positions of lines, what was taken, and the figures that explain it.

    ``written``: the details as JSON objects, where they came so; else they are made of ``details``.
    """

    check: str
    severity: str
    rows: Ints
    units: Ints
    amount: Ints
    details: dict[str, list[str]]
    written: list[str] | None = None

    def texts(self) -> list[str]:
        """One compact JSON object a row."""
        return write_details(self.details, len(self.rows)) if self.written is None else self.written


@dataclass
class Findings:
    """All batches of a run."""

    size: int
    batches: list[Batch] = field(default_factory=list)

    def total(self, *severities: str) -> Ints:
        """Amount taken from each line by findings of these severities, in hundredths."""
        result = np.zeros(self.size, dtype=np.int64)
        for batch in self.batches:
            if batch.severity in severities:
                result[batch.rows] += batch.amount
        return result

    def table(self, frame: Frame) -> pd.DataFrame:
        """id, claim, line, check, severity, units, amount, detail; in the order of lines, then checks."""
        filled = [batch for batch in self.batches if len(batch.rows)]
        rows = np.concatenate([np.zeros(0, dtype=np.int64), *(batch.rows for batch in filled)])
        checks = sorted({batch.check for batch in filled})
        table = pd.DataFrame(
            {
                "id": frame.id[rows],
                "claim": frame.claim[rows],
                "line": frame.line[rows],
                "check": _repeated([batch.check for batch in filled], filled, checks),
                "severity": _repeated([batch.severity for batch in filled], filled, [REJECT, PEND, CUT, WARN]),
                "units": np.concatenate([np.zeros(0, dtype=np.int64), *(batch.units for batch in filled)]),
                "amount": np.concatenate([np.zeros(0, dtype=np.int64), *(batch.amount for batch in filled)]),
                "detail": np.array([text for batch in filled for text in batch.texts()], dtype=object),
            }
        )
        order = np.lexsort((table["check"].cat.codes.to_numpy(), rows))
        return table.iloc[order].reset_index(drop=True)


def _repeated(values: list[str], batches: list[Batch], categories: list[str]) -> pd.Categorical[str]:
    codes = [np.full(len(batch.rows), categories.index(value)) for value, batch in zip(values, batches, strict=True)]
    return pd.Categorical.from_codes(
        np.concatenate([np.zeros(0, dtype=np.int64), *codes]), categories=pd.Index(categories)
    )

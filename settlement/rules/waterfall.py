"""The waterfall of a run: units and rates fall step by step, and every step notes what it took."""

from __future__ import annotations

import numpy as np

from settlement.rules.ceilings import Cut
from settlement.rules.checks.kit import Check, RateCheck, explain_money, explain_units
from settlement.rules.facts import Ints, Mask
from settlement.rules.findings import CUT, PEND, Batch, Findings
from settlement.rules.frame import Frame
from settlement.rules.given import Given
from settlement.rules.integers import value_of


class Waterfall:
    """units (thousandths), rates (ten-thousandths) and value (hundredths) that are left of each line.

    value = round(units x rate, 2) up to step 4; step 5 lowers it alone.
    """

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.units, self.rates = frame.units.copy(), frame.unit_rate.copy()
        self.value = frame.amount_claimed.copy()
        self.findings = Findings(frame.size)

    def lower_rates(self, module: RateCheck) -> None:
        """Step 1: valued on claimed units."""
        limits = module.limits(self.frame)
        rows = np.flatnonzero(self.rates > limits)
        self.rates[rows] = limits[rows]
        taken = self._revalue(rows)
        details = module.explain(self.frame, rows)
        self.findings.batches.append(Batch(module.CODE, CUT, rows, np.zeros_like(rows), taken, details))

    def take_units(self, module: Check, severity: str, fired: Mask, wanted: Ints | None = None) -> None:
        """Steps 2 and 3: all units left, or as many of them as wanted."""
        rows = np.flatnonzero(fired)
        units = self.units[rows] if wanted is None else np.minimum(self.units[rows], wanted[rows])
        self.units[rows] -= units
        taken = self._revalue(rows)
        details = module.explain(self.frame, rows)
        self.findings.batches.append(Batch(module.CODE, severity, rows, units, taken, details))

    def cut_units(self, module: Check, cut: Cut) -> None:
        """Step 4: one ceiling, after the kernel has said what it takes."""
        rows = np.flatnonzero(cut.taken)
        self.units[rows] -= cut.taken[rows]
        taken = self._revalue(rows)
        details = module.explain(self.frame, rows) | explain_units(cut, rows)
        self.findings.batches.append(Batch(module.CODE, CUT, rows, cut.taken[rows], taken, details))

    def cut_money(self, module: Check, cut: Cut) -> None:
        """Step 5: the amount falls, the units stay."""
        rows = np.flatnonzero(cut.taken)
        self.value[rows] -= cut.taken[rows]
        details = module.explain(self.frame, rows) | explain_money(cut, rows)
        self.findings.batches.append(Batch(module.CODE, CUT, rows, np.zeros_like(rows), cut.taken[rows], details))

    def take_given(self, given: Given) -> None:
        """Steps 2 to 4: the units given, at most those left; a pend that takes any takes all, the line waits whole."""
        left, rows = self.units[given.rows], given.rows
        units = np.where(given.units > 0, left, 0) if given.severity == PEND else np.minimum(left, given.units)
        self.units[rows] -= units
        self._note(given, units, self._revalue(rows))

    def take_given_money(self, given: Given) -> None:
        """Step 5: the money given, at most what is left."""
        amount = np.minimum(self.value[given.rows], given.amount)
        self.value[given.rows] -= amount
        self._note(given, np.zeros_like(given.rows), amount)

    def _note(self, given: Given, units: Ints, amount: Ints) -> None:
        self.findings.batches.append(Batch(given.check, given.severity, given.rows, units, amount, {}, given.details))

    def _revalue(self, rows: Ints) -> Ints:
        before = self.value[rows]
        self.value[rows] = value_of(self.units[rows], self.rates[rows])
        return before - self.value[rows]

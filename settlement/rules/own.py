"""Checks that a package cannot decide, on claims that were handed in here.

What they find enters the waterfall exactly as a finding that came with a package would (``settlement.rules.given``):
exported and settled elsewhere it takes the same. A finding that was given for the line already stays the only one.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from settlement.rules import checks
from settlement.rules.ceilings import cut_money
from settlement.rules.checks import clm_36_fee_reported as fee_reported
from settlement.rules.checks import clm_39_vat as vat
from settlement.rules.checks import clm_40_declared_total as declared_total
from settlement.rules.checks import clm_48_group_size as group_size
from settlement.rules.checks import clm_50_grant_budget as grant_budget
from settlement.rules.checks.kit import RejectCheck
from settlement.rules.facts import Ints, Mask, column
from settlement.rules.findings import CUT, PEND, REJECT, WARN
from settlement.rules.frame import Frame
from settlement.rules.given import Given
from settlement.rules.integers import write_details
from settlement.rules.lookup import Register
from settlement.rules.parameters import SEVERITY_ORDER, severity_key


class Own:
    """Findings of our own checks by what they take. ``clean``: lines that nothing rejects by itself."""

    def __init__(self, frame: Frame, clean: Mask) -> None:
        self.frame, self.asked = frame, bool(frame.own.lines.any())
        frame.own.clean = clean

    @cached_property
    def _found(self) -> list[Given]:
        if not self.asked:
            return []
        found = [part for check in checks.OWN for part in self._by_severity(check, check.find(self.frame))]
        slight = declared_total.find_warning(self.frame)
        return found + self._of(declared_total, WARN, self._open(declared_total.CODE, slight))

    def _by_severity(self, check: RejectCheck, fired: Mask) -> list[Given]:
        if not fired.any():
            return []
        rows = self._open(check.CODE, fired)
        codes = self._severities(check.CODE, rows)
        parts = [(SEVERITY_ORDER[code], rows[codes == code]) for code in np.unique(codes).tolist() if code]
        return [found for severity, some in parts for found in self._of(check, severity, some)]

    def _severities(self, check: str, rows: Ints) -> Ints:
        return self.frame.parameters.on(severity_key(check), self.frame.service_date[rows])

    def _open(self, check: str, fired: Mask) -> Ints:
        """Rows of ours on which the check is on and was not given already."""
        rows = np.flatnonzero(fired & self.frame.own.lines)
        return rows[(self._severities(check, rows) > 0) & ~self._named(check, rows)]

    def _named(self, check: str, rows: Ints) -> Mask:
        table = self.frame.facts.given
        some = table[table["check_code"] == check]
        return Register(np.unique(column(some, "id"))).rows(self.frame.id[rows]) >= 0

    def _of(self, check: RejectCheck, severity: str, rows: Ints) -> list[Given]:
        """The findings of a check at rows; a pend that somebody lifted is none."""
        if severity == PEND:
            rows = rows[~self.frame.lifted(checks.number_of(check))[rows]]
        if not len(rows):
            return []
        units, amount = self._takes(check.CODE, severity, rows)
        details = write_details(check.explain(self.frame, rows), len(rows))
        return [Given(check.CODE, severity, rows, units, amount, details)]

    def _takes(self, check: str, severity: str, rows: Ints) -> tuple[Ints, Ints]:
        """Units (thousandths) and money (hundredths) that findings want: all of a line, its part, or nothing."""
        nothing = np.zeros_like(rows)
        if severity in (REJECT, PEND):
            return self.frame.units[rows], nothing
        if severity == CUT and check == group_size.CODE:
            return group_size.units(self.frame)[rows], nothing
        return nothing, vat.amounts(self.frame)[rows] if severity == CUT else nothing

    @property
    def rejections(self) -> list[Given]:
        """Take all units, in code order among the rejections."""
        return [part for part in self._found if part.severity == REJECT]

    @property
    def pends(self) -> list[Given]:
        """Take all units left, in code order among the pends."""
        return [part for part in self._found if part.severity == PEND]

    @property
    def unit_cuts(self) -> list[Given]:
        """Take units before the ceilings do."""
        return [part for part in self._found if part.severity == CUT and part.units.any()]

    @property
    def money_cuts(self) -> list[Given]:
        """Take money before the ceilings of money do."""
        return [part for part in self._found if part.severity == CUT and not part.units.any()]

    @property
    def warnings(self) -> list[Given]:
        """Take nothing."""
        return [part for part in self._found if part.severity == WARN]

    def grant_cuts(self, judged: Mask, demand: Ints) -> list[Given]:
        """What an item of a grant's budget, then its tranches, have not left of the demand (hundredths)."""
        if not self.asked or self.frame.facts.grants.empty:
            return []
        code, frame = grant_budget.CODE, self.frame
        cut = cut_money(demand=demand, judged=judged, ceilings=grant_budget.ceilings(frame))[50]
        rows = self._open(code, cut.taken > 0)
        details = write_details(grant_budget.explain_cut(cut, rows), len(rows))
        return [Given(code, CUT, rows, np.zeros_like(rows), cut.taken[rows], details)] if len(rows) else []

    def fee_warnings(self, fee: Ints) -> list[Given]:
        """Fees reported as collected that are not those due (CLM-36)."""
        if not self.asked or self.frame.facts.fee_reports.empty:
            return []
        rows, figures = fee_reported.differing(self.frame, fee)
        kept = np.flatnonzero(np.isin(rows, self._open(fee_reported.CODE, np.ones(self.frame.size, dtype=bool))))
        details = write_details({name: [texts[at] for at in kept] for name, texts in figures.items()}, len(kept))
        nothing = np.zeros(len(kept), dtype=np.int64)
        return [Given(fee_reported.CODE, WARN, rows[kept], nothing, nothing, details)] if len(kept) else []

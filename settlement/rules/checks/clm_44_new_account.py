"""CLM-44: the account of the provider, at a bank or at Stripe, is not new."""

from __future__ import annotations

from settlement.rules.facts import Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days
from settlement.rules.lookup import pick

CODE = "CLM-44"
SEVERITY = "P"
TITLE = "New account of the provider"
ADVICE = "Ring the provider on the number of the contract and have the account confirmed; then lift the pend."


def find(frame: Frame) -> Mask:
    """The account was changed within claim.bank_account_hold_days before the claim was handed in."""
    return frame.own.account_row >= 0


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """Since when the account is used, and when the claim was handed in."""
    changed = pick(column(frame.facts.account_changes, "changed_on"), frame.own.account_row[rows], 0)
    return {"since": write_days(changed), "submitted": write_days(frame.submitted_on[rows])}

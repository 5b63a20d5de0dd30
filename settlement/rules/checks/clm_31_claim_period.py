"""CLM-31: the service date lies in the claimed month and not after the submission."""

from __future__ import annotations

from settlement.rules.checks.kit import first_reason
from settlement.rules.facts import Ints, Mask, months_of
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days

CODE = "CLM-31"
SEVERITY = "R"
TITLE = "Service date outside the claim's period"
ADVICE = "Claim each service in the claim of its month, after it was given."


def find(frame: Frame) -> Mask:
    """The date is not in the calendar month of the period, or after the (zone) date of submission."""
    other_month, early = (mask for _, mask in frame.once(_reasons))
    return other_month | early


def _reasons(frame: Frame) -> list[tuple[str, Mask]]:
    other_month = frame.month != months_of(frame.period_start)
    return [("month", other_month), ("early", frame.service_date > frame.submitted_on)]


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date, the date of submission, and which of the two does not fit."""
    return {
        "date": write_days(frame.service_date[rows]),
        "submitted": write_days(frame.submitted_on[rows]),
        "why": first_reason(_reasons, frame, rows),
    }

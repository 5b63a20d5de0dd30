"""CLM-25: the worker is the provider's and qualified."""

from __future__ import annotations

from settlement.rules.checks.kit import first_reason
from settlement.rules.facts import BLANK, Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days
from settlement.rules.lookup import pick

CODE = "CLM-25"
SEVERITY = "R"
TITLE = "Worker unknown, of another provider or not qualified"
ADVICE = "Name the worker who gave the service; register qualifications before the visit."


def find(frame: Frame) -> Mask:
    """Worker blank or unknown, of another provider, or without a qualification in force."""
    missing, foreign, unqualified = (mask for _, mask in frame.once(_reasons))
    return missing | foreign | unqualified


def _reasons(frame: Frame) -> list[tuple[str, Mask]]:
    foreign = pick(column(frame.facts.workers, "provider"), frame.worker_row, BLANK) != frame.provider
    return [("missing", frame.worker_row < 0), ("foreign", foreign), ("unqualified", ~frame.qualified)]


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date and the first reason that holds."""
    return {"date": write_days(frame.service_date[rows]), "why": first_reason(_reasons, frame, rows)}

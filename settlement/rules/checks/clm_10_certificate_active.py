"""CLM-10: the certificate is active and covers the service."""

from __future__ import annotations

import numpy as np

from settlement.rules.checks.kit import first_reason
from settlement.rules.facts import FIRST_DAY, LAST_DAY, Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days
from settlement.rules.lookup import pick

CODE = "CLM-10"
SEVERITY = "R"
TITLE = "Certificate not in force on the service date"
ADVICE = "Check the certificate number and the date; the recipient may hold a newer certificate."


def find(frame: Frame) -> Mask:
    """A known certificate out of its range, ended, suspended, or without a line for the service."""
    outside, ended, suspended, uncovered = (mask for _, mask in frame.once(_reasons))
    return np.asarray((frame.certificate_row >= 0) & (outside | ended | suspended | uncovered))


def _reasons(frame: Frame) -> list[tuple[str, Mask]]:
    table, rows, day = frame.facts.certificates, frame.certificate_row, frame.service_date
    early = day < pick(column(table, "valid_from"), rows, FIRST_DAY)
    late = day > pick(column(table, "valid_to"), rows, LAST_DAY)
    ended = day >= pick(column(table, "ended_from"), rows, LAST_DAY)
    suspended = frame.suspended(frame.facts.certificate_suspensions, "certificate", rows)
    uncovered = frame.certificate_line_row < 0
    return [("outside", early | late), ("ended", ended), ("suspended", suspended), ("service", uncovered)]


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date and the first reason that holds."""
    return {"date": write_days(frame.service_date[rows]), "why": first_reason(_reasons, frame, rows)}

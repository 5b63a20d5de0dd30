"""CLM-03: the provider may work on the service date."""

from __future__ import annotations

import numpy as np

from settlement.rules.checks.kit import first_reason
from settlement.rules.facts import FIRST_DAY, LAST_DAY, Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days
from settlement.rules.lookup import pick

CODE = "CLM-03"
SEVERITY = "R"
TITLE = "Provider not active on the service date"
ADVICE = "Check the service date; if the register is wrong, have it corrected and appeal."


def find(frame: Frame) -> Mask:
    """The date is outside the provider's active range or inside a suspension."""
    return np.logical_or(*(mask for _, mask in frame.once(_reasons)))


def _reasons(frame: Frame) -> list[tuple[str, Mask]]:
    return [("inactive", _outside(frame)), ("suspended", _suspended(frame))]


def _outside(frame: Frame) -> Mask:
    table = frame.facts.providers
    starts = pick(column(table, "active_from"), frame.provider_row, FIRST_DAY)
    ends = pick(column(table, "active_to"), frame.provider_row, LAST_DAY)
    return np.asarray((frame.service_date < starts) | (frame.service_date > ends))


def _suspended(frame: Frame) -> Mask:
    return frame.suspended(frame.facts.provider_suspensions, "provider", frame.provider_row)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date, and whether the provider was not active or was suspended."""
    return {"date": write_days(frame.service_date[rows]), "why": first_reason(_reasons, frame, rows)}

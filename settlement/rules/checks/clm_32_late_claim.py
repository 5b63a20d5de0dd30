"""CLM-32: the claim came in time."""

from __future__ import annotations

import numpy as np

from settlement.rules.facts import Ints, Mask, first_days_of, months_of
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days
from settlement.rules.parameters import Parameters, values_on

CODE = "CLM-32"
SEVERITY = "R"
TITLE = "Claim submitted too late"
ADVICE = "Submit claims by the last day. If there was a good cause for being late, appeal and prove it."


def find(frame: Frame) -> Mask:
    """Submitted (zone date) after the window of the period's month."""
    return frame.submitted_on > deadlines(frame)


def deadlines(frame: Frame) -> Ints:
    """The last day for each line, by the month of its claim."""
    return last_days(months_of(frame.period_start), frame.parameters)


def last_days(month: Ints, parameters: Parameters) -> Ints:
    """Last day of the month + claim.window_days; for December claim.december_stop of the following January.

    Parameters are those of the last day of the month.
    """
    last = first_days_of(month + 1) - 1
    stop = values_on(parameters.december_stop, last)
    december = first_days_of(month + stop // 100) + stop % 100 - 1
    return np.where(month % 12 == 11, december, last + values_on(parameters.window_days, last))


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The date of submission and the last day."""
    return {"submitted": write_days(frame.submitted_on[rows]), "deadline": write_days(deadlines(frame)[rows])}

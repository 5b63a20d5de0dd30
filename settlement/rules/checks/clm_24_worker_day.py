"""CLM-24: a worker's day is humanly possible."""

from __future__ import annotations

from settlement.rules.facts import Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import write_hours
from settlement.rules.parameters import values_on

CODE = "CLM-24"
SEVERITY = "P"
TITLE = "Too many hours of the worker in a day"
ADVICE = "A person asks the provider and lifts the pend or leaves it."


def find_pend(frame: Frame) -> Mask:
    """The whole durations of the worker's service date exceed worker.hours_per_day_max."""
    return frame.comparison.worker_day > values_on(frame.parameters.hours_per_day, frame.service_date)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The worker's time and the limit."""
    limits = values_on(frame.parameters.hours_per_day, frame.service_date[rows])
    return {"hours": write_hours(frame.comparison.worker_day[rows]), "limit": write_hours(limits)}

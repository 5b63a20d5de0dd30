"""CLM-25: the worker is the provider's and qualified."""

from __future__ import annotations

from settlement.rules.facts import BLANK, Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days
from settlement.rules.lookup import pick

CODE = "CLM-25"
SEVERITY = "R"
TITLE = "Worker of the provider and qualified"
SENTENCE = "The worker is missing, works for another provider, or was not qualified for the service on %(date)s."
ADVICE = "Name the worker who gave the service; register qualifications before the visit."
SOURCE = "interchange CLM-25; rulebook 5.1"


def find(frame: Frame) -> Mask:
    """Worker blank or unknown, of another provider, or without a qualification in force."""
    foreign = pick(column(frame.facts.workers, "provider"), frame.worker_row, BLANK) != frame.provider
    return (frame.worker_row < 0) | foreign | ~frame.qualified


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date."""
    return {"date": write_days(frame.service_date[rows])}

"""CLM-30: compensation is for providers outside the state task."""

from __future__ import annotations

from settlement.rules.facts import Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days
from settlement.rules.lookup import pair

CODE = "CLM-30"
SEVERITY = "R"
TITLE = "Provider serves under a state task"
ADVICE = "Services under the state task are paid by its subsidy; claim only what is outside of it."


def find(frame: Frame) -> Mask:
    """The provider has a state task for the service, for everybody or for this recipient, on the date."""
    table, people = frame.facts.state_tasks, len(frame.facts.recipients) + 1
    services = len(frame.facts.services)
    # Row 0 stands for everybody.
    named = frame.recipient_rows(column(table, "recipient")) + 1
    offers = pair(frame.own.provider_rows(table), frame.service_rows(column(table, "service")), services)
    mine = pair(frame.provider_row, frame.service_row, services)
    keys = pair(offers, named, people)
    anybody = frame.own.covered(table, keys, pair(mine, frame.recipient_row * 0, people))
    return anybody | frame.own.covered(table, keys, pair(mine, frame.recipient_row + 1, people))


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date."""
    return {"date": write_days(frame.service_date[rows])}

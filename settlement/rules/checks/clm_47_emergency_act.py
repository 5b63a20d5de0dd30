"""CLM-47: an emergency service has its act in time, and is short."""

from __future__ import annotations

import numpy as np

from settlement.rules.checks.kit import first_reason
from settlement.rules.facts import LAST_DAY, Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days
from settlement.rules.lookup import pick
from settlement.rules.parameters import EMERGENCY_ACT_DAYS, EMERGENCY_TERM
from settlement.rules.working_days import after

CODE = "CLM-47"
SEVERITY = "R"
TITLE = "Emergency service without its act in time, or too long"
ADVICE = "The act follows within the term; services after the term need an individual plan."


def find(frame: Frame) -> Mask:
    """Begun as an emergency and not planned since: no act when the claim came though it was due, an act that came
    late, or a service after the term.
    """
    missing, late, term = (mask for _, mask in frame.once(_reasons))
    return missing | late | term


def _reasons(frame: Frame) -> list[tuple[str, Mask]]:
    table, rows = frame.facts.emergencies, frame.own.emergency_row
    known = rows >= 0
    act, due = pick(column(table, "act_on"), rows, LAST_DAY), frame.once(_due)
    missing = known & (act == LAST_DAY) & (frame.submitted_on > due)
    late = known & (act != LAST_DAY) & (act > due)
    return [("missing", missing), ("late", late), ("term", known & (frame.service_date > _last(frame)))]


def _due(frame: Frame) -> Ints:
    """Last day of the act: claim.emergency_act_days working days after the beginning."""
    began = column(frame.facts.emergencies, "began_on")
    terms = frame.parameters.on(EMERGENCY_ACT_DAYS, began)
    days = [after(*pair, frame.facts.calendar) for pair in zip(began.tolist(), terms.tolist(), strict=True)]
    return pick(np.array(days, dtype=np.int64), frame.own.emergency_row, LAST_DAY)


def _last(frame: Frame) -> Ints:
    """Last day of the term, the day of the beginning counted."""
    began = column(frame.facts.emergencies, "began_on")
    return pick(began + frame.parameters.on(EMERGENCY_TERM, began) - 1, frame.own.emergency_row, LAST_DAY)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """When it began, until when the act was due, the last day of the term, and what does not fit."""
    began = pick(column(frame.facts.emergencies, "began_on"), frame.own.emergency_row, 0)
    return {
        "began": write_days(began[rows]),
        "act_due": write_days(frame.once(_due)[rows]),
        "last": write_days(_last(frame)[rows]),
        "why": first_reason(_reasons, frame, rows),
    }

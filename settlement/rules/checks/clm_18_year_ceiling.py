"""CLM-18: the recipient's yearly amount of the service is kept."""

from __future__ import annotations

import numpy as np

from settlement.rules.ceilings import Ceiling
from settlement.rules.facts import BLANK, Ints, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_money
from settlement.rules.lookup import Sums, pair, with_day

CODE = "CLM-18"
SEVERITY = "C"
TITLE = "Above the yearly ceiling of the service"
ADVICE = "Stop at the yearly ceiling; agree with the case worker before serving beyond it."


def ceilings(frame: Frame) -> tuple[Ceiling, ...]:
    """amount_per_year_max of (recipient, service, calendar year), less the gross of earlier runs."""
    used, limits = frame.facts.year_used, frame.service_limit("amount_per_year_max")
    past = pair(
        frame.recipient_rows(column(used, "recipient")),
        frame.service_rows(column(used, "service")),
        len(frame.facts.services),
    )
    groups = with_day(np.where(limits >= 0, frame.visit_key, BLANK), frame.year)
    spent = Sums(with_day(past, column(used, "year")), column(used, "gross")).of(groups)
    return (Ceiling(18, groups, limits - spent),)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The yearly ceiling."""
    return {"limit": write_money(frame.service_limit("amount_per_year_max")[rows])}

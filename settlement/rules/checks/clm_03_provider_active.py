"""CLM-03: the provider may work on the service date."""

from __future__ import annotations

import numpy as np

from settlement.rules.facts import FIRST_DAY, LAST_DAY, Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days
from settlement.rules.lookup import pick

CODE = "CLM-03"
SEVERITY = "R"
TITLE = "Provider active on the service date"
SENTENCE = "On %(date)s the provider was not active on the register or was suspended."
ADVICE = "Only services given while the provider is admitted are paid."
SOURCE = "interchange CLM-03; rulebook 5.1"


def find(frame: Frame) -> Mask:
    """The date is outside the provider's active range or inside a suspension."""
    table = frame.facts.providers
    starts = pick(column(table, "active_from"), frame.provider_row, FIRST_DAY)
    ends = pick(column(table, "active_to"), frame.provider_row, LAST_DAY)
    outside = (frame.service_date < starts) | (frame.service_date > ends)
    suspended = frame.suspended(frame.facts.provider_suspensions, "provider", frame.provider_row)
    return np.asarray(outside | suspended)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date."""
    return {"date": write_days(frame.service_date[rows])}

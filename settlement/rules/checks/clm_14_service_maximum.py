"""CLM-14: the daily and monthly maximum of the service is kept."""

from __future__ import annotations

import numpy as np

from settlement.rules.ceilings import Ceiling
from settlement.rules.checks.kit import or_dash
from settlement.rules.facts import BLANK, Ints, months_of
from settlement.rules.frame import Frame
from settlement.rules.integers import write_units
from settlement.rules.lookup import with_day

CODE = "CLM-14"
SEVERITY = "C"
TITLE = "More than the service's maximum of a day or month"
ADVICE = "Claim no more than the maximum; plan later services for other days or months."


def ceilings(frame: Frame) -> tuple[Ceiling, ...]:
    """First the maximum a day, then the maximum a month, of one recipient and service."""
    past_date = frame.past("service_date")
    return (
        _ceiling(frame, frame.service_limit("units_per_day_max"), frame.service_date, past_date),
        _ceiling(frame, frame.service_limit("units_per_month_max"), frame.month, months_of(past_date)),
    )


def _ceiling(frame: Frame, limits: Ints, spans: Ints, past_spans: Ints) -> Ceiling:
    groups = with_day(np.where(limits >= 0, frame.visit_key, BLANK), spans)
    return Ceiling(14, groups, limits - frame.past_units(frame.past_visit_key, past_spans).of(groups))


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The two maximums, a dash where the service has none."""
    return {
        name: or_dash(write_units(limits), limits >= 0)
        for name, limits in (
            ("day_limit", frame.service_limit("units_per_day_max")[rows]),
            ("month_limit", frame.service_limit("units_per_month_max")[rows]),
        )
    }

"""The dated figures that adjudication needs, as data. The defaults are those of the package format."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from settlement.rules.facts import FIRST_DAY, HOUR, LAST_DAY, Ints

HOURS_PER_DAY = "worker.hours_per_day_max"
WINDOW_DAYS = "claim.window_days"
DECEMBER_STOP = "claim.december_stop"
PACKAGE_KEYS = (HOURS_PER_DAY, WINDOW_DAYS, DECEMBER_STOP)
DEFAULTS = {HOURS_PER_DAY: "12", WINDOW_DAYS: "60", DECEMBER_STOP: "01-15"}

# Limits of the checks that a package cannot decide: key -> (default, places kept).
ROUNDING_TOLERANCE = "claim.rounding_tolerance"
OUTLIER_SIGMA = "claim.outlier_sigma"
OUTLIER_RECIPIENTS = "claim.outlier_recipients_min"
FULL_HOURS_PERCENT = "claim.round_hours_pct"
FULL_HOURS_VISITS = "claim.round_hours_visits_min"
SCAN_DISTANCE = "claim.geo_distance_m"
SCAN_DELAY = "claim.scan_delay_hours"
ACCOUNT_DAYS = "claim.bank_account_hold_days"
TRAVEL_SPEED = "worker.travel_kmh_max"
EMERGENCY_ACT_DAYS = "claim.emergency_act_days"
EMERGENCY_TERM = "claim.emergency_days_max"
LIMITS: dict[str, tuple[str, int]] = {
    ROUNDING_TOLERANCE: ("0.05", 2),
    OUTLIER_SIGMA: ("3", 3),
    OUTLIER_RECIPIENTS: ("10", 0),
    FULL_HOURS_PERCENT: ("90", 0),
    FULL_HOURS_VISITS: ("20", 0),
    SCAN_DISTANCE: ("500", 0),
    SCAN_DELAY: ("24", 0),
    ACCOUNT_DAYS: ("30", 0),
    TRAVEL_SPEED: ("60", 0),
    EMERGENCY_ACT_DAYS: ("1", 0),
    EMERGENCY_TERM: ("14", 0),
}

# What a finding of such a check does, and what a profile may make of it; the first one is the default.
SEVERITIES: dict[str, str] = {
    "CLM-02": "RPW",
    "CLM-23": "WP",
    "CLM-29": "RPW",
    "CLM-30": "RPW",
    "CLM-33": "WPR",
    "CLM-34": "PRW",
    "CLM-36": "W",
    "CLM-37": "PW",
    "CLM-38": "PW",
    "CLM-39": "CW",
    "CLM-40": "PW",
    "CLM-41": "WP",
    "CLM-42": "WP",
    "CLM-43": "PW",
    "CLM-44": "PW",
    "CLM-47": "RPW",
    "CLM-48": "CPRW",
    "CLM-49": "PW",
    "CLM-50": "RP",
}
OFF = "off"
# A severity as a figure: 0 is off.
SEVERITY_ORDER = "-WCPR"


def severity_key(check: str) -> str:
    """The key of the parameter that says how a check is taken: off, W, C, P or R."""
    return f"check.{check}.severity"


SEVERITY_KEYS = {severity_key(check): check for check in SEVERITIES}
# All that adjudication asks for.
KEYS = (*PACKAGE_KEYS, *LIMITS, *SEVERITY_KEYS)

# More hours or days than any law gives, and dates so far ahead can still be written.
_FIGURE_MAX = 1_000_000
_COMMON_YEAR = 2025

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


@dataclass(frozen=True, order=True)
class DatedValue:
    """A value in force from ``valid_from`` to ``valid_to``, both included, in days since 1970."""

    valid_from: int
    valid_to: int
    value: int


@dataclass(frozen=True)
class Parameters:
    """hours_per_day in microseconds; window_days in days; december_stop as month x 100 + day."""

    hours_per_day: tuple[DatedValue, ...]
    window_days: tuple[DatedValue, ...]
    december_stop: tuple[DatedValue, ...]
    # Limits and severities of the checks that a package cannot decide, by key.
    more: Mapping[str, tuple[DatedValue, ...]] = field(default_factory=dict)

    def on(self, key: str, days: Ints) -> Ints:
        """Value of a further key on each day, the default where no row was given."""
        return values_on(self.more.get(key) or (_default(key),), days)


def parse_parameters(rows: Iterable[tuple[str, int, int, str]]) -> Parameters:
    """Parameters from (key, valid_from, valid_to, text), later rows win; keys of other matters are passed over.

    Raises: ValueError when a text is not what its key needs.
    """
    dated: dict[str, list[DatedValue]] = {
        key: [DatedValue(FIRST_DAY, LAST_DAY, _parse(key, text))] for key, text in DEFAULTS.items()
    }
    dated |= {key: [_default(key)] for key in KEYS[len(PACKAGE_KEYS) :]}
    for key, valid_from, valid_to, text in rows:
        if key in dated:
            dated[key].append(DatedValue(valid_from, valid_to, _parse(key, text)))
    fixed = [tuple(dated.pop(key)) for key in PACKAGE_KEYS]
    return Parameters(fixed[0], fixed[1], fixed[2], {key: tuple(found) for key, found in dated.items()})


def _default(key: str) -> DatedValue:
    text = LIMITS[key][0] if key in LIMITS else SEVERITIES[SEVERITY_KEYS[key]][0]
    return DatedValue(FIRST_DAY, LAST_DAY, _parse(key, text))


def values_on(dated: tuple[DatedValue, ...], days: Ints) -> Ints:
    """The value in force on each day: the last of the rows that hold."""
    result = np.full(len(days), dated[0].value, dtype=np.int64)
    for row in dated[1:]:
        result[(days >= row.valid_from) & (days <= row.valid_to)] = row.value
    return result


def _parse(key: str, text: str) -> int:
    try:
        figure = _figure(key, text)
    except ArithmeticError as problem:
        raise ValueError(f"not a figure: {text}") from problem
    if not (_is_day(figure) if key == DECEMBER_STOP else 0 <= figure <= _most(key)):
        raise ValueError(f"out of bounds: {text}")
    return figure


def _most(key: str) -> int:
    return _FIGURE_MAX * HOUR if key == HOURS_PER_DAY else _FIGURE_MAX


def _is_day(figure: int) -> bool:
    month, day = divmod(figure, 100)
    return 1 <= month <= 12 and 1 <= day <= monthrange(_COMMON_YEAR, month)[1]


def _figure(key: str, text: str) -> int:
    if key == HOURS_PER_DAY:
        return int(Decimal(text) * HOUR)
    if key == WINDOW_DAYS:
        return int(Decimal(text))
    if key in LIMITS:
        return int(Decimal(text).scaleb(LIMITS[key][1]))
    if key in SEVERITY_KEYS:
        return _severity(SEVERITIES[SEVERITY_KEYS[key]], text.strip())
    return _parse_day_of_year(text.strip())


def _severity(allowed: str, text: str) -> int:
    if text != OFF and (len(text) != 1 or text not in allowed):
        raise ValueError(f"not a severity of this check: {text}")
    return 0 if text == OFF else SEVERITY_ORDER.index(text)


def _parse_day_of_year(text: str) -> int:
    if match := re.fullmatch(r"(\d{1,2})-(\d{1,2})", text):
        return int(match[1]) * 100 + int(match[2])
    if match := re.fullmatch(r"(\d{1,2})\.(\d{1,2})", text):
        return int(match[2]) * 100 + int(match[1])
    if (match := re.fullmatch(r"(\d{1,2}) (\w+)", text)) and match[2].lower() in _MONTHS:
        return (_MONTHS.index(match[2].lower()) + 1) * 100 + int(match[1])
    raise ValueError(f"not a day of the year: {text}")

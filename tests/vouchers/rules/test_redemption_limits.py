"""Checks at the door, in their order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from vouchers.rules.redemption_limits import CHECKS, RedemptionFacts, first_refusal, is_multiple

GOOD = RedemptionFacts(
    on=date(2025, 11, 12),
    units=Decimal("1.5"),
    status="active",
    valid_from=date(2025, 11, 1),
    valid_to=date(2026, 1, 1),
    suspended=False,
    entitled=True,
    granularity=Decimal("0.25"),
    balance=Decimal("1.5"),
    used_day=Decimal(2),
    used_month=Decimal(10),
    day_max=Decimal("3.5"),
    month_max=Decimal("11.5"),
    plan_month_max=Decimal("11.5"),
)

# Each just over the edge; GOOD stands exactly on every one.
CASES = [
    ({"status": "replaced"}, "CERTIFICATE_REPLACED"),
    ({"status": "suspended"}, "CERTIFICATE_SUSPENDED"),
    ({"suspended": True}, "CERTIFICATE_SUSPENDED"),
    ({"status": "exhausted"}, "CERTIFICATE_EXHAUSTED"),
    ({"status": "cancelled"}, "CERTIFICATE_NOT_ACTIVE"),
    ({"death_date": date(2025, 11, 11)}, "RECIPIENT_DECEASED"),
    ({"on": date(2025, 10, 31)}, "CERTIFICATE_OUT_OF_DATE"),
    ({"on": date(2026, 1, 1)}, "CERTIFICATE_OUT_OF_DATE"),
    ({"entitled": False}, "SERVICE_NOT_ON_CERTIFICATE"),
    ({"units": Decimal("1.4")}, "UNITS_STEP"),
    ({"units": Decimal(0)}, "UNITS_STEP"),
    ({"balance": Decimal("1.25")}, "BALANCE_TOO_SMALL"),
    ({"used_day": Decimal("2.25")}, "DAY_LIMIT"),
    ({"month_max": Decimal("11.25")}, "MONTH_LIMIT"),
    ({"plan_month_max": Decimal("11.25")}, "PLAN_LIMIT"),
]


def test_everything_on_the_edge_is_allowed() -> None:
    assert first_refusal(GOOD) is None
    assert first_refusal(replace(GOOD, death_date=GOOD.on)) is None
    assert first_refusal(replace(GOOD, on=date(2025, 11, 1))) is None
    open_ended = replace(GOOD, valid_to=None, day_max=None, month_max=None, plan_month_max=None)
    assert first_refusal(replace(open_ended, on=date(2030, 1, 1))) is None


@pytest.mark.parametrize(("changes", "code"), CASES)
def test_just_over_the_edge_is_refused(changes: dict[str, object], code: str) -> None:
    refusal = first_refusal(replace(GOOD, **changes))
    assert refusal is not None and refusal.code == code


def test_every_check_has_a_case() -> None:
    assert {code for code, _check in CHECKS} == {code for _changes, code in CASES}


def test_the_first_reason_is_told() -> None:
    refusal = first_refusal(replace(GOOD, status="replaced", units=Decimal(0), balance=Decimal(0)))
    assert refusal is not None and refusal.code == "CERTIFICATE_REPLACED"


def test_multiples() -> None:
    assert is_multiple(Decimal("0.75"), Decimal("0.25")) and not is_multiple(Decimal("0.8"), Decimal("0.25"))
    assert not is_multiple(Decimal("-0.25"), Decimal("0.25"))

"""Checks that look at one line and the registers only, never at other lines."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date, timedelta

from tests.oracle.lookups import Line, Package, Row, holds, round_half_up, to_day, to_number

MONTHS = [
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
]


def static_findings(package: Package, line: Line) -> Iterator[tuple[str, str]]:
    """Code and severity of every such check that fires on the line."""
    yield from _own_figures(line)
    yield from _provider_and_contract(package, line)
    yield from _entitlement(package, line)
    if _redemption_differs(package, line):
        yield "CLM-11", "P"
    if line.recipient and line.service and package.norm(line) is None:
        yield "CLM-17", "R"
    if _worker_is_wrong(package, line):
        yield "CLM-25", "R"
    if line.recipient:
        yield from _life(package, line)
    yield from _deadlines(package, line)


def _own_figures(line: Line) -> Iterator[tuple[str, str]]:
    if line.amount != round_half_up(line.units * line.rate) or line.times_are_wrong:
        yield "CLM-01", "R"
    if line.service is None:
        yield "CLM-06", "R"


def _provider_and_contract(package: Package, line: Line) -> Iterator[tuple[str, str]]:
    provider = package.providers[line.claim.provider_code]
    if not holds(provider, line.service_date, "active_from", "active_to") or any(
        row["provider_code"] == line.claim.provider_code and holds(row, line.service_date, "from_date", "to_date")
        for row in package.rows("provider_suspensions")
    ):
        yield "CLM-03", "R"
    contract = package.contract(line)
    if (
        contract is None
        or contract.provider_code != line.claim.provider_code
        or contract.row["status"] != "active"
        or not holds(contract.row, line.service_date)
    ):
        yield "CLM-04", "R"
    if contract is not None and package.contract_line(line) is None:
        yield "CLM-05", "R"


def _entitlement(package: Package, line: Line) -> Iterator[tuple[str, str]]:
    if line.recipient is None:
        yield "CLM-07", "R"
    elif package.assessment(line) is None:
        yield "CLM-08", "R"
    if line.recipient and line.service and not line.service.one_off and package.plan_line(line) is None:
        yield "CLM-09", "R"
    if line.certificate is not None and _certificate_is_wrong(package, line, line.certificate):
        yield "CLM-10", "R"


def _certificate_is_wrong(package: Package, line: Line, certificate: Row) -> bool:
    if not holds(certificate, line.service_date):
        return True
    since = to_day(certificate["status_from"])
    if certificate["status"] in ("cancelled", "replaced") and (since is None or since <= line.service_date):
        return True
    if package.certificate_units(line) is None:
        return True
    return any(
        row["certificate_number"] == line.certificate_number and holds(row, line.service_date, "from_date", "to_date")
        for row in package.rows("certificate_suspensions")
    )


def _redemption_differs(package: Package, line: Line) -> bool:
    redemption = package.redemptions.get(line.redemption_code) if line.redemption_code else None
    if redemption is None or redemption["status"] != "confirmed":
        return True
    return (
        redemption["certificate_number"],
        redemption["service_code"],
        to_number(redemption["units"]),
        redemption["provider_code"],
        redemption["worker_code"],
    ) != (
        line.certificate_number,
        line.service_code,
        line.units,
        line.claim.provider_code,
        line.worker_code,
    )


def _worker_is_wrong(package: Package, line: Line) -> bool:
    worker = package.workers.get(line.worker_code)
    if worker is None or worker["provider_code"] != line.claim.provider_code:
        return True
    return not any(
        (row["worker_code"], row["service_code"]) == (line.worker_code, line.service_code)
        and holds(row, line.service_date)
        for row in package.rows("worker_qualifications")
    )


def _life(package: Package, line: Line) -> Iterator[tuple[str, str]]:
    assert line.recipient is not None
    day = line.service_date
    death = to_day(package.recipients[line.recipient]["death_date"])
    if death is not None and day >= death:
        yield "CLM-26", "P" if day == death else "R"
    stays = [row for row in package.rows("absences") if row["recipient_code"] == line.recipient]
    if line.service is not None and line.service.form == "home" and any(_inside(row, day) for row in stays):
        yield "CLM-27", "R"
    if any(row["kind"] == "away" and holds(row, day, "from_date", "to_date") for row in stays):
        yield "CLM-28", "R"


def _inside(stay: Row, day: date) -> bool:
    start, end = to_day(stay["from_date"]), to_day(stay["to_date"])
    assert start is not None
    return stay["kind"] in ("hospital", "residential") and start < day and (end is None or day < end)


def _deadlines(package: Package, line: Line) -> Iterator[tuple[str, str]]:
    claim = line.claim
    submitted = claim.submitted_at.astimezone(package.zone).date()
    if line.service_date.strftime("%Y-%m") != claim.period or line.service_date > submitted:
        yield "CLM-31", "R"
    if submitted > last_day_to_submit(package, claim.period):
        yield "CLM-32", "R"


def last_day_to_submit(package: Package, period: str) -> date:
    """The last day on which a claim of the period is in time."""
    year, month = (int(part) for part in period.split("-"))
    end = date(year, month, calendar.monthrange(year, month)[1])
    if month == 12:
        return _january_day(package.parameter("claim.december_stop", end, "01-15"), year + 1)
    return end + timedelta(days=int(package.parameter("claim.window_days", end, "60")))


def _january_day(text: str, year: int) -> date:
    if "-" in text:
        month, day = text.split("-")
        return date(year, int(month), int(day))
    if "." in text:
        day, month = text.split(".")[:2]
        return date(year, int(month), int(day))
    day, name = text.split()
    return date(year, MONTHS.index(name.lower()) + 1, int(day))

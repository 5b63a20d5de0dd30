"""Random claims, lines, redemptions, reversals and clearances."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from tests.oracle.draft import Draft, Row

KYIV = ZoneInfo("Europe/Kyiv")
OTHER_ZONES = (UTC, KYIV, ZoneInfo("Asia/Tbilisi"))


def add_claims(package: Draft, lines: int) -> None:
    per_claim = max(3, lines // (len(package.months) * 3))
    number = 0
    for month in package.months:
        runs = package.random.randint(1, 3)
        for _ in range(package.random.randint(2, 4)):
            number += 1
            _claim(package, month, number, runs, package.random.randint(1, per_claim * 2))


def _claim(package: Draft, month: str, number: int, runs: int, lines: int) -> None:
    contract = package.random.choice(package.tables["contracts"])
    provider = package.code("providers", "code") if package.fault(0.1) else contract["provider_code"]
    run = None if package.chance(0.25) else package.random.randint(1, runs)
    year, index = (int(part) for part in month.split("-"))
    end = date(year, index, 28)
    submitted = end + timedelta(
        days=package.random.choice([-8, 18, 19, 62, 63, 64, 100] if package.fault(0.6) else [3, 4, 13])
    )
    stamp = datetime(
        submitted.year, submitted.month, submitted.day, package.random.choice([0, 12, 23]), 30, tzinfo=KYIV
    )
    claim = package.add(
        "claims",
        number=f"К-{package.random.choice('aБz')}{number}",
        provider_code=provider,
        contract_number=package.random.choice(["", "немає"]) if package.fault(0.06) else contract["number"],
        period=month,
        submitted_at=stamp.astimezone(package.random.choice(OTHER_ZONES)),
        status=package.random.choice(["submitted"] * 14 + ["withdrawn", "returned"]),
        run=run,
    )
    for line in range(1, lines + 1):
        _line(package, claim, line, month)


def _line(package: Draft, claim: Row, number: int, month: str) -> None:
    lines = package.tables["claim_lines"]
    if lines and package.chance(0.12):
        _copy(package, claim, number, package.random.choice(lines))
        return
    workers = [row for row in package.tables["workers"] if row["provider_code"] == claim["provider_code"]]
    worker = package.random.choice(workers)["code"] if not package.fault(0.1) else package.random.choice(["", "W?"])
    service = package.random.choice(package.tables["services"])
    day = package.day() if package.fault(0.08) else package.day(month)
    starts_at, ends_at, hours = _times(package, day)
    whole = package.random.choice(["1", "2", "0.5"])
    units = hours if service["unit"] == "hour" and package.chance(0.8) else Decimal(whole)
    rate = package.rate() + package.random.choice([0, 0, 0, 3, -2])
    _add_line(
        package,
        claim_number=claim["number"],
        line=number,
        certificate_number=_sometimes(package, package.code("certificates", "number"), "C-?"),
        service_code=_sometimes(package, service["code"], "S?"),
        service_date=day,
        starts_at=starts_at,
        ends_at=ends_at,
        worker_code=worker,
        units=units,
        unit_rate=rate,
        amount=_amount(package, units * rate),
        redemption_code=_redemption_code(package),
    )
    _redemption(package, lines[-1], claim)


def _sometimes(package: Draft, value: str, wrong: str) -> str:
    return value if not package.fault(0.04) else package.random.choice(["", wrong])


def _add_line(package: Draft, **values: object) -> None:
    package.add("claim_lines", **values)


def _copy(package: Draft, claim: Row, number: int, original: Row) -> None:
    values = dict(original) | {"claim_number": claim["number"], "line": str(number)}
    if package.chance(0.5):
        values["redemption_code"] = ""
    if package.chance(0.3):
        values["certificate_number"] = package.code("certificates", "number")
    if values["starts_at"] and package.chance(0.5):
        again = datetime.fromisoformat(values["starts_at"]).astimezone(package.random.choice(OTHER_ZONES))
        values["starts_at"] = again.isoformat()
    package.tables["claim_lines"].append(values)


def _times(package: Draft, day: date) -> tuple[datetime | None, datetime | None, Decimal]:
    pick = package.random.choice
    minutes = pick([60, 90, 90, 120, 45, 180, 100])
    hour, minute = pick([(8, 0), (9, 30), (10, 0), (10, 15), (11, 0), (13, 0), (22, 30), (23, 30), (2, 30)])
    start = datetime(day.year, day.month, day.day, hour, minute, tzinfo=KYIV).astimezone(UTC)
    hours = (Decimal(minutes) / 60).quantize(Decimal("0.001"), ROUND_HALF_UP)
    if package.fault(0.06):
        start += timedelta(days=pick([-1, 1]))
    if package.fault(0.06):
        minutes = pick([0, -30])
    end = start + timedelta(minutes=minutes)
    zone = pick(OTHER_ZONES)
    blank_start, blank_end = package.chance(0.07), package.chance(0.07)
    return (
        None if blank_start else start.astimezone(zone),
        None if blank_end else end.astimezone(zone),
        hours,
    )


def _amount(package: Draft, exact: Decimal) -> Decimal:
    rounded = exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if package.fault(0.1):
        return rounded + package.random.choice([Decimal("0.01"), Decimal("0.004"), Decimal("-0.01")])
    return rounded


def _redemption_code(package: Draft) -> str:
    return "" if package.fault(0.15) else f"V{package.seed}-{len(package.tables['claim_lines'])}"


def _redemption(package: Draft, line: Row, claim: Row) -> None:
    if not line["redemption_code"] or package.fault(0.1):
        return
    row = package.add(
        "redemptions",
        code=line["redemption_code"],
        channel=package.random.choice(["online", "offline", "reported"]),
        certificate_number=line["certificate_number"],
        provider_code=claim["provider_code"],
        worker_code=line["worker_code"],
        service_code=line["service_code"],
        starts_at=line["starts_at"],
        ends_at=line["ends_at"],
        units=line["units"],
        status="voided" if package.fault(0.1) else "confirmed",
    )
    if package.fault(0.15):
        column = package.random.choice(["certificate_number", "worker_code", "service_code", "units"])
        row[column] = "7.125" if column == "units" else package.random.choice(["", "X?"])


def add_reversals(package: Draft, same_run: bool) -> None:
    submitted = [row for row in package.tables["claims"] if row["status"] == "submitted" and row["run"]]
    targets = package.random.sample(submitted, min(len(submitted), package.random.choice([0, 1, 1, 2])))
    for place, target in enumerate(targets):
        later = [month for month in package.months if month >= target["period"]]
        period = package.random.choice(later)
        run = int(target["run"]) + package.random.choice([0, 1] if same_run else [1, 2])
        values = {"provider_code": target["provider_code"], "contract_number": target["contract_number"]}
        common = values | {
            "period": period,
            "status": "submitted",
            "run": run if period == target["period"] else 1,
        }
        stamp = datetime(2026, 1, 12, 9, tzinfo=KYIV)
        package.add("claims", number=f"С-{place}", submitted_at=stamp, reverses=target["number"], **common)
        if package.chance(0.6):
            again = package.add("claims", number=f"К-нова{place}", submitted_at=stamp + timedelta(hours=1), **common)
            _resubmit(package, target["number"], again["number"])


def _resubmit(package: Draft, old: str, new: str) -> None:
    for row in [row for row in package.tables["claim_lines"] if row["claim_number"] == old]:
        if package.chance(0.8):
            package.tables["claim_lines"].append(dict(row) | {"claim_number": new})


def add_clearances(package: Draft) -> None:
    """Pends lifted in any run; those of a reversed claim only before the run that reverses it."""
    claims = {row["number"]: row for row in package.tables["claims"]}
    reversals = {row["reverses"]: row for row in claims.values() if row["reverses"]}
    for line in package.tables["claim_lines"]:
        claim = claims[line["claim_number"]]
        last = last_clearing_run(claim, reversals.get(claim["number"]))
        if claim["status"] != "submitted" or last < 1 or not package.chance(0.3):
            continue
        for check in package.random.sample(["CLM-11", "CLM-24", "CLM-26", "CLM-20"], package.random.randint(1, 3)):
            package.add(
                "clearances",
                run=package.random.randint(1, last),
                claim_number=claim["number"],
                line=line["line"],
                check=check,
                decided_by="Галина",
                reason="перевірено",
            )


def last_clearing_run(claim: Row, reversal: Row | None) -> int:
    """The last run in which a pend of the claim may be lifted; 0 when there is none."""
    if reversal is None or reversal["period"] > claim["period"]:
        return 4
    return int(reversal["run"]) - 1

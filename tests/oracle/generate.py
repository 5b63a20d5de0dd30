"""Seeded random packages, small and hostile: every ceiling is tiny, so that every check fires often.

    python -m tests.oracle.generate SEED FOLDER
"""

from __future__ import annotations

import csv
import json
import random
import sys
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.oracle.columns import COLUMNS

KYIV = ZoneInfo("Europe/Kyiv")
OTHER_ZONES = (UTC, KYIV, ZoneInfo("Asia/Tbilisi"))
MONTHS = ("2025-10", "2025-11", "2025-12", "2026-01")
UNITS = ("hour", "hour", "visit", "day", "trip")
FORMS = ("home", "home", "semi_residential", "residential", "remote")

Row = dict[str, str]


@dataclass
class Package:
    """Tables under construction."""

    seed: int
    random: random.Random
    tables: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    months: list[str] = field(default_factory=list)
    hostility: float = 1.0

    def add(self, table: str, **values: object) -> Row:
        """Append a row; a column not given is blank."""
        row = {column: _text(values.get(column)) for column in COLUMNS[table]}
        assert set(values) <= set(COLUMNS[table]), (table, values)
        self.tables[table].append(row)
        return row

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.random.random() < probability

    def fault(self, probability: float) -> bool:
        """True with this probability, scaled by how hostile the package is."""
        return self.random.random() < probability * self.hostility

    def day(self, month: str | None = None) -> date:
        """Any day of the month, early days more often so that they collide."""
        year, number = (int(part) for part in (month or self.random.choice(self.months)).split("-"))
        return date(year, number, self.random.choice([3, 4, 5, 5, 6, 15, 26, self.random.randint(1, 28)]))

    def code(self, table: str, column: str) -> str:
        """A code that exists."""
        return self.random.choice(self.tables[table])[column]

    def rate(self) -> Decimal:
        """A unit rate, often with four places."""
        return self.random.choice([Decimal(95), Decimal("85.3333"), Decimal("96.54"), Decimal("90.005")])


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def generate(seed: int, *, lines: int = 60, same_run_reversal: bool = False) -> dict[str, list[Row]]:
    """All input tables of one package; the same seed gives the same package."""
    package = Package(seed, random.Random(seed))
    count = package.random.choice([1, 2, 3])
    start = package.random.randrange(len(MONTHS) - count + 1)
    package.hostility = package.random.choice([0.0, 0.1, 0.1, 0.3, 1.0])
    package.months = list(MONTHS[start : start + count])
    _law(package)
    _catalogue(package)
    _providers(package)
    _contracts(package)
    _recipients(package)
    _certificates(package)
    _claims(package, lines)
    _reversals(package, same_run_reversal)
    _clearances(package)
    for rows in package.tables.values():
        package.random.shuffle(rows)
    return package.tables


def _law(package: Package) -> None:
    if package.chance(0.5):
        limit = package.random.choice(["4", "6.5", "12", "24"])
        _parameter(package, "worker.hours_per_day_max", limit)
    if package.chance(0.4):
        _parameter(package, "claim.window_days", package.random.choice(["10", "60", "90"]))
    if package.chance(0.4):
        _parameter(package, "claim.december_stop", package.random.choice(["01-15", "20.01", "10 January"]))
    for offset in range(3):
        day = date(2025, 12, 25) + timedelta(days=offset)
        package.add("calendar_days", jurisdiction="UA", date=day, kind=package.random.choice(["off", "working"]))


def _parameter(package: Package, key: str, value: str) -> None:
    first = date(2025, 1, 1)
    act = {"act": "Made-up act", "article": "1", "evidence": "DESIGN"}
    if package.chance(0.5):
        package.add("parameters", jurisdiction="UA", key=key, valid_from=first, value=value, **act)
        return
    change = package.day()
    package.add("parameters", jurisdiction="UA", key=key, valid_from=first, value=value,
                valid_to=change - timedelta(days=1), **act)  # fmt: skip
    if package.chance(0.7):
        other = "11" if key != "claim.december_stop" else "31.01"
        package.add("parameters", jurisdiction="UA", key=key, valid_from=change, value=other, **act)


def _catalogue(package: Package) -> None:
    package.add("territories", code="T0", name="Громада", kind="urban")
    package.add("territories", code="T1", name="Місто", parent_code="T0", kind="urban")
    package.add("territories", code="T2", name="Село «Нове»", parent_code="T0", kind="rural")
    pick = package.random.choice
    for number in range(package.random.randint(3, 5)):
        unit = pick(UNITS)
        package.add(
            "services",
            code=f"S{number}",
            name_uk=f"Послуга {number}",
            name_ru=f"Услуга {number}",
            name_en=f"Service {number}",
            level=pick(["simple", "complex", "auxiliary"]),
            form=pick(FORMS),
            unit=unit,
            granularity=pick(["0.25", "0.5", "0.1", "0.333"]) if unit == "hour" else pick(["1", "0.5"]),
            units_per_day_max=pick(["", "2", "3.5"]),
            units_per_month_max=pick(["", "", "7", "12.75"]),
            amount_per_year_max=pick(["", "", "500", "1234.56"]),
            group_size_max=pick(["", "1", "4"]),
            basic=package.chance(0.5),
            free_for_all=package.chance(0.2),
            one_off=package.chance(0.25),
            cpv="85312000-9",
        )
        _norms(package, f"S{number}")


def _norms(package: Package, service: str) -> None:
    for territory in ("", "T1", "T2"):
        for group in ("", "A"):
            wanted = 1.0 if territory == group == "" else 0.35
            if package.fault(0.25) or not package.chance(wanted):
                continue
            key = {"service_code": service, "territory_code": territory, "recipient_class": group, "act": "Рішення"}
            change = package.day()
            rate = package.rate() + package.random.choice([0, 0, 1, 5])
            end = change - timedelta(days=1)
            package.add("norm_costs", **key, valid_from=date(2025, 1, 1), unit_rate=rate,
                        valid_to=end if package.chance(0.5) else None)  # fmt: skip
            if package.tables["norm_costs"][-1]["valid_to"] and not package.fault(0.4):
                package.add("norm_costs", **key, valid_from=change, unit_rate=rate + 1)


def _providers(package: Package) -> None:
    sectors = ["state", "communal", "nonprofit", "private"]
    for number in range(package.random.randint(2, 3)):
        code = f"P{package.seed}-{number}"
        package.add(
            "providers",
            code=code,
            name=f'ТОВ "Турбота {number}"',
            sector=package.random.choice(sectors),
            iban=f"UA21322313000002600723356600{number}"[:29],
            vat_payer=package.chance(0.3),
            active_from=package.day() if package.fault(0.3) else date(2020, 1, 1),
            active_to=package.day() if package.fault(0.3) else None,
        )
        if package.fault(0.6):
            start = package.day()
            end = start + timedelta(days=package.random.randint(0, 2))
            package.add("provider_suspensions", provider_code=code, from_date=start,
                        to_date=None if package.chance(0.1) else end, reason="перевірка, «акт»")  # fmt: skip
        for worker in range(3):
            _worker(package, code, f"W{package.seed}-{number}-{worker}")


def _worker(package: Package, provider: str, code: str) -> None:
    package.add("workers", code=code, provider_code=provider, name=f"Працівниця {code}")
    for service in package.tables["services"]:
        if package.fault(0.2):
            continue
        end = package.day() if package.fault(0.2) else None
        package.add("worker_qualifications", worker_code=code, service_code=service["code"],
                    valid_from=date(2024, 5, 1), valid_to=end)  # fmt: skip


def _contracts(package: Package) -> None:
    for year in (2025, 2026):
        package.add("budget_lines", code="B1", year=year, programme="0813104", economic_code="2610",
                    source="місцевий бюджет", amount="1000000.00", currency="UAH")  # fmt: skip
    for provider in package.tables["providers"]:
        for number in range(package.random.randint(1, 2)):
            _contract(package, provider["code"], f"Д-{provider['code']}/{number}")


def _contract(package: Package, provider: str, number: str) -> None:
    pick = package.random.choice
    package.add(
        "contracts",
        number=number,
        provider_code=provider,
        budget_line_code="B1",
        basis=pick(["award", "register", "grant"]),
        valid_from=package.day() if package.fault(0.2) else date(2025, 1, 1),
        valid_to=package.day() if package.fault(0.2) else date(2026, 12, 31),
        ceiling=pick(["", "50000", "2500.00", "777.77"]),
        currency="UAH",
        status="terminated" if package.fault(0.15) else "active",
    )
    for service in package.tables["services"]:
        if package.fault(0.15):
            continue
        key = {"contract_number": number, "service_code": service["code"]}
        change = package.day()
        gap = package.fault(0.3)
        end = change - timedelta(days=1) if gap or package.chance(0.4) else None
        package.add("contract_lines", **key, valid_to=end, unit_rate=package.rate(),
                    units_ceiling=pick(["", "100", "8.25", "5.5"]))  # fmt: skip
        if (end or package.chance(0.3)) and not gap:
            package.add("contract_lines", **key, valid_from=change, unit_rate=package.rate() + 2,
                        units_ceiling=pick(["", "30", "4"]))  # fmt: skip


def _recipients(package: Package) -> None:
    for number in range(package.random.randint(2, 4)):
        code = f"R{number}"
        package.add(
            "recipients",
            code=code,
            name=f"Отримувач {number}",
            birth_date=date(1940, 2, 1 + number),
            death_date=package.day() if package.fault(0.4) else None,
            territory_code=package.random.choice(["", "T0", "T1", "T2"]),
            recipient_class=package.random.choice(["", "A", "B"]),
        )
        _absences(package, code)
        _assessments(package, code)
        _plan(package, code)


def _absences(package: Package, recipient: str) -> None:
    for kind in ("hospital", "residential", "away"):
        if package.fault(0.5):
            start = package.day()
            end = None if package.chance(0.1) else start + timedelta(days=package.random.randint(0, 3))
            package.add("absences", recipient_code=recipient, kind=kind, from_date=start, to_date=end)


def _assessments(package: Package, recipient: str) -> None:
    start = date(2025, 10, 1)
    while start < date(2026, 2, 1):
        months = package.random.randint(1, 3)
        end = start
        for _ in range(months):
            end = (end.replace(day=28) + timedelta(days=7)).replace(day=1)
        mode = package.random.choice("FDDDC")
        limit = package.random.choice(["0", "33.33", "250.01", "1278.00", "9999.99"])
        last = package.day(start.strftime("%Y-%m")) if package.fault(0.2) else end - timedelta(days=1)
        if not package.fault(0.15):
            package.add("fee_assessments", recipient_code=recipient, valid_from=start, mode=mode,
                        monthly_limit=limit if mode == "D" else None, valid_to=last, decision="Рішення 1")  # fmt: skip
        start = end


def _plan(package: Package, recipient: str) -> None:
    for service in package.tables["services"]:
        if package.fault(0.2):
            continue
        key = {"recipient_code": recipient, "service_code": service["code"]}
        change = package.day()
        volume = package.random.choice(["3.5", "6", "10", "60"])
        end = change - timedelta(days=1) if package.chance(0.4) else None
        package.add("plan_lines", **key, valid_from=date(2025, 9, 15), units_per_month=volume, valid_to=end)
        if end and not package.fault(0.4):
            package.add("plan_lines", **key, valid_from=change, units_per_month="2.75")


def _certificates(package: Package) -> None:
    for recipient in package.tables["recipients"]:
        for number in range(package.random.randint(1, 2)):
            code = f"C-{recipient['code']}-{number}"
            status = package.random.choice(["cancelled", "replaced"]) if package.fault(0.3) else "active"
            ended = status != "active" and package.chance(0.8)
            package.add(
                "certificates",
                number=code,
                recipient_code=recipient["code"],
                valid_from=package.day() if package.fault(0.2) else date(2025, 9, 1),
                valid_to=package.day() if package.fault(0.2) else date(2026, 8, 31),
                status=status,
                status_from=package.day() if ended else None,
            )
            if package.fault(0.5):
                start = package.day()
                package.add("certificate_suspensions", certificate_number=code, from_date=start,
                            to_date=start + timedelta(days=1), reason="запит")  # fmt: skip
            for service in package.tables["services"]:
                if not package.fault(0.2):
                    units = package.random.choice(["4", "5.5", "9.125", "40"])
                    package.add("certificate_lines", certificate_number=code, service_code=service["code"],
                                units=units)  # fmt: skip


def _claims(package: Package, lines: int) -> None:
    per_claim = max(3, lines // (len(package.months) * 3))
    number = 0
    for month in package.months:
        runs = package.random.randint(1, 3)
        for _ in range(package.random.randint(2, 4)):
            number += 1
            _claim(package, month, number, runs, package.random.randint(1, per_claim * 2))


def _claim(package: Package, month: str, number: int, runs: int, lines: int) -> None:
    contract = package.random.choice(package.tables["contracts"])
    provider = package.code("providers", "code") if package.fault(0.1) else contract["provider_code"]
    run = None if package.chance(0.25) else package.random.randint(1, runs)
    year, index = (int(part) for part in month.split("-"))
    end = date(year, index, 28)
    submitted = end + timedelta(days=package.random.choice([-8, 18, 19, 62, 63, 64, 100] if package.fault(0.6) else [3, 4, 13]))
    stamp = datetime(submitted.year, submitted.month, submitted.day, package.random.choice([0, 12, 23]), 30, tzinfo=KYIV)
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


def _line(package: Package, claim: Row, number: int, month: str) -> None:
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


def _sometimes(package: Package, value: str, wrong: str) -> str:
    return value if not package.fault(0.04) else package.random.choice(["", wrong])


def _add_line(package: Package, **values: object) -> None:
    package.add("claim_lines", **values)


def _copy(package: Package, claim: Row, number: int, original: Row) -> None:
    values = dict(original) | {"claim_number": claim["number"], "line": str(number)}
    if package.chance(0.5):
        values["redemption_code"] = ""
    if package.chance(0.3):
        values["certificate_number"] = package.code("certificates", "number")
    if values["starts_at"] and package.chance(0.5):
        again = datetime.fromisoformat(values["starts_at"]).astimezone(package.random.choice(OTHER_ZONES))
        values["starts_at"] = again.isoformat()
    package.tables["claim_lines"].append(values)


def _times(package: Package, day: date) -> tuple[datetime | None, datetime | None, Decimal]:
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


def _amount(package: Package, exact: Decimal) -> Decimal:
    rounded = exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if package.fault(0.1):
        return rounded + package.random.choice([Decimal("0.01"), Decimal("0.004"), Decimal("-0.01")])
    return rounded


def _redemption_code(package: Package) -> str:
    return "" if package.fault(0.15) else f"V{package.seed}-{len(package.tables['claim_lines'])}"


def _redemption(package: Package, line: Row, claim: Row) -> None:
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


def _reversals(package: Package, same_run: bool) -> None:
    submitted = [row for row in package.tables["claims"] if row["status"] == "submitted" and row["run"]]
    targets = package.random.sample(submitted, min(len(submitted), package.random.choice([0, 1, 1, 2])))
    for place, target in enumerate(targets):
        later = [month for month in package.months if month >= target["period"]]
        period = package.random.choice(later)
        run = int(target["run"]) + package.random.choice([0, 1] if same_run else [1, 2])
        values = {"provider_code": target["provider_code"], "contract_number": target["contract_number"]}
        common = values | {"period": period, "status": "submitted", "run": run if period == target["period"] else 1}
        stamp = datetime(2026, 1, 12, 9, tzinfo=KYIV)
        package.add("claims", number=f"С-{place}", submitted_at=stamp, reverses=target["number"], **common)
        if package.chance(0.6):
            again = package.add("claims", number=f"К-нова{place}", submitted_at=stamp + timedelta(hours=1), **common)
            _resubmit(package, target["number"], again["number"])


def _resubmit(package: Package, old: str, new: str) -> None:
    for row in [row for row in package.tables["claim_lines"] if row["claim_number"] == old]:
        if package.chance(0.8):
            package.tables["claim_lines"].append(dict(row) | {"claim_number": new})


def _clearances(package: Package) -> None:
    """Pends lifted in any run; never for a claim that is reversed, whose lines are not judged again."""
    reversed_claims = {row["reverses"] for row in package.tables["claims"]}
    submitted = {row["number"]: row for row in package.tables["claims"] if row["status"] == "submitted"}
    for line in package.tables["claim_lines"]:
        number = line["claim_number"]
        if number not in submitted or number in reversed_claims or not package.chance(0.3):
            continue
        for check in package.random.sample(["CLM-11", "CLM-24", "CLM-26", "CLM-20"], package.random.randint(1, 3)):
            package.add("clearances", run=package.random.randint(1, 4), claim_number=number, line=line["line"],
                        check=check, decided_by="Галина", reason="перевірено")  # fmt: skip


def write(tables: dict[str, list[Row]], folder: Path, *, code: str = "TEST", name: str = "Тестова громада") -> Path:
    """Write the tables and datapackage.json into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    resources = []
    for table, rows in tables.items():
        resources.append({"name": table, "path": f"{table}.csv"})
        with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS[table], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    descriptor = {
        "name": code.lower(),
        "organisation": {"code": code, "name": name, "jurisdiction": "UA"},
        "resources": resources,
    }
    (folder / "datapackage.json").write_text(json.dumps(descriptor, ensure_ascii=False, indent=1), encoding="utf-8")
    return folder


if __name__ == "__main__":
    write(generate(int(sys.argv[1])), Path(sys.argv[2]))

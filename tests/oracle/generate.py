"""Seeded random packages, small and hostile: every ceiling is tiny, so that every check fires often.

python -m tests.oracle.generate SEED FOLDER
"""

from __future__ import annotations

import csv
import json
import random
import sys
from datetime import UTC, date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.oracle.columns import COLUMNS
from tests.oracle.draft import Draft, Row
from tests.oracle.generate_claims import add_claims, add_clearances, add_reversals
from tests.oracle.generate_findings import add_findings

KYIV = ZoneInfo("Europe/Kyiv")
OTHER_ZONES = (UTC, KYIV, ZoneInfo("Asia/Tbilisi"))
MONTHS = ("2025-10", "2025-11", "2025-12", "2026-01")
UNITS = ("hour", "hour", "visit", "day", "trip")
FORMS = ("home", "home", "semi_residential", "residential", "remote")


def generate(seed: int, *, lines: int = 60, same_run_reversal: bool = False) -> dict[str, list[Row]]:
    """All input tables of one package; the same seed gives the same package."""
    package = Draft(seed, random.Random(seed))
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
    add_claims(package, lines)
    add_reversals(package, same_run_reversal)
    add_clearances(package)
    add_findings(package)
    _order_ranges(package)
    for rows in package.tables.values():
        package.random.shuffle(rows)
    return package.tables


def _order_ranges(package: Draft) -> None:
    """A last day never stands before the first: such a package would be refused as a whole."""
    for table, first, last in (
        ("certificates", "valid_from", "valid_to"),
        ("contracts", "valid_from", "valid_to"),
        ("providers", "active_from", "active_to"),
    ):
        for row in package.tables[table]:
            if row[last] and row[last] < row[first]:
                row[first], row[last] = row[last], row[first]


def _law(package: Draft) -> None:
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


def _parameter(package: Draft, key: str, value: str) -> None:
    first = date(2025, 1, 1)
    act = {"act": "Made-up act", "article": "1", "evidence": "DESIGN"}
    if package.chance(0.5):
        package.add("parameters", jurisdiction="UA", key=key, valid_from=first, value=value, **act)
        return
    change = package.day()
    package.add(
        "parameters",
        jurisdiction="UA",
        key=key,
        valid_from=first,
        value=value,
        valid_to=change - timedelta(days=1),
        **act,
    )
    if package.chance(0.7):
        other = "11" if key != "claim.december_stop" else "31.01"
        package.add("parameters", jurisdiction="UA", key=key, valid_from=change, value=other, **act)


def _catalogue(package: Draft) -> None:
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


def _norms(package: Draft, service: str) -> None:
    for territory in ("", "T1", "T2"):
        for group in ("", "A"):
            wanted = 1.0 if territory == group == "" else 0.35
            if package.fault(0.25) or not package.chance(wanted):
                continue
            key = {
                "service_code": service,
                "territory_code": territory,
                "recipient_class": group,
                "act": "Рішення",
            }
            change = package.day()
            rate = package.rate() + package.random.choice([0, 0, 1, 5])
            end = change - timedelta(days=1)
            package.add(
                "norm_costs",
                **key,
                valid_from=date(2025, 1, 1),
                unit_rate=rate,
                valid_to=end if package.chance(0.5) else None,
            )
            if package.tables["norm_costs"][-1]["valid_to"] and not package.fault(0.4):
                package.add("norm_costs", **key, valid_from=change, unit_rate=rate + 1)


def _providers(package: Draft) -> None:
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
            package.add(
                "provider_suspensions",
                provider_code=code,
                from_date=start,
                to_date=None if package.chance(0.1) else end,
                reason="перевірка, «акт»",
            )
        for worker in range(3):
            _worker(package, code, f"W{package.seed}-{number}-{worker}")


def _worker(package: Draft, provider: str, code: str) -> None:
    package.add("workers", code=code, provider_code=provider, name=f"Працівниця {code}")
    for service in package.tables["services"]:
        if package.fault(0.2):
            continue
        end = package.day() if package.fault(0.2) else None
        package.add(
            "worker_qualifications",
            worker_code=code,
            service_code=service["code"],
            valid_from=date(2024, 5, 1),
            valid_to=end,
        )


def _contracts(package: Draft) -> None:
    for year in (2025, 2026):
        package.add(
            "budget_lines",
            code="B1",
            year=year,
            programme="0813104",
            economic_code="2610",
            source="місцевий бюджет",
            amount="1000000.00",
            currency="UAH",
        )
    for provider in package.tables["providers"]:
        for number in range(package.random.randint(1, 2)):
            _contract(package, provider["code"], f"Д-{provider['code']}/{number}")


def _contract(package: Draft, provider: str, number: str) -> None:
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
        package.add(
            "contract_lines",
            **key,
            valid_to=end,
            unit_rate=package.rate(),
            units_ceiling=pick(["", "100", "8.25", "5.5"]),
        )
        if (end or package.chance(0.3)) and not gap:
            package.add(
                "contract_lines",
                **key,
                valid_from=change,
                unit_rate=package.rate() + 2,
                units_ceiling=pick(["", "30", "4"]),
            )


def _recipients(package: Draft) -> None:
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


def _absences(package: Draft, recipient: str) -> None:
    for kind in ("hospital", "residential", "away"):
        if package.fault(0.5):
            start = package.day()
            end = None if package.chance(0.1) else start + timedelta(days=package.random.randint(0, 3))
            package.add("absences", recipient_code=recipient, kind=kind, from_date=start, to_date=end)


def _assessments(package: Draft, recipient: str) -> None:
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
            package.add(
                "fee_assessments",
                recipient_code=recipient,
                valid_from=start,
                mode=mode,
                monthly_limit=limit if mode == "D" else None,
                valid_to=last,
                decision="Рішення 1",
            )
        start = end


def _plan(package: Draft, recipient: str) -> None:
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


def _certificates(package: Draft) -> None:
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
                package.add(
                    "certificate_suspensions",
                    certificate_number=code,
                    from_date=start,
                    to_date=start + timedelta(days=1),
                    reason="запит",
                )
            for service in package.tables["services"]:
                if not package.fault(0.2):
                    units = package.random.choice(["4", "5.5", "9.125", "40"])
                    package.add(
                        "certificate_lines",
                        certificate_number=code,
                        service_code=service["code"],
                        units=units,
                    )


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

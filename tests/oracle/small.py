"""A small clean package to bend in tests: one provider, worker, recipient and hourly home service."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from pathlib import Path

from tests.oracle.columns import COLUMNS
from tests.oracle.generate import write
from tests.oracle.judged import Result
from tests.oracle.recalculate import recalculate

Tables = dict[str, list[dict[str, str]]]

_CLEAN: dict[str, list[dict[str, str]]] = {
    "services": [
        {
            "code": "015.1",
            "name_uk": "Догляд вдома",
            "level": "simple",
            "form": "home",
            "unit": "hour",
            "granularity": "0.25",
            "basic": "true",
            "free_for_all": "false",
            "one_off": "false",
        },
    ],
    "norm_costs": [{"service_code": "015.1", "valid_from": "2025-01-01", "unit_rate": "96.54"}],
    "providers": [{"code": "P1", "name": "Турбота", "sector": "nonprofit", "vat_payer": "false"}],
    "workers": [{"code": "W1", "provider_code": "P1", "name": "Надія"}],
    "worker_qualifications": [{"worker_code": "W1", "service_code": "015.1", "valid_from": "2024-01-01"}],
    "budget_lines": [
        {
            "code": "B1",
            "year": "2025",
            "programme": "0813104",
            "economic_code": "2610",
            "source": "місцевий",
            "amount": "100000",
            "currency": "UAH",
        },
    ],
    "contracts": [
        {
            "number": "K1",
            "provider_code": "P1",
            "budget_line_code": "B1",
            "basis": "register",
            "valid_from": "2025-01-01",
            "valid_to": "2025-12-31",
            "currency": "UAH",
            "status": "active",
        },
    ],
    "contract_lines": [{"contract_number": "K1", "service_code": "015.1", "unit_rate": "95"}],
    "recipients": [{"code": "R1", "name": "Олена", "birth_date": "1941-03-05"}],
    "fee_assessments": [
        {"recipient_code": "R1", "valid_from": "2025-01-01", "mode": "D", "monthly_limit": "1278.00"},
    ],
    "plan_lines": [
        {
            "recipient_code": "R1",
            "service_code": "015.1",
            "valid_from": "2025-01-01",
            "units_per_month": "19.5",
        },
    ],
    "certificates": [
        {
            "number": "C1",
            "recipient_code": "R1",
            "valid_from": "2025-01-01",
            "valid_to": "2025-12-31",
            "status": "active",
        },
    ],
    "certificate_lines": [{"certificate_number": "C1", "service_code": "015.1", "units": "16"}],
    "claims": [
        {
            "number": "A-1",
            "provider_code": "P1",
            "contract_number": "K1",
            "period": "2025-11",
            "submitted_at": "2025-12-03T10:00:00+02:00",
            "status": "submitted",
        },
    ],
}


def clean_tables() -> Tables:
    """Every input table, filled just enough; no claim lines yet."""
    tables: Tables = {name: [] for name in COLUMNS}
    for name, rows in deepcopy(_CLEAN).items():
        for row in rows:
            add(tables, name, **row)
    return tables


def add(tables: Tables, table: str, **values: str) -> dict[str, str]:
    """Append a row; columns not given are blank."""
    row = {column: values.get(column, "") for column in COLUMNS[table]}
    tables[table].append(row)
    return row


def add_visit(tables: Tables, day: str, start: str = "09:00", end: str = "10:30", **changes: str) -> dict[str, str]:
    """A confirmed visit and its claim line; ``changes`` are columns of the line."""
    number = len(tables["claim_lines"]) + 1
    claim = changes.get("claim_number", "A-1")
    same_claim = [row for row in tables["claim_lines"] if row["claim_number"] == claim]
    values = {
        "claim_number": claim,
        "line": str(len(same_claim) + 1),
        "redemption_code": f"V{number}",
        "certificate_number": "C1",
        "service_code": "015.1",
        "service_date": day,
        "starts_at": f"{day}T{start}:00+02:00" if start else "",
        "ends_at": f"{day}T{end}:00+02:00" if end else "",
        "worker_code": "W1",
        "units": "1.5",
        "unit_rate": "98",
    } | changes
    values.setdefault("amount", str(Decimal(values["units"]) * Decimal(values["unit_rate"])))
    line = add(tables, "claim_lines", **values)
    if values["redemption_code"] == f"V{number}":
        add(
            tables,
            "redemptions",
            code=f"V{number}",
            channel="online",
            certificate_number=line["certificate_number"],
            provider_code="P1",
            worker_code=line["worker_code"],
            service_code=line["service_code"],
            units=line["units"],
            status="confirmed",
        )
    return line


def example_5_2() -> Tables:
    """The worked example of rulebook 5.2: 14 visits of 1.5 h at 98.00."""
    tables = clean_tables()
    for day in range(3, 16):
        add_visit(tables, f"2025-11-{day:02}")
    add_visit(tables, "2025-11-03")
    add(tables, "absences", recipient_code="R1", kind="hospital", from_date="2025-11-04", to_date="2025-11-06")
    return tables


def settle(tables: Tables, folder: Path) -> Result:
    """Write the package and recalculate it."""
    return recalculate(write(tables, folder))

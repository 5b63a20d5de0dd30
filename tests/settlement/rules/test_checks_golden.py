"""Every check on hand-made rows: fires, does not fire, and the edge between."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from settlement.rules import checks
from tests.golden_rows import golden
from tests.oracle.generate import write
from tests.oracle.small import Tables, add, add_visit, clean_tables, example_5_2
from tests.settlement.rules.package_facts import output_rows

ALL = golden("clm")


def two_visits() -> Tables:
    """Two clean visits of 1.5 h at 95.00 on 3 and 4 November 2025."""
    tables = clean_tables()
    add_visit(tables, "2025-11-03", unit_rate="95", amount="142.50")
    add_visit(tables, "2025-11-04", unit_rate="95", amount="142.50")
    return tables


def second_recipient(tables: Tables) -> None:
    """R2 with certificate C2, plan and assessment."""
    add(tables, "recipients", code="R2", name="Петро", birth_date="1940-01-01")
    for table in ("fee_assessments", "plan_lines"):
        add(tables, table, **(tables[table][0] | {"recipient_code": "R2"}))
    add(tables, "certificates", **(tables["certificates"][0] | {"number": "C2", "recipient_code": "R2"}))
    add(tables, "certificate_lines", certificate_number="C2", service_code="015.1", units="40")


def edit(tables: Tables, text: str) -> None:
    """One edit: ``table[row].column=value``, ``+table column=value ...``, ``visit DAY START END column=value``."""
    if text == "second recipient":
        second_recipient(tables)
    elif match := re.fullmatch(r"(\w+)\[(\d+)\]\.(\w+)=(.*)", text):
        tables[match[1]][int(match[2])][match[3]] = match[4]
    else:
        name, *words = text.split()
        values = dict(word.split("=", 1) for word in words if "=" in word)
        if name == "visit":
            day, start, end = words[:3]
            add_visit(tables, day, start, end, **({"unit_rate": "95"} | values))
        else:
            add(tables, name.removeprefix("+"), **values)


@pytest.mark.parametrize("row", ALL)
def test_check(row: dict[str, str], tmp_path: Path) -> None:
    tables = two_visits()
    for text in row["edits"].split("; "):
        edit(tables, text)
    found = [r for r in output_rows(write(tables, tmp_path))["findings"] if r[2:4] == (row["line"], row["check"])]
    expected = [(row["severity"], row["units"], row["amount"])] if row["severity"] else []
    assert [r[4:] for r in found] == expected


def test_untouched_visits_have_no_finding(tmp_path: Path) -> None:
    output = output_rows(write(two_visits(), tmp_path))
    assert output["findings"] == []
    assert [row[-1] for row in output["adjudications"]] == ["accepted", "accepted"]


def test_worked_example_of_rulebook_5_2(tmp_path: Path) -> None:
    """2 058.00 claimed, -63.00, -142.50, -142.50, -190.00; 1 520.00 gross; 1 278.00 fee; 242.00 payable."""
    output = output_rows(write(example_5_2(), tmp_path))
    taken: dict[str, float] = {}
    for *_, check, _severity, _units, amount in output["findings"]:
        taken[check] = round(taken.get(check, 0) + float(amount), 2)
    # The duplicate covers the same time, so the overlaps are recorded too and take nothing.
    assert {check: amount for check, amount in taken.items() if amount} == {
        "CLM-16": 63.00,
        "CLM-27": 142.50,
        "CLM-20": 142.50,
        "CLM-12": 190.00,
    }
    assert {taken[check] for check in ("CLM-21", "CLM-22")} == {0.0}
    assert output["remittances"] == [
        ("1", "A-1", "P1", "2058.00", "538.00", "0.00", "1520.00", "1278.00", "0.00", "242.00")
    ]


def test_registry_has_the_50_checks_each_with_its_words() -> None:
    assert len(checks.DECIDED) == 28 and len(checks.ALL) == 50
    for code, check in checks.ALL.items():
        assert code == check.CODE
        assert check.TITLE and check.ADVICE and check.SEVERITY in "RPCW"

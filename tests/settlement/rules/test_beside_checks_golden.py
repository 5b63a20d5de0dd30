"""Checks that are no finding on a line, on hand-made rows; and that each of the 50 has rows of every kind."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from settlement.rules import checks
from settlement.rules.checks.clm_45_conflict_of_interest import Relation, blocking
from settlement.rules.checks.clm_46_clawback_offset import offsets
from tests.golden_rows import golden
from tests.oracle.generate import write
from tests.settlement.actions import test_own_checks
from tests.settlement.rules.differential import differences
from tests.settlement.rules.package_facts import output_rows
from tests.settlement.rules.test_checks_golden import edit, two_visits

FEES, RELATIONS, OFFSETS = golden("clm_35"), golden("clm_45"), golden("clm_46")
# (check, edge, fires) of cases that no row can hold: the rules are given only what is open on the day.
BESIDE_THE_TABLES = {
    ("CLM-49", "yes", False): test_own_checks.test_an_answered_complaint_and_an_attached_act_hold_nothing_up,
}


@pytest.mark.parametrize("row", FEES)
def test_fee_deducted(row: dict[str, str], tmp_path: Path) -> None:
    tables = two_visits()
    for text in row["edits"].split("; "):
        edit(tables, text)
    judged = output_rows(write(tables, tmp_path))["adjudications"]
    assert [found[9:11] for found in judged if found[2] == row["line"]] == [(row["fee"], row["payable"])]
    assert differences(tmp_path) == []


@pytest.mark.parametrize("row", RELATIONS)
def test_related_person(row: dict[str, str]) -> None:
    until = date.fromisoformat(row["valid_to"]) if row["valid_to"] else None
    held = Relation(int(row["provider"]), date.fromisoformat(row["valid_from"]), until)
    found = blocking([held], providers={7, 8}, on=date.fromisoformat(row["on"]))
    assert found == ([7] if row["blocked"] else [])


def test_of_several_relations_only_those_of_the_day_block() -> None:
    relations = [
        Relation(7, date(2025, 1, 1), date(2025, 12, 1)),
        Relation(9, date(2025, 12, 1)),
        Relation(8, date.max),
    ]
    assert blocking(relations, providers={7, 8, 9}, on=date(2025, 11, 30)) == [7]
    assert blocking(relations, providers={7, 8, 9}, on=date(2025, 12, 1)) == [9]


def amounts(text: str) -> list[int]:
    return [int(part) for part in text.split(";")]


@pytest.mark.parametrize("row", OFFSETS)
def test_money_owed_back_is_set_off(row: dict[str, str]) -> None:
    found = offsets(amounts(row["payables"]), outstanding=int(row["outstanding"]))
    assert found == amounts(row["offsets"])


def fires(row: dict[str, str]) -> bool:
    """Whether the check does something in this row: a finding, a fee, a refusal, an offset."""
    if "severity" in row:
        return bool(row["severity"])
    if "fee" in row:
        return float(row["fee"]) > 0
    return bool(row["blocked"]) if "blocked" in row else any(amounts(row["offsets"]))


def test_every_check_has_rows_that_fire_that_keep_silent_and_that_stand_on_either_side_of_its_edge() -> None:
    rows = [row.values[0] for row in (*golden("clm"), *golden("clm_own"), *FEES, *RELATIONS, *OFFSETS)]
    seen = {(row["check"], row["edge"], fires(row)) for row in rows}
    seen |= {(check, "", does) for check, _, does in seen} | set(BESIDE_THE_TABLES)
    wanted = {(check, edge, does) for check in checks.ALL for edge in ("", "yes") for does in (True, False)}
    assert seen == wanted

"""Checks that a package cannot decide: fire, keep silent, and the edge; and what they find settles alike elsewhere."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from contracts.code_lists import REFERENCE
from settlement.rules import checks
from settlement.rules.adjudicate import adjudicate
from settlement.rules.digest import digest_of
from settlement.rules.parameters import LIMITS, SEVERITIES, parse_parameters, severity_key
from settlement.rules.statistics import outliers
from settlement.rules.working_days import after
from tests.golden_rows import golden
from tests.oracle.generate import write
from tests.settlement.rules.own_tables import elsewhere, findings_of, single_run
from tests.settlement.rules.test_checks_golden import edit, two_visits

ALL = golden("clm_own")


@pytest.mark.parametrize("row", ALL)
def test_check(row: dict[str, str], tmp_path: Path) -> None:
    tables = two_visits()
    texts = row["edits"].split("; ")
    for text in texts:
        if not text.startswith(("own ", "claim ")):
            edit(tables, text)
    facts, play = single_run(write(tables, tmp_path), [text for text in texts if text.startswith(("own ", "claim "))])
    parameters = play.package.parameters()
    result = adjudicate(facts, parameters=parameters)
    found = [values[1:] for values in findings_of(result, row["check"]) if values[0] == row["line"]]
    assert found == ([(row["severity"], row["units"], row["amount"])] if row["severity"] else [])
    there = elsewhere(facts, result)
    again = adjudicate(there, parameters=parameters)
    pd.testing.assert_frame_equal(again.adjudications, result.adjudications)
    assert again.findings.astype(str).equals(result.findings.astype(str))
    assert digest_of(there, again) == digest_of(facts, result)


def test_every_check_on_a_line_has_the_severities_that_a_profile_may_give_it() -> None:
    assert set(SEVERITIES) == {check.CODE for check in checks.OWN} | {"CLM-36"}
    assert {code: allowed[0] for code, allowed in SEVERITIES.items()} == {
        code: checks.ALL[code].SEVERITY for code in SEVERITIES
    }


def test_without_a_parameter_the_rules_take_what_the_general_profile_says() -> None:
    with (REFERENCE / "GENERIC" / "parameters.csv").open(encoding="utf-8", newline="") as file:
        general = {row["key"]: row["value"] for row in csv.DictReader(file)}
    own = {key: value for key, (value, _places) in LIMITS.items()}
    assert {key: Decimal(general[key]) for key in own} == {key: Decimal(value) for key, value in own.items()}
    assert {code: general[severity_key(code)] for code in SEVERITIES} == {
        code: allowed[0] for code, allowed in SEVERITIES.items()
    }


@pytest.mark.parametrize("value", ["C", "x", "", "RP"])
def test_a_severity_that_the_check_does_not_know_is_refused(value: str) -> None:
    assert parse_parameters([("check.CLM-49.severity", 0, 30000, " W")])
    with pytest.raises(ValueError):
        parse_parameters([("check.CLM-49.severity", 0, 30000, value)])


def test_a_given_finding_stays_the_only_one_of_its_line(tmp_path: Path) -> None:
    facts, play = single_run(write(two_visits(), tmp_path), ["own complaints redemption=V1"])
    parameters = play.package.parameters()
    first = adjudicate(facts, parameters=parameters)
    given = elsewhere(facts, first).given
    both = adjudicate(type(facts)(**(vars(facts) | {"given": given})), parameters=parameters)
    assert findings_of(both, "CLM-49") == findings_of(first, "CLM-49") == [("1", "P", "1.500", "142.50")]


def test_claims_from_a_package_are_not_looked_into(tmp_path: Path) -> None:
    facts, play = single_run(write(two_visits(), tmp_path), ["own complaints redemption=V1"])
    imported = type(facts)(**(vars(facts) | {"own_claims": facts.own_claims.iloc[:0]}))
    assert adjudicate(imported, parameters=play.package.parameters()).findings.empty


def test_the_quick_sieve_of_outliers_agrees_with_whole_numbers() -> None:
    values = np.array([*([1_000_000_000] * 10), 1_000_000_331], dtype=np.int64)
    sigma, least = np.full(11, 3_000, dtype=np.int64), np.full(11, 10, dtype=np.int64)
    mean = Decimal(int(values.sum())) / 11
    spread = (sum((Decimal(int(v)) - mean) ** 2 for v in values) / 11).sqrt()
    assert outliers(values, np.zeros(11, dtype=np.int64), sigma, least).tolist()[-1] == (
        Decimal(int(values[-1])) > mean + 3 * spread
    )


def test_working_days_follow_the_calendar() -> None:
    # 20400 is Saturday, 8 November 2025. The Friday after it is off, the Saturday after that is worked.
    calendar = pd.DataFrame({"day": [20406, 20407], "working": [0, 1]})
    assert after(20400, 1, calendar) == 20402
    assert after(20405, 1, calendar) == 20407

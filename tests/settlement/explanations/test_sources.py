"""Ids of sources in docstrings stand in docs/legal.md, and so do the acts of the reference data."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from django.conf import settings

from settlement.rules.parameters import LIMITS, PACKAGE_KEYS

ROOT = Path(settings.BASE_DIR)
APPS = ("config", "contracts", "vouchers", "procurement", "settlement")
RULE = re.compile(r"\b(?:PAY|FEE|INC|NRM|SO|GR|GRL|COI|CRT|SET|RUN|SCO|PRC|APP|STF|QUA|TAR)-(?:UA-|RU-)?\d+\b")


def legal() -> str:
    return (ROOT / "docs" / "legal.md").read_text(encoding="utf-8")


def test_every_rule_id_of_the_source_is_explained() -> None:
    found: dict[str, str] = {}
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            found |= dict.fromkeys(RULE.findall(path.read_text(encoding="utf-8")), path.name)
    assert len(found) > 30
    known = set(RULE.findall(legal()))
    assert {name: place for name, place in found.items() if name not in known} == {}


def test_no_source_lies_outside_this_repository() -> None:
    outside = re.compile(r"rulebook|interchange (?:document|point)|section 11")
    places = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py"))]
    assert [path.name for path in places if outside.search(path.read_text(encoding="utf-8"))] == []


def test_every_act_of_the_parameters_is_listed() -> None:
    text = legal()
    missing = set()
    for path in sorted((ROOT / "contracts" / "reference").glob("*/acts.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            missing |= {row["act"] for row in csv.DictReader(stream) if f"| {row['act']} |" not in text}
    assert missing == set()


def test_every_check_names_its_ground_and_how_well_it_is_known() -> None:
    rows = [line.strip("| ").split(" | ") for line in legal().splitlines() if line.startswith("| CLM-")]
    told = [code for row in rows for code in row[0].split(", ")]
    assert sorted(told) == [f"CLM-{number:02d}" for number in range(1, 51)]
    labels = re.compile(r"\b(?:V-TEXT|V-SEC|V-PRACTICE|V-SEED|MEM|DESIGN)\b")
    assert [row[0] for row in rows if len(row) != 4 or not labels.search(row[3])] == []


def test_the_limits_of_the_checks_stand_beside_them() -> None:
    rows = "\n".join(line for line in legal().splitlines() if line.startswith("| CLM-"))
    assert set(re.findall(r"`([a-z]+\.[a-z_]+)`", rows)) == {*PACKAGE_KEYS, *LIMITS}

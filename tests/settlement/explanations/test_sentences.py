"""Every check says what it found in a full sentence, in three languages, and the steps of its line add up."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils.translation import override

from settlement.claim_letter import explain
from settlement.explanations import LineExplained, WaterfallRow
from settlement.finding_words import SENTENCES, sentence_of
from settlement.line_queries import claim_lines
from settlement.models import Claim
from settlement.rules import checks
from tests.golden_rows import golden
from tests.settlement.actions.month import LONG_AFTER, imported, judge, two_visits
from tests.settlement.rules.test_checks_golden import edit

pytestmark = pytest.mark.django_db

# One golden row for each check and severity: all that fire for the first time.
FIRING = list(
    {
        (row.values[0]["check"], row.values[0]["severity"]): row
        for row in reversed(golden("clm"))
        if row.values[0]["severity"]
    }.values()
)


def explained(number: str) -> list[LineExplained]:
    """All lines of a claim in words."""
    claim = Claim.objects.get(number=number)
    return explain(claim, list(claim_lines(claim)))


def steps_of(lines: list[LineExplained], code: str) -> list[WaterfallRow]:
    return [step for line in lines for _, _, steps in line.runs for step in steps if step.code == code]


@pytest.mark.parametrize("row", FIRING)
def test_a_check_that_fires_says_why(row: dict[str, str], tmp_path: Path) -> None:
    tables = two_visits()
    for text in row["edits"].split("; "):
        edit(tables, text)
    organisation = imported(tables, tmp_path)
    for claim in list(Claim.objects.order_by("period")):
        judge(organisation, period=claim.period, as_of=LONG_AFTER)
    for language in ("en", "uk", "ru"):
        with override(language):
            lines = [line for claim in Claim.objects.all() for line in explained(claim.number)]
            for step in steps_of(lines, row["check"]) or [None]:
                assert step and step.title and step.title != step.code
                assert step.sentence.endswith(".") and "%" not in step.sentence
                assert "—" not in step.sentence.replace("«—»", ""), step.sentence
    for line in lines:
        for _, _, rows in line.runs:
            assert rows[0].amount + sum(r.amount for r in rows if r.kind == "finding") == rows[-3].amount
            assert rows[-3].amount + rows[-2].amount == rows[-1].amount


def test_every_check_has_a_sentence() -> None:
    assert {code for code, _ in SENTENCES} == set(checks.ALL)
    assert len(checks.ALL) == 50


def test_a_finding_from_elsewhere_says_what_it_brought() -> None:
    with override("en"):
        told = sentence_of("CLM-49", "P", {"text": "A complaint is open."}, {})
        assert told == "given with the package: A complaint is open."
        assert sentence_of("CLM-49", "P", {}, {}) == "given with the package: nothing more was said"

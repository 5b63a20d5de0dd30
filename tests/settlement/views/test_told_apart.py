"""Words that tell apart: written and counted, cut and cut to nothing, sure and likely."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from config.templatetags.show import sureness
from contracts.actions.reference import load_reference
from settlement.claim_papers import claim_paper
from settlement.explanations import shown_outcome
from settlement.models import Adjudication
from tests.oracle.small import add_visit
from tests.settlement.actions.month import AT, free_visits, two_visits
from tests.settlement.views.town import Town, settled_town, url

pytestmark = pytest.mark.django_db


def page(town: Town) -> str:
    answer: Any = town.browser("nadiia").get(url("claim", town.claim.pk))
    return " ".join(answer.content.decode().replace("\xa0", " ").split())


@pytest.mark.parametrize(("amount", "shown"), [("142.50", False), ("150.00", True)])
def test_a_sum_written_otherwise_stands_beside_the_one_that_counts(tmp_path: Path, amount: str, shown: bool) -> None:
    tables = free_visits()
    add_visit(tables, "2025-11-05", unit_rate="95", amount=amount)
    told = page(settled_town(tmp_path, tables))
    assert (">written 150.00 ₴<" in told) is shown


def test_a_line_cut_to_nothing_is_not_called_reduced(tmp_path: Path) -> None:
    tables = free_visits()
    add_visit(tables, "2025-11-04", unit_rate="95", amount="142.50")
    town = settled_town(tmp_path, tables)
    cut = Adjudication.objects.filter(outcome="reduced", gross=0)
    assert ("reduced to nothing" in page(town)) is cut.exists()
    assert (shown_outcome("reduced", 0), shown_outcome("reduced", 1), shown_outcome("rejected", 0)) == (
        "reduced_to_nothing", "reduced", "rejected",
    )  # fmt: skip


def test_the_invoice_says_what_recipients_pay(tmp_path: Path) -> None:
    load_reference(at=AT)
    town = settled_town(tmp_path, two_visits())
    with translation.override("en"):
        notes = " ".join(map(str, claim_paper(town.claim, "invoice", made_at=AT).notes)).replace("\xa0", " ")
        act = " ".join(map(str, claim_paper(town.claim, "act", made_at=AT).notes))
    assert "285,00" in notes and "0,00" in notes
    assert "285,00" not in act


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(100, "sure"), (80, "sure"), (60, "likely, a person confirms it"), (40, "doubtful, a person decides")],
)
def test_a_match_says_how_sure_it_is(confidence: int, words: str) -> None:
    with translation.override("en"):
        assert sureness(confidence) == words

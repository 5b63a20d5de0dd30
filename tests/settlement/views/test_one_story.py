"""The rows of a decision are the same to whoever reads them: provider, auditor, a program, the printed letter."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.translation import override
from pypdf import PdfReader

from config.templatetags.show import minor, units
from contracts.actions.reference import load_reference
from settlement.appeal_queries import appeal_until
from settlement.check_grounds import ground_of
from settlement.claim_letter import claim_letter, explain, letter_context
from settlement.finding_bases import scaled
from settlement.line_queries import claim_lines
from settlement.models import Claim, Finding
from tests.config.interchange.packages import dump
from tests.config.program import Program, key_of
from tests.settlement.actions.month import AT
from tests.settlement.views.town import Town, settled_town, tables_of_month, url

pytestmark = pytest.mark.django_db(transaction=True)
_STEP = re.compile(r'<li class="(?:claimed|finding|taken_back|gross|fee|payable)[^"]*">.*?</li>', re.DOTALL)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = settled_town(tmp_path, tables_of_month())
    for name in ("nadiia", "mariia"):
        town.users[name].language = "en"
        town.users[name].save()
    with override("en"):
        yield town


def plain(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def on_page(content: str) -> list[str]:
    """The steps of a page as they are read, without marks."""
    return [plain(step) for step in _STEP.findall(content)]


def page_of(town: Town, who: str) -> list[str]:
    return on_page(town.browser(who).get(url("claim", town.claim.pk)).content.decode())


def said_by(step: dict[str, Any], currency: str) -> list[str]:
    """What a page must print of a step that a program was told."""
    milli = scaled(step["units"], 3)
    parts = [step["title"], step["check"], step["sentence"], step["advice"], step["ground"]["words"]]
    parts += [minor(scaled(step["amount"], 2), currency), f"−{units(milli)}" if milli else ""]
    return [plain(part) for part in parts if part]


def test_provider_auditor_program_and_letter_tell_the_same_rows(town: Town, live_server: Any) -> None:
    provider, auditor = page_of(town, "nadiia"), page_of(town, "mariia")
    program = Program(live_server.url, key_of(town.users["nadiia"], town.organisation)[1])
    told = program.get(f"/claims/{town.claim.pk}").body
    steps = [step for line in told["lines"] for run in line["runs"] for step in run["steps"]]
    assert provider == auditor and len(provider) == len(steps) > 60
    for row, step in zip(provider, steps, strict=True):
        assert [part for part in said_by(step, told["currency"]) if part not in row] == []
        assert ("not verified" in row) == (step["ground"]["unverified"] or step["basis_unverified"])
    context = letter_context(town.claim) | {"organisation": town.organisation}
    letter = on_page(render_to_string("documents/claim_letter.html", context))
    changed = {row.line.pk for row in context["changed"]}
    of_lines = zip(told["lines"], claim_lines(town.claim), strict=True)
    expected = [step for line, row in of_lines if row.pk in changed for run in line["runs"] for step in run["steps"]]
    rows = iter(provider)
    by_step = [next(rows) for _ in steps]
    assert letter == [row for row, step in zip(by_step, steps, strict=True) if any(step is one for one in expected)]


def test_the_exported_package_has_the_rows_of_the_page(town: Town, live_server: Any, tmp_path: Path) -> None:
    """Findings and figures of each line, as a program is told them and as the package tells them."""
    program = Program(live_server.url, key_of(town.users["nadiia"], town.organisation)[1])
    told = program.get(f"/claims/{town.claim.pk}").body
    files = dump(tmp_path / "package", code=town.organisation.code)

    def exported(name: str) -> list[dict[str, str]]:
        rows = csv.DictReader(io.StringIO(files[name].decode()))
        return [row for row in rows if row["claim_number"] == town.claim.number]

    steps = [(str(line["line"]), step) for line in told["lines"] for run in line["runs"] for step in run["steps"]]
    found = Counter(
        (line, step["check"], -Decimal(step["amount"]), Decimal(step["units"]))
        for line, step in steps
        if step["kind"] == "finding"
    )
    rows = exported("findings.csv")
    assert found == Counter((row["line"], row["check"], Decimal(row["amount"]), Decimal(row["units"])) for row in rows)
    assert len(rows) > 10
    ends = {(line, step["kind"]): Decimal(step["amount"]) for line, step in steps}
    for row in exported("adjudications.csv"):
        for kind in ("gross", "payable"):
            assert ends[row["line"], kind] == Decimal(row[kind])


def test_each_finding_shows_its_ground_advice_and_units(town: Town) -> None:
    found = list(Finding.objects.filter(claim_line__claim=town.claim))
    rows = [step for line in explain(town.claim, list(claim_lines(town.claim))) for _, _, s in line.runs for step in s]
    steps = [step for step in rows if step.kind == "finding"]
    assert len(steps) == len(found) > 10
    for step in steps:
        assert step.advice and step.ground == ground_of(step.code, town.organisation.jurisdiction)
        assert step.ground.words
    assert {step.code for step in steps if step.units} >= {"CLM-20", "CLM-27"}


def test_the_printed_letter_has_the_words_and_the_day_of_the_page(town: Town) -> None:
    load_reference(at=AT)
    claim = Claim.objects.select_related("organisation", "provider").get(pk=town.claim.pk)
    words = "".join("".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(claim_letter(claim))).pages)
    with override("uk"):
        lines = [row for row in explain(claim, list(claim_lines(claim))) if row.reason]
        steps = [step for line in lines for _, _, found in line.runs for step in found]
        day = date_format(appeal_until(town.run), "SHORT_DATE_FORMAT")
    for step in steps:
        for part in (step.title, step.code, step.sentence, step.ground.words, step.advice):
            assert "".join(part.split()) in words
    assert "".join(f"подайте оскарження до {day}".split()) in words


def test_without_a_term_in_the_law_the_letter_names_no_day(town: Town) -> None:
    context = letter_context(town.claim)
    assert (context["may_appeal"], context["appeal_until"]) == (True, None)
    town.claim.status = "reversed"
    assert letter_context(town.claim)["may_appeal"] is False

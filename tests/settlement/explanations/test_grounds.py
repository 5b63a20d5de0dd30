"""Every check says what it rests on, in three languages; docs/legal.md says the same of act, article and evidence."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.utils.translation import override

from settlement.check_grounds import SOURCES, Ground, ground_of
from settlement.rules import checks

JURISDICTIONS = ("UA", "RU", "GENERIC")
NAMED = [(place, code, source) for place, found in SOURCES.items() for code, source in found.items()]


def legal() -> str:
    return (settings.BASE_DIR / "docs" / "legal.md").read_text(encoding="utf-8")


def rows_of_checks() -> dict[str, list[str]]:
    """What docs/legal.md says a check rests on, and its evidence, by code."""
    cells = [line.strip("| ").split(" | ") for line in legal().splitlines() if line.startswith("| CLM-")]
    return {code: row[2:] for row in cells for code in row[0].split(", ")}


def words_of(code: str, jurisdiction: str) -> dict[str, str]:
    said = {}
    for language in ("en", "uk", "ru"):
        with override(language):
            said[language] = ground_of(code, jurisdiction).words
    return said


@pytest.mark.parametrize("jurisdiction", JURISDICTIONS)
def test_every_check_has_a_ground_in_three_languages(jurisdiction: str) -> None:
    assert len(checks.ALL) == 50
    for code in checks.ALL:
        said = words_of(code, jurisdiction)
        assert all(words and "CLM-" not in words for words in said.values()), code
        # Ukrainian and Russian name some acts with the same letters.
        assert said["en"] not in (said["uk"], said["ru"]), code


def test_the_documentation_knows_the_act_and_how_sure_it_is() -> None:
    for jurisdiction, code, (act, article, evidence) in NAMED:
        assert f"| {act} |" in legal()
        rests, known = (_told(cell) for cell in rows_of_checks()[code])
        assert rests[jurisdiction] == ", ".join(part for part in (act, article) if part), code
        assert known[jurisdiction] == evidence, code


def _told(cell: str) -> dict[str, str]:
    """What a cell says of each jurisdiction."""
    parts = [part.partition(": ") for part in cell.split("; ")]
    return {place: said for place, _, said in parts if place in SOURCES}


def test_the_documentation_names_no_act_that_readers_do_not_see() -> None:
    told = {(place, code) for code, row in rows_of_checks().items() for place in _told(row[0])}
    assert told == {(place, code) for place, code, _ in NAMED}


def test_an_act_told_from_memory_is_flagged() -> None:
    with override("en"):
        vat, rate, stranger = ground_of("CLM-39", "UA"), ground_of("CLM-16", "UA"), ground_of("CLM-77", "UA")
        assert (vat.words, vat.unverified, vat.known_by) == ("Tax Code of Ukraine, art. 197", True, "")
        assert rate.words == "the contract with the provider; Cabinet 450 of 01.06.2020"
        assert (rate.unverified, rate.known_by) == (False, "secondary source")
        assert ground_of("CLM-16", "GENERIC") == Ground("the contract with the provider")
    assert stranger == Ground()

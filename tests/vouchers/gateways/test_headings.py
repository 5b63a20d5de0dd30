"""A file is read by its headings in any language of the product, or by the names of the exchange format."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.utils.translation import override

from vouchers.gateways.headings import ALSO_WRITTEN, HEADINGS, column_of, heading_of, headings_of


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_each_heading_names_its_column_alone(language: str) -> None:
    with override(language):
        written = {column: heading_of(column) for column in HEADINGS}
    assert len({heading.lower() for heading in written.values()}) == len(HEADINGS)
    assert {column: column_of(heading) for column, heading in written.items()} == {name: name for name in HEADINGS}
    assert {column_of(f" {heading.upper()} ") for heading in written.values()} == set(HEADINGS)


def test_the_names_of_the_exchange_format_and_other_words_are_read() -> None:
    assert [column_of(name) for name in HEADINGS] == list(HEADINGS)
    assert set(map(column_of, ALSO_WRITTEN)) <= set(HEADINGS)


def test_what_nobody_knows_stays_as_it_was_written() -> None:
    assert (column_of("Note"), heading_of("note")) == ("Note", "note")


def test_a_heading_is_in_the_language_of_the_reader() -> None:
    with override("ru"):
        assert headings_of(["certificate_number", "units"]) == "Сертификат, Единицы"
    with override("en"):
        assert headings_of(["certificate_number", "units"]) == "Certificate, Units"

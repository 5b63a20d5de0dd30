"""The proof of the books speaks the language of the offices."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command
from django.utils.translation import override

from settlement.book_words import TITLES, sentence_of
from settlement.books import CHECKS, BookFault


def test_every_check_has_its_words() -> None:
    assert set(TITLES) == set(CHECKS)


@pytest.mark.parametrize(
    ("language", "row", "told"),
    [
        ("uk", "payment run PR-1", "платежі дорівнюють банку: платіжний пакет PR-1: очікувано 1, є 2"),
        ("ru", "payment PAY-1", "платежи равны банку: платёж PAY-1: ожидается 1, есть 2"),
        ("en", "payment PAY-1", "payments equal the bank: payment PAY-1: expected 1, found 2"),
        ("uk", "x/1", "платежі дорівнюють банку: x/1: очікувано 1, є 2"),
    ],
)
def test_a_fault_is_told_with_the_noun_of_its_row(language: str, row: str, told: str) -> None:
    with override(language):
        assert sentence_of(BookFault("payments equal the bank", row, "1", "2")) == told


@pytest.mark.django_db
def test_programs_read_the_same_in_every_language() -> None:
    answers = set()
    for language in ("uk", "ru", "en"):
        out = io.StringIO()
        with override(language):
            call_command("verify_books", "--json", stdout=out)
        answers.add(out.getvalue())
    assert [json.loads(answer)["faults"] for answer in answers] == [[]]

"""Law, formulas, days and masked names as people read them."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext

from config.law_titles import LISTED
from config.law_words import (
    GROUNDS,
    TITLES,
    act_words,
    article_words,
    formula_title,
    formula_words,
    note_words,
    parameter_title,
    value_words,
)
from contracts.rules.norm_cost import FORMULA_ID as NORM_FORMULA
from settlement.statement_words import unreadable_words
from vouchers.queries import mask_name
from vouchers.rules import co_payment, co_payment_ru
from vouchers.rules.co_payment import FORMULA_ID as FEE_FORMULA

RULES = "".join(Path(str(rule.__file__)).read_text(encoding="utf-8") for rule in (co_payment, co_payment_ru))


def test_a_note_that_is_only_the_id_of_a_rule_is_not_shown() -> None:
    assert (note_words("CRT-04"), note_words("")) == ("", "")
    with translation.override("uk"):
        assert note_words("CLM-32: good cause") == "поважна причина"
    with translation.override("en"):
        assert note_words("CLM-32: good cause") == "good cause"
        assert note_words("see CRT-04: a unit") == "see CRT-04: a unit"


@pytest.mark.parametrize(
    ("formula", "written"),
    [
        ("14166.00 / 3", "14166,00 / 3"),
        ("015.1: 20 x 85.00", "015.1: 20 × 85,00"),
        ("63.622754 x (1 + 22 %)", "63,622754 × (1 + 22 %)"),
        ("FEE-UA-1", "FEE-UA-1"),
        ("", ""),
    ],
)
def test_a_formula_keeps_its_codes_and_writes_its_figures(formula: str, written: str) -> None:
    with translation.override("uk"):
        assert formula_words(formula) == written


def test_codes_of_methods_are_words() -> None:
    with translation.override("en"):
        assert formula_words("15 % x 63.622754 (DIRECT_PAY)") == "15 % × 63.622754 (direct pay)"
        assert formula_words("min(11.597898; 9.543413)") == "the lesser of (11.597898; 9.543413)"
        assert value_words("EXCESS_CAP") == "not more than the income above the free bound"
        assert value_words("96.54") == "96.54"
        assert parameter_title("sm.lost_ability").startswith("subsistence minimum")
        assert parameter_title("no.such.key") == "no.such.key"


def test_an_act_keeps_its_article() -> None:
    with translation.override("en"):
        assert act_words("Law 2671-VIII, art. 28") == "Law 2671-VIII, art. 28"
        assert article_words("CLM-24") == "CLM-24"
        assert article_words("art. 20(2)") == "art. 20(2)"


@pytest.mark.parametrize(
    ("language", "day", "moment"),
    [
        ("en", "3 December 2025", "03.12.2025 15:07"),
        ("uk", "3 грудня 2025 р.", "03.12.2025 15:07"),
        ("ru", "3 декабря 2025 г.", "03.12.2025 15:07"),
    ],
)
def test_days_come_before_months(language: str, day: str, moment: str) -> None:
    with translation.override(language):
        assert date_format(date(2025, 12, 3), "DATE_FORMAT") == day
        assert date_format(datetime(2025, 12, 3, 15, 7), "SHORT_DATETIME_FORMAT") == moment


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("Вигадана Олена Іванівна", "Виг… О. І."),
        ("Приклад Олена (для прикладу п. 1)", "При… О."),
        ("Ко Ан", "К… А."),
        ("", "—"),
    ],
)
def test_a_masked_name_has_initials_and_no_brackets(name: str, masked: str) -> None:
    assert mask_name(name) == masked


def test_income_counted_instead_of_a_smaller_one_is_said_in_words() -> None:
    with translation.override("en"):
        assert formula_words("recipient, 07.2025: 1666.83 < 2361") == (
            "the recipient, 07.2025: the income of 1666.83 is below 2361"
        )
        assert formula_words("member 2, 07.2025: 0 < 2361").startswith("family member 2, 07.2025")


def test_a_day_of_the_year_is_said_as_one() -> None:
    with translation.override("uk"):
        assert value_words("12-31") == "31 грудня"
        assert value_words("02-31") == "02-31"


def test_parameters_of_the_list_alone_have_names_too() -> None:
    assert set(LISTED).isdisjoint(TITLES)
    with translation.override("en"):
        assert parameter_title("certificate.pin_tries") == "tries of a PIN before it is locked"


def test_a_ground_of_a_fee_is_said_in_words_and_a_fraction_as_it_is_read() -> None:
    with translation.override("uk"):
        words = formula_words("PAY-UA-5")
        assert words.startswith("дохід вищий") and "PAY-UA" not in words
        assert value_words("0.05") == "0,05"
        assert "1186" in formula_title(NORM_FORMULA) and "429" in formula_title(FEE_FORMULA)
        assert value_words("2025") == "2025"
    codes = set(re.findall(r'"(PAY-\w\w-\d(?:/crisis)?|INC-UA)"', RULES))
    assert codes and codes <= GROUNDS.keys(), "each ground that a rule returns has words"


def test_why_a_file_cannot_be_read_is_said_without_the_program_s_code() -> None:
    with translation.override("en"):
        assert unreadable_words("NOT_A_TABLE", {}) == "it is no table with a row of headings"
        assert unreadable_words("COLUMN_MISSING", {"column": "Дата"}) == "the column «Дата» is missing"


def test_a_way_of_paying_is_a_word() -> None:
    with translation.override("uk"):
        assert [gettext(mode) for mode in "FDC"] == ["безоплатно", "частка за доходом", "повна вартість"]

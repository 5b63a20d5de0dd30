"""Short codes."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from vouchers.rules.certificate_code import (
    ALPHABET,
    check_letter,
    is_well_formed,
    make_short_code,
    normalise_short_code,
    show_short_code,
)

codes = st.integers(0, 2**32).map(lambda seed: make_short_code(random.Random(seed).choice))
body = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=20)


@given(body)
def test_the_check_letter_is_that_of_the_standard(text: str) -> None:
    assert check_letter(text) == mod_37_36.calc_check_digit(text)


def test_no_letters_that_look_alike() -> None:
    assert not set(ALPHABET) & set("01258ILOSZBUV")
    assert len(set(ALPHABET)) == len(ALPHABET) and len(ALPHABET) ** 8 > 2**36


@given(codes, st.integers(0, 8), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_found(code: str, place: int, other: str) -> None:
    assert is_well_formed(code)
    wrong = code[:place] + other + code[place + 1 :]
    assert is_well_formed(wrong) is (wrong == code)


def test_nearly_every_swap_of_neighbours_is_found() -> None:
    """The hybrid system of ISO 7064 promises every single wrong character, and swaps but for a few pairs."""
    dice = random.Random(7064)
    swaps = missed = 0
    for _number in range(3000):
        code = make_short_code(dice.choice)
        place = dice.randrange(8)
        swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
        swaps += swapped != code
        missed += swapped != code and is_well_formed(swapped)
    assert missed / swaps < 0.01


def test_what_people_type_is_understood() -> None:
    code = make_short_code(random.Random(7).choice)
    shown = show_short_code(code)
    assert len(shown) == 11 and shown.count("-") == 2
    assert normalise_short_code(f" {shown.lower()} ") == code
    assert normalise_short_code("асе-нкм рту") == "ACEHKMPTY"
    assert not is_well_formed("") and not is_well_formed(code[:-1])

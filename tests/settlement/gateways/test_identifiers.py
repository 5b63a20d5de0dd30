from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from settlement.gateways.base import GatewayError
from settlement.gateways.identifiers import (
    bank_code,
    creditor_reference,
    find_creditor_references,
    identifier,
    is_iban,
    transliterate,
)
from tests.settlement.gateways.orders import account


@pytest.mark.parametrize(
    ("text", "latin"),
    [
        ("Згурський Юрій", "Zghurskyi Yurii"),
        ("Єнакієве", "Yenakiieve"),
        ("Знам'янка", "Znamianka"),
        ("Їжакевич", "Yizhakevych"),
        ("ПЛ-2025", "PL-2025"),
        ("Щербань", "Shcherban"),
    ],
)
def test_transliteration(text: str, latin: str) -> None:
    assert transliterate(text) == latin


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=21))
def test_creditor_references_are_valid_and_found_again(body: str) -> None:
    reference = creditor_reference(body)
    assert iso11649.is_valid(reference)
    assert find_creditor_references(f"оплата {reference} дякуємо") == (reference,)


def test_a_printed_reference_with_blanks_is_found() -> None:
    assert find_creditor_references("RF16 P202 5000 1") == ("RF16P20250001",)


def test_a_reference_with_a_wrong_digit_is_not_found() -> None:
    assert find_creditor_references("RF17P20250001") == ()


@pytest.mark.parametrize("text", ["", "/A", "A/", "A//B", "A_B", "x" * 36, "№1", " A"])
def test_unfit_identifiers_are_refused(text: str) -> None:
    with pytest.raises(GatewayError, match="IDENTIFIER"):
        identifier(text)


def test_accounts() -> None:
    good = account(7)
    assert is_iban(good) and bank_code(good) == "305299"
    assert not is_iban(good[:-1] + str((int(good[-1]) + 1) % 10))
    assert bank_code("DE89370400440532013000") == ""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from settlement.gateways.base import GatewayError
from settlement.gateways.mt940 import is_mt940, read_mt940

STATEMENT = """{1:F01BANKUAUKXXXX0000000000}{2:I940BANKUAUKXXXXN}{4:
:20:ST20251212
:25:322313/UA213223130000026007233566001
:28C:14/1
:60F:C251211UAH1000,00
:61:2512121212D242,00NTRFPAY-2025-0001//B1000001
:86:?20Social services 11.2025 ?21RF18000000001?31UA893052990000026001234567890?32TOV ?33Turbota
:61:2512121212C100,5NRTIPAY-2025-0002//B1000002
:86:/EREF/PAY-2025-0002 /RTRN/AC04 account closed
:61:251231C7,NMSCNONREF
:86:Charity
:62F:C251212UAH865,50
-}"""


def test_a_statement_is_read() -> None:
    [found] = read_mt940(STATEMENT.encode())
    assert is_mt940(STATEMENT.encode())
    assert (found.account, found.sequence, found.currency) == ("UA213223130000026007233566001", 14, "UAH")
    assert [entry.amount for entry in found.entries] == [Decimal("-242.00"), Decimal("100.5"), Decimal(7)]
    first, second, third = (entry.details[0] for entry in found.entries)
    assert first.end_to_end_id == "PAY-2025-0001" and found.entries[0].bank_reference == "B1000001"
    assert first.counterparty == "TOV Turbota" and first.counterparty_account == "UA893052990000026001234567890"
    assert second.end_to_end_id == "PAY-2025-0002" and second.return_reason == "AC04" and found.entries[1].is_return
    assert third.end_to_end_id == "" and third.remittance == "Charity"
    assert found.entries[0].booked_on == date(2025, 12, 12) and found.is_balanced


def test_a_broken_balance_blocks() -> None:
    [found] = read_mt940(STATEMENT.replace("865,50", "865,51").encode())
    assert [item.code for item in found.findings] == ["BALANCE_MISMATCH"]
    assert found.findings[0].params["difference"] == "0.01" and not found.is_balanced


def test_an_unreadable_line_blocks_and_the_rest_is_read() -> None:
    [found] = read_mt940(STATEMENT.replace(":61:251231C7,NMSC", ":61:2512XXC7,NMSC").encode())
    assert "AMOUNT_UNREADABLE" in [item.code for item in found.findings] and len(found.entries) == 2


def test_pages_of_a_number_are_one_statement() -> None:
    first = STATEMENT.split(":61:251231")[0] + ":62M:C251212UAH858,50\n-}"
    second = STATEMENT.replace("28C:14/1", "28C:14/2").replace(":60F:C251211UAH1000,00", ":60M:C251212UAH858,50")
    head, tail = second.split(":61:2512121212D")[0], ":61:251231" + second.split(":61:251231")[1]
    [found] = read_mt940((first + "\n" + head + tail).encode())
    assert len(found.entries) == 3 and found.is_balanced


def test_without_envelope_in_windows_1251_and_reversals() -> None:
    text = (
        ":20:A\n:25:26007233566001\n:28C:3\n:60F:D251211UAH10,00\n"
        ":61:251212RC5,00NTRFNONREF\n:86:Сторно\n:62F:D251212UAH15,00\n"
    )
    [found] = read_mt940(text.encode("cp1251"))
    assert found.account == "26007233566001" and found.entries[0].amount == Decimal("-5.00")
    assert found.entries[0].reversal and found.is_balanced and found.entries[0].text == "Сторно"


def test_days_around_new_year_find_their_year() -> None:
    text = STATEMENT.replace(":61:2512121212D", ":61:2512310101D")
    [found] = read_mt940(text.encode())
    assert found.entries[0].booked_on == date(2026, 1, 1)


@pytest.mark.parametrize("content", [b"", b"hello", b":20:A\n:28C:1\n"])
def test_what_is_none_is_refused(content: bytes) -> None:
    assert not is_mt940(content)
    with pytest.raises(GatewayError, match="NOT_A_STATEMENT"):
        read_mt940(content)


def test_too_large_is_refused() -> None:
    with pytest.raises(GatewayError, match="TOO_LARGE"):
        read_mt940(STATEMENT.encode(), max_bytes=10)

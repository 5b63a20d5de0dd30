from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from settlement.gateways.base import GatewayError, Statement
from settlement.gateways.camt import check_sequence, read_camt
from tests.settlement.gateways.conftest import Validate

DATA = Path(__file__).parent / "data"
FIRST_VERSION = (DATA / "first_version_camt.053.001.01.xml").read_bytes()
NOTIFICATION = (DATA / "notification_camt.054.001.08.xml").read_bytes()
OTHER_BANK = (DATA / "other_bank_camt.053.001.02.xml").read_bytes()


def read(content: bytes = OTHER_BANK) -> Statement:
    (statement,) = read_camt(content)
    return statement


def codes(statement: Statement) -> list[str]:
    return [finding.code for finding in statement.findings]


def test_the_other_banks_statement_is_valid(schema_errors: Validate) -> None:
    assert schema_errors("camt.053.001.02", OTHER_BANK) == []


def test_header_and_balances() -> None:
    statement = read()
    assert (statement.message, statement.identifier, statement.sequence) == (
        "camt.053.001.02",
        "OB-2025-245",
        245,
    )
    assert statement.currency == "UAH"
    assert [(item.code, item.amount) for item in statement.balances] == [
        ("PRCD", Decimal("500000.00")),
        ("CLBD", Decimal("495558.90")),
    ]
    assert statement.is_balanced and codes(statement) == []


def test_a_batch_gives_its_details() -> None:
    entry = read().entries[0]
    assert (entry.amount, entry.booked_on, entry.batch_reference) == (
        Decimal("-4500.00"),
        date(2025, 12, 12),
        "PR-2025-0009-1",
    )
    assert entry.details_add_up
    assert [(d.end_to_end_id, d.amount) for d in entry.details] == [
        ("PAY-2025-0101", Decimal("-3000.00")),
        ("PAY-2025-0102", Decimal("-1500.00")),
    ]
    assert entry.details[1].creditor_reference == "RF16P20250001"
    assert entry.details[0].counterparty.endswith("«Турбота»")


def test_a_pending_entry_does_not_count() -> None:
    assert [entry.booked for entry in read().entries] == [True, True, False]


def test_a_broken_balance_is_data() -> None:
    statement = read(OTHER_BANK.replace(b"495558.90", b"495558.91"))
    assert codes(statement) == ["BALANCE_MISMATCH"]
    assert statement.findings[0].params["difference"] == "0.01"
    assert not statement.is_balanced
    assert len(statement.entries) == 3


def test_reversal_sign_of_banks_that_turn_it() -> None:
    # 500000 - 4500 - 58.90: the bank counts a reversed credit as money that left.
    statement = read(OTHER_BANK.replace(b"495558.90", b"495441.10"))
    assert codes(statement) == ["REVERSAL_SIGN"]
    assert statement.entries[1].amount == Decimal("-58.90")
    assert statement.is_balanced


def test_details_that_do_not_add_up_are_reported() -> None:
    statement = read(OTHER_BANK.replace(b'UAH">1500.00', b'UAH">1400.00'))
    assert codes(statement) == ["DETAILS_NOT_SUM"]
    assert not statement.entries[0].details_add_up


def test_a_missing_balance_is_reported() -> None:
    statement = read(OTHER_BANK.replace(b"<Cd>CLBD</Cd>", b"<Cd>CLAV</Cd>"))
    assert codes(statement) == ["BALANCE_MISSING"]


def test_an_unreadable_amount_blocks() -> None:
    statement = read(OTHER_BANK.replace(b'UAH">58.90', b'UAH">58.9O'))
    assert "AMOUNT_UNREADABLE" in codes(statement) and not statement.is_balanced


def test_a_file_outside_its_schema_is_still_read() -> None:
    content = OTHER_BANK.replace(b"<NtryRef>1</NtryRef>", b"<Extra>bank's own</Extra>").replace(
        b"xsd:camt.053.001.02", b"xsd:camt.053.001.13"
    )
    statement = read(content)
    assert statement.message == "camt.053.001.13" and len(statement.entries) == 3


def test_the_first_version_without_groups_of_details() -> None:
    statement = read(FIRST_VERSION)
    assert (statement.message, statement.sequence, codes(statement)) == ("camt.053.001.01", 12, [])
    assert statement.balance("OPBD").amount == Decimal("1000.00")  # type: ignore[union-attr]
    assert statement.balance("CLBD").amount == Decimal("500.00")  # type: ignore[union-attr]
    batch, back = statement.entries
    assert batch.batch_reference == "PR-2025-0009-1" and batch.details_add_up
    assert [(item.end_to_end_id, item.amount, item.creditor_reference) for item in batch.details] == [
        ("PAY-2025-0101", Decimal("-300.00"), "RF16P20250001"),
        ("PAY-2025-0102", Decimal("-250.00"), ""),
    ]
    assert batch.details[0].counterparty_account == "UA723052990000000000000001001"
    [detail] = back.details
    assert (detail.end_to_end_id, detail.amount, detail.return_reason) == ("PAY-2025-0099", Decimal("50.00"), "AC04")
    assert back.is_return and back.details_add_up


def test_the_first_version_whose_balance_is_broken() -> None:
    assert codes(read(FIRST_VERSION.replace(b">500.00", b">500.01"))) == ["BALANCE_MISMATCH"]


def test_the_notification_is_valid(schema_errors: Validate) -> None:
    assert schema_errors("camt.054.001.08", NOTIFICATION) == []


def test_a_notification_tells_movements_without_balances() -> None:
    """As banks write it today: codes of states in an element of their own, parties in another, a UETR."""
    statement = read(NOTIFICATION)
    assert (statement.message, statement.sequence, statement.balances) == ("camt.054.001.08", 31, ())
    assert codes(statement) == []
    back, pending = statement.entries
    (detail,) = back.details
    assert (detail.end_to_end_id, detail.amount, detail.return_reason) == ("PAY-2025-0102", Decimal("1250.00"), "AC04")
    assert detail.counterparty.endswith("послуг»") and detail.counterparty_account == "UA723052990000000000000001001"
    assert back.booked and back.is_return and not back.reversal
    assert (pending.booked, pending.amount) == (False, Decimal("400.00"))


@pytest.mark.parametrize("version", range(2, 14))
@pytest.mark.parametrize("content", [OTHER_BANK, NOTIFICATION], ids=["old elements", "new elements"])
def test_the_number_of_a_version_changes_nothing(content: bytes, version: int) -> None:
    """The reader goes by the elements, of which each version has the older or the newer ones."""
    kind = read(content).message[:12]
    labelled = read(content.replace(read(content).message.encode(), f"{kind}{version:02}".encode()))
    assert labelled.message == f"{kind}{version:02}"
    assert (labelled.entries, labelled.balances) == (read(content).entries, read(content).balances)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "UNREADABLE_XML"),
        (b"<a>", "UNREADABLE_XML"),
        (b"<a/>", "NOT_A_STATEMENT"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "DTD_REFUSED"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "DTD_REFUSED"),
    ],
)
def test_refusals(content: bytes, code: str) -> None:
    with pytest.raises(GatewayError) as refused:
        read_camt(content)
    assert refused.value.code == code


def test_size_is_bounded() -> None:
    with pytest.raises(GatewayError, match="TOO_LARGE"):
        read_camt(OTHER_BANK, max_bytes=1000)


def test_sequence_and_opening_balance() -> None:
    statement = read()
    assert check_sequence(statement, last_sequence=244, last_closing=Decimal("500000.00")) == []
    gap = check_sequence(statement, last_sequence=242, last_closing=Decimal("1.00"))
    assert [finding.code for finding in gap] == ["SEQUENCE_GAP", "OPENING_NOT_CLOSING"]
    assert check_sequence(statement, last_sequence=None, last_closing=None) == []


def test_memory_is_freed_entry_by_entry() -> None:
    head, tail = OTHER_BANK.split(b"<Ntry>", 1)
    entry, _, rest = tail.partition(b"</Ntry>")
    many = head + (b"<Ntry>" + entry + b"</Ntry>") * 3000 + rest
    statement = read(many)
    assert len(statement.entries) == 3002
    assert codes(statement) == ["BALANCE_MISMATCH"]

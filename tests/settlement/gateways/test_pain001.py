from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from lxml import etree

from settlement.gateways.base import GatewayError, Party
from settlement.gateways.pain001 import NAMESPACE, build_pain001, parse_pain001
from tests.settlement.gateways.conftest import Validate
from tests.settlement.gateways.orders import account, instruction, order

NS = {"p": NAMESPACE}


def texts(content: bytes, path: str) -> list[str]:
    return [element.text or "" for element in etree.fromstring(content).iterfind(f".//{path}", NS)]


def test_file_is_valid_against_the_schema(schema_errors: Validate) -> None:
    assert schema_errors("pain.001.001.09", build_pain001(order("242.00", "1520.00", "0.01"))) == []


def test_file_with_every_optional_part_is_valid(schema_errors: Validate) -> None:
    person = Party("Фізична особа-підприємець " + "Ї" * 150, "3184710691", is_person=True)
    first = replace(instruction(1), creditor=person, remittance="Послуги " * 60, creditor_reference="RF16P20250001")
    foreign = replace(instruction(2), creditor_account="40702810900000000001")
    content = build_pain001(replace(order("1.00"), instructions=(first, foreign)))
    assert schema_errors("pain.001.001.09", content) == []


def test_totals_are_exact() -> None:
    content = build_pain001(order("0.10", "0.20", "1234567.89"))
    assert texts(content, "p:GrpHdr/p:CtrlSum") == ["1234568.19"]
    assert texts(content, "p:GrpHdr/p:NbOfTxs") == ["3"]


def test_one_block_for_each_debtor_account_and_date() -> None:
    items = (
        instruction(1),
        instruction(2, day=date(2025, 12, 15)),
        instruction(3, debtor=2),
        instruction(4),
    )
    content = build_pain001(replace(order("1.00"), instructions=items))
    assert sorted(texts(content, "p:PmtInf/p:NbOfTxs")) == ["1", "1", "2"]
    assert len(set(texts(content, "p:PmtInf/p:PmtInfId"))) == 3


def test_names_stay_cyrillic_and_ids_become_latin() -> None:
    item = replace(instruction(1), reference="ПЛ-2025-0001")
    content = build_pain001(replace(order("1.00"), reference="Згода-1", instructions=(item,)))
    assert texts(content, "p:EndToEndId") == ["PL-2025-0001"]
    assert texts(content, "p:MsgId") == ["Zghoda-1"]
    assert texts(content, "p:Cdtr/p:Nm")[0].startswith("Громадська")


def test_bank_code_of_a_ukrainian_account() -> None:
    assert set(texts(build_pain001(order("1.00")), "p:MmbId")) == {"305299"}


def test_same_order_gives_same_bytes() -> None:
    assert build_pain001(order("1.00", "2.00")) == build_pain001(order("1.00", "2.00"))


@pytest.mark.parametrize("amount", ["0.00", "-1.00", "1.5", "1.005", "1E+2", "NaN"])
def test_amounts_without_exactly_two_places_are_refused(amount: str) -> None:
    with pytest.raises(GatewayError, match="AMOUNT_INVALID"):
        build_pain001(order(amount))


def test_the_largest_amount_of_the_schema_is_written_and_one_more_refused(schema_errors: Validate) -> None:
    largest = order("9999999999999999.99")
    assert schema_errors("pain.001.001.09", build_pain001(largest)) == []
    with pytest.raises(GatewayError, match="AMOUNT_TOO_LARGE") as refused:
        build_pain001(order("10000000000000000.00"))
    assert refused.value.params["reference"] == "PAY-2025-0001"


def test_a_sum_beyond_the_schema_is_refused(schema_errors: Validate) -> None:
    assert schema_errors("pain.001.001.09", build_pain001(order("9999999999999999.98", "0.01"))) == []
    with pytest.raises(GatewayError, match="TOTAL_TOO_LARGE"):
        build_pain001(order("9999999999999999.98", "0.02"))


def test_more_transfers_than_a_file_counts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("settlement.gateways.base.MAX_TRANSFERS", 2)
    assert parse_pain001(build_pain001(order("1.00", "1.00"))).payments
    with pytest.raises(GatewayError, match="TOO_MANY_TRANSFERS"):
        build_pain001(order("1.00", "1.00", "1.00"))


def test_a_repeated_reference_is_refused() -> None:
    with pytest.raises(GatewayError, match="REFERENCE_REPEATED"):
        build_pain001(replace(order("1.00"), instructions=(instruction(1), instruction(1))))


def test_a_wrong_account_is_refused() -> None:
    with pytest.raises(GatewayError, match="ACCOUNT_INVALID"):
        build_pain001(replace(order("1.00"), instructions=(replace(instruction(1), creditor_account=""),)))


def test_reader_gives_back_what_was_written() -> None:
    read = parse_pain001(build_pain001(order("242.00", "1520.00")))
    assert read.message_id == "PR-2025-0001"
    assert [payment.amount for payment in read.payments] == [Decimal("242.00"), Decimal("1520.00")]
    assert read.payments[1].creditor_account == account(1002)
    assert read.payments[0].remittance.endswith("рахунок 1")


def test_reader_refuses_totals_that_differ() -> None:
    content = build_pain001(order("242.00")).replace(b"<CtrlSum>242.00", b"<CtrlSum>241.00")
    with pytest.raises(GatewayError, match="TOTALS_DIFFER"):
        parse_pain001(content)

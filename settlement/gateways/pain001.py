"""ISO 20022 pain.001.001.09: our transfers as one file, and the reader that a simulated bank uses.

Source: docs/legal.md, ISO 20022 Customer Credit Transfer Initiation V09.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from lxml import etree

from settlement.gateways.base import GatewayError, Party, PaymentInstruction, PaymentOrder, check_order
from settlement.gateways.identifiers import bank_code, identifier, is_iban
from settlement.gateways.xml_tools import Writer, children, find, iterate, local_name, text_at

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
NAME_LENGTH = 140
LINE_LENGTH = 140


@dataclass(frozen=True)
class ReadPayment:
    """A transfer as the bank reads it. ``amount`` as written, 2 places."""

    end_to_end_id: str
    payment_information_id: str
    amount: Decimal
    currency: str
    debtor_name: str
    debtor_account: str
    creditor_name: str
    creditor_account: str
    remittance: str
    creditor_reference: str
    execution_date: date


@dataclass(frozen=True)
class ReadOrder:
    """A file as the bank reads it."""

    message_id: str
    payments: tuple[ReadPayment, ...]


def build_pain001(order: PaymentOrder) -> bytes:
    """The payment file: one PmtInf for each debtor account and execution date, in the order of the
    instructions.

    Money: amounts with exactly 2 places; control sums are their exact sums.
    Raises: GatewayError for an empty order, a repeated or unfit reference, an amount without 2 places.
    Idempotent: the same order gives the same bytes.
    """
    check_order(order)
    xml = Writer(NAMESPACE, "Document")
    body = xml.add(xml.root, "CstmrCdtTrfInitn")
    header = xml.add(body, "GrpHdr")
    xml.add(header, "MsgId", identifier(order.reference))
    xml.add(header, "CreDtTm", order.created_at.isoformat(timespec="seconds"))
    _totals(xml, header, order.instructions)
    _party(xml, xml.add(header, "InitgPty"), order.initiator)
    for number, group in enumerate(_groups(order.instructions), 1):
        _payment_information(xml, body, f"{order.reference}-{number}", group)
    return xml.as_bytes()


def _groups(items: Iterable[PaymentInstruction]) -> list[list[PaymentInstruction]]:
    def key(item: PaymentInstruction) -> tuple[str, date]:
        return item.debtor_account, item.execution_date

    return [list(group) for _, group in groupby(sorted(items, key=key), key)]


def _totals(xml: Writer, parent: etree._Element, items: Iterable[PaymentInstruction]) -> None:
    amounts = [item.amount for item in items]
    xml.add(parent, "NbOfTxs", str(len(amounts)))
    xml.add(parent, "CtrlSum", str(sum(amounts, Decimal("0.00"))))


def _payment_information(xml: Writer, body: etree._Element, reference: str, items: list[PaymentInstruction]) -> None:
    first = items[0]
    block = xml.add(body, "PmtInf")
    xml.add(block, "PmtInfId", identifier(reference))
    xml.add(block, "PmtMtd", "TRF")
    xml.add(block, "BtchBookg", "false")
    _totals(xml, block, items)
    xml.add(block, "ReqdExctnDt/Dt", first.execution_date.isoformat())
    _party(xml, xml.add(block, "Dbtr"), first.debtor)
    _account(xml, xml.add(block, "DbtrAcct"), first.debtor_account)
    xml.add(block, "DbtrAcct/Ccy", first.currency)
    _agent(xml, xml.add(block, "DbtrAgt"), first.debtor_account)
    for item in items:
        _transfer(xml, xml.add(block, "CdtTrfTxInf"), item)


def _transfer(xml: Writer, block: etree._Element, item: PaymentInstruction) -> None:
    xml.add(block, "PmtId/InstrId", identifier(item.reference))
    xml.add(block, "PmtId/EndToEndId", identifier(item.reference))
    xml.add(block, "Amt/InstdAmt", str(item.amount), Ccy=item.currency)
    if bank_code(item.creditor_account):
        _agent(xml, xml.add(block, "CdtrAgt"), item.creditor_account)
    _party(xml, xml.add(block, "Cdtr"), item.creditor)
    _account(xml, xml.add(block, "CdtrAcct"), item.creditor_account)
    for line in textwrap.wrap(item.remittance, LINE_LENGTH):
        xml.add(block, "RmtInf/Ustrd", line)
    if item.creditor_reference:
        _structured(xml, block, item.creditor_reference)


def _structured(xml: Writer, block: etree._Element, reference: str) -> None:
    xml.add(block, "RmtInf/Strd/CdtrRefInf/Tp/CdOrPrtry/Cd", "SCOR")
    xml.add(block, "RmtInf/Strd/CdtrRefInf/Ref", identifier(reference))


def _party(xml: Writer, element: etree._Element, party: Party) -> None:
    # Names may stay in Cyrillic; a longer one is cut, since it identifies nobody: the account and tax
    # number do.
    xml.add(element, "Nm", " ".join(party.name.split())[:NAME_LENGTH])
    if party.tax_id and party.is_person:
        xml.add(element, "Id/PrvtId/Othr/Id", identifier(party.tax_id))
        xml.add(element, "Id/PrvtId/Othr/SchmeNm/Cd", "TXID")
    elif party.tax_id:
        xml.add(element, "Id/OrgId/Othr/Id", identifier(party.tax_id))


def _account(xml: Writer, element: etree._Element, account: str) -> None:
    if is_iban(account):
        xml.add(element, "Id/IBAN", account)
    elif account and len(account) <= 34:
        xml.add(element, "Id/Othr/Id", account)
    else:
        raise GatewayError("ACCOUNT_INVALID", account=account)


def _agent(xml: Writer, element: etree._Element, account: str) -> None:
    code = bank_code(account)
    if code:
        xml.add(element, "FinInstnId/ClrSysMmbId/MmbId", code)
    else:
        xml.add(element, "FinInstnId/Othr/Id", "NOTPROVIDED")


def parse_pain001(content: bytes) -> ReadOrder:
    """Read a payment file of any version 03 or later by local names.

    Raises: GatewayError for unreadable XML, a DTD, a file of another kind, or totals that do not agree.
    """
    root = _root(content)
    body = find(root, "CstmrCdtTrfInitn")
    if body is None:
        raise GatewayError("NOT_A_PAYMENT_FILE", root=local_name(root))
    payments = tuple(
        _read(block, transfer) for block in children(body, "PmtInf") for transfer in children(block, "CdtTrfTxInf")
    )
    _check_totals(find(body, "GrpHdr"), payments)
    return ReadOrder(message_id=text_at(body, "GrpHdr/MsgId"), payments=payments)


def _root(content: bytes) -> etree._Element:
    elements = [element for _, element in iterate(content)]
    return elements[0]


def _read(block: etree._Element, transfer: etree._Element) -> ReadPayment:
    amount = find(transfer, "Amt/InstdAmt")
    return ReadPayment(
        end_to_end_id=text_at(transfer, "PmtId/EndToEndId"),
        payment_information_id=text_at(block, "PmtInfId"),
        amount=Decimal(text_at(transfer, "Amt/InstdAmt") or "0"),
        currency=amount.get("Ccy", "") if amount is not None else "",
        debtor_name=text_at(block, "Dbtr/Nm"),
        debtor_account=text_at(block, "DbtrAcct/Id/IBAN", "DbtrAcct/Id/Othr/Id"),
        creditor_name=text_at(transfer, "Cdtr/Nm"),
        creditor_account=text_at(transfer, "CdtrAcct/Id/IBAN", "CdtrAcct/Id/Othr/Id"),
        remittance=" ".join(line.text or "" for line in _lines(transfer)),
        creditor_reference=text_at(transfer, "RmtInf/Strd/CdtrRefInf/Ref"),
        execution_date=date.fromisoformat(text_at(block, "ReqdExctnDt/Dt", "ReqdExctnDt")),
    )


def _lines(transfer: etree._Element) -> list[etree._Element]:
    remittance = find(transfer, "RmtInf")
    return [] if remittance is None else children(remittance, "Ustrd")


def _check_totals(header: etree._Element | None, payments: tuple[ReadPayment, ...]) -> None:
    total = sum((payment.amount for payment in payments), Decimal(0))
    stated = text_at(header, "CtrlSum")
    if text_at(header, "NbOfTxs") != str(len(payments)) or (stated and Decimal(stated) != total):
        raise GatewayError("TOTALS_DIFFER", stated=stated, total=total)

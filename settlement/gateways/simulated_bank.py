"""A bank for demonstrations and tests: it reads only the payment file and answers with a camt.053.001.08
statement.

Deterministic: the same file gives the same bytes. When a file has at least two payments the last one comes
back (account closed), and a
credit that nobody expects arrives, so that people see both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from lxml import etree

from settlement.gateways.base import GatewayError
from settlement.gateways.pain001 import ReadOrder, ReadPayment, parse_pain001
from settlement.gateways.xml_tools import Writer

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
UNKNOWN_CREDIT = Decimal("1234.56")
RETURN_REASON = "AC04"


@dataclass(frozen=True)
class Movement:
    """A movement of an account that no payment file asked for. ``amount`` signed as on the account, 2 places."""

    on: date
    amount: Decimal
    name: str
    text: str
    iban: str = ""
    end_to_end: str = "NOTPROVIDED"


def write_statement(
    movements: Sequence[Movement], *, account: str, owner: str, currency: str, sequence: int, opening: Decimal
) -> bytes:
    """The statement of an account over some days, at least one movement, in order of days."""
    first, last = movements[0].on, movements[-1].on
    xml = Writer(NAMESPACE, "Document")
    told = f"{account}{first}{last}{sequence}"
    block = _header(xml, told, (first, last), sequence, (account, currency, owner))
    _balance(xml, block, "OPBD", opening, currency, first)
    closing = opening + sum((row.amount for row in movements), Decimal("0.00"))
    _balance(xml, block, "CLBD", closing, currency, last)
    for number, row in enumerate(movements, 1):
        detail = _entry(xml, block, row.amount, currency, "DMCT", _reference(told, number), row.on)
        xml.add(detail, "Refs/EndToEndId", row.end_to_end)
        _amount(xml, detail, row.amount, currency)
        side = "Dbtr" if row.amount > 0 else "Cdtr"
        if row.name:
            xml.add(detail, f"RltdPties/{side}/Pty/Nm", row.name)
        if row.iban:
            _account(xml, detail, f"RltdPties/{side}Acct", row.iban)
        xml.add(detail, "RmtInf/Ustrd", row.text[:140])
    return xml.as_bytes()


def answer_payment_file(
    content: bytes, *, sequence: int = 1, opening: Decimal | None = None, quiet: bool = False
) -> bytes:
    """The statement of the day on which a payment file was carried out.

    ``opening`` defaults to the total of the file and a million, so that the account is never overdrawn; ``quiet``: a
    day on which nothing comes back and no unknown credit arrives.
    Money: Decimal, 2 places; closing = opening - paid + returned + unknown credit.
    Raises: GatewayError when the file cannot be read, is empty, or pays from more than one account.
    """
    order = parse_pain001(content)
    if not order.payments or len({payment.debtor_account for payment in order.payments}) != 1:
        raise GatewayError("ONE_ACCOUNT_EXPECTED", message=order.message_id)
    return _statement(order, sequence, opening, quiet)


def _statement(order: ReadOrder, sequence: int, opening: Decimal | None, quiet: bool) -> bytes:
    day = max(payment.execution_date for payment in order.payments)
    total = sum((payment.amount for payment in order.payments), Decimal("0.00"))
    before = total + Decimal("1000000.00") if opening is None else opening
    returned = order.payments[-1] if len(order.payments) > 1 and not quiet else None
    unknown = Decimal("0.00") if quiet else UNKNOWN_CREDIT
    after = before - total + unknown + (returned.amount if returned else Decimal("0.00"))
    xml = Writer(NAMESPACE, "Document")
    payer = order.payments[0]
    parties = (payer.debtor_account, payer.currency, payer.debtor_name)
    block = _header(xml, order.message_id, (day, day), sequence, parties)
    _balance(xml, block, "OPBD", before, payer.currency, day)
    _balance(xml, block, "CLBD", after, payer.currency, day)
    for number, payment in enumerate(order.payments, 1):
        _paid(xml, block, payment, _reference(order.message_id, number), day)
    if returned:
        _returned(xml, block, returned, _reference(order.message_id, len(order.payments) + 1), day)
    if unknown:
        _unknown(xml, block, order, day)
    return xml.as_bytes()


def _reference(told: str, number: int) -> str:
    digest = hashlib.sha256(told.encode()).hexdigest()[:8].upper()
    return f"{digest}{number:06d}"


def _header(
    xml: Writer, told: str, days: tuple[date, date], sequence: int, parties: tuple[str, str, str]
) -> etree._Element:
    """``parties``: account, currency and owner; ``told``: what makes the identifier."""
    (first, last), (account, currency, owner) = days, parties
    moment = f"{datetime.combine(last, time(19, 0)).isoformat()}+02:00"
    body = xml.add(xml.root, "BkToCstmrStmt")
    identifier = f"ST-{_reference(told, 0)}"
    xml.add(body, "GrpHdr/MsgId", identifier)
    xml.add(body, "GrpHdr/CreDtTm", moment)
    block = xml.add(body, "Stmt")
    xml.add(block, "Id", identifier)
    xml.add(block, "ElctrncSeqNb", str(sequence))
    xml.add(block, "CreDtTm", moment)
    xml.add(block, "FrToDt/FrDtTm", f"{first.isoformat()}T00:00:00+02:00")
    xml.add(block, "FrToDt/ToDtTm", f"{(last + timedelta(days=1)).isoformat()}T00:00:00+02:00")
    _account(xml, block, "Acct", account)
    xml.add(block, "Acct/Ccy", currency)
    xml.add(block, "Acct/Ownr/Nm", owner)
    return block


def _account(xml: Writer, parent: etree._Element, name: str, account: str) -> None:
    is_iban = account[:2].isalpha()
    xml.add(parent, f"{name}/Id/IBAN" if is_iban else f"{name}/Id/Othr/Id", account)


def _balance(xml: Writer, block: etree._Element, code: str, amount: Decimal, currency: str, day: date) -> None:
    element = xml.add(block, "Bal")
    xml.add(element, "Tp/CdOrPrtry/Cd", code)
    xml.add(element, "Amt", str(abs(amount)), Ccy=currency)
    xml.add(element, "CdtDbtInd", "CRDT" if amount >= 0 else "DBIT")
    xml.add(element, "Dt/Dt", day.isoformat())


def _entry(
    xml: Writer, block: etree._Element, amount: Decimal, currency: str, code: str, reference: str, day: date
) -> etree._Element:
    """An entry and its one detail; returns the detail. ``amount`` signed, ``code`` sub-family of the
    movement.
    """
    entry = xml.add(block, "Ntry")
    direction = "CRDT" if amount >= 0 else "DBIT"
    xml.add(entry, "NtryRef", reference)
    xml.add(entry, "Amt", str(abs(amount)), Ccy=currency)
    xml.add(entry, "CdtDbtInd", direction)
    xml.add(entry, "Sts/Cd", "BOOK")
    xml.add(entry, "BookgDt/Dt", day.isoformat())
    xml.add(entry, "ValDt/Dt", day.isoformat())
    xml.add(entry, "AcctSvcrRef", reference)
    xml.add(entry, "BkTxCd/Domn/Cd", "PMNT")
    xml.add(entry, "BkTxCd/Domn/Fmly/Cd", "ICDT" if amount < 0 else "RCDT")
    xml.add(entry, "BkTxCd/Domn/Fmly/SubFmlyCd", code)
    return xml.add(entry, "NtryDtls/TxDtls")


def _amount(xml: Writer, detail: etree._Element, amount: Decimal, currency: str) -> None:
    xml.add(detail, "Amt", str(abs(amount)), Ccy=currency)
    xml.add(detail, "CdtDbtInd", "CRDT" if amount >= 0 else "DBIT")


def _paid(xml: Writer, block: etree._Element, payment: ReadPayment, reference: str, day: date) -> None:
    detail = _entry(xml, block, -payment.amount, payment.currency, "DMCT", reference, day)
    _known(xml, detail, payment, -payment.amount)


def _returned(xml: Writer, block: etree._Element, payment: ReadPayment, reference: str, day: date) -> None:
    detail = _entry(xml, block, payment.amount, payment.currency, "RRTN", reference, day)
    _known(xml, detail, payment, payment.amount)
    xml.add(detail, "RtrInf/Rsn/Cd", RETURN_REASON)


def _known(xml: Writer, detail: etree._Element, payment: ReadPayment, amount: Decimal) -> None:
    xml.add(detail, "Refs/EndToEndId", payment.end_to_end_id)
    _amount(xml, detail, amount, payment.currency)
    xml.add(detail, "RltdPties/Cdtr/Pty/Nm", payment.creditor_name)
    _account(xml, detail, "RltdPties/CdtrAcct", payment.creditor_account)
    if payment.remittance:
        xml.add(detail, "RmtInf/Ustrd", payment.remittance[:140])


def _unknown(xml: Writer, block: etree._Element, order: ReadOrder, day: date) -> None:
    currency = order.payments[0].currency
    detail = _entry(xml, block, UNKNOWN_CREDIT, currency, "DMCT", _reference(order.message_id, 999999), day)
    xml.add(detail, "Refs/EndToEndId", "NOTPROVIDED")
    _amount(xml, detail, UNKNOWN_CREDIT, currency)
    xml.add(detail, "RltdPties/Dbtr/Pty/Nm", "Благодійник, не названий у документах")
    xml.add(detail, "RmtInf/Ustrd", "Пожертва на соціальні послуги")

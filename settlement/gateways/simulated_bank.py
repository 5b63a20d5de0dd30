"""A bank for demonstrations and tests: it reads only the payment file and answers with a camt.053.001.08
statement.

Deterministic: the same file gives the same bytes. When a file has at least two payments the last one comes
back (account closed), and a
credit that nobody expects arrives, so that people see both.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from lxml import etree

from settlement.gateways.base import GatewayError
from settlement.gateways.pain001 import ReadOrder, ReadPayment, parse_pain001
from settlement.gateways.xml_tools import Writer

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
UNKNOWN_CREDIT = Decimal("1234.56")
RETURN_REASON = "AC04"


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
    block = _header(xml, order, day, sequence)
    _balance(xml, block, "OPBD", before, order.payments[0].currency, day)
    _balance(xml, block, "CLBD", after, order.payments[0].currency, day)
    for number, payment in enumerate(order.payments, 1):
        _paid(xml, block, payment, _reference(order, number), day)
    if returned:
        _returned(xml, block, returned, _reference(order, len(order.payments) + 1), day)
    if unknown:
        _unknown(xml, block, order, day)
    return xml.as_bytes()


def _reference(order: ReadOrder, number: int) -> str:
    digest = hashlib.sha256(order.message_id.encode()).hexdigest()[:8].upper()
    return f"{digest}{number:06d}"


def _header(xml: Writer, order: ReadOrder, day: date, sequence: int) -> etree._Element:
    moment = f"{datetime.combine(day, time(19, 0)).isoformat()}+02:00"
    body = xml.add(xml.root, "BkToCstmrStmt")
    identifier = f"ST-{_reference(order, 0)}"
    xml.add(body, "GrpHdr/MsgId", identifier)
    xml.add(body, "GrpHdr/CreDtTm", moment)
    block = xml.add(body, "Stmt")
    xml.add(block, "Id", identifier)
    xml.add(block, "ElctrncSeqNb", str(sequence))
    xml.add(block, "CreDtTm", moment)
    xml.add(block, "FrToDt/FrDtTm", f"{day.isoformat()}T00:00:00+02:00")
    xml.add(block, "FrToDt/ToDtTm", f"{(day + timedelta(days=1)).isoformat()}T00:00:00+02:00")
    _account(xml, block, "Acct", order.payments[0].debtor_account)
    xml.add(block, "Acct/Ccy", order.payments[0].currency)
    xml.add(block, "Acct/Ownr/Nm", order.payments[0].debtor_name)
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
    detail = _entry(xml, block, UNKNOWN_CREDIT, currency, "DMCT", _reference(order, 999999), day)
    xml.add(detail, "Refs/EndToEndId", "NOTPROVIDED")
    _amount(xml, detail, UNKNOWN_CREDIT, currency)
    xml.add(detail, "RltdPties/Dbtr/Pty/Nm", "Благодійник, не названий у документах")
    xml.add(detail, "RmtInf/Ustrd", "Пожертва на соціальні послуги")

"""Small camt.053 statements with the lines that a test needs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from config.accounts.models import Organisation
from config.money import from_minor
from settlement.gateways.simulated_bank import NAMESPACE, _amount, _balance, _entry
from settlement.gateways.xml_tools import Writer

DAY = date(2025, 12, 2)
OPENING = Decimal("1000000.00")
Line = tuple[Decimal, str]


def credit(amount_minor: int, text: str) -> Line:
    """Money in."""
    return from_minor(amount_minor), text


def debit(amount_minor: int, text: str) -> Line:
    """Money out."""
    return -from_minor(amount_minor), text


def statement(office: Organisation, sequence: int, *lines: Line, day: date = DAY, opening: Decimal = OPENING) -> bytes:
    """A statement whose balance holds."""
    xml = Writer(NAMESPACE, "Document")
    body = xml.add(xml.root, "BkToCstmrStmt")
    xml.add(body, "GrpHdr/MsgId", f"ST-{sequence}")
    block = xml.add(body, "Stmt")
    xml.add(block, "Id", f"ST-{sequence}")
    xml.add(block, "CreDtTm", f"{day.isoformat()}T19:00:00+02:00")
    xml.add(block, "Acct/Id/IBAN", office.iban)
    xml.add(block, "Acct/Ccy", "UAH")
    _balance(xml, block, "OPBD", opening, "UAH", day)
    _balance(xml, block, "CLBD", opening + sum(amount for amount, _text in lines), "UAH", day)
    for number, (amount, text) in enumerate(lines, 1):
        detail = _entry(xml, block, amount, "UAH", "DMCT", f"B{sequence}-{number}", day)
        _amount(xml, detail, amount, "UAH")
        xml.add(detail, "RmtInf/Ustrd", text)
    return xml.as_bytes()

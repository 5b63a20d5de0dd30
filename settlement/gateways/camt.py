"""Tolerant reader of bank reports camt.052, camt.053 and camt.054 of any version, by local names.

Real files often break their own schema, so a schema never decides: unreadable XML is refused, everything
else is read and
what is wrong comes back as findings.
Money: Decimal; credit positive, debit negative by CdtDbtInd.
Source: docs/legal.md, ISO 20022 Bank-to-Customer Cash Management.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from lxml import etree

from settlement.gateways.base import Balance, Entry, EntryDetail, Finding, GatewayError, Statement
from settlement.gateways.identifiers import find_creditor_references
from settlement.gateways.xml_tools import MAX_BYTES, children, drop, find, iterate, local_name, text_at

_KINDS = {"Stmt": "camt.053", "Rpt": "camt.052", "Ntfctn": "camt.054"}
_RETURN_CODES = {"RRTN", "RPCR", "RIMB", "ARET", "IRCT"}
# The last ones are of the first version of the messages.
_ACCOUNTS = ("Acct/Id/IBAN", "Acct/Id/Othr/Id", "Acct/Id/BBAN", "Acct/Id/PrtryAcct/Id")
_RETURN_REASONS = ("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry", "RtrInf/RtrRsn/Cd", "RtrInf/RtrRsn/Prtry")
MAX_ENTRIES = 200_000


def read_camt(content: bytes, *, max_bytes: int = MAX_BYTES) -> tuple[Statement, ...]:
    """Every statement of a file with its findings.

    Findings: BALANCE_MISMATCH (block), BALANCE_MISSING, DETAILS_NOT_SUM, REVERSAL_SIGN, AMOUNT_UNREADABLE
    (block).
    Raises: GatewayError TOO_LARGE, UNREADABLE_XML, DTD_REFUSED, NOT_A_STATEMENT.
    """
    statements: list[Statement] = []
    reading: _Reading | None = None
    for event, element in iterate(content, max_bytes=max_bytes):
        name = local_name(element)
        if event == "start" and name in _KINDS and reading is None:
            reading = _Reading(_message(element, name))
        elif event == "end" and reading is not None:
            if name == "Ntry" and local_name(_parent(element)) in _KINDS:
                reading.add_entry(element)
            elif name in _KINDS:
                statements.append(reading.finish(element))
                reading = None
    if not statements:
        raise GatewayError("NOT_A_STATEMENT")
    return tuple(statements)


def check_sequence(statement: Statement, *, last_sequence: int | None, last_closing: Decimal | None) -> list[Finding]:
    """What a statement says against the one before it on the same account: numbers without gap, balances
    that meet.
    """
    findings = []
    if statement.sequence is not None and last_sequence is not None and statement.sequence != last_sequence + 1:
        expected, found = str(last_sequence + 1), str(statement.sequence)
        findings.append(Finding("SEQUENCE_GAP", "warn", {"expected": expected, "found": found}))
    opening = statement.balance("OPBD", "PRCD")
    if opening is not None and last_closing is not None and opening.amount != last_closing:
        params = {"expected": str(last_closing), "found": str(opening.amount)}
        findings.append(Finding("OPENING_NOT_CLOSING", "block", params))
    return findings


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    return element if parent is None else parent


def _message(element: etree._Element, name: str) -> str:
    namespace = str(element.tag).rpartition("}")[0].lstrip("{")
    return namespace.rpartition(":")[2] or _KINDS[name]


class _Reading:
    """One statement while the parser is inside it."""

    def __init__(self, message: str) -> None:
        self.message = message
        self.entries: list[Entry] = []
        self.findings: list[Finding] = []

    def add_entry(self, element: etree._Element) -> None:
        if len(self.entries) >= MAX_ENTRIES:
            raise GatewayError("TOO_LARGE", size=len(self.entries), limit=MAX_ENTRIES)
        index = len(self.entries) + 1
        try:
            entry = _entry(element, index)
        except InvalidOperation:
            self.findings.append(Finding("AMOUNT_UNREADABLE", "block", {"entry": str(index)}))
        else:
            self.entries.append(entry)
            if len(entry.details) > 1 and not entry.details_add_up:
                self.findings.append(Finding("DETAILS_NOT_SUM", "warn", {"entry": str(index)}))
        drop(element)

    def finish(self, element: etree._Element) -> Statement:
        balances = tuple(self._balances(element))
        flip = self._check_balance(balances)
        return Statement(
            message=self.message,
            identifier=text_at(element, "Id"),
            sequence=_number(text_at(element, "ElctrncSeqNb", "LglSeqNb")),
            created_at=_moment(text_at(element, "CreDtTm")),
            account=text_at(element, *_ACCOUNTS).replace(" ", ""),
            currency=text_at(element, "Acct/Ccy") or _first_currency(balances, self.entries),
            balances=balances,
            entries=tuple(_flipped(entry) if flip and entry.reversal else entry for entry in self.entries),
            findings=tuple(self.findings),
        )

    def _balances(self, element: etree._Element) -> Iterable[Balance]:
        for block in children(element, "Bal"):
            try:
                amount, currency = _amount(block, "Amt")
            except InvalidOperation:
                self.findings.append(Finding("AMOUNT_UNREADABLE", "block", {"entry": "Bal"}))
                continue
            code = text_at(block, "Tp/CdOrPrtry/Cd", "Tp/CdOrPrtry/Prtry", "Tp/Cd")
            yield Balance(code, _signed(block, amount), currency, _day(text_at(block, "Dt/Dt", "Dt/DtTm")))

    def _check_balance(self, balances: tuple[Balance, ...]) -> bool:
        """Check opening + booked = closing; True when only banks' other reading of RvslInd makes it so."""
        if not self.message.startswith("camt.053"):
            return False
        found = {item.code: item for item in reversed(balances)}
        opening, closing = found.get("OPBD") or found.get("PRCD"), found.get("CLBD")
        if opening is None or closing is None:
            self.findings.append(Finding("BALANCE_MISSING", "warn", {}))
            return False
        booked = sum((entry.amount for entry in self.entries if entry.booked), Decimal(0))
        difference = closing.amount - opening.amount - booked
        reversed_sum = sum((e.amount for e in self.entries if e.booked and e.reversal), Decimal(0))
        if difference and difference == -2 * reversed_sum:
            self.findings.append(Finding("REVERSAL_SIGN", "warn", {}))
            return True
        if difference:
            self.findings.append(_mismatch(opening, closing, booked, difference))
        return False


def _mismatch(opening: Balance, closing: Balance, booked: Decimal, difference: Decimal) -> Finding:
    params = {
        "opening": str(opening.amount),
        "booked": str(booked),
        "closing": str(closing.amount),
        "difference": str(difference),
    }
    return Finding("BALANCE_MISMATCH", "block", params)


def _entry(element: etree._Element, index: int) -> Entry:
    amount, currency = _amount(element, "Amt")
    signed = _signed(element, amount)
    reversal = _flag(text_at(element, "RvslInd"))
    details = tuple(_detail(block, element) for group in _groups(element) for block in children(group, "TxDtls"))
    add_up = _add_up(details, signed)
    if len(details) == 1 and details[0].amount is None:
        details, add_up = (_with_amount(details[0], signed),), True
    code = text_at(element, "BkTxCd/Domn/Fmly/SubFmlyCd", "BkTxCd/Prtry/Cd")
    return Entry(
        index=index,
        amount=signed,
        currency=currency,
        booked=(text_at(element, "Sts/Cd", "Sts") or "BOOK") == "BOOK",
        booked_on=_day(text_at(element, "BookgDt/Dt", "BookgDt/DtTm")),
        value_on=_day(text_at(element, "ValDt/Dt", "ValDt/DtTm")),
        bank_reference=text_at(element, "AcctSvcrRef", "NtryRef"),
        bank_code=code,
        reversal=reversal,
        is_return=reversal or code in _RETURN_CODES or any(detail.return_reason for detail in details),
        text=text_at(element, "AddtlNtryInf"),
        details=details,
        details_add_up=add_up,
        batch_reference=_batch(element),
    )


def _groups(element: etree._Element) -> list[etree._Element]:
    """What holds Btch and TxDtls: NtryDtls, and in the first version of the messages the entry itself."""
    return [*children(element, "NtryDtls"), element]


def _batch(element: etree._Element) -> str:
    for group in _groups(element):
        reference = text_at(group, "Btch/PmtInfId", "Btch/MsgId")
        if reference:
            return reference
    return ""


def _add_up(details: tuple[EntryDetail, ...], total: Decimal) -> bool:
    amounts = [detail.amount for detail in details if detail.amount is not None]
    return bool(details) and len(amounts) == len(details) and sum(amounts, Decimal(0)) == total


def _detail(block: etree._Element, entry: etree._Element) -> EntryDetail:
    # The other side; a return keeps the roles of the first transfer, so both are looked at.
    sides = ("Cdtr", "Dbtr") if _direction(block, entry) == "DBIT" else ("Dbtr", "Cdtr")
    parties = find(block, "RltdPties")
    remittance = _remittance(block)
    structured = text_at(block, "RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/CdtrRefInf/CdtrRef")
    found = find_creditor_references(remittance)
    return EntryDetail(
        amount=_detail_amount(block, entry),
        end_to_end_id=_provided(text_at(block, "Refs/EndToEndId")),
        instruction_id=text_at(block, "Refs/InstrId"),
        transaction_id=text_at(block, "Refs/TxId", "Refs/AcctSvcrRef"),
        payment_information_id=text_at(block, "Refs/PmtInfId"),
        counterparty=text_at(parties, *_paths(sides, "/Nm", "/Pty/Nm")),
        counterparty_account=text_at(parties, *_paths(sides, *_ACCOUNTS)).replace(" ", ""),
        remittance=remittance,
        creditor_reference=structured or (found[0] if found else ""),
        return_reason=text_at(block, *_RETURN_REASONS),
    )


def _paths(sides: Iterable[str], *ends: str) -> list[str]:
    return [f"{side}{end}" for side in sides for end in ends]


def _direction(block: etree._Element, entry: etree._Element) -> str:
    return text_at(block, "CdtDbtInd") or text_at(entry, "CdtDbtInd")


def _detail_amount(block: etree._Element, entry: etree._Element) -> Decimal | None:
    for path in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"):
        if text_at(block, path):
            amount, _ = _amount(block, path)
            return -amount if _direction(block, entry) == "DBIT" else amount
    return None


def _remittance(block: etree._Element) -> str:
    information = find(block, "RmtInf")
    lines = [] if information is None else children(information, "Ustrd")
    texts = [line.text.strip() for line in lines if line.text]
    return " ".join(texts) or text_at(block, "AddtlTxInf")


def _provided(text: str) -> str:
    return "" if text.upper() in {"NOTPROVIDED", "NOT PROVIDED"} else text


def _with_amount(detail: EntryDetail, amount: Decimal) -> EntryDetail:
    return replace(detail, amount=amount)


def _flipped(entry: Entry) -> Entry:
    details = tuple(
        _with_amount(detail, -detail.amount) if detail.amount is not None else detail for detail in entry.details
    )
    return replace(entry, amount=-entry.amount, details=details)


def _amount(element: etree._Element, path: str) -> tuple[Decimal, str]:
    found = find(element, path)
    amount = Decimal(text_at(element, path).replace(" ", "").replace("\N{NO-BREAK SPACE}", "").replace(",", "."))
    if not amount.is_finite():
        raise InvalidOperation
    return amount, found.get("Ccy", "") if found is not None else ""


def _signed(element: etree._Element, amount: Decimal) -> Decimal:
    return -amount if text_at(element, "CdtDbtInd") == "DBIT" else amount


def _flag(text: str) -> bool:
    return text.lower() in {"true", "1"}


def _first_currency(balances: tuple[Balance, ...], entries: list[Entry]) -> str:
    found = [*(item.currency for item in balances), *(item.currency for item in entries)]
    return next(filter(None, found), "")


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None

"""Tolerant reader of pain.002 status reports of any version: what the bank says of a payment file before it pays.

Only a statement proves that money moved; a report says that the bank has taken an order, or refused it and why.
Source: docs/legal.md, ISO 20022 Customer Payment Status Report.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from settlement.gateways.base import GatewayError
from settlement.gateways.xml_tools import MAX_BYTES, children, iterate, local_name, text_at

ROOT = "CstmrPmtStsRpt"
TAKEN, REFUSED, WAITING = "taken", "refused", "waiting"
_STATUSES = {
    **dict.fromkeys(("ACCP", "ACSP", "ACSC", "ACCC", "ACWC", "ACTC"), TAKEN),
    **dict.fromkeys(("RJCT", "CANC"), REFUSED),
}


@dataclass(frozen=True)
class PaymentStatus:
    """What the bank says of one payment; ``reference`` is its end-to-end id, empty for all of the order."""

    reference: str
    status: str
    code: str
    reason: str


@dataclass(frozen=True)
class StatusReport:
    """A report about one payment file. ``order`` is the id of that file."""

    identifier: str
    order: str
    statuses: tuple[PaymentStatus, ...]


def is_status_report(content: bytes) -> bool:
    """Whether a file is one, by the name of its message."""
    return f"<{ROOT}".encode() in content[:4_000] or f":{ROOT}".encode() in content[:4_000]


def read_status_report(content: bytes, *, max_bytes: int = MAX_BYTES) -> StatusReport:
    """A report: the status of the file, of each block and of each payment, the narrower one last.

    Raises: GatewayError TOO_LARGE, UNREADABLE_XML, DTD_REFUSED, NOT_A_STATEMENT.
    """
    root = None
    for event, element in iterate(content, max_bytes=max_bytes):
        if event == "end" and local_name(element) == ROOT:
            root = element
    if root is None:
        raise GatewayError("NOT_A_STATEMENT")
    statuses: list[PaymentStatus] = []
    for group in children(root, "OrgnlGrpInfAndSts"):
        statuses += _status(group, "", "GrpSts")
    for block in children(root, "OrgnlPmtInfAndSts"):
        statuses += _status(block, "", "PmtInfSts")
        for payment in children(block, "TxInfAndSts"):
            statuses += _status(payment, text_at(payment, "OrgnlEndToEndId"), "TxSts")
    return StatusReport(
        identifier=text_at(root, "GrpHdr/MsgId"),
        order=text_at(root, "OrgnlGrpInfAndSts/OrgnlMsgId"),
        statuses=tuple(statuses),
    )


def _status(element: etree._Element, reference: str, name: str) -> list[PaymentStatus]:
    code = text_at(element, name)
    if not code or (name == "TxSts" and not reference):
        return []
    reason = text_at(element, "StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry")
    words = text_at(element, "StsRsnInf/AddtlInf")
    return [PaymentStatus(reference, _STATUSES.get(code, WAITING), code, " ".join(filter(None, [reason, words])))]

"""What we owe, why, and that it was paid."""

from settlement.models.claims import (
    Adjudication,
    AdjudicationRun,
    Claim,
    ClaimLine,
    Clearance,
    Finding,
    Remittance,
)
from settlement.models.ledger import Account, ClosedMonth, Entry, Posting
from settlement.models.payments import Payment, PaymentRemittance, PaymentRun, PaymentRunApproval
from settlement.models.statements import Match, Statement, StatementLine

__all__ = [
    "Account",
    "Adjudication",
    "AdjudicationRun",
    "Claim",
    "ClaimLine",
    "Clearance",
    "ClosedMonth",
    "Entry",
    "Finding",
    "Match",
    "Payment",
    "PaymentRemittance",
    "PaymentRun",
    "PaymentRunApproval",
    "Posting",
    "Remittance",
    "Statement",
    "StatementLine",
]

"""What we owe, why, and that it was paid."""

from settlement.models.check_facts import ClaimDeclaration, FeeReport, FindingFeedback
from settlement.models.claims import (
    Adjudication,
    AdjudicationRun,
    Claim,
    ClaimLine,
    Clearance,
    Finding,
    GivenFinding,
    KeptPend,
    Remittance,
)
from settlement.models.fees import FeeCharge, FeeCheckout, FeeNotice, FeeReceipt, FeeRefund
from settlement.models.ledger import Account, ClosedMonth, Entry, Posting
from settlement.models.payments import Payment, PaymentRemittance, PaymentRun, PaymentRunApproval
from settlement.models.statements import Match, Statement, StatementLine
from settlement.models.stripe_events import ConnectedAccount, StripeEvent, WebhookRefusal

__all__ = [
    "Account",
    "Adjudication",
    "AdjudicationRun",
    "Claim",
    "ClaimDeclaration",
    "ClaimLine",
    "Clearance",
    "ClosedMonth",
    "ConnectedAccount",
    "Entry",
    "FeeCharge",
    "FeeCheckout",
    "FeeNotice",
    "FeeReceipt",
    "FeeRefund",
    "FeeReport",
    "Finding",
    "FindingFeedback",
    "GivenFinding",
    "KeptPend",
    "Match",
    "Payment",
    "PaymentRemittance",
    "PaymentRun",
    "PaymentRunApproval",
    "Posting",
    "Remittance",
    "Statement",
    "StatementLine",
    "StripeEvent",
    "WebhookRefusal",
]

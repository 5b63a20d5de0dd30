"""What we owe, why, and that it was paid."""

from settlement.models.advances import Advance, AdvanceReturn, AdvanceStanding, AdvanceUse, PaymentAdvance
from settlement.models.appeals import Appeal, AppealAnswer, ClaimReturn
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
    PendAssignment,
    PendProposal,
    Remittance,
)
from settlement.models.clawbacks import (
    ClawbackCase,
    ClawbackDebt,
    ClawbackLine,
    ClawbackRecovery,
    ClawbackReply,
    ClawbackStanding,
)
from settlement.models.clearing import (
    ClearingItem,
    ClearingLine,
    ClearingPayment,
    ClearingRevision,
    ClearingStatement,
)
from settlement.models.corrections import (
    Correction,
    CorrectionClaim,
    CorrectionLine,
    CorrectionObjection,
    ObjectionAnswer,
)
from settlement.models.decided import DecidedFinding, DecidedLine, DecidedRun
from settlement.models.examinations import (
    ClosenessHint,
    HintFeedback,
    RunExamination,
    VerificationResult,
    VerificationVisit,
)
from settlement.models.fees import FeeCharge, FeeCheckout, FeeNotice, FeeReceipt, FeeRefund, FeeRefundTransfer
from settlement.models.holds import PaymentHold
from settlement.models.ledger import Account, ClosedMonth, Entry, Posting
from settlement.models.payments import Payment, PaymentRemittance, PaymentRun, PaymentRunApproval
from settlement.models.restored_terms import RestoredTerm
from settlement.models.statements import (
    BankAct,
    BankActSignature,
    Match,
    Statement,
    StatementLayout,
    StatementLine,
)
from settlement.models.stripe_events import StripeEvent, WebhookRefusal
from settlement.models.years import YearClosing

__all__ = [
    "Account",
    "Adjudication",
    "AdjudicationRun",
    "Advance",
    "AdvanceReturn",
    "AdvanceStanding",
    "AdvanceUse",
    "Appeal",
    "AppealAnswer",
    "BankAct",
    "BankActSignature",
    "Claim",
    "ClaimDeclaration",
    "ClaimLine",
    "ClaimReturn",
    "ClawbackCase",
    "ClawbackDebt",
    "ClawbackLine",
    "ClawbackRecovery",
    "ClawbackReply",
    "ClawbackStanding",
    "Clearance",
    "ClearingItem",
    "ClearingLine",
    "ClearingPayment",
    "ClearingRevision",
    "ClearingStatement",
    "ClosedMonth",
    "ClosenessHint",
    "Correction",
    "CorrectionClaim",
    "CorrectionLine",
    "CorrectionObjection",
    "DecidedFinding",
    "DecidedLine",
    "DecidedRun",
    "Entry",
    "FeeCharge",
    "FeeCheckout",
    "FeeNotice",
    "FeeReceipt",
    "FeeRefund",
    "FeeRefundTransfer",
    "FeeReport",
    "Finding",
    "FindingFeedback",
    "GivenFinding",
    "HintFeedback",
    "KeptPend",
    "Match",
    "ObjectionAnswer",
    "Payment",
    "PaymentAdvance",
    "PaymentHold",
    "PaymentRemittance",
    "PaymentRun",
    "PaymentRunApproval",
    "PendAssignment",
    "PendProposal",
    "Posting",
    "Remittance",
    "RestoredTerm",
    "RunExamination",
    "Statement",
    "StatementLayout",
    "StatementLine",
    "StripeEvent",
    "VerificationResult",
    "VerificationVisit",
    "WebhookRefusal",
    "YearClosing",
]

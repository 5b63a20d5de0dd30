"""Who is entitled to what, and what they used."""

from vouchers.models.certificates import (
    Certificate,
    CertificateEntry,
    CertificateLine,
    CertificateSuspension,
    Redemption,
)
from vouchers.models.check_facts import EmergencyCase, OtherFunding, StateTask, VisitComplaint, VisitScan
from vouchers.models.fee_revisions import FeeObjection, FeeObjectionAnswer, FeeRevision
from vouchers.models.needs import FeeAssessment, NeedsAssessment
from vouchers.models.plans import IndividualPlan, PlanLine
from vouchers.models.recipients import Absence, Mandate, Recipient, RecipientResidence

__all__ = [
    "Absence",
    "Certificate",
    "CertificateEntry",
    "CertificateLine",
    "CertificateSuspension",
    "EmergencyCase",
    "FeeAssessment",
    "FeeObjection",
    "FeeObjectionAnswer",
    "FeeRevision",
    "IndividualPlan",
    "Mandate",
    "NeedsAssessment",
    "OtherFunding",
    "PlanLine",
    "Recipient",
    "RecipientResidence",
    "Redemption",
    "StateTask",
    "VisitComplaint",
    "VisitScan",
]

"""What is needed and how a contract is won."""

from procurement.models.bids import (
    Bid,
    BidDocument,
    BidFinding,
    ProjectBudgetItem,
    ProjectBudgetSource,
    ProjectKpi,
    ProjectStep,
)
from procurement.models.competitions import CommissionMember, Criterion, Tender
from procurement.models.complaints import Complaint
from procurement.models.evaluation import Award, BidResult, Score
from procurement.models.planning import PlanItem, ProcurementPlan

__all__ = [
    "Award",
    "Bid",
    "BidDocument",
    "BidFinding",
    "BidResult",
    "CommissionMember",
    "Complaint",
    "Criterion",
    "PlanItem",
    "ProcurementPlan",
    "ProjectBudgetItem",
    "ProjectBudgetSource",
    "ProjectKpi",
    "ProjectStep",
    "Score",
    "Tender",
]

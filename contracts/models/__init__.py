"""Who may provide what, at which cost, on what terms."""

from contracts.models.agreements import Contract, ContractLine, Milestone, MilestoneNote, PastTerms
from contracts.models.budgets import BudgetEntry, BudgetLine, ClosedBudgetLine
from contracts.models.catalogue import CpvCode, Service, Tariff, TariffSet, TariffSetItem, Territory
from contracts.models.check_facts import (
    GrantItem,
    ProviderAccount,
    ProviderRelation,
    ProviderSchedule,
    RequiredEvidence,
    ServiceIncompatibility,
)
from contracts.models.clearing import ClearingAgreement
from contracts.models.norms import NormCost
from contracts.models.parameters import CalendarDay, Parameter, ParameterProposal
from contracts.models.parties import (
    Provider,
    ProviderSuspension,
    ProviderUser,
    Worker,
    WorkerQualification,
)

__all__ = [
    "BudgetEntry",
    "BudgetLine",
    "CalendarDay",
    "ClearingAgreement",
    "ClosedBudgetLine",
    "Contract",
    "ContractLine",
    "CpvCode",
    "GrantItem",
    "Milestone",
    "MilestoneNote",
    "NormCost",
    "Parameter",
    "ParameterProposal",
    "PastTerms",
    "Provider",
    "ProviderAccount",
    "ProviderRelation",
    "ProviderSchedule",
    "ProviderSuspension",
    "ProviderUser",
    "RequiredEvidence",
    "Service",
    "ServiceIncompatibility",
    "Tariff",
    "TariffSet",
    "TariffSetItem",
    "Territory",
    "Worker",
    "WorkerQualification",
]

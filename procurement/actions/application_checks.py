"""An application to a project contest and the conditions of its call, as the rule of 8.1 takes them."""

from __future__ import annotations

from decimal import Decimal

from config.clock import local_date
from contracts.parameters import ParameterBook
from procurement.actions.competitions import setting
from procurement.models import Bid, ProjectKpi, Tender
from procurement.rules.project_budget import (
    BudgetItem,
    BudgetSource,
    Indicator,
    ProjectFacts,
    ProjectOutcome,
    ProjectParameters,
    WorkBlock,
    check_project,
)

COFINANCE_OF = "grant.min_cofinance_of"


def project_facts(bid: Bid) -> ProjectFacts:
    """An application as the rule takes it."""
    earmarked = {number: row["source"] for row in bid.earmarks for number in row["items"]}
    sources = sorted(bid.sources.all(), key=lambda row: row.position)
    names = {row.kind: row.name for row in sources}
    documents = sorted(bid.documents.all(), key=lambda row: row.pk)
    return ProjectFacts(
        declared_total=bid.declared_total.amount if bid.declared_total else Decimal(0),
        items=tuple(
            BudgetItem(row.name, row.amount.amount, names.get(earmarked.get(row.position, ""), ""))
            for row in sorted(bid.items.all(), key=lambda row: row.position)
        ),
        sources=tuple(
            BudgetSource(row.name, row.kind, row.amount.amount, row.declared_share, row.conditional) for row in sources
        ),
        multiplier=bid.unit_multiplier,
        declared_item_count=bid.declared_item_count,
        duration_months=bid.duration_months,
        plan=tuple(
            WorkBlock(row.description, row.month_from, row.month_to)
            for row in sorted(bid.work_plan.all(), key=lambda row: row.position)
        ),
        activity_numbers=tuple(bid.activity_numbers),
        indicators=tuple(
            Indicator(row.name, row.baseline, row.target, _stated(row))
            for row in sorted(bid.kpis.all(), key=lambda row: row.position)
        ),
        attachments_named=tuple(row.title for row in documents),
        attachments_given=frozenset(row.title for row in documents if row.present),
        partners_declared=bid.partners_declared,
        partners_listed=len(bid.partners) or None,
        pages_declared=bid.pages_declared,
        last_page_referred=bid.last_page_referred,
    )


def _stated(row: ProjectKpi) -> tuple[Decimal, Decimal] | None:
    if row.stated_baseline is None and row.stated_target is None:
        return None
    baseline = row.baseline if row.stated_baseline is None else row.stated_baseline
    return baseline, row.target if row.stated_target is None else row.stated_target


def project_parameters(tender: Tender) -> ProjectParameters:
    """Conditions of the call as fixed at its publication."""
    return ProjectParameters(
        share_tolerance=Decimal(setting(tender, "grant.share_tolerance")),
        cofinance_percent=Decimal(setting(tender, "grant.min_cofinance_pct")),
        cofinance_basis=setting(tender, "grant.min_cofinance_basis"),
        cofinance_of_grant=rule_at_publication(tender, COFINANCE_OF) == "GRANT",
        grant_cap=tender.value.amount,
    )


def rule_at_publication(tender: Tender, key: str) -> str | None:
    """A dated rule on the day of publication; None where the jurisdiction has none."""
    assert tender.published_at is not None
    on = local_date(tender.published_at, tender.organisation.zone)
    found = ParameterBook.load(tender.organisation, (key,)).get(key, on)
    return str(found.as_version()["value"]) if found else None


def check_application(bid: Bid) -> ProjectOutcome:
    """Judge an application without writing anything."""
    return check_project(facts=project_facts(bid), parameters=project_parameters(bid.tender))

"""Applications to a project contest: kept as drafts with their findings, submitted when nothing blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError
from config.locks import lock_rows
from config.office.models import Attachment
from config.office.storage import attach
from config.transactions import step
from contracts.currency import money
from contracts.models import Provider
from procurement.actions.bids import OTHER, check_open_for_bids, hand_in
from procurement.actions.competitions import locked, setting
from procurement.models import (
    Bid,
    BidDocument,
    BidFinding,
    ProjectBudgetItem,
    ProjectBudgetSource,
    ProjectKpi,
    ProjectStep,
    Tender,
)
from procurement.rules.project_budget import (
    INFO,
    BudgetItem,
    BudgetSource,
    Indicator,
    ProjectFacts,
    ProjectOutcome,
    ProjectParameters,
    WorkBlock,
    check_project,
)


class ApplicationBlocked(DomainError):
    """Findings forbid the submission."""

    code = "APPLICATION_BLOCKED"
    message = _("The application cannot be submitted yet: %(findings)s. Correct it and submit again.")


class ApplicationFixed(DomainError):
    """Only a draft is changed."""

    code = "APPLICATION_FIXED"
    message = _("The application is submitted and can no longer be changed. Make a corrected copy.")


class DocumentUnknown(DomainError):
    """The call does not ask for such a document."""

    code = "DOCUMENT_UNKNOWN"
    message = _("The call does not ask for a document «%(document)s».")


@dataclass(frozen=True)
class SourceDraft:
    """A source of money in whole currency units; ``kind``: grant, own, partner, attracted."""

    kind: str
    title: str
    amount: Decimal
    declared_share: Decimal | None = None


@dataclass(frozen=True)
class ItemDraft:
    """An expense item in whole currency units."""

    title: str
    amount: Decimal


@dataclass(frozen=True)
class KpiDraft:
    """A target of at least ``target``."""

    code: str
    title: str
    baseline: Decimal
    target: Decimal


@dataclass(frozen=True)
class StepDraft:
    """A block of the work plan; both months count."""

    month_from: int
    month_to: int
    description: str
    executors: str = ""


@dataclass(frozen=True)
class ApplicationDraft:
    """The form as filled in. ``earmarks``: kind of source -> numbers of the items it alone finances."""

    title: str
    summary: str
    duration_months: int
    declared_total: Decimal
    sources: Sequence[SourceDraft]
    items: Sequence[ItemDraft]
    kpis: Sequence[KpiDraft] = ()
    plan: Sequence[StepDraft] = ()
    activity_numbers: Sequence[int] = ()
    earmarks: dict[str, list[int]] = field(default_factory=dict)
    unit_multiplier: int = 1


@action
def save_application(
    *,
    tender: Tender,
    provider: Provider,
    draft: ApplicationDraft,
    actor: Actor,
    at: datetime,
    bid: Bid | None = None,
    corrects: Bid | None = None,
) -> Bid:
    """Keep a draft (a new one, or all parts of ``bid`` anew) and the findings about it.

    Money: amounts in whole currency; ``unit_multiplier`` is that of the form. Raises: ApplicationFixed,
    TenderNotActive, BidsClosed. Audit: application.saved.
    """
    tender = locked(tender)
    check_open_for_bids(tender, provider, at)
    bid = _draft_row(tender, provider, bid, at)
    _fill(bid, draft, tender.organisation.currency)
    bid.corrects = corrects or bid.corrects
    bid.save()
    if corrects is not None:
        _copy_documents(corrects, bid)
    _write_parts(bid, draft, tender.organisation.currency)
    outcome = _store_findings(bid, at)
    record(
        "application.saved",
        tender,
        bid,
        provider,
        actor=actor,
        at=at,
        findings=[row.code for row in outcome.findings],
    )
    return bid


def _draft_row(tender: Tender, provider: Provider, bid: Bid | None, at: datetime) -> Bid:
    if bid is None:
        bid = Bid.objects.create(tender=tender, provider=provider, status="draft", status_at=at)
        BidDocument.objects.bulk_create(
            BidDocument(bid=bid, code=row["code"], title=row["title"]) for row in tender.required_documents
        )
        return bid
    bid = lock_rows(Bid.objects.filter(pk=bid.pk))[0]
    if bid.status != "draft":
        raise ApplicationFixed()
    return bid


def _fill(bid: Bid, draft: ApplicationDraft, currency: str) -> None:
    grant = sum((row.amount for row in draft.sources if row.kind == "grant"), Decimal(0))
    bid.project_title, bid.summary = draft.title, draft.summary
    bid.duration_months, bid.unit_multiplier = draft.duration_months, draft.unit_multiplier
    bid.declared_total, bid.grant_requested = money(draft.declared_total, currency), money(grant, currency)
    bid.activity_numbers = list(draft.activity_numbers)
    bid.earmarks = [{"source": kind, "items": numbers} for kind, numbers in draft.earmarks.items()]


def _copy_documents(source: Bid, target: Bid) -> None:
    for row in source.documents.filter(present=True):
        target.documents.filter(code=row.code).update(present=True, attachment_sha256=row.attachment_sha256)


@step
def _write_parts(bid: Bid, draft: ApplicationDraft, currency: str) -> None:
    for rows in (bid.sources, bid.items, bid.kpis, bid.work_plan):
        rows.all().delete()
    ProjectBudgetSource.objects.bulk_create(
        ProjectBudgetSource(
            bid=bid,
            position=position,
            kind=row.kind,
            name=row.title,
            amount=money(row.amount, currency),
            declared_share=row.declared_share,
        )
        for position, row in enumerate(draft.sources, 1)
    )
    ProjectBudgetItem.objects.bulk_create(
        ProjectBudgetItem(bid=bid, position=position, name=row.title, amount=money(row.amount, currency))
        for position, row in enumerate(draft.items, 1)
    )
    ProjectKpi.objects.bulk_create(
        ProjectKpi(bid=bid, position=position, code=row.code, name=row.title, baseline=row.baseline, target=row.target)
        for position, row in enumerate(draft.kpis, 1)
    )
    ProjectStep.objects.bulk_create(
        ProjectStep(
            bid=bid,
            position=position,
            month_from=row.month_from,
            month_to=row.month_to,
            description=row.description,
            executors=row.executors,
        )
        for position, row in enumerate(draft.plan, 1)
    )


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
        sources=tuple(BudgetSource(row.name, row.kind, row.amount.amount, row.declared_share) for row in sources),
        multiplier=bid.unit_multiplier,
        duration_months=bid.duration_months,
        plan=tuple(
            WorkBlock(row.description, row.month_from, row.month_to)
            for row in sorted(bid.work_plan.all(), key=lambda row: row.position)
        ),
        activity_numbers=tuple(bid.activity_numbers),
        indicators=tuple(
            Indicator(row.name, row.baseline, row.target)
            for row in sorted(bid.kpis.all(), key=lambda row: row.position)
        ),
        attachments_named=tuple(row.title for row in documents),
        attachments_given=frozenset(row.title for row in documents if row.present),
    )


def project_parameters(tender: Tender) -> ProjectParameters:
    """Conditions of the call as fixed at its publication."""
    return ProjectParameters(
        share_tolerance=Decimal(setting(tender, "grant.share_tolerance")),
        cofinance_percent=Decimal(setting(tender, "grant.min_cofinance_pct")),
        cofinance_basis=setting(tender, "grant.min_cofinance_basis"),
    )


def check_application(bid: Bid) -> ProjectOutcome:
    """Judge an application without writing anything."""
    return check_project(facts=project_facts(bid), parameters=project_parameters(bid.tender))


@step
def _store_findings(bid: Bid, at: datetime) -> ProjectOutcome:
    outcome = check_application(bid)
    bid.findings.all().delete()
    told = [row for row in outcome.findings if row.severity != INFO]
    BidFinding.objects.bulk_create(
        BidFinding(
            bid=bid,
            position=position,
            code=row.code,
            severity=row.severity,
            text=row.message[:400],
            params=row.params,
            recorded_at=at,
        )
        for position, row in enumerate(told, 1)
    )
    return outcome


@action
def attach_document(
    *, bid: Bid, document: str, filename: str, content: bytes, content_type: str, actor: Actor, at: datetime
) -> Attachment:
    """Add an annex to a draft and judge it again; ``other``: one that the call does not ask for.

    Raises: ApplicationFixed, DocumentUnknown.

    Audit: application.document_added.
    """
    bid = lock_rows(Bid.objects.filter(pk=bid.pk))[0]
    if bid.status != "draft":
        raise ApplicationFixed()
    row = _other_row(bid, filename) if document == OTHER else bid.documents.filter(code=document).first()
    if row is None:
        raise DocumentUnknown(document=document)
    stored = attach(
        organisation=bid.tender.organisation,
        to=bid,
        kind=row.code,
        name=filename,
        content=content,
        content_type=content_type,
        uploaded_by_id=actor.user_id,
        at=at,
    )
    row.present, row.attachment_sha256 = True, stored.sha256
    row.save(update_fields=["present", "attachment_sha256"])
    _store_findings(bid, at)
    record(
        "application.document_added",
        bid,
        actor=actor,
        at=at,
        organisation=bid.tender.organisation.code,
        document=row.code,
        sha256=stored.sha256,
    )
    return stored


@step
def _other_row(bid: Bid, filename: str) -> BidDocument:
    taken = bid.documents.filter(code__startswith=f"{OTHER}_").count()
    return BidDocument.objects.create(bid=bid, code=f"{OTHER}_{taken + 1}", title=filename[-200:])


@action
def submit_application(*, bid: Bid, actor: Actor, at: datetime) -> Bid:
    """Submit an application that no finding blocks; warnings go with it.

    Raises: ApplicationBlocked (the findings are already stored with the draft), ApplicationFixed, TenderNotActive,
    BidsClosed, BidExists. Audit: application.submitted.
    """
    tender = locked(bid.tender)
    bid = lock_rows(Bid.objects.filter(pk=bid.pk))[0]
    if bid.status != "draft":
        raise ApplicationFixed()
    check_open_for_bids(tender, bid.provider, at)
    outcome = _store_findings(bid, at)
    if outcome.blocked:
        blocking = [row.message for row in outcome.findings if row.severity == "block"]
        raise ApplicationBlocked(findings="; ".join(blocking))
    hand_in(bid=bid, actor=actor, at=at)
    record(
        "application.submitted",
        tender,
        bid,
        bid.provider,
        actor=actor,
        at=at,
        grant=bid.grant_requested.amount if bid.grant_requested else None,
        findings=[row.code for row in outcome.findings],
    )
    return bid

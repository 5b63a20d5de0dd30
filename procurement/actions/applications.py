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
from contracts.actions.register import check_acts_for
from contracts.currency import money
from contracts.models import Provider
from procurement.actions.application_checks import check_application
from procurement.actions.bids import OTHER, check_open_for_bids, hand_in
from procurement.actions.competitions import locked
from procurement.finding_words import with_code
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
from procurement.rules.project_budget import BLOCK, ProjectOutcome


class ApplicationBlocked(DomainError):
    """Findings forbid the submission."""

    code = "APPLICATION_BLOCKED"
    message = _("The application cannot be submitted yet. %(findings)s Correct it and submit again.")


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
    """A source of money in whole currency units; ``kind``: grant, own, partner, attracted.

    ``conditional``: it comes only if the contest is won.
    """

    kind: str
    title: str
    amount: Decimal
    declared_share: Decimal | None = None
    conditional: bool = False


@dataclass(frozen=True)
class ItemDraft:
    """An expense item in whole currency units."""

    title: str
    amount: Decimal


@dataclass(frozen=True)
class KpiDraft:
    """A target of at least ``target``; ``stated_*``: what the text says of it in another place."""

    code: str
    title: str
    baseline: Decimal
    target: Decimal
    stated_baseline: Decimal | None = None
    stated_target: Decimal | None = None


@dataclass(frozen=True)
class StepDraft:
    """A block of the work plan; both months count."""

    month_from: int
    month_to: int
    description: str
    executors: str = ""


@dataclass(frozen=True)
class ApplicationDraft:
    """The form as filled in. ``earmarks``: kind of source -> numbers of the items it alone finances.

    ``declared_item_count`` and the lines after it: what the text itself says, to be compared; None: nothing.
    """

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
    declared_item_count: int | None = None
    partners_declared: int | None = None
    partners: Sequence[str] = ()
    pages_declared: int | None = None
    last_page_referred: int | None = None


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

    Money: amounts in whole currency; ``unit_multiplier`` is that of the form. Raises: NotForProvider,
    ApplicationFixed, TenderNotActive, BidsClosed. Audit: application.saved.
    """
    check_acts_for(provider, actor)
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
    bid.declared_item_count = draft.declared_item_count
    bid.partners_declared, bid.partners = draft.partners_declared, list(draft.partners)
    bid.pages_declared, bid.last_page_referred = draft.pages_declared, draft.last_page_referred


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
            conditional=row.conditional,
        )
        for position, row in enumerate(draft.sources, 1)
    )
    ProjectBudgetItem.objects.bulk_create(
        ProjectBudgetItem(bid=bid, position=position, name=row.title, amount=money(row.amount, currency))
        for position, row in enumerate(draft.items, 1)
    )
    ProjectKpi.objects.bulk_create(
        ProjectKpi(
            bid=bid,
            position=position,
            code=row.code,
            name=row.title,
            baseline=row.baseline,
            target=row.target,
            stated_baseline=row.stated_baseline,
            stated_target=row.stated_target,
        )
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


@step
def _store_findings(bid: Bid, at: datetime) -> ProjectOutcome:
    outcome = check_application(bid)
    bid.findings.all().delete()
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
        for position, row in enumerate(outcome.findings, 1)
    )
    return outcome


@action
def attach_document(
    *, bid: Bid, document: str, filename: str, content: bytes, content_type: str, actor: Actor, at: datetime
) -> Attachment:
    """Add an annex to a draft and judge it again; ``other``: one that the call does not ask for.

    Raises: NotForProvider, ApplicationFixed, DocumentUnknown. Audit: application.document_added.
    """
    check_acts_for(bid.provider, actor)
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


def submit_application(*, bid: Bid, actor: Actor, at: datetime) -> Bid:
    """Submit an application that no finding blocks; warnings go with it.

    Raises: NotForProvider, ApplicationBlocked (the findings are stored with the draft), ApplicationFixed,
    TenderNotActive, BidsClosed, BidExists. Audit: application.submitted, or application.refused, which stays although
    the submission is refused.
    """
    outcome = _submit(bid=bid, actor=actor, at=at)
    if isinstance(outcome, ApplicationBlocked):
        raise outcome
    return outcome


@action
def _submit(*, bid: Bid, actor: Actor, at: datetime) -> Bid | ApplicationBlocked:
    check_acts_for(bid.provider, actor)
    tender = locked(bid.tender)
    bid = lock_rows(Bid.objects.filter(pk=bid.pk))[0]
    if bid.status != "draft":
        raise ApplicationFixed()
    check_open_for_bids(tender, bid.provider, at)
    outcome = _store_findings(bid, at)
    blocking = [row for row in outcome.findings if row.severity == BLOCK]
    if blocking:
        codes = list(dict.fromkeys(row.code for row in blocking))
        record("application.refused", tender, bid, bid.provider, actor=actor, at=at, findings=codes)
        return ApplicationBlocked(
            findings=" ".join(with_code(row.code, row.params) for row in blocking),
            lines=[row.message for row in blocking],
        )
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

"""Chapter 4: the project contest with the application of 2005: refused as it stands, accepted when corrected."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

from django.utils.translation import gettext_noop

from config.demo import application_2005 as form
from config.demo.chapters.tendering import COMMISSION, announce, declare_no_conflict
from config.demo.stage import Stage, ensure, moment
from contracts.actions.agreements import AgreedMilestone
from contracts.models import BudgetLine, Provider
from procurement.actions.applications import (
    ApplicationBlocked,
    ApplicationDraft,
    ItemDraft,
    KpiDraft,
    SourceDraft,
    StepDraft,
    attach_document,
    save_application,
    submit_application,
)
from procurement.actions.awards import award_tender, conclude_grant
from procurement.actions.bids import admit_bid, open_bids
from procurement.actions.competitions import CriterionDraft, draft_tender
from procurement.actions.evaluation import evaluate_tender, lock_scores, score_bid
from procurement.models import Bid, PlanItem, Tender

TITLE = "Конкурс соціальних проєктів 2025"
CRITERIA = (
    CriterionDraft("relevance", "Актуальність проєкту", D(30), must=True),
    CriterionDraft("results", "Очікувані результати", D(30)),
    CriterionDraft("capacity", "Спроможність виконавця", D(20)),
    CriterionDraft("budget", "Обґрунтованість бюджету", D(20)),
)
MARKS = {"relevance": D(5), "results": D(4), "capacity": D(4), "budget": D(4)}


def hold_contest(stage: Stage) -> None:
    """From the call to the grant agreement with its milestones."""
    stage.say(11, gettext_noop("Competition of social projects"))
    tender = _call(stage)
    _apply(stage, tender)
    _decide(stage, tender)


def _call(stage: Stage) -> Tender:
    item = PlanItem.objects.get(plan__organisation=stage.organisation, way="project_contest")
    tender = ensure(
        Tender.objects.filter(organisation=stage.organisation, title=TITLE),
        lambda: draft_tender(
            organisation=stage.organisation,
            kind="project_contest",
            title=TITLE,
            budget_line=BudgetLine.objects.get(organisation=stage.organisation, code="SOC-GRANT", year=2025),
            value=D("1500000.00"),
            criteria=CRITERIA,
            plan_item=item,
            contract_from=date(2025, 11, 1),
            contract_to=date(2026, 11, 1),
            required_documents=[{"code": code, "title": title} for code, title in form.ATTACHMENTS],
            actor=stage.actor("bohdan"),
            at=moment(2025, 8, 11),
        ),
    )
    return announce(
        stage,
        tender,
        approved_at=moment(2025, 8, 12),
        appointed_at=moment(2025, 8, 12, 12),
        published_at=moment(2025, 8, 13),
        bids_close_at=moment(2025, 9, 19, 18),
    )


def draft_of_2005(*, corrected: bool) -> ApplicationDraft:
    """The form of 2005 in hryvnias; corrected: the missing 30.00 thousand added to one named item."""
    thousand = D(form.UNIT_MULTIPLIER)
    items = [
        ItemDraft(
            name,
            (amount + (form.CORRECTION if corrected and number == form.CORRECTED_ITEM else D(0))) * thousand,
        )
        for number, (name, amount) in enumerate(form.ITEMS, 1)
    ]
    return ApplicationDraft(
        title=form.TITLE,
        summary=form.SUMMARY,
        duration_months=form.DURATION_MONTHS,
        declared_total=form.DECLARED_TOTAL * thousand,
        sources=[
            SourceDraft(kind, name, amount * thousand, share, kind == form.CONDITIONAL_SOURCE)
            for kind, name, amount, share in form.SOURCES
        ],
        items=items,
        kpis=[KpiDraft(code, name, baseline, target) for code, name, baseline, target in form.KPIS],
        plan=[StepDraft(first, last, text, executors) for first, last, text, executors in form.WORK_PLAN],
        activity_numbers=form.ACTIVITY_NUMBERS,
        earmarks={form.EARMARK_SOURCE: list(form.EARMARK_ITEMS)},
        unit_multiplier=form.UNIT_MULTIPLIER,
        declared_item_count=form.DECLARED_ITEM_COUNT,
        partners_declared=form.PARTNERS_DECLARED,
        partners=form.PARTNERS,
        pages_declared=form.PAGES_DECLARED,
        last_page_referred=form.LAST_PAGE_REFERRED,
    )


def _apply(stage: Stage, tender: Tender) -> None:
    provider = Provider.objects.get(code="TURBOTA")
    common = {"tender": tender, "provider": provider, "actor": stage.actor("nadiia")}
    refused = ensure(
        Bid.objects.filter(tender=tender, provider=provider, corrects=None),
        lambda: save_application(draft=draft_of_2005(corrected=False), at=moment(2025, 9, 3), **common),  # type: ignore[arg-type]
    )
    copy = Bid.objects.filter(tender=tender, corrects=refused).first()
    if copy is None:
        try:
            submit_application(bid=refused, actor=stage.actor("nadiia"), at=moment(2025, 9, 3, 11))
        except ApplicationBlocked as refusal:
            stage.notes["application"] = refusal.sentence
        copy = save_application(
            draft=draft_of_2005(corrected=True),
            corrects=refused,
            at=moment(2025, 9, 8),
            **common,  # type: ignore[arg-type]
        )
    if copy.status == "draft":
        for code, title in form.ATTACHMENTS:
            attach_document(
                bid=copy,
                document=code,
                filename=f"{code}.txt",
                content=f"{title}\n{form.SOURCE}\n".encode(),
                content_type="text/plain",
                actor=stage.actor("nadiia"),
                at=moment(2025, 9, 8, 11),
            )
        submit_application(bid=copy, actor=stage.actor("nadiia"), at=moment(2025, 9, 9))


def _decide(stage: Stage, tender: Tender) -> None:
    if tender.status != "active":
        return
    officer = stage.actor("bohdan")
    if tender.evaluated_at is None:
        declare_no_conflict(stage, tender, at=moment(2025, 9, 22, 9))
        if tender.opened_at is None:
            open_bids(tender=tender, actor=officer, at=moment(2025, 9, 22, 10))
        bid = Bid.objects.exclude(corrects=None).get(tender=tender)
        if bid.status == "opened":
            admit_bid(bid=bid, actor=officer, at=moment(2025, 9, 22, 11))
        for name in COMMISSION:
            score_bid(bid=bid, marks=MARKS, actor=stage.actor(name), at=moment(2025, 9, 24))
            lock_scores(tender=tender, actor=stage.actor(name), at=moment(2025, 9, 24, 12))
        evaluate_tender(tender=tender, actor=officer, at=moment(2025, 9, 25))
        tender.refresh_from_db()
    award = tender.awards.first()
    if award is None:
        (award,) = award_tender(
            tender=tender, reason="Проєкт пройшов поріг балів.", actor=officer, at=moment(2025, 9, 26)
        )
    conclude_grant(
        award=award,
        milestones=[
            AgreedMilestone("start", "Початок: перший транш", date(2025, 11, 10), D("520000.00")),
            AgreedMilestone("report_1", "Перший звіт прийнято", date(2026, 3, 10), D("520000.00")),
            AgreedMilestone("final", "Підсумковий звіт прийнято", date(2026, 11, 30), D("260000.00")),
        ],
        provider_user_id=stage.people["nadiia"].pk,
        actor=officer,
        at=moment(2025, 10, 9),
    )

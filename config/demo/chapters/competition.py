"""Chapter 3: the plan of needs, the social-order competition for home care, the contracts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

from django.utils.translation import gettext_noop

from config.demo.chapters.ground import DAY, HOME, REHAB, RESIDENCE, TRIP
from config.demo.chapters.tendering import COMMISSION, announce, declare_no_conflict
from config.demo.stage import Stage, ensure, moment
from config.office.storage import GivenFile
from contracts.actions.agreements import AgreedLine, conclude_register_contract, sign_contract
from contracts.models import BudgetLine, Contract, NormCost, Provider, Service
from procurement.actions.awards import award_tender, conclude_social_order
from procurement.actions.bids import admit_bid, open_bids, reject_bid, submit_bid
from procurement.actions.competitions import CriterionDraft, draft_tender
from procurement.actions.evaluation import evaluate_tender, lock_scores, score_bid
from procurement.actions.planning import add_plan_item, approve_plan, create_plan
from procurement.models import Bid, PlanItem, ProcurementPlan, Tender

TITLE = "Соціальне замовлення: догляд вдома, 2025"

# Order 332/2015 names the six criteria; the weights are the rule book's default (3.4).
CRITERIA = (
    CriterionDraft("compliance", "Відповідність критеріям діяльності надавачів", D(10), must=True),
    CriterionDraft("finance", "Фінансовий стан", D(10)),
    CriterionDraft("experience", "Досвід", D(20)),
    CriterionDraft("staff", "Кваліфікація персоналу", D(20)),
    CriterionDraft("volume", "Планова кількість отримувачів", D(10), kind="volume"),
    CriterionDraft("price", "Вартість соціальної послуги", D(30), kind="price"),
)

# Rulebook 3.4: provider, user, price, recipients, marks (compliance, finance, experience, staff) or none when refused.
BIDS = (
    ("TURBOTA", "nadiia", D("85.00"), 120, (5, 4, 5, 4)),
    ("TERCENTR", "lidiia", D("78.50"), 90, (5, 5, 3, 4)),
    ("ZATYSHOK", "larysa", D("101.00"), 150, None),
)

# Contracts of the register: provider, representative, service lines with price and ceiling of units.
REGISTER = (
    ("OPORA", "taras", "C-2025-OPORA", ((HOME, D("95.00"), None),)),
    ("TERCENTR", "lidiia", "C-2025-TERC", ((HOME, D("92.00"), None), (DAY, D("440.00"), None))),
    (
        "DRC",
        "roman",
        "C-2025-DRC",
        ((REHAB, D("158.00"), None), (TRIP, D("180.00"), D(140)), (RESIDENCE, D("540.00"), None)),
    ),
)


def hold_competition(stage: Stage) -> None:
    """Plan, tender, sealed bids, opening, scores, award, contract; and contracts with providers of the register."""
    stage.say(7, gettext_noop("Plan of needs and the social order competition"))
    item = _plan(stage)
    tender = _tender(stage, item)
    _bids(stage, tender)
    _judge(stage, tender)
    _contract(stage, tender)
    for provider, user, number, lines in REGISTER:
        _register_contract(stage, provider, user, number, lines)


def _plan(stage: Stage) -> PlanItem:
    plan = ensure(
        ProcurementPlan.objects.filter(organisation=stage.organisation, year=2025),
        lambda: create_plan(
            organisation=stage.organisation,
            year=2025,
            population_urban=45000,
            population_rural=4000,
            rationale="За оцінкою потреб населення: 371 особа потребує догляду, денного догляду або реабілітації.",
            actor=stage.actor("bohdan"),
            at=moment(2024, 12, 20),
        ),
    )
    care = BudgetLine.objects.get(organisation=stage.organisation, code="SOC-CARE", year=2025)
    grant = BudgetLine.objects.get(organisation=stage.organisation, code="SOC-GRANT", year=2025)
    rows = (
        ("Догляд вдома", "social_order", HOME, 150, D(30000), care, D("2200000.00")),
        ("Денний догляд", "register", DAY, 40, D(1600), care, D("720000.00")),
        ("Соціально-психологічна реабілітація", "register", REHAB, 50, D(1500), care, D("240000.00")),
        ("Підвищення якості послуг: конкурс проєктів", "project_contest", None, 0, D(0), grant, D("1500000.00")),
    )
    for title, way, code, recipients, units, line, value in rows:
        ensure(
            plan.items.filter(title=title),
            lambda title=title, way=way, code=code, recipients=recipients, units=units, line=line, value=value: (  # type: ignore[misc]
                add_plan_item(
                    plan=plan,
                    title=title,
                    way=way,
                    service=Service.objects.filter(organisation=stage.organisation, code=code).first(),
                    recipients_planned=recipients,
                    units_planned=units,
                    budget_line=line,
                    value=value,
                    actor=stage.actor("bohdan"),
                    at=moment(2024, 12, 20),
                )
            ),
        )
    if plan.approved_at is None:
        approve_plan(plan=plan, actor=stage.actor("oksana"), at=moment(2024, 12, 23))
    return plan.items.get(way="social_order")


def _tender(stage: Stage, item: PlanItem) -> Tender:
    tender = ensure(
        Tender.objects.filter(organisation=stage.organisation, title=TITLE),
        lambda: draft_tender(
            organisation=stage.organisation,
            kind="social_order",
            title=TITLE,
            budget_line=item.budget_line,
            value=D("2200000.00"),
            criteria=CRITERIA,
            plan_item=item,
            service=item.service,
            norm_cost=NormCost.objects.get(
                service=item.service, territory=None, status="approved", valid_from=date(2025, 1, 1)
            ),
            units_planned=D(30000),
            contract_from=date(2025, 4, 1),
            contract_to=date(2026, 1, 1),
            required_documents=[{"code": "statute", "title": "Статут"}],
            actor=stage.actor("bohdan"),
            at=moment(2025, 1, 20),
        ),
    )
    return announce(
        stage,
        tender,
        approved_at=moment(2025, 1, 21),
        appointed_at=moment(2025, 1, 21, 12),
        published_at=moment(2025, 1, 22),
        bids_close_at=moment(2025, 2, 24, 18),
    )


def _bids(stage: Stage, tender: Tender) -> None:
    for day, (provider, user, price, recipients, _marks) in enumerate(BIDS, 10):
        ensure(
            Bid.objects.filter(tender=tender, provider__code=provider),
            lambda provider=provider, user=user, price=price, recipients=recipients, day=day: submit_bid(  # type: ignore[misc]
                tender=tender,
                provider=Provider.objects.get(code=provider),
                unit_price=price,
                recipients=recipients,
                documents={"statute": GivenFile("statut.txt", "Статут (вигаданий)".encode(), "text/plain")},
                note="",
                actor=stage.actor(user),
                at=moment(2025, 2, day),
            ),
        )


def _judge(stage: Stage, tender: Tender) -> None:
    if tender.evaluated_at is not None:
        return
    declare_no_conflict(stage, tender, at=moment(2025, 2, 25, 9))
    if tender.opened_at is None:
        open_bids(tender=tender, actor=stage.actor("bohdan"), at=moment(2025, 2, 25, 11))
    for provider, _user, _price, _recipients, marks in BIDS:
        bid = Bid.objects.get(tender=tender, provider__code=provider)
        if marks is None:
            if bid.status != "rejected":
                reject_bid(
                    bid=bid,
                    ground="PRC-REJ-6",
                    reason="Ціна 101,00 вища за норматив вартості 96,54.",
                    actor=stage.actor("bohdan"),
                    at=moment(2025, 2, 25, 12),
                )
            continue
        if bid.status == "opened":
            admit_bid(bid=bid, actor=stage.actor("bohdan"), at=moment(2025, 2, 25, 12))
        codes = ("compliance", "finance", "experience", "staff")
        for name in COMMISSION:
            score_bid(
                bid=bid,
                marks={code: D(mark) for code, mark in zip(codes, marks, strict=True)},
                actor=stage.actor(name),
                at=moment(2025, 2, 26),
            )
    for name in COMMISSION:
        lock_scores(tender=tender, actor=stage.actor(name), at=moment(2025, 2, 26, 15))
    evaluate_tender(tender=tender, actor=stage.actor("bohdan"), at=moment(2025, 2, 27))
    tender.refresh_from_db()


def _contract(stage: Stage, tender: Tender) -> None:
    award = tender.awards.first()
    if award is None:
        (award,) = award_tender(
            tender=tender,
            reason="Найвища сума балів.",
            actor=stage.actor("bohdan"),
            at=moment(2025, 2, 28),
        )
    if award.contract_id is None:
        conclude_social_order(
            award=award,
            provider_user_id=stage.people["nadiia"].pk,
            actor=stage.actor("bohdan"),
            at=moment(2025, 3, 14),
        )


def _register_contract(
    stage: Stage, provider: str, user: str, number: str, lines: tuple[tuple[str, D, D | None], ...]
) -> None:
    contract = ensure(
        Contract.objects.filter(organisation=stage.organisation, number=number),
        lambda: conclude_register_contract(
            organisation=stage.organisation,
            provider=Provider.objects.get(code=provider),
            budget_line=BudgetLine.objects.get(organisation=stage.organisation, code="SOC-CARE", year=2025),
            lines=[
                AgreedLine(Service.objects.get(organisation=stage.organisation, code=code), price, ceiling)
                for code, price, ceiling in lines
            ],
            valid_from=date(2025, 1, 1),
            # The state centre's contract ends three days before the month does.
            valid_to=date(2025, 11, 29) if provider == "DRC" else date(2026, 1, 1),
            number=number,
            actor=stage.actor("bohdan"),
            at=moment(2024, 12, 27),
        ),
    )
    if contract.status == "pending":
        sign_contract(
            contract=contract,
            provider_user_id=stage.people[user].pk,
            actor=stage.actor("bohdan"),
            at=moment(2024, 12, 30),
        )

"""The first steps of the road for tests, through the same actions as people use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.accounts.models import Organisation, User
from config.audit.actors import Actor
from config.office.storage import GivenFile
from contracts.actions import agreements, budgets, catalogue, norms, register
from contracts.actions.reference import load_reference
from contracts.models import BudgetLine, Contract, NormCost, Provider, Service
from contracts.rules.norm_cost import AdministrativeCosts, CostItem, NormCostFacts, StaffPay
from procurement.actions import applications, bids, competitions, evaluation
from procurement.models import Bid, Tender

KYIV = ZoneInfo("Europe/Kyiv")
PUBLISHED = datetime(2025, 2, 3, 10, 0, tzinfo=KYIV)
CLOSE = datetime(2025, 3, 5, 18, 0, tzinfo=KYIV)
OPENING = CLOSE + timedelta(hours=1)
SCORED = datetime(2025, 3, 7, 10, 0, tzinfo=KYIV)
# Five working days after the award on 7 March, and a minute.
AFTER_STANDSTILL = datetime(2025, 3, 15, 0, 1, tzinfo=KYIV)
MEMBERS = ("chair", "member2", "member3", "member4", "member5")

NORM_FACTS = NormCostFacts(
    staff=(StaffPay("соціальний робітник", Decimal("8700.00")),),
    hours_month=Decimal(167),
    utilisation=Decimal("0.80"),
    purchases=(CostItem("витратні матеріали", Decimal("3.10")),),
    other_direct=(CostItem("проїзд", Decimal("4.23")),),
    administrative=AdministrativeCosts(Decimal(42000), Decimal(208800)),
)

CRITERIA = (
    competitions.CriterionDraft("compliance", "Відповідність критеріям", Decimal(10), must=True),
    competitions.CriterionDraft("finance", "Фінансовий стан", Decimal(10)),
    competitions.CriterionDraft("experience", "Досвід", Decimal(20)),
    competitions.CriterionDraft("staff", "Кваліфікація персоналу", Decimal(20)),
    competitions.CriterionDraft("recipients", "Кількість отримувачів", Decimal(10), "volume"),
    competitions.CriterionDraft("price", "Вартість послуги", Decimal(30), "price"),
)
CONTEST_CRITERIA = (
    competitions.CriterionDraft("relevance", "Актуальність", Decimal(40), must=True),
    competitions.CriterionDraft("results", "Очікувані результати", Decimal(35)),
    competitions.CriterionDraft("budget", "Обґрунтованість бюджету", Decimal(25)),
)
# Rulebook 3.4: price, marks (compliance, finance, experience, staff), recipients.
OFFERS = {
    "A": ("85.00", (5, 4, 5, 4), 120),
    "B": ("78.50", (5, 5, 3, 4), 90),
    "C": ("101.00", (5, 5, 5, 5), 150),
}
# Who acts for the bidders.
BIDDERS = {"A": "nadiia", "B": "taras", "C": "roman"}
ANNEXES = ("form_1", "form_2", "sources", "protocol", "partners", "cv")


@dataclass
class Road:
    """Builds what a test needs, once each, in the order of the road."""

    organisation: Organisation
    cast: dict[str, User]
    at: datetime = PUBLISHED

    def actor(self, username: str) -> Actor:
        return self.cast[username].as_actor()

    @cached_property
    def law(self) -> bool:
        load_reference(at=self.at)
        return True

    @cached_property
    def service(self) -> Service:
        values = {
            "name_uk": "Догляд вдома",
            "name_ru": "Уход на дому",
            "name_en": "Home care",
            "level": "complex",
            "form": "home",
            "unit": "hour",
            "granularity": Decimal("0.25"),
        }
        return catalogue.add_service(
            organisation=self.organisation, code="015.1", values=values, actor=self.actor("bohdan"), at=self.at
        )

    @cached_property
    def line(self) -> BudgetLine:
        return budgets.add_budget_line(
            organisation=self.organisation,
            code="0813104-2240",
            year=2025,
            amount=Decimal("5000000.00"),
            title="Догляд вдома",
            actor=self.actor("halyna"),
            at=self.at,
        )

    def draft_norm(self, valid_from: date = date(2025, 1, 1), facts: NormCostFacts = NORM_FACTS) -> NormCost:
        assert self.law
        return norms.draft_norm_cost(
            organisation=self.organisation,
            service=self.service,
            facts=facts,
            valid_from=valid_from,
            act="рішення виконкому 12 від 20.12.2024",
            actor=self.actor("bohdan"),
            at=self.at,
        )

    @cached_property
    def norm(self) -> NormCost:
        return norms.approve_norm_cost(norm=self.draft_norm(), actor=self.actor("oksana"), at=self.at)

    def provider(self, code: str, username: str = "", admitted: bool = True) -> Provider:
        provider = Provider.objects.filter(code=code).first() or self._registered(code, admitted)
        if username:
            register.appoint_representative(
                organisation=self.organisation,
                provider=provider,
                user=self.cast[username],
                actor=self.actor("admin"),
                at=self.at,
            )
        return provider

    def _registered(self, code: str, admitted: bool) -> Provider:
        provider = register.register_provider(
            organisation=self.organisation,
            code=code,
            title=f"Надавач {code}",
            sector="nonprofit",
            actor=self.actor("bohdan"),
            at=self.at,
        )
        if admitted:
            provider = register.admit_provider(
                organisation=self.organisation,
                provider=provider,
                from_date=date(2024, 1, 1),
                actor=self.actor("bohdan"),
                at=self.at,
            )
        return provider

    def register_contract(self, provider: Provider, rate: str = "95.00") -> Contract:
        assert self.norm
        contract = agreements.conclude_register_contract(
            organisation=self.organisation,
            provider=provider,
            budget_line=self.line,
            lines=[agreements.AgreedLine(self.service, Decimal(rate))],
            valid_from=date(2025, 4, 1),
            valid_to=date(2026, 1, 1),
            actor=self.actor("bohdan"),
            at=self.at,
        )
        return agreements.sign_contract(
            contract=contract, provider_user_id=self.cast["nadiia"].pk, actor=self.actor("bohdan"), at=self.at
        )

    # --- competitions --------------------------------------------------------------------------

    def draft_order(self) -> Tender:
        return competitions.draft_tender(
            organisation=self.organisation,
            kind="social_order",
            title="Догляд вдома на 2025 рік",
            budget_line=self.line,
            value=Decimal("1000000.00"),
            criteria=CRITERIA,
            service=self.service,
            norm_cost=self.norm,
            units_planned=Decimal(11000),
            contract_from=date(2025, 4, 1),
            contract_to=date(2026, 1, 1),
            required_documents=[{"code": "statute", "title": "Статут"}],
            actor=self.actor("bohdan"),
            at=self.at,
        )

    def draft_contest(self) -> Tender:
        assert self.law
        return competitions.draft_tender(
            organisation=self.organisation,
            kind="project_contest",
            title="Конкурс соціальних проєктів",
            budget_line=self.line,
            value=Decimal("1500000.00"),
            criteria=CONTEST_CRITERIA,
            contract_from=date(2025, 4, 1),
            contract_to=date(2026, 4, 1),
            required_documents=[{"code": code, "title": code} for code in ANNEXES],
            actor=self.actor("bohdan"),
            at=self.at,
        )

    def appoint(self, tender: Tender) -> None:
        chair, *others = (self.cast[name] for name in MEMBERS)
        competitions.appoint_commission(
            tender=tender, chair=chair, members=others, actor=self.actor("bohdan"), at=self.at
        )

    def publish(self, tender: Tender) -> Tender:
        self.appoint(tender)
        competitions.approve_tender(tender=tender, actor=self.actor("oksana"), at=self.at)
        return competitions.publish_tender(tender=tender, bids_close_at=CLOSE, actor=self.actor("bohdan"), at=self.at)

    def bid(self, tender: Tender, code: str, at: datetime = PUBLISHED + timedelta(days=10)) -> Bid:
        price, _marks, recipients = OFFERS[code]
        return bids.submit_bid(
            tender=tender,
            provider=self.provider(code, BIDDERS[code]),
            unit_price=Decimal(price),
            recipients=recipients,
            documents={"statute": GivenFile("statute.pdf", b"statute of " + code.encode())},
            note="",
            actor=self.actor(BIDDERS[code]),
            at=at,
        )

    def open_with_declarations(self, tender: Tender) -> None:
        for name in MEMBERS:
            competitions.declare_interest(
                tender=tender, conflict=False, statement="не маю", actor=self.actor(name), at=CLOSE
            )
        bids.open_bids(tender=tender, actor=self.actor("bohdan"), at=OPENING)

    def mark(self, bid: Bid, marks: dict[str, Decimal]) -> None:
        for name in MEMBERS:
            evaluation.score_bid(bid=bid, marks=marks, actor=self.actor(name), at=SCORED)

    def lock(self, tender: Tender) -> None:
        for name in MEMBERS:
            evaluation.lock_scores(tender=tender, actor=self.actor(name), at=SCORED)

    def scored_order(self) -> tuple[Tender, dict[str, Bid]]:
        """The competition of rulebook 3.4, scored and locked, not yet evaluated."""
        tender = self.publish(self.draft_order())
        offered = {code: self.bid(tender, code) for code in OFFERS}
        self.open_with_declarations(tender)
        bids.reject_bid(
            bid=offered["C"],
            ground="PRC-REJ-6",
            reason="101,00 вище за норматив 96,54",
            actor=self.actor("bohdan"),
            at=OPENING,
        )
        for code in ("A", "B"):
            bids.admit_bid(bid=offered[code], actor=self.actor("bohdan"), at=OPENING)
            marks = dict(zip(("compliance", "finance", "experience", "staff"), OFFERS[code][1], strict=True))
            self.mark(offered[code], {name: Decimal(value) for name, value in marks.items()})
        self.lock(tender)
        return tender, offered


def seed_application(*, correction: Decimal = Decimal(0)) -> applications.ApplicationDraft:
    """The application of seed 002 in hryvnias, the form in thousands; ``correction`` is added to one item."""
    amounts = ("963450", "184800", "1559000", "111000", "162700", "52000", "105050")
    titles = (
        "Офіси соціальних послуг",
        "Транспорт",
        "Партнерство з громадськими організаціями",
        "Поширення соціальної інформації",
        "Волонтерський рух",
        "Незалежна оцінка",
        "Інноваційні соціальні технології",
    )
    amounts_of = [Decimal(amount) for amount in amounts]
    amounts_of[0] += correction
    sources = (
        ("grant", "Грант конкурсу", "1300000", "41.03"),
        ("partner", "Партнери", "100000", "3.16"),
        ("own", "Учасник конкурсу", "268000", "8.46"),
        ("attracted", "Залучені кошти", "1500000", "47.35"),
    )
    months = ((1, 1), (2, 2), (3, 3), (5, 5), (4, 12), (4, 12), (12, 12))
    return applications.ApplicationDraft(
        title="Інноваційний механізм підвищення якості соціальних послуг",
        summary="Мережа електронних офісів",
        duration_months=12,
        declared_total=Decimal(3168000),
        sources=[
            applications.SourceDraft(kind, title, Decimal(amount), Decimal(share), kind == "own")
            for kind, title, amount, share in sources
        ],
        items=[applications.ItemDraft(title, amount) for title, amount in zip(titles, amounts_of, strict=True)],
        kpis=[applications.KpiDraft("offices", "Офіси", Decimal(20), Decimal(50))],
        plan=[applications.StepDraft(first, last, f"етап {first}-{last}") for first, last in months],
        activity_numbers=[1, 2, 3, 4, 5, 6, 7, 10],
        earmarks={"own": [5, 7]},
        unit_multiplier=1000,
        declared_item_count=7,
        partners_declared=3,
        partners=["НАДУ", "ХПІ", "Довіра", "Промінь"],
        pages_declared=42,
        last_page_referred=33,
    )


def sign_in(client: Client, user: User) -> Client:
    """The client, signed in as a person of the cast."""
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def assert_same_queries(client: Client, url: str, grow: Callable[[], object]) -> None:
    """A list costs the same number of queries with more rows; the first request warms what is kept in memory."""
    client.get(url)
    with CaptureQueriesContext(connection) as before:
        assert client.get(url).status_code == 200
    grow()
    with CaptureQueriesContext(connection) as after:
        assert client.get(url).status_code == 200
    assert len(after) == len(before), [query["sql"] for query in after.captured_queries]

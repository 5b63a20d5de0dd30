"""Chapter 2: norm costs from components, approved by a second person; a published tariff decision."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal as D

from django.utils.translation import gettext_noop

from config.demo.chapters.ground import ADAPTATION, CRISIS, DAY, HOME, REHAB, RESIDENCE, TRIP
from config.demo.stage import Stage, ensure, moment
from contracts.actions.catalogue import PricedAction, approve_tariff_set
from contracts.actions.norms import approve_norm_cost, draft_norm_cost
from contracts.models import NormCost, Provider, Service, TariffSet, Territory
from contracts.rules.norm_cost import AdministrativeCosts, CostItem, NormCostFacts, StaffPay

DECIDED = moment(2024, 12, 16)
ACT = "Рішення виконкому вигаданої Вербівської міської ради № 212 від 19.12.2024"

Components = tuple[D, D, D, D, D]
# service -> pay of the main worker a month, working hours a month, share of contact time, purchases, transport
COMPONENTS = {
    HOME: (D("9000.00"), D("167"), D("0.80"), D("1.90"), D("2.35")),
    DAY: (D("11000.00"), D("168"), D("0.90"), D("38.00"), D("12.00")),
    REHAB: (D("14200.00"), D("167"), D("0.75"), D("6.00"), D("0.00")),
    TRIP: (D("9600.00"), D("165"), D("0.85"), D("14.00"), D("31.50")),
    RESIDENCE: (D("9800.00"), D("168"), D("0.95"), D("118.00"), D("6.00")),
}
# Working hours of a unit that is no hour of one person's own.
UNIT_HOURS = {DAY: D("4"), TRIP: D("1.5"), RESIDENCE: D("5"), ADAPTATION: D("0.25"), CRISIS: D("1.5")}
# Home care in the pilot of December 2024.
PILOT = (D("8700.00"), D("167"), D("0.80"), D("1.90"), D("2.35"))
# A village norm of home care, lower than the town's: known in October, in force from November.
VILLAGE = (D("8500.00"), D("167"), D("0.80"), D("1.90"), D("1.20"))

# Vinnytsia city territorial centre, prices from 01.04.2025 (novyny.zt.ua, 24.03.2025); minutes follow from the prices.
VINNYTSIA_RATE = D("107.97")
VINNYTSIA = (
    ("Придбання і доставка: магазин", 30, "53.99"),
    ("Придбання і доставка: аптека", 30, "53.99"),
    ("Придбання і доставка: ринок", 84, "151.16"),
    ("Доставка гарячих обідів", 60, "107.97"),
    ("Підготовка продуктів, миття овочів, посуду", 18, "32.39"),
    ("Винесення сміття", 8, "14.40"),
    ("Приготування їжі", 60, "107.97"),
    ("Допомога при консервації овочів і фруктів", 90, "161.96"),
    ("Косметичне прибирання житла", 22, "39.59"),
    ("Розпалення печей, піднесення вугілля, дров, доставка води", 42, "75.58"),
    ("Розчищення снігу", 20, "35.99"),
    ("Оплата комунальних платежів", 45, "80.98"),
)


def publish_norms(stage: Stage) -> None:
    """Norm costs of the five services and the village norm; the tariff set."""
    stage.say(4, gettext_noop("Norm costs and prices"))
    for code, components in COMPONENTS.items():
        # A norm holds for the budget year; the next year's one waits for its approver.
        set_norm(stage, code, components, valid_from=date(2025, 1, 1), valid_to=date(2026, 1, 1), act=ACT)
    set_norm(
        stage,
        HOME,
        PILOT,
        valid_from=date(2024, 12, 1),
        valid_to=date(2025, 1, 1),
        act="Рішення виконкому вигаданої Вербівської міської ради № 180 від 14.11.2024",
        decided=moment(2024, 11, 11),
    )
    set_norm(
        stage,
        HOME,
        VILLAGE,
        valid_from=date(2025, 11, 1),
        act="Рішення виконкому вигаданої Вербівської міської ради № 187 від 23.10.2025",
        territory="HAI",
        decided=moment(2025, 10, 20),
    )
    _tariffs(stage)


def set_norm(
    stage: Stage,
    code: str,
    components: Components,
    *,
    valid_from: date,
    act: str,
    valid_to: date | None = None,
    territory: str = "",
    decided: datetime = DECIDED,
) -> None:
    """A norm cost that a second person has approved."""
    norm = draft_norm(
        stage, code, components, valid_from=valid_from, valid_to=valid_to, act=act, territory=territory, at=decided
    )
    if norm.status == "draft":
        approve_norm_cost(norm=norm, actor=stage.actor("oksana"), at=decided)


def draft_norm(
    stage: Stage,
    code: str,
    components: Components,
    *,
    valid_from: date,
    act: str,
    at: datetime,
    valid_to: date | None = None,
    territory: str = "",
    reason: str = "",
) -> NormCost:
    """A norm cost drafted from its components, or the one that is there."""
    service = Service.objects.get(organisation=stage.organisation, code=code)
    place = Territory.objects.filter(organisation=stage.organisation, code=territory).first()
    pay, hours, share, purchases, transport = components
    return ensure(
        NormCost.objects.filter(service=service, territory=place, valid_from=valid_from),
        lambda: draft_norm_cost(
            organisation=stage.organisation,
            service=service,
            facts=NormCostFacts(
                staff=(StaffPay("Соціальний працівник", pay),),
                hours_month=hours,
                utilisation=share,
                purchases=(CostItem("Витратні матеріали", purchases),),
                other_direct=(CostItem("Проїзд", transport),),
                # The same share of administrative costs as in the rule book's example: the 15 % ceiling binds.
                administrative=AdministrativeCosts(D("42000.00"), D("230400.00")),
                hours_per_unit=UNIT_HOURS.get(code),
            ),
            valid_from=valid_from,
            valid_to=valid_to,
            territory=place,
            act=act,
            reason=reason,
            actor=stage.actor("bohdan"),
            at=at,
        ),
    )


def _tariffs(stage: Stage) -> None:
    provider = Provider.objects.get(code="TERCENTR")
    ensure(
        TariffSet.objects.filter(organisation=stage.organisation, code="TS-2025-04"),
        lambda: approve_tariff_set(
            organisation=stage.organisation,
            provider=provider,
            code="TS-2025-04",
            title="Тарифи на послуги догляду вдома за часом (взірець: Вінниця, з 01.04.2025)",
            basis="Рішення виконкому Вінницької міської ради від 20.03.2025, novyny.zt.ua 24.03.2025",
            basis_date=date(2025, 3, 20),
            rows=[PricedAction(title, D(price), minutes) for title, minutes, price in VINNYTSIA],
            hour_rate=VINNYTSIA_RATE,
            valid_from=date(2025, 4, 1),
            evidence="V-SEC",
            actor=stage.actor("bohdan"),
            at=moment(2025, 3, 27),
        ),
    )

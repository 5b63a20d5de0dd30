"""Chapter 1: the municipality, its people, budget, territories, services, providers and workers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from config.accounts.actions import create_organisation
from config.accounts.models import Organisation, User
from config.accounts.people_actions import invite_user
from config.audit.actors import SYSTEM
from config.demo.cast import CAST, PASSWORD, Person
from config.demo.people import FIRST_FEMALE, SURNAMES_FEMALE, TERRITORIES
from config.demo.stage import Report, Stage, clock_offset, ensure, moment
from contracts.actions.budgets import add_budget_line
from contracts.actions.catalogue import add_territory
from contracts.actions.reference import adopt_service_list
from contracts.actions.register import add_worker, admit_provider, appoint_representative, register_provider
from contracts.models import BudgetLine, Provider, ProviderUser, Service, Territory, Worker

FOUNDED = moment(2024, 10, 7)
ADMITTED = date(2024, 12, 1)
CODE = "verbivka"
SECOND_ACCOUNT = "UA223220010000035400000000002"
HOME, DAY, REHAB, TRIP = "015.1", "P-DAYCARE", "P-PSYCHOSOCIAL", "P-ACCOMPANIMENT"
RESIDENCE = "P-RESIDENTIAL"
ADAPTATION, CRISIS = "P-ADAPTATION", "P-CRISIS"
# A day with a group is one unit: no time of one worker's own.
WHOLE_DAYS = frozenset({DAY, RESIDENCE})

# code, title, sector, registration code, IBAN, representative, services, number of workers
PROVIDERS = (
    ("TURBOTA", "ГО «Турбота» (вигадана)", "nonprofit", "40000011", "UA973052990000026001234567801", "nadiia", (HOME,), 16),
    ("OPORA", "ТОВ «Опора» (вигадане)", "private", "40000027", "UA703052990000026001234567802", "taras", (HOME,), 3),
    ("TERCENTR", "КУ «Територіальний центр» (вигадана)", "communal", "40000032", "UA433052990000026001234567803", "lidiia", (HOME, DAY), 17),
    ("DRC", "Державний центр реабілітації (вигаданий)", "state", "40000048", "UA163052990000026001234567804", "roman", (REHAB, TRIP, RESIDENCE), 16),
    ("ZATYSHOK", "ТОВ «Затишок-Сервіс» (вигадане)", "private", "40000053", "UA863052990000026001234567805", "larysa", (HOME,), 2),
)  # fmt: skip


def set_the_ground(say: Report) -> Stage:
    """Create what everything else stands on."""
    say(1, gettext_noop("The municipality, its people and budget"))
    organisation = ensure(
        Organisation.objects.filter(code=CODE),
        lambda: create_organisation(
            code=CODE,
            name="Вербівська міська територіальна громада (вигадана)",
            jurisdiction="UA",
            registration_code="40000069",
            iban="UA663052990000035400000000001",
            other_ibans=[SECOND_ACCOUNT],
            clock_offset=clock_offset(timezone.now()),
            is_demo=True,
            actor=SYSTEM,
            at=FOUNDED,
        ),
    )
    people = {row.username: person(row, organisation) for row in CAST}
    stage = Stage(organisation=organisation, people=people, say=say)
    _budget(stage)
    _catalogue(stage)
    for row in PROVIDERS:
        admitted(stage, *row)
    return stage


def person(row: Person, organisation: Organisation) -> User:
    """A person of a cast with its access."""
    return ensure(
        User.objects.filter(username=row.username),
        lambda: invite_user(
            username=row.username,
            display_name=row.display_name,
            roles=row.roles,
            organisation=organisation if row.office else None,
            password=PASSWORD,
            actor=SYSTEM,
            at=FOUNDED,
        ),
    )


def _budget(stage: Stage) -> None:
    lines = (
        ("SOC-CARE", 2024, "Соціальні послуги за сертифікатами", "0813105", "2240", "60000.00"),
        ("SOC-CARE", 2025, "Соціальні послуги за сертифікатами", "0813105", "2240", "4200000.00"),
        ("SOC-GRANT", 2025, "Конкурс соціальних проєктів", "0813192", "2610", "2000000.00"),
        ("SOC-CARE", 2026, "Соціальні послуги за сертифікатами", "0813105", "2240", "5200000.00"),
    )
    for code, year, title, programme, economic_code, amount in lines:
        ensure(
            BudgetLine.objects.filter(organisation=stage.organisation, code=code, year=year),
            lambda code=code, year=year, title=title, programme=programme, economic_code=economic_code, amount=amount: (  # type: ignore[misc]
                add_budget_line(
                    organisation=stage.organisation,
                    code=code,
                    year=year,
                    title=title,
                    programme=programme,
                    economic_code=economic_code,
                    source="місцевий бюджет",
                    amount=Decimal(amount),
                    actor=stage.actor("halyna"),
                    at=FOUNDED,
                )
            ),
        )


def _catalogue(stage: Stage) -> None:
    for code, title, kind in TERRITORIES:
        ensure(
            Territory.objects.filter(organisation=stage.organisation, code=code),
            lambda code=code, title=title, kind=kind: add_territory(  # type: ignore[misc]
                organisation=stage.organisation,
                code=code,
                title=title,
                kind=kind,
                actor=stage.actor("bohdan"),
                at=FOUNDED,
            ),
        )
    if not Service.objects.filter(organisation=stage.organisation).exists():
        adopt_service_list(
            organisation=stage.organisation,
            # A trip is paid up to this sum a year for one person; it is the municipality's own ceiling.
            limits={TRIP: {"amount_per_year_max": Decimal("900.00")}},
            actor=stage.actor("bohdan"),
            at=FOUNDED,
        )


def admitted(
    stage: Stage,
    code: str,
    title: str,
    sector: str,
    registration_code: str,
    iban: str,
    representative: str,
    services: tuple[str, ...],
    workers: int,
) -> None:
    """A provider on the register with its representative and workers."""
    common: dict[str, Any] = {"actor": stage.actor("bohdan"), "at": FOUNDED, "organisation": stage.organisation}
    provider = ensure(
        Provider.objects.filter(code=code),
        lambda: register_provider(
            code=code,
            title=title,
            sector=sector,
            iban=iban,
            registration_code=registration_code,
            registered_on=date(2019, 5, 14),
            **common,
        ),
    )
    if provider.admitted_at is None:
        admit_provider(provider=provider, from_date=ADMITTED, **common)
    if not ProviderUser.objects.filter(provider=provider).exists():
        by_admin = common | {"actor": stage.actor("admin")}
        appoint_representative(provider=provider, user=stage.people[representative], **by_admin)
    catalogue = list(Service.objects.filter(organisation=stage.organisation, code__in=services))
    for number in range(1, workers + 1):
        worker_code = f"{code}-W{number:02d}"
        first = FIRST_FEMALE[number * 5 % len(FIRST_FEMALE)]
        surname = SURNAMES_FEMALE[number * 3 % len(SURNAMES_FEMALE)]
        ensure(
            Worker.objects.filter(code=worker_code),
            lambda worker_code=worker_code, full_name=f"{surname} {first} (працівниця {number})": add_worker(  # type: ignore[misc]
                provider=provider,
                code=worker_code,
                full_name=full_name,
                services=catalogue,
                valid_from=ADMITTED,
                **common,
            ),
        )

"""Chapter 4: the months before November, with few people: visits, claims, payment, bank, close, month after month.

December 2024 is a pilot that is paid in advance; its year is closed, and what was not used comes back. In April a claim is
taken back and made anew, in May a provider wins an appeal, in June a run keeps back what a clawback asks for, in July
the bank gives a payment back, in October the neighbours' people are served too and the money of one provider waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal as D

from django.utils.translation import gettext_noop

from config.demo.calendar import ANSWERED, JUDGED, PROPOSED, SUBMITTED, MonthDays
from config.demo.chapters.advance import bring_back, pay_in_advance
from config.demo.chapters.claims import USERS, claim, claim_row, judge
from config.demo.chapters.ground import DAY, HOME, REHAB, RESIDENCE
from config.demo.chapters.intake import Intake, Need, Register, settle
from config.demo.chapters.looking_back import ask_money_back, file_case
from config.demo.chapters.neighbours import FIRST_CLEARED, hold_back, serve_guests
from config.demo.chapters.payment import close, hear_the_bank, pay_month, send
from config.demo.chapters.pilot import agree_on_pilot, claim_too_late, close_year
from config.demo.chapters.population import numbers
from config.demo.chapters.visits import Reported, certificate_numbers, report
from config.demo.people import demo_recipient
from config.demo.stage import Stage
from config.demo.visits import Visit, day_visits, home_visits, single_visits, stays
from config.periods import month_end
from settlement.actions.appeals import submit_appeal, uphold_appeal
from settlement.actions.claims import reverse_claim
from settlement.actions.pends import confirm_clearance
from settlement.actions.runs import propose_payment_run
from settlement.models import Appeal, Claim, ClosedMonth, PaymentRun, PendProposal
from vouchers.models import Recipient

PILOT = date(2024, 12, 1)
YEAR = [PILOT, *(date(2025, month, 1) for month in range(1, 11))]
TAKEN_BACK, APPEALED, KEPT_BACK, PAID_TWICE = (date(2025, month, 1) for month in (4, 5, 6, 7))
LAST = date(2025, 10, 31)
AUTUMN_2024 = Intake(date(2024, 11, 4), window=date(2024, 7, 1), starts=PILOT, last=date(2024, 12, 31))
WINTER = Intake(date(2024, 12, 9), window=date(2024, 7, 1), starts=date(2025, 1, 1), last=LAST)
SPRING = Intake(date(2025, 3, 3), window=date(2024, 10, 1), starts=date(2025, 4, 1), last=LAST)
HOME_UNITS, TUESDAY_THURSDAY = D("21"), frozenset({1, 3})


@dataclass(frozen=True)
class Group:
    """People served alike by one provider: numbers of the register, what they need."""

    provider: str
    people: tuple[int, int]
    need: Need
    intake: Intake = WINTER

    def visits(self, month: date) -> Iterator[Visit]:
        """The group's month."""
        first, last, people = month, month_end(month), numbers(self.people)
        workers = [f"{self.provider}-W{number:02d}" for number in range(1, 3)]
        service = self.need.service
        if service == HOME:
            return home_visits(recipients=people, workers=workers, service=HOME, first=first, last=last)
        if service == DAY:
            every = day_visits(recipients=people, worker="TERCENTR-W14", service=DAY, first=first, last=last)
            return (visit for visit in every if visit.day.weekday() in TUESDAY_THURSDAY)
        if service == RESIDENCE:
            return stays(recipients=people, worker="DRC-W16", service=RESIDENCE, first=first, last=last)
        return single_visits(
            recipients=people,
            workers=workers,
            service=service,
            first=first,
            last=last,
            weekdays=frozenset({0, 2, 4}),
            minutes=60,
        )


GROUPS = (
    Group("OPORA", (441, 443), Need(HOME, D("90.00"), HOME_UNITS), AUTUMN_2024),
    Group("TERCENTR", (401, 410), Need(HOME, D("92.00"), HOME_UNITS)),
    Group("TERCENTR", (411, 416), Need(DAY, D("440.00"), D(10))),
    Group("DRC", (417, 422), Need(REHAB, D("158.00"), D(14))),
    Group("DRC", (423, 424), Need(RESIDENCE, D("540.00"), D(31))),
    Group("OPORA", (425, 428), Need(HOME, D("95.00"), HOME_UNITS)),
    Group("TURBOTA", (429, 440), Need(HOME, D("85.00"), HOME_UNITS), SPRING),
)


def play_year(stage: Stage) -> None:
    """From the pilot to October; what is closed stays."""
    agree_on_pilot(stage)
    _people(stage)
    certificates = certificate_numbers(stage, *{group.intake.starts for group in GROUPS})
    closed = set(ClosedMonth.objects.filter(organisation=stage.organisation).values_list("month", flat=True))
    for month in YEAR:
        if month not in closed:
            stage.say(8 + (month.month + 1) % 12 // 4, gettext_noop("A year of visits, claims and payments"))
            _month(stage, MonthDays.of(stage.organisation, month), certificates)
        if month == PILOT:
            claim_too_late(stage)
            close_year(stage, PILOT.year)
            bring_back(stage)


def _people(stage: Stage) -> None:
    registers = {year: Register.of(stage, year) for year in (2024, 2025)}
    done = set(
        Recipient.objects.filter(organisation=stage.organisation, certificates__isnull=False).values_list(
            "code", flat=True
        )
    )
    for group in GROUPS:
        for number in range(group.people[0], group.people[1] + 1):
            person = demo_recipient(number)
            if person.code not in done:
                settle(stage, group.intake, person, [group.need], registers[group.intake.starts.year])


def _month(stage: Stage, days: MonthDays, certificates: dict[str, str]) -> None:
    for provider in USERS:
        visits = list(_visits(provider, days.month))
        if visits:
            _claim(stage, provider, visits, days, certificates)
    if days.month == PILOT:
        pay_in_advance(stage)
    if days.month == KEPT_BACK:
        ask_money_back(stage)
    if days.month == FIRST_CLEARED:
        serve_guests(stage, days)
    judge(stage, days.month, at=days.at(JUDGED, 10))
    if days.month == KEPT_BACK:
        file_case(stage, at=days.at(PROPOSED, 12))
    if days.month == FIRST_CLEARED:
        hold_back(stage, days)
    if days.month == TAKEN_BACK:
        _take_back(stage, days, certificates)
    if days.month == APPEALED:
        _win_appeal(stage, days)
    if days.month == PILOT:
        # The advance has paid all of it.
        close(stage, days)
        return
    run = pay_month(stage, days)
    hear_the_bank(stage, run, days, quiet=days.month != PAID_TWICE)
    if days.month == PAID_TWICE:
        _pay_again(stage, run, days)
    close(stage, days, later=3 if days.month == PAID_TWICE else 0)


def _visits(provider: str, month: date) -> Iterator[Reported]:
    groups = [
        group for group in GROUPS if group.provider == provider and group.intake.starts <= month <= group.intake.last
    ]
    visits = (visit for group in groups for visit in group.visits(month))
    for number, visit in enumerate(visits, 1):
        yield Reported(f"{provider[:3]}-{month:%y%m}-{number:03d}", visit)


def _claim(stage: Stage, provider: str, visits: list[Reported], days: MonthDays, certificates: dict[str, str]) -> None:
    """Visits are reported and claimed; in May one visit is claimed that the report forgot."""
    month, user = days.month, USERS[provider]
    forgotten = 1 if (month, provider) == (APPEALED, "TERCENTR") else 0
    known = visits[forgotten:]
    report(stage, provider, user, month, known, certificates, at=days.at(SUBMITTED - 1, 16))
    lines = [claim_row(provider, item, certificates) for item in visits] if forgotten else None
    claim(stage, provider, month, lines, at=days.at(SUBMITTED, 11))


def _take_back(stage: Stage, days: MonthDays, certificates: dict[str, str]) -> None:
    """A provider claimed a visit of the wrong day: its claim is taken back and made anew without it."""
    wrong = Claim.objects.filter(organisation=stage.organisation, provider__code="OPORA", period=days.month)
    first = wrong.order_by("pk").first()
    assert first is not None
    if first.status == "adjudicated" and not first.reversals.exists():
        reverse_claim(
            organisation=stage.organisation,
            claim_id=first.pk,
            reason="Надавач повідомив: останній візит місяця записано помилково.",
            actor=stage.actor("ivan"),
            at=days.at(JUDGED, 14),
        )
    if first.status != "reversed":
        judge(stage, days.month, at=days.at(JUDGED, 15))
    price = next(group.need.tariff for group in GROUPS if (group.provider, group.intake) == ("OPORA", WINTER))
    visits = list(_visits("OPORA", days.month))[:-1]
    right = [replace(claim_row("OPORA", visit, certificates), unit_rate=price) for visit in visits]
    claim(stage, "OPORA", days.month, right, at=days.at(JUDGED, 16))
    judge(stage, days.month, at=days.at(JUDGED, 17))


def _win_appeal(stage: Stage, days: MonthDays) -> None:
    """The visit that nobody reported has to wait, is proved with its paper and paid after all."""
    first = Claim.objects.get(organisation=stage.organisation, provider__code="TERCENTR", period=days.month)
    appeal = Appeal.objects.filter(claim=first).first() or submit_appeal(
        organisation=stage.organisation,
        claim_id=first.pk,
        claim_line_id=first.lines.get(line=1).pk,
        reason="Візит відбувся, у звіті його пропущено. Додаємо журнал візитів з підписом отримувачки.",
        files=[("zhurnal.txt", "Журнал візитів (вигаданий)".encode(), "text/plain")],
        actor=stage.actor("lidiia"),
        at=days.at(JUDGED, 13),
    )
    if getattr(appeal, "answer", None) is None:
        uphold_appeal(
            organisation=stage.organisation,
            appeal_id=appeal.pk,
            reason="Журнал підтверджує візит.",
            actor=stage.actor("ivan"),
            at=days.at(PROPOSED, 9),
        )
    for proposal in PendProposal.objects.filter(claim_line__claim=first, clearance=None):
        confirm_clearance(
            organisation=stage.organisation,
            proposal_id=proposal.pk,
            actor=stage.actor("halyna"),
            at=days.at(PROPOSED, 9),
        )
    judge(stage, days.month, at=days.at(PROPOSED, 10))


def _pay_again(stage: Stage, run: PaymentRun, days: MonthDays) -> None:
    """What the bank gave back is paid by a run of its own."""
    again = PaymentRun.objects.filter(follows=run).first() or (
        propose_payment_run(
            organisation=stage.organisation,
            period=days.month,
            follows_id=run.pk,
            actor=stage.actor("halyna"),
            at=days.at(ANSWERED, 13),
        ).run
    )
    reason = "Банк надавача повідомив листом: рахунок знову діє."
    send(stage, again, days, later=3, reason=reason)
    hear_the_bank(stage, again, days, later=3, quiet=True)

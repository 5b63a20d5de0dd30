"""One office in which every paper of settlement exists once, made by the actions that production uses.

November is paid, closed and decided anew for a fee and for a norm; December has claims that wait.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils import timezone
from djmoney.money import Money

from config import roles
from config.accounts.models import Membership, Organisation, User
from config.audit.actors import Actor
from config.office.storage import GivenFile
from contracts.actions.budgets import add_budget_line
from contracts.models import Contract, Provider, ProviderAccount, ProviderUser
from settlement.actions.bank_acts import draw_bank_act
from settlement.actions.bank_lines import explain_line
from settlement.actions.claims import create_claim
from settlement.actions.clawbacks import LineSum, ask_debt_back, notify_clawback, open_clawback, reply_to_clawback
from settlement.actions.clearing import dispute_line
from settlement.actions.examinations import examine_run
from settlement.actions.fees import issue_fee_notices
from settlement.actions.holds import place_hold
from settlement.actions.month_close import close_month
from settlement.actions.provider_accounts import change_account
from settlement.actions.reconciliation import import_statement
from settlement.actions.year_close import approve_year_closing, propose_year_closing
from settlement.claim_rows import LineDraft
from settlement.models import (
    AdjudicationRun,
    Claim,
    ClaimLine,
    ClawbackCase,
    FeeNotice,
    Match,
    StatementLine,
    VerificationVisit,
)
from settlement.models.statements import LIVE
from tests.oracle.small import Tables
from tests.settlement.actions import corrected_town, put_right
from tests.settlement.actions.advance_town import AdvanceTown
from tests.settlement.actions.clawback_town import DECEMBER, LATER, OPENED, two_months
from tests.settlement.actions.clearing_town import DECEMBER as DRAWN
from tests.settlement.actions.clearing_town import build_neighbours
from tests.settlement.actions.month import AT, NOVEMBER, imported, judge
from tests.settlement.actions.paid import answered, released_run
from tests.settlement.actions.payables import adjudicated, ready
from tests.settlement.actions.told import SECOND, told
from tests.settlement.gateways.orders import account
from tests.settlement.views.town import Town, people
from tests.vouchers.town import VISIT
from vouchers.actions.fee_objections import object_to_fee
from vouchers.models import Recipient

HOURS = "worker.hours_per_day_max"
AGAIN = "CL-2025-0002"
# As long as people write, with one word that no line of a phone holds.
LONG = "Рішення виконкому надійшло після закриття місяця; " * 4 + "довідкапродоходи" * 6


def tables() -> Tables:
    """November and December of one provider; the recipient pays up to 200.00 a month."""
    found = two_months()
    found["fee_assessments"][0] |= {"mode": "D", "monthly_limit": "200.00"}
    found["recipients"][0]["name"] = "Вигадана Олена Петрівна"
    return found


def paid_november(folder: Path) -> Town:
    """Judged, told to the recipient, paid, closed; nadiia acts for the provider, olena is the recipient."""
    office = imported(tables(), folder)
    office.iban, office.other_ibans = account(1), [SECOND]
    office.clock_offset = LATER - timezone.now()
    office.save()
    ready(AT)
    cast, run = people(office), judge(office)
    assert run is not None
    ProviderUser.objects.create(provider=Provider.objects.get(code="P1"), user=cast["nadiia"])
    Recipient.objects.update(user=cast["olena"])
    halyna, ivan = cast["halyna"].as_actor(), cast["ivan"].as_actor()
    issue_fee_notices(organisation=office, month=NOVEMBER, actor=halyna, at=AT)
    answered(released_run(office, cast, AT), cast["halyna"], AT)
    explained(office, ivan, AT)
    close_month(organisation=office, month=NOVEMBER, actor=ivan, at=AT)
    Contract.objects.get().change(at=AT, ceiling=Money(1000, "UAH"))
    return Town(office, cast, Claim.objects.get(number="A-1"), run)


def explained(office: Organisation, actor: Actor, at: datetime) -> None:
    """Money that belongs to no payment."""
    for line in StatementLine.objects.filter(statement__organisation=office, status="unmatched"):
        explain_line(organisation=office, line_id=line.pk, explanation="Пожертва", actor=actor, at=at)


def decided_anew(town: Town) -> dict[str, Any]:
    """A fee, a norm, a price and a parameter of November put right; what waits for approval beside what is approved."""
    fee = corrected_town.lower_income("100.00")
    olena: dict[str, Any] = {
        "recipient": Recipient.objects.get(),
        "actor": town.users["olena"].as_actor(),
        "at": corrected_town.LATER,
    }
    object_to_fee(revision_id=fee.pk, reason=LONG, **olena)
    for_fee = corrected_town.approve(town, corrected_town.propose(town))
    rest = released_run(town.organisation, town.users, corrected_town.LATER)
    answered(rest, town.users["halyna"], corrected_town.LATER)
    norm = put_right.put_norm_right(town, "1.23")
    for_norm = corrected_town.propose(town, ground="norm", reason=LONG)
    return {
        "fee_revision": fee.pk,
        "correction": for_fee.pk,
        "correction_proposed": for_norm.pk,
        "norm": norm.pk,
        "norm_draft": put_right.draft_norm(town, "2.23", reason=LONG).pk,
        "past_terms": put_right.propose_terms(town, "92.00", reason=LONG).pk,
        "proposal": put_right.propose_value(town, HOURS, "10", reason=LONG).pk,
        "contract": Contract.objects.get(organisation=town.organisation).pk,
    }


def asked_back_and_advanced(town: AdvanceTown) -> dict[str, Any]:
    """Cases of money asked back, advances, a bank line that quotes two papers, a changed account, the act of a bank."""
    first, second = (LineSum(row.pk) for row in ClaimLine.objects.filter(claim__number=AGAIN).order_by("line"))
    decided = town.decided(first)
    opened, told, answered_case = (_opened(town, LineSum(second.claim_line_id, part)) for part in (4_000, 3_000, 2_000))
    for case in (told, answered_case):
        notify_clawback(case_id=case.pk, **town.who("halyna", LATER))
    reply_to_clawback(case_id=answered_case.pk, text=LONG, **town.who("nadiia", LATER))
    notice = FeeNotice.objects.earliest("pk")
    row = town.paid()
    proposed = town.proposed(5_000)
    bank = town.receive((20_000, f"{decided.rf_reference} {notice.rf_reference}"))
    change_account(
        provider=Provider.objects.get(code="P1"), kind=ProviderAccount.BANK, iban=account(7001),
        reason="Лист надавача від 20.01.2026", paper=GivenFile("lyst.txt", "Новий рахунок".encode(), "text/plain"),
        **town.who("bohdan", LATER),
    )  # fmt: skip
    hold = place_hold(target=town.contract, reason=LONG[-300:], from_date=LATER.date(), **town.who("halyna", LATER))
    act = draw_bank_act(iban=town.office.iban, month=DECEMBER, **town.who("halyna", LATER))
    return {
        "clawback": decided.pk,
        "clawback_opened": opened.pk,
        "clawback_told": told.pk,
        "clawback_answered": answered_case.pk,
        "notice": notice.pk,
        "advance": row.pk,
        "advance_proposed": proposed.pk,
        "bank_line": bank.lines.earliest("pk").pk,
        "hold": hold.pk,
        "act": act.pk,
    }


def owed_of_a_month(town: AdvanceTown) -> dict[str, Any]:
    """Two providers owe something of a paid month: one is asked for it."""
    adjudicated(town.office, LATER, (7, -12_000), (7, 7_500), (8, -9_000), number=70, period=date(2025, 10, 1))
    other, asked = Provider.objects.get(code="P7"), Provider.objects.get(code="P8")
    period = date(2025, 10, 1)
    words = {"finding": LONG, "ground": LONG[-200:]}
    case = ask_debt_back(provider_id=asked.pk, period=period, **words, **town.who("halyna", LATER))
    notify_clawback(case_id=case.pk, **town.who("halyna", LATER))
    return {"debt": case.pk, "owing": other.pk}


def _opened(town: AdvanceTown, line: LineSum) -> ClawbackCase:
    words: dict[str, Any] = {"found_by": "office", "finding": LONG, "ground": LONG[-200:]}
    return open_clawback(lines=(line,), **words, **town.who("halyna", OPENED))


def closed_year(town: AdvanceTown) -> None:
    """2024, of which one budget line remembers something."""
    add_budget_line(code="B1", year=2024, amount=Decimal(500), **town.who("halyna", LATER))
    close_month(month=date(2024, 12, 1), **town.who("ivan", LATER))
    made = propose_year_closing(year=2024, **town.who("halyna", LATER))
    approve_year_closing(closing_id=made.pk, content_sha256=made.content_sha256, **town.who("ivan", LATER))


def neighbours() -> dict[str, Any]:
    """Two more municipalities: of the statement of a month one side has disputed a line; the refund of the other was
    worked out anew, and waits to be once more.
    """
    home, host = (
        Organisation.objects.create(code=code, name=name, clock_offset=LATER - timezone.now())
        for code, name in (("zarichchia", "Зарічанська громада"), ("lisna", "Лісна громада"))
    )
    cast = {row.username: row for row in User.objects.all()}
    towns = build_neighbours(home, host, cast | {"nadiia": cast["larysa"]})
    agreement = towns.agree(norm="home")
    for day in range(2):
        towns.visit(starts_at=VISIT + timedelta(days=day), units="1")
    towns.claim()
    towns.judge()
    statement = towns.draw()
    line = statement.lines.earliest("pk")
    dispute_line(
        organisation=towns.home.organisation, statement_id=statement.pk, line_id=line.pk, reason=LONG[-300:],
        actor=towns.of(towns.home, "checker"), at=DRAWN,
    )  # fmt: skip
    towns.put_right("97.00")
    made = towns.anew()
    towns.put_right("90.00")
    return {"clearing": statement.pk, "agreement": agreement.pk, "anew": made.pk}


def under_other_law() -> None:
    """A municipality that fills the forms of the other jurisdiction."""
    office = Organisation.objects.create(code="samara", name="Самарский округ", jurisdiction="RU", currency="RUB")
    user = User.objects.create(username="maker.samara", display_name="Галина Придуманная")
    Membership.objects.create(user=user, organisation=office, role=roles.FINANCE_MAKER)


def in_hand(town: AdvanceTown) -> dict[str, Any]:
    """What people are about to do: a claim not submitted yet, a visit drawn to be verified, a match that may be
    undone, a line that may be opened, and a statement that may be thrown out.
    """
    visit = LineDraft("015.1", date(2026, 1, 12), Decimal("1.5"), Decimal("98"), "C1", "", "W1")
    draft = create_claim(
        provider=Provider.objects.get(code="P1"), contract=Contract.objects.get(organisation=town.office),
        period=date(2026, 1, 1), lines=[visit, replace(visit, certificate_number=LONG[-60:])],
        **town.who("nadiia", LATER),
    )  # fmt: skip
    run = AdjudicationRun.objects.filter(organisation=town.office, period=NOVEMBER).earliest("pk")
    examine_run(run_id=run.pk, **town.who("halyna", LATER))
    [mistaken] = import_statement(
        name="s.xml", content=told("2026-01-28", "10.00", "5.00", iban=SECOND), **town.who("halyna", LATER)
    )
    lines = StatementLine.objects.filter(statement__organisation=town.office)
    return {
        "draft": draft.pk,
        "verification": VerificationVisit.objects.earliest("pk").pk,
        "match": Match.objects.filter(payment__organisation=town.office, **LIVE).earliest("pk").pk,
        "explained": lines.filter(status="explained", explained_by__isnull=False).earliest("pk").pk,
        "mistaken": mistaken.statement.pk,
    }


def build_details(folder: Path) -> dict[str, Any]:
    """Primary keys by name."""
    town = paid_november(folder)
    keys = decided_anew(town)
    later = AdvanceTown(town.organisation, town.users, statements=2)
    keys |= asked_back_and_advanced(later)
    closed_year(later)
    keys |= owed_of_a_month(later)
    keys |= in_hand(later)
    under_other_law()
    return keys | neighbours()

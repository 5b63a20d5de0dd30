"""The issuer puts its norm cost right: what it refunds of visits decided before is worked out anew."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from config.accounts.models import Organisation, User
from config.audit.models import AuditEvent
from config.errors import NotFound
from config.office.models import OutboxMessage
from contracts.actions.norms import NormOfPastDays, approve_norm_cost
from contracts.models import ClearingAgreement, NormCost, Territory
from settlement.actions.claims import reverse_claim
from settlement.actions.clearing import FollowedByOther, answer_dispute, dispute_line
from settlement.actions.clearing_anew import NothingToWorkOut, work_out_anew
from settlement.actions.ledger import IntoClosedMonth
from settlement.actions.month_close import close_month
from settlement.books import verify_books
from settlement.clearing_queries import cleared_on_the_road
from settlement.models import (
    Adjudication,
    Claim,
    ClearingItem,
    ClearingRevision,
    ClearingStatement,
    ClosedMonth,
    Entry,
    Remittance,
)
from settlement.refund_queries import differing_refunds
from settlement.replay import replay_run
from tests.settlement.actions.clearing_town import DECEMBER, LATER, LEARNT, Neighbours, build_neighbours
from tests.settlement.actions.test_clearing import balance, clean, decide, spent
from tests.vouchers.town import NOVEMBER_1, VISIT

pytestmark = pytest.mark.django_db
DECEMBER_1 = date(2025, 12, 1)
# Two hours at the first norm cost, at the higher and at the lower one.
FIRST, HIGHER, LOWER = 19308, 19400, 18000


@pytest.fixture
def towns(organisation: Organisation, other_organisation: Organisation, cast: dict[str, User]) -> Neighbours:
    return build_neighbours(organisation, other_organisation, cast)


def judged(towns: Neighbours) -> Adjudication:
    towns.agree(norm="home")
    towns.visit()
    towns.claim()
    towns.judge()
    return Adjudication.objects.get()


def signed(towns: Neighbours, month: date, *, at: datetime = LATER) -> ClearingStatement:
    statement = towns.draw(month=month, at=at)
    for town in (towns.home, towns.host):
        statement = towns.sign(statement, town, at=at)
    return statement


def dues() -> list[int]:
    return list(ClearingItem.objects.order_by("pk").values_list("due_minor", flat=True))


@pytest.mark.parametrize(("rate", "refund"), [("97.00", HIGHER), ("90.00", LOWER)])
def test_the_difference_goes_through_both_books_and_changes_nothing_else(
    towns: Neighbours, rate: str, refund: int
) -> None:
    towns.agree(norm="home")
    first = towns.agreed()
    home, host = towns.home.organisation, towns.host.organisation
    line, reserved = Adjudication.objects.get(), spent(home, "reservation")
    for town in (towns.home, towns.host):
        close_month(organisation=town.organisation, month=NOVEMBER_1, actor=towns.of(town, "checker"), at=DECEMBER)
    owed, paid = balance(host, "payable"), Remittance.objects.get().payable
    towns.put_right(rate)
    (waits,) = differing_refunds(ClearingAgreement.objects.get())
    assert (waits.stands_minor, waits.becomes_minor) == (FIRST - line.fee, refund - line.fee)
    made = towns.anew()
    item = made.items.get()
    assert item.due_minor == refund - FIRST == waits.difference_minor and item.norm_e4 == Decimal(rate) * 10_000
    assert (item.corrects, item.period, item.payable_minor) == (first.lines.get().item, NOVEMBER_1, 0)
    assert spent(host) == 19600 - refund and balance(host, "neighbour") == refund - line.fee and clean()
    assert (balance(host, "payable"), Remittance.objects.get().payable) == (owed, paid)
    run = first.lines.get().item.run
    assert run is not None and Adjudication.objects.get() == line and not replay_run(run).differences
    second = signed(towns, DECEMBER_1)
    assert second.paid_by(home) == refund - FIRST == -second.paid_by(host) and clean()
    assert spent(home) == balance(home, "expense") == refund - line.fee == -balance(home, "neighbour")
    assert spent(home, "reservation") == reserved - (refund - FIRST)
    assert AuditEvent.objects.get(action="clearing.worked_out_anew").data["amount_minor"] == refund - FIRST


def test_a_second_press_finds_nothing_and_a_second_norm_its_own_difference(towns: Neighbours) -> None:
    judged(towns)
    with pytest.raises(NothingToWorkOut):
        towns.anew()
    towns.put_right("97.00")
    towns.anew()
    with pytest.raises(NothingToWorkOut):
        towns.anew()
    assert ClearingRevision.objects.count() == 1
    towns.put_right("90.00", at=LATER + timedelta(hours=1))
    towns.anew(at=LATER + timedelta(hours=2))
    assert dues()[1:] == [HIGHER - FIRST, LOWER - HIGHER] and clean()
    assert spent(towns.host.organisation) == 19600 - LOWER
    statement = signed(towns, NOVEMBER_1, at=LATER + timedelta(hours=3))
    assert statement.lines.count() == 3 and clean()


def test_the_refund_stays_within_what_is_paid(towns: Neighbours) -> None:
    line = judged(towns)
    towns.put_right("120.00")
    towns.anew()
    assert sum(dues()) == line.payable and spent(towns.host.organisation) == 0 and clean()


def test_only_the_host_works_out_and_only_under_the_norm_of_the_issuer(towns: Neighbours) -> None:
    towns.agree(norm="host")
    towns.agreed()
    towns.put_right("97.00")
    assert not OutboxMessage.objects.filter(code="clearing.norm_put_right").exists()
    with pytest.raises(NothingToWorkOut):
        towns.anew()
    with pytest.raises(NotFound):
        work_out_anew(
            organisation=towns.home.organisation, agreement_id=ClearingAgreement.objects.get().pk,
            actor=towns.of(towns.home, "maker"), at=LATER,
        )  # fmt: skip


def test_the_finance_office_of_the_host_is_told_which_months_wait(towns: Neighbours) -> None:
    towns.agree(norm="home")
    towns.put_right("97.00")
    assert not OutboxMessage.objects.filter(code="clearing.norm_put_right").exists()
    towns.agreed()
    towns.put_right("90.00", at=LATER)
    told = OutboxMessage.objects.filter(code="clearing.norm_put_right").select_related("user")
    assert {row.user.username for row in told if row.user} == {"maker.kalynivka", "checker.kalynivka"}
    agreement, (first, _second) = ClearingAgreement.objects.get(), told
    assert first.label == f"contracts.clearingagreement:{agreement.pk}"
    assert first.params == {
        "home": towns.home.organisation.name, "valid_from": "2025-11-01", "months": ["2025-11"], "lines": 1,
    }  # fmt: skip


def test_the_first_norm_of_a_place_reaches_what_was_refunded_by_another(towns: Neighbours) -> None:
    """The ordinary approval would leave the refunds as they are, and tell nobody."""
    judged(towns)
    home = towns.home.organisation
    place = Territory.objects.create(organisation=home, code="west", name="Західний район", kind="urban")
    towns.put_right("97.00")
    ordinary: dict[str, Any] = {"organisation": home, "service": towns.home.service, "status": "draft"}
    author, second = User.objects.filter(username__startswith="norms.").order_by("username")
    draft = NormCost.objects.create(
        territory=place, unit_rate=Decimal("99.00"), valid_from=NOVEMBER_1, author=author, recorded_at=LEARNT,
        status_at=LEARNT, **ordinary,
    )  # fmt: skip
    with pytest.raises(NormOfPastDays):
        approve_norm_cost(norm=draft, actor=second.as_actor(), at=LEARNT)
    later = NormCost.objects.create(
        territory=place, unit_rate=Decimal("99.00"), valid_from=date(2026, 3, 1), author=author, recorded_at=LEARNT,
        status_at=LEARNT, **ordinary,
    )  # fmt: skip
    assert approve_norm_cost(norm=later, actor=second.as_actor(), at=LEARNT).status == "approved"


def test_a_norm_of_other_days_changes_no_refund(towns: Neighbours) -> None:
    judged(towns)
    towns.put_right("97.00", since=VISIT.date() + timedelta(days=1))
    assert differing_refunds(ClearingAgreement.objects.get()) == []


def test_it_is_booked_in_an_open_month_or_not_at_all(towns: Neighbours) -> None:
    judged(towns)
    towns.put_right("97.00")
    closed = ClosedMonth.objects.create(
        organisation=towns.host.organisation, month=DECEMBER_1, closed_at=LEARNT,
        closed_by=User.objects.get(username="checker.kalynivka"),
    )  # fmt: skip
    with pytest.raises(IntoClosedMonth):
        towns.anew()
    assert dues() == [dues()[0]] and closed.pk and clean()


@pytest.mark.parametrize("rate", ["97.00", "90.00"])
def test_a_claim_taken_back_takes_back_what_was_worked_out(towns: Neighbours, rate: str) -> None:
    towns.agree(norm="home")
    towns.agreed()
    towns.put_right(rate)
    towns.anew()
    home, host = towns.home.organisation, towns.host.organisation
    reverse_claim(
        organisation=host, claim_id=Claim.objects.get().pk, reason="x", actor=towns.of(towns.host, "maker"), at=LATER
    )
    towns.judge(at=LATER + timedelta(hours=1))
    assert sum(dues()) == 0 and len(dues()) == 3 and clean()
    assert balance(host, "neighbour") == spent(host) == 0
    signed(towns, DECEMBER_1, at=LATER + timedelta(hours=2))
    assert balance(home, "neighbour") == balance(home, "expense") == spent(home) == 0 and clean()
    with pytest.raises(NothingToWorkOut):
        towns.anew(at=LATER + timedelta(hours=3))


@pytest.mark.parametrize("rate", ["97.00", "90.00"])
@pytest.mark.parametrize("first", ["anew", "asked"])
def test_money_asked_back_first_covers_what_the_host_bears_then(towns: Neighbours, rate: str, first: str) -> None:
    towns.agree(norm="home")
    towns.agreed()
    towns.pay()
    line, refund = Adjudication.objects.get(), HIGHER if rate == "97.00" else LOWER
    asked, host = 250, towns.host.organisation
    towns.put_right(rate)
    if first == "anew":
        towns.anew()
    decide(towns, ClearingItem.objects.order_by("pk")[0].claim_line, asked)
    if first == "asked":
        towns.anew(at=DECEMBER + timedelta(days=90))
    kept = line.payable - asked
    assert sum(dues()) == min(refund - line.fee, kept) == balance(host, "neighbour")
    assert spent(host) == kept - min(refund - line.fee, kept) and clean()


def test_two_cases_about_one_visit_leave_the_host_what_stays_with_the_provider(towns: Neighbours) -> None:
    towns.agree(norm="home")
    towns.agreed()
    towns.pay()
    line = Adjudication.objects.get()
    for asked in (200, 5000):
        decide(towns, ClearingItem.objects.order_by("pk")[0].claim_line, asked)
    assert sum(dues()) == line.payable - 5200 and spent(towns.host.organisation) == 0 and clean()


def disputed(towns: Neighbours, statement: ClearingStatement, item: ClearingItem) -> dict[str, Any]:
    """The issuer disputes the line of an item; what answers it."""
    say: dict[str, Any] = {"statement_id": statement.pk, "line_id": statement.lines.get(item=item).pk, "at": LATER}
    dispute_line(organisation=towns.home.organisation, reason="x", actor=towns.of(towns.home, "checker"), **say)
    return say


def drop(towns: Neighbours, say: dict[str, Any]) -> None:
    actor = towns.of(towns.host, "maker")
    answer_dispute(organisation=towns.host.organisation, answer="dropped", actor=actor, **say)


def test_a_disputed_refund_waits_and_one_given_up_is_never_worked_out(towns: Neighbours) -> None:
    judged(towns)
    statement, item = towns.draw(), ClearingItem.objects.get()
    towns.put_right("97.00")
    say = disputed(towns, statement, item)
    with pytest.raises(NothingToWorkOut):
        towns.anew()
    answer_dispute(organisation=towns.home.organisation, answer="owed", actor=towns.of(towns.home, "maker"), **say)
    towns.anew()
    assert dues()[1:] == [HIGHER - FIRST] and clean()
    december = towns.draw(month=DECEMBER_1, at=LATER)
    say = disputed(towns, december, item)
    with pytest.raises(FollowedByOther):
        drop(towns, say)
    newest = ClearingItem.objects.latest("pk")
    drop(towns, disputed(towns, december, newest))
    assert spent(towns.host.organisation) == 19600 - FIRST and clean()
    drop(towns, say)
    assert balance(towns.host.organisation, "neighbour") == 0 and clean()
    towns.put_right("90.00", at=LATER + timedelta(hours=1))
    with pytest.raises(NothingToWorkOut):
        towns.anew(at=LATER + timedelta(hours=2))


@pytest.mark.parametrize("way", ["reversed", "asked back"])
def test_what_was_given_up_does_not_come_back_to_the_issuer(towns: Neighbours, way: str) -> None:
    towns.agree(norm="home")
    towns.agreed()
    if way == "asked back":
        towns.pay()
    towns.put_right("97.00")
    item, line = towns.anew().items.get(), Adjudication.objects.get()
    home, host = towns.home.organisation, towns.host.organisation
    december = towns.draw(month=DECEMBER_1, at=LATER)
    drop(towns, disputed(towns, december, item))
    assert spent(host) == 19600 - FIRST and clean()
    if way == "reversed":
        reverse_claim(
            organisation=host, claim_id=Claim.objects.get().pk, reason="x", actor=towns.of(towns.host, "maker"),
            at=LATER,
        )  # fmt: skip
        towns.judge(at=LATER + timedelta(hours=1))
    else:
        decide(towns, item.claim_line, line.payable)
    assert dues()[-1] == -(FIRST - line.fee) and spent(host) == balance(host, "neighbour") == 0 and clean()
    signed(towns, date(2026, 3, 1), at=DECEMBER + timedelta(days=100))
    assert spent(home) == balance(home, "expense") == 0 and clean()


def test_a_refund_that_was_taken_back_since_is_not_given_up(towns: Neighbours) -> None:
    judged(towns)
    say = disputed(towns, towns.draw(), ClearingItem.objects.get())
    reverse_claim(
        organisation=towns.host.organisation, claim_id=Claim.objects.get().pk, reason="x",
        actor=towns.of(towns.host, "maker"), at=LATER,
    )  # fmt: skip
    towns.judge(at=LATER + timedelta(hours=1))
    with pytest.raises(FollowedByOther):
        drop(towns, say)
    answer_dispute(organisation=towns.home.organisation, answer="owed", actor=towns.of(towns.home, "maker"), **say)
    statement = signed(towns, DECEMBER_1, at=LATER + timedelta(hours=2))
    assert (statement.lines.count(), statement.net_minor) == (2, 0) and clean()


def test_the_database_refuses_a_difference_of_another_visit(towns: Neighbours) -> None:
    judged(towns)
    towns.put_right("97.00")
    item = towns.anew().items.get()
    values = {field.attname: getattr(item, field.attname) for field in ClearingItem._meta.concrete_fields}
    values.pop("id")
    wrong: list[dict[str, Any]] = [
        {"period": DECEMBER_1},
        {"corrects_id": item.pk},
        {"due_minor": 0},
        {"payable_minor": 1},
        {},
    ]
    for change in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            ClearingItem.objects.create(**values | change)
    assert ClearingItem.objects.count() == 2 and clean()


@pytest.mark.parametrize(
    ("check", "corruption"),
    [
        (
            "visits to be cleared equal their decisions",
            "UPDATE settlement_clearingitem SET due_minor = due_minor - 1 WHERE corrects_id IS NOT NULL",
        ),
        (
            "refunds of visits equal what the norm cost leaves",
            "UPDATE settlement_clearingitem SET due_minor = due_minor - 1 WHERE corrects_id IS NOT NULL",
        ),
        (
            "claims' spending equals what is allowed",
            "UPDATE contracts_budgetentry SET amount_minor = amount_minor - 1 WHERE label LIKE '%clearingrevision%'",
        ),
    ],
)
def test_the_books_prove_the_difference(towns: Neighbours, check: str, corruption: str) -> None:
    judged(towns)
    towns.put_right("97.00")
    towns.anew()
    assert clean() and Entry.objects.filter(event="clearing.raised").count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(corruption)
        cursor.execute("SET session_replication_role = DEFAULT")
    assert check in {fault.check for fault in verify_books()}


def test_the_road_tells_what_is_disputed_from_what_is_agreed(towns: Neighbours) -> None:
    towns.agree(norm="home")
    for day in range(2):
        towns.visit(starts_at=VISIT + timedelta(days=day), units="1")
    towns.claim()
    towns.judge()
    statement = towns.draw()
    line = statement.lines.order_by("pk")[0]
    dispute_line(
        organisation=towns.home.organisation, statement_id=statement.pk, line_id=line.pk, reason="Візиту не було",
        actor=towns.of(towns.home, "checker"), at=LATER,
    )  # fmt: skip
    shown = cleared_on_the_road(towns.host.organisation, "claim", Claim.objects.get().pk)
    dues = dict(statement.lines.values_list("pk", "item__due_minor"))
    assert {row["disputed"]: row["due"] for row in shown} == {
        True: dues.pop(line.pk),
        False: sum(dues.values()),
    }

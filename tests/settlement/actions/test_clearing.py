"""Certificates used in another municipality: from the agreement to the payment, in the books of both."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import translation

from config.accounts.models import Organisation, User
from config.errors import FourEyes, NotFound
from contracts.actions.clearing import (
    AgreementInPast,
    AgreementOverlaps,
    AgreementSidesDiffer,
    end_agreement,
    offer_agreement,
    sign_agreement,
)
from contracts.models import BudgetEntry, BudgetLine, ClearingAgreement
from settlement.actions.claims import reverse_claim
from settlement.actions.clawbacks import LineSum, decide_clawback, notify_clawback, open_clawback
from settlement.actions.clearing import (
    ClearingSumDiffers,
    DisputeReasonMissing,
    LineNotDisputed,
    NothingToClear,
    NotOurDispute,
    StatementNotAgreed,
    agree_statement,
    answer_dispute,
    book_payment,
    dispute_line,
)
from settlement.actions.ledger import IntoClosedMonth
from settlement.actions.month_close import close_month
from settlement.books import verify_books
from settlement.journal import journal_lines
from settlement.models import (
    Account,
    Adjudication,
    Claim,
    ClaimLine,
    ClearingItem,
    ClearingStatement,
    ClosedMonth,
    Entry,
    Posting,
    Remittance,
)
from settlement.money_trail import money_trail
from settlement.replay import replay_run
from tests.settlement.actions.clearing_town import DECEMBER, Neighbours, bank_line, build_neighbours
from tests.vouchers.town import NOVEMBER_1, OCTOBER, VISIT
from vouchers.actions.certificate_life import cancel_certificate, expire_holds, suspend_certificate
from vouchers.actions.guests import GuestCertificate
from vouchers.actions.recipients import record_death
from vouchers.actions.redemption_checks import RedemptionRefused
from vouchers.models import Certificate
from vouchers.queries import line_balances

pytestmark = pytest.mark.django_db


@pytest.fixture
def towns(organisation: Organisation, other_organisation: Organisation, cast: dict[str, User]) -> Neighbours:
    return build_neighbours(organisation, other_organisation, cast)


def balance(owner: Organisation, kind: str) -> int:
    rows = Posting.objects.filter(account__organisation=owner, account__kind=kind)
    return sum(row.debit - row.credit for row in rows)


def spent(owner: Organisation, kind: str = "spending") -> int:
    return sum(row.amount_minor for row in BudgetEntry.objects.filter(budget_line__organisation=owner, kind=kind))


def left(certificate: Certificate) -> int:
    return line_balances([certificate])[certificate.pk][0].left


def clean() -> bool:
    faults = verify_books()
    assert not faults, [fault.sentence for fault in faults]
    return True


# --- At the door -------------------------------------------------------------------------------------


def test_without_an_agreement_the_visit_is_refused_as_ever(towns: Neighbours) -> None:
    with pytest.raises(RedemptionRefused) as refused:
        towns.visit()
    assert refused.value.code == "NO_CONTRACT"
    assert not Certificate.objects.exclude(home=None).exists()


def test_with_one_the_units_leave_the_certificate_that_was_shown(towns: Neighbours) -> None:
    towns.agree()
    home = towns.issued.certificate
    before = left(home)
    held = towns.hold(towns.host, towns.issued)
    guest = Certificate.objects.get(home=home)
    assert (held.organisation, held.certificate, held.service) == (
        towns.host.organisation, guest, towns.host.service,
    )  # fmt: skip
    assert left(home) == before - 2000 and guest.number == f"verbivka/{home.number}"
    expire_holds(organisation=towns.host.organisation, actor=towns.host.provider_actor, at=VISIT + timedelta(days=60))
    assert left(home) == before
    towns.visit(starts_at=VISIT + timedelta(days=1))
    assert left(home) == before - 2000


def test_an_offer_alone_opens_no_door_and_an_end_closes_it(towns: Neighbours) -> None:
    home, host = towns.home.organisation, towns.host.organisation
    offer = offer_agreement(
        organisation=host, home=home, host=host, norm="host", valid_from=NOVEMBER_1, last_day=None,
        actor=towns.of(towns.host, "admin"), at=OCTOBER,
    )  # fmt: skip
    with pytest.raises(RedemptionRefused):
        towns.visit()
    with pytest.raises(FourEyes):
        sign_agreement(organisation=host, agreement_id=offer.pk, actor=towns.of(towns.host, "checker"), at=OCTOBER)
    with pytest.raises(NotFound):
        sign_agreement(organisation=home, agreement_id=offer.pk, actor=towns.of(towns.host, "admin"), at=OCTOBER)
    sign_agreement(organisation=home, agreement_id=offer.pk, actor=towns.of(towns.home, "admin"), at=OCTOBER)
    towns.visit()
    end_agreement(
        organisation=home, agreement_id=offer.pk, last_day=VISIT.date(), actor=towns.of(towns.home, "admin"), at=VISIT
    )
    towns.visit(starts_at=VISIT + timedelta(hours=4))
    with pytest.raises(RedemptionRefused):
        towns.visit(starts_at=VISIT + timedelta(days=1))


def test_agreements_that_cannot_be(towns: Neighbours) -> None:
    towns.agree()
    home, host = towns.home.organisation, towns.host.organisation
    common: dict[str, Any] = {
        "organisation": home,
        "norm": "home",
        "last_day": None,
        "actor": towns.of(towns.home, "admin"),
    }
    with pytest.raises(AgreementOverlaps):
        offer_agreement(home=home, host=host, valid_from=VISIT.date(), at=OCTOBER, **common)
    with pytest.raises(AgreementSidesDiffer):
        offer_agreement(home=home, host=home, valid_from=VISIT.date(), at=OCTOBER, **common)
    with pytest.raises(AgreementInPast):
        offer_agreement(home=host, host=home, valid_from=NOVEMBER_1, at=VISIT, **common)
    assert ClearingAgreement.objects.count() == 1


def test_what_the_issuer_decides_holds_at_the_host(towns: Neighbours) -> None:
    towns.agree()
    towns.visit()
    home, guest = towns.issued.certificate, Certificate.objects.get(home=towns.issued.certificate)
    with pytest.raises(GuestCertificate):
        suspend_certificate(
            certificate=guest, from_date=VISIT.date(), reason="x", actor=towns.host.case_worker, at=VISIT
        )
    with pytest.raises(GuestCertificate):
        cancel_certificate(
            certificate=guest, status_from=VISIT.date(), reason="x", actor=towns.host.case_worker, at=VISIT
        )
    suspend_certificate(
        certificate=home, from_date=VISIT.date(), last_day=VISIT.date(), reason="x", actor=towns.home.case_worker,
        at=VISIT + timedelta(days=1),
    )  # fmt: skip
    with pytest.raises(RedemptionRefused):
        towns.visit(starts_at=VISIT + timedelta(hours=5))
    # What was learnt after the visit counts when it is judged.
    towns.claim()
    towns.judge()
    assert Adjudication.objects.get().outcome == "rejected" and not ClearingItem.objects.exists()
    assert guest.suspensions.get().from_date == VISIT.date()
    assert clean()


def test_a_death_told_to_the_issuer_is_known_to_the_host(towns: Neighbours) -> None:
    towns.agree()
    towns.visit()
    towns.claim()
    record_death(
        recipient=towns.issued.certificate.recipient, death_date=VISIT.date() - timedelta(days=3),
        actor=towns.home.case_worker, at=VISIT + timedelta(days=5),
    )  # fmt: skip
    towns.judge()
    assert Adjudication.objects.get().outcome == "rejected"
    assert Certificate.objects.exclude(home=None).get().status in ("cancelled", "expired")
    assert clean()


# --- Runs --------------------------------------------------------------------------------------------


def test_the_host_owes_its_provider_and_the_issuer_owes_the_host(towns: Neighbours) -> None:
    towns.agree()
    towns.visit()
    towns.claim()
    reserved = spent(towns.home.organisation, "reservation")
    towns.judge()
    line = Adjudication.objects.get()
    assert (line.gross, line.outcome) == (19600, "accepted") and line.payable == line.gross - line.fee
    host, home = towns.host.organisation, towns.home.organisation
    assert balance(host, "payable") == -line.payable and balance(host, "neighbour") == line.payable
    assert spent(host) == 0 and spent(home) == 0 and balance(home, "expense") == 0
    assert spent(home, "reservation") == reserved
    assert Remittance.objects.get().payable == line.payable
    assert ClearingItem.objects.get().due_minor == line.payable
    assert clean()


def test_under_the_norm_of_the_issuer_the_host_bears_what_goes_beyond(towns: Neighbours) -> None:
    towns.agree(norm="home")
    towns.visit()
    towns.claim()
    towns.judge()
    line, item = Adjudication.objects.get(), ClearingItem.objects.get()
    # 2 hours at 96.54, where the contract pays 98.00.
    assert item.due_minor == 19308 - line.fee and item.norm_e4 == 965400
    assert line.gross == 19600 and spent(towns.host.organisation) == 19600 - 19308
    assert balance(towns.host.organisation, "neighbour") == item.due_minor
    assert clean()


# --- Statements --------------------------------------------------------------------------------------


def test_an_agreed_statement_is_the_issuers_cost_and_is_paid_by_both_banks(towns: Neighbours) -> None:
    towns.agree()
    host, home = towns.host.organisation, towns.home.organisation
    reserved = spent(home, "reservation")
    statement = towns.agreed()
    due = ClearingItem.objects.get().due_minor
    assert due > 0 and statement.status == "agreed" and statement.paid_by(home) == due == -statement.paid_by(host)
    assert spent(home) == due and spent(home, "reservation") == reserved - due
    assert balance(home, "expense") == due and balance(home, "neighbour") == -due == -balance(host, "neighbour")
    assert clean()
    paid, received = bank_line(home, -due), bank_line(host, due)
    say: dict[str, Any] = {"statement_id": statement.pk, "actor": towns.of(towns.home, "maker"), "at": DECEMBER}
    with pytest.raises(ClearingSumDiffers):
        wrong = bank_line(home, -due - 1)
        book_payment(organisation=home, line_id=wrong.pk, **say)
    with pytest.raises(NotFound):
        book_payment(organisation=home, line_id=received.pk, **say)
    for side, line in ((towns.home, paid), (towns.host, received)):
        book_payment(
            organisation=side.organisation, statement_id=statement.pk, line_id=line.pk, actor=towns.of(side, "maker"),
            at=DECEMBER,
        )  # fmt: skip
        assert clean()
    statement.refresh_from_db()
    assert statement.status == "settled"
    assert balance(home, "neighbour") == balance(host, "neighbour") == 0
    assert balance(home, "bank") == -due and balance(host, "bank") == due
    with pytest.raises(StatementNotAgreed):
        book_payment(organisation=home, line_id=wrong.pk, **say)


def test_drawing_up_and_signing_twice_is_once(towns: Neighbours) -> None:
    towns.agree()
    with pytest.raises(NothingToClear):
        towns.draw()
    towns.visit()
    towns.claim()
    towns.judge()
    statement = towns.draw()
    assert towns.draw(towns.home) == statement and statement.lines.count() == 1
    towns.sign(statement, towns.home)
    assert towns.sign(statement, towns.home).status == "drawn"
    assert not Entry.objects.filter(event="clearing.agreed").exists()
    towns.sign(statement, towns.host)
    towns.sign(statement, towns.host)
    assert Entry.objects.filter(event="clearing.agreed").count() == 1
    with pytest.raises(NothingToClear):
        towns.draw(month=date(2025, 12, 1))


def test_nobody_signs_for_the_other_side_or_twice(towns: Neighbours) -> None:
    towns.agree()
    towns.visit()
    towns.claim()
    towns.judge()
    statement = towns.draw()
    with pytest.raises(NotFound):
        agree_statement(organisation=towns.home.organisation, statement_id=statement.pk,
                        actor=towns.of(towns.host, "checker"), at=DECEMBER)  # fmt: skip
    with pytest.raises(FourEyes):
        agree_statement(organisation=towns.host.organisation, statement_id=statement.pk,
                        actor=towns.of(towns.host, "maker"), at=DECEMBER)  # fmt: skip
    assert ClearingStatement.objects.get().first_signed_by is None


def test_a_disputed_line_waits_for_the_next_statement(towns: Neighbours) -> None:
    towns.agree()
    towns.visit()
    towns.visit(starts_at=VISIT + timedelta(days=1), units="1")
    towns.claim()
    towns.judge()
    statement = towns.draw()
    towns.sign(statement, towns.host)
    line = statement.lines.order_by("item__due_minor").first()
    assert line is not None
    say: dict[str, Any] = {"statement_id": statement.pk, "line_id": line.pk, "at": DECEMBER}
    ours, theirs = towns.of(towns.home, "checker"), towns.of(towns.host, "checker")
    home, host = towns.home.organisation, towns.host.organisation
    with pytest.raises(DisputeReasonMissing):
        dispute_line(organisation=home, reason=" ", actor=ours, **say)
    with pytest.raises(NotOurDispute):
        dispute_line(organisation=host, reason="x", actor=theirs, **say)
    with pytest.raises(LineNotDisputed):
        answer_dispute(organisation=home, answer="owed", actor=ours, **say)
    dispute_line(organisation=home, reason="Був у лікарні", actor=ours, **say)
    statement.refresh_from_db()
    assert statement.first_signed_by is statement.second_signed_by is None
    towns.sign(statement, towns.home)
    statement = towns.sign(statement, towns.host)
    other = statement.lines.exclude(pk=line.pk).get().item
    assert abs(statement.net_minor) == other.due_minor and clean()
    with pytest.raises(NothingToClear):
        towns.draw(month=date(2025, 12, 1))
    with pytest.raises(NotOurDispute):
        answer_dispute(organisation=host, answer="owed", actor=theirs, **say)
    answer_dispute(organisation=home, answer="owed", actor=ours, **say)
    following = towns.draw(month=date(2025, 12, 1))
    assert [row.item for row in following.lines.all()] == [line.item]
    assert clean()


def test_what_the_host_gives_up_is_its_own_cost(towns: Neighbours) -> None:
    towns.agree()
    towns.visit()
    towns.claim()
    towns.judge()
    statement = towns.draw()
    line = statement.lines.get()
    say: dict[str, Any] = {"statement_id": statement.pk, "line_id": line.pk, "at": DECEMBER}
    dispute_line(organisation=towns.home.organisation, reason="x", actor=towns.of(towns.home, "checker"), **say)
    answer_dispute(organisation=towns.host.organisation, answer="dropped", actor=towns.of(towns.host, "maker"), **say)
    due = line.item.due_minor
    assert spent(towns.host.organisation) == due and balance(towns.host.organisation, "neighbour") == 0
    assert spent(towns.home.organisation) == 0 and clean()
    claimed = money_trail(organisation=towns.host.organisation, start="claim", pk=line.item.claim_id)
    assert [level.off for level in claimed.levels if level.key == "budget"] == [0]


def of_line(owner: Organisation) -> tuple[int, dict[str, int], int, int]:
    """What the road of the owner's only budget line says of its spending, sums by kind in English words."""
    line = BudgetLine.objects.get(organisation=owner)
    with translation.override("en"):
        shown = money_trail(organisation=owner, start="budget_line", pk=line.pk).spent
    assert shown is not None
    return shown.claims, {part.name: part.amount for part in shown.beside}, shown.unnamed, shown.total


def test_the_road_of_a_budget_line_names_what_is_spent_beside_its_claims(towns: Neighbours) -> None:
    """The neighbour agrees one visit and disputes the other, which the host gives up."""
    home, host = towns.home.organisation, towns.host.organisation
    towns.agree()
    towns.visit()
    towns.visit(starts_at=VISIT + timedelta(days=1), units="1")
    towns.claim()
    towns.judge()
    statement = towns.draw()
    line, other = statement.lines.order_by("item__due_minor")
    say: dict[str, Any] = {"statement_id": statement.pk, "line_id": line.pk, "at": DECEMBER}
    dispute_line(organisation=home, reason="x", actor=towns.of(towns.home, "checker"), **say)
    towns.sign(statement, towns.home)
    towns.sign(statement, towns.host)
    agreed = other.item.due_minor
    assert of_line(home) == (0, {"clearing agreed: our certificates used elsewhere": agreed}, 0, agreed)
    assert of_line(host) == (0, {}, 0, 0)
    answer_dispute(organisation=host, answer="dropped", actor=towns.of(towns.host, "maker"), **say)
    given = line.item.due_minor
    assert of_line(host) == (0, {"refunds of other municipalities given up": given}, 0, given) and given > 0
    BudgetEntry.objects.create(
        budget_line=BudgetLine.objects.get(organisation=host), kind="spending", amount_minor=7,
        label="settlement.claim:0", occurred_on=DECEMBER, recorded_at=DECEMBER,
    )  # fmt: skip
    assert of_line(host)[2:] == (7, given + 7)


def test_nothing_is_agreed_into_a_closed_month(towns: Neighbours) -> None:
    towns.agree()
    towns.visit()
    towns.claim()
    towns.judge()
    statement = towns.draw()
    towns.sign(statement, towns.host)
    ClosedMonth.objects.create(
        organisation=towns.home.organisation, month=date(2025, 12, 1), closed_at=DECEMBER,
        closed_by=User.objects.get(username="checker.verbivka"),
    )  # fmt: skip
    with pytest.raises(IntoClosedMonth):
        towns.sign(statement, towns.home)
    statement.refresh_from_db()
    assert statement.status == "drawn" and spent(towns.home.organisation) == 0 and clean()


def test_accounts_of_neighbours_have_their_name(towns: Neighbours) -> None:
    towns.agree()
    towns.agreed()
    titles = {account.title for account in Account.objects.filter(kind="neighbour")}
    assert any("Калинівська громада" in title for title in titles) and len(titles) == 2


# --- Money that comes back ---------------------------------------------------------------------------


def test_a_claim_taken_back_takes_back_what_was_due(towns: Neighbours) -> None:
    towns.agree(norm="home")
    statement = towns.agreed()
    due = ClearingItem.objects.get().due_minor
    claim = Claim.objects.get()
    reverse_claim(
        organisation=towns.host.organisation, claim_id=claim.pk, reason="x", actor=towns.of(towns.host, "maker"),
        at=DECEMBER,
    )  # fmt: skip
    towns.judge(at=DECEMBER + timedelta(hours=1))
    assert sorted(ClearingItem.objects.values_list("due_minor", flat=True)) == [-due, due] and clean()
    assert balance(towns.host.organisation, "neighbour") == 0
    december = towns.draw(month=date(2025, 12, 1))
    assert (december.net_minor, statement.net_minor) == (-due, due)
    towns.sign(december, towns.home)
    towns.sign(december, towns.host)
    assert balance(towns.home.organisation, "neighbour") == balance(towns.home.organisation, "expense") == 0
    assert spent(towns.home.organisation) == spent(towns.host.organisation) == 0 and clean()


@pytest.mark.parametrize("norm", ["host", "home"])
def test_money_asked_back_of_the_provider_goes_back_to_who_bore_it(towns: Neighbours, norm: str) -> None:
    towns.agree(norm=norm)
    towns.agreed()
    towns.pay()
    host = towns.host.organisation
    before, borne = ClearingItem.objects.get(), spent(host)
    decide(towns, before.claim_line, before.payable_minor)
    assert ClearingItem.objects.latest("id").due_minor == -before.due_minor
    assert spent(host) == 0 and (borne > 0) == (norm == "home")
    assert balance(host, "neighbour") == 0 and balance(host, "recovery") == before.payable_minor and clean()


def test_a_part_asked_back_first_covers_what_the_host_bore(towns: Neighbours) -> None:
    towns.agree(norm="home")
    towns.agreed()
    towns.pay()
    item, borne = ClearingItem.objects.get(), spent(towns.host.organisation)
    decide(towns, item.claim_line, borne)
    assert ClearingItem.objects.count() == 1 and spent(towns.host.organisation) == 0 and clean()


def decide(towns: Neighbours, line: ClaimLine, amount_minor: int) -> None:
    """A case of one line, decided after its notice."""
    host, when = towns.host.organisation, DECEMBER + timedelta(days=21)
    maker: dict[str, Any] = {"organisation": host, "actor": towns.of(towns.host, "maker"), "at": when}
    case = open_clawback(lines=[LineSum(line.pk, amount_minor)], found_by="office", finding="x", ground="x", **maker)
    notify_clawback(case_id=case.pk, **maker)
    decide_clawback(
        organisation=host, case_id=case.pk, reason="x", actor=towns.of(towns.host, "checker"),
        at=when + timedelta(days=60),
    )  # fmt: skip


# --- What others make of it --------------------------------------------------------------------------


def test_both_months_close_and_the_run_replays(towns: Neighbours) -> None:
    towns.agree()
    statement = towns.agreed()
    run = statement.lines.get().item.run
    assert run is not None
    suspend_certificate(
        certificate=towns.issued.certificate, from_date=VISIT.date(), reason="x", actor=towns.home.case_worker,
        at=DECEMBER + timedelta(days=1),
    )  # fmt: skip
    assert not replay_run(run).differences
    for town in (towns.home, towns.host):
        close_month(organisation=town.organisation, month=NOVEMBER_1, actor=towns.of(town, "checker"), at=DECEMBER)
    assert ClosedMonth.objects.count() == 2 and clean()


CORRUPTIONS = [
    ("visits to be cleared equal their decisions", "UPDATE settlement_clearingitem SET due_minor = due_minor - 1",
     "visit to be cleared"),
    ("clearing statements equal their lines", "UPDATE settlement_clearingstatement SET first_owes_minor = 1",
     "clearing statement CS-"),
    ("payments of clearing equal their statements", "UPDATE settlement_clearingstatement SET status = 'settled'",
     "payment of clearing statement CS-"),
    ("neighbours equal the ledger",
     "UPDATE settlement_posting SET account_id = (SELECT min(id) FROM settlement_account WHERE kind = 'expense') "
     "WHERE account_id = (SELECT min(id) FROM settlement_account WHERE kind = 'neighbour')",
     "in the books of"),
    ("neighbours agree with each other",
     "UPDATE settlement_posting SET debit = debit + 1 WHERE debit > 0 AND account_id IN "
     "(SELECT id FROM settlement_account WHERE kind = 'neighbour')",
     "pair "),
    ("claims' spending equals what is allowed", "DELETE FROM settlement_clearingline", "settlement.clearingstatement:"),
    (
        "certificate reservations equal the budget's",
        "DELETE FROM settlement_clearingline",
        "certificate CT-",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("check", "corruption", "named"), CORRUPTIONS)
def test_the_books_name_what_was_changed_behind_the_triggers(
    towns: Neighbours, check: str, corruption: str, named: str
) -> None:
    towns.agree()
    towns.agreed()
    assert clean()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(corruption)
        cursor.execute("SET session_replication_role = DEFAULT")
    found = [fault for fault in verify_books() if fault.check == check]
    assert found and named in found[0].row


def test_the_books_read_by_other_programs_know_the_neighbour(towns: Neighbours) -> None:
    towns.agree()
    towns.agreed()
    lines = "\n".join(journal_lines(towns.host.organisation, form="hledger", until=DECEMBER.date()))
    assert "Assets:Neighbours:Verbivka" in lines

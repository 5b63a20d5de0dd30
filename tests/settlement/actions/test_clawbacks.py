"""Clawbacks: from the finding to the last kopiyka, with what is refused on the way."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from config.audit.actors import SYSTEM
from config.errors import FourEyes, NotFound
from config.office.models import OutboxMessage
from config.office.storage import attachments_of
from config.states import InvalidMove
from contracts.actions.check_facts import RelatedPerson
from contracts.models import BudgetEntry, ProviderRelation
from settlement.actions import clawbacks
from settlement.actions.claims import ClawedBack, reverse_claim
from settlement.actions.clawback_recovery import match_clawbacks
from settlement.actions.clawbacks import LineSum
from settlement.actions.line_parts import CaseUnknown, MoreThanOwed, repay_with_line
from settlement.age_queries import recovery_ages
from settlement.books import verify_books
from settlement.models import (
    AdjudicationRun,
    Claim,
    ClaimLine,
    ClawbackCase,
    ClawbackLine,
    ClawbackRecovery,
    ClawbackStanding,
    Entry,
    Remittance,
)
from settlement.month_checks import month_checks
from settlement.replay import replay_run
from settlement.rules.checks.clm_46_clawback_offset import offsets
from settlement.rules.clawback import look_back_from, outcome_of
from tests.settlement.actions.clawback_town import DECEMBER, DECIDED, LATER, OPENED, ClawbackTown, clawback_town
from tests.settlement.actions.month import AT
from tests.settlement.actions.payables import balances
from tests.trail import trail_for

pytestmark = pytest.mark.django_db(transaction=True)
# Valid, and of nobody here.
OTHERS_REFERENCE = "RF18539007547034"


@pytest.fixture
def town(tmp_path: Path) -> ClawbackTown:
    with translation.override("en"):
        return clawback_town(tmp_path)


def remittances(run: AdjudicationRun) -> dict[str, tuple[int, int]]:
    rows = Remittance.objects.filter(run=run).values_list("claim__number", "offsets", "payable")
    return {number: (offset, payable) for number, offset, payable in rows}


# --- The life of a case --------------------------------------------------------------------------------


def test_a_case_goes_from_the_finding_to_an_offset(town: ClawbackTown) -> None:
    case = town.decided()
    assert (case.status, case.outcome, case.number) == ("decided", "whole", "CB-2025-0001")
    # Ten working days after 15 December and after 4 January.
    assert (case.reply_until, case.return_until) == (date(2025, 12, 29), date(2026, 1, 16))
    assert balances(town.office)["recovery:P1"] == 14250
    assert sum(BudgetEntry.objects.filter(kind="spending").values_list("amount_minor", flat=True)) == 14250
    assert verify_books() == []
    run = town.december()
    assert remittances(run) == {"A-2": (14250, 0), "A-3": (0, 14250)}
    case.refresh_from_db()
    row = ClawbackRecovery.objects.get()
    assert (case.status, row.case, row.remittance.claim.number, row.amount_minor) == ("recovered", case, "A-2", 14250)
    assert Claim.objects.get(number="A-2").status == "paid"
    assert Claim.objects.get(number="A-3").status == "adjudicated"
    assert balances(town.office)["recovery:P1"] == 0
    assert balances(town.office)["payable:P1"] == -14250
    assert verify_books() == []
    trail = [event.action for event in sorted(trail_for(case), key=lambda event: event.pk)]
    steps = ("opened", "notified", "replied", "decided")
    assert trail == [*(f"clawback.{step}" for step in steps), "claims.adjudicated"]
    closed = clawbacks.close_clawback(case_id=case.pk, reason="Повернено", **town.who("halyna", LATER))
    assert closed.status == "closed"


def test_a_run_with_offsets_is_judged_again_to_the_same(town: ClawbackTown) -> None:
    town.decided()
    run = town.december()
    assert replay_run(run).equal
    # Another case and its decision change nothing of what the run saw.
    town.decided(LineSum(town.line(line=2).pk))
    replay = replay_run(run)
    assert (replay.equal, replay.changes) == (True, ())
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE settlement_clawbackstanding DISABLE TRIGGER ALL")
        cursor.execute("UPDATE settlement_clawbackstanding SET outstanding_minor = 100")
        cursor.execute("ALTER TABLE settlement_clawbackstanding ENABLE TRIGGER ALL")
    assert {row.what for row in replay_run(run).differences} == {"offsets", "payable"}


def test_nothing_is_kept_back_before_the_term_has_passed(town: ClawbackTown) -> None:
    case = town.decided()
    assert case.return_until is not None
    last_day = LATER.replace(day=case.return_until.day)
    run = town.december(last_day)
    assert remittances(run) == {"A-2": (0, 14250), "A-3": (0, 14250)}
    assert not ClawbackStanding.objects.exists()


def test_the_day_after_the_term_it_is_kept_back(town: ClawbackTown) -> None:
    case = town.decided()
    assert case.return_until is not None
    run = town.december(LATER.replace(day=case.return_until.day + 1))
    assert remittances(run)["A-2"] == (14250, 0)
    assert ClawbackStanding.objects.get().outstanding_minor == 14250


def test_two_cases_are_served_in_the_order_of_their_terms(town: ClawbackTown) -> None:
    later = town.decided(LineSum(town.line(line=2).pk), at=DECIDED + timedelta(days=1))
    sooner = town.decided(LineSum(town.line().pk, 2000))
    assert sooner.return_until is not None and later.return_until is not None
    assert sooner.return_until < later.return_until
    run = town.december()
    assert remittances(run) == {"A-2": (14250, 0), "A-3": (2000, 12250)}
    taken = list(ClawbackRecovery.objects.order_by("id").values_list("case", "amount_minor"))
    assert taken == [(sooner.pk, 2000), (later.pk, 12250), (later.pk, 2000)]
    assert verify_books() == []


def test_a_decision_in_part(town: ClawbackTown) -> None:
    lines = [LineSum(town.line(line=1).pk), LineSum(town.line(line=2).pk)]
    case = town.replied(*lines)
    first = case.lines.order_by("pk")[0]
    who = town.who("ivan", DECIDED)
    with pytest.raises(clawbacks.MoreThanAsked):
        clawbacks.decide_clawback(case_id=case.pk, reason="x", upheld_minor={first.pk: 14251}, **who)
    with pytest.raises(NotFound):
        clawbacks.decide_clawback(case_id=case.pk, reason="x", upheld_minor={0: 1}, **who)
    done = clawbacks.decide_clawback(case_id=case.pk, reason="Частково", upheld_minor={first.pk: 5000}, **who)
    assert (done.status, done.outcome) == ("decided", "part")
    assert sorted(case.lines.values_list("upheld_minor", flat=True)) == [0, 5000]
    assert balances(town.office)["recovery:P1"] == 5000
    # What was not upheld can be asked back by a later case, no more than that.
    again = town.opened(LineSum(first.claim_line_id))
    assert again.lines.get().amount_minor == 9250
    assert verify_books() == []


def test_a_dropped_case_is_closed_and_moves_no_money(town: ClawbackTown) -> None:
    case = town.replied()
    line = case.lines.get()
    done = clawbacks.decide_clawback(
        case_id=case.pk, reason="Візит був", upheld_minor={line.pk: 0}, **town.who("ivan", DECIDED)
    )
    assert (done.status, done.outcome, done.return_until) == ("closed", "dropped", None)
    assert "recovery:P1" not in balances(town.office)
    assert OutboxMessage.objects.filter(code="clawback.decided").exists()
    with pytest.raises(InvalidMove):
        clawbacks.decide_clawback(case_id=case.pk, reason="x", **town.who("ivan", DECIDED))
    reverse_claim(claim_id=line.claim_line.claim_id, reason="x", **town.who("halyna", DECIDED))


def test_the_provider_replies_once_within_the_term_with_evidence(town: ClawbackTown) -> None:
    case = town.notified()
    assert OutboxMessage.objects.filter(code="clawback.notified", user=town.cast["nadiia"]).count() == 1
    nadiia = town.who("nadiia", OPENED + timedelta(days=15))
    with pytest.raises(clawbacks.ReplyLate):
        clawbacks.reply_to_clawback(case_id=case.pk, text="Пізно", **nadiia)
    nadiia["at"] = OPENED + timedelta(days=14)
    reply = clawbacks.reply_to_clawback(
        case_id=case.pk, text="Візит був", files=[("журнал.pdf", b"%PDF-", "application/pdf")], **nadiia
    )
    assert [file.name for file in attachments_of(reply)] == ["журнал.pdf"]
    with pytest.raises(InvalidMove):
        clawbacks.reply_to_clawback(case_id=case.pk, text="Ще раз", **nadiia)


def test_without_a_reply_it_is_decided_when_the_term_has_passed(town: ClawbackTown) -> None:
    case = town.notified()
    with pytest.raises(clawbacks.TermRuns):
        clawbacks.decide_clawback(case_id=case.pk, reason="x", **town.who("ivan", OPENED + timedelta(days=14)))
    done = clawbacks.decide_clawback(case_id=case.pk, reason="x", **town.who("ivan", OPENED + timedelta(days=15)))
    assert done.status == "decided"
    with pytest.raises(InvalidMove):
        clawbacks.decide_clawback(case_id=case.pk, reason="x", **town.who("ivan", DECIDED))
    with pytest.raises(InvalidMove):
        clawbacks.close_clawback(case_id=case.pk, reason="x", **town.who("halyna", DECIDED))
    assert Entry.objects.filter(event="clawback.decided").count() == 1


# --- Who and what is refused -----------------------------------------------------------------------------


def test_who_opens_never_decides(town: ClawbackTown) -> None:
    case = town.replied()
    with pytest.raises(FourEyes):
        clawbacks.decide_clawback(case_id=case.pk, reason="x", **town.who("halyna", DECIDED))
    with pytest.raises(IntegrityError, match="clawback_four_eyes"):
        ClawbackCase.objects.filter(pk=case.pk).update(
            decided_by=case.opened_by, decided_at=DECIDED, outcome="dropped", decision_reason="x", status="closed"
        )


def test_a_relative_of_the_provider_neither_opens_nor_decides(town: ClawbackTown) -> None:
    case = town.replied()
    relation = {"organisation": town.office, "provider": case.provider, "recorded_at": AT, "reason": "сестра"}
    names = {field.name for field in ProviderRelation._meta.get_fields()}
    values = {key: value for key, value in relation.items() if key in names}
    for name in ("halyna", "ivan"):
        ProviderRelation.objects.create(user=town.cast[name], valid_from=date(2025, 1, 1), **values)
    with pytest.raises(RelatedPerson):
        town.opened(LineSum(town.line(line=2).pk))
    with pytest.raises(RelatedPerson):
        clawbacks.decide_clawback(case_id=case.pk, reason="x", **town.who("ivan", DECIDED))
    with pytest.raises(IntegrityError, match="related"):
        ClawbackCase.objects.filter(pk=case.pk).update(
            decided_by=town.cast["ivan"], decided_at=DECIDED, outcome="dropped", decision_reason="x", status="closed"
        )


def test_no_more_than_was_paid_is_asked_back(town: ClawbackTown) -> None:
    line = town.line()
    with pytest.raises(clawbacks.MoreThanPaid):
        town.opened(LineSum(line.pk, 14251))
    first = town.opened(LineSum(line.pk, 10000))
    with pytest.raises(clawbacks.MoreThanPaid):
        town.opened(LineSum(line.pk, 4251))
    with pytest.raises(IntegrityError, match="more is claimed back"):
        ClawbackLine.objects.create(case=town.opened(LineSum(town.line(line=2).pk)), claim_line=line, amount_minor=4251)
    town.opened(LineSum(line.pk, 4250))
    with pytest.raises(clawbacks.NothingToClaimBack):
        town.opened(LineSum(line.pk))
    with pytest.raises(clawbacks.NothingToClaimBack):
        town.opened(*[LineSum(row.pk) for row in ClaimLine.objects.filter(claim__number="A-2")])
    assert first.lines.get().amount_minor == 10000


def test_lines_older_than_the_look_back_are_refused(town: ClawbackTown) -> None:
    line = town.line()
    late = OPENED.replace(year=2028, month=11, day=4)
    with pytest.raises(clawbacks.LineTooOld):
        town.opened(LineSum(line.pk), at=late)
    case = town.opened(LineSum(line.pk, 1), at=late - timedelta(days=1))
    assert case.look_back_from == date(2025, 11, 3)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE settlement_clawbackcase DISABLE TRIGGER ALL")
        cursor.execute("UPDATE settlement_clawbackcase SET look_back_from = '2025-11-05'")
        cursor.execute("ALTER TABLE settlement_clawbackcase ENABLE TRIGGER ALL")
    with pytest.raises(IntegrityError, match="cannot be claimed back"):
        ClawbackLine.objects.create(case=case, claim_line=town.line(line=2), amount_minor=1)


def test_lines_are_added_until_the_provider_is_told(town: ClawbackTown) -> None:
    case = town.opened()
    who = town.who("halyna", OPENED)
    clawbacks.add_clawback_lines(case_id=case.pk, lines=[LineSum(town.line(line=2).pk)], **who)
    assert case.lines.count() == 2
    with pytest.raises(clawbacks.MoreThanPaid):
        clawbacks.add_clawback_lines(case_id=case.pk, lines=[LineSum(town.line().pk)], **who)
    clawbacks.notify_clawback(case_id=case.pk, **who)
    with pytest.raises(InvalidMove):
        clawbacks.add_clawback_lines(case_id=case.pk, lines=[LineSum(town.line().pk)], **who)
    with pytest.raises(NotFound):
        clawbacks.open_clawback(
            lines=[LineSum(0)], found_by="office", finding="x", ground="x", **town.who("halyna", OPENED)
        )


def test_a_claim_is_reversed_or_clawed_back_not_both(town: ClawbackTown) -> None:
    town.decided()
    claim = Claim.objects.get(number="A-1")
    who = town.who("halyna", DECIDED)
    with pytest.raises(ClawedBack):
        reverse_claim(claim_id=claim.pk, reason="x", **who)
    with pytest.raises(IntegrityError, match="takes back what is asked back"):
        Claim.objects.create(
            organisation=town.office, number="X", provider=claim.provider, period=claim.period, reverses=claim,
            status="submitted", recorded_at=DECIDED,
        )  # fmt: skip


def test_a_claim_that_is_being_reversed_is_not_clawed_back(town: ClawbackTown) -> None:
    claim = Claim.objects.get(number="A-1")
    reverse_claim(claim_id=claim.pk, reason="x", **town.who("halyna", OPENED))
    with pytest.raises(clawbacks.BeingTakenBack):
        town.opened()


# --- Money that comes by the bank ------------------------------------------------------------------------


def test_a_credit_with_the_reference_of_the_case_repays_it(town: ClawbackTown) -> None:
    case = town.decided()
    statement = town.receive((4250, f"Повернення {case.rf_reference}"), (20000, f"{case.rf_reference}"))
    assert [line.status for line in statement.lines.order_by("position")] == ["matched", "unmatched"]
    assert balances(town.office)["recovery:P1"] == 10000
    assert verify_books() == []
    assert [(row.name, row.total) for row in recovery_ages(town.office, LATER.date())] == [("Турбота", 10000)]
    run = town.december()
    assert remittances(run)["A-2"] == (10000, 4250)
    case.refresh_from_db()
    assert case.status == "recovered"
    assert verify_books() == []
    assert next(row.count for row in month_checks(town.office, DECEMBER) if row.code == "BANK_DIFFERS") == 0


def test_credits_that_quote_others_cost_no_query_each(town: ClawbackTown) -> None:
    case = town.decided()
    queries = []
    for others in (2, 9):
        statement = town.receive((99_999, case.rf_reference), *[(5, OTHERS_REFERENCE)] * others)
        assert statement.lines.filter(status="unmatched").count() == others + 1
        with CaptureQueriesContext(connection) as asked, transaction.atomic():
            assert match_clawbacks(statement, actor=SYSTEM, at=DECIDED) == 0
        queries.append(len(asked))
    assert queries[0] == queries[1]


def test_a_person_says_for_which_case_a_line_is(town: ClawbackTown) -> None:
    case = town.decided()
    statement = town.receive((14250, "без призначення"), (1, "ще копійка"))
    whole, rest = statement.lines.order_by("position")
    who = town.who("ivan", DECIDED)
    with pytest.raises(CaseUnknown):
        repay_with_line(line_id=whole.pk, case="CB-2025-9999", **who)
    repay_with_line(line_id=whole.pk, case=case.number, **who)
    case.refresh_from_db()
    assert case.status == "recovered"
    # Nothing is owed any more.
    with pytest.raises(CaseUnknown):
        repay_with_line(line_id=rest.pk, case=case.number, **who)
    assert remittances(town.december()) == {"A-2": (0, 14250), "A-3": (0, 14250)}
    assert verify_books() == []


def test_a_line_above_what_is_owed_is_refused(town: ClawbackTown) -> None:
    case = town.decided()
    statement = town.receive((14251, "забагато"))
    with pytest.raises(MoreThanOwed):
        repay_with_line(line_id=statement.lines.get().pk, case=case.number, **town.who("ivan", DECIDED))
    with pytest.raises(IntegrityError, match="more is recovered"):
        ClawbackRecovery.objects.create(
            case=case, amount_minor=14251, statement_line=statement.lines.get(), recovered_on=DECIDED.date(),
            recorded_at=DECIDED,
        )  # fmt: skip


# --- Rules -------------------------------------------------------------------------------------------------


def test_without_a_clawback_nothing_is_kept_and_nothing_is_written(town: ClawbackTown) -> None:
    run = town.december()
    assert remittances(run) == {"A-2": (0, 14250), "A-3": (0, 14250)}
    assert not ClawbackStanding.objects.exists() and not Entry.objects.filter(event__startswith="clawback").exists()


@given(st.lists(st.integers(-(10**9), 10**9), max_size=12), st.integers(0, 10**10))
def test_what_is_kept_back_and_what_is_paid_make_the_whole(payables: list[int], outstanding: int) -> None:
    kept = offsets(payables, outstanding=outstanding)
    assert all(0 <= part <= max(whole, 0) for part, whole in zip(kept, payables, strict=True))
    assert sum(kept) == min(outstanding, max(sum(payables), 0))
    paid = [whole - part for whole, part in zip(payables, kept, strict=True)]
    assert sum(paid) + sum(kept) == sum(payables)


def test_terms_and_outcomes() -> None:
    assert look_back_from(date(2028, 2, 29), 3) == date(2025, 2, 28)
    assert look_back_from(date(2028, 11, 4), 3) == date(2025, 11, 4)
    assert [outcome_of(rows) for rows in ([(5, 5)], [(5, 5), (5, 0)], [(5, 0)])] == ["whole", "part", "dropped"]

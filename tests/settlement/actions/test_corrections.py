"""A closed month put right: what was seen is what is posted, in the open month, by two persons, once."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.audit.actors import SYSTEM
from config.errors import FourEyes, NotFound, NotPermitted
from config.office.models import OutboxMessage
from config.states import InvalidMove
from contracts.actions.check_facts import RelatedPerson
from contracts.models import NormCost, Parameter, ProviderRelation
from settlement.actions import appeals, correction_objections, corrections
from settlement.actions.claims import reverse_claim
from settlement.actions.fees import issue_fee_notices
from settlement.actions.holds import place_hold
from settlement.actions.pends import keep_pend
from settlement.books import verify_books
from settlement.correction_queries import LEFT_OUT, sums_of
from settlement.deadline_queries import deadlines
from settlement.models import (
    Adjudication,
    AdjudicationRun,
    Claim,
    Clearance,
    Correction,
    CorrectionLine,
    Entry,
    FeeCharge,
    KeptPend,
    ObjectionAnswer,
    Posting,
    YearClosing,
)
from settlement.replay import replay_run
from tests.oracle.small import add
from tests.settlement.actions.corrected_town import (
    LATER,
    LEARNT,
    approve,
    by,
    closed_town,
    disagreements,
    in_hospital,
    let_olena_in,
    lower_income,
    propose,
)
from tests.settlement.actions.lifting import lift
from tests.settlement.actions.month import AT, NOVEMBER, add_visit, balance, judge, set_aside, two_visits
from tests.settlement.views.town import Town
from tests.trail import trail_for
from vouchers.actions.fee_revisions import RevisionIncrease
from vouchers.models import Recipient

pytestmark = pytest.mark.django_db
AS_DECIDED = 127_800
ACCOUNTS = ("payable:P1", "expense:B1-2025", "fee:B1-2025")


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return closed_town(tmp_path)


def allow(town: Town, key: str) -> Parameter:
    return Parameter.objects.create(
        organisation=town.organisation, jurisdiction=town.organisation.jurisdiction, key=key, value="true",
        valid_from=date(2020, 1, 1), recorded_at=AT,
    )  # fmt: skip


def standing() -> dict[str, int]:
    return {code: balance(code) for code in ACCOUNTS}


def test_a_smaller_fee_moves_recipient_provider_and_budget_together(town: Town) -> None:
    lower_income()
    before, entries = standing(), Entry.objects.count()
    made = propose(town)
    assert (made.status, made.number, made.run) == ("proposed", "CO-2025-0001", None)
    assert (made.gross_minor, made.fee_minor, made.payable_minor) == (0, -47_800, 47_800)
    # Nothing is posted before the second person.
    assert (standing(), Entry.objects.count(), Claim.objects.count()) == (before, entries, 1)
    approve(town, made)
    after = standing()
    assert after["payable:P1"] - before["payable:P1"] == -47_800
    assert after["fee:B1-2025"] - before["fee:B1-2025"] == 47_800
    assert after["expense:B1-2025"] == before["expense:B1-2025"]
    assert {(row["kind"], row["amount"]) for row in made.plan["accounts"]} == {("payable", -47_800), ("fee", 47_800)}
    assert disagreements() == []


def test_rows_of_the_frozen_month_stay_and_the_entries_are_of_the_open_one(town: Town) -> None:
    lower_income()
    decided = list(Adjudication.objects.order_by("pk").values())
    posted = list(Posting.objects.order_by("pk").values())
    made = approve(town, propose(town))
    assert list(Adjudication.objects.order_by("pk").values()[: len(decided)]) == decided
    assert list(Posting.objects.order_by("pk").values()[: len(posted)]) == posted
    new = Entry.objects.exclude(postings__in=[row["id"] for row in posted])
    assert {entry.date for entry in new} == {LATER.date()}
    pair = made.claims.get()
    assert (pair.claim, pair.reversal.reverses, pair.new_claim.submitted_at) == (
        town.claim, town.claim, town.claim.submitted_at,
    )  # fmt: skip
    assert Claim.objects.get(pk=town.claim.pk).status == "reversed"


def test_an_absence_learnt_late_takes_the_visit_back(town: Town) -> None:
    in_hospital()
    made = propose(town, ground="attendance")
    lines = list(CorrectionLine.objects.filter(correction=made).select_related("claim_line"))
    taken = [line for line in lines if line.units_becomes < line.units_was]
    assert {line.claim_line.service_date for line in taken} == {date(2025, 11, 4)}
    assert all("CLM-27" in line.checks and line.outcome_becomes == "rejected" for line in taken)
    # The month's fee is laid on the visits that are left; the budget bears less.
    assert (made.fee_minor, made.payable_minor) == (0, made.gross_minor)
    spent = set_aside("spending")
    approve(town, made)
    assert set_aside("spending") - spent == made.payable_minor
    assert {line.pk for line in lines} == set(made.lines.values_list("pk", flat=True))
    assert disagreements() == []


def two_runs(folder: Path) -> Town:
    """The fee of the month is 285.00: the first run lays it on two visits, the second has nothing left for its one."""
    tables = two_visits()
    tables["fee_assessments"][0]["monthly_limit"] = "285.00"
    tables["claims"][0]["run"] = "1"
    add(tables, "claims", **(tables["claims"][0] | {"number": "A-2", "run": "2"}))
    add_visit(tables, "2025-11-12", claim_number="A-2", unit_rate="95", amount="142.50")
    return closed_town(folder, tables, runs=2)


def test_a_claim_of_a_later_run_that_the_correction_leaves_more_fee_is_drawn_in(tmp_path: Path) -> None:
    town = two_runs(tmp_path)
    assert [run.fee_minor for run in AdjudicationRun.objects.order_by("number")] == [28_500, 0]
    in_hospital()
    made = propose(town, ground="attendance")
    lines = {row.claim_line.claim.number: row for row in made.lines.select_related("claim_line__claim").order_by("id")}
    assert set(lines) == {"A-1", "A-2"}
    # One visit is gone; its fee is laid on the visit of the later run, and the recipient pays no more than before.
    assert (lines["A-2"].fee_was, lines["A-2"].fee_becomes) == (0, 14_250)
    assert (made.gross_minor, made.fee_minor, made.payable_minor) == (-14_250, 0, -14_250)
    approve(town, made)
    assert disagreements() == []
    with pytest.raises(corrections.NothingToCorrect):
        propose(town)


def test_a_claim_of_a_later_run_that_stays_as_it_is_is_left_alone(tmp_path: Path) -> None:
    town = two_runs(tmp_path)
    allow(town, "correction.fee_increase")
    NormCost.objects.get().change(at=LATER - timedelta(days=1), unit_rate=Decimal(95))
    with pytest.raises(corrections.NothingToCorrect):
        propose(town)
    in_hospital(date(2025, 11, 11), date(2025, 11, 14))
    made = propose(town, ground="attendance")
    assert set(made.lines.values_list("claim_line__claim__number", flat=True)) == {"A-2"}


def test_the_preview_is_what_is_posted_line_by_line(town: Town) -> None:
    in_hospital()
    lower_income()
    made = approve(town, propose(town))
    pair = made.claims.get()
    now = {row.claim_line.line: row for row in Adjudication.objects.filter(claim=pair.new_claim)}
    for line in made.lines.select_related("claim_line"):
        row = now[line.claim_line.line]
        assert (row.outcome, row.units_allowed, row.gross, row.fee, row.payable) == (
            line.outcome_becomes, line.units_becomes, line.gross_becomes, line.fee_becomes, line.payable_becomes,
        )  # fmt: skip


def test_the_run_of_a_correction_can_be_replayed(town: Town) -> None:
    lower_income()
    made = approve(town, propose(town))
    assert [replay_run(run).equal for run in AdjudicationRun.objects.order_by("pk")] == [True, True]
    assert made.run is not None and made.run.number == 2


def test_the_same_correction_is_one_document_and_posts_once(town: Town) -> None:
    lower_income()
    made = propose(town)
    assert propose(town, at=LATER + timedelta(minutes=5)) == made
    approve(town, made)
    entries = Entry.objects.count()
    assert approve(town, made).pk == made.pk
    assert (Entry.objects.count(), Correction.objects.count()) == (entries, 1)
    with pytest.raises(corrections.NothingToCorrect):
        propose(town)
    lower_income("500.00", at=LATER)
    assert propose(town, at=LATER + timedelta(hours=1)).fee_minor == -30_000


def test_what_changed_after_it_was_seen_is_not_approved(town: Town) -> None:
    lower_income()
    made = propose(town)
    lower_income("700.00", at=LATER)
    with pytest.raises(corrections.CorrectionWaits):
        propose(town)
    before = standing()
    with pytest.raises(corrections.CorrectionChanged):
        approve(town, made, at=LATER + timedelta(hours=1))
    with pytest.raises(corrections.CorrectionChanged):
        approve(town, made, content_sha256="0" * 64)
    assert (standing(), Claim.objects.count()) == (before, 1)
    corrections.cancel_correction(**by(town, "halyna"), correction_id=made.pk, reason="Нова довідка")
    with pytest.raises(InvalidMove):
        approve(town, made)
    assert propose(town, at=LATER + timedelta(hours=1)).fee_minor == -57_800


def test_two_persons_neither_of_whom_is_related(town: Town) -> None:
    lower_income()
    made = propose(town)
    with pytest.raises(FourEyes):
        approve(town, made, "halyna")
    ProviderRelation.objects.create(
        user=town.users["ivan"], provider=town.claim.provider, reason="сестра", valid_from=date(2025, 1, 1),
        recorded_at=AT,
    )  # fmt: skip
    with pytest.raises(RelatedPerson):
        approve(town, made)
    with pytest.raises(IntegrityError), transaction.atomic():
        Correction.objects.filter(pk=made.pk).update(approved_by=made.proposed_by)


def test_refusals_say_what_to_do(town: Town, other_organisation: Any) -> None:
    with pytest.raises(corrections.NothingToCorrect):
        propose(town)
    with pytest.raises(corrections.MonthStillOpen):
        propose(town, month=date(2025, 12, 1))
    lower_income()
    made = propose(town)
    with pytest.raises(NotFound):
        approve(town, made, organisation=other_organisation)
    corrections.cancel_correction(**by(town, "halyna"), correction_id=made.pk, reason="-")
    reverse_claim(**by(town, "halyna"), claim_id=town.claim.pk, reason="-")
    with pytest.raises(corrections.MonthWaits):
        propose(town)


def test_a_closed_year_is_corrected_only_where_the_parameter_allows_it(town: Town) -> None:
    lower_income()
    YearClosing.objects.create(
        organisation=town.organisation, year=2025, plan={}, content_sha256="", proposed_by=town.users["halyna"],
        approved_by=town.users["ivan"], proposed_at=AT, status="proposed", status_at=AT,
    ).move_to("approved", at=AT)  # fmt: skip
    january = LATER + timedelta(days=40)
    with pytest.raises(corrections.ClosedYear) as refused, override("en"):
        propose(town, at=january)
    with override("en"):
        assert "«a month of a closed year may be corrected»" in refused.value.sentence
    allow(town, "correction.closed_year")
    assert propose(town, at=january).fee_minor == -47_800


def test_no_fee_rises_back_in_time_unless_the_parameter_says_so(town: Town) -> None:
    with pytest.raises(RevisionIncrease):
        lower_income("1400.00")
    allowed = allow(town, "correction.fee_increase")
    lower_income("1400.00")
    allowed.withdraw(at=LEARNT)
    with pytest.raises(corrections.NothingFree) as refused:
        propose(town)
    assert "A-1" in refused.value.params["claims"]
    allow(town, "correction.fee_increase")
    assert propose(town).fee_minor == 12_200


@pytest.mark.parametrize(("status", "reason"), [("scheduled", "BEING_PAID"), ("disputed", "APPEALED")])
def test_a_claim_on_its_way_is_left_out(town: Town, status: str, reason: str) -> None:
    lower_income()
    town.claim.move_to(status, at=LATER)
    with pytest.raises(corrections.NothingFree) as refused:
        propose(town)
    assert str(LEFT_OUT[reason]) in refused.value.params["claims"]


def test_a_notice_that_the_recipient_has_goes_down_with_the_fee(town: Town) -> None:
    issue_fee_notices(organisation=town.organisation, month=NOVEMBER, actor=town.users["halyna"].as_actor(), at=AT)
    lower_income()
    made = propose(town)
    assert [row["amount"] for row in made.plan["notices"]] == [-47_800]
    assert sum(row["amount"] for row in made.plan["accounts"]) == 0
    assert FeeCharge.objects.count() == 1
    approve(town, made)
    assert sum(FeeCharge.objects.values_list("amount_minor", flat=True)) == 80_000
    assert balance("receivable:fees") == 80_000
    assert disagreements() == []


def test_what_two_persons_lifted_stays_lifted(town: Town) -> None:
    line = Adjudication.objects.get(claim=town.claim, outcome="pended").claim_line
    lift(town.organisation, line, at=AT)
    judge(town.organisation, at=AT + timedelta(hours=1))
    lower_income()
    made = approve(town, propose(town))
    assert Clearance.objects.filter(claim_line__claim=made.claims.get().new_claim).count() == 1
    assert made.gross_minor == 0
    assert not Adjudication.objects.filter(run=made.run, reverses=None, outcome="pended").exists()
    assert disagreements() == []


def test_what_a_person_decided_not_to_pay_stays_decided(town: Town) -> None:
    line = Adjudication.objects.get(claim=town.claim, outcome="pended").claim_line
    keep_pend(**by(town, "ivan", AT), claim_line_id=line.pk, check_code="CLM-11", reason="Візиту не було")
    lower_income()
    made = approve(town, propose(town))
    kept = KeptPend.objects.get(run=made.run)
    assert (kept.claim_line.claim, kept.claim_line.line, kept.reason) == (
        made.claims.get().new_claim, line.line, "Візиту не було",
    )  # fmt: skip


def test_everything_that_keeps_a_claim_is_named_at_once(town: Town) -> None:
    lower_income()
    place_hold(**by(town, "halyna"), target=town.claim, reason="Перевірка", from_date=LATER.date(), to_date=None)
    town.claim.move_to("disputed", at=LATER)
    with pytest.raises(corrections.NothingFree) as refused:
        propose(town)
    words = "; ".join(str(LEFT_OUT[reason]) for reason in ("APPEALED", "HELD"))
    assert refused.value.params["claims"] == f"A-1 ({words})"


@pytest.mark.parametrize("held", [True, False])
def test_a_held_claim_is_left_out(town: Town, held: bool) -> None:
    lower_income()
    if held:
        place_hold(**by(town, "halyna"), target=town.claim, reason="Перевірка", from_date=LATER.date(), to_date=None)
        with pytest.raises(corrections.NothingFree):
            propose(town)
    else:
        assert propose(town).plan["left_out"] == []


def test_people_are_told_and_the_trail_keeps_it(town: Town) -> None:
    let_olena_in(town)
    lower_income()
    made = approve(town, propose(town))
    told = OutboxMessage.objects.filter(code="correction.approved")
    assert {message.user.username for message in told} == {"nadiia", "olena"}
    assert all(message.params["until"] == "2025-12-22" for message in told)
    assert {event.action for event in trail_for(made)} == {"correction.proposed", "correction.approved"}
    assert "correction.approved" in {event.action for event in trail_for(made.claims.get().new_claim)}


def test_nobody_edits_a_corrected_line(town: Town) -> None:
    lower_income()
    line = propose(town).lines.earliest("pk")
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        CorrectionLine.objects.filter(pk=line.pk).update(fee_becomes=0)


def test_system_cannot_sign(town: Town) -> None:
    lower_income()
    with pytest.raises(NotPermitted):
        propose(town, actor=SYSTEM)


def test_a_recipient_objects_in_time_once_and_another_person_answers(town: Town) -> None:
    lower_income()
    made = propose(town)
    recipient = Recipient.objects.get()
    said: dict[str, Any] = {"recipient": recipient, "correction_id": made.pk, "reason": "Дохід інший"}
    said |= {"actor": town.users["olena"].as_actor()}
    with pytest.raises(NotFound):
        correction_objections.object_to_correction(**said, at=LATER)
    approve(town, made)
    with pytest.raises(correction_objections.ObjectionLate):
        correction_objections.object_to_correction(**said, at=LATER + timedelta(days=40))
    objection = correction_objections.object_to_correction(**said, at=LATER)
    with pytest.raises(correction_objections.ObjectionMade):
        correction_objections.object_to_correction(**said, at=LATER)
    answer: dict[str, Any] = {"objection_id": objection.pk, "upheld": False, "reason": "Довідка вірна"}
    for name in ("halyna", "ivan"):
        with pytest.raises(FourEyes):
            correction_objections.answer_objection(**by(town, name), **answer)
        with pytest.raises(IntegrityError), transaction.atomic():
            ObjectionAnswer.objects.create(
                objection=objection, upheld=True, reason="-", answered_by=town.users[name], recorded_at=LATER
            )
    given = correction_objections.answer_objection(**by(town, "oksana"), **answer)
    assert (given.upheld, given.answered_by.username) == (False, "oksana")
    with pytest.raises(correction_objections.ObjectionAnswered):
        correction_objections.answer_objection(**by(town, "oksana"), **answer)
    assert {event.action for event in trail_for(objection)} == {
        "correction.disputed", "correction.objection_answered",
    }  # fmt: skip


def test_a_provider_appeals_against_the_decision_of_a_correction(town: Town) -> None:
    in_hospital()
    made = approve(town, propose(town))
    claim = made.claims.get().new_claim
    line = Adjudication.objects.filter(claim=claim, outcome="rejected").earliest("pk").claim_line
    appeal = appeals.submit_appeal(**by(town, "nadiia"), claim_id=claim.pk, claim_line_id=line.pk, reason="Візит був")
    # Neither who approved the correction nor who prepared it answers.
    for name in ("ivan", "halyna"):
        with pytest.raises(FourEyes):
            appeals.refuse_appeal(**by(town, name), appeal_id=appeal.pk, reason="-")
    assert not appeals.refuse_appeal(**by(town, "oksana"), appeal_id=appeal.pk, reason="Був у лікарні").upheld


# Statement that corrupts one row behind the triggers, and the check that must name it.
CORRUPTIONS = [
    (
        "corrections equal what was posted",
        "UPDATE settlement_correction SET fee_minor = fee_minor - 1, payable_minor = payable_minor + 1",
    ),
    (
        "corrections equal what was posted",
        "UPDATE settlement_posting SET credit = credit + 1 WHERE id = (SELECT max(id) FROM settlement_posting "
        "WHERE credit > 0)",
    ),
    (
        "corrected lines equal their decisions",
        "UPDATE settlement_correctionline SET fee_becomes = fee_becomes + 1, payable_becomes = payable_becomes - 1",
    ),
    ("corrected lines equal their decisions", "DELETE FROM settlement_correctionclaim"),
    ("corrected lines equal their decisions", "UPDATE settlement_correctionline SET units_becomes = units_becomes + 1"),
    ("corrected lines were what was decided before", "UPDATE settlement_correctionline SET rate_was = rate_was + 1"),
]


@pytest.mark.parametrize(("check", "statement"), CORRUPTIONS)
def test_the_books_name_a_corrupted_correction(town: Town, check: str, statement: str) -> None:
    lower_income()
    made = approve(town, propose(town))
    assert disagreements() == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    found = [fault for fault in verify_books() if fault.check == check]
    assert found and found[0].row.startswith(f"correction {made.number}")


@given(
    limit=st.integers(0, 130_000).filter(lambda limit: limit != AS_DECIDED),
    first=st.integers(5, 12),
    days=st.integers(2, 9),
    rate=st.sampled_from([80, 90, 95]),
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_was_and_difference_give_becomes_and_the_parties_give_the_budget(
    town: Town, limit: int, first: int, days: int, rate: int
) -> None:
    """Whatever changes: line by line and in sum, what providers get more is what recipients and the budget pay more."""
    savepoint = transaction.savepoint()
    try:
        allow(town, "correction.fee_increase")
        lower_income(str(Decimal(limit) / 100))
        in_hospital(date(2025, 11, first), date(2025, 11, first + days))
        NormCost.objects.get().change(at=LATER - timedelta(days=1), unit_rate=Decimal(rate))
        _the_parties_agree(town)
    finally:
        transaction.savepoint_rollback(savepoint)


def _the_parties_agree(town: Town) -> None:
    before, spent = standing(), set_aside("spending")
    made = propose(town)
    sums = sums_of(made.lines.all())
    assert all(row.was + row.difference == row.becomes for row in sums.values())
    assert sums["gross"].difference == sums["fee"].difference + sums["payable"].difference
    assert (made.gross_minor, made.fee_minor, made.payable_minor) == tuple(
        sums[name].difference for name in ("gross", "fee", "payable")
    )
    assert sum(row["amount"] for row in made.plan["accounts"]) == 0
    approve(town, made)
    moved = tuple(balance(code) - amount for code, amount in before.items())
    assert moved == (-made.payable_minor, made.gross_minor, -made.fee_minor)
    assert set_aside("spending") - spent == made.payable_minor
    assert disagreements() == []


def test_what_a_correction_adds_is_due_after_it_and_what_it_takes_is_not_late(town: Town) -> None:
    lower_income()
    made = approve(town, propose(town))
    row = next(row for row in deadlines(town.organisation, 2025) if row.run == made.run)
    assert (row.owed, row.due) == (made.payable_minor, date(2025, 12, 22))
    in_hospital()
    less = approve(town, propose(town, at=LATER + timedelta(minutes=1)), at=LATER + timedelta(minutes=2))
    assert less.payable_minor < 0
    assert less.run not in {row.run for row in deadlines(town.organisation, 2025)}

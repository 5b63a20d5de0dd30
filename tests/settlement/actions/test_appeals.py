"""A returned claim and its term; a disputed decision, its term and the answer of another person."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from config.audit.actors import Actor
from config.errors import FourEyes, NotFound
from config.office.models import OutboxMessage
from config.office.storage import attachments_of
from contracts.actions.reference import load_reference
from contracts.models import ProviderRelation
from settlement.actions import appeals, claims
from settlement.actions.holds import place_hold
from settlement.finance_queries import free_and_held
from settlement.line_queries import claim_totals, outcome_counts
from settlement.models import (
    Adjudication,
    AdjudicationRun,
    Appeal,
    Claim,
    ClaimReturn,
    Finding,
    PaymentHold,
    PendProposal,
)
from tests.settlement.actions.month import AT, NOVEMBER, add_visit, judge
from tests.settlement.views.town import Town, settled_town, tables_of_month
from tests.trail import trail_for
from vouchers.models import Absence

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(hours=2)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    load_reference(at=AT)
    tables = tables_of_month()
    add_visit(tables, "2025-11-21", unit_rate="95", amount="142.50")
    return settled_town(tmp_path, tables)


def by(town: Town, name: str) -> dict[str, Any]:
    return {"organisation": town.organisation, "actor": town.users[name].as_actor(), "at": AT}


def line_of(town: Town, outcome: str) -> int:
    return Adjudication.objects.filter(claim=town.claim, outcome=outcome).earliest("pk").claim_line_id


def appeal(town: Town, line: int | None, **changes: Any) -> Appeal:
    values = {**by(town, "nadiia"), "claim_id": town.claim.pk, "claim_line_id": line, "reason": "Довідка додається"}
    return appeals.submit_appeal(**values | changes)


def uphold(town: Town, made: Appeal, name: str = "ivan", reason: str = "Документ переконливий") -> Any:
    return appeals.uphold_appeal(**by(town, name), appeal_id=made.pk, reason=reason)


def status(town: Town) -> str:
    return Claim.objects.get(pk=town.claim.pk).status


def test_a_refused_line_is_appealed_with_evidence_and_judged_again_alone(town: Town) -> None:
    line = Finding.objects.get(claim_line__claim=town.claim, check_code="CLM-27").claim_line_id
    made = appeal(town, line, files=[("довідка.pdf", b"%PDF-", "application/pdf")])
    assert (status(town), [file.name for file in attachments_of(made)]) == ("disputed", ["довідка.pdf"])
    told = OutboxMessage.objects.filter(code="appeal.submitted")
    assert {message.user.username for message in told} >= {"halyna", "ivan"}
    for absence in Absence.objects.all():  # the hospital had written the wrong days
        absence.withdraw(at=LATER)
    before = claim_totals(town.claim)
    answer = uphold(town, made)
    assert (status(town), answer.upheld, answer.reversal) == ("adjudicated", True, None)
    assert (answer.new_claim.status, answer.new_claim.submitted_at) == ("submitted", town.claim.submitted_at)
    assert list(answer.new_claim.lines.values_list("line", flat=True)) == [1]
    judge(town.organisation, at=LATER)
    assert set(outcome_counts(answer.new_claim)) <= {"accepted", "reduced"}
    assert claim_totals(town.claim) == before
    assert OutboxMessage.objects.get(code="appeal.upheld", user=town.users["nadiia"]).params["reason"]
    assert {event.action for event in trail_for(made)} == {"appeal.submitted", "appeal.upheld"}


def test_a_line_paid_in_part_is_taken_back_with_its_claim_and_judged_again(town: Town) -> None:
    answer = uphold(town, appeal(town, line_of(town, "reduced")))
    assert (answer.reversal.reverses_id, answer.new_claim.lines.count()) == (town.claim.pk, town.claim.lines.count())
    judge(town.organisation)
    assert status(town) == "reversed"
    first, again = claim_totals(town.claim), claim_totals(answer.new_claim)
    assert first["gross"] == again["gross"] == -claim_totals(answer.reversal)["gross"]


def test_a_line_that_waits_is_proposed_to_be_lifted(town: Town) -> None:
    line = line_of(town, "pended")
    answer = uphold(town, appeal(town, line))
    assert (answer.reversal, answer.new_claim) == (None, None)
    proposal = PendProposal.objects.get(claim_line=line)
    assert (proposal.check_code, proposal.proposed_by.username) == ("CLM-11", "ivan")


def test_a_whole_claim_is_appealed_and_refused(town: Town) -> None:
    made = appeal(town, None)
    answer = appeals.refuse_appeal(**by(town, "ivan"), appeal_id=made.pk, reason="Рішення вірне")
    assert (status(town), answer.upheld) == ("adjudicated", False)
    assert Claim.objects.count() == 1
    with pytest.raises(appeals.AppealAnswered):
        uphold(town, made)
    with pytest.raises(appeals.AppealMade):
        appeal(town, line_of(town, "rejected"))


def test_the_dispute_ends_with_the_last_answer(town: Town) -> None:
    first, second = appeal(town, line_of(town, "rejected")), appeal(town, line_of(town, "pended"))
    appeals.refuse_appeal(**by(town, "ivan"), appeal_id=first.pk, reason="Ні")
    assert status(town) == "disputed"
    appeals.refuse_appeal(**by(town, "ivan"), appeal_id=second.pk, reason="Ні")
    assert status(town) == "adjudicated"


def test_only_what_was_taken_is_appealed_once_and_in_time(town: Town) -> None:
    with pytest.raises(appeals.NothingDisputed):
        appeal(town, line_of(town, "accepted"))
    line = line_of(town, "rejected")
    last = AT + timedelta(days=14)  # ten working days after Wednesday, 3 December
    with pytest.raises(appeals.AppealLate) as refusal:
        appeal(town, line, at=last + timedelta(days=1))
    assert refusal.value.params == {"until": date(2025, 12, 17)}
    appeal(town, line, at=last)
    with pytest.raises(appeals.AppealMade):
        appeal(town, line)
    with pytest.raises(IntegrityError, match="appeal_line_once"), transaction.atomic():
        row = Appeal.objects.get()
        Appeal.objects.create(
            claim=row.claim, claim_line=row.claim_line, run=row.run, reason="x", submitted_by=row.submitted_by,
            recorded_at=AT,
        )  # fmt: skip


def test_whoever_decided_does_not_answer(town: Town) -> None:
    AdjudicationRun.objects.filter(pk=town.run.pk).update(started_by=town.users["halyna"])
    made = appeal(town, line_of(town, "rejected"))
    for name in ("halyna", "nadiia"):
        with pytest.raises(FourEyes):
            uphold(town, made, name)
        with pytest.raises(IntegrityError, match="another person"), transaction.atomic():
            made_by = Actor(name, town.users[name].pk)
            appeals._answer(made, True, "сам собі", appeals._Again(), made_by, AT)
    assert uphold(town, made).upheld


def test_whoever_stands_close_to_the_provider_does_not_answer(town: Town) -> None:
    ProviderRelation.objects.create(
        user=town.users["ivan"], provider=town.claim.provider, valid_from=date(2025, 1, 1), recorded_at=AT,
        **RELATION,
    )  # fmt: skip
    made = appeal(town, line_of(town, "rejected"))
    with pytest.raises(IntegrityError, match="related"), transaction.atomic():
        appeals._answer(made, True, "своїм", appeals._Again(), town.users["ivan"].as_actor(), AT)


RELATION: dict[str, Any] = {"reason": "дружина керівника"}


def test_an_appeal_of_another_office_is_not_found(town: Town, other_organisation: Any) -> None:
    made = appeal(town, line_of(town, "rejected"))
    with pytest.raises(NotFound):
        appeals.refuse_appeal(
            organisation=other_organisation, actor=town.users["ivan"].as_actor(), at=AT, appeal_id=made.pk, reason="x"
        )


def submitted(town: Town) -> dict[str, Any]:
    """A claim of December that waits."""
    claim = claims.create_claim_from_redemptions(
        **by(town, "nadiia"), provider=town.claim.provider, contract=town.claim.contract, period=date(2025, 12, 1)
    )
    claims.submit_claim(**by(town, "nadiia"), claim_id=claim.pk)
    return {"organisation": town.organisation, "claim_id": claim.pk}


def test_a_returned_claim_keeps_its_version_and_has_a_term(town: Town) -> None:
    which = submitted(town)
    claims.return_claim(**by(town, "halyna"), claim_id=which["claim_id"], reason="не той тариф")
    kept = ClaimReturn.objects.get()
    assert (kept.version, kept.correct_by, len(kept.lines)) == (1, date(2025, 12, 10), 2)
    assert kept.lines[0][:4] == [1, "D1", "C1", "015.1"]
    assert OutboxMessage.objects.get(code="claim.returned").params["correct_by"] == "2025-12-10"
    late = {**by(town, "nadiia"), "at": AT + timedelta(days=8)}
    with pytest.raises(claims.CorrectionLate):
        claims.submit_claim(**late, claim_id=which["claim_id"])
    claims.submit_claim(**{**late, "at": AT + timedelta(days=7)}, claim_id=which["claim_id"])
    claims.return_claim(**by(town, "halyna"), claim_id=which["claim_id"], reason="ще раз")
    assert ClaimReturn.objects.filter(claim=which["claim_id"], version=2).exists()
    claims.withdraw_claim(**{**late}, claim_id=which["claim_id"], reason="подам заново")


@pytest.mark.parametrize("state", ["returned", "withdrawn"])
def test_what_is_not_handed_in_cannot_be_taken_back(town: Town, state: str) -> None:
    which = submitted(town)
    if state == "returned":
        claims.return_claim(**by(town, "halyna"), claim_id=which["claim_id"], reason="x")
    else:
        claims.withdraw_claim(**by(town, "nadiia"), claim_id=which["claim_id"], reason="x")
    with pytest.raises(claims.NotReversible):
        claims.reverse_claim(**by(town, "halyna"), claim_id=which["claim_id"], reason="x")
    with pytest.raises(IntegrityError, match="not handed in"), transaction.atomic():
        Claim.objects.create(
            organisation=town.organisation, number="T-1", provider=town.claim.provider, period=NOVEMBER,
            status="submitted", reverses_id=which["claim_id"], recorded_at=AT,
        )  # fmt: skip


def test_what_is_being_taken_back_cannot_be_returned(town: Town) -> None:
    which = submitted(town)
    Claim.objects.create(
        organisation=town.organisation, number="T-1", provider=town.claim.provider, period=date(2025, 12, 1),
        status="submitted", reverses_id=which["claim_id"], recorded_at=AT,
    )  # fmt: skip
    with pytest.raises(claims.NotReturnable):
        claims.return_claim(**by(town, "halyna"), claim_id=which["claim_id"], reason="x")
    with pytest.raises(IntegrityError, match="being taken back"), transaction.atomic():
        Claim.objects.filter(pk=which["claim_id"]).update(status="returned")


def test_what_holds_a_claim_holds_the_claim_that_is_judged_in_its_place(town: Town) -> None:
    halyna = by(town, "halyna")
    hold = place_hold(**halyna, target=town.claim, reason="Підозра", from_date=AT.date())
    answer = uphold(town, appeal(town, line_of(town, "reduced")))
    judge(town.organisation, at=LATER)
    carried = PaymentHold.objects.exclude(pk=hold.pk).get()
    assert (carried.claim, carried.reason, carried.placed_by) == (answer.new_claim, hold.reason, hold.placed_by)
    assert [event.action for event in trail_for(carried)] == ["appeal.upheld"]
    # What is taken back and what takes it back are one sum, free both of them; only the copy is held.
    rows = free_and_held(town.organisation, LATER.date())
    free, held = ({row.claim_id: row.payable for row in found} for found in rows)
    assert sum(free.values()) == 0 and set(free) == {town.claim.pk, answer.reversal.pk}
    assert set(held) == {answer.new_claim.pk} and held[answer.new_claim.pk] > 0

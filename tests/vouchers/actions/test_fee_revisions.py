"""A fee decided anew for past months: right as of those days, known now, by two persons."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from config.accounts.models import Membership, User
from config.audit.actors import Actor
from config.errors import FourEyes, NotFound
from config.office.models import OutboxMessage
from config.roles import CASE_WORKER, RECIPIENT
from config.states import InvalidMove
from config.versions import as_it_was, earlier_of
from contracts.models import Parameter
from tests.trail import trail_for
from tests.vouchers.town import KYIV, NOVEMBER_1, OCTOBER, Town, pensioner
from vouchers.actions.assessments import FeeStartNotFirst, FeeUndetermined, LaterFeeDecision, decide_fee
from vouchers.actions.fee_objections import (
    FeeObjectionAnswered,
    FeeObjectionLate,
    FeeObjectionMade,
    answer_fee_objection,
    object_to_fee,
)
from vouchers.actions.fee_revisions import (
    FEE_INCREASE,
    RevisionEndNotLast,
    RevisionIncrease,
    RevisionNotPast,
    RevisionOutside,
    RevisionReasonMissing,
    RevisionStale,
    RevisionUnchanged,
    RevisionWaits,
    approve_fee_revision,
    cancel_fee_revision,
    disputable_until,
    propose_fee_revision,
)
from vouchers.models import FeeAssessment, FeeObjectionAnswer, FeeRevision, Recipient
from vouchers.rules.co_payment import FreeCategory

LEARNT = datetime(2026, 3, 10, 10, 0, tzinfo=KYIV)
JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 1)


@pytest.fixture
def colleague(town: Town) -> Actor:
    user = User.objects.create(username="colleague", display_name="Друга Вигадана")
    Membership.objects.create(user=user, role=CASE_WORKER, organisation=town.organisation)
    return user.as_actor()


@pytest.fixture
def recipient(town: Town) -> Recipient:
    """Pays up to 1 278.00 a month from November, and up to 1 478.00 from January."""
    recipient = town.recipient()
    for income, start in (("6000.00", NOVEMBER_1), ("6668.00", JANUARY)):
        inputs = pensioner(income, start)
        decide_fee(recipient=recipient, inputs=inputs, valid_from=start, actor=town.case_worker, at=OCTOBER)
    return recipient


def propose(town: Town, recipient: Recipient, income: str = "5500.00", **changes: Any) -> FeeRevision:
    values: dict[str, Any] = {
        "inputs": pensioner(income, NOVEMBER_1), "valid_from": NOVEMBER_1, "last_day": date(2025, 12, 31),
        "reason": "Довідка від 05.03.2026", "actor": town.case_worker, "at": LEARNT,
    }  # fmt: skip
    return propose_fee_revision(recipient=recipient, **values | changes)


def approve(town: Town, revision: FeeRevision, actor: Actor, **changes: Any) -> FeeRevision:
    values = {"organisation": town.organisation, "revision_id": revision.pk, "actor": actor, "at": LEARNT}
    return approve_fee_revision(**values | changes)


def decided(recipient: Recipient) -> list[tuple[Any, ...]]:
    rows = recipient.fee_assessments.order_by("valid_from")
    return [(row.valid_from, row.valid_to, row.monthly_limit, row.decision) for row in rows]


def allow_increase(town: Town) -> None:
    Parameter.objects.create(
        organisation=town.organisation, jurisdiction=town.organisation.jurisdiction, key=FEE_INCREASE, value="true",
        valid_from=date(2020, 1, 1), recorded_at=OCTOBER,
    )  # fmt: skip


def test_a_whole_decision_is_replaced_and_what_was_known_stays_known(
    town: Town, recipient: Recipient, colleague: Actor
) -> None:
    first, second = recipient.fee_assessments.order_by("valid_from")
    revision = propose(town, recipient)
    later = (JANUARY, None, second.monthly_limit, second.decision)
    assert decided(recipient) == [(NOVEMBER_1, JANUARY, Decimal("1278.00"), first.decision), later]
    approve(town, revision, colleague)
    assert decided(recipient) == [(NOVEMBER_1, JANUARY, Decimal("778.00"), revision.number), later]
    row = recipient.fee_assessments.get(valid_from=NOVEMBER_1)
    before = as_it_was(row, earlier_of([row]), LEARNT - timedelta(days=1))
    assert before is not None
    assert (before.monthly_limit, before.decision, before.income_member) == (
        Decimal("1278.00"), first.decision, Decimal("6000.00"),
    )  # fmt: skip
    assert before.steps == first.steps and row.steps == revision.steps != first.steps
    assert trail_for(recipient).filter(action="fee_revision.approved").count() == 1


@pytest.mark.parametrize(
    ("start", "last_day", "expected"),
    [
        (NOVEMBER_1, date(2025, 11, 30), [("2025-11-01", "2025-12-01", 1), ("2025-12-01", "2026-01-01", 0)]),
        (date(2025, 12, 1), date(2025, 12, 31), [("2025-11-01", "2025-12-01", 0), ("2025-12-01", "2026-01-01", 1)]),
    ],
)
def test_a_decision_keeps_the_days_outside_the_span(
    town: Town, recipient: Recipient, colleague: Actor, start: date, last_day: date, expected: list[tuple[Any, ...]]
) -> None:
    rest = decided(recipient)[1]
    revision = propose(town, recipient, valid_from=start, last_day=last_day)
    approve(town, revision, colleague)
    *found, last = decided(recipient)
    assert [(str(a), str(b), int(number == revision.number)) for a, b, _limit, number in found] == expected
    assert last == rest


def test_a_month_in_the_middle_and_a_span_over_two_decisions(
    town: Town, recipient: Recipient, colleague: Actor
) -> None:
    approve(town, propose(town, recipient, valid_from=date(2026, 2, 1), last_day=date(2026, 2, 28)), colleague)
    middle = decided(recipient)
    assert [str(row[0]) for row in middle] == ["2025-11-01", "2026-01-01", "2026-02-01", "2026-03-01"]
    assert middle[1][2:] == middle[3][2:] != middle[2][2:] and middle[3][1] is None
    # The later decision is kept whole: what it rested on goes with its days.
    assert FeeAssessment.objects.get(valid_from=MARCH).steps == FeeAssessment.objects.get(valid_from=JANUARY).steps
    revision = propose(town, recipient, income="5000.00", last_day=None, at=LEARNT + timedelta(hours=1))
    assert revision.valid_to is None and len(revision.replaced) == 4
    approve(town, revision, colleague, at=LEARNT + timedelta(hours=1))
    assert {row[3] for row in decided(recipient)} == {revision.number}
    with pytest.raises(LaterFeeDecision):
        decide_fee(
            recipient=recipient, inputs=pensioner("4000.00", NOVEMBER_1), valid_from=NOVEMBER_1,
            actor=town.case_worker, at=LEARNT,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"reason": "  "}, RevisionReasonMissing),
        ({"valid_from": date(2025, 11, 2)}, FeeStartNotFirst),
        ({"valid_from": date(2026, 4, 1), "last_day": None}, RevisionNotPast),
        ({"last_day": date(2025, 12, 30)}, RevisionEndNotLast),
        ({"valid_from": date(2025, 12, 1), "last_day": date(2025, 11, 30)}, RevisionEndNotLast),
        ({"valid_from": date(2025, 10, 1)}, RevisionOutside),
        ({"income": "6000.00"}, RevisionUnchanged),
        ({"income": "6500.00"}, RevisionIncrease),
        ({"inputs": pensioner(None)}, FeeUndetermined),
    ],
)
def test_refusals_say_why(town: Town, recipient: Recipient, changes: dict[str, Any], refusal: type[Exception]) -> None:
    before = decided(recipient)
    with pytest.raises(refusal):
        propose(town, recipient, **changes)
    assert decided(recipient) == before and not FeeRevision.objects.exists()


def test_a_span_behind_the_last_decision_is_outside(town: Town, recipient: Recipient) -> None:
    recipient.fee_assessments.get(valid_to=None).change(at=OCTOBER, valid_to=date(2026, 2, 1))
    with pytest.raises(RevisionOutside) as refused:
        propose(town, recipient, last_day=date(2026, 2, 28))
    assert refused.value.params["day"] == "01.02.2026"
    assert propose(town, recipient, last_day=None).valid_to == date(2026, 2, 1)


def test_a_fee_rises_backwards_only_where_the_parameter_allows_it(
    town: Town, recipient: Recipient, colleague: Actor
) -> None:
    with pytest.raises(RevisionIncrease) as refused:
        propose(town, recipient, income="9000.00")
    assert "fee_increase" not in refused.value.sentence and "«" in refused.value.sentence
    allow_increase(town)
    approve(town, propose(town, recipient, income="9000.00"), colleague)
    assert decided(recipient)[0][2] == Decimal("4278.00")


def test_the_month_that_runs_may_rise(town: Town, recipient: Recipient) -> None:
    assert propose(town, recipient, income="9000.00", valid_from=MARCH, last_day=None).mode == "D"


def test_a_month_that_is_over_at_approval_does_not_rise(town: Town, recipient: Recipient, colleague: Actor) -> None:
    revision = propose(town, recipient, income="9000.00", valid_from=MARCH, last_day=date(2026, 3, 31))
    before, may = decided(recipient), datetime(2026, 5, 10, 10, 0, tzinfo=KYIV)
    with pytest.raises(RevisionIncrease):
        approve(town, revision, colleague, at=may)
    assert decided(recipient) == before and FeeRevision.objects.get().status == "proposed"
    allow_increase(town)
    approve(town, revision, colleague, at=may)
    assert recipient.fee_assessments.get(valid_from=MARCH).monthly_limit == Decimal("4278.00")


def test_the_month_that_runs_rises_when_it_is_approved_in_it(
    town: Town, recipient: Recipient, colleague: Actor
) -> None:
    approve(town, propose(town, recipient, income="9000.00", valid_from=MARCH, last_day=None), colleague)
    assert recipient.fee_assessments.get(valid_from=MARCH).monthly_limit == Decimal("4278.00")


def test_two_persons_and_one_proposal_at_a_time(town: Town, recipient: Recipient, colleague: Actor) -> None:
    revision = propose(town, recipient)
    with pytest.raises(FourEyes):
        approve(town, revision, town.case_worker)
    recipient.user_id = colleague.user_id
    recipient.save(update_fields=["user"])
    with pytest.raises(FourEyes):
        approve(town, revision, colleague)
    with pytest.raises(RevisionWaits):
        propose(town, recipient, income="5000.00")
    with pytest.raises(IntegrityError), transaction.atomic():
        FeeRevision.objects.filter(pk=revision.pk).update(approved_by=revision.proposed_by)
    with pytest.raises(IntegrityError), transaction.atomic():
        FeeRevision.objects.filter(pk=revision.pk).update(reason="")


def test_what_changed_since_is_not_approved(
    town: Town, recipient: Recipient, colleague: Actor, other_organisation: Any
) -> None:
    revision = propose(town, recipient)
    with pytest.raises(NotFound):
        approve(town, revision, colleague, organisation=other_organisation)
    recipient.fee_assessments.get(valid_from=NOVEMBER_1).change(at=LEARNT, monthly_limit=Decimal("1000.00"))
    with pytest.raises(RevisionStale):
        approve(town, revision, colleague)
    cancel_fee_revision(
        organisation=town.organisation, revision_id=revision.pk, reason="Рішення змінилось", actor=colleague, at=LEARNT
    )
    with pytest.raises(InvalidMove):
        approve(town, revision, colleague)
    assert decided(recipient)[0][2] == Decimal("1000.00")
    approve(town, propose(town, recipient), colleague)
    assert decided(recipient)[0][2] == Decimal("778.00")


def test_recipient_and_finance_are_told(town: Town, recipient: Recipient, colleague: Actor) -> None:
    olena = User.objects.create(username="olena9", display_name="Олена Вигадана")
    Membership.objects.create(user=olena, role=RECIPIENT)
    recipient.user = olena
    recipient.save(update_fields=["user"])
    revision = approve(town, propose(town, recipient), colleague)
    told = OutboxMessage.objects.values_list("user__username", "code", "params__number")
    assert set(told) == {
        ("olena9", "fee_revision.approved", revision.number), ("halyna", "fee_revision.to_settle", revision.number)
    }  # fmt: skip


def test_the_recipient_objects_and_another_person_answers(town: Town, recipient: Recipient, colleague: Actor) -> None:
    olena, third = (User.objects.create(username=name, display_name=name).as_actor() for name in ("olena9", "third9"))
    revision = propose(town, recipient)
    objection: dict[str, Any] = {
        "recipient": recipient, "revision_id": revision.pk, "reason": "Це не мій дохід", "actor": olena, "at": LEARNT
    }  # fmt: skip
    with pytest.raises(NotFound):
        object_to_fee(**objection)
    revision = approve(town, revision, colleague)
    with pytest.raises(NotFound):
        object_to_fee(**objection | {"recipient": town.recipient(full_name="Інша Людина")})
    late = datetime.combine(disputable_until(revision) + timedelta(days=1), LEARNT.timetz())
    with pytest.raises(FeeObjectionLate):
        object_to_fee(**objection | {"at": late})
    made = object_to_fee(**objection)
    with pytest.raises(FeeObjectionMade):
        object_to_fee(**objection)
    answer: dict[str, Any] = {
        "organisation": town.organisation, "objection_id": made.pk, "upheld": True, "reason": "Справді", "at": LEARNT
    }  # fmt: skip
    for part in (town.case_worker, colleague, olena):
        with pytest.raises(FourEyes):
            answer_fee_objection(**answer, actor=part)
        with pytest.raises(IntegrityError), transaction.atomic():
            FeeObjectionAnswer.objects.create(
                objection=made, upheld=True, reason="-", answered_by_id=part.user_id, recorded_at=LEARNT
            )
    assert answer_fee_objection(**answer, actor=third).upheld
    with pytest.raises(FeeObjectionAnswered):
        answer_fee_objection(**answer, actor=third)


def test_the_ground_for_free_services_is_not_named(town: Town, recipient: Recipient) -> None:
    inputs = replace(pensioner(None, NOVEMBER_1), member_categories=((FreeCategory("VIOLENCE", "док. 5"),),))
    revision = propose(town, recipient, inputs=inputs)
    assert revision.mode == "F" and "VIOLENCE" not in str(revision.inputs)

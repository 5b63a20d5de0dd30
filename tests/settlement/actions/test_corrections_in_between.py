"""What happens between the two persons of a correction: an appeal, a hold, a proposal about a line that waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.models import Parameter
from settlement.actions import appeals, corrections, pends
from settlement.actions.claims import reverse_claim
from settlement.actions.holds import HoldTakenBack, lift_hold, place_hold
from settlement.correction_queries import LEFT_OUT
from settlement.models import (
    Adjudication,
    Claim,
    ClaimLine,
    Clearance,
    Correction,
    PaymentHold,
    PendAssignment,
    PendProposal,
)
from settlement.pend_queries import open_proposals
from tests.settlement.actions.corrected_town import (
    LATER,
    LEARNT,
    approve,
    by,
    closed_town,
    disagreements,
    lower_income,
    propose,
)
from tests.settlement.actions.month import AT, judge
from tests.settlement.views.town import Town

pytestmark = pytest.mark.django_db
SOON = timedelta(minutes=5)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return closed_town(tmp_path)


def waiting(claim: Claim) -> ClaimLine:
    return Adjudication.objects.get(claim=claim, outcome="pended").claim_line


def refused(town: Town, made: Correction) -> str:
    """What the second person reads; nothing is posted."""
    with pytest.raises(corrections.ClaimsBlocked) as refusal:
        approve(town, made)
    made.refresh_from_db()
    assert (made.status, Claim.objects.count()) == ("proposed", 1)
    assert refusal.value.code == corrections.CorrectionChanged.code
    return str(refusal.value)


def test_an_appeal_after_it_was_seen_is_answered_first(town: Town) -> None:
    lower_income()
    made = propose(town)
    line = waiting(town.claim)
    appeal = appeals.submit_appeal(
        **by(town, "nadiia"), claim_id=town.claim.pk, claim_line_id=line.pk, reason="Візит був"
    )
    assert str(LEFT_OUT["APPEALED"]) in refused(town, made)
    appeals.refuse_appeal(**by(town, "oksana"), appeal_id=appeal.pk, reason="Візиту не було")
    assert approve(town, made, at=LATER + SOON).status == "approved"


@pytest.mark.parametrize("begins_in", [0, 30])
def test_a_hold_after_it_was_seen_is_lifted_first(town: Town, begins_in: int) -> None:
    lower_income()
    made, first = propose(town), LATER.date() + timedelta(days=begins_in)
    hold = place_hold(**by(town, "halyna"), target=town.claim, reason="Підозра", from_date=first, to_date=None)
    assert str(LEFT_OUT["HELD"]) in refused(town, made)
    lift_hold(**by(town, "ivan"), hold_id=hold.pk, reason="Перевірено")
    assert approve(town, made, at=LATER + SOON).status == "approved"


def test_a_fee_that_may_no_longer_rise_is_not_raised(town: Town) -> None:
    allowed = Parameter.objects.create(
        organisation=town.organisation, jurisdiction=town.organisation.jurisdiction, key="correction.fee_increase",
        value="true", valid_from=date(2020, 1, 1), recorded_at=AT,
    )  # fmt: skip
    lower_income("1400.00")
    made = propose(town)
    allowed.withdraw(at=LEARNT)
    assert str(LEFT_OUT["FEE_RISES"]) in refused(town, made)


def proposal_to_lift(town: Town) -> PendProposal:
    return pends.propose_clearance(
        **by(town, "halyna"), claim_line_id=waiting(town.claim).pk, check_code="CLM-11", reason="Є акт"
    )


def test_a_proposal_goes_over_to_the_claim_that_is_judged_instead(town: Town) -> None:
    lower_income()
    made = propose(town)
    old = proposal_to_lift(town)
    approve(town, made, at=LATER + SOON)
    with pytest.raises(pends.ClaimTakenBack):
        pends.confirm_clearance(**by(town, "ivan", LATER + 2 * SOON), proposal_id=old.pk)
    assert not Clearance.objects.exists()
    copy = waiting(made.claims.get().new_claim)
    new = open_proposals([copy.pk])[copy.pk, "CLM-11"]
    assert (new.reason, new.proposed_by, new.recorded_at) == ("Є акт", old.proposed_by, old.recorded_at)
    pends.confirm_clearance(**by(town, "ivan", LATER + 2 * SOON), proposal_id=new.pk)
    judge(town.organisation, at=LATER + 3 * SOON)
    assert Adjudication.objects.filter(claim_line=copy).latest("pk").outcome == "accepted"
    assert disagreements() == []


def test_a_hold_that_is_over_keeps_nothing_out(town: Town) -> None:
    lower_income()
    made = propose(town)
    days = {"from_date": AT.date(), "to_date": LATER.date()}
    place_hold(**by(town, "halyna"), target=town.claim, reason="Підозра", **days)
    assert approve(town, made, at=LATER + SOON).status == "approved"


def test_nothing_is_held_of_a_claim_that_is_taken_back(town: Town) -> None:
    lower_income()
    row = approve(town, propose(town)).claims.get()
    for claim in (row.claim, row.reversal):
        claim.refresh_from_db()
        with pytest.raises(HoldTakenBack) as refusal:
            place_hold(**by(town, "halyna"), target=claim, reason="Підозра", from_date=LATER.date())
        assert refusal.value.params == {"number": claim.number}
    held = place_hold(**by(town, "halyna"), target=row.new_claim, reason="Підозра", from_date=LATER.date())
    assert PaymentHold.objects.get() == held


def test_who_works_on_a_pend_works_on_it_at_the_copy(town: Town) -> None:
    lower_income()
    made = propose(town)
    about: dict[str, Any] = {"claim_line_id": waiting(town.claim).pk, "check_code": "CLM-11"}
    for name in ("ivan", "halyna"):
        pends.assign_pend(**by(town, "oksana"), **about, assigned_to_id=town.users[name].pk)
    done = approve(town, made, at=LATER + SOON)
    row = PendAssignment.objects.get(claim_line=waiting(done.claims.get().new_claim))
    assert (row.assigned_to, row.assigned_by, row.run) == (town.users["halyna"], town.users["oksana"], done.run)


def test_what_was_answered_does_not_go_over(town: Town) -> None:
    lower_income()
    made = propose(town)
    proposal_to_lift(town)
    pends.keep_pend(**by(town, "ivan"), claim_line_id=waiting(town.claim).pk, check_code="CLM-11", reason="Немає акта")
    approve(town, made, at=LATER + SOON)
    copy = waiting(made.claims.get().new_claim)
    assert open_proposals([copy.pk]) == {}


@pytest.mark.parametrize("judged", [False, True])
def test_a_claim_that_is_taken_back_waits_for_no_person(town: Town, judged: bool) -> None:
    line, proposal = waiting(town.claim).pk, proposal_to_lift(town)
    reverse_claim(**by(town, "halyna"), claim_id=town.claim.pk, reason="Помилкова вимога")
    if judged:
        judge(town.organisation, at=LATER + SOON)
    about: dict[str, Any] = {"claim_line_id": line, "check_code": "CLM-11"}
    after = LATER + 2 * SOON
    tries: list[Callable[[], object]] = [
        lambda: pends.confirm_clearance(**by(town, "ivan", after), proposal_id=proposal.pk),
        lambda: pends.propose_clearance(**by(town, "halyna", after), **about, reason="Є акт"),
        lambda: pends.keep_pend(**by(town, "ivan", after), **about, reason="Немає акта"),
    ]
    for attempt in tries:
        with pytest.raises(pends.ClaimTakenBack) as refusal:
            attempt()
        assert refusal.value.params == {"number": "A-1"}
    assert not Clearance.objects.exists()

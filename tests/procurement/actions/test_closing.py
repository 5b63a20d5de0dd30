"""Competitions that end without a contract: who may, when, and who is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.office.models import OutboxMessage
from config.office.storage import GivenFile, attachments_of, open_attachment
from config.states import InvalidMove
from procurement.actions import awards, bids, closing, evaluation
from procurement.models import Tender
from tests.road import AFTER_STANDSTILL, CLOSE, OPENING, PUBLISHED, SCORED, Road
from tests.trail import trail_for

pytestmark = pytest.mark.django_db
DECISION = GivenFile("рішення.pdf", b"decision")
RUNNING = PUBLISHED + timedelta(days=10)


@pytest.fixture
def running(road: Road) -> Tender:
    road.provider("A", "nadiia")
    road.provider("B", "taras")
    return road.publish(road.draft_order())


def cancel(road: Road, tender: Tender, document: GivenFile | None = DECISION, reason: str = "немає коштів") -> Tender:
    return closing.cancel_tender(
        tender=tender, reason=reason, document=document, actor=road.actor("bohdan"), at=RUNNING
    )


def unsuccessful(road: Road, tender: Tender, at: object = SCORED) -> Tender:
    return closing.declare_unsuccessful(
        tender=tender, reason="нікого", document=DECISION, actor=road.actor("bohdan"), at=at
    )


def test_running_competition_is_cancelled_with_its_decision_and_bidders_are_told(road: Road, running: Tender) -> None:
    road.bid(running, "A")
    withdrawn = road.bid(running, "B")
    bids.withdraw_bid(bid=withdrawn, actor=road.actor("taras"), at=RUNNING)
    tender = cancel(road, running)
    assert (tender.status, tender.closing_reason) == ("cancelled", "немає коштів")
    file = attachments_of(tender).get()
    assert (file.name, open_attachment(file).read()) == ("рішення.pdf", b"decision")
    notice = OutboxMessage.objects.get()
    assert (notice.user, notice.code) == (road.cast["nadiia"], "tender.cancelled")
    assert notice.params["reason"] == "немає коштів" and notice.label == f"procurement.tender:{tender.pk}"
    event = trail_for(tender).first()
    assert event is not None and (event.action, event.data["told"]) == ("tender.cancelled", 1)


def test_announced_competition_needs_reason_and_decision(road: Road, running: Tender) -> None:
    with pytest.raises(closing.DecisionMissing):
        cancel(road, running, document=None)
    with pytest.raises(closing.ReasonMissing):
        cancel(road, running, reason="  ")
    running.refresh_from_db()
    assert running.status == "active" and not OutboxMessage.objects.exists()


def test_draft_is_cancelled_without_a_document(road: Road) -> None:
    assert cancel(road, road.draft_order(), document=None).status == "cancelled"


def test_cancelled_competition_takes_no_bids_and_is_not_cancelled_again(road: Road, running: Tender) -> None:
    tender = cancel(road, running)
    with pytest.raises(bids.TenderNotActive):
        road.bid(tender, "A")
    with pytest.raises(InvalidMove):
        cancel(road, tender)


def test_award_that_waits_ends_with_the_competition(road: Road) -> None:
    tender, _offered = road.scored_order()
    evaluation.evaluate_tender(tender=tender, actor=road.actor("bohdan"), at=SCORED)
    awards.award_tender(tender=tender, reason="бали", actor=road.actor("bohdan"), at=SCORED)
    cancel(road, tender)
    assert tender.awards.get().status == "cancelled"


def test_contracted_competition_is_not_cancelled(road: Road) -> None:
    tender, _offered = road.scored_order()
    evaluation.evaluate_tender(tender=tender, actor=road.actor("bohdan"), at=SCORED)
    (award,) = awards.award_tender(tender=tender, reason="бали", actor=road.actor("bohdan"), at=SCORED)
    awards.conclude_social_order(
        award=award, provider_user_id=road.cast["nadiia"].pk, actor=road.actor("bohdan"), at=AFTER_STANDSTILL
    )
    with pytest.raises(closing.AlreadyContracted):
        cancel(road, tender)
    assert tender.awards.get().status == "active"


def test_unsuccessful_when_nobody_bid(road: Road, running: Tender) -> None:
    with pytest.raises(closing.WinnerPossible):
        unsuccessful(road, running, at=CLOSE - timedelta(minutes=1))
    assert unsuccessful(road, running, at=CLOSE).status == "unsuccessful"


def test_unsuccessful_when_no_bid_is_admitted(road: Road, running: Tender) -> None:
    bid = road.bid(running, "C")
    with pytest.raises(closing.WinnerPossible):
        unsuccessful(road, running)
    road.open_with_declarations(running)
    with pytest.raises(closing.WinnerPossible):
        unsuccessful(road, running)
    bids.reject_bid(bid=bid, ground="PRC-REJ-6", reason="101", actor=road.actor("bohdan"), at=OPENING)
    assert unsuccessful(road, running).status == "unsuccessful"


def test_admitted_bids_must_be_judged_first(road: Road) -> None:
    tender, _offered = road.scored_order()
    with pytest.raises(closing.WinnerPossible):
        unsuccessful(road, tender)
    evaluation.evaluate_tender(tender=tender, actor=road.actor("bohdan"), at=SCORED)
    with pytest.raises(closing.WinnerPossible):
        unsuccessful(road, tender)
    tender.refresh_from_db()
    assert tender.status == "active"

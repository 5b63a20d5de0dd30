"""Milestones of a grant agreement: reported, judged, kept."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from config.clock import business_now
from config.errors import FourEyes
from config.office.storage import GivenFile, attachments_of
from config.states import InvalidMove
from contracts.actions import milestones
from contracts.actions.agreements import AgreedMilestone, plan_milestones
from contracts.actions.amendments import terminate_contract
from contracts.models import Contract, Milestone, MilestoneNote
from tests.road import KYIV, Road, sign_in
from tests.trail import trail_for

pytestmark = pytest.mark.django_db
DUE = date(2025, 6, 30)
BEFORE = datetime(2025, 6, 30, 12, 0, tzinfo=KYIV)
AFTER = datetime(2025, 7, 1, 0, 1, tzinfo=KYIV)


@pytest.fixture
def milestone(road: Road) -> Milestone:
    """A milestone of an agreement in force of provider A (Nadiia)."""
    contract = road.register_contract(road.provider("A", "nadiia"))
    Contract.objects.filter(pk=contract.pk).update(basis="grant")
    with transaction.atomic():
        plan_milestones(
            contract=contract,
            milestones=[AgreedMilestone("tranche_1", "Перший транш", DUE, Decimal("1000.00"))],
            at=road.at,
        )
    return Milestone.objects.get()


def report(road: Road, milestone: Milestone, by: str = "nadiia") -> MilestoneNote:
    return milestones.report_milestone(
        milestone=milestone,
        text="Відкрито 12 офісів",
        files=[GivenFile("акт.pdf", b"act")],
        actor=road.actor(by),
        at=BEFORE,
    )


def judge(road: Road, milestone: Milestone, outcome: str, at: datetime = BEFORE, by: str = "bohdan") -> Milestone:
    return milestones.judge_milestone(
        milestone=milestone, outcome=outcome, reason="за актом", actor=road.actor(by), at=at
    )


@pytest.mark.parametrize("outcome", ["met", "partiallyMet", "notMet"])
def test_reported_milestone_is_judged_with_a_reason(road: Road, milestone: Milestone, outcome: str) -> None:
    note = report(road, milestone)
    assert attachments_of(note).get().name == "акт.pdf"
    assert judge(road, milestone, outcome).status == outcome
    assert list(milestone.notes.order_by("id").values_list("kind", "text")) == [
        ("report", "Відкрито 12 офісів"),
        (outcome, "за актом"),
    ]
    assert [event.action for event in trail_for(milestone)] == ["milestone.judged", "milestone.reported"]


@pytest.mark.parametrize("outcome", ["met", "partiallyMet"])
def test_nothing_is_met_without_a_report(road: Road, milestone: Milestone, outcome: str) -> None:
    with pytest.raises(milestones.ReportMissing):
        judge(road, milestone, outcome, AFTER)
    milestone.refresh_from_db()
    assert milestone.status == "scheduled"


def test_silence_is_judged_only_when_the_day_is_over(road: Road, milestone: Milestone) -> None:
    with pytest.raises(milestones.MilestoneNotDue):
        judge(road, milestone, "notMet", BEFORE)
    assert judge(road, milestone, "notMet", AFTER).status == "notMet"


def test_partly_met_is_reported_and_judged_again_and_met_is_final(road: Road, milestone: Milestone) -> None:
    report(road, milestone)
    judge(road, milestone, "partiallyMet")
    report(road, milestone)
    judge(road, milestone, "met")
    with pytest.raises(InvalidMove):
        judge(road, milestone, "notMet")
    with pytest.raises(InvalidMove):
        report(road, milestone)


def test_who_reports_does_not_judge(road: Road, milestone: Milestone) -> None:
    report(road, milestone, by="bohdan")
    with pytest.raises(FourEyes):
        judge(road, milestone, "met")


def test_agreement_that_is_not_in_force_is_left_alone(road: Road, milestone: Milestone) -> None:
    terminate_contract(contract=milestone.contract, valid_to=DUE, reason="x", actor=road.actor("bohdan"), at=road.at)
    with pytest.raises(milestones.AgreementNotInForce):
        report(road, milestone)


def test_what_was_said_is_never_changed(road: Road, milestone: Milestone) -> None:
    note = report(road, milestone)
    with pytest.raises(DatabaseError), transaction.atomic():
        MilestoneNote.objects.filter(pk=note.pk).update(text="інше")


def test_milestone_is_reported_and_judged_in_the_browser(client: Client, road: Road, milestone: Milestone) -> None:
    road.provider("B", "taras")
    road.organisation.clock_offset = BEFORE + timedelta(hours=1) - business_now()
    road.organisation.save(update_fields=["clock_offset"])
    client.cookies["language"] = "en"
    page, reporting, judging = (
        reverse(f"contracts:{name}", args=[milestone.pk])
        for name in ("milestone", "milestone_report", "milestone_judge")
    )
    for name, status in (("taras", 404), ("outsider", 403), ("bohdan", 200), ("mariia", 200), ("nadiia", 200)):
        assert sign_in(client, road.cast[name]).get(page).status_code == status
    assert sign_in(client, road.cast["bohdan"]).post(reporting, {"text": "x"}).status_code == 403
    early = client.post(judging, {"outcome": "met", "reason": "за актом"})
    assert early.status_code == 409 and "за актом" in early.content.decode()
    provider = sign_in(client, road.cast["nadiia"])
    assert reporting in provider.get(page).content.decode() and judging not in provider.get(page).content.decode()
    assert provider.post(judging, {"outcome": "met", "reason": "x"}).status_code == 403
    assert provider.post(reporting, {"text": ""}).status_code == 200
    provider.post(reporting, {"text": "Відкрито", "proofs": [SimpleUploadedFile("a.pdf", b"a")]})
    shown = provider.get(page)
    assert "Відкрито" in shown.content.decode() and "a.pdf" in shown.content.decode()
    file = shown.context["notes"][0][1][0]
    link = reverse("contracts:milestone_file", args=[milestone.pk, file.pk])
    assert provider.get(link).content == b"a"
    assert sign_in(client, road.cast["taras"]).get(link).status_code == 404
    sign_in(client, road.cast["bohdan"]).post(judging, {"outcome": "met", "reason": "за актом"})
    milestone.refresh_from_db()
    assert milestone.status == "met" and judging not in client.get(page).content.decode()

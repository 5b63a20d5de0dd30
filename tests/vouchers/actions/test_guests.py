"""Where a guest is served nothing is decided about them; where they live everything is, and the host learns it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from config.accounts.models import Membership, Organisation, User
from config.pages import waiting_rows
from config.roles import CASE_WORKER
from contracts.models import BudgetLine, Service, Territory
from contracts.views.pages import access_of
from tests.settlement.actions.clearing_town import DECEMBER, Neighbours, build_neighbours
from tests.signed_in import browser
from tests.vouchers.town import NOVEMBER_1, VISIT, pensioner
from vouchers.actions.assessments import assess_needs, decide_fee
from vouchers.actions.certificates import issue_certificate
from vouchers.actions.fee_revisions import approve_fee_revision, propose_fee_revision
from vouchers.actions.guests import GuestRecipient
from vouchers.actions.plans import PlannedVolume, approve_plan
from vouchers.actions.recipients import move_residence, record_absence, record_death
from vouchers.models import Absence, Certificate, FeeRevision, Recipient

pytestmark = pytest.mark.django_db
DECEMBER_1, LAST_OF_NOVEMBER = date(2025, 12, 1), date(2025, 11, 30)
HOME_BUTTONS = ("vouchers:certificate_new", "vouchers:fee_new", "vouchers:fee_anew", "vouchers:assess",
                "vouchers:plan_new", "vouchers:absence_new", "vouchers:move", "vouchers:death")  # fmt: skip


@pytest.fixture
def towns(organisation: Organisation, other_organisation: Organisation, cast: dict[str, User]) -> Neighbours:
    made = build_neighbours(organisation, other_organisation, cast)
    made.issued = made.home.issue(income="4822.00")
    made.agree()
    made.visit()
    return made


def guest_of(towns: Neighbours) -> Recipient:
    return Certificate.objects.get(home=towns.issued.certificate).recipient


def own_of(towns: Neighbours) -> Recipient:
    return towns.issued.certificate.recipient


def _plan(recipient: Recipient) -> list[PlannedVolume]:
    service = Service.objects.get(organisation=recipient.organisation, code="015.1")
    return [PlannedVolume(service, Decimal(4), date(2020, 1, 1), date(2020, 12, 31))]


# What is decided about a recipient, as both sides would.
DECISIONS: dict[str, Callable[..., Any]] = {
    "needs": lambda recipient, **who: assess_needs(
        recipient=recipient, assessed_on=NOVEMBER_1, dependency_level="II", findings="", recommended=[], **who
    ),
    "fee": lambda recipient, **who: decide_fee(
        recipient=recipient, inputs=pensioner("4772.00", DECEMBER_1), valid_from=DECEMBER_1, **who
    ),
    "fee anew": lambda recipient, **who: propose_fee_revision(
        recipient=recipient, inputs=pensioner("4500.00", NOVEMBER_1), valid_from=NOVEMBER_1,
        last_day=LAST_OF_NOVEMBER, reason="Довідка", **who,
    ),
    "plan": lambda recipient, **who: approve_plan(recipient=recipient, volumes=_plan(recipient), **who),
    "move": lambda recipient, **who: move_residence(
        recipient=recipient, territory=Territory.objects.filter(organisation=recipient.organisation).first(),
        moved_on=NOVEMBER_1, **who,
    ),
    "absence": lambda recipient, **who: record_absence(
        recipient=recipient, kind="hospital", from_date=NOVEMBER_1, last_day=None, **who
    ),
    "death": lambda recipient, **who: record_death(recipient=recipient, death_date=DECEMBER_1, **who),
}  # fmt: skip


@pytest.mark.parametrize("what", DECISIONS)
def test_the_host_decides_nothing_about_a_guest(towns: Neighbours, what: str) -> None:
    with pytest.raises(GuestRecipient) as refused:
        DECISIONS[what](guest_of(towns), actor=towns.of(towns.host, "maker"), at=DECEMBER)
    assert towns.home.organisation.name in refused.value.sentence and guest_of(towns).code in refused.value.sentence
    DECISIONS[what](own_of(towns), actor=towns.home.case_worker, at=DECEMBER)


def test_the_host_issues_no_certificate_to_a_guest(towns: Neighbours) -> None:
    line = BudgetLine.objects.get(organisation=towns.host.organisation)
    with pytest.raises(GuestRecipient):
        issue_certificate(
            recipient=guest_of(towns), budget_line=line, first_day=DECEMBER_1, actor=towns.of(towns.host, "maker"),
            at=DECEMBER,
        )  # fmt: skip
    assert towns.home.issue().certificate.home is None


def test_a_fee_anew_that_waited_at_the_host_is_not_approved(towns: Neighbours) -> None:
    made = DECISIONS["fee anew"](own_of(towns), actor=towns.home.case_worker, at=DECEMBER)
    assert isinstance(made, FeeRevision)
    guest, host = guest_of(towns), towns.host.organisation
    FeeRevision.objects.filter(pk=made.pk).update(organisation=host, recipient=guest)
    common: dict[str, Any] = {"revision_id": made.pk, "at": DECEMBER}
    with pytest.raises(GuestRecipient):
        approve_fee_revision(organisation=host, actor=towns.of(towns.host, "checker"), **common)
    home = towns.home.organisation
    FeeRevision.objects.filter(pk=made.pk).update(organisation=home, recipient=own_of(towns))
    assert approve_fee_revision(organisation=home, actor=towns.of(towns.home, "checker"), **common).status == "approved"


def test_what_is_recorded_where_the_guest_lives_arrives(towns: Neighbours) -> None:
    DECISIONS["absence"](own_of(towns), actor=towns.home.case_worker, at=VISIT + timedelta(hours=3))
    towns.claim()
    towns.judge()
    assert Absence.objects.get(recipient=guest_of(towns)).from_date == NOVEMBER_1


@pytest.fixture
def office(towns: Neighbours, cast: dict[str, User]) -> User:
    """A case worker of the host."""
    Membership.objects.create(user=cast["bohdan"], organisation=towns.host.organisation, role=CASE_WORKER)
    Membership.objects.filter(user=cast["bohdan"], organisation=towns.home.organisation).delete()
    return cast["bohdan"]


def test_the_page_of_a_guest_says_who_decides_and_offers_nothing(towns: Neighbours, office: User) -> None:
    signed_in, guest = browser(office, "en"), guest_of(towns)
    page = signed_in.get(reverse("vouchers:recipient", args=[guest.pk])).content.decode()
    assert f"A guest: {towns.home.organisation.name} decides" in page
    assert [name for name in HOME_BUTTONS if reverse(name, args=[guest.pk]) in page] == []
    neighbour = Recipient.objects.create(organisation=towns.host.organisation, code="R-9", registered_at=DECEMBER)
    page = signed_in.get(reverse("vouchers:recipient", args=[neighbour.pk])).content.decode()
    assert "A guest:" not in page and reverse("vouchers:assess", args=[neighbour.pk]) in page
    answer = signed_in.post(
        reverse("vouchers:absence_new", args=[guest.pk]), {"kind": "hospital", "from_date": "2025-11-03"}
    )
    assert "GUEST_RECIPIENT" in answer.content.decode() or "is served here" in answer.content.decode()
    assert not Absence.objects.filter(recipient=guest).exists()


def test_guests_wait_for_nobody_here(towns: Neighbours, office: User) -> None:
    neighbour = Recipient.objects.create(organisation=towns.host.organisation, code="R-9", registered_at=DECEMBER)
    access = access_of(browser(office, "en").get("/").wsgi_request)
    assert list(waiting_rows.unassessed(access)) == [neighbour]
    assert not waiting_rows.without_certificate(access).exists() and not waiting_rows.expiring(access).exists()

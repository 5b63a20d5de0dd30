"""Pends: two persons lift one, either refuses it, somebody is in charge; the database holds it too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from config.accounts.models import Organisation, User
from config.audit.actors import SYSTEM
from config.audit.models import AuditEvent
from config.errors import FourEyes, NotFound, NotPermitted
from settlement.actions import pends
from settlement.models import ClaimLine, Clearance, KeptPend, PendAssignment, PendProposal
from settlement.pend_queries import decisions_about_pends
from tests.settlement.actions.lifting import lift
from tests.settlement.actions.month import AT, imported, judge, the_claim, two_visits
from tests.settlement.views.town import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(tmp_path: Path) -> Organisation:
    tables = two_visits()
    tables["redemptions"][0]["status"] = "authorised"
    organisation = imported(tables, tmp_path)
    people(organisation)
    judge(organisation)
    return organisation


def lines() -> tuple[ClaimLine, ClaimLine]:
    waiting, fine = ClaimLine.objects.filter(claim=the_claim()).order_by("line")
    return waiting, fine


def by(username: str, office: Organisation) -> dict[str, Any]:
    return {"organisation": office, "actor": User.objects.get(username=username).as_actor(), "at": AT}


def propose(office: Organisation, username: str = "halyna", **changes: Any) -> PendProposal:
    said = {"claim_line_id": lines()[0].pk, "check_code": "CLM-11", "reason": "акт є"} | changes
    return pends.propose_clearance(**by(username, office) | said)


def test_another_person_confirms_what_one_proposed(office: Organisation) -> None:
    proposal = propose(office)
    assert judge(office) is None
    with pytest.raises(FourEyes):
        pends.confirm_clearance(**by("halyna", office), proposal_id=proposal.pk)
    clearance = pends.confirm_clearance(**by("ivan", office), proposal_id=proposal.pk)
    assert (clearance.run, clearance.decided_by, clearance.reason) == (2, "ivan", "акт є")
    event = AuditEvent.objects.get(action="pend.cleared")
    assert (event.actor, event.data["proposed_by"]) == ("ivan", "halyna")
    run = judge(office)
    assert run is not None and run.lines == 1


def test_only_a_pend_of_the_latest_run_is_proposed_and_once(office: Organisation) -> None:
    waiting, fine = lines()
    for refused in ({"claim_line_id": fine.pk}, {"check_code": "CLM-24"}):
        with pytest.raises(pends.NotPended):
            propose(office, **refused)
    propose(office)
    with pytest.raises(pends.AlreadyProposed):
        propose(office, "ivan")
    proposal = PendProposal.objects.get()
    pends.confirm_clearance(**by("ivan", office), proposal_id=proposal.pk)
    with pytest.raises(pends.NotPended):
        pends.confirm_clearance(**by("ivan", office), proposal_id=proposal.pk)
    with pytest.raises(pends.NotPended):
        propose(office, claim_line_id=waiting.pk)
    assert Clearance.objects.count() == 1


def test_a_refused_proposal_is_not_confirmed_any_more(office: Organisation) -> None:
    proposal, waiting = propose(office), lines()[0]
    kept = pends.keep_pend(**by("ivan", office), claim_line_id=waiting.pk, check_code="CLM-11", reason="немає підпису")
    assert kept.proposal == proposal
    with pytest.raises(pends.NotPended):
        pends.confirm_clearance(**by("ivan", office), proposal_id=proposal.pk)
    lift(office, waiting, at=AT, reason="підпис знайдено")
    assert Clearance.objects.get().reason == "підпис знайдено"


def test_nobody_lifts_a_pend_of_another_office_or_as_a_program(
    office: Organisation, other_organisation: Organisation
) -> None:
    proposal = propose(office)
    with pytest.raises(NotFound):
        pends.confirm_clearance(**by("ivan", office) | {"organisation": other_organisation}, proposal_id=proposal.pk)
    with pytest.raises(NotPermitted):
        pends.confirm_clearance(**by("ivan", office) | {"actor": SYSTEM}, proposal_id=proposal.pk)
    with pytest.raises(NotFound):
        propose(other_organisation, claim_line_id=lines()[0].pk, **by("ivan", other_organisation))
    assert not Clearance.objects.exists()


def test_the_database_refuses_a_clearance_of_one_person(office: Organisation) -> None:
    proposal, waiting = propose(office), lines()[0]
    row: dict[str, Any] = {"organisation": office, "run": 2, "claim_line": waiting, "check_code": "CLM-11"}
    row |= {"decided_by": "halyna", "recorded_at": AT, "proposal": proposal}
    halyna, ivan = (User.objects.get(username=name) for name in ("halyna", "ivan"))
    refused: list[dict[str, Any]] = [
        {"confirmed_by": halyna},
        {"proposal": None},
        {"proposal": None, "confirmed_by": ivan},
        {"confirmed_by": ivan, "check_code": "CLM-24"},
        {"confirmed_by": ivan, "given": True},
    ]
    for change in refused:
        with pytest.raises(IntegrityError), transaction.atomic():
            Clearance.objects.create(**row | change)
    Clearance.objects.create(**row | {"confirmed_by": ivan})


def test_people_who_may_decide_are_put_in_charge(office: Organisation) -> None:
    task: dict[str, Any] = {"claim_line_id": lines()[0].pk, "check_code": "CLM-11"}
    names = {name: User.objects.get(username=name).pk for name in ("ivan", "mariia", "nadiia")}
    for name in ("mariia", "nadiia"):
        with pytest.raises(pends.DecidesNothing):
            pends.assign_pend(**by("halyna", office), **task, assigned_to_id=names[name])
    pends.assign_pend(**by("halyna", office), **task, assigned_to_id=names["ivan"])
    pends.assign_pend(**by("halyna", office), **task, assigned_to_id=None)
    assert [row.assigned_to_id for row in PendAssignment.objects.order_by("pk")] == [names["ivan"], None]


def test_decisions_are_counted_by_person_and_check(office: Organisation) -> None:
    waiting = lines()[0]
    propose(office)
    pends.keep_pend(**by("ivan", office), claim_line_id=waiting.pk, check_code="CLM-11", reason="ні")
    lift(office, waiting, at=AT)
    Clearance.objects.create(
        organisation=office, run=3, claim_line=waiting, check_code="CLM-24", decided_by="deputy", given=True,
        recorded_at=AT,
    )  # fmt: skip
    found = {(row.person, row.check): row for row in decisions_about_pends(office)}
    assert {key: (row.proposed, row.confirmed, row.kept, row.refused, row.given) for key, row in found.items()} == {
        ("deputy", "CLM-24"): (0, 0, 0, 0, 1),
        ("halyna", "CLM-11"): (2, 0, 0, 0, 0),
        ("ivan", "CLM-11"): (0, 1, 1, 1, 0),
    }
    assert KeptPend.objects.count() == 1

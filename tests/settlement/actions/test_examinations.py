"""After a run: who draws visits to be verified, which ones, what people say of them, and who stands close."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from config.audit.models import AuditEvent
from config.errors import NotFound
from contracts.actions import check_facts as register
from contracts.actions.reference import load_reference
from contracts.models import Parameter, Worker
from settlement.actions import examinations
from settlement.actions.examinations import examine_run, give_hint_feedback, record_verification
from settlement.examination_queries import hint_counts, verified_by_provider
from settlement.models import (
    Adjudication,
    ClosenessHint,
    HintFeedback,
    RunExamination,
    VerificationResult,
    VerificationVisit,
)
from tests.conftest import AT
from tests.settlement.views.town import Town, settled_town
from vouchers.models import Mandate, Recipient

pytestmark = pytest.mark.django_db
TODAY = date(2025, 12, 3)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    load_reference(at=AT)
    return settled_town(tmp_path)


def by(town: Town, name: str) -> dict[str, Any]:
    return {"organisation": town.organisation, "actor": town.users[name].as_actor(), "at": AT}


def examined(town: Town) -> RunExamination:
    return examine_run(**by(town, "halyna"), run_id=town.run.pk)


def percent(town: Town, key: str, value: str) -> None:
    Parameter.objects.create(
        organisation=town.organisation, jurisdiction="UA", key=key, value=value, valid_from=date(2025, 1, 1),
        recorded_at=AT, evidence="DESIGN",
    )  # fmt: skip


def drawn_again(town: Town, share: int) -> set[int]:
    """Lines that anybody would draw from the run's fingerprint with a sheet of paper."""
    judged = Adjudication.objects.filter(run=town.run, reverses=None, gross__gt=0).select_related("claim_line__claim")
    lines = [row.claim_line for row in judged]

    def lot(line: Any) -> bytes:
        return hashlib.sha256(f"{town.run.digest}:{line.claim.number}/{line.line}".encode()).digest()

    return {line.pk for line in sorted(lines, key=lot)[: ceil(len(lines) * share / 100)]}


@pytest.mark.parametrize("share", [0, 1, 20, 50, 100])
def test_anybody_can_draw_the_same_visits_again(town: Town, share: int) -> None:
    percent(town, "claim.sample_pct", str(share))
    examined(town)
    found = set(VerificationVisit.objects.values_list("claim_line", flat=True))
    assert found == drawn_again(town, share)
    assert len(found) == {0: 0, 1: 1, 20: 3, 50: 6, 100: 12}[share]
    event = AuditEvent.objects.get(action="run.examined")
    assert event.data["drawn"] == len(found)


def test_a_run_is_examined_once_and_by_its_own_office(town: Town, other_organisation: Any) -> None:
    with pytest.raises(NotFound):
        examine_run(**{**by(town, "halyna"), "organisation": other_organisation}, run_id=town.run.pk)
    first = examined(town)
    assert examined(town) == first
    assert AuditEvent.objects.filter(action="run.examined").count() == 1


def said(town: Town, **changes: Any) -> VerificationResult:
    visit = VerificationVisit.objects.order_by("pk").first()
    assert visit is not None
    wish = {"visit_id": visit.pk, "outcome": "not_held", "checked_on": TODAY, "note": "нікого не було"}
    return record_verification(**by(town, "sofiia"), **wish | changes)


def test_what_a_recipient_says_is_kept_once_counted_and_moves_no_money(town: Town) -> None:
    examined(town)
    before = list(Adjudication.objects.values_list("pk", "payable"))
    result = said(town)
    assert (result.outcome, result.checked_by.username) == ("not_held", "sofiia")
    with pytest.raises(examinations.AlreadySaid):
        said(town)
    (row,) = verified_by_provider(town.organisation)
    assert (row.drawn, row.checked, row.not_as_claimed, row.share) == (1, 1, 1, 100)
    assert list(Adjudication.objects.values_list("pk", "payable")) == before
    with pytest.raises(DatabaseError), transaction.atomic():
        VerificationResult.objects.update(outcome="held")


def test_it_is_said_of_a_day_that_can_be(town: Town, other_organisation: Any) -> None:
    examined(town)
    for day in (TODAY + timedelta(days=1), date(2025, 10, 31)):
        with pytest.raises(examinations.VerifiedOn):
            said(town, checked_on=day)
    with pytest.raises(NotFound):
        said(town, visit_id=0)
    assert not VerificationResult.objects.exists()


def test_whoever_is_close_to_the_provider_verifies_nothing(town: Town) -> None:
    examined(town)
    register.declare_relation(
        **by(town, "bohdan"), user=town.users["sofiia"], provider=town.claim.provider, reason="сестра",
        valid_from=date(2025, 1, 1), valid_to=None,
    )  # fmt: skip
    with pytest.raises(register.RelatedPerson):
        said(town)


def named(worker: str, recipient: str, signer: str = "", *, until: date | None = None) -> None:
    someone = Recipient.objects.get(code="R1")
    someone.name = recipient
    someone.save()
    carer = Worker.objects.get(code="W1")
    carer.name = worker
    carer.save()
    if signer:
        Mandate.objects.create(
            recipient=someone, name=signer, basis="довіреність", valid_from=date(2025, 1, 1), valid_to=until
        )


def kinds() -> dict[str, ClosenessHint]:
    return {row.kind: row for row in ClosenessHint.objects.all()}


def test_a_hint_has_its_figures(town: Town) -> None:
    named("Рідна Ганна", "Чужа Ніна", "Рідна Ганна")
    examined(town)
    hints = kinds()
    assert set(hints) == {"representative", "only_pair"}
    sums = Adjudication.objects.filter(run=town.run, reverses=None, gross__gt=0)
    row = hints["representative"]
    assert (row.visits, row.worker_visits, row.recipient_visits) == (12, 12, 12)
    assert row.amount_minor == sum(sums.values_list("gross", flat=True)) == 171_000


def test_whose_mandate_was_over_does_not_count_and_strangers_give_no_hint(town: Town) -> None:
    percent(town, "claim.closeness_visits_min", "13")
    named("Рідна Ганна", "Чужа Ніна", "Рідна Ганна", until=date(2025, 11, 1))
    examined(town)
    assert kinds() == {}


def test_a_hint_is_answered_once_and_counted(town: Town, other_organisation: Any) -> None:
    named("Рідна Ганна", "Рідний Петро")
    examined(town)
    hint = kinds()["family"]
    reason = {"hint_id": hint.pk, "reason": "однофамільці"}
    with pytest.raises(NotFound):
        give_hint_feedback(**{**by(town, "halyna"), "organisation": other_organisation}, **reason)
    give_hint_feedback(**by(town, "halyna"), **reason)
    with pytest.raises(examinations.AlreadySaid):
        give_hint_feedback(**by(town, "ivan"), **reason)
    counts = {row["kind"]: (row["hints"], row["unfounded"], row["share"]) for row in hint_counts(town.organisation)}
    assert counts == {"representative": (0, 0, 0), "family": (1, 1, 100), "only_pair": (1, 0, 0)}
    assert HintFeedback.objects.get().reason == "однофамільці"

"""A late claim gets its term back from two persons: every check reads the last day, the real time stays beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from config.accounts.models import Organisation, User
from config.audit.models import AuditEvent
from config.errors import DomainError, FourEyes, NotFound
from config.office.models import OutboxMessage
from config.office.storage import attachments_of
from contracts.actions.check_facts import RelatedPerson, declare_relation
from contracts.actions.reference import load_reference
from contracts.models import Provider, ProviderUser
from settlement.actions import appeals, claims
from settlement.actions import restored_terms as terms
from settlement.claim_letter import letter_context
from settlement.claim_papers import claim_paper
from settlement.models import AdjudicationRun, Claim, Finding, Remittance, RestoredTerm
from settlement.prechecks import precheck
from settlement.replay import replay_run
from settlement.term_queries import counted_at, last_day_of
from tests.oracle.small import Tables
from tests.settlement.actions.month import KYIV, NOVEMBER, free_visits, imported, judge, the_claim
from tests.settlement.views.town import people

pytestmark = pytest.mark.django_db
CAME = datetime(2026, 2, 10, 9, 30, tzinfo=KYIV)
AT = datetime(2026, 2, 12, 10, tzinfo=KYIV)
# Sixty days after 30 November; its last second.
LAST = datetime(2026, 1, 29, 23, 59, 59, tzinfo=KYIV)
FILE = ("довідка.pdf", b"%PDF-", "application/pdf")


def late_month(came: datetime = CAME) -> Tables:
    tables = free_visits()
    tables["claims"][0]["submitted_at"] = came.isoformat()
    return tables


@pytest.fixture
def users(office: Organisation) -> dict[str, User]:
    found = people(office)
    ProviderUser.objects.create(provider=Provider.objects.get(code="P1"), user=found["nadiia"])
    return found


@pytest.fixture
def office(tmp_path: Path) -> Organisation:
    load_reference(at=AT - timedelta(days=900))
    organisation = imported(late_month(), tmp_path)
    organisation.clock_offset = AT - timezone.now()
    organisation.save()
    return organisation


def by(user: User, at: datetime = AT) -> dict[str, Any]:
    return {"organisation": Organisation.objects.get(code="TEST"), "actor": user.as_actor(), "at": at}


def propose(users: dict[str, User], name: str = "halyna", at: datetime = AT, **more: Any) -> RestoredTerm:
    values = {"claim_id": the_claim().pk, "reason": "Довідка: пожежа в офісі надавача", **more}
    return terms.propose_term(**by(users[name], at), **values)


def confirm(users: dict[str, User], row: RestoredTerm, name: str = "ivan", at: datetime = AT) -> RestoredTerm:
    return terms.confirm_term(**by(users[name], at), term_id=row.pk)


def paid() -> int:
    return sum(Remittance.objects.values_list("payable", flat=True))


def late_findings() -> int:
    return Finding.objects.filter(check_code="CLM-32").count()


def test_without_it_every_line_is_refused_with_it_all_is_paid(office: Organisation, users: dict[str, User]) -> None:
    row = confirm(users, propose(users, files=[FILE]))
    assert (row.status, row.submitted_at, row.counts_as_submitted_at) == ("confirmed", CAME, LAST)
    claim = the_claim()
    assert (claim.submitted_at, counted_at(claim)) == (CAME, LAST)
    assert [file.name for file in attachments_of(claim)] == ["довідка.pdf"]
    judge(office, at=AT)
    assert (paid(), late_findings()) == (28_500, 0)
    replay = replay_run(AdjudicationRun.objects.get())
    assert replay.equal and replay.lines == 2


def test_a_claim_nobody_asked_for_is_refused_as_late(office: Organisation, users: dict[str, User]) -> None:
    propose(users)  # nobody confirmed
    judge(office, at=AT)
    assert (paid(), late_findings()) == (0, 2)
    with pytest.raises(terms.TermClaimDecided):
        confirm(users, RestoredTerm.objects.get(), at=AT + timedelta(hours=1))


def test_both_are_told_and_kept(office: Organisation, users: dict[str, User]) -> None:
    confirm(users, propose(users))
    codes = set(AuditEvent.objects.filter(action__startswith="claim.term").values_list("action", flat=True))
    assert codes == {"claim.term_proposed", "claim.term_restored"}
    told = OutboxMessage.objects.get(code="claim.term_restored")
    assert told.user == users["nadiia"]
    assert datetime.fromisoformat(told.params["counts_as_submitted_at"]) == LAST
    assert datetime.fromisoformat(told.params["submitted_at"]) == CAME


def test_the_letter_and_the_act_say_both_times(office: Organisation, users: dict[str, User]) -> None:
    def counted() -> list[str]:
        facts = claim_paper(the_claim(), "act", made_at=CAME).facts
        return [value for name, value in facts if str(name) in ("Counts as submitted", "Вважається поданою")]

    assert counted() == []
    row = confirm(users, propose(users))
    judge(office, at=AT)
    assert (counted(), letter_context(the_claim())["term"]) == (["29.01.2026"], row)


def test_the_second_person_is_another_one(office: Organisation, users: dict[str, User]) -> None:
    row = propose(users)
    with pytest.raises(FourEyes):
        confirm(users, row, "halyna")
    Claim.objects.update(submitted_by=users["ivan"])
    with pytest.raises(FourEyes):
        confirm(users, row, "ivan")
    Claim.objects.update(submitted_by=users["nadiia"])
    assert confirm(users, row, "ivan").decided_by == users["ivan"]


def test_a_related_person_neither_proposes_nor_decides(office: Organisation, users: dict[str, User]) -> None:
    declare_relation(
        **by(users["oksana"]), user=users["ivan"], provider=Provider.objects.get(code="P1"), reason="сестра",
        valid_from=date(2025, 1, 1), valid_to=None,
    )  # fmt: skip
    with pytest.raises(RelatedPerson):
        propose(users, "ivan")
    row = propose(users)
    with pytest.raises(RelatedPerson):
        confirm(users, row)
    with pytest.raises(RelatedPerson):
        terms.refuse_term(**by(users["ivan"]), term_id=row.pk, reason="ні")


def test_a_refusal_needs_words_and_leaves_room_for_a_better_proof(office: Organisation, users: dict[str, User]) -> None:
    row = propose(users)
    with pytest.raises(terms.TermReasonMissing):
        terms.refuse_term(**by(users["ivan"]), term_id=row.pk, reason=" ")
    refused = terms.refuse_term(**by(users["ivan"]), term_id=row.pk, reason="Довідка не про той день")
    assert (refused.status, refused.counts_as_submitted_at) == ("refused", None)
    assert OutboxMessage.objects.get(code="claim.term_refused").params["reason"] == "Довідка не про той день"
    with pytest.raises(terms.TermDecided):
        confirm(users, row)
    assert counted_at(the_claim()) == CAME
    assert confirm(users, propose(users, reason="Ось правильна")).status == "confirmed"


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"submitted_at": LAST}, terms.TermNotLate),
        ({"submitted_at": LAST + timedelta(seconds=1)}, None),
        ({"status": "withdrawn"}, terms.TermClaimDecided),
        ({"status": "returned"}, terms.TermClaimDecided),
        ({}, None),
    ],
)
def test_only_what_is_late_and_waits(
    office: Organisation, users: dict[str, User], change: dict[str, Any], refusal: type[DomainError] | None
) -> None:
    Claim.objects.update(**change)
    if refusal is None:
        assert propose(users).status == "proposed"
        return
    with pytest.raises(refusal):
        propose(users)
    assert not RestoredTerm.objects.exists()


def test_once_for_a_claim_and_with_words(office: Organisation, users: dict[str, User]) -> None:
    with pytest.raises(terms.TermReasonMissing):
        propose(users, reason=" ")
    with pytest.raises(NotFound):
        propose(users, claim_id=0)
    row = propose(users)
    with pytest.raises(terms.TermAsked):
        propose(users, "ivan")
    confirm(users, row)
    with pytest.raises(terms.TermAsked):
        propose(users)


def test_the_database_refuses_one_person_two_decisions_and_changes(
    office: Organisation, users: dict[str, User]
) -> None:
    row = propose(users)
    decided = {"status": "confirmed", "decided_at": AT, "counts_as_submitted_at": LAST}
    rows = RestoredTerm.objects.filter(pk=row.pk)
    for values in (
        {**decided, "decided_by": users["halyna"]},
        {**decided, "decided_by": None},
        {**decided, "decided_by": users["ivan"], "counts_as_submitted_at": CAME},
        {"status": "refused", "decided_at": AT, "decided_by": users["ivan"]},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        RestoredTerm.objects.create(
            claim=row.claim, reason="ще", submitted_at=CAME, proposed_by=users["ivan"], proposed_at=AT,
            status="proposed",
        )  # fmt: skip
    confirm(users, row)
    for values in ({"counts_as_submitted_at": CAME - timedelta(days=1)}, {"reason": "інша"}, {"status": "refused"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**values)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.delete()


def test_a_run_as_of_a_day_before_the_decision_sees_the_claim_late(
    office: Organisation, users: dict[str, User]
) -> None:
    confirm(users, propose(users))
    judge(office, at=AT, as_of=date(2026, 2, 11))
    assert (paid(), late_findings()) == (0, 2)
    assert replay_run(AdjudicationRun.objects.get()).equal


def test_a_returned_claim_keeps_its_term(office: Organisation, users: dict[str, User]) -> None:
    confirm(users, propose(users))
    claims.return_claim(**by(users["halyna"]), claim_id=the_claim().pk, reason="Перевірте години")
    Claim.objects.update(imported=False)
    assert precheck(the_claim(), at=AT).counts == {"accepted": 2}
    again = AT + timedelta(days=1)
    claims.submit_claim(**by(users["nadiia"], again), claim_id=the_claim().pk)
    assert (the_claim().submitted_at, counted_at(the_claim())) == (again, LAST)
    judge(office, at=again)
    assert (paid(), late_findings()) == (28_500, 0)


def test_a_judged_claim_gets_there_by_an_appeal(office: Organisation, users: dict[str, User]) -> None:
    judge(office, at=AT)
    with pytest.raises(terms.TermClaimDecided):
        propose(users)
    made = appeals.submit_appeal(**by(users["nadiia"]), claim_id=the_claim().pk, claim_line_id=None, reason="Пожежа")
    again = appeals.uphold_appeal(**by(users["ivan"]), appeal_id=made.pk, reason="Так").new_claim
    assert again.submitted_at == CAME
    confirm(users, propose(users, claim_id=again.pk))
    judge(office, at=AT + timedelta(hours=1))
    assert paid() == 28_500
    # A copy of a restored claim counts as handed in when the claim does.
    assert counted_at(Claim.objects.get(pk=again.pk)) == LAST


@pytest.mark.parametrize(("period", "last"), [(NOVEMBER, date(2026, 1, 29)), (date(2025, 12, 1), date(2026, 1, 15))])
def test_the_last_day_is_that_of_the_check(office: Organisation, period: date, last: date) -> None:
    assert last_day_of(office, period, datetime(2026, 3, 1, tzinfo=UTC)) == last

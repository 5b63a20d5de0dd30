"""Checks that a package cannot decide, in the database: facts recorded by actions, judged, exported, settled alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from psycopg.errors import CheckViolation

from config.accounts.models import Organisation, User
from config.audit.models import AuditEvent
from config.errors import NotFound
from config.office.storage import GivenFile
from contracts.actions import check_facts as register
from contracts.actions.register import IbanInvalid
from contracts.models import Contract, Parameter, Service
from settlement.actions import check_facts, pends
from settlement.actions.adjudication import adjudicate_claims
from settlement.actions.claims import create_claim
from settlement.actions.provider_accounts import change_account
from settlement.models import Adjudication, Claim, ClaimLine, Clearance, Finding, FindingFeedback, KeptPend
from settlement.patterns import PatternCount, pattern_counts
from tests.config.interchange.packages import dump, load
from tests.conftest import AT
from tests.settlement.actions.month import NOVEMBER, judge, two_visits
from tests.settlement.actions.own_claims import draft, hand_in, handed_in
from tests.settlement.views.town import people
from vouchers.actions import check_facts as people_facts
from vouchers.models import Recipient, Redemption

pytestmark = pytest.mark.django_db
Record = Callable[["Month"], object]


class Month:
    """A drafted claim of two visits of 142.50, and who may record what."""

    def __init__(self, folder: Path) -> None:
        user = User.objects.create(username="nadiia")
        self.claim = handed_in(folder, user, submit=False)
        self.office = self.claim.organisation
        self.users = people(self.office)
        self.provider, self.service = self.claim.provider, Service.objects.get(code="015.1")
        self.recipient = Recipient.objects.get(code="R1")

    def by(self, username: str) -> dict[str, Any]:
        return {"organisation": self.office, "actor": self.users[username].as_actor(), "at": AT}

    @property
    def visit(self) -> Redemption:
        return Redemption.objects.get(code="V1")

    def judged(self) -> dict[tuple[int, str], tuple[str, int, int]]:
        """Findings of the submitted claim: (line, check) -> (severity, units, amount)."""
        hand_in(self.office, self.claim, self.users["nadiia"])
        judge(self.office)
        return found()


def found() -> dict[tuple[int, str], tuple[str, int, int]]:
    rows = Finding.objects.values_list("claim_line__line", "check_code", "severity", "units", "amount")
    return {row[:2]: row[2:] for row in rows}


@pytest.fixture
def month(tmp_path: Path) -> Month:
    return Month(tmp_path)


FIRST, SECOND, NEXT = date(2025, 11, 3), date(2025, 11, 4), date(2025, 11, 5)


def same_file_paid(month: Month) -> None:
    """Another claim of the same file, handed in before."""
    lines = [draft(row) for row in two_visits()["claim_lines"]]
    first = create_claim(
        organisation=month.office, provider=month.provider, contract=Contract.objects.get(number="K1"),
        period=NOVEMBER, lines=lines, actor=month.users["nadiia"].as_actor(), at=AT,
        files=[("again.csv", b"visits of November", "text/csv")],
    )  # fmt: skip
    hand_in(month.office, month.claim, month.users["nadiia"])
    judge(month.office)
    month.claim = first


def scan(month: Month) -> None:
    people_facts.record_scan(
        **month.by("nadiia"), redemption=month.visit, scanned_at=AT, latitude_e5=4_990_000, longitude_e5=3_620_000,
        distance_m=501,
    )  # fmt: skip


def change(month: Month, number: str, kind: str = "bank") -> None:
    change_account(
        **month.by("bohdan"), provider=month.provider, kind=kind, iban=number, reason="лист",
        paper=GivenFile("lyst.txt", b"x", "text/plain"),
    )  # fmt: skip


def emergency(month: Month) -> None:
    connection.cursor().execute("SET session_replication_role = replica; UPDATE vouchers_planline SET "
                                "valid_to = '2025-11-01'; SET session_replication_role = DEFAULT")  # fmt: skip
    Service.objects.update(one_off=True)
    case = people_facts.begin_emergency(
        **month.by("sofiia"), recipient=month.recipient, service=month.service, began_on=FIRST
    )
    people_facts.record_emergency_act(**month.by("sofiia"), emergency_id=case.pk, act_on=NEXT)


def grant(month: Month) -> None:
    Contract.objects.update(basis="grant")
    register.add_grant_item(
        **month.by("bohdan"), contract=Contract.objects.get(number="K1"), service=month.service,
        amount=Decimal("200.00"), valid_from=date(2025, 1, 1), valid_to=None,
    )  # fmt: skip


CASES: dict[str, tuple[Record, tuple[int, str, int, int]]] = {
    "CLM-02": (same_file_paid, (1, "R", 1500, 14250)),
    "CLM-29": (
        lambda m: people_facts.record_other_funding(
            **m.by("sofiia"), recipient=m.recipient, service=m.service, source="grant", reference="Г-1",
            valid_from=SECOND, valid_to=NEXT,
        ),
        (2, "R", 1500, 14250),
    ),
    "CLM-30": (
        lambda m: (
            Parameter.objects.create(
                organisation=m.office, jurisdiction="UA", key="check.CLM-30.severity", value="R",
                valid_from=date(2025, 1, 1), recorded_at=AT,
            ),
            people_facts.record_state_task(
                **m.by("bohdan"), provider=m.provider, service=m.service, recipient=None, reference="ДЗ-1",
                valid_from=FIRST, valid_to=SECOND,
            ),
        ),
        (1, "R", 1500, 14250),
    ),
    "CLM-33": (
        lambda m: register.set_schedule(
            **m.by("bohdan"), provider=m.provider, weekdays_off=[1, 6], valid_from=date(2025, 1, 1), valid_to=None
        ),
        (2, "W", 0, 0),
    ),
    "CLM-34": (
        lambda m: register.require_evidence(
            **m.by("bohdan"), service=m.service, valid_from=FIRST, valid_to=SECOND
        ),
        (1, "P", 1500, 14250),
    ),
    "CLM-36": (
        lambda m: check_facts.report_fee(
            **m.by("nadiia"), claim_id=m.claim.pk, recipient=m.recipient, collected_minor=10_000
        ),
        (1, "W", 0, 0),
    ),
    "CLM-37": (
        lambda m: check_facts.report_fee(
            **m.by("nadiia"), claim_id=m.claim.pk, recipient=m.recipient, collected_minor=127_801
        ),
        (2, "P", 1500, 14250),
    ),
    "CLM-39": (
        lambda m: check_facts.declare_claim(
            **m.by("nadiia"), claim_id=m.claim.pk, document_number="7", total_minor=None, vat_minor=5_700
        ),
        (2, "C", 0, 2850),
    ),
    "CLM-40": (
        lambda m: check_facts.declare_claim(
            **m.by("nadiia"), claim_id=m.claim.pk, document_number="7", total_minor=28_506, vat_minor=0
        ),
        (1, "P", 1500, 14250),
    ),
    "CLM-43": (scan, (1, "P", 1500, 14250)),
    "CLM-44": (
        lambda m: change(m, "UA213223130000026007233566001"),
        (2, "P", 1500, 14250),
    ),
    "CLM-47": (emergency, (1, "R", 1500, 14250)),
    "CLM-49": (
        lambda m: people_facts.open_complaint(**m.by("sofiia"), redemption=m.visit, text="Ніхто не приходив"),
        (1, "P", 1500, 14250),
    ),
    "CLM-50": (grant, (2, "C", 0, 8500)),
}  # fmt: skip


@pytest.mark.parametrize("code", CASES)
def test_what_people_record_is_found_and_nothing_without_it(code: str, month: Month) -> None:
    prepare, (line, *expected) = CASES[code]
    prepare(month)
    findings = month.judged()
    assert findings[line, code] == tuple(expected)
    row = Adjudication.objects.filter(claim=month.claim, claim_line__line=line).latest("pk")
    pieces = Finding.objects.filter(run_id=row.run_id, claim_line_id=row.claim_line_id).exclude(severity="W")
    assert row.amount_claimed == row.gross + sum(piece.amount for piece in pieces)


def test_nothing_recorded_nothing_found(month: Month) -> None:
    assert month.judged() == {}


def test_facts_learnt_after_the_run_do_not_count(month: Month) -> None:
    later = month.by("sofiia") | {"at": AT + timedelta(seconds=1)}
    people_facts.open_complaint(**later, redemption=month.visit, text="Пізніше")
    assert month.judged() == {}


def test_an_answered_complaint_and_an_attached_act_hold_nothing_up(month: Month) -> None:
    complaint = people_facts.open_complaint(**month.by("sofiia"), redemption=month.visit, text="Запізнилась")
    people_facts.answer_complaint(**month.by("sofiia"), complaint_id=complaint.pk, answer="Вибачились")
    with pytest.raises(people_facts.AlreadyAnswered):
        people_facts.answer_complaint(**month.by("sofiia"), complaint_id=complaint.pk, answer="Ще раз")
    register.require_evidence(**month.by("bohdan"), service=month.service, valid_from=FIRST, valid_to=None)
    check_facts.attach_signed_act(
        **month.by("nadiia"), claim_id=month.claim.pk, name="акт.pdf", content=b"%PDF", content_type="application/pdf"
    )
    assert month.judged() == {}


def test_everything_at_once_travels_and_settles_alike_elsewhere(transactional_db: None, tmp_path: Path) -> None:
    month = Month(tmp_path / "in")
    for code in ("CLM-33", "CLM-34", "CLM-39", "CLM-49"):
        CASES[code][0](month)
    check_facts.report_fee(**month.by("nadiia"), claim_id=month.claim.pk, recipient=month.recipient, collected_minor=1)
    grant(month)
    findings = month.judged()
    assert set(findings) == {
        (1, "CLM-34"), (1, "CLM-39"), (1, "CLM-49"), (1, "CLM-36"), (2, "CLM-33"), (2, "CLM-39"),
    }  # fmt: skip
    pend = ClaimLine.objects.get(claim=month.claim, line=1)
    proposals = [
        pends.propose_clearance(**month.by("halyna"), claim_line_id=pend.pk, check_code=code, reason="акт є")
        for code in ("CLM-34", "CLM-49")
    ]
    for proposal in proposals:
        pends.confirm_clearance(**month.by("ivan"), proposal_id=proposal.pk)
    run = judge(month.office)
    assert run is not None and run.number == 2
    # What the first run paid of the item is used up; VAT is taken off first.
    assert found()[1, "CLM-50"] == ("C", 0, 14250 - 2850 - (20000 - (14250 - 2850)))
    one = dump(tmp_path / "one")
    call_command("flush", verbosity=0, interactive=False)
    assert load(tmp_path / "one").imported
    assert set(Claim.objects.values_list("imported", flat=True)) == {True}
    there = Organisation.objects.get(code="TEST")
    assert [judge(there), judge(there), judge(there)][2] is None
    two = dump(tmp_path / "two")
    assert {name for name in one if one[name] != two[name]} <= {"postings.csv"}


def test_a_changed_severity_is_law_with_its_dates(month: Month) -> None:
    CASES["CLM-33"][0](month)
    Parameter.objects.create(
        organisation=month.office, jurisdiction="UA", key="check.CLM-33.severity", value="off",
        valid_from=date(2025, 11, 4), recorded_at=AT,
    )  # fmt: skip
    assert month.judged() == {}


# --- CLM-45


def related(month: Month, username: str, **dates: date | None) -> None:
    register.declare_relation(
        **month.by("oksana"), user=month.users[username], provider=month.provider, reason="сестра директорки",
        **({"valid_from": date(2025, 1, 1), "valid_to": None} | dates),
    )  # fmt: skip


def adjudicate(month: Month, username: str) -> Any:
    return adjudicate_claims(period=NOVEMBER, as_of=AT.date(), **month.by(username))


def test_a_related_person_judges_nothing_and_another_one_does(month: Month) -> None:
    related(month, "halyna")
    hand_in(month.office, month.claim, month.users["nadiia"])
    with pytest.raises(register.RelatedPerson):
        adjudicate(month, "halyna")
    assert not Adjudication.objects.exists() and not AuditEvent.objects.filter(action="claims.adjudicated").exists()
    assert adjudicate(month, "ivan") is not None


def test_a_relation_that_is_over_blocks_nobody(month: Month) -> None:
    related(month, "halyna", valid_to=AT.date())
    hand_in(month.office, month.claim, month.users["nadiia"])
    assert adjudicate(month, "halyna") is not None


def test_the_database_refuses_a_related_person_too(month: Month, monkeypatch: pytest.MonkeyPatch) -> None:
    people_facts.open_complaint(**month.by("sofiia"), redemption=month.visit, text="Ніхто не приходив")
    hand_in(month.office, month.claim, month.users["nadiia"])
    related(month, "halyna")
    monkeypatch.setattr("settlement.actions.adjudication.refuse_related", lambda **_: None)
    monkeypatch.setattr("settlement.actions.pends.refuse_related", lambda **_: None)
    # Remittances come by COPY, whose errors the driver raises itself.
    with pytest.raises(CheckViolation, match="related"):
        adjudicate(month, "halyna")
    assert adjudicate(month, "ivan") is not None
    line = ClaimLine.objects.get(claim=month.claim, line=1)
    asked = {"claim_line_id": line.pk, "check_code": "CLM-49", "reason": "так"}
    with pytest.raises(DatabaseError, match="related"):
        pends.keep_pend(**month.by("halyna"), **asked)
    proposal = pends.propose_clearance(**month.by("ivan"), **asked)
    with pytest.raises(DatabaseError, match="related"):
        pends.confirm_clearance(**month.by("halyna"), proposal_id=proposal.pk)
    assert not Clearance.objects.exists() and not KeptPend.objects.exists()


def test_a_related_person_decides_about_no_pend(month: Month) -> None:
    people_facts.open_complaint(**month.by("sofiia"), redemption=month.visit, text="Ніхто не приходив")
    month.judged()
    related(month, "halyna")
    line = ClaimLine.objects.get(claim=month.claim, line=1)
    asked = {"claim_line_id": line.pk, "check_code": "CLM-49", "reason": "так"}
    for decide in (pends.keep_pend, pends.propose_clearance):
        with pytest.raises(register.RelatedPerson):
            decide(**month.by("halyna"), **asked)
    proposal = pends.propose_clearance(**month.by("ivan"), **asked)
    with pytest.raises(register.RelatedPerson):
        pends.confirm_clearance(**month.by("halyna"), proposal_id=proposal.pk)


# --- refusals of the actions


def test_a_fact_that_stands_already_is_refused(month: Month) -> None:
    CASES["CLM-33"][0](month)
    with pytest.raises(register.FactExists):
        CASES["CLM-33"][0](month)
    with pytest.raises(register.DatesReversed):
        register.require_evidence(**month.by("bohdan"), service=month.service, valid_from=SECOND, valid_to=FIRST)
    with pytest.raises(IbanInvalid):
        change(month, "UA00")
    CASES["CLM-44"][0](month)
    with pytest.raises(register.SameAccount):
        CASES["CLM-44"][0](month)


def test_another_municipality_records_nothing_here(month: Month, other_organisation: Organisation) -> None:
    foreign = month.by("sofiia") | {"organisation": other_organisation}
    with pytest.raises(NotFound):
        people_facts.open_complaint(**foreign, redemption=month.visit, text="x")
    with pytest.raises(NotFound):
        register.require_evidence(**foreign, service=month.service, valid_from=FIRST, valid_to=None)
    with pytest.raises(NotFound):
        check_facts.report_fee(**foreign, claim_id=month.claim.pk, recipient=month.recipient, collected_minor=1)
    with pytest.raises(NotFound):
        register.declare_relation(
            **foreign, user=month.users["halyna"], provider=month.provider, reason="x", valid_from=FIRST, valid_to=None
        )


def test_what_was_handed_in_declares_nothing_new(month: Month) -> None:
    month.judged()
    with pytest.raises(check_facts.ClaimHandedIn):
        CASES["CLM-40"][0](month)
    with pytest.raises(check_facts.ClaimHandedIn):
        CASES["CLM-36"][0](month)


def test_feedback_is_kept_once_counted_and_lowers_nothing(month: Month) -> None:
    scan(month)
    CASES["CLM-34"][0](month)
    month.judged()
    pattern, fact = (Finding.objects.get(check_code=code) for code in ("CLM-43", "CLM-34"))
    said = month.by("halyna") | {"reason": "слабкий сигнал"}
    check_facts.give_feedback(**said, finding_id=pattern.pk)
    with pytest.raises(check_facts.FeedbackGiven):
        check_facts.give_feedback(**said, finding_id=pattern.pk)
    with pytest.raises(check_facts.NotAPattern):
        check_facts.give_feedback(**said, finding_id=fact.pk)
    counts = {row.code: row for row in pattern_counts(month.office)}
    assert (counts["CLM-43"].findings, counts["CLM-43"].unfounded, counts["CLM-43"].share) == (1, 1, 100)
    assert counts["CLM-44"] == PatternCount("CLM-44", counts["CLM-44"].title, 0, 0)
    assert Adjudication.objects.get(claim_line__line=1).outcome == "pended"
    with pytest.raises(DatabaseError), transaction.atomic():
        FindingFeedback.objects.update(reason="інше")

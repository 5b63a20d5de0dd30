"""Issuing certificates and what happens to them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from config.states import InvalidMove
from contracts.models import BudgetEntry, BudgetLine, Contract, NormCost, Parameter
from tests.trail import trail_for
from tests.vouchers.actions.test_redemptions import authorise, confirm
from tests.vouchers.town import NOVEMBER_1, OCTOBER, VISIT, Town
from vouchers.actions.certificate_balance import reserved_now
from vouchers.actions.certificate_life import (
    AlreadySuspended,
    NothingToReplace,
    NotSuspended,
    cancel_certificate,
    expire_certificates,
    expire_holds,
    replace_certificate,
    resume_certificate,
    suspend_certificate,
)
from vouchers.actions.certificates import (
    BudgetExhausted,
    BudgetPurposeWrong,
    BudgetYearWrong,
    CertificateExists,
    FeeMissing,
    NormUnapproved,
    PlanMissing,
    PriceMissing,
    RecipientDead,
    issue_certificate,
    pin_matches,
)
from vouchers.actions.recipients import record_death
from vouchers.documents import payload_of
from vouchers.gateways.certificate_keys import signing_key
from vouchers.gateways.certificate_token import TokenInvalid, read_token
from vouchers.models import Certificate, FeeAssessment
from vouchers.queries import line_balances
from vouchers.rules.certificate_code import is_well_formed


def _left(certificate: Certificate) -> int:
    return line_balances([certificate])[certificate.pk][0].left


def _reserved(certificate: Certificate) -> int:
    return reserved_now([certificate])[certificate.pk]


def test_a_certificate_reserves_its_expected_budget_part(town: Town) -> None:
    certificate = town.issue(income="6000.00").certificate
    # November and December: 2 x (20 h x 96.54 - fee 1278.00)
    assert certificate.reserved_minor == _reserved(certificate) == 2 * (193080 - 127800)
    assert (certificate.status, certificate.valid_from, certificate.valid_to) == (
        "active", NOVEMBER_1, date(2026, 1, 1),
    )  # fmt: skip
    assert _left(certificate) == 40_000
    assert certificate.reservation_steps[-1]["value"] == "1305.60"
    event = trail_for(certificate).get()
    assert event.action == "certificate.issued" and certificate.short_code not in str(event.data)


def test_fewer_units_than_the_plan_reserve_less_and_more_are_not_given(town: Town) -> None:
    recipient = town.ready()
    common = {"budget_line": town.budget_line, "first_day": NOVEMBER_1, "actor": town.case_worker, "at": OCTOBER}
    certificate = issue_certificate(recipient=recipient, units_granted={"015.1": Decimal(12)}, **common).certificate
    assert _left(certificate) == 12_000 and _reserved(certificate) == 12 * 9654
    other = town.ready(full_name="Друга Особа")
    assert (
        _left(issue_certificate(recipient=other, units_granted={"015.1": Decimal(99)}, **common).certificate) == 40_000
    )


def test_secrets_are_told_once_and_not_kept(town: Town) -> None:
    issued = town.issue()
    certificate = issued.certificate
    assert is_well_formed(issued.short_code)
    assert pin_matches(issued.pin, certificate.pin_hash) and not pin_matches("000000x", certificate.pin_hash)
    token = read_token(issued.payload, public_key=signing_key().cose_public())
    assert (token.number, token.lines) == (certificate.number, (("015.1", 40_000),))
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text FROM vouchers_certificate c")
        row = cursor.fetchone()[0]
    assert issued.pin not in certificate.pin_hash and token.token_id.hex() not in row
    assert read_token(payload_of(certificate)).token_id == token.token_id  # printing again gives the same secret


def test_a_changed_payload_is_not_genuine(town: Town) -> None:
    payload = town.issue().payload
    with pytest.raises(TokenInvalid):
        read_token(payload[:60] + ("A" if payload[60] != "A" else "B") + payload[61:])
    with pytest.raises(TokenInvalid):
        read_token("SV1:")


def test_refusals_of_issuing(town: Town) -> None:
    def attempt(recipient, line=town.budget_line):  # type: ignore[no-untyped-def]
        issue_certificate(
            recipient=recipient, budget_line=line, first_day=NOVEMBER_1, actor=town.case_worker, at=OCTOBER
        )

    with pytest.raises(PlanMissing):
        attempt(town.recipient())
    recipient = town.ready()
    next_year = BudgetLine.objects.create(organisation=town.organisation, code="B", year=2026, amount="1.00")
    with pytest.raises(BudgetYearWrong):
        attempt(recipient, next_year)
    NormCost.objects.get().withdraw(at=VISIT)
    assert town.issue(recipient).certificate.reserved_minor == 2 * 20 * 8500  # the contract price instead
    with pytest.raises(CertificateExists):
        attempt(recipient)
    other = town.ready(full_name="Друга Особа")
    town.contract.lines.get().withdraw(at=VISIT)
    with pytest.raises(PriceMissing):
        attempt(other)
    draft = NormCost.objects.create(
        organisation=town.organisation,
        service=town.service,
        unit_rate=Decimal("90"),
        valid_from=NOVEMBER_1,
        formula_id="x",
        act="x",
        status="draft",
        recorded_at=OCTOBER,
    )
    with pytest.raises(NormUnapproved) as refusal:
        attempt(other)
    assert refusal.value.about == f"contracts.normcost:{draft.pk}"
    assert refusal.value.params["people"] == "Оксана Вигадана"
    FeeAssessment.objects.get(recipient=other).withdraw(at=VISIT)
    with pytest.raises(FeeMissing):
        attempt(other)
    record_death(recipient=other, death_date=date(2025, 10, 2), actor=town.case_worker, at=OCTOBER)
    with pytest.raises(RecipientDead):
        attempt(other)


def test_an_exhausted_budget_refuses_with_the_figures(town: Town) -> None:
    BudgetLine.objects.filter(pk=town.budget_line.pk).update(amount=Decimal("3861.59"))
    with pytest.raises(BudgetExhausted) as refusal:
        town.issue()
    assert refusal.value.code == "BUDGET_EXHAUSTED"
    assert (refusal.value.params["free"], refusal.value.params["needed"]) == (Decimal("3861.59"), Decimal("3861.60"))
    assert not Certificate.objects.exists() and not BudgetEntry.objects.exists()
    BudgetLine.objects.filter(pk=town.budget_line.pk).update(amount=Decimal("3861.60"))
    town.issue(town.organisation.recipient_set.get())


def test_the_database_refuses_overspending_too(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    BudgetLine.objects.filter(pk=town.budget_line.pk).update(amount=Decimal("10.00"))
    monkeypatch.setattr("vouchers.actions.certificates._check_free", lambda line, outcome: None)
    with pytest.raises(BudgetExhausted):
        town.issue()


def test_rest_and_resumption(town: Town) -> None:
    certificate = town.issue().certificate
    common = {"certificate": certificate, "actor": town.case_worker, "at": VISIT}
    with pytest.raises(NotSuspended):
        resume_certificate(from_date=VISIT.date(), **common)
    suspend_certificate(from_date=date(2025, 11, 10), reason="лікарня", **common)
    with pytest.raises(AlreadySuspended):
        suspend_certificate(from_date=date(2025, 11, 11), reason="лікарня", **common)
    resume_certificate(from_date=date(2025, 11, 15), **common)
    certificate.refresh_from_db()
    rest = certificate.suspensions.get()
    assert (certificate.status, rest.from_date, rest.to_date) == ("active", date(2025, 11, 10), date(2025, 11, 15))
    assert _left(certificate) == 40_000


def test_cancelling_returns_units_and_reservation_and_cannot_be_repeated(town: Town) -> None:
    certificate = town.issue().certificate
    common = {"certificate": certificate, "status_from": VISIT.date(), "actor": town.case_worker, "at": VISIT}
    cancel_certificate(reason="за бажанням", **common)
    assert (_left(certificate), _reserved(certificate)) == (0, 0)
    with pytest.raises(InvalidMove):
        cancel_certificate(reason="ще раз", **common)


def test_replacement_keeps_the_balance_and_voids_the_old_secret(town: Town) -> None:
    issued = town.issue()
    confirm(town, authorise(town, issued, units="2"), units="2")
    new = replace_certificate(certificate=issued.certificate, reason="загублено", actor=town.case_worker, at=VISIT)
    old = Certificate.objects.get(pk=issued.certificate.pk)
    assert (old.status, _left(old), _left(new.certificate)) == ("replaced", 0, 38_000)
    # 386160 expected for 40 h: what 2 h need stays with the old one
    assert (_reserved(old), _reserved(new.certificate)) == (19308, 386160 - 19308)
    assert new.certificate.replaces_id == old.pk and new.short_code != old.short_code
    with pytest.raises(Exception) as refusal:
        authorise(town, issued, key="other")
    assert refusal.value.code == "CERTIFICATE_REPLACED"
    assert authorise(town, new, key="new").status == "authorised"
    with pytest.raises(NothingToReplace):
        empty = new.certificate
        cancel_certificate(certificate=empty, status_from=VISIT.date(), reason="", actor=town.case_worker, at=VISIT)
        replace_certificate(certificate=empty, reason="", actor=town.case_worker, at=VISIT)


def test_expiry_returns_what_no_used_unit_needs_once(town: Town) -> None:
    issued = town.issue()
    confirm(town, authorise(town, issued, units="2"), units="2")
    held = authorise(town, issued, units="1", key="held")
    new_year = VISIT.replace(year=2026, month=1, day=1)
    for _repetition in range(2):
        expire_certificates(organisation=town.organisation, actor=town.case_worker, at=new_year)
    certificate = Certificate.objects.get()
    held.refresh_from_db()
    assert (certificate.status, held.status, _left(certificate)) == ("expired", "expired", 0)
    assert _reserved(certificate) == certificate.reserved_minor == 19308
    assert trail_for(certificate).filter(action="certificates.expired").count() == 1


def test_a_certificate_of_today_does_not_expire(town: Town) -> None:
    town.issue()
    last_day = VISIT.replace(month=12, day=31)
    assert expire_certificates(organisation=town.organisation, actor=town.case_worker, at=last_day) == []


def test_a_lapsed_hold_returns(town: Town) -> None:
    issued = town.issue()
    redemption = authorise(town, issued, units="2")
    early, late = VISIT + timedelta(days=6, hours=23), VISIT + timedelta(days=7)
    assert expire_holds(organisation=town.organisation, actor=town.case_worker, at=early) == []
    assert expire_holds(organisation=town.organisation, actor=town.case_worker, at=late) == [redemption]
    assert expire_holds(organisation=town.organisation, actor=town.case_worker, at=late) == []
    assert _left(issued.certificate) == 40_000


def test_a_hold_kept_over_cancellation_leaves_nothing_behind(town: Town) -> None:
    issued = town.issue()
    redemption = authorise(town, issued, units="2")
    cancel_certificate(
        certificate=issued.certificate, status_from=VISIT.date(), reason="", actor=town.case_worker, at=VISIT
    )
    assert _reserved(issued.certificate) == 19308  # two hours are still held
    confirm(town, redemption, units="1")
    assert (_left(issued.certificate), _reserved(issued.certificate)) == (0, 9654)


def test_validity_follows_the_parameter(town: Town) -> None:
    for row in Parameter.objects.filter(key="certificate.validity_months_max"):
        row.change(at=VISIT, value="1")
    certificate = town.issue().certificate
    assert certificate.valid_to == date(2025, 12, 1) and certificate.reserved_minor == 193080


def test_movements_cannot_be_edited(town: Town) -> None:
    line = town.issue().certificate.lines.get()
    with pytest.raises(Exception), transaction.atomic():  # noqa: B017
        line.entries.update(units_milli=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        line.entries.create(kind="captured", units_milli=-40_001, occurred_at=VISIT, recorded_at=VISIT)


@pytest.mark.parametrize("by", ["economic code", "agreement"])
def test_a_certificate_is_not_charged_to_a_line_of_grants(town: Town, by: str) -> None:
    recipient = town.ready()
    code = "2610" if by == "economic code" else "2240"
    line = BudgetLine.objects.create(
        organisation=town.organisation, code="GRANTS", year=2025, economic_code=code, amount="100000.00"
    )
    if by == "agreement":
        Contract.objects.create(
            organisation=town.organisation, number="G-1", provider=town.provider, budget_line=line, basis="grant",
            valid_from=NOVEMBER_1, status="active",
        )  # fmt: skip
    with pytest.raises(BudgetPurposeWrong):
        issue_certificate(
            recipient=recipient, budget_line=line, first_day=NOVEMBER_1, actor=town.case_worker, at=OCTOBER
        )
    assert town.issue(recipient).certificate.budget_line == town.budget_line

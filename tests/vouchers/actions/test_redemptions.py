"""Redeeming: hold, capture, give back, refuse."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from config.errors import NotFound
from config.office.idempotency import IdempotencyConflict
from contracts.models import Provider
from settlement.actions.claims import create_claim_from_redemptions, withdraw_claim
from tests.trail import trail_for
from tests.vouchers.town import NOVEMBER_1, VISIT, Town
from vouchers.actions.certificate_life import suspend_certificate
from vouchers.actions.certificates import IssuedCertificate
from vouchers.actions.redemption_checks import MESSAGES, RedemptionRefused
from vouchers.actions.redemptions import (
    authorise_redemption,
    confirm_redemption,
    reverse_redemption,
    void_redemption,
)
from vouchers.models import Certificate, Redemption
from vouchers.queries import line_balances


def authorise(town: Town, issued: IssuedCertificate, *, key: str = "k1", **changes: object) -> Redemption:
    """Authorise with sensible values."""
    fields: dict[str, object] = {
        "certificate_key": issued.short_code,
        "pin": issued.pin,
        "provider": town.provider,
        "worker_code": "W-1",
        "service_code": "015.1",
        "starts_at": VISIT,
        "units": "1.5",
        "idempotency_key": key,
        "actor": town.provider_actor,
        "at": VISIT,
        **changes,
    }
    fields["units"] = Decimal(str(fields["units"]))
    return authorise_redemption(**fields)  # type: ignore[arg-type]


def confirm(town: Town, redemption: Redemption, *, units: str = "1.5", **changes: object) -> Redemption:
    """Confirm with sensible values."""
    fields: dict[str, object] = {
        "provider": town.provider,
        "ends_at": VISIT + timedelta(minutes=90),
        "actor": town.provider_actor,
        "at": VISIT + timedelta(minutes=91),
        **changes,
    }
    return confirm_redemption(redemption=redemption, units=Decimal(units), **fields)  # type: ignore[arg-type]


def refused(town: Town, issued: IssuedCertificate, **changes: object) -> str:
    """The code of the refusal."""
    with pytest.raises(RedemptionRefused) as refusal:
        authorise(town, issued, **changes)
    assert refusal.value.sentence and "%(" not in refusal.value.sentence
    return refusal.value.code


def _left(certificate: Certificate) -> int:
    return line_balances([certificate])[certificate.pk][0].left


def test_hold_then_capture_less_returns_the_rest(town: Town) -> None:
    issued = town.issue()
    redemption = authorise(town, issued, units="2")
    assert (redemption.status, _left(issued.certificate)) == ("authorised", 38_000)
    confirm(town, redemption, units="1.5")
    redemption.refresh_from_db()
    assert (redemption.status, redemption.units_milli, _left(issued.certificate)) == ("confirmed", 1500, 38_500)
    kinds = sorted(redemption.entries.values_list("kind", "units_milli"))
    assert kinds == [("captured", -1500), ("held", -2000), ("released", 2000)]
    codes = list(trail_for(redemption).order_by("id").values_list("action", flat=True))
    assert codes == ["redemption.authorised", "redemption.confirmed"]


def test_the_qr_payload_works_like_the_code(town: Town) -> None:
    issued = town.issue()
    assert authorise(town, issued, certificate_key=issued.payload).certificate == issued.certificate


def test_the_same_key_gives_the_first_answer_and_holds_once(town: Town) -> None:
    issued = town.issue()
    first = authorise(town, issued)
    assert authorise(town, issued) == first
    assert (_left(issued.certificate), Redemption.objects.count()) == (38_500, 1)
    with pytest.raises(IdempotencyConflict):
        authorise(town, issued, units="2")


def test_the_same_key_of_another_provider_is_another_request(town: Town) -> None:
    issued = town.issue()
    authorise(town, issued)
    stranger = Provider.objects.create(code="OTHER", name="Інший", sector="private")
    assert refused(town, issued, provider=stranger) == "NO_CONTRACT"


def test_confirming_twice_changes_nothing_and_differently_is_refused(town: Town) -> None:
    redemption = authorise(town, town.issue())
    confirm(town, redemption)
    confirm(town, redemption)
    assert redemption.entries.count() == 3
    with pytest.raises(RedemptionRefused) as refusal:
        confirm(town, redemption, units="1")
    assert refusal.value.code == "NOT_AUTHORISED"


@pytest.mark.parametrize(
    ("changes", "units", "code"),
    [
        ({}, "1.75", "OVER_CAPTURE"),
        ({}, "1.1", "UNITS_STEP"),
        ({"ends_at": VISIT}, "1.5", "TIMES_REVERSED"),
        ({"at": VISIT + timedelta(days=7)}, "1.5", "HOLD_EXPIRED"),
    ],
)
def test_refusals_of_confirming(town: Town, changes: dict[str, object], units: str, code: str) -> None:
    redemption = authorise(town, town.issue())
    with pytest.raises(RedemptionRefused) as refusal:
        confirm(town, redemption, units=units, **changes)
    assert refusal.value.code == code
    assert redemption.entries.count() == 1


def test_a_void_returns_the_hold_once(town: Town) -> None:
    issued = town.issue()
    redemption = authorise(town, issued)
    for _repetition in range(2):
        void_redemption(
            redemption=redemption, provider=town.provider, reason="помилка", actor=town.provider_actor, at=VISIT
        )
    assert (_left(issued.certificate), Redemption.objects.get().status) == (40_000, "voided")
    with pytest.raises(RedemptionRefused):
        confirm(town, redemption)


def test_another_providers_redemption_is_not_found(town: Town) -> None:
    redemption = authorise(town, town.issue())
    stranger = Provider.objects.create(code="OTHER", name="Інший", sector="private")
    with pytest.raises(NotFound):
        confirm(town, redemption, provider=stranger)
    with pytest.raises(NotFound):
        void_redemption(redemption=redemption, provider=stranger, reason="", actor=town.provider_actor, at=VISIT)


def test_a_reversal_restores_the_units(town: Town) -> None:
    issued = town.issue()
    redemption = confirm(town, authorise(town, issued))
    reverse_redemption(redemption=redemption, reason="помилка", actor=town.case_worker, at=VISIT)
    assert _left(issued.certificate) == 40_000


def test_a_redemption_in_a_claim_is_not_reversed(town: Town) -> None:
    redemption = confirm(town, authorise(town, town.issue()))
    claim = create_claim_from_redemptions(
        organisation=town.organisation, provider=town.provider, contract=town.contract, period=date(2025, 11, 1),
        actor=town.provider_actor, at=VISIT,
    )  # fmt: skip
    with pytest.raises(RedemptionRefused) as refused_now:
        reverse_redemption(redemption=redemption, reason="помилка", actor=town.case_worker, at=VISIT)
    assert (refused_now.value.code, refused_now.value.params["claim"]) == ("IN_A_CLAIM", claim.number)
    who = {"actor": town.provider_actor, "at": VISIT}
    withdraw_claim(organisation=town.organisation, claim_id=claim.pk, reason="помилка", **who)
    reverse_redemption(redemption=redemption, reason="помилка", actor=town.case_worker, at=VISIT)
    assert Redemption.objects.get().status == "reversed"


def test_wrong_pins_are_counted_although_the_request_is_refused(town: Town) -> None:
    issued = town.issue()
    wrong = "0" * 6 if issued.pin != "0" * 6 else "1" * 6
    assert refused(town, issued, pin=wrong) == "PIN_WRONG"
    authorise(town, issued)  # the right one, under the same key, starts the count again
    assert Certificate.objects.get().pin_failures == 0
    answers = [refused(town, issued, pin=wrong, key=f"w{n}") for n in range(3)]
    assert answers == ["PIN_WRONG", "PIN_WRONG", "PIN_LOCKED"]
    assert refused(town, issued, key="right") == "PIN_LOCKED"
    later = VISIT + timedelta(minutes=30)
    assert authorise(town, issued, key="later", at=later).status == "authorised"
    certificate = Certificate.objects.get()
    assert trail_for(certificate).filter(action="certificate.pin_refused").count() == 4
    assert wrong not in str([event.data for event in trail_for(certificate)])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"certificate_key": "ABC"}, "CODE_MISTYPED"),
        ({"certificate_key": "SV1:NOTHING"}, "QR_NOT_GENUINE"),
        ({"key": ""}, "KEY_MISSING"),
        ({"units": "0.1"}, "UNITS_STEP"),
        ({"units": "-1"}, "UNITS_STEP"),
        ({"units": "41"}, "BALANCE_TOO_SMALL"),
        ({"units": "8.25"}, "DAY_LIMIT"),
        ({"service_code": "002.0"}, "SERVICE_NOT_ON_CERTIFICATE"),
        ({"worker_code": "W-9"}, "WORKER_UNKNOWN"),
        ({"starts_at": VISIT.replace(year=2026)}, "CERTIFICATE_OUT_OF_DATE"),
        ({"starts_at": VISIT.replace(month=10)}, "CERTIFICATE_OUT_OF_DATE"),
    ],
)
def test_refusals_of_authorising(town: Town, changes: dict[str, object], code: str) -> None:
    issued = town.issue()
    assert refused(town, issued, **changes) == code
    assert (_left(issued.certificate), Redemption.objects.count()) == (40_000, 0)


def test_limits_of_day_and_plan_count_what_was_held_before(town: Town) -> None:
    issued = town.issue()
    for day in (12, 13):
        authorise(town, issued, units="8", starts_at=VISIT.replace(day=day), key=f"d{day}")
    assert refused(town, issued, units="0.25", key="x") == "DAY_LIMIT"
    assert refused(town, issued, units="4.25", starts_at=VISIT.replace(day=14), key="y") == "PLAN_LIMIT"
    authorise(town, issued, units="4", starts_at=VISIT.replace(day=14), key="z")
    authorise(town, issued, units="4", starts_at=VISIT.replace(month=12), key="december")


def test_a_resting_certificate_an_inactive_provider_and_an_unqualified_worker(town: Town) -> None:
    issued = town.issue()
    town.worker.qualifications.get().change(at=VISIT, valid_to=date(2025, 11, 1))
    assert refused(town, issued, key="1") == "WORKER_NOT_QUALIFIED"
    town.provider.suspensions.create(from_date=NOVEMBER_1, recorded_at=VISIT)
    assert refused(town, issued, key="2") == "PROVIDER_NOT_ACTIVE"
    suspend_certificate(
        certificate=issued.certificate, from_date=NOVEMBER_1, last_day=VISIT.date(), reason="лікарня",
        actor=town.case_worker, at=VISIT,
    )  # fmt: skip
    assert refused(town, issued, key="3") == "CERTIFICATE_SUSPENDED"


def test_a_used_up_certificate_says_so(town: Town) -> None:
    issued = town.issue(units="1")
    for month in (11, 12):
        start = VISIT.replace(month=month)
        redemption = authorise(town, issued, units="1", starts_at=start, at=start, key=str(month))
        confirm(town, redemption, units="1", ends_at=start + timedelta(hours=1), at=start + timedelta(hours=1))
    assert Certificate.objects.get().status == "exhausted"
    assert refused(town, issued, units="1", key="more") == "CERTIFICATE_EXHAUSTED"


def test_every_code_has_a_sentence() -> None:
    assert all(str(message) for message in MESSAGES.values())


def test_a_visit_is_not_confirmed_before_it_ends(town: Town) -> None:
    redemption = authorise(town, town.issue())
    ends = VISIT + timedelta(minutes=90)
    with pytest.raises(RedemptionRefused) as refusal:
        confirm(town, redemption, ends_at=ends, at=ends - timedelta(seconds=1))
    assert refusal.value.code == "VISIT_NOT_OVER" and "12.11.2025 10:30" in refusal.value.sentence
    assert confirm(town, redemption, ends_at=ends, at=ends).status == "confirmed"

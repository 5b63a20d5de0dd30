"""A run and a redemption at the door reach for the last units of one certificate at the same moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from threading import Event
from typing import Any

import pytest
from django.db import IntegrityError, connection

from config.accounts.models import Organisation, User
from config.audit.actors import SYSTEM
from settlement.actions import adjudication
from settlement.actions.adjudication import adjudicate_claims
from settlement.models import Adjudication, AdjudicationRun, Claim, ClaimLine
from tests.vouchers.actions.test_redemptions import authorise
from tests.vouchers.town import KYIV, VISIT, Town, build_town
from vouchers.actions import redemptions
from vouchers.actions.certificates import IssuedCertificate
from vouchers.actions.redemptions import RedemptionRefused
from vouchers.models import CertificateEntry, Redemption

pytestmark = pytest.mark.django_db(transaction=True)

NOVEMBER = date(2025, 11, 1)
SETTLED_AT = datetime(2025, 12, 3, 10, 0, tzinfo=KYIV)


@pytest.fixture
def town(organisation: Organisation, cast: dict[str, User]) -> Town:
    return build_town(organisation, cast)


def _balance() -> int:
    return sum(CertificateEntry.objects.values_list("units_milli", flat=True))


def _one_unit_left(town: Town) -> IssuedCertificate:
    """A certificate of two months with two units each: three are held, and one reported visit is claimed."""
    issued = town.issue(units="2")
    authorise(town, issued, units="2", key="november")
    authorise(town, issued, units="1", key="december", starts_at=VISIT.replace(month=12))
    assert _balance() == 1000
    _claimed(town, issued)
    return issued


def _claimed(town: Town, issued: IssuedCertificate) -> None:
    """A reported visit of one hour that nobody captured at the door, in a submitted claim."""
    claim = Claim.objects.create(
        organisation=town.organisation, number="A-1", provider=town.provider, contract=town.contract,
        contract_number=town.contract.number, period=NOVEMBER, status="draft", status_at=SETTLED_AT,
        recorded_at=SETTLED_AT,
    )  # fmt: skip
    visit = Redemption.objects.create(
        organisation=town.organisation, code="V-1", channel="reported", certificate=issued.certificate,
        certificate_number=issued.certificate.number, provider=town.provider, provider_code=town.provider.code,
        worker=town.worker, worker_code=town.worker.code, service=town.service, service_code=town.service.code,
        units_milli=1000, recorded_at=SETTLED_AT, status="confirmed", status_at=SETTLED_AT,
    )  # fmt: skip
    ClaimLine.objects.create(
        claim=claim, line=1, redemption=visit, redemption_code=visit.code, certificate=issued.certificate,
        certificate_number=issued.certificate.number, service=town.service, service_code=town.service.code,
        service_date=date(2025, 11, 10), worker=town.worker, worker_code=town.worker.code, units_milli=1000,
        unit_rate_e4=850_000, amount_e4=850_000,
    )  # fmt: skip
    claim.submitted_at = datetime(2025, 12, 1, 9, 0, tzinfo=KYIV)
    claim.save(update_fields=["submitted_at"])
    claim.move_to("submitted", at=claim.submitted_at)


def _judge(town: Town) -> AdjudicationRun | None:
    return adjudicate_claims(
        organisation=town.organisation, period=NOVEMBER, as_of=SETTLED_AT.date(), actor=SYSTEM, at=SETTLED_AT
    )


def _until_somebody_waits() -> None:
    """Go on as soon as another connection waits for a lock."""
    deadline = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(
                "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
                "WHERE NOT l.granted AND a.datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("nobody waited")


def _both(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
    """Answers or refusals of two calls on connections of their own."""

    def one(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except (RedemptionRefused, IntegrityError) as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(one, call) for call in (first, second)]
        return answers[0].result(60), answers[1].result(60)


def _door(town: Town, issued: IssuedCertificate) -> Redemption:
    return authorise(town, issued, units="1", key="door", starts_at=VISIT.replace(month=12, day=15))


def _run_meets_a_hold(town: Town, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """The door has taken the last unit and not finished when the run wants it for a reported visit."""
    issued, held = _one_unit_left(town), Event()
    keep = redemptions.keep_answer

    def slow_keep(*args: Any) -> None:
        held.set()
        _until_somebody_waits()
        keep(*args)

    def run() -> Any:
        held.wait(30)
        return _judge(town)

    monkeypatch.setattr(redemptions, "keep_answer", slow_keep)
    return _both(run, lambda: _door(town, issued))


def test_without_the_lock_a_hold_at_the_door_breaks_the_whole_run(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The harm: the run counts on a unit that is gone, and the month is not settled."""
    monkeypatch.setattr(adjudication, "lock_certificates", lambda: None)
    run, held = _run_meets_a_hold(town, monkeypatch)
    assert isinstance(run, IntegrityError) and "overdrawn" in str(run)
    assert isinstance(held, Redemption)
    assert not AdjudicationRun.objects.exists()


def test_the_run_waits_for_the_door_and_takes_what_is_left(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    run, held = _run_meets_a_hold(town, monkeypatch)
    assert isinstance(run, AdjudicationRun) and isinstance(held, Redemption)
    # The visit was given and is owed; the balance had nothing more to give.
    assert Adjudication.objects.get().units_allowed == 1000
    assert _balance() == 0


def test_the_door_waits_for_the_run_and_sees_what_is_left(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    issued, captured = _one_unit_left(town), Event()
    capture = adjudication.capture_reported

    def slow_capture(*args: Any, **options: Any) -> int:
        taken = capture(*args, **options)
        captured.set()
        _until_somebody_waits()
        return taken

    def door() -> Any:
        captured.wait(30)
        return _door(town, issued)

    monkeypatch.setattr(adjudication, "capture_reported", slow_capture)
    run, refused = _both(lambda: _judge(town), door)
    assert isinstance(run, AdjudicationRun)
    assert isinstance(refused, RedemptionRefused) and refused.code == "BALANCE_TOO_SMALL"
    assert _balance() == 0

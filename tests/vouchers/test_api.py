"""A provider's program at the door, over a real server."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from config.accounts.models import Organisation, User
from contracts.models import Provider, ProviderUser
from tests.config.program import Program, key_of
from tests.vouchers.town import VISIT, Town
from vouchers.actions.certificates import IssuedCertificate
from vouchers.models import Certificate, Redemption
from vouchers.queries import line_balances

pytestmark = pytest.mark.django_db(transaction=True)
BALANCE = "/certificates/balance"


@pytest.fixture
def issued(town: Town) -> IssuedCertificate:
    """A certificate of 20 hours a month for two months; business plays an hour and a half after the visit began."""
    issued = town.issue()
    town.organisation.clock_offset = VISIT - timezone.now() + timedelta(minutes=95)
    town.organisation.save()
    return issued


@pytest.fixture
def nadiia(town: Town, issued: IssuedCertificate, cast: dict[str, User], live_server: Any) -> Program:
    """The program of the provider."""
    return Program(live_server.url, key_of(cast["nadiia"], town.organisation)[1])


def wish(issued: IssuedCertificate, **changes: object) -> dict[str, object]:
    """A visit of an hour and a half, its time without a zone."""
    return {
        "certificate_key": issued.short_code,
        "pin": issued.pin,
        "service_code": "015.1",
        "worker_code": "W-1",
        "starts_at": "2025-11-12T09:00:00",
        "units": "1.5",
        **changes,
    }


def left(issued: IssuedCertificate) -> int:
    """Thousandths of the one line."""
    return line_balances([issued.certificate])[issued.certificate.pk][0].left


def test_units_are_held_captured_and_the_rest_returns(nadiia: Program, issued: IssuedCertificate) -> None:
    made = nadiia.post("/redemptions", wish(issued))
    assert (made.status, made.body["status"], made.body["units"]) == (201, "authorised", "1.500")
    assert Redemption.objects.get().starts_at == VISIT  # a time without a zone is of Kyiv
    lines = nadiia.get(BALANCE, **{"Certificate-Key": issued.short_code}).body["lines"]
    assert [(row["issued"], row["held"], row["used"], row["left"]) for row in lines] == [
        ("40.000", "1.500", "0.000", "38.500")
    ]
    path = f"/redemptions/{made.body['id']}"
    done = nadiia.post(f"{path}/confirm", {"units": "1.25", "ends_at": "2025-11-12T10:15:00"})
    assert (done.status, done.body["status"], done.body["units"]) == (200, "confirmed", "1.250")
    assert nadiia.get(path).body == done.body
    assert left(issued) == 38_750
    late = nadiia.post(f"{path}/void", {"reason": "помилка"})
    assert (late.status, late.body["title"]) == (409, "NOT_AUTHORISED")


def test_a_hold_is_given_back(nadiia: Program, issued: IssuedCertificate) -> None:
    made = nadiia.post("/redemptions", wish(issued))
    assert left(issued) == 38_500
    assert nadiia.post(f"/redemptions/{made.body['id']}/void", {"reason": "не було вдома"}).body["status"] == "voided"
    assert left(issued) == 40_000


def test_a_certificate_is_over_by_its_last_day(nadiia: Program, issued: IssuedCertificate, town: Town) -> None:
    def state() -> tuple[str, str]:
        body = nadiia.get(BALANCE, **{"Certificate-Key": issued.short_code}).body
        return body["status"], body["last_day"]

    assert state() == ("active", "2025-12-31")
    Organisation.objects.filter(pk=town.organisation.pk).update(
        clock_offset=VISIT + timedelta(days=50) - timezone.now()
    )
    assert state() == ("expired", "2025-12-31")


def test_the_balance_names_nobody(nadiia: Program, issued: IssuedCertificate) -> None:
    answer = nadiia.get(BALANCE, **{"Certificate-Key": issued.short_code})
    assert answer.status == 200
    assert answer.body["number"] == issued.certificate.number
    assert "Вигадана" in issued.certificate.recipient.name
    assert "Вигадана" not in str(answer.body)


def test_a_code_that_nobody_has_is_refused(nadiia: Program, issued: IssuedCertificate) -> None:
    assert nadiia.get(BALANCE, **{"Certificate-Key": "AAAA-AAAA"}).body["title"] == "CODE_MISTYPED"
    assert nadiia.get(BALANCE).status == 422


def test_a_wrong_pin_counts_and_leaves_the_key_free(nadiia: Program, issued: IssuedCertificate) -> None:
    key, wrong = uuid.uuid4().hex, "0000" if issued.pin != "0000" else "1111"
    answer = nadiia.post("/redemptions", wish(issued, pin=wrong), key)
    assert (answer.status, answer.body["title"]) == (409, "PIN_WRONG")
    assert Certificate.objects.get().pin_failures == 1
    assert nadiia.post("/redemptions", wish(issued), key).status == 201
    assert Certificate.objects.get().pin_failures == 0


def test_a_repeated_request_holds_once(nadiia: Program, issued: IssuedCertificate) -> None:
    key = uuid.uuid4().hex
    first, second = (nadiia.post("/redemptions", wish(issued), key) for _ in range(2))
    assert (second.status, second.body) == (201, first.body)
    other = nadiia.post("/redemptions", wish(issued, units="2"), key)
    assert (other.status, other.body["title"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert left(issued) == 38_500
    path, again = f"/redemptions/{first.body['id']}/confirm", uuid.uuid4().hex
    body = {"units": "1.5", "ends_at": "2025-11-12T10:30:00"}
    done = [nadiia.post(path, body, again).body for _ in range(2)]
    assert done[0] == done[1]
    refused = nadiia.post(path, {**body, "units": "1"}, again)
    assert (refused.status, refused.body["title"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert left(issued) == 38_500


def test_another_provider_and_strangers_reach_nothing(
    town: Town, nadiia: Program, issued: IssuedCertificate, cast: dict[str, User], live_server: Any
) -> None:
    made = nadiia.post("/redemptions", wish(issued)).body["id"]
    ProviderUser.objects.create(provider=Provider.objects.create(code="P9", name="Інший"), user=cast["taras"])
    for username, refusal in (("taras", 404), ("outsider", 403), ("sofiia", 403)):
        stranger = Program(live_server.url, key_of(cast[username], town.organisation)[1])
        assert stranger.get(f"/redemptions/{made}").status == refusal
        confirmed = stranger.post(f"/redemptions/{made}/confirm", {"units": "1", "ends_at": "2025-11-12T10:00:00"})
        assert confirmed.status == refusal
        assert stranger.post(f"/redemptions/{made}/void", {"reason": "x"}).status == refusal
        if refusal == 403:
            assert stranger.get(BALANCE, **{"Certificate-Key": issued.short_code}).status == 403
            assert stranger.post("/redemptions", wish(issued)).status == 403
    assert [row.status for row in Redemption.objects.all()] == ["authorised"]


def test_a_key_for_another_organisation_knows_no_certificate(
    issued: IssuedCertificate, nadiia: Program, cast: dict[str, User], live_server: Any
) -> None:
    made = nadiia.post("/redemptions", wish(issued)).body["id"]
    other = Organisation.objects.create(code="kalynivka", name="Інша громада", clock_offset=timedelta())
    foreign = Program(live_server.url, key_of(cast["nadiia"], other)[1])
    assert foreign.get(BALANCE, **{"Certificate-Key": issued.short_code}).body["title"] == "CERTIFICATE_UNKNOWN"
    assert foreign.post("/redemptions", wish(issued)).body["title"] == "CERTIFICATE_UNKNOWN"
    assert foreign.get(f"/redemptions/{made}").status == 404
    assert line_balances([issued.certificate])[issued.certificate.pk][0].held == int(Decimal("1.5") * 1000)

"""Pages of vouchers on a small town: accessible, not wider than a phone; a certificate redeemed at the door."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from config.accounts.models import Organisation
from tests.browser.conftest import people
from tests.browser.test_pages import _overflow, _shot, _violations
from tests.vouchers.actions.test_redemptions import authorise, confirm
from tests.vouchers.town import VISIT, Town, build_town
from vouchers.actions.certificates import IssuedCertificate
from vouchers.actions.visits import import_reported_visits
from vouchers.models import Redemption

NAMES = ("Умовна Ганна Петрівна", "Зразкова Марія Іванівна", "Примірний Степан Юхимович", "Казкова Ніна")
PAGES = (
    ("sofiia", "/vouchers/recipients/"),
    ("sofiia", "/vouchers/recipients/new/"),
    ("sofiia", "/vouchers/recipients/{recipient}/"),
    ("mariia", "/vouchers/recipients/{recipient}/"),
    ("sofiia", "/vouchers/recipients/{recipient}/fee/"),
    ("sofiia", "/vouchers/recipients/{recipient}/plan/"),
    ("sofiia", "/vouchers/recipients/{recipient}/needs/"),
    ("sofiia", "/vouchers/recipients/{recipient}/certificate/"),
    ("sofiia", "/vouchers/certificates/"),
    ("sofiia", "/vouchers/certificates/{certificate}/"),
    ("halyna", "/vouchers/certificates/{certificate}/"),
    ("olena", "/vouchers/mine/"),
    ("olena", "/vouchers/certificates/{certificate}/"),
    ("nadiia", "/vouchers/redeem/"),
    ("nadiia", "/vouchers/redemptions/"),
    ("nadiia", "/vouchers/redemptions/{redemption}/"),
    ("nadiia", "/vouchers/visits/import/"),
)
VISITS = b"""certificate_number,service_code,starts_at,ends_at,worker_code,units
CT-2025-0001,015.1,2025-11-03 09:00,2025-11-03 10:30,W-1,1.5
UNKNOWN-7,015.1,2025-11-04 09:00,2025-11-04 10:00,W-9,1
"""


@pytest.fixture
def played(transactional_db: None) -> tuple[Town, IssuedCertificate, dict[str, Any]]:
    """A town with five certificates, a held visit, a confirmed one and two reported ones."""
    organisation = Organisation.objects.create(code="verbivka", name="Вербівська громада", is_demo=True)
    cast = people(organisation)
    town = build_town(organisation, cast)
    mine = town.issue(
        full_name="Вигадана Олена Василівна", user=cast["olena"], income="6000.00", phone="+380000000001",
        address="вул. Вигадана, 1",
    )  # fmt: skip
    for name in NAMES:
        town.issue(full_name=name)
    early = VISIT - timedelta(days=1)
    yesterday = authorise(town, mine, key="early", starts_at=early, at=early)
    confirm(town, yesterday, ends_at=early + timedelta(hours=2), at=early + timedelta(hours=2))
    held = authorise(town, mine, units="2")
    import_reported_visits(
        organisation=organisation, provider=town.provider, file_name="v.csv", content=VISITS,
        actor=town.provider_actor, at=VISIT,
    )  # fmt: skip
    organisation.clock_offset = VISIT + timedelta(hours=9) - timezone.now()
    organisation.save(update_fields=["clock_offset"])
    keys = {"recipient": mine.certificate.recipient_id, "certificate": mine.certificate.pk, "redemption": held.pk}
    return town, mine, keys


def _look(page: Any, name: str, said: list[str]) -> None:
    said += [f"{name}: {violation}" for violation in _violations(page)]
    _shot(page, name)
    page.set_viewport_size({"width": 360, "height": 740})
    if _overflow(page) > 0:
        said.append(f"{name}: {_overflow(page)} px too wide for a phone")
    _shot(page, f"{name}360")


def test_voucher_pages(played: tuple[Town, IssuedCertificate, dict[str, Any]], open_page: Any) -> None:
    said: list[str] = []
    for username, address in PAGES:
        page = open_page(username)
        name = f"{username}{address.replace('/', '.').replace('{', '').replace('}', '')}"
        answer = page.goto(address.format(**played[2]))
        if answer.status == 200:
            _look(page, name, said)
        else:
            said.append(f"{name}: answered {answer.status}")
        page.context.close()
    assert said == []


def test_a_certificate_is_redeemed_on_a_phone(
    played: tuple[Town, IssuedCertificate, dict[str, Any]], open_page: Any
) -> None:
    _town, issued, _keys = played
    said: list[str] = []
    page = open_page("nadiia", width=360, height=740)
    page.goto("/vouchers/redeem/")
    page.fill("#id_certificate_key", issued.short_code.lower())
    page.press("#id_certificate_key", "Enter")
    page.wait_for_selector("#id_pin")
    page.fill("#id_starts_at", "2025-11-12T15:00")
    page.fill("#id_units", "1,5")
    page.fill("#id_pin", "0000")
    _look(page, "redeem.second", said)
    page.click("main form button[type=submit]")
    page.wait_for_selector("[role=alert]")
    _look(page, "redeem.refused", said)
    page.fill("#id_pin", issued.pin)
    page.click("main form button[type=submit]")
    page.wait_for_selector("#id_ends_at")
    _look(page, "redeem.held", said)
    page.click("main .panel form button[type=submit] >> nth=0")
    page.wait_for_selector(".alert, .message, [role=status]")
    _look(page, "redeem.confirmed", said)
    last = Redemption.objects.filter(channel="online").latest("id")
    assert (last.status, last.units_milli) == ("confirmed", 1500)
    assert said == []


def test_a_fee_is_calculated_and_decided(
    played: tuple[Town, IssuedCertificate, dict[str, Any]], open_page: Any
) -> None:
    town, _issued, _keys = played
    person = town.recipient(full_name="Нова Особа")
    said: list[str] = []
    page = open_page("sofiia")
    page.goto(f"/vouchers/recipients/{person.pk}/fee/")
    page.fill("#id_income", "18000")
    page.click("button[name=calculate]")
    page.wait_for_selector("button[name=decide]")
    _look(page, "fee.calculated", said)
    page.click("button[name=decide]")
    page.wait_for_url(f"**/vouchers/recipients/{person.pk}/")
    decision = person.fee_assessments.get()
    assert (decision.mode, decision.monthly_limit) == ("D", Decimal("1278.00"))
    assert said == []

"""Representatives of recipients: recorded, shown masked to readers, ended by the case worker."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client

from config.accounts.models import User
from tests.road import sign_in
from tests.trail import trail_for
from tests.vouchers.town import NOVEMBER_1, OCTOBER, Town
from vouchers.actions.mandates import MandateDates, end_mandate, record_mandate
from vouchers.models import Mandate, Recipient

pytestmark = pytest.mark.django_db
FORM = {"representative": "Вигаданий Син", "basis": "довіреність 12", "valid_from": "2025-11-01", "last_day": ""}


@pytest.fixture
def recipient(town: Town) -> Recipient:
    return town.recipient()


def recorded(town: Town, recipient: Recipient, last_day: date | None = None) -> Mandate:
    return record_mandate(
        recipient=recipient, representative=" Вигаданий Син ", basis="довіреність 12", valid_from=NOVEMBER_1,
        last_day=last_day, actor=town.case_worker, at=OCTOBER,
    )  # fmt: skip


def test_a_mandate_is_recorded_without_its_name_in_the_trail_or_plain_in_the_table(
    town: Town, recipient: Recipient
) -> None:
    mandate = recorded(town, recipient)
    (event,) = (event for event in trail_for(mandate) if event.action == "mandate.recorded")
    assert event.data == {"basis": "довіреність 12", "valid_from": "2025-11-01"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM vouchers_mandate")
        assert "Вигаданий" not in str(cursor.fetchone())
    mandate.refresh_from_db()
    assert (mandate.name, mandate.last_day) == ("Вигаданий Син", None)


def test_a_mandate_ends_earlier_never_later_nor_before_it_began(town: Town, recipient: Recipient) -> None:
    who = {"actor": town.case_worker, "at": OCTOBER}
    with pytest.raises(MandateDates):
        recorded(town, recipient, last_day=NOVEMBER_1 - timedelta(days=1))
    mandate = recorded(town, recipient, last_day=date(2025, 12, 31))
    for day in (date(2025, 10, 31), date(2026, 1, 1)):
        with pytest.raises(MandateDates):
            end_mandate(mandate=mandate, last_day=day, **who)
    assert end_mandate(mandate=mandate, last_day=NOVEMBER_1, **who).last_day == NOVEMBER_1


def test_the_page_of_the_recipient(town: Town, recipient: Recipient, cast: dict[str, User]) -> None:
    page, new = f"/vouchers/recipients/{recipient.pk}/", f"/vouchers/recipients/{recipient.pk}/mandate/"
    worker = sign_in(Client(), cast["sofiia"])
    assert sign_in(Client(), cast["mariia"]).post(new, FORM).status_code == 403
    worker.post(new, FORM)
    mandate = Mandate.objects.get()
    assert "Вигаданий Син" in worker.get(page).content.decode()
    read = sign_in(Client(), cast["mariia"]).get(page).content.decode()
    assert "Вигаданий Син" not in read and "довіреність 12" in read
    end = f"{new}{mandate.pk}/end/"
    assert end in worker.get(page).content.decode() and end not in read
    assert worker.post(end, {"last_day": "2025-10-01"}).status_code == 409
    worker.post(end, {"last_day": "2025-11-30"})
    mandate.refresh_from_db()
    assert mandate.last_day == date(2025, 11, 30)
    assert worker.post(f"/vouchers/recipients/{recipient.pk + 1}/mandate/{mandate.pk}/end/").status_code == 404

"""Advances on the pages: from the proposal to the letter, for finance, the second person and the provider."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from config.money import from_minor
from settlement.models import Advance, PaymentRun
from tests.settlement.actions.advance_town import GRANTED, LAST_DAY, AdvanceTown, advance_town
from tests.settlement.views.test_clawbacks import browser, on, pdf_text, text
from tests.settlement.views.town import url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def town(tmp_path: Path) -> AdvanceTown:
    with translation.override("en"):
        town = advance_town(tmp_path)
    on(town, GRANTED)
    return town


def test_from_the_proposal_to_the_letter(town: AdvanceTown) -> None:
    halyna, ivan, nadiia = (browser(town, name) for name in ("halyna", "ivan", "nadiia"))
    asked = {"contract": town.contract.pk, "amount": "200.00", "purpose": "December", "use_until": LAST_DAY.isoformat()}
    assert halyna.post(url("advance_new"), asked | {"amount": "999999"}).status_code == 400
    assert halyna.post(url("advance_new"), asked | {"units": "3"}).status_code == 400
    answer = halyna.post(url("advance_new"), asked)
    row = Advance.objects.get()
    page = url("advance", row.pk)
    assert answer.headers["Location"] == page
    # Who proposed does not grant; the provider knows of it when it is granted.
    assert url("advance_approve", row.pk) not in text(halyna.get(page))
    assert nadiia.get(page).status_code == 404 and row.number not in text(nadiia.get(url("advances")))
    assert url("advance_approve", row.pk) in text(ivan.get(page))
    ivan.post(url("advance_approve", row.pk))
    assert row.number in text(nadiia.get(url("advances")))
    assert url("advance_run") in text(halyna.get(url("advances")))
    halyna.post(url("advance_run"))
    run = PaymentRun.objects.get(advance_items__advance=row)
    assert f"{row.number}" in text(ivan.get(url("payment_run", run.pk)))
    assert url("advance_run") not in text(halyna.get(url("advances")))


def test_a_paid_advance_is_used_and_asked_back(town: AdvanceTown) -> None:
    row = town.paid(30000)
    halyna, nadiia = browser(town, "halyna"), browser(town, "nadiia")
    payment = row.payment_items.get().payment
    assert payment is not None and row.number in text(halyna.get(url("payment", payment.pk)))
    assert str(from_minor(30000)) in text(halyna.get(url("budget_execution"))).replace("\xa0", "")
    run = town.december()
    on(town, GRANTED)
    claim = run.remittances.order_by("claim__number")[0].claim
    assert f"Paid before by the advance {row.number}" in text(halyna.get(url("claim", claim.pk)))
    assert nadiia.get(url("advance_letter", row.pk)).status_code == 404
    halyna.post(url("advance_ask_back", row.pk), {"reason": "The year ends"})
    row.refresh_from_db()
    assert row.status == "due"
    letter = pdf_text(nadiia.get(url("advance_letter", row.pk)).content)
    assert row.rf_reference in letter and "15,00" in letter
    assert row.rf_reference in text(nadiia.get(url("advance", row.pk)))


def test_a_list_of_many_costs_no_more_queries(town: AdvanceTown) -> None:
    halyna, counts = browser(town, "halyna"), []
    for number in (1, 5):
        for _ in range(number):
            town.proposed(100)
        halyna.get(url("advances"))
        with CaptureQueriesContext(connection) as asked:
            halyna.get(url("advances"))
        counts.append(len(asked))
    assert counts[0] == counts[1]

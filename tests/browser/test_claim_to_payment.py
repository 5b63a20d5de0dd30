"""The road of a claim in a browser: drafted, checked, refused in part, explained, appealed, judged again, paid."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from config.accounts.models import Organisation
from config.clock import business_now
from contracts.models import Provider, ProviderUser
from settlement.gateways.simulated_bank import answer_payment_file
from settlement.models import Claim, PaymentRun
from tests.browser.conftest import people
from tests.oracle.small import Tables, add
from tests.settlement.actions.month import AT, free_visits, imported
from tests.settlement.actions.paid import bank_file
from tests.settlement.actions.payables import ready
from tests.settlement.gateways.orders import account
from vouchers.models import Absence

MILLION = Decimal("1000000.00")


def unclaimed_month() -> Tables:
    """Two confirmed visits of November that nobody has claimed; the second lies in a stay that was noted wrongly."""
    tables = free_visits()
    for row, line in zip(tables["redemptions"], tables["claim_lines"], strict=True):
        row |= {"starts_at": line["starts_at"], "ends_at": line["ends_at"]}
    tables["claims"], tables["claim_lines"] = [], []
    add(tables, "absences", recipient_code="R1", kind="hospital", from_date="2025-11-03", to_date="2025-11-05")
    return tables


@pytest.fixture
def office(transactional_db: None, tmp_path: Path) -> Organisation:
    tables = unclaimed_month()
    organisation = imported(tables, tmp_path)
    organisation.iban = "UA213223130000026007233566001"
    organisation.clock_offset = AT - timezone.now() + timedelta(minutes=1)
    organisation.save()
    Provider.objects.update(iban=account(1001))
    ready(AT)
    ProviderUser.objects.create(provider=Provider.objects.get(code="P1"), user=people(organisation)["nadiia"])
    return organisation


def now(office: Organisation) -> datetime:
    return business_now(office.clock_offset)


def press(page: Any, name: str) -> None:
    """A button or link of the page's own part, by what it says."""
    main = page.locator("main")
    found = main.get_by_role("button", name=name).or_(main.get_by_role("link", name=name))
    assert found.count(), f"{name}: {words(page)}"
    found.first.click()
    page.wait_for_load_state()


def words(page: Any) -> str:
    return " ".join(page.inner_text("main").replace("\u00a0", " ").split())


def judged(page: Any) -> None:
    """Finance judges what waits."""
    page.goto("/settlement/runs/")
    press(page, "Judge")


def paid(office: Organisation, maker: Any, checker: Any, *, sequence: int, opening: Decimal) -> None:
    """A payment run from its proposal to the bank's statement, on the pages of the two who take its steps."""
    maker.goto("/settlement/payment-runs/")
    press(maker, "Propose a payment run")
    run = PaymentRun.objects.latest("pk")
    checker.goto(f"/settlement/payment-runs/{run.pk}/")
    press(checker, "Approve")
    checker.locator("#id_execution_date").fill("2025-12-12")
    press(checker, "Release the payments")
    run.refresh_from_db()
    assert run.status == "released", words(checker)
    answer = answer_payment_file(bank_file(run, now(office)), sequence=sequence, opening=opening, quiet=True)
    maker.goto("/settlement/statements/new/")
    statement = {"name": f"{sequence}.xml", "mimeType": "application/xml", "buffer": answer}
    maker.locator("main input[type=file]").set_input_files(statement)
    press(maker, "Import")


def state(number: str) -> str:
    return Claim.objects.get(number=number).status


def test_from_confirmed_visits_to_a_paid_appeal(office: Organisation, open_page: Any) -> None:
    nadiia, halyna, ivan = (open_page(name, language="en") for name in ("nadiia", "halyna", "ivan"))

    nadiia.goto("/settlement/claims/")
    press(nadiia, "New claim")
    press(nadiia, "Prepare the claim")
    first = Claim.objects.get()
    assert (first.status, first.lines.count()) == ("draft", 2)
    press(nadiia, "Check before submitting")
    foretold = words(nadiia)
    assert "CLM-27" in foretold and "in hospital or residential care" in foretold
    press(nadiia, "Submit the claim")
    assert state(first.number) == "submitted"

    judged(halyna)
    paid(office, halyna, ivan, sequence=1, opening=MILLION)
    assert state(first.number) == "paid"

    nadiia.goto(f"/settlement/claims/{first.pk}/?outcome=rejected")
    card = nadiia.locator("ol.claim-lines > li")
    assert card.count() == 1
    assert "Reason:" in card.inner_text() and "in hospital or residential care" in card.inner_text()
    card.locator("summary").click()
    assert "−142.50" in card.inner_text() and "CLM-27" in card.inner_text()
    press(nadiia, "This line alone")
    press(nadiia, "Appeal against the decision")
    nadiia.locator("#id_reason").fill("She came home on the third; the certificate of the hospital is attached.")
    proof = {"name": "proof.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 proof"}
    nadiia.locator("main input[type=file]").set_input_files(proof)
    press(nadiia, "Send the appeal")
    assert state(first.number) == "disputed"

    with transaction.atomic():  # the case worker corrects what the hospital had reported wrongly
        Absence.objects.get().withdraw(at=now(office))
    ivan.goto("/settlement/appeals/")
    press(ivan, re.compile(first.number))  # type: ignore[arg-type]
    assert "She came home on the third" in words(ivan) and "proof.pdf" in words(ivan)
    ivan.locator("#reason-answer").fill("Right: the days are corrected.")
    press(ivan, "Uphold: judge again")
    assert state(first.number) == "paid"

    judged(halyna)
    again = Claim.objects.latest("pk")
    assert again.status == "adjudicated" and again.lines.count() == 1
    paid(office, halyna, ivan, sequence=2, opening=MILLION - Decimal("142.50"))
    assert state(again.number) == "paid"
    nadiia.goto("/settlement/claims/")
    rows = nadiia.locator("main tbody tr")
    told = [" ".join(row.replace("\u00a0", " ").split()) for row in rows.all_inner_texts()]
    assert len(told) == 2 and all("142.50" in row and "paid" in row for row in told)
    nadiia.goto(f"/settlement/claims/{first.pk}/")
    assert "upheld" in words(nadiia)

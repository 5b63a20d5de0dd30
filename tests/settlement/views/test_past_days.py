"""Pages by which past days are put right: what is touched is shown, the second person approves, finance is led on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from contracts.models import Contract, NormCost, Parameter, ParameterProposal, PastTerms, Service
from settlement.models import Correction
from tests.settlement.actions.corrected_town import LEARNT, closed_town
from tests.settlement.actions.put_right import SINCE, WHY, draft_norm, propose_terms, propose_value, put_norm_right
from tests.settlement.views.town import Town

pytestmark = pytest.mark.django_db
HOURS = "worker.hours_per_day_max"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return closed_town(tmp_path)


def shown(browser: Client, name: str, *args: Any) -> str:
    answer = browser.get(reverse(name, args=args))
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_norm_goes_from_the_draft_to_the_correction(town: Town) -> None:
    bohdan, oksana, halyna = (town.browser(name) for name in ("bohdan", "oksana", "halyna"))
    values = {
        "service": Service.objects.get().pk, "pay_month": "8700", "positions": "1", "hours_month": "167",
        "utilisation": "0.80", "purchases": "3.10", "other_direct": "0", "administrative": "42000",
        "pay_base": "208800", "vat_exempt": "on", "valid_from": "2025-11-01", "act": "№ 5", "reason": WHY,
    }  # fmt: skip
    answer = bohdan.post(reverse("contracts:norm_new"), values)
    norm = NormCost.objects.get(status="draft")
    assert answer["Location"] == reverse("contracts:norm", args=[norm.pk]) and norm.reason == WHY
    assert reverse("contracts:norm_put_right", args=[norm.pk]) not in shown(bohdan, "contracts:norm", norm.pk)
    page = shown(oksana, "contracts:norm", norm.pk)
    assert WHY in page and "11.2025" in page and "a correction follows once this is approved" in page
    assert reverse("contracts:norm_approve", args=[norm.pk]) not in page
    # The ordinary approval refuses; so does a person without the right.
    oksana.post(reverse("contracts:norm_approve", args=[norm.pk]))
    assert halyna.post(reverse("contracts:norm_put_right", args=[norm.pk])).status_code == 403
    assert NormCost.objects.get(pk=norm.pk).status == "draft"
    oksana.post(reverse("contracts:norm_put_right", args=[norm.pk]))
    assert NormCost.objects.get(pk=norm.pk).status == "approved"
    assert "finance prepares a correction" in shown(oksana, "contracts:norm", norm.pk)
    way = reverse("settlement:correction_new") + "?month=2025-11&amp;ground=norm&amp;reason="
    assert way in shown(halyna, "contracts:norm", norm.pk)
    form = halyna.get(reverse("settlement:correction_new"), {"month": "2025-11", "ground": "norm", "reason": WHY})
    filled = form.content.decode()
    assert WHY in filled and '<option value="norm" selected' in filled
    halyna.post(reverse("settlement:correction_new"), {"month": "2025-11", "ground": "norm", "reason": WHY})
    made = Correction.objects.get()
    page = shown(halyna, "contracts:norm", norm.pk)
    assert made.number in page and way not in page
    assert WHY in shown(halyna, "notices")


def test_terms_of_a_contract_wait_for_another_person_and_the_provider_reads_what_holds(town: Town) -> None:
    bohdan, oksana, nadiia = (town.browser(name) for name in ("bohdan", "oksana", "nadiia"))
    contract = Contract.objects.get()
    assert reverse("contracts:past_terms_new", args=[contract.pk]) in shown(bohdan, "contracts:contract", contract.pk)
    values = {
        "service": Service.objects.get().pk, "unit_rate": "92", "valid_from": "2025-11-01", "basis": "угода № 2",
        "reason": "",
    }  # fmt: skip
    address = reverse("contracts:past_terms_new", args=[contract.pk])
    assert bohdan.post(address, values).status_code == 200 and not PastTerms.objects.exists()
    assert bohdan.post(address, values | {"reason": WHY, "unit_rate": "97"}).status_code == 409
    bohdan.post(address, values | {"reason": WHY})
    terms = PastTerms.objects.get()
    place = reverse("contracts:past_terms", args=[terms.pk])
    assert place in shown(oksana, "contracts:contract", contract.pk)
    assert place in shown(oksana, "waiting", "past_terms_to_approve")
    assert nadiia.get(place).status_code == 404
    own = shown(bohdan, "contracts:past_terms", terms.pk)
    assert "no limit" in own and "Withdraw" in own and "Do not take them over" not in own
    page = shown(oksana, "contracts:past_terms", terms.pk)
    assert "Do not take them over" in page and "waits for approval" in page
    assert "95.00" in page and "92.00" in page and "11.2025" in page
    oksana.post(reverse("contracts:past_terms_approve", args=[terms.pk]))
    terms.refresh_from_db()
    assert terms.status == "approved" and WHY in shown(nadiia, "contracts:past_terms", terms.pk)
    assert town.browser("taras").get(place).status_code == 404
    assert place in shown(nadiia, "contracts:contract", contract.pk)


def test_terms_are_refused_with_the_reason(town: Town) -> None:
    terms = propose_terms(town, "92.00")
    oksana = town.browser("oksana")
    address = reverse("contracts:past_terms_withdraw", args=[terms.pk])
    assert town.browser("halyna").post(address, {"reason": "-"}).status_code == 403
    page = shown(oksana, "contracts:past_terms_withdraw", terms.pk)
    assert "Terms of past days of contract" in page and f"92.00: {terms.basis}" in page
    oksana.post(address, {"reason": "Такої угоди немає"})
    terms.refresh_from_db()
    assert terms.status == "withdrawn"


def test_a_value_of_past_days(town: Town) -> None:
    pavlo, oksana = town.browser("pavlo"), town.browser("oksana")
    row = Parameter.objects.filter(key=HOURS, jurisdiction=town.organisation.jurisdiction).first()
    assert row is not None
    values = {"value": "10", "valid_from": "2025-11-01", "act": "№ 6", "evidence": "V-TEXT"}
    address = reverse("parameter_new", args=[row.pk])
    assert pavlo.post(address, values).status_code == 409
    pavlo.post(address, values | {"reason": WHY})
    proposal = ParameterProposal.objects.get()
    assert WHY in shown(oksana, "parameter_proposal", proposal.pk)
    oksana.post(reverse("parameter_approve", args=[proposal.pk]))
    assert pavlo.post(reverse("parameter_put_right", args=[proposal.pk])).status_code == 403
    proposal.refresh_from_db()
    assert proposal.status == "draft"
    oksana.post(reverse("parameter_put_right", args=[proposal.pk]))
    assert Parameter.objects.get(organisation=town.organisation, key=HOURS).value == "10"
    assert "?month=2025-11&amp;ground=norm" in shown(town.browser("halyna"), "parameter_proposal", proposal.pk)


def test_queries_do_not_grow_with_what_is_touched(town: Town, django_assert_max_num_queries: Any) -> None:
    norm = put_norm_right(town, "-2.31")
    halyna = town.browser("halyna")
    shown(halyna, "contracts:norm", norm.pk)
    with django_assert_max_num_queries(22):
        shown(halyna, "contracts:norm", norm.pk)


def test_days_of_which_nothing_was_decided_say_so(town: Town) -> None:
    norm = draft_norm(town, "-2.31", since=LEARNT.date())
    assert "No line of these days has been decided yet" in shown(town.browser("oksana"), "contracts:norm", norm.pk)
    assert propose_value(town, HOURS, "10", since=SINCE).reason == WHY

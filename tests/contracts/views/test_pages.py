"""Pages of the contracts app: who sees what, one call per button, constant queries of lists."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from config.accounts.models import Membership, Organisation, User
from config.roles import FINANCE_MAKER, OFFICER
from contracts.models import BudgetLine, Contract, NormCost, Provider, Service
from tests.road import Road, assert_same_queries, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def built(road: Road) -> dict[str, int]:
    contract = road.register_contract(road.provider("B", "nadiia"))
    return {
        "contract": contract.pk,
        "norm": road.norm.pk,
        "provider": contract.provider_id,
        "budget_line": road.line.pk,
    }


@pytest.fixture
def stranger(other_organisation: Organisation) -> User:
    """An officer and finance maker of another municipality."""
    user = User.objects.create(username="stranger")
    for role in (OFFICER, FINANCE_MAKER):
        Membership.objects.create(user=user, organisation=other_organisation, role=role)
    return user


LISTS = ("contracts", "parameters", "norms", "providers", "services", "budget_lines")
DETAILS = ("contract", "norm", "provider", "budget_line")


@pytest.mark.parametrize("page", LISTS)
def test_office_reads_lists(client: Client, road: Road, built: dict[str, int], page: str) -> None:
    answer = sign_in(client, road.cast["bohdan"]).get(reverse(f"contracts:{page}"), {"q": "0"})
    assert answer.status_code == 200


@pytest.mark.parametrize("page", DETAILS)
def test_office_reads_details(client: Client, road: Road, built: dict[str, int], page: str) -> None:
    answer = sign_in(client, road.cast["bohdan"]).get(reverse(f"contracts:{page}", args=[built[page]]))
    assert answer.status_code == 200


@pytest.mark.parametrize("page", [*LISTS, "norm_new", "provider_new", "contract_new", "budget_new"])
def test_outsider_sees_no_list(client: Client, road: Road, page: str) -> None:
    assert sign_in(client, road.cast["outsider"]).get(reverse(f"contracts:{page}")).status_code == 403


@pytest.mark.parametrize("page", DETAILS)
def test_outsider_sees_no_detail(client: Client, road: Road, built: dict[str, int], page: str) -> None:
    url = reverse(f"contracts:{page}", args=[built[page]])
    assert client.get(url).status_code == 302
    assert sign_in(client, road.cast["outsider"]).get(url).status_code == 403


@pytest.mark.parametrize("page", ["contract", "norm", "budget_line"])
def test_other_municipality_finds_nothing(client: Client, stranger: User, built: dict[str, int], page: str) -> None:
    signed = sign_in(client, stranger)
    assert signed.get(reverse(f"contracts:{page}", args=[built[page]])).status_code == 404
    assert b"C-2025-0001" not in signed.get(reverse("contracts:contracts")).content


def test_provider_sees_its_own_contracts_only(client: Client, road: Road, built: dict[str, int]) -> None:
    road.provider("C", "taras")
    url = reverse("contracts:contract", args=[built["contract"]])
    assert sign_in(client, road.cast["nadiia"]).get(url).status_code == 200
    assert sign_in(client, road.cast["taras"]).get(url).status_code == 404
    assert sign_in(client, road.cast["taras"]).get(reverse("contracts:providers")).status_code == 403


def test_unverified_parameters_are_flagged(client: Client, road: Road, built: dict[str, int]) -> None:
    client.cookies["language"] = "en"
    signed = sign_in(client, road.cast["bohdan"])
    found = signed.get(reverse("contracts:parameters"), {"q": "admin_cap_pct"}).content.decode()
    assert "admin_cap_pct" in found and "not verified" in found
    norm = signed.get(reverse("contracts:norm", args=[built["norm"]])).content.decode()
    assert "96.54" in norm and "not verified" in norm and "cap of administrative costs" in norm


NORM_INPUT = {
    "pay_month": "8700.00",
    "positions": "1",
    "hours_month": "167",
    "utilisation": "0.80",
    "purchases": "3.10",
    "other_direct": "4.23",
    "administrative": "42000",
    "pay_base": "208800",
    "vat_exempt": "on",
    "valid_from": "2025-01-01",
    "act": "рішення 12",
}


def test_norm_is_drafted_in_the_browser_and_approved_by_another(client: Client, road: Road) -> None:
    assert road.law
    values = NORM_INPUT | {"service": road.service.pk}
    sign_in(client, road.cast["bohdan"]).post(reverse("contracts:norm_new"), values)
    norm = NormCost.objects.get()
    assert norm.unit_rate == Decimal("96.54")
    approve = reverse("contracts:norm_approve", args=[norm.pk])
    assert client.post(approve).status_code == 403
    assert sign_in(client, road.cast["oksana"]).get(approve).status_code == 405
    client.post(approve)
    norm.refresh_from_db()
    assert norm.status == "approved"


def test_form_asks_for_the_hours_of_a_day(client: Client, road: Road) -> None:
    assert road.law
    Service.objects.filter(pk=road.service.pk).update(unit="day")
    values = NORM_INPUT | {"service": road.service.pk}
    signed = sign_in(client, road.cast["bohdan"])
    answer = signed.post(reverse("contracts:norm_new"), values)
    assert set(answer.context["form"].errors) == {"hours_per_unit"} and not NormCost.objects.exists()
    signed.post(reverse("contracts:norm_new"), values | {"hours_per_unit": "8"})
    assert NormCost.objects.get().inputs["facts"]["hours_per_unit"] == "8"


def test_missing_law_is_said_above_the_form(client: Client, road: Road) -> None:
    values = NORM_INPUT | {"service": road.service.pk}
    client.cookies["language"] = "en"
    answer = sign_in(client, road.cast["bohdan"]).post(reverse("contracts:norm_new"), values)
    assert answer.status_code == 200 and b"has no value on" in answer.content
    assert not NormCost.objects.exists()


def test_provider_is_recorded_admitted_suspended_and_resumed(client: Client, road: Road) -> None:
    signed = sign_in(client, road.cast["bohdan"])
    signed.post(reverse("contracts:provider_new"), {"code": "turbota", "title": "Турбота", "sector": "nonprofit"})
    provider = Provider.objects.get(code="turbota")

    def step(name: str, **values: str) -> str:
        signed.post(reverse(f"contracts:provider_{name}", args=[provider.pk]), values)
        return signed.get(reverse("contracts:provider", args=[provider.pk])).context["state"]

    assert signed.get(reverse("contracts:provider", args=[provider.pk])).context["state"] == "pending"
    assert step("admit", from_date="2025-01-01") == "active"
    assert step("suspend", from_date="2025-02-01", reason="перевірка") == "suspended"
    assert step("resume", to_date="2025-02-10") == "active"


def test_contract_is_drawn_up_and_signed(client: Client, road: Road) -> None:
    provider = road.provider("B", "nadiia")
    values = {
        "provider": provider.pk,
        "budget_line": road.line.pk,
        "service": road.norm.service_id,
        "unit_rate": "95.00",
        "valid_from": "2025-04-01",
        "valid_to": "2025-12-31",
    }
    signed = sign_in(client, road.cast["bohdan"])
    refused = signed.post(reverse("contracts:contract_new"), values | {"unit_rate": "97.00"})
    assert refused.status_code == 200 and "96" in refused.content.decode()
    signed.post(reverse("contracts:contract_new"), values)
    contract = Contract.objects.get()
    assert contract.valid_to == date(2026, 1, 1), "people write the last day"
    signed.post(reverse("contracts:contract_sign", args=[contract.pk]))
    contract.refresh_from_db()
    assert (contract.status, contract.signed_by_provider) == ("active", road.cast["nadiia"])


def test_finance_enters_a_budget_line(client: Client, road: Road) -> None:
    values = {"code": "1", "year": "2025", "title": "Догляд", "amount": "100.00"}
    assert sign_in(client, road.cast["bohdan"]).post(reverse("contracts:budget_new"), values).status_code == 403
    sign_in(client, road.cast["halyna"]).post(reverse("contracts:budget_new"), values)
    assert BudgetLine.objects.get().amount.amount == 100


@pytest.mark.parametrize("page", ["contracts", "providers", "norms", "budget_lines", "services"])
def test_lists_cost_the_same_with_more_rows(client: Client, road: Road, built: dict[str, int], page: str) -> None:
    def grow() -> None:
        for code in ("C", "D", "E"):
            road.register_contract(road.provider(code))

    assert_same_queries(sign_in(client, road.cast["bohdan"]), reverse(f"contracts:{page}"), grow)


def test_contract_page_costs_the_same_with_more_lines(client: Client, road: Road, built: dict[str, int]) -> None:
    url = reverse("contracts:provider", args=[built["provider"]])

    def grow() -> None:
        for _number in range(3):
            road.register_contract(Provider.objects.get(pk=built["provider"]))

    assert_same_queries(sign_in(client, road.cast["bohdan"]), url, grow)


AMENDMENT = {"unit_rate": "90,00", "valid_from": "2025-07-01", "basis": "додаткова угода 1"}


def test_a_contract_is_amended_and_ended_in_the_browser(client: Client, road: Road, built: dict[str, int]) -> None:
    amend, end = (reverse(f"contracts:contract_{step}", args=[built["contract"]]) for step in ("amend", "terminate"))
    values = AMENDMENT | {"service": road.service.pk}
    assert sign_in(client, road.cast["halyna"]).post(amend, values).status_code == 403
    signed = sign_in(client, road.cast["bohdan"])
    refused = signed.post(amend, values | {"unit_rate": "97"})
    assert refused.status_code == 409 and "96" in refused.content.decode()
    signed.post(amend, values)
    contract = Contract.objects.get(pk=built["contract"])
    assert [line.unit_rate for line in contract.lines.order_by("id")] == [95, 90]
    page = reverse("contracts:contract", args=[contract.pk])
    assert end in signed.get(page).content.decode()
    signed.post(end, {"last_day": "2025-09-30", "reason": "згода сторін"})
    contract.refresh_from_db()
    assert (contract.status, f"{contract.valid_to}") == ("terminated", "2025-10-01")
    found = signed.get(page).content.decode()
    assert end not in found and amend not in found


def test_a_contract_of_another_municipality_is_not_changed(
    client: Client, road: Road, built: dict[str, int], stranger: User
) -> None:
    signed = sign_in(client, stranger)
    for step in ("amend", "terminate"):
        assert signed.post(reverse(f"contracts:contract_{step}", args=[built["contract"]])).status_code == 404
    assert signed.post(reverse("contracts:budget_amend", args=[built["budget_line"]])).status_code == 404


def test_finance_amends_a_budget_line(client: Client, road: Road, built: dict[str, int]) -> None:
    url = reverse("contracts:budget_amend", args=[built["budget_line"]])
    values = {"amount": "6 000 000,50", "basis": "рішення сесії 7"}
    assert sign_in(client, road.cast["bohdan"]).post(url, values).status_code == 403
    signed = sign_in(client, road.cast["halyna"])
    assert url in signed.get(reverse("contracts:budget_line", args=[built["budget_line"]])).content.decode()
    signed.post(url, values)
    assert BudgetLine.objects.get().amount.amount == Decimal("6000000.50")


def test_the_office_publishes_a_price_of_a_provider(client: Client, road: Road, built: dict[str, int]) -> None:
    url = reverse("contracts:tariff_new", args=[built["provider"]])
    values = {
        "service": road.service.pk,
        "payer_kind": "person",
        "unit_rate": "95.00",
        "valid_from": "2025-04-01",
        "last_day": "2025-03-31",
        "basis": "рішення 5",
    }
    assert sign_in(client, road.cast["halyna"]).post(url, values).status_code == 403
    signed = sign_in(client, road.cast["bohdan"])
    assert set(signed.post(url, values).context["form"].errors) == {"last_day"}
    signed.post(url, values | {"last_day": "2025-12-31"})
    provider = Provider.objects.get(pk=built["provider"])
    assert [str(row.last_day) for row in provider.tariffs.all()] == ["2025-12-31"]
    assert "95" in signed.get(reverse("contracts:provider", args=[provider.pk])).content.decode()
    assert signed.post(url, values | {"last_day": ""}).status_code == 409

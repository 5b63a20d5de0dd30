"""An installation without the demonstration comes to life by its commands and pages alone."""

from __future__ import annotations

import re
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from config import clock
from config.accounts.models import Organisation, User
from config.audit.verification import verify_chains
from contracts.models import Contract, NormCost, Provider, Service, Territory
from tests.conftest import KYIV
from vouchers.models import Recipient, Redemption

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=KYIV)
NEW_YEAR, MARCH = "2026-01-01", "2026-03-01"
SECRET = "three quiet words here"
LINK = re.compile(r"http://testserver(/welcome/[^<\s]+)")
OFFICE = ("administrator", "officer", "norm_approver", "case_worker", "finance_maker")


@pytest.fixture(autouse=True)
def _in_march(monkeypatch: pytest.MonkeyPatch) -> None:
    """Business happens on a day whose law the product knows."""
    monkeypatch.setattr(clock, "timezone", SimpleNamespace(now=lambda: NOW))


def sign_in(username: str, password: str) -> Client:
    client = Client()
    client.cookies["language"] = "en"
    answer = client.post(reverse("login"), {"username": username, "password": password})
    assert answer.status_code == 302, username
    return client


def sent(client: Client, page: str, *key: object, **fields: Any) -> Any:
    """A form that is taken; the page it leads to."""
    answer = client.post(reverse(page, args=key), fields, follow=True)
    context = answer.context or {}
    refused = context.get("refusal"), getattr(context.get("form"), "errors", None)
    assert answer.status_code == 200 and not any(refused), (page, answer.status_code, refused)
    return answer


def opened_by_link(page: str, username: str) -> Client:
    """The person of an invitation chooses a password and signs in."""
    found = LINK.search(page)
    assert found is not None, page
    form = Client().get(found[1], follow=True)
    visitor = form.client
    visitor.post(form.request["PATH_INFO"], {"new_password1": SECRET, "new_password2": SECRET})
    return sign_in(username, SECRET)


@pytest.fixture
def office(db: None, capsys: pytest.CaptureFixture[str]) -> dict[str, Client]:
    """What a new installation does at a prompt: the law, a municipality, its first people."""
    call_command("load_reference")
    call_command("create_municipality", "nova", "Нова громада", iban="UA663052990000035400000000001")
    people = {}
    for role in OFFICE:
        capsys.readouterr()
        call_command("invite_user", role, role=[role], organisation="nova", name=role)
        people[role] = sign_in(role, capsys.readouterr().out.split()[-1])
    return people


def test_from_nothing_to_a_redeemed_visit(office: dict[str, Client]) -> None:
    admin, officer, approver, case_worker, finance = (office[role] for role in OFFICE)
    town = Organisation.objects.get()
    assert (town.currency, town.zone, town.is_demo) == ("UAH", "Europe/Kyiv", False)

    sent(officer, "contracts:territory_new", code="CENTRE", title="Центр", kind="urban")
    sent(officer, "contracts:service_adopt")
    home = Service.objects.get(code="015.1")
    sent(
        finance, "contracts:budget_new", code="SOC", year="2026", title="Соціальні послуги", amount="500000",
    )  # fmt: skip
    sent(
        officer, "contracts:norm_new", service=home.pk, pay_month="8700", positions="1", hours_month="167",
        utilisation="0.80", purchases="3.10", other_direct="4.23", administrative="42000", pay_base="208800",
        valid_from=NEW_YEAR, act="рішення 12",
    )  # fmt: skip
    sent(approver, "contracts:norm_approve", NormCost.objects.get().pk)

    sent(officer, "contracts:provider_new", code="TURBOTA", title="Турбота", sector="nonprofit")
    provider = Provider.objects.get()
    sent(officer, "contracts:provider_admit", provider.pk, from_date=NEW_YEAR)
    sent(
        officer, "contracts:worker_new", provider.pk, code="W-1", full_name="Марія Вигадана", services=[home.pk],
        valid_from=NEW_YEAR,
    )  # fmt: skip
    nobody = officer.get(reverse("contracts:provider", args=[provider.pk])).content.decode()
    assert "Nobody acts for the provider here" in nobody
    page = sent(
        admin, "contracts:representative_invite", provider.pk, username="nadiia", display_name="Надія", language="en"
    )
    nadiia = opened_by_link(page.content.decode(), "nadiia")
    sent(
        officer, "contracts:contract_new", provider=provider.pk, budget_line=town.budgetline_set.get().pk,
        service=home.pk, unit_rate="60", valid_from=NEW_YEAR,
    )  # fmt: skip
    sent(officer, "contracts:contract_sign", Contract.objects.get().pk)
    assert Contract.objects.get().status == "active"

    sent(
        case_worker, "vouchers:recipient_new", full_name="Вигадана Олена Іванівна", birth_date="1940-05-01",
        territory=Territory.objects.get().pk,
    )  # fmt: skip
    olena = Recipient.objects.get()
    sent(case_worker, "vouchers:assess", olena.pk, assessed_on=MARCH, dependency_level="III", findings="слабкий зір")
    fee = {"application_date": MARCH, "valid_from": MARCH, "lost_ability": "on", "income": "18000", "decide": "1"}
    sent(case_worker, "vouchers:fee_new", olena.pk, **fee)
    sent(case_worker, "vouchers:plan_new", olena.pk, valid_from=MARCH, service1=home.pk, units1="20")
    issued = sent(
        case_worker, "vouchers:certificate_new", olena.pk, first_day=MARCH, budget_line=town.budgetline_set.get().pk
    )
    own = sent(case_worker, "vouchers:access_new", olena.pk, username="olena", display_name="Олена", language="en")
    recipient = opened_by_link(own.content.decode(), "olena")

    code, pin = issued.context["short_code"], issued.context["issued"].pin
    door = nadiia.post(reverse("vouchers:redeem"), {"certificate_key": code})
    key = door.context["form"].initial["idempotency_key"]
    visit = sent(
        nadiia, "vouchers:redeem", certificate_key=code, pin=pin, idempotency_key=key, service_code="015.1",
        worker_code="W-1", units="1", starts_at="2026-03-02T10:00",
    )  # fmt: skip
    redemption = Redemption.objects.get()
    assert visit.redirect_chain[-1][0] == reverse("vouchers:redemption", args=[redemption.pk])
    sent(nadiia, "vouchers:redemption_confirm", redemption.pk, units="1", ends_at="2026-03-02T11:00")
    redemption.refresh_from_db()
    assert (redemption.status, redemption.provider, redemption.organisation) == ("confirmed", provider, town)
    assert "19" in recipient.get(reverse("vouchers:mine")).content.decode()
    assert verify_chains()[1] == []


def test_a_municipality_is_created_once_and_by_its_profile(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_municipality", "plain", "Plain town", profile="GENERIC")
    plain = Organisation.objects.get()
    assert (plain.currency, plain.zone) == ("EUR", "UTC")
    for code, options in (
        ("plain", {}),
        ("not a code", {}),
        ("other", {"currency": "XXX"}),
        ("other", {"zone": "Kyiv"}),
        ("other", {"iban": "UA00"}),
    ):
        with pytest.raises(Exception, match="ORGANISATION_"):
            call_command("create_municipality", code, "Other", **options)
    assert Organisation.objects.count() == 1 and not User.objects.exists()

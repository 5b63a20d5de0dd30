"""One provider with contracts in two municipalities, one official of two offices: nothing lands in the first one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config import roles
from config.accounts.access import access_of
from config.accounts.models import Membership, Organisation, User
from contracts.models import (
    BudgetLine,
    Contract,
    ContractLine,
    NormCost,
    Provider,
    ProviderUser,
    Service,
    Territory,
    WorkerQualification,
)
from settlement.models import Claim
from tests import signed_in
from tests.vouchers.town import OCTOBER, VISIT, Town, build_town
from vouchers.models import Redemption

pytestmark = pytest.mark.django_db
HEADER = "certificate_number,service_code,worker_code,starts_at,units\n"


@pytest.fixture
def first(organisation: Organisation, cast: dict[str, User]) -> Town:
    """The municipality that the provider met first; its business day is 12 November."""
    organisation.clock_offset = VISIT + timedelta(hours=2) - timezone.now()
    organisation.save()
    return build_town(organisation, cast)


@pytest.fixture
def second(first: Town, other_organisation: Organisation) -> Town:
    """Another one with the same provider and worker; there it is a day later."""
    other_organisation.clock_offset = VISIT + timedelta(days=1, hours=2) - timezone.now()
    other_organisation.save()
    owner = {"organisation": other_organisation}
    service = Service.objects.create(
        **owner, code="015.1", name_uk="Догляд у Калинівці", form="home", unit="hour", granularity=Decimal("0.25")
    )
    NormCost.objects.create(
        **owner, service=service, unit_rate=Decimal("99.00"), valid_from=date(2025, 1, 1), status="approved",
        recorded_at=OCTOBER,
    )  # fmt: skip
    WorkerQualification.objects.create(
        worker=first.worker, service=service, valid_from=date(2025, 1, 1), recorded_at=OCTOBER
    )
    line = BudgetLine.objects.create(**owner, code="SOC", year=2025, name="Послуги", amount="100000.00")
    contract = Contract.objects.create(
        **owner, number="C-2", provider=first.provider, budget_line=line, basis="award", valid_from=date(2025, 1, 1),
        status="active",
    )  # fmt: skip
    ContractLine.objects.create(contract=contract, service=service, unit_rate=Decimal("90.00"), recorded_at=OCTOBER)
    return replace(
        first,
        organisation=other_organisation,
        territory=Territory.objects.create(**owner, code="MAIN", name="Калинівка", kind="rural"),
        service=service,
        budget_line=line,
        contract=contract,
    )


def browser(user: User) -> Client:
    return signed_in.browser(user, "en")


def redeem(client: Client, town: Town) -> Redemption:
    """At the door: code, then PIN, then the end of the visit."""
    issued = town.issue()
    page = client.post(reverse("vouchers:redeem"), {"certificate_key": issued.short_code})
    form = page.context["form"].initial | {
        "pin": issued.pin, "service_code": "015.1", "worker_code": "W-1", "units": "1",
    }  # fmt: skip
    day = form["starts_at"].date()
    form["starts_at"] = f"{day}T09:00"
    answer = client.post(reverse("vouchers:redeem"), form)
    assert answer.status_code == 302, answer.content.decode()
    made = Redemption.objects.latest("id")
    confirm = {"units": "1", "ends_at": f"{day}T10:00"}
    assert client.post(reverse("vouchers:redemption_confirm", args=[made.pk]), confirm).status_code == 302
    return Redemption.objects.get(pk=made.pk)


def test_a_visit_belongs_to_the_municipality_of_its_certificate_and_to_its_day(
    first: Town, second: Town, cast: dict[str, User]
) -> None:
    nadiia = browser(cast["nadiia"])
    here, there = redeem(nadiia, first), redeem(nadiia, second)
    assert [row.organisation for row in (here, there)] == [first.organisation, second.organisation]
    assert there.status_at and here.status_at
    assert timedelta(hours=23) < there.status_at - here.status_at < timedelta(hours=25)


def test_a_claim_belongs_to_the_municipality_of_its_contract(first: Town, second: Town, cast: dict[str, User]) -> None:
    nadiia = browser(cast["nadiia"])
    redeem(nadiia, first)
    redeem(nadiia, second)
    for town in (first, second):
        fields = {"contract": town.contract.pk, "period": "2025-11"}
        made = nadiia.post(reverse("settlement:claim_from_redemptions"), fields, follow=True)
        claim = Claim.objects.get(organisation=town.organisation)
        assert claim.contract == town.contract and claim.lines.count() == 1
        assert made.redirect_chain[-1][0] == reverse("settlement:claim", args=[claim.pk])
        nadiia.post(reverse("settlement:claim_submit", args=[claim.pk]))
    assert set(Claim.objects.values_list("status", flat=True)) == {"submitted"}
    for name in ("settlement:claims", "vouchers:redemptions", "contracts:contracts"):
        rows = nadiia.get(reverse(name)).content.decode().partition("<tbody>")[2]
        assert all(f">{town.organisation.name}</td>" in rows for town in (first, second)), name


def report(client: Client, number: str, **fields: Any) -> Any:
    file = SimpleUploadedFile("visits.csv", f"{HEADER}{number},015.1,W-1,2025-11-10 09:00,1\n".encode())
    return client.post(reverse("vouchers:visits_import"), {"file": file, **fields})


def test_reported_visits_land_where_the_form_says(first: Town, second: Town, cast: dict[str, User]) -> None:
    nadiia = browser(cast["nadiia"])
    here, there = first.issue().certificate, second.issue().certificate
    assert "organisation" in report(nadiia, there.number).context["form"].errors
    assert not Redemption.objects.exists()
    report(nadiia, there.number, organisation=second.organisation.pk)
    made = Redemption.objects.get()
    assert (made.organisation, made.certificate, made.service) == (second.organisation, there, second.service)
    report(nadiia, here.number, organisation=first.organisation.pk)
    assert Redemption.objects.latest("id").certificate == here


def test_a_certificate_of_the_other_municipality_is_refused_by_its_row(
    first: Town, second: Town, cast: dict[str, User]
) -> None:
    nadiia = browser(cast["nadiia"])
    second.issue()
    theirs = second.issue(second.ready(full_name="Вигаданий Петро")).certificate
    answer = report(nadiia, theirs.number, organisation=first.organisation.pk)
    assert answer.status_code == 409 and "Another municipality issued this certificate" in answer.content.decode()
    assert not Redemption.objects.exists()


def test_who_serves_one_municipality_is_not_asked(first: Town, cast: dict[str, User]) -> None:
    nadiia = browser(cast["nadiia"])
    number = first.issue().certificate.number
    page = nadiia.get(reverse("vouchers:visits_import"))
    assert "organisation" not in page.context["form"].fields and reverse("switch") not in page.content.decode()
    assert report(nadiia, number).status_code == 200
    assert Redemption.objects.get().organisation == first.organisation


def test_a_provider_switches_between_its_municipalities(first: Town, second: Town, cast: dict[str, User]) -> None:
    nadiia = browser(cast["nadiia"])
    foreign = Organisation.objects.create(code="a", name="А-громада")
    for town, name in ((second, "Догляд у Калинівці"), (first, "Home care")):
        answer = nadiia.post(reverse("switch"), {"organisation": town.organisation.pk}, follow=True)
        assert town.organisation.name in answer.content.decode()
        page = nadiia.get(reverse("contracts:services")).content.decode()
        assert name in page and f'value="{town.organisation.pk}" selected' in page
    for wrong in (foreign.pk, "", "x"):
        assert nadiia.post(reverse("switch"), {"organisation": wrong}).status_code == 404
    assert nadiia.get(reverse("contracts:norms")).status_code == 200


def test_a_provider_works_where_its_contracts_are_and_not_in_the_first_municipality(
    organisation: Organisation, second: Town, cast: dict[str, User]
) -> None:
    taras = Provider.objects.create(code="T", name="Т", sector="private")
    ProviderUser.objects.create(provider=taras, user=cast["taras"])
    assert set(access_of(cast["taras"]).organisations) == {organisation, second.organisation}
    Contract.objects.create(
        organisation=second.organisation, number="C-3", provider=taras, budget_line=second.budget_line, basis="award",
        valid_from=date(2025, 1, 1), status="active",
    )  # fmt: skip
    access = access_of(cast["taras"])
    assert (access.organisations, access.office()) == ((second.organisation,), second.organisation)
    assert access_of(cast["outsider"]).organisations == ()


def test_a_recipient_is_where_the_register_is(second: Town, cast: dict[str, User]) -> None:
    recipient = second.recipient(full_name="Вигадана Віра", user=cast["olena"])
    assert access_of(cast["olena"]).office() == recipient.organisation == second.organisation


def test_an_official_of_two_offices_holds_in_each_what_it_gave(
    first: Town, second: Town, cast: dict[str, User]
) -> None:
    Membership.objects.create(user=cast["bohdan"], organisation=second.organisation, role=roles.CASE_WORKER)
    bohdan = browser(cast["bohdan"])
    petro = second.recipient(full_name="Вигаданий Петро")
    page, own = reverse("vouchers:recipient", args=[petro.pk]), reverse("contracts:budget_lines")
    assert (bohdan.get(page).status_code, bohdan.get(own).status_code) == (403, 200)
    bohdan.post(reverse("switch"), {"organisation": second.organisation.pk})
    assert (bohdan.get(page).status_code, bohdan.get(own).status_code) == (200, 403)
    bohdan.post(reverse("switch"), {"organisation": first.organisation.pk})
    assert bohdan.get(page).status_code == 403
    halyna = browser(cast["halyna"])
    assert halyna.post(reverse("switch"), {"organisation": second.organisation.pk}).status_code == 404

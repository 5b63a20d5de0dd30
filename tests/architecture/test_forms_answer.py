"""Whatever is typed into a form of contracts, competitions and certificates, the form answers: never a bare page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from config.accounts.models import Organisation, User
from config.accounts.people import invitation_path
from config.clock import business_now
from contracts.models import Parameter
from tests.road import OPENING, PUBLISHED, Road, sign_in
from tests.vouchers.actions.test_redemptions import authorise
from tests.vouchers.town import VISIT, build_town

pytestmark = pytest.mark.django_db

# Every field gets each of these in turn.
TYPED = (
    "",
    "abc",
    "NaN",
    "1e400",
    "9" * 400,
    "-1",
    "0001-01-01",
    "9999-12-31T23:59",
    "31.02.2025",
    "я" * 5000,
    "\x00",
    "²",
)
FIELDS = (
    *("service", "territory", "pay_month", "positions", "auxiliary_pay", "hours_month", "utilisation", "purchases"),
    *("other_direct", "administrative", "pay_base", "valid_from", "valid_to", "act", "last_day", "basis", "reason"),
    *("code", "title", "sector", "iban", "registration_code", "registered_on", "from_date", "to_date", "provider"),
    *("budget_line", "unit_rate", "units_ceiling", "ceiling", "year", "programme", "economic_code", "source", "amount"),
    *("population_urban", "population_rural", "rationale", "way", "recipients_planned", "units_planned", "value"),
    *("kind", "description", "norm_cost", "contract_from", "contract_to", "required_documents", "chair", "members"),
    *("bids_close_at", "conflict", "statement", "unit_price", "recipients", "note", "seal", "ground", "document"),
    *("duration_months", "unit_multiplier", "declared_total", "activity_numbers", "text", "outcome", "answer", "file"),
    *("full_name", "birth_date", "tax_id", "address", "phone", "free_category", "assessed_on", "dependency_level"),
    *("findings", "application_date", "category", "income", "income1", "kind1", "service1", "units1", "first_day"),
    *("moved_on", "death_date", "status_from", "units", "ends_at", "starts_at", "pin", "worker_code", "service_code"),
    *("certificate_key", "idempotency_key", "mark_staff", "mark_finance"),
    *("name_uk", "name_ru", "name_en", "unit", "granularity", "units_per_day_max", "units_per_month_max"),
    *("amount_per_year_max", "group_size_max", "article", "evidence", "form"),
    *("display_name", "username", "language", "roles", "new_password1", "new_password2"),
)
FORMSETS = {
    f"{name}-{key}": value
    for name in ("criteria", "sources", "items", "kpis", "steps")
    for key, value in (("TOTAL_FORMS", "1"), ("INITIAL_FORMS", "0"))
}
PARTS = ("code", "title", "kind", "weight", "amount", "declared_share", "baseline", "target", "month_from", "month_to")


def answers(client: Client, user: User, address: str) -> None:
    """The page of the form with a heading, or the way back with a message; no bare refusal, no crash."""
    signed = sign_in(client, user)
    for typed in TYPED:
        rows = {
            f"{name}-0-{part}": typed for name in ("criteria", "sources", "items", "kpis", "steps") for part in PARTS
        }
        answer = signed.post(address, {**dict.fromkeys(FIELDS, typed), **FORMSETS, **rows})
        assert answer.status_code in (200, 302, 400, 409), (address, typed[:20], answer.status_code)
        assert answer.status_code == 302 or b"<form" in answer.content, (address, typed[:20])


def test_forms_of_the_office(client: Client, road: Road) -> None:
    bohdan, oksana, halyna = (road.cast[name] for name in ("bohdan", "oksana", "halyna"))
    contract = road.register_contract(road.provider("A", "nadiia"))
    provider = contract.provider_id
    for name, user, args in (
        ("norm_new", bohdan, []),
        ("norm_end", oksana, [road.norm.pk]),
        ("norm_withdraw", oksana, [road.norm.pk]),
        ("provider_new", bohdan, []),
        ("provider_admit", bohdan, [provider]),
        ("provider_suspend", bohdan, [provider]),
        ("provider_resume", bohdan, [provider]),
        ("contract_new", bohdan, []),
        ("budget_new", halyna, []),
        ("service_new", bohdan, []),
        ("service_change", bohdan, [road.norm.service_id]),
    ):
        answers(client, user, reverse(f"contracts:{name}", args=args))


def test_forms_of_administration(client: Client, road: Road) -> None:
    assert road.law
    keys = ["admin_cap_pct", "claim.december_stop", "admin_cap_base"]
    for parameter in Parameter.objects.filter(key__in=keys, jurisdiction="UA"):
        answers(client, road.cast["pavlo"], reverse("parameter_new", args=[parameter.pk]))
    answers(client, road.cast["admin"], reverse("person_new"))
    answers(client, road.cast["admin"], reverse("person_roles", args=[road.cast["bohdan"].pk]))
    welcome = client.get(invitation_path(road.cast["ivan"])).headers["Location"]
    for typed in TYPED:
        assert client.post(welcome, {"new_password1": typed, "new_password2": typed}).status_code in (200, 302)


def test_forms_of_a_competition(client: Client, road: Road) -> None:
    nadiia, bohdan = road.cast["nadiia"], road.cast["bohdan"]
    road.provider("A", "nadiia")
    order, contest = road.publish(road.draft_order()), road.publish(road.draft_contest())
    at(road.organisation, PUBLISHED + timedelta(days=10))
    for name, tender in (("bid_new", order), ("application_new", contest)):
        answers(client, nadiia, reverse(f"procurement:{name}", args=[tender.pk]))
    for name in ("plan_new", "competition_new"):
        answers(client, bohdan, reverse(f"procurement:{name}"))
    bid = road.bid(order, "A")
    at(road.organisation, OPENING)
    road.open_with_declarations(order)
    for name, user in (
        ("commission", bohdan),
        ("publish", bohdan),
        ("declare", road.cast["chair"]),
        ("cancel", bohdan),
        ("unsuccessful", bohdan),
        ("award", bohdan),
        ("complain", nadiia),
    ):
        answers(client, user, reverse(f"procurement:competition_{name}", args=[order.pk]))
    answers(client, bohdan, reverse("procurement:bid_reject", args=[bid.pk]))


def test_forms_of_certificates(client: Client, organisation: Organisation, cast: dict[str, User]) -> None:
    town = build_town(organisation, cast)
    issued = town.issue()
    redemption = authorise(town, issued)
    at(organisation, VISIT)
    recipient, certificate = issued.certificate.recipient_id, issued.certificate.pk
    for name in ("new", *(f"{recipient}/{step}" for step in ("needs", "fee", "plan", "absence", "move", "death"))):
        answers(client, cast["sofiia"], f"/vouchers/recipients/{name}/")
    answers(client, cast["sofiia"], f"/vouchers/recipients/{recipient}/certificate/")
    for step in ("suspend", "resume", "replace", "cancel"):
        answers(client, cast["sofiia"], f"/vouchers/certificates/{certificate}/{step}/")
    for step in ("confirm", "void"):
        answers(client, cast["nadiia"], f"/vouchers/redemptions/{redemption.pk}/{step}/")
    for page in ("redeem", "visits/import"):
        answers(client, cast["nadiia"], f"/vouchers/{page}/")


def at(organisation: Organisation, moment: object) -> None:
    organisation.clock_offset = moment - business_now()  # type: ignore[operator]
    organisation.save(update_fields=["clock_offset"])


@pytest.fixture
def road(organisation: Organisation, cast: dict[str, User]) -> Road:
    """The road through actions."""
    return Road(organisation, cast)

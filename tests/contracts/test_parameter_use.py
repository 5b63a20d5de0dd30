"""Parameters that no calculation reads are found from the program's own text and say so on their pages."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from contracts.models import Parameter
from contracts.parameter_use import is_read
from tests.road import Road, sign_in


@pytest.mark.parametrize(
    "key",
    ["pay.free_multiple_sm", "sm.lost_ability", "so.weight.price", "check.CLM-41.severity",
     "payment.approvals_from.5000000", "staff.bound_1", "min_wage", "grant.final_report_days"],
)  # fmt: skip
def test_what_a_calculation_asks_for_is_read(key: str) -> None:
    assert is_read(key)


@pytest.mark.parametrize("key", ["seed.total", "so.weight", "sm.", "pd.retention.audit_years", "check.CLM-41"])
def test_what_nothing_asks_for_is_reference(key: str) -> None:
    assert not is_read(key)


@pytest.mark.django_db
def test_pages_say_which_values_are_kept_for_reference(client: Client, road: Road) -> None:
    assert road.law
    client.cookies["language"] = "en"
    signed = sign_in(client, road.cast["bohdan"])

    def page(key: str) -> str:
        row = Parameter.objects.filter(key=key, jurisdiction="UA").latest("valid_from")
        found = signed.get(reverse("contracts:parameters"), {"q": key, "all": "1"}).content.decode()
        assert ("for reference</span>" in found) != is_read(key)
        return signed.get(reverse("parameter", args=[row.pk])).content.decode()

    assert "Kept for reference" in page("pd.retention.audit_years")
    assert "Kept for reference" not in page("pay.free_multiple_sm")

"""A settled month behind the pages: the rule book's example and a line that waits, judged and posted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.accounts.models import Membership, Organisation, User
from config.demo.cast import CAST
from contracts.models import Provider, ProviderUser
from settlement.models import AdjudicationRun, Claim
from tests.oracle.small import Tables, add, add_visit, example_5_2
from tests.settlement.actions.month import AT, imported, judge
from tests.signed_in import browser


@dataclass
class Town:
    """The organisation, its people, the claim and the run."""

    organisation: Organisation
    users: dict[str, User]
    claim: Claim
    run: AdjudicationRun

    def browser(self, username: str) -> Client:
        return browser(self.users[username], "en")


def tables_of_month() -> Tables:
    """Example 5.2, a visit without a confirmed redemption, and visits of December that nobody has claimed."""
    tables = example_5_2()
    tables["certificate_lines"][0]["units"] = "40"
    tables["plan_lines"][0]["units_per_month"] = "30"
    add_visit(tables, "2025-11-20", unit_rate="95", amount="142.50")
    tables["redemptions"][-1]["status"] = "voided"
    for number, day in enumerate(("01", "02"), 1):
        add(
            tables, "redemptions", code=f"D{number}", channel="online", certificate_number="C1", provider_code="P1",
            worker_code="W1", service_code="015.1", starts_at=f"2025-12-{day}T09:00:00+02:00",
            ends_at=f"2025-12-{day}T10:30:00+02:00", units="1.5", status="confirmed",
        )  # fmt: skip
    return tables


def people(organisation: Organisation) -> dict[str, User]:
    """The cast, working for this organisation."""
    users = {}
    for person in CAST:
        user, _ = User.objects.get_or_create(username=person.username, defaults={"display_name": person.display_name})
        for role in person.roles:
            Membership.objects.create(user=user, role=role, organisation=organisation if person.office else None)
        users[person.username] = user
    return users


def settled_town(folder: Path, tables: Tables | None = None) -> Town:
    """Import the month, judge it once; nadiia acts for the provider, taras for another one."""
    organisation = imported(tables or tables_of_month(), folder)
    # A minute later than the facts were recorded, and the same day of business.
    organisation.clock_offset = AT - timezone.now() + timedelta(minutes=1)
    organisation.save()
    users = people(organisation)
    ProviderUser.objects.create(provider=Provider.objects.get(code="P1"), user=users["nadiia"])
    other = Provider.objects.create(code="P9", name="Інший надавач", sector="nonprofit")
    ProviderUser.objects.create(provider=other, user=users["taras"])
    run = judge(organisation)
    assert run is not None
    return Town(organisation, users, Claim.objects.get(number="A-1"), run)


def url(name: str, *args: object) -> str:
    """Address of a page of settlement."""
    return reverse(f"settlement:{name}", args=args)

"""A month whose claim was handed in here: a package without claims, then the provider's own draft."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from config.accounts.models import Organisation, User
from contracts.models import Contract, Provider
from settlement.actions.claims import create_claim, submit_claim
from settlement.claim_rows import LineDraft
from settlement.models import Claim
from tests.conftest import AT
from tests.oracle.small import Tables
from tests.settlement.actions.month import NOVEMBER, imported, two_visits


def handed_in(folder: Path, user: User, tables: Tables | None = None, *, submit: bool = True) -> Claim:
    """Claim of the two visits of 142.50, handed in by a user of the provider."""
    tables = tables or two_visits()
    lines = [draft(row) for row in tables["claim_lines"]]
    tables["claims"], tables["claim_lines"] = [], []
    organisation = imported(tables, folder)
    claim = create_claim(
        organisation=organisation,
        provider=Provider.objects.get(code="P1"),
        contract=Contract.objects.get(number="K1"),
        period=NOVEMBER,
        lines=lines,
        actor=user.as_actor(),
        at=AT,
        files=[("visits.csv", b"visits of November", "text/csv")],
    )
    return hand_in(organisation, claim, user) if submit else claim


def hand_in(organisation: Organisation, claim: Claim, user: User) -> Claim:
    """Submit a draft."""
    return submit_claim(organisation=organisation, claim_id=claim.pk, actor=user.as_actor(), at=AT)


def draft(row: dict[str, str]) -> LineDraft:
    """A line of a package as the provider writes it."""
    return LineDraft(
        redemption_code=row["redemption_code"],
        certificate_number=row["certificate_number"],
        service_code=row["service_code"],
        service_date=date.fromisoformat(row["service_date"]),
        starts_at=datetime.fromisoformat(row["starts_at"]),
        ends_at=datetime.fromisoformat(row["ends_at"]),
        worker_code=row["worker_code"],
        units=Decimal(row["units"]),
        unit_rate=Decimal(row["unit_rate"]),
        amount=Decimal(row["amount"]),
    )

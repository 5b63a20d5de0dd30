"""A settled and closed month in which facts become known later, and its correction step by step."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from contracts.actions.reference import load_reference
from settlement.actions import corrections
from settlement.actions.month_close import close_month
from settlement.books import verify_books
from settlement.models import Correction
from tests.oracle.small import Tables
from tests.settlement.actions.month import AT, NOVEMBER, judge
from tests.settlement.views.town import Town, settled_town, tables_of_month
from vouchers.models import Absence, FeeAssessment, Recipient

LEARNT, LATER = AT + timedelta(days=3), AT + timedelta(days=5)


def closed_town(folder: Path, tables: Tables | None = None, *, runs: int = 1) -> Town:
    """The month judged and closed."""
    load_reference(at=AT)
    town = settled_town(folder, tables or tables_of_month())
    for _run in range(1, runs):
        judge(town.organisation)
    close_month(organisation=town.organisation, month=NOVEMBER, actor=town.users["ivan"].as_actor(), at=AT)
    # Pages are read when the facts are known.
    town.organisation.clock_offset += LATER - AT
    town.organisation.save(update_fields=["clock_offset"])
    return town


def by(town: Town, name: str, at: Any = LATER) -> dict[str, Any]:
    return {"organisation": town.organisation, "actor": town.users[name].as_actor(), "at": at}


def propose(town: Town, name: str = "halyna", **changes: Any) -> Correction:
    values = {**by(town, name), "month": NOVEMBER, "ground": "income", "reason": "Довідка про доходи"}
    return corrections.propose_correction(**values | changes)


def approve(town: Town, made: Correction, name: str = "ivan", **changes: Any) -> Correction:
    values = {**by(town, name), "correction_id": made.pk, "content_sha256": made.content_sha256}
    return corrections.approve_correction(**values | changes)


def lower_income(limit: str = "800.00") -> None:
    """The recipient brings a statement: the fee of November is smaller than was decided."""
    FeeAssessment.objects.get().change(at=LEARNT, monthly_limit=Decimal(limit))


def in_hospital(first: date = date(2025, 11, 3), to: date = date(2025, 11, 7)) -> None:
    """A stay that nobody knew of."""
    Absence.objects.create(
        recipient=Recipient.objects.get(), kind="hospital", from_date=first, to_date=to, recorded_at=LEARNT
    )


def disagreements() -> list[str]:
    """What the books do not agree on; imported certificates have no entries of their issue."""
    return [fault.sentence for fault in verify_books() if "certificate" not in fault.check]

"""A settled and closed month in which facts become known later, and its correction step by step."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from config.accounts.models import User
from contracts.actions.reference import load_reference
from contracts.parameters import parameter_value
from settlement.actions import corrections
from settlement.actions.month_close import close_month
from settlement.books import verify_books
from settlement.models import Correction
from tests.oracle.small import Tables
from tests.settlement.actions.month import AT, NOVEMBER, judge
from tests.settlement.views.town import Town, settled_town, tables_of_month
from tests.vouchers.town import pensioner
from vouchers.actions.fee_revisions import approve_fee_revision, propose_fee_revision
from vouchers.models import Absence, FeeRevision, Recipient

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


def let_olena_in(town: Town) -> None:
    """The recipient of the visits signs in as olena."""
    recipient = Recipient.objects.get()
    recipient.user = town.users["olena"]
    recipient.save(update_fields=["user"])


def by(town: Town, name: str, at: Any = LATER) -> dict[str, Any]:
    return {"organisation": town.organisation, "actor": town.users[name].as_actor(), "at": at}


def propose(town: Town, name: str = "halyna", **changes: Any) -> Correction:
    values = {**by(town, name), "month": NOVEMBER, "ground": "income", "reason": "Довідка про доходи"}
    return corrections.propose_correction(**values | changes)


def approve(town: Town, made: Correction, name: str = "ivan", **changes: Any) -> Correction:
    values = {**by(town, name), "correction_id": made.pk, "content_sha256": made.content_sha256}
    return corrections.approve_correction(**values | changes)


def lower_income(limit: str = "800.00", *, at: datetime = LEARNT, reason: str = "Довідка про доходи") -> FeeRevision:
    """The recipient brings a statement: by the right income the fee of November is another one than was decided."""
    recipient = Recipient.objects.select_related("organisation").get()
    minimum = parameter_value(recipient.organisation, "sm.lost_ability", NOVEMBER).decimal
    proposed = propose_fee_revision(
        recipient=recipient, inputs=pensioner(str(Decimal(limit) + 2 * minimum), NOVEMBER), valid_from=NOVEMBER,
        last_day=date(2025, 11, 30), reason=reason, actor=_actor("sofiia"), at=at,
    )  # fmt: skip
    return approve_fee_revision(
        organisation=recipient.organisation, revision_id=proposed.pk, actor=_actor("ivan"), at=at
    )


def _actor(username: str) -> Any:
    return User.objects.get(username=username).as_actor()


def in_hospital(first: date = date(2025, 11, 3), to: date = date(2025, 11, 7)) -> None:
    """A stay that nobody knew of."""
    Absence.objects.create(
        recipient=Recipient.objects.get(), kind="hospital", from_date=first, to_date=to, recorded_at=LEARNT
    )


def disagreements() -> list[str]:
    """What the books do not agree on; imported certificates have no entries of their issue."""
    return [fault.sentence for fault in verify_books() if "certificate" not in fault.check]

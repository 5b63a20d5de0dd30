"""The clawback town with an advance under the contract of P1: November is paid, December waits for its run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from djmoney.money import Money

from contracts.models import Contract
from settlement.actions import advances
from settlement.actions.advances import Plan
from settlement.actions.runs import approve_payment_run, propose_advance_run, release_payment_run
from settlement.models import Advance, PaymentRun
from tests.settlement.actions.clawback_town import ClawbackTown, clawback_town
from tests.settlement.actions.month import AT, KYIV
from tests.settlement.actions.paid import answered

GRANTED = datetime(2025, 12, 16, 10, 0, tzinfo=KYIV)
LAST_DAY = date(2025, 12, 31)
AMOUNT = 20000


@dataclass
class AdvanceTown(ClawbackTown):
    """The steps of an advance in the order of its life."""

    def proposed(self, amount: int = AMOUNT, *, plan: Plan | None = None, until: date = LAST_DAY) -> Advance:
        words = {"purpose": "Оплата праці у грудні", "use_until": until}
        return advances.propose_advance(
            contract_id=self.contract.pk, amount_minor=amount, plan=plan, **words, **self.who("halyna", GRANTED)
        )

    def approved(self, amount: int = AMOUNT) -> Advance:
        row = self.proposed(amount)
        return advances.approve_advance(advance_id=row.pk, **self.who("ivan", GRANTED))

    def released_advances(self, at: datetime = GRANTED) -> PaymentRun:
        run = propose_advance_run(**self.who("halyna", at)).run
        ivan = self.who("ivan", at)
        approve_payment_run(run_id=run.pk, content_sha256=run.content_sha256, **ivan)
        return release_payment_run(run_id=run.pk, execution_date=at.date(), **ivan)

    def paid(self, amount: int = AMOUNT) -> Advance:
        """Carried out by the bank."""
        row = self.approved(amount)
        answered(self.released_advances(), self.cast["halyna"], GRANTED)
        row.refresh_from_db()
        return row


def advance_town(folder: Path) -> AdvanceTown:
    """A ceiling of 1 000.00 under the contract: 300.00 can be advanced."""
    town = clawback_town(folder)
    Contract.objects.get(provider__code="P1").change(at=AT, ceiling=Money(1000, "UAH"))
    return AdvanceTown(town.office, town.cast, statements=2)

"""A month whose claim is paid in parts: line 1 waits for a person, line 2 is allowed with 142.50."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.db import transaction

from config.accounts.models import Organisation, User
from config.audit.actors import Actor
from contracts.models import Provider
from settlement.actions.payments import lock_payments
from settlement.models import ClaimLine, PaymentRun
from tests.oracle.small import Tables
from tests.settlement.actions.lifting import lift
from tests.settlement.actions.month import AT, free_visits, imported, judge, the_claim
from tests.settlement.actions.paid import released_run
from tests.settlement.actions.payables import ready
from tests.settlement.gateways.orders import account
from tests.settlement.views.town import people

DAY = date(2025, 12, 12)


@dataclass
class Office:
    """The organisation of the month and its people."""

    organisation: Organisation
    users: dict[str, User]

    @property
    def maker(self) -> Actor:
        return self.users["halyna"].as_actor()

    @property
    def state(self) -> str:
        return the_claim().status

    def pay(self) -> PaymentRun:
        """A released run of everything payable."""
        return released_run(self.organisation, self.users, AT)

    def clear(self) -> None:
        """Line 1 is judged again and allowed."""
        line = ClaimLine.objects.get(line=1)
        lift(self.organisation, line, at=AT, reason="акт є")
        judge(self.organisation)

    def bank(self, run: PaymentRun, settle: Callable[..., None]) -> None:
        """What the bank says of the payments of a run, as matching a statement line does it."""
        with transaction.atomic():
            payments = lock_payments(run.payments.all())
            settle(payments, on={payment.pk: DAY for payment in payments}, actor=self.maker, at=AT)


def half_waiting() -> Tables:
    tables = free_visits()
    tables["redemptions"][0]["units"] = "1.25"
    return tables


def open_office(tables: Tables, folder: Path) -> Office:
    organisation = imported(tables, folder)
    organisation.iban = "UA213223130000026007233566001"
    organisation.save()
    Provider.objects.update(iban=account(1001))
    ready(AT)
    judge(organisation)
    return Office(organisation, people(organisation))

"""A settled month in which the recipient owes 285.00, and the stand-in for Stripe beside it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils import timezone

from config.accounts.models import Organisation, User
from config.office.jobs import run_job
from config.office.models import Job
from settlement import tasks  # noqa: F401  (registers the handlers, as a worker does)
from settlement.actions.fee_checkout import Start, pay_by_card
from settlement.actions.fees import issue_fee_notices
from settlement.actions.stripe_events import keep_event
from settlement.books import verify_books
from settlement.fee_queries import with_sums
from settlement.gateways.stripe_client import read_signed
from settlement.models import FeeNotice
from tests.settlement.actions.month import AT, NOVEMBER, imported, judge, two_visits
from tests.settlement.actions.payables import ready
from tests.settlement.gateways.orders import account
from tests.settlement.gateways.stripe_stand_in import StripeStandIn, event, signature
from tests.settlement.views.town import people

OWED = 28_500


def fee_town(folder: Path) -> tuple[Organisation, dict[str, User]]:
    """Two visits whose whole cost is the recipient's fee, judged."""
    organisation = imported(two_visits(), folder)
    organisation.iban = account(1)
    organisation.clock_offset = AT - timezone.now()
    organisation.save()
    ready(AT)
    judge(organisation)
    return organisation, people(organisation)


def noticed(organisation: Organisation, users: dict[str, User], at: datetime = AT) -> FeeNotice:
    """The one notice of the month."""
    issue_fee_notices(organisation=organisation, month=NOVEMBER, actor=users["halyna"].as_actor(), at=at)
    return FeeNotice.objects.select_related("organisation").get()


def session_of(notice: FeeNotice, user: User, stripe: StripeStandIn) -> dict[str, Any]:
    """The page at Stripe that a person was led to."""
    start = Start(back="http://127.0.0.1/settlement/fees/1/", clock=timezone.now())
    return stripe.objects[pay_by_card(notice=notice, start=start, actor=user.as_actor(), at=AT).session]


def tell(kind: str, subject: dict[str, Any], **more: Any) -> None:
    """Stripe sends an event, a worker deals with it."""
    content = event(kind, subject, **more)
    row = keep_event(event=read_signed(content, signature(content)), at=AT)
    work(f"settlement.stripe_event:{row.event_id}")


def work(prefix: str = "settlement.") -> None:
    """A worker runs the waiting jobs of a kind."""
    for row in Job.objects.filter(key__startswith=prefix, state="waiting").order_by("pk"):
        run_job(row.pk)


def sums(notice: FeeNotice) -> tuple[int, int, int, int]:
    """Charged, received, refunded, left."""
    row = with_sums(FeeNotice.objects.filter(pk=notice.pk)).get()
    return row.charged_minor, row.received_minor, row.refunded_minor, row.left_minor


def balanced() -> bool:
    """Whether nothing disagrees; says what does."""
    faults = [fault.sentence for fault in verify_books() if "certificate" not in fault.check]
    assert faults == []
    return True

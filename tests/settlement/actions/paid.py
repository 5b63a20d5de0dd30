"""A payment run played up to its bank file."""

from __future__ import annotations

from datetime import date, datetime

from config.accounts.models import Organisation, User
from config.money import from_minor
from config.office.storage import open_attachment
from settlement.actions.payments import write_payment_file
from settlement.actions.reconciliation import import_statement
from settlement.actions.runs import approve_payment_run, propose_payment_run, release_payment_run
from settlement.gateways.simulated_bank import answer_payment_file
from settlement.models import PaymentRun, Statement
from tests.settlement.actions.payables import NOVEMBER

DAY = date(2025, 12, 12)


def released_run(
    organisation: Organisation, cast: dict[str, User], at: datetime, *, period: date = NOVEMBER
) -> PaymentRun:
    """Proposed by Halyna, approved and released by Ivan."""
    maker, checker = cast["halyna"].as_actor(), cast["ivan"].as_actor()
    run = propose_payment_run(organisation=organisation, period=period, actor=maker, at=at).run
    seen = run.content_sha256
    approve_payment_run(organisation=organisation, run_id=run.pk, content_sha256=seen, actor=checker, at=at)
    return release_payment_run(organisation=organisation, run_id=run.pk, execution_date=DAY, actor=checker, at=at)


def bank_file(run: PaymentRun, at: datetime) -> bytes:
    """The pain.001 file of a released run."""
    with open_attachment(write_payment_file(organisation=run.organisation, run_id=run.pk, at=at)) as file:
        return file.read()


def answered(run: PaymentRun, user: User, at: datetime) -> None:
    """The bank carries the file out, sends the last of several payments back and tells so by its next statement."""
    before = Statement.objects.filter(organisation=run.organisation, closing_minor__isnull=False).order_by("pk").last()
    opening = from_minor(before.closing_minor or 0) if before else None
    content, actor = answer_payment_file(bank_file(run, at), opening=opening), user.as_actor()
    import_statement(organisation=run.organisation, name="st.xml", content=content, actor=actor, at=at)

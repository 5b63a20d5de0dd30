"""Closing a month: nothing is posted into it any more."""

from __future__ import annotations

from datetime import date, datetime

from django.db import connection
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError
from config.locks import wait_turn
from config.periods import add_months
from config.transactions import step
from settlement.actions.ledger import IntoClosedMonth, is_closed
from settlement.actions.runs import person
from settlement.finance_queries import month_figures, providers_of_month
from settlement.models import ClosedMonth
from settlement.month_checks import month_checks

# The key of the advisory lock that writers of entries share (migration 0002_guards).
MONTH_LOCK = 7466924


class MonthNotReady(DomainError):
    """Checks of the month found something."""

    code = "MONTH_NOT_READY"
    message = _("%(month)s cannot be closed yet: %(checks)s. Open the page of the month to see what is left to do.")


class MonthClosedAlready(DomainError):
    """The month is closed."""

    code = "MONTH_CLOSED"
    message = _("%(month)s is closed already.")


class MonthNotOver(DomainError):
    """The month still runs."""

    code = "MONTH_NOT_OVER"
    message = _("%(month)s is not over. Close it after its last day.")


@action
def close_month(*, organisation: Organisation, month: date, actor: Actor, at: datetime) -> ClosedMonth:
    """Close a month when no blocking check finds anything; the checks and the figures are kept with the closing.

    Raises: MonthNotOver, MonthClosedAlready, MonthNotReady. Locks: the organisation's months, against writers of
    entries. Audit: month.closed.
    """
    month = month.replace(day=1)
    name = f"{month:%m.%Y}"
    if local_date(at, organisation.zone) < add_months(month, 1):
        raise MonthNotOver(month=name)
    lock_months(organisation)
    if ClosedMonth.objects.filter(organisation=organisation, month=month).exists():
        raise MonthClosedAlready(month=name)
    checks = month_checks(organisation, month)
    blocking = [check for check in checks if check.blocks]
    if blocking:
        raise MonthNotReady(month=name, checks=", ".join(check.code for check in blocking))
    closed = ClosedMonth.objects.create(
        organisation=organisation,
        month=month,
        closed_by_id=person(actor),
        closed_at=at,
        checks=[check.as_row() for check in checks],
        figures=month_figures(organisation, month),
        providers=providers_of_month(organisation, month),
    )
    warnings = [check.code for check in checks if not check.ok]
    record("month.closed", closed, actor=actor, at=at, month=f"{month:%Y-%m}", warnings=warnings)
    return closed


@step
def lock_months(organisation: Organisation) -> None:
    """Before the checks: an entry that is being written is either seen by them or refused after."""
    wait_turn(MONTH_LOCK, organisation.pk)


@step
def refuse_closed_month(organisation: Organisation, on: date) -> None:
    """For what posts nothing and still changes a day. Raises: IntoClosedMonth. Locks: the months, against a closing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [MONTH_LOCK, organisation.pk])
    if is_closed(organisation, on):
        raise IntoClosedMonth(day=f"{on:%d.%m.%Y}")

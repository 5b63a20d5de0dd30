"""Closing a year: what its budget lines still promise goes over or lapses, its costs end on a result, and nothing is
booked into it any more. One person prepares, another approves what the first one saw.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, label_of, record
from config.clock import local_date
from config.errors import DomainError, FourEyes, NotFound
from config.locks import lock_rows
from config.money import from_minor, to_minor
from config.transactions import step
from contracts.actions.budgets import BudgetExceeded
from contracts.models import BudgetLine, ClosedBudgetLine
from contracts.queries import set_aside_minor
from settlement.actions.advance_money import lock_advances
from settlement.actions.advances import make_year_due
from settlement.actions.fees import open_day
from settlement.actions.ledger import Amounts, EntryDraft, post_entries
from settlement.actions.month_close import lock_months
from settlement.actions.runs import person
from settlement.models import Account, YearClosing
from settlement.rules.posting_plan import EXPENSE, FEE
from settlement.year_queries import (
    CARRY,
    STANDING,
    YearPlan,
    earlier_open_years,
    first_day,
    open_lines,
    open_months_of,
    return_day,
    standing_params,
    unpaid_advances,
    year_plan,
)


class YearNotOver(DomainError):
    """The year still runs."""

    code = "YEAR_NOT_OVER"
    message = _("%(year)s is not over. Close it after its last day.")


class YearHasOpenMonths(DomainError):
    """A month of the year is not closed."""

    code = "YEAR_HAS_OPEN_MONTHS"
    message = _("%(year)s cannot be closed yet: these months are open: %(months)s. Close them first.")


class EarlierYearOpen(DomainError):
    """An earlier year is not closed."""

    code = "EARLIER_YEAR_OPEN"
    message = _("%(years)s must be closed before %(year)s, so that its rest has come over.")


class NextYearLineMissing(DomainError):
    """A line has no line of the same code in the next year."""

    code = "NEXT_YEAR_LINE_MISSING"
    message = _(
        "These budget lines have no line of the same code in %(year)s: %(lines)s. Enter them first, with 0 if nothing "
        "is appropriated: late claims are charged to them."
    )


class LinesOverspent(DomainError):
    """More is spent than was appropriated."""

    code = "LINES_OVERSPENT"
    message = _("More is spent on these budget lines than they have: %(lines)s. Amend them before the year is closed.")


class AdvancesUnpaid(DomainError):
    """Advances of the year wait for their payment."""

    code = "YEAR_ADVANCES_UNPAID"
    message = _("These advances of %(year)s are approved and not paid: %(advances)s. Pay them or cancel them first.")


class YearTaken(DomainError):
    """The year is closed or its closing waits for approval."""

    code = "YEAR_TAKEN"
    message = _("%(year)s is closed already, or its closing waits for approval.")


class YearChanged(DomainError):
    """Something happened since the closing was prepared."""

    code = "YEAR_CHANGED"
    message = _("Something of %(year)s changed since its closing was prepared. Cancel it and prepare it again.")


@action
def propose_year_closing(*, organisation: Organisation, year: int, actor: Actor, at: datetime) -> YearClosing:
    """Prepare the closing of a year: what goes over, what lapses, who returns money.

    Raises: YearNotOver, YearHasOpenMonths, EarlierYearOpen, NextYearLineMissing, LinesOverspent, AdvancesUnpaid,
    BudgetExceeded, YearTaken, ParameterMissing. Audit: year.closing_proposed.
    """
    plan = _checked_plan(organisation, year, at)
    try:
        with transaction.atomic():
            closing = YearClosing.objects.create(
                organisation=organisation,
                year=year,
                plan=plan.as_row(),
                content_sha256=plan.digest,
                proposed_by_id=person(actor),
                proposed_at=at,
                status="proposed",
                status_at=at,
            )
    except IntegrityError as error:
        raise YearTaken(year=year) from error
    record("year.closing_proposed", closing, actor=actor, at=at, year=year, content_sha256=plan.digest)
    return closing


@action
def cancel_year_closing(
    *, organisation: Organisation, closing_id: int, reason: str, actor: Actor, at: datetime
) -> YearClosing:
    """Give up a closing that is not approved. Raises: NotFound, InvalidMove. Audit: year.closing_cancelled."""
    closing = _locked(organisation, closing_id)
    closing.move_to("cancelled", at=at)
    record("year.closing_cancelled", closing, actor=actor, at=at, year=closing.year, reason=reason)
    return closing


@action
def approve_year_closing(
    *, organisation: Organisation, closing_id: int, content_sha256: str, actor: Actor, at: datetime
) -> YearClosing:
    """Close the year as it was prepared: carry and end what stands on its lines, end its costs on the result.

    Entries are dated on the first day of the next year, or today when that month is closed.
    What is unused of the year's advances is asked back.
    Raises: NotFound, FourEyes, YearChanged, InvalidMove, and what preparing raises.
    Locks: advances, budget lines, the organisation's months, the closing.
    Posts: year.expense_closed, year.fee_closed and their opposites. Audit: year.closed.
    """
    lock_advances(organisation)
    lines = lock_rows(BudgetLine.objects.filter(organisation=organisation))
    lock_months(organisation)
    closing = _locked(organisation, closing_id)
    closing.check_move("approved")
    if closing.proposed_by_id == person(actor):
        raise FourEyes()
    plan = _checked_plan(organisation, closing.year, at)
    if not content_sha256 == closing.content_sha256 == plan.digest:
        raise YearChanged(year=closing.year)
    of_year = [line for line in lines if line.year == closing.year]
    _move_promises(plan, organisation, actor, at)
    _post_results(closing, of_year, actor, at)
    _close_lines(plan, of_year, lines, at)
    reason = str(_("The year %(year)s is closed, and advances do not go over.") % {"year": closing.year})
    until = return_day(organisation, closing.year)
    advances = make_year_due(organisation, closing.year, until, reason, at)
    closing.approved_by_id = actor.user_id
    closing.save(update_fields=["approved_by"])
    closing.move_to("approved", at=at)
    record(
        "year.closed",
        closing,
        *advances,
        actor=actor,
        at=at,
        year=closing.year,
        content_sha256=plan.digest,
        carried_minor=sum(_carried(row) for row in plan.lines),
        unspent_minor=sum(row["unspent"] for row in plan.lines),
    )
    return closing


def _locked(organisation: Organisation, closing_id: int) -> YearClosing:
    rows = lock_rows(YearClosing.objects.filter(organisation=organisation, pk=closing_id))
    if not rows:
        raise NotFound()
    return rows[0]


def _carried(row: dict[str, int]) -> int:
    return row["carried_commitments"] + row["carried_reservations"]


def _checked_plan(organisation: Organisation, year: int, at: datetime) -> YearPlan:
    if local_date(at, organisation.zone) < first_day(year + 1):
        raise YearNotOver(year=year)
    months = open_months_of(organisation, year)
    if months:
        raise YearHasOpenMonths(year=year, months=", ".join(f"{month:%m.%Y}" for month in months))
    earlier = earlier_open_years(organisation, year)
    if earlier:
        raise EarlierYearOpen(year=year, years=", ".join(map(str, earlier)))
    unpaid = unpaid_advances(organisation, year)
    if unpaid:
        raise AdvancesUnpaid(year=year, advances=", ".join(unpaid))
    plan = year_plan(organisation, year)
    _check_lines(organisation, plan)
    return plan


def _check_lines(organisation: Organisation, plan: YearPlan) -> None:
    overspent = [row["code"] for row in plan.lines if row["unspent"] < 0]
    if overspent:
        raise LinesOverspent(lines=", ".join(overspent))
    following = {line.code: line for line in open_lines(organisation, plan.year + 1)}
    missing = [row["code"] for row in plan.lines if row["code"] not in following]
    if missing:
        raise NextYearLineMissing(year=plan.year + 1, lines=", ".join(missing))
    for row in plan.lines:
        line = following[row["code"]]
        free = to_minor(line.amount.amount) - set_aside_minor(line)
        if 0 < _carried(row) > free:
            raise BudgetExceeded(line=line, free=from_minor(free), needed=from_minor(_carried(row)))


# Both sides of what goes over, and the end of what lapses, in one statement: the database weighs them together.
_MOVE = f"""
INSERT INTO contracts_budgetentry (budget_line_id, kind, amount_minor, label, occurred_on, recorded_at, recorded_by_id)
SELECT CASE x.side WHEN 1 THEN s.budget_line_id ELSE y.id END, s.kind, -s.amount * x.side, s.label, %(on)s, %(at)s,
    %(by)s
FROM ({STANDING}) s
JOIN contracts_budgetline b ON b.id = s.budget_line_id
JOIN contracts_budgetline y ON y.organisation_id = b.organisation_id AND y.code = b.code AND y.year = b.year + 1
CROSS JOIN (VALUES (1), (-1)) x (side)
WHERE x.side = 1 OR s.carried ORDER BY 1, s.kind, s.label
"""  # noqa: S608  put together from texts of this program
# Certificates in force or still reserving, and agreements that go over, are served by the next year's line from now on.
_CERTIFICATES = """
UPDATE vouchers_certificate c SET budget_line_id = y.id
FROM contracts_budgetline b JOIN contracts_budgetline y
    ON y.organisation_id = b.organisation_id AND y.code = b.code AND y.year = b.year + 1
WHERE b.id = c.budget_line_id AND b.organisation_id = %(organisation)s AND b.year = %(year)s
  AND (c.status IN ('draft', 'issued', 'active', 'suspended', 'exhausted') OR EXISTS (
      SELECT 1 FROM contracts_budgetentry e
      WHERE e.budget_line_id = y.id AND e.label = 'vouchers.certificate:' || c.id))
"""
_CONTRACTS = """
UPDATE contracts_contract k SET budget_line_id = y.id
FROM contracts_budgetline b JOIN contracts_budgetline y
    ON y.organisation_id = b.organisation_id AND y.code = b.code AND y.year = b.year + 1
WHERE b.id = k.budget_line_id AND b.organisation_id = %(organisation)s AND b.year = %(year)s AND EXISTS (
    SELECT 1 FROM contracts_budgetentry e
    WHERE e.budget_line_id = y.id AND e.kind = 'commitment' AND e.label = 'contracts.contract:' || k.id)
"""


@step
def _move_promises(plan: YearPlan, organisation: Organisation, actor: Actor, at: datetime) -> None:
    params = standing_params(organisation, plan.year, plan.rules[CARRY]["value"])
    params |= {"on": local_date(at, organisation.zone), "at": at, "by": actor.user_id}
    with connection.cursor() as cursor:
        for statement in (_MOVE, _CERTIFICATES, _CONTRACTS):
            cursor.execute(statement, params)


@step
def _post_results(closing: YearClosing, lines: list[BudgetLine], actor: Actor, at: datetime) -> None:
    """Costs and fees of the year's lines end on its result, one entry for each account that has a balance."""
    organisation = closing.organisation
    accounts = Account.objects.filter(organisation=organisation, kind__in=(EXPENSE, FEE), budget_line__in=lines)
    on = open_day(organisation, first_day(closing.year + 1), at)
    drafts = list(_drafts(closing, accounts))
    post_entries(organisation=organisation, drafts=drafts, on=on, actor=actor, at=at)


def _drafts(closing: YearClosing, accounts: QuerySet[Account]) -> Iterable[EntryDraft]:
    found = accounts.select_related("budget_line").annotate(balance=Sum(F("postings__debit") - F("postings__credit")))
    for account in found.order_by("code"):
        normal = (account.balance or 0) > 0 if account.kind == EXPENSE else (account.balance or 0) < 0
        event = f"year.{account.kind}_{'closed' if normal else 'returned'}"
        part = Amounts({"amount": abs(account.balance or 0)}, budget_line=account.budget_line)
        yield EntryDraft(event, f"year.closed:{closing.pk}:{account.pk}", label_of(closing), [part])


@step
def _close_lines(plan: YearPlan, of_year: list[BudgetLine], lines: list[BudgetLine], at: datetime) -> None:
    following = {line.code: line for line in lines if line.year == plan.year + 1}
    unspent = {row["id"]: row["unspent"] for row in plan.lines}
    ClosedBudgetLine.objects.bulk_create(
        ClosedBudgetLine(budget_line=line, successor=following[line.code], unspent_minor=unspent[line.pk], closed_at=at)
        for line in of_year
    )

"""Budget lines and what is set aside on them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Model, Sum
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, label_of, record
from config.errors import DomainError
from config.locks import lock_rows
from config.money import from_minor, to_minor
from config.transactions import step
from contracts.actions.catalogue import CodeTaken
from contracts.currency import money
from contracts.models import BudgetEntry, BudgetLine
from contracts.queries import is_closed_line, set_aside_minor


class BudgetExceeded(DomainError):
    """More is set aside than the line has."""

    code = "BUDGET_EXCEEDED"
    message = _("The budget line «%(line)s» has %(free)s left, %(needed)s is needed. Amend the budget first.")


class BudgetBelowCommitments(DomainError):
    """An amendment would leave less than is already set aside."""

    code = "BUDGET_BELOW_COMMITMENTS"
    message = _("%(set_aside)s of «%(line)s» is already set aside; the line cannot become %(amount)s.")


class BudgetYearClosed(DomainError):
    """The year of the line is closed."""

    code = "BUDGET_YEAR_CLOSED"
    message = _("The year of the budget line «%(line)s» is closed. Use the line of an open year.")


@step
def refuse_closed_year(line: BudgetLine) -> None:
    """Nothing changes on a line of a closed year; the database refuses it too. Raises: BudgetYearClosed."""
    if is_closed_line(line):
        raise BudgetYearClosed(line=line)


@action
def add_budget_line(
    *,
    organisation: Organisation,
    code: str,
    year: int,
    amount: Decimal,
    actor: Actor,
    at: datetime,
    title: str = "",
    programme: str = "",
    economic_code: str = "",
    source: str = "",
) -> BudgetLine:
    """Enter an appropriation of a year. Raises: CodeTaken. Audit: budget_line.added."""
    try:
        with transaction.atomic():
            line = BudgetLine.objects.create(
                organisation=organisation,
                code=code,
                year=year,
                name=title,
                programme=programme,
                economic_code=economic_code,
                source=source,
                amount=money(amount, organisation.currency),
            )
    except IntegrityError as error:
        raise CodeTaken(key=f"{code} {year}") from error
    record("budget_line.added", line, actor=actor, at=at, code=code, year=year, amount=amount)
    return line


@action
def amend_budget_line(*, line: BudgetLine, amount: Decimal, basis: str, actor: Actor, at: datetime) -> BudgetLine:
    """Change an appropriation by a decision. Raises: BudgetBelowCommitments, BudgetYearClosed.
    Audit: budget_line.amended.
    """
    line = lock_rows(BudgetLine.objects.filter(pk=line.pk))[0]
    refuse_closed_year(line)
    set_aside = from_minor(set_aside_minor(line))
    if amount < set_aside:
        raise BudgetBelowCommitments(line=line, set_aside=set_aside, amount=amount)
    before = line.amount.amount
    line.amount = money(amount, line.amount.currency)
    line.save(update_fields=["amount", "amount_currency"])
    record("budget_line.amended", line, actor=actor, at=at, before=before, after=amount, basis=basis)
    return line


@step
def commit_budget(
    *, line: BudgetLine, amount: Decimal, cause: Model, on: date, actor: Actor, at: datetime
) -> BudgetEntry:
    """Set aside the ceiling of a grant agreement. Raises: BudgetExceeded, BudgetYearClosed. Locks: the line."""
    line = lock_rows(BudgetLine.objects.filter(pk=line.pk))[0]
    refuse_closed_year(line)
    free = line.amount.amount - from_minor(set_aside_minor(line))
    if amount > free:
        raise BudgetExceeded(line=line, free=free, needed=amount)
    return BudgetEntry.objects.create(
        budget_line=line,
        kind="commitment",
        amount_minor=to_minor(amount),
        label=label_of(cause),
        occurred_on=on,
        recorded_at=at,
        recorded_by_id=actor.user_id,
    )


@step
def release_commitment(*, line: BudgetLine, cause: Model, on: date, actor: Actor, at: datetime) -> int:
    """Give back what is still committed for a cause; returns it in minor units (0: nothing is)."""
    label = label_of(cause)
    rows = BudgetEntry.objects.filter(budget_line=line, kind="commitment", label=label)
    left: int = rows.aggregate(total=Sum("amount_minor"))["total"] or 0
    if left <= 0:
        return 0
    BudgetEntry.objects.create(
        budget_line=line,
        kind="commitment",
        amount_minor=-left,
        label=label,
        occurred_on=on,
        recorded_at=at,
        recorded_by_id=actor.user_id,
    )
    return left

"""A statement that counts already but should not (of the wrong account, read with the wrong columns): it leaves the
books as if it had never come.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.errors import DomainError
from config.locks import lock_rows
from config.transactions import step
from settlement.bank_queries import passed_on
from settlement.models import Statement, StatementLine
from settlement.repeat_queries import REPEATED, is_used

# A refusal names so many lines; the figure counts all of them.
_NAMED = 10


class StatementInUse(DomainError):
    """Money is booked by lines of it."""

    code = "STATEMENT_IN_USE"
    message = _(
        "Money is booked by lines of this statement (%(count)d: %(lines)s). Undo each on the page of its line, then "
        "refuse the statement."
    )


class StatementStays(DomainError):
    """What was booked by a line of it is not undone."""

    code = "STATEMENT_STAYS"
    message = _(
        "By this statement collected fees were passed on to providers (%(lines)s), which is not undone: it stays. "
        "Explain its other lines one by one."
    )


@step
def lock_lines_with_repetitions(organisation: Organisation, statement_id: int) -> None:
    """Lock the lines of a statement, and those of others that count once because of it, by primary key."""
    statement = Statement.objects.filter(pk=statement_id, organisation=organisation).first()
    if statement is not None:
        lock_rows(StatementLine.objects.filter(Q(statement=statement) | Q(pk__in=_repeating(statement).values("pk"))))


@step
def reopen_repetitions(statement: Statement, *, at: datetime) -> list[Statement]:
    """Lines of other statements that count once because this one tells them wait again, for it is to be thrown out.

    Returns the statements that have such lines, not settled yet. Raises: StatementInUse, StatementStays.
    """
    used = [line for line in statement.lines.order_by("position") if is_used(line)]
    lasting = passed_on(used)
    if lasting:
        raise StatementStays(lines=_named([line for line in used if line.pk in lasting]))
    if used:
        raise StatementInUse(count=len(used), lines=_named(used))
    lines = list(_repeating(statement).select_related("statement"))
    for line in lines:
        line.explanation, line.told_by_id = "", None
        line.status, line.status_at = "unmatched", at
    StatementLine.objects.bulk_update(lines, ["explanation", "told_by", "status", "status_at"])
    others = {line.statement_id: line.statement for line in lines}
    return [others[key] for key in sorted(others)]


def _named(lines: list[StatementLine]) -> str:
    first = ", ".join(str(line.position) for line in lines[:_NAMED])
    return first if len(lines) <= _NAMED else f"{first}…"


def _repeating(statement: Statement) -> QuerySet[StatementLine]:
    rows = StatementLine.objects.filter(
        REPEATED,
        explanation=statement.statement_id,
        statement__organisation=statement.organisation_id,
        statement__iban=statement.iban,
    )
    return rows.exclude(statement=statement.pk).exclude(statement__status="refused")

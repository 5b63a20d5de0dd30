"""Bank lines that bring the money of a clawback without its reference: a person says for which case."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError
from config.money import from_minor
from settlement.actions.bank_lines import lock_whole_line
from settlement.actions.clawback_recovery import lock_owing, owing, repay
from settlement.actions.matching import settle_statement
from settlement.models import StatementLine


class CaseUnknown(DomainError):
    """No case of that number that waits for money."""

    code = "CLAWBACK_UNKNOWN"
    message = _("No decided case «%(case)s» waits for money that this line could be. Look at its number again.")


class MoreThanOwed(DomainError):
    """More than is still owed."""

    code = "CLAWBACK_MORE_THAN_OWED"
    message = _("Of the case «%(case)s» %(owed)s is still owed, the line is of %(amount)s. Explain the line in words.")


@action
def repay_with_line(
    *, organisation: Organisation, line_id: int, case: str, actor: Actor, at: datetime
) -> StatementLine:
    """The provider forgot the reference: a person says for which case the money of a line is.

    Raises: NotFound, LineNotOpen, CaseUnknown, MoreThanOwed. Locks: case, line. Posts: clawback.repaid.
    Audit: statement_line.explained.
    """
    lock_owing(organisation)
    line = lock_whole_line(organisation, line_id)
    found = owing(organisation).filter(number=case.strip()).first()
    if found is None or line.amount_minor <= 0 or line.currency != organisation.currency:
        raise CaseUnknown(case=case)
    if line.amount_minor > found.outstanding:  # type: ignore[attr-defined]  # annotated
        owed, amount = from_minor(found.outstanding), from_minor(line.amount_minor)  # type: ignore[attr-defined]
        raise MoreThanOwed(case=found.number, owed=owed, amount=amount)
    repay(found, line, actor=actor, at=at)
    settle_statement(line.statement, at=at)
    record("statement_line.explained", line, line.statement, found, actor=actor, at=at, explanation=found.number)
    return line

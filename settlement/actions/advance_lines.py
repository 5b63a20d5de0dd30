"""Bank lines that bring an unused advance without its reference, or that were taken for one and are something else."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError, NotFound
from config.money import from_minor
from settlement.actions.advance_money import lock_advances, repay_advance, unrepay_advance
from settlement.actions.advances import locked_advance
from settlement.actions.bank_lines import demand_reason, lock_line, lock_whole_line, open_again
from settlement.actions.matching import settle_statement
from settlement.advance_queries import live_returns, returnable
from settlement.models import AdvanceReturn, StatementLine


class AdvanceUnknown(DomainError):
    """No advance of that number that money can come back of."""

    code = "ADVANCE_UNKNOWN"
    message = _("No paid advance «%(advance)s» waits for money that this line could be. Look at its number again.")


class MoreThanLeft(DomainError):
    """More than stands on it."""

    code = "ADVANCE_MORE_THAN_LEFT"
    message = _("Of the advance «%(advance)s» %(left)s is left, the line is of %(amount)s. Explain the line in words.")


@action
def repay_advance_with_line(
    *, organisation: Organisation, line_id: int, advance: str, actor: Actor, at: datetime
) -> StatementLine:
    """The provider forgot the reference: a person says of which advance the money of a line is.

    Raises: NotFound, LineNotOpen, AdvanceUnknown, MoreThanLeft. Locks: advances, line. Posts: advance.repaid.
    Audit: statement_line.explained.
    """
    lock_advances(organisation)
    line = lock_whole_line(organisation, line_id)
    found = returnable(organisation).filter(number=advance.strip()).first()
    if found is None or line.amount_minor <= 0 or line.currency != organisation.currency:
        raise AdvanceUnknown(advance=advance)
    if line.amount_minor > found.outstanding:  # type: ignore[attr-defined]  # annotated
        left, amount = from_minor(found.outstanding), from_minor(line.amount_minor)  # type: ignore[attr-defined]
        raise MoreThanLeft(advance=found.number, left=left, amount=amount)
    repay_advance(found, line, actor=actor, at=at)
    settle_statement(line.statement, at=at)
    record("statement_line.explained", line, line.statement, found, actor=actor, at=at, explanation=found.number)
    return line


@action
def undo_advance_return(
    *, organisation: Organisation, return_id: int, reason: str, actor: Actor, at: datetime
) -> AdvanceReturn:
    """Say that a bank line was no money of an advance: it stands on it again.

    Raises: NotFound (also when undone before), ReasonMissing, IntoClosedMonth. Locks: advance, line.
    Posts: advance.unrepaid. Audit: advance.unrepaid.
    """
    demand_reason(reason)
    rows = live_returns(organisation)
    named = rows.filter(pk=return_id).first()
    if named is None:
        raise NotFound()
    named.advance = locked_advance(organisation, named.advance_id)
    line = lock_line(organisation, named.statement_line_id)
    # Another person may have undone it while we waited.
    if not rows.filter(pk=return_id).exists():
        raise NotFound()
    undone = unrepay_advance(named, reason=reason, actor=actor, at=at)
    open_again(line, at=at)
    record(
        "advance.unrepaid", line, line.statement, named.advance, actor=actor, at=at, reason=reason,
        number=named.advance.number, amount_minor=named.amount_minor,
    )  # fmt: skip
    return undone

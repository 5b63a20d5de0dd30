"""Clearing statements: drawn up for a month, disputed line by line, agreed by a person of each side, paid."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.errors import DomainError, FourEyes, NotFound
from config.locks import lock_rows
from config.money import from_minor
from config.periods import month_of
from config.transactions import step
from contracts.actions.clearing import refuse_stranger
from settlement.actions.bank_lines import lock_line
from settlement.actions.clearing_postings import lock_books, post_agreed, post_given_up, post_payment
from settlement.actions.matching import settle_statement
from settlement.actions.payment_postings import settle_lines
from settlement.clearing_queries import clearing_statements, followed, open_items
from settlement.models import ClearingItem, ClearingLine, ClearingPayment, ClearingStatement, StatementLine
from settlement.models.clearing import DROPPED, OWED
from settlement.models.statements import LIVE


class NothingToClear(DomainError):
    """No visit of either side waits for a statement."""

    code = "NOTHING_TO_CLEAR"
    message = _("Neither side owes the other anything for visits up to %(month)s that no statement has yet.")


class DisputeReasonMissing(DomainError):
    """The other side has to answer words."""

    code = "DISPUTE_REASON_MISSING"
    message = _("Write why the line is not owed: the other municipality has to answer it.")
    http_status = 400


class NotOurDispute(DomainError):
    """Each side speaks for itself."""

    code = "NOT_OUR_DISPUTE"
    message = _(
        "A line is disputed, and the dispute taken back, by the municipality that issued the certificate; only the "
        "one that bought the visit can give it up."
    )


class LineNotDisputed(DomainError):
    """There is nothing to answer."""

    code = "LINE_NOT_DISPUTED"
    message = _("This line is not disputed, or the dispute is over. Reload the page.")


class FollowedByOther(DomainError):
    """What followed rests on the refund."""

    code = "CLEARING_FOLLOWED"
    message = _(
        "After this line the refund of the same visit was worked out anew, or money of it came back. Give up what came "
        "last first, or let the other municipality say that the line is owed."
    )


class StatementNotAgreed(DomainError):
    """Only agreed sums are paid, once a side."""

    code = "CLEARING_NOT_TO_PAY"
    message = _("The statement %(number)s has nothing to pay here: it is not agreed yet, or its payment is booked.")


class ClearingSumDiffers(DomainError):
    """The bank moved another sum."""

    code = "CLEARING_SUM_DIFFERS"
    message = _("The bank line is of %(line)s, the statement of %(net)s. Choose the line of this payment.")


@action
def draw_statement(
    *, organisation: Organisation, other: Organisation, month: date, actor: Actor, at: datetime
) -> ClearingStatement:
    """Put what two municipalities owe each other for visits up to the end of a month on its statement.

    Everything that no statement has yet, late decisions and settled disputes of earlier months included; both
    directions. Idempotent per pair and month.
    Raises: NotFound, NothingToClear. Locks: the pair's numbering. Audit: clearing.drawn.
    """
    user = refuse_stranger(organisation, actor)
    first, second = lock_rows(Organisation.objects.filter(pk__in=[organisation.pk, other.pk]))
    period = month_of(month)
    known = ClearingStatement.objects.filter(first=first, second=second, period=period).first()
    if known is not None:
        nothing_to_record()
        return known
    items = list(open_items(first, second, period))
    if not items:
        raise NothingToClear(month=f"{period:%m.%Y}")
    statement = ClearingStatement.objects.create(
        first=first, second=second, period=period, number=f"CS-{first.code}-{second.code}-{period:%Y-%m}",
        status="drawn", status_at=at, drawn_by_id=user, recorded_at=at,
    )  # fmt: skip
    ClearingLine.objects.bulk_create(ClearingLine(statement=statement, item=item) for item in items)
    _sum_up(statement)
    record(
        "clearing.drawn", statement, first, second, actor=actor, at=at, organisation=organisation.code,
        number=statement.number, period=f"{period:%Y-%m}", lines=len(items), net_minor=statement.net_minor,
    )  # fmt: skip
    return statement


@step
def _sum_up(statement: ClearingStatement) -> None:
    """Sums of the undisputed lines; whoever had signed has to look again."""
    owed = dict(
        ClearingItem.objects.filter(lines__in=statement.lines.filter(disputed_at=None))
        .values_list("home")
        .annotate(total=Sum("due_minor"))
    )
    statement.first_owes_minor = owed.get(statement.first_id, 0)
    statement.second_owes_minor = owed.get(statement.second_id, 0)
    statement.first_signed_by = statement.first_signed_at = None
    statement.second_signed_by = statement.second_signed_at = None
    statement.save()


@step
def lock_statement(organisation: Organisation, statement_id: int) -> ClearingStatement:
    """A statement of a side, locked. Raises: NotFound."""
    rows = lock_rows(clearing_statements(organisation).filter(pk=statement_id))
    if not rows:
        raise NotFound()
    return rows[0]


@action
def agree_statement(*, organisation: Organisation, statement_id: int, actor: Actor, at: datetime) -> ClearingStatement:
    """Sign for one side; the second signature agrees the statement and posts it in both books.

    The issuer's cost goes to the budget line of each certificate, whose reservation is spent. Idempotent for a side.
    Raises: NotFound, FourEyes (one person for two sides, or who drew it up), IntoClosedMonth.
    Locks: budget lines and certificates of both sides, statement. Posts: clearing.agreed, clearing.returned.
    Audit: clearing.signed, clearing.agreed.
    """
    user = refuse_stranger(organisation, actor)
    lock_books(organisation, statement_id)
    statement = lock_statement(organisation, statement_id)
    if statement.signed_by(organisation) is not None:
        nothing_to_record()
        return statement
    if user in (statement.drawn_by_id, statement.first_signed_by_id, statement.second_signed_by_id):
        raise FourEyes()
    side = "first" if organisation.pk == statement.first_id else "second"
    setattr(statement, f"{side}_signed_by_id", user)
    setattr(statement, f"{side}_signed_at", at)
    statement.save(update_fields=[f"{side}_signed_by", f"{side}_signed_at"])
    both = statement.first_signed_at is not None and statement.second_signed_at is not None
    if both:
        statement.move_to("agreed", at=at)
        post_agreed(statement, actor=actor, at=at)
        _settle_if_paid(statement, at)
    record(
        "clearing.agreed" if both else "clearing.signed", statement, statement.other(organisation), actor=actor, at=at,
        organisation=organisation.code, number=statement.number, net_minor=statement.net_minor,
    )  # fmt: skip
    return statement


@action
def dispute_line(
    *, organisation: Organisation, statement_id: int, line_id: int, reason: str, actor: Actor, at: datetime
) -> ClearingLine:
    """Take a line out of the sums with a reason, before the statement is agreed; signatures under it are void.

    Raises: NotFound, DisputeReasonMissing, NotOurDispute, LineNotDisputed for one that is or was disputed, InvalidMove.
    Locks: statement. Audit: clearing.disputed.
    """
    user = refuse_stranger(organisation, actor)
    if not reason.strip():
        raise DisputeReasonMissing()
    statement = lock_statement(organisation, statement_id)
    line = _line(statement, line_id)
    statement.check_move("agreed")
    if line.item.home_id != organisation.pk:
        raise NotOurDispute()
    if line.disputed_at is not None:
        raise LineNotDisputed()
    line.reason, line.disputed_by_id, line.disputed_at = reason.strip()[:300], user, at
    line.save(update_fields=["reason", "disputed_by", "disputed_at"])
    _sum_up(statement)
    record(
        "clearing.disputed", statement, line.item.claim, actor=actor, at=at, organisation=organisation.code,
        number=statement.number, line=line.pk, reason=line.reason, net_minor=statement.net_minor,
    )  # fmt: skip
    return line


@step
def _line(statement: ClearingStatement, line_id: int) -> ClearingLine:
    rows = lock_rows(statement.lines.select_related("item__claim", "item__home").filter(pk=line_id))
    if not rows:
        raise NotFound()
    return rows[0]


@action
def answer_dispute(
    *, organisation: Organisation, statement_id: int, line_id: int, answer: str, actor: Actor, at: datetime
) -> ClearingLine:
    """End a dispute by giving way: the issuer says that the line is ``owed``, and a later statement takes it; or who
    bought the visit lets it be ``dropped``, and its own budget bears it.

    Raises: NotFound, NotOurDispute, LineNotDisputed, FollowedByOther, IntoClosedMonth. Locks: budget lines, statement.
    Posts: clearing.given_up, clearing.kept. Audit: clearing.answered.
    """
    user = refuse_stranger(organisation, actor)
    lock_books(organisation, statement_id)
    statement = lock_statement(organisation, statement_id)
    line = _line(statement, line_id)
    if line.disputed_at is None or line.answer:
        raise LineNotDisputed()
    if organisation.pk != {OWED: line.item.home_id, DROPPED: line.item.organisation_id}[answer]:
        raise NotOurDispute()
    if answer == DROPPED and followed(line.item):
        raise FollowedByOther()
    line.answer, line.answered_by_id, line.answered_at = answer, user, at
    line.save(update_fields=["answer", "answered_by", "answered_at"])
    if answer == DROPPED:
        post_given_up(line, actor=actor, at=at)
    record(
        "clearing.answered", statement, line.item.claim, actor=actor, at=at, organisation=organisation.code,
        number=statement.number, line=line.pk, answer=answer, amount_minor=line.item.due_minor,
    )  # fmt: skip
    return line


@action
def book_payment(
    *, organisation: Organisation, statement_id: int, line_id: int, actor: Actor, at: datetime
) -> ClearingPayment:
    """Book a bank line of one's own as the payment of an agreed statement: each side books its own line.

    Raises: NotFound, StatementNotAgreed, ClearingSumDiffers. Locks: statement, bank line.
    Posts: clearing.paid, clearing.received. Audit: clearing.paid.
    """
    statement = lock_statement(organisation, statement_id)
    _check_payable(statement, organisation)
    line = _bank_line(organisation, line_id)
    payment = take_net(statement, line, line.amount_minor, actor=actor, at=at)
    settle_statement(line.statement, at=at)
    record(
        "clearing.paid", statement, line, actor=actor, at=at, organisation=organisation.code, number=statement.number,
        amount_minor=line.amount_minor,
    )  # fmt: skip
    return payment


@step
def take_net(
    statement: ClearingStatement, line: StatementLine, amount_minor: int, *, actor: Actor, at: datetime
) -> ClearingPayment:
    """Book a locked bank line, or a part of it, as the payment of a locked statement by the side whose line it is.

    Raises: NotFound, StatementNotAgreed, ClearingSumDiffers. Posts: clearing.paid, clearing.received.
    """
    side = line.statement.organisation
    user = refuse_stranger(side, actor)
    _check_payable(statement, side)
    net = -statement.paid_by(side)
    if amount_minor != net:
        raise ClearingSumDiffers(line=from_minor(amount_minor), net=from_minor(net))
    payment = ClearingPayment.objects.create(
        statement=statement, organisation=side, statement_line=line, amount_minor=amount_minor, recorded_by_id=user,
        recorded_at=at,
    )  # fmt: skip
    settle_lines([line], at=at)
    post_payment(payment, actor=actor, at=at)
    _settle_if_paid(statement, at)
    return payment


def _check_payable(statement: ClearingStatement, side: Organisation) -> None:
    if statement.status != "agreed" or statement.payments.filter(organisation=side, **LIVE).exists():
        raise StatementNotAgreed(number=statement.number)


@step
def _bank_line(organisation: Organisation, line_id: int) -> StatementLine:
    line = lock_line(organisation, line_id)
    waits = line.status == "unmatched" and line.statement.status == "imported"
    if not waits or line.currency != organisation.currency:
        raise NotFound()
    return line


@step
def _settle_if_paid(statement: ClearingStatement, at: datetime) -> None:
    if not statement.net_minor or statement.payments.filter(**LIVE).count() == 2:
        statement.move_to("settled", at=at)

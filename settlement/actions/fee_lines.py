"""Bank lines of recipients' fees that a person explains: a fee without its reference, money of cards, passing on."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, label_of, record
from config.errors import DomainError
from config.money import from_minor
from config.transactions import step
from contracts.models import Provider
from settlement.actions.bank_lines import lock_whole_line
from settlement.actions.fees import lock_notice, receive_by_bank
from settlement.actions.ledger import Amounts, EntryDraft, post_entries
from settlement.actions.matching import settle_statement
from settlement.fee_queries import PASSED_ON, held_for
from settlement.models import FeeNotice, StatementLine


class NoticeUnknown(DomainError):
    """No notice of that number, or money that goes out."""

    code = "FEE_NOTICE_UNKNOWN"
    message = _("There is no notice «%(notice)s» that this line could pay. Look at its number or reference again.")


class NotHeld(DomainError):
    """More than came for the provider."""

    code = "FEES_NOT_HELD"
    message = _("Of the fees collected for %(provider)s, %(held)s are held. This line is of %(amount)s.")


@action
def pay_notice_with_line(
    *, organisation: Organisation, line_id: int, notice: str, actor: Actor, at: datetime
) -> StatementLine:
    """A payer forgot the reference: a person says which notice the money is for.

    Raises: NotFound, LineNotOpen, NoticeUnknown. Locks: notice, line. Posts: fee.paid_by_bank.
    Audit: statement_line.explained.
    """
    key = notice.replace(" ", "").upper()
    rows = FeeNotice.objects.filter(organisation=organisation).select_related("organisation")
    found = rows.filter(number=key).first() or rows.filter(rf_reference=key).first()
    if found:
        # Before the line, as the import of a statement locks them.
        lock_notice(found)
    line = lock_whole_line(organisation, line_id)
    if found is None or line.amount_minor <= 0 or line.currency != organisation.currency:
        raise NoticeUnknown(notice=notice)
    receive_by_bank(found, line, actor=actor, at=at)
    line.move_to("matched", at=at)
    settle_statement(line.statement, at=at)
    record("statement_line.explained", line, line.statement, found, actor=actor, at=at, explanation=found.number)
    return line


@action
def explain_as_cards(*, organisation: Organisation, line_id: int, actor: Actor, at: datetime) -> StatementLine:
    """Stripe paid its balance out to our account, or we filled it up. Raises: NotFound, LineNotOpen.
    Posts: card.paid_out, card.topped_up. Audit: statement_line.explained.
    """
    line = lock_whole_line(organisation, line_id)
    event = "card.paid_out" if line.amount_minor > 0 else "card.topped_up"
    _explain(line, event, None, "Stripe", actor, at)
    return line


@action
def explain_as_passed_on(
    *, organisation: Organisation, line_id: int, provider_id: int, actor: Actor, at: datetime
) -> StatementLine:
    """Fees that came for a provider went to it. Raises: NotFound, LineNotOpen, NotHeld.
    Posts: fee.passed_on. Audit: statement_line.explained.
    """
    line = lock_whole_line(organisation, line_id)
    provider = Provider.objects.get(pk=provider_id)
    held = held_for(organisation, provider)
    if not 0 < -line.amount_minor <= held:
        raise NotHeld(provider=provider.name, held=from_minor(max(held, 0)), amount=from_minor(line.amount_minor))
    _explain(line, PASSED_ON, provider, provider.name, actor, at)
    return line


@step
def _explain(
    line: StatementLine, event: str, provider: Provider | None, words: str, actor: Actor, at: datetime
) -> None:
    line.explanation, line.explained_by_id = words[:300], actor.user_id
    line.save(update_fields=["explanation", "explained_by"])
    line.move_to("explained", at=at)
    part = Amounts({"amount": abs(line.amount_minor)}, provider=provider, bank=line.statement.iban)
    draft = EntryDraft(event, f"{event}:{line.pk}", label_of(line), [part])
    post_entries(organisation=line.statement.organisation, drafts=[draft], on=line.booked_on, actor=actor, at=at)
    settle_statement(line.statement, at=at)
    record("statement_line.explained", line, line.statement, actor=actor, at=at, explanation=words)

"""Bank lines around recipients' fees that no notice takes: money of cards, and fees passed on to a provider."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError
from config.money import from_minor
from config.transactions import step
from contracts.models import Provider
from settlement.actions.bank_lines import book_rest, lock_open_line
from settlement.actions.matching import settle_statement
from settlement.actions.payment_postings import open_of
from settlement.fee_queries import PASSED_ON, held_for
from settlement.models import Account, StatementLine


class NotHeld(DomainError):
    """More than came for the provider."""

    code = "FEES_NOT_HELD"
    message = _("Of the fees collected for %(provider)s, %(held)s are held. This line is of %(amount)s.")


@action
def explain_as_cards(*, organisation: Organisation, line_id: int, actor: Actor, at: datetime) -> StatementLine:
    """Stripe paid its balance out to our account, or we filled it up. Raises: NotFound, LineNotOpen.
    Posts: card.paid_out, card.topped_up. Audit: statement_line.explained.
    """
    line = lock_open_line(organisation, line_id)
    event = "card.paid_out" if line.amount_minor > 0 else "card.topped_up"
    _explain(line, event, None, "Stripe", actor, at)
    return line


@action
def explain_as_passed_on(
    *, organisation: Organisation, line_id: int, provider_id: int, actor: Actor, at: datetime
) -> StatementLine:
    """Fees that came for a provider went to it. Raises: NotFound, LineNotOpen, NotHeld.
    Locks: the line, the account of what is held for the provider.
    Posts: fee.passed_on. Audit: statement_line.explained.
    """
    line = lock_open_line(organisation, line_id)
    provider = Provider.objects.get(pk=provider_id)
    _lock_held(organisation, provider)
    held = held_for(organisation, provider)
    amount = -open_of(line)
    if not 0 < amount <= held:
        raise NotHeld(provider=provider.name, held=from_minor(max(held, 0)), amount=from_minor(-amount))
    _explain(line, PASSED_ON, provider, provider.name, actor, at)
    return line


@step
def _lock_held(organisation: Organisation, provider: Provider) -> None:
    """Lines that pass on the same money wait for each other, and nobody else: who posts to the account only refers to
    it. A provider without the account has nothing held.
    """
    rows = Account.objects.filter(organisation=organisation, kind="held", provider=provider)
    list(rows.order_by("pk").select_for_update(no_key=True))


@step
def _explain(
    line: StatementLine, event: str, provider: Provider | None, words: str, actor: Actor, at: datetime
) -> None:
    book_rest(line, words, event, provider=provider, actor=actor, at=at)
    settle_statement(line.statement, at=at)
    record("statement_line.explained", line, line.statement, actor=actor, at=at, explanation=words)

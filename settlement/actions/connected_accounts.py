"""Accounts of providers at Stripe."""

from __future__ import annotations

import re
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError, NotFound
from contracts.models import Provider
from settlement.models import ConnectedAccount


class AccountUnfit(DomainError):
    """Not an account of Stripe, or another provider's."""

    code = "CONNECTED_ACCOUNT_UNFIT"
    message = _("«%(account)s» is no account of Stripe, or it is another provider's. It begins with acct_.")
    http_status = 400


@action
def connect_account(*, provider_code: str, account: str, actor: Actor, at: datetime) -> ConnectedAccount:
    """Record or change a provider's account. Runs approved before are not paid to it: their approvers signed another.

    Raises: NotFound, AccountUnfit. Audit: connected_account.recorded.
    """
    provider = Provider.objects.filter(code=provider_code).first()
    if provider is None:
        raise NotFound()
    taken = ConnectedAccount.objects.filter(account=account).exclude(provider=provider).exists()
    if taken or not re.fullmatch(r"acct_[A-Za-z0-9]+", account):
        raise AccountUnfit(account=account)
    row, _made = ConnectedAccount.objects.update_or_create(
        provider=provider, defaults={"account": account, "recorded_at": at}
    )
    record("connected_account.recorded", provider, row, actor=actor, at=at, account=account)
    return row

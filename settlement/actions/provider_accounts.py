"""A provider is paid to another account: its money waits until another person has had the account confirmed."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override
from stdnum import iban as iban_number

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from contracts.actions.check_facts import replace_account
from contracts.models import Contract, Provider, ProviderAccount
from contracts.parameters import ParameterBook
from settlement.actions.claim_notices import tell_provider
from settlement.actions.holds import put_in_force
from settlement.documents import document_language
from settlement.models import Claim, PaymentHold
from settlement.rules.parameters import ACCOUNT_DAYS, LIMITS


@action
def change_account(
    *, organisation: Organisation, provider: Provider, iban: str, actor: Actor, at: datetime
) -> ProviderAccount:
    """A new bank account of a provider, in use from the day on which it is recorded (CLM-44).

    For the days of the parameter every office that deals with the provider holds its payments and tells it so; lifting
    takes another person. Raises: IbanInvalid, SameAccount, NotPermitted. Locks: claims, runs, provider.
    Audit: provider.account_changed.
    """
    before, number = provider.iban[-4:], iban_number.compact(iban)[-4:]
    touched = []
    for office in _offices(organisation, provider):
        hold = _hold(office, provider, number, local_date(at, office.zone))
        if hold is not None:
            touched += [hold, *put_in_force(hold, actor=actor, at=at)]
            told = {"iban": number, "from_date": hold.from_date.isoformat(), "to_date": str(hold.to_date)}
            tell_provider(hold, "payment_hold.account_changed", told, at=at)
    on = local_date(at, organisation.zone)
    row = replace_account(provider=provider, iban=iban, actor=actor, on=on, at=at)
    said = {"organisation": organisation.code, "before": before, "iban": number}
    record("provider.account_changed", provider, row, *touched, actor=actor, at=at, **said)
    return row


def _offices(organisation: Organisation, provider: Provider) -> QuerySet[Organisation]:
    """The acting office, and those with a contract or a claim of the provider."""
    contracts, claims = (rows.objects.filter(provider=provider) for rows in (Contract, Claim))
    deals = Q(pk__in=contracts.values("organisation")) | Q(pk__in=claims.values("organisation"))
    return Organisation.objects.filter(Q(pk=organisation.pk) | deals).order_by("pk")


def _hold(office: Organisation, provider: Provider, digits: str, on: date) -> PaymentHold | None:
    value = ParameterBook.load(office, ACCOUNT_DAYS).get(ACCOUNT_DAYS, on)
    days = int(LIMITS[ACCOUNT_DAYS][0]) if value is None else value.whole
    if days <= 0:
        return None
    return PaymentHold(
        organisation=office,
        provider=provider,
        reason=_reason(office, digits, on),
        from_date=on,
        to_date=on + timedelta(days=days),
    )


def _reason(office: Organisation, digits: str, on: date) -> str:
    with override(document_language(office)):
        return _(
            "The provider's bank account was changed on %(day)s; the new one ends in %(digits)s. Ring the provider on "
            "the number of the contract, have the account confirmed, then lift this hold."
        ) % {"day": f"{on:%d.%m.%Y}", "digits": digits}

"""Facts for checks of claims: schedules, accounts, relations, required evidence, budgets of grants."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _
from stdnum import iban as iban_number

from config.accounts.models import Organisation, User
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError, NotFound
from config.locks import lock_rows
from config.transactions import saved_once, step
from contracts.actions.register import IbanInvalid, check_iban
from contracts.models import (
    Contract,
    GrantItem,
    Provider,
    ProviderAccount,
    ProviderRelation,
    ProviderSchedule,
    RequiredEvidence,
    Service,
    ServiceIncompatibility,
)
from contracts.models.parties import ACCOUNT_LENGTH, STRIPE_ACCOUNT

Row = TypeVar("Row", bound=models.Model)


class FactExists(DomainError):
    """The database holds such a fact for some of the days already."""

    code = "FACT_EXISTS"
    message = _("This is recorded already for the same days. End what is recorded first, or choose other days.")


class DatesReversed(DomainError):
    """A range ends before it begins."""

    code = "DATES_REVERSED"
    message = _("The last day is before the first one. Correct the dates.")


class AccountUnfit(DomainError):
    """Not an account of Stripe, or another provider's."""

    code = "CONNECTED_ACCOUNT_UNFIT"
    message = _("«%(account)s» is no account of Stripe, or it is another provider's. It begins with acct_.")
    http_status = 400


class SameAccount(DomainError):
    """The provider is paid to that account already."""

    code = "SAME_ACCOUNT"
    message = _("«%(provider)s» is paid to this account already. Nothing has to be done.")


class RelatedPerson(DomainError):
    """CLM-45: nobody judges or pays a provider to whom they are related."""

    code = "CONFLICT_OF_INTEREST"
    message = _(
        "You are recorded as related to «%(provider)s», so you may not decide about its claims and payments. Another "
        "person has to do it."
    )
    http_status = 403


@step
def kept(row: Row) -> Row:
    """Save a new fact. Raises: FactExists, DatesReversed."""
    first, end = getattr(row, "valid_from", None), getattr(row, "valid_to", None)
    if first and end and end <= first:
        raise DatesReversed()
    return saved_once(row, taken=FactExists)


def own(organisation: Organisation, *rows: Service | Contract) -> None:
    """Raises: NotFound for a row of another organisation."""
    if any(row.organisation_id != organisation.pk for row in rows):
        raise NotFound()


@action
def set_schedule(
    *,
    organisation: Organisation,
    provider: Provider,
    weekdays_off: Iterable[int],
    valid_from: date,
    valid_to: date | None,
    actor: Actor,
    at: datetime,
) -> ProviderSchedule:
    """Weekdays (0 is Monday) on which a provider does not serve. Time: ``valid_to`` is exclusive.

    Raises: FactExists, DatesReversed. Audit: provider.schedule_set.
    """
    days = sorted({*weekdays_off})
    bits = sum(1 << day for day in days)
    row = ProviderSchedule(provider=provider, days_off=bits, valid_from=valid_from, valid_to=valid_to, recorded_at=at)
    kept(row)
    record("provider.schedule_set", provider, row, actor=actor, at=at, weekdays=days, from_date=valid_from)
    return row


# Kind of account -> the column of the provider with the one in use.
IN_USE = {ProviderAccount.BANK: "iban", ProviderAccount.STRIPE: "stripe_account"}


def account_number(kind: str, text: str) -> str:
    """The number of an account as it is kept. Raises: IbanInvalid, AccountUnfit."""
    if kind == ProviderAccount.STRIPE:
        number = text.strip()
        if len(number) > ACCOUNT_LENGTH or not re.fullmatch(STRIPE_ACCOUNT, number):
            raise AccountUnfit(account=number)
        return number
    if not text.strip():
        raise IbanInvalid(iban=text)
    check_iban(text)
    return iban_number.compact(text)


@step
def replace_account(
    *, provider: Provider, kind: str, iban: str, reason: str, actor: Actor, on: date, at: datetime
) -> ProviderAccount:
    """The provider is paid to another account of a kind from now on; ``on`` is the day of now. Nobody may say another
    day. Raises: IbanInvalid, AccountUnfit, SameAccount. Locks: provider.
    """
    number = account_number(kind, iban)
    provider = lock_rows(Provider.objects.filter(pk=provider.pk))[0]
    if number == getattr(provider, IN_USE[kind]):
        raise SameAccount(provider=provider)
    setattr(provider, IN_USE[kind], number)
    try:
        with transaction.atomic():
            provider.save(update_fields=[IN_USE[kind]])
    except IntegrityError as error:
        raise AccountUnfit(account=number) from error
    row = ProviderAccount(provider=provider, kind=kind, iban=number, reason=reason, since=on, recorded_at=at)
    row.recorded_by_id = actor.user_id
    return kept(row)


@action
def declare_relation(
    *,
    organisation: Organisation,
    user: User,
    provider: Provider,
    reason: str,
    valid_from: date,
    valid_to: date | None,
    actor: Actor,
    at: datetime,
) -> ProviderRelation:
    """A person of the office stands close to a provider, and judges nothing of it. Time: ``valid_to`` is exclusive.

    Raises: NotFound for a stranger, FactExists, DatesReversed. Audit: provider.relation_declared.
    """
    if not user.memberships.filter(organisation=organisation).exists():
        raise NotFound()
    row = ProviderRelation(
        user=user, provider=provider, reason=reason, valid_from=valid_from, valid_to=valid_to, recorded_at=at
    )
    kept(row)
    record("provider.relation_declared", provider, row, actor=actor, at=at, user=user.username, reason=reason)
    return row


@step
def refuse_related(*, organisation: Organisation, actor: Actor, providers: Iterable[int], at: datetime) -> None:
    """Raises: RelatedPerson when the actor is related to one of the providers (ids) on the day (CLM-45).

    The database refuses a judgement as well, when it is written.
    """
    if actor.user_id is None:
        return
    on = local_date(at, organisation.zone)
    rows = ProviderRelation.objects.filter(user_id=actor.user_id, provider_id__in=list(providers), valid_from__lte=on)
    held = rows.exclude(valid_to__lte=on).select_related("provider").order_by("provider__name").first()
    if held is not None:
        raise RelatedPerson(provider=held.provider)


@action
def require_evidence(
    *,
    organisation: Organisation,
    service: Service,
    valid_from: date,
    valid_to: date | None,
    actor: Actor,
    at: datetime,
) -> RequiredEvidence:
    """Claims for a service need a signed act. Time: ``valid_to`` is exclusive.

    Raises: NotFound, FactExists, DatesReversed. Audit: service.evidence_required.
    """
    own(organisation, service)
    row = kept(RequiredEvidence(service=service, valid_from=valid_from, valid_to=valid_to, recorded_at=at))
    record("service.evidence_required", service, row, actor=actor, at=at, from_date=valid_from)
    return row


@action
def exclude_services(
    *, organisation: Organisation, service: Service, other: Service, reason: str, actor: Actor, at: datetime
) -> ServiceIncompatibility:
    """Two services that one person never gets from public money on the same day.

    Raises: NotFound, FactExists. Audit: services.excluded.
    """
    own(organisation, service, other)
    row = kept(ServiceIncompatibility(service=service, other=other, reason=reason, recorded_at=at))
    record("services.excluded", service, other, row, actor=actor, at=at, reason=reason)
    return row


@action
def add_grant_item(
    *,
    organisation: Organisation,
    contract: Contract,
    service: Service,
    amount: Decimal,
    valid_from: date,
    valid_to: date | None,
    actor: Actor,
    at: datetime,
) -> GrantItem:
    """An item of a grant's approved budget; from the first one on nothing else is paid under the grant.

    Money: ``amount`` in the contract's currency, 2 places. Time: ``valid_to`` is exclusive.
    Raises: NotFound for a contract that is no grant of the organisation, FactExists, DatesReversed.
    Audit: contract.grant_item_added.
    """
    own(organisation, contract, service)
    if contract.basis != "grant":
        raise NotFound()
    row = GrantItem(
        contract=contract, service=service, amount=amount, valid_from=valid_from, valid_to=valid_to, recorded_at=at
    )
    kept(row)
    record("contract.grant_item_added", contract, row, actor=actor, at=at, service=service.code, amount=amount)
    return row

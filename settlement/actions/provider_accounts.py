"""A provider is paid to another account: its money waits until another person has had the account confirmed."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError
from config.office.storage import GivenFile, attach
from contracts.actions.check_facts import IN_USE, account_number, refuse_related, replace_account
from contracts.models import Contract, Provider, ProviderAccount
from contracts.parameters import ParameterBook
from settlement.actions.claim_notices import tell_provider
from settlement.actions.holds import put_in_force
from settlement.actions.runs import person
from settlement.models import Claim, PaymentHold
from settlement.models.holds import ACCOUNT_CHANGED
from settlement.rules.parameters import ACCOUNT_DAYS, LIMITS

# Kind of attachment: what the provider wrote when it asked for the change.
LETTER = "account_letter"


class AccountReasonMissing(DomainError):
    """A change of where money goes says who asked for it."""

    code = "ACCOUNT_REASON_MISSING"
    message = gettext_lazy("Write who asked for the change and how: the person who confirms the account reads it.")
    http_status = 400


@action
def change_account(
    *,
    organisation: Organisation,
    provider: Provider,
    kind: str,
    iban: str,
    reason: str,
    paper: GivenFile,
    actor: Actor,
    at: datetime,
) -> ProviderAccount:
    """A new account of a provider, at its bank or at Stripe, in use from the day on which it is recorded (CLM-44).

    For the days of the parameter every office that deals with the provider holds its payments and tells it so; lifting
    takes another person. ``paper``: what the provider asked with. Raises: IbanInvalid, AccountUnfit, SameAccount,
    AccountReasonMissing, RelatedPerson, NotPermitted. Locks: claims, runs, provider. Audit: provider.account_changed.
    """
    person(actor)
    if not reason.strip():
        raise AccountReasonMissing()
    refuse_related(organisation=organisation, actor=actor, providers=[provider.pk], at=at)
    before, number = getattr(provider, IN_USE[kind])[-4:], account_number(kind, iban)[-4:]
    touched = []
    for office in _offices(organisation, provider):
        hold = _hold(office, provider, kind, number, local_date(at, office.zone))
        if hold is not None:
            touched += [hold, *put_in_force(hold, actor=actor, at=at)]
            told = {"iban": number, "from_date": hold.from_date.isoformat(), "to_date": str(hold.to_date)}
            tell_provider(hold, "payment_hold.account_changed", told, at=at)
    on, why = local_date(at, organisation.zone), reason.strip()[:300]
    row = replace_account(provider=provider, kind=kind, iban=iban, reason=why, actor=actor, on=on, at=at)
    attach(
        organisation=organisation, to=row, kind=LETTER, name=paper.filename, content=paper.content,
        content_type=paper.content_type, uploaded_by_id=actor.user_id, at=at,
    )  # fmt: skip
    said = {"account_kind": kind, "before": before, "iban": number, "reason": why, "file": paper.filename}
    record("provider.account_changed", provider, row, *touched, actor=actor, at=at, organisation=organisation.code,
           **said)  # fmt: skip
    return row


def _offices(organisation: Organisation, provider: Provider) -> QuerySet[Organisation]:
    """The acting office, and those with a contract or a claim of the provider."""
    contracts, claims = (rows.objects.filter(provider=provider) for rows in (Contract, Claim))
    deals = Q(pk__in=contracts.values("organisation")) | Q(pk__in=claims.values("organisation"))
    return Organisation.objects.filter(Q(pk=organisation.pk) | deals).order_by("pk")


def _hold(office: Organisation, provider: Provider, kind: str, digits: str, on: date) -> PaymentHold | None:
    value = ParameterBook.load(office, ACCOUNT_DAYS).get(ACCOUNT_DAYS, on)
    days = int(LIMITS[ACCOUNT_DAYS][0]) if value is None else value.whole
    if days <= 0:
        return None
    return PaymentHold(
        organisation=office,
        provider=provider,
        reason=ACCOUNT_CHANGED.format(kind=kind, digits=digits),
        from_date=on,
        to_date=on + timedelta(days=days),
    )

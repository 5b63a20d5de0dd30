"""Organisations are created by whoever runs the installation; keys of programs by the people themselves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from stdnum import iban as iban_number

from config.accounts.models import AccessToken, Organisation, User
from config.accounts.organisations import USUAL
from config.accounts.tokens import fingerprint, new_secret
from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.clock import local_date
from config.errors import DomainError, NotFound
from config.locks import lock_rows


class OrganisationExists(DomainError):
    """The code is taken."""

    code = "ORGANISATION_EXISTS"
    message = _("There is already a municipality with the code «%(key)s». Choose another code.")


class OrganisationInvalid(DomainError):
    """A code, currency, time zone or account that cannot be."""

    code = "ORGANISATION_INVALID"
    message = _("«%(value)s» cannot be used: %(what)s.")


CURRENCIES = ("UAH", "RUB", "EUR", "USD")
CURRENCY_RULE = _("the currency is one of UAH, RUB, EUR, USD")
ZONE_RULE = _("the time zone has a name like Europe/Kyiv")
ACCOUNT_RULE = _("the account number is no valid IBAN")


@action
def create_organisation(
    *,
    code: str,
    name: str,
    jurisdiction: str,
    actor: Actor,
    at: datetime,
    currency: str = "",
    zone: str = "",
    iban: str = "",
    other_ibans: Iterable[str] = (),
    registration_code: str = "",
    clock_offset: timedelta = timedelta(),
    is_demo: bool = False,
) -> Organisation:
    """Register a buyer; without a currency or zone it has those of its jurisdiction.

    Raises: OrganisationInvalid, OrganisationExists. Audit: organisation.created.
    """
    usual = USUAL[jurisdiction]
    organisation = Organisation(
        code=code,
        name=name,
        jurisdiction=jurisdiction,
        currency=currency or usual.currency,
        zone=zone or usual.zone,
        iban=iban,
        other_ibans=list(other_ibans),
        registration_code=registration_code,
        clock_offset=clock_offset,
        is_demo=is_demo,
    )
    _check(organisation)
    if Organisation.objects.filter(code=code).exists():
        raise OrganisationExists(key=code)
    organisation.save()
    record("organisation.created", organisation, actor=actor, at=at, code=code)
    return organisation


def _check(organisation: Organisation) -> None:
    try:
        organisation.clean_fields()
    except ValidationError as error:
        name, words = next(iter(error.message_dict.items()))
        raise OrganisationInvalid(value=getattr(organisation, name), what=words[0].rstrip(".")) from error
    if organisation.currency not in CURRENCIES:
        raise OrganisationInvalid(value=organisation.currency, what=CURRENCY_RULE)
    if organisation.zone not in available_timezones():
        raise OrganisationInvalid(value=organisation.zone, what=ZONE_RULE)
    if organisation.iban and not iban_number.is_valid(organisation.iban):
        raise OrganisationInvalid(value=organisation.iban, what=ACCOUNT_RULE)


@action
def create_token(
    *,
    user: User,
    organisation: Organisation,
    title: str,
    expires_at: datetime,
    actor: Actor,
    at: datetime,
) -> tuple[AccessToken, str]:
    """A key for a person's program, and its secret, which is nowhere kept. Audit: access_token.created."""
    secret = new_secret()
    token = AccessToken.objects.create(
        user=user,
        organisation=organisation,
        title=title,
        secret_sha256=fingerprint(secret),
        hint=secret[-4:],
        created_at=at,
        expires_at=expires_at,
    )
    record(
        "access_token.created",
        token,
        user,
        actor=actor,
        at=at,
        title=title,
        until=local_date(expires_at, organisation.zone),
    )
    return token, secret


@action
def revoke_token(*, user: User, token_id: int, actor: Actor, at: datetime) -> None:
    """The person's key opens nothing any more; to revoke again changes nothing.

    Raises: NotFound. Audit: access_token.revoked.
    """
    found = lock_rows(AccessToken.objects.filter(pk=token_id, user=user).select_related("organisation"))
    if not found:
        raise NotFound()
    if found[0].revoked_at:
        nothing_to_record()
        return
    found[0].revoked_at = at
    found[0].save(update_fields=["revoked_at"])
    record("access_token.revoked", found[0], user, actor=actor, at=at, title=found[0].title)

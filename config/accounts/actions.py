"""Organisations are created by whoever runs the installation; keys of programs by the people themselves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from config.accounts.models import AccessToken, Organisation, User
from config.accounts.tokens import fingerprint, new_secret
from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.clock import local_date
from config.errors import NotFound
from config.locks import lock_rows


@action
def create_organisation(
    *,
    code: str,
    name: str,
    jurisdiction: str,
    actor: Actor,
    at: datetime,
    iban: str = "",
    other_ibans: Iterable[str] = (),
    registration_code: str = "",
    clock_offset: timedelta = timedelta(),
    is_demo: bool = False,
) -> Organisation:
    """Register a buyer. Audit: organisation.created."""
    currency, zone = ("RUB", "Europe/Moscow") if jurisdiction == "RU" else ("UAH", "Europe/Kyiv")
    organisation = Organisation.objects.create(
        code=code,
        name=name,
        jurisdiction=jurisdiction,
        currency=currency,
        zone=zone,
        iban=iban,
        other_ibans=list(other_ibans),
        registration_code=registration_code,
        clock_offset=clock_offset,
        is_demo=is_demo,
    )
    record("organisation.created", organisation, actor=actor, at=at, code=code)
    return organisation


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

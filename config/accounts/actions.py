"""Organisations and people are created and deactivated by an administrator; users are invited, not registered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from config.accounts.models import AccessToken, Membership, Organisation, User
from config.accounts.tokens import fingerprint, new_secret
from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.errors import DomainError, NotFound
from config.locks import lock_rows


class UserExists(DomainError):
    """The user name is taken."""

    code = "USER_EXISTS"
    message = _("There is already a user «%(username)s». Choose another name.")


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
def invite_user(
    *,
    username: str,
    display_name: str,
    roles: Iterable[str],
    organisation: Organisation | None,
    password: str | None,
    actor: Actor,
    at: datetime,
    language: str = "uk",
) -> User:
    """Create a person with roles. Raises: UserExists. Audit: user.invited."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                username=username, password=password, display_name=display_name, language=language
            )
    except IntegrityError as error:
        raise UserExists(username=username) from error
    roles = list(roles)
    Membership.objects.bulk_create(Membership(user=user, organisation=organisation, role=role) for role in roles)
    record(
        "user.invited",
        user,
        actor=actor,
        at=at,
        organisation=organisation.code if organisation else "system",
        username=username,
        roles=roles,
    )
    return user


@action
def deactivate_user(*, user: User, actor: Actor, at: datetime) -> None:
    """Close a person's access; their signatures stay. Audit: user.deactivated."""
    user.is_active = False
    user.save(update_fields=["is_active"])
    record("user.deactivated", user, actor=actor, at=at, username=user.username)


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
    record("access_token.created", token, user, actor=actor, at=at, title=title, until=expires_at.date())
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

"""People are invited, given roles, closed and opened again by an administrator; nobody registers alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from axes.utils import reset
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from config.accounts.models import AccessToken, Membership, Organisation, User
from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.errors import DomainError, NotFound
from config.locks import lock_rows
from config.roles import ADMINISTRATOR, ROLE_TITLES, conflict_among
from config.transactions import step


class UserExists(DomainError):
    """The user name is taken."""

    code = "USER_EXISTS"
    message = _("There is already a user «%(username)s». Choose another name.")


class RolesConflict(DomainError):
    """Two of the roles are a control of one another."""

    code = "ROLES_CONFLICT"
    message = _("One person may not be both «%(one)s» and «%(other)s»: one checks the other. Leave one of the two.")


class OwnAccess(DomainError):
    """Nobody opens, closes or widens the own access."""

    code = "OWN_ACCESS"
    message = _("Nobody changes their own access. Ask another administrator.")


class LastAdministrator(DomainError):
    """The office would have nobody left who opens accesses."""

    code = "LAST_ADMINISTRATOR"
    message = _("This is the last administrator. Give the role to another person first.")


class WorksElsewhere(DomainError):
    """The access also serves another organisation, which has not agreed."""

    code = "WORKS_ELSEWHERE"
    message = _("This person also works for another organisation, so the access stays. Change the roles instead.")


class AccessClosed(DomainError):
    """A closed access is opened first."""

    code = "ACCESS_CLOSED"
    message = _("This access is closed. Open it again first.")


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
    """Create a person with roles; without a password the person chooses one by the link of the invitation.

    Raises: UserExists, RolesConflict. Audit: user.invited.
    """
    held = _ordered(roles)
    user = new_user(username=username, display_name=display_name, language=language, password=password)
    Membership.objects.bulk_create(Membership(user=user, organisation=organisation, role=role) for role in held)
    _record("user.invited", user, organisation, actor, at, roles=held)
    return user


@step
def new_user(*, username: str, display_name: str, language: str, password: str | None) -> User:
    """A person without any role yet. Raises: UserExists."""
    try:
        with transaction.atomic():
            return User.objects.create_user(
                username=username, password=password, display_name=display_name, language=language
            )
    except IntegrityError as error:
        raise UserExists(username=username) from error


@action
def change_roles(
    *, user: User, organisation: Organisation, roles: Iterable[str], actor: Actor, at: datetime
) -> list[str]:
    """The person holds exactly these roles in the organisation from now on.

    Raises: NotFound, OwnAccess, RolesConflict, LastAdministrator. Audit: user.roles_changed, with those of before.
    """
    held = _ordered(roles)
    user = _of_office(user, organisation, actor)
    kept = Membership.objects.filter(user=user, organisation=organisation)
    before = _ordered(kept.values_list("role", flat=True))
    if held == before:
        nothing_to_record()
        return held
    if ADMINISTRATOR not in held:
        _another_administrator(user, organisation)
    kept.exclude(role__in=held).delete()
    gained = [Membership(user=user, organisation=organisation, role=role) for role in held if role not in before]
    Membership.objects.bulk_create(gained)
    _record("user.roles_changed", user, organisation, actor, at, roles=held, roles_before=before)
    return held


@action
def deactivate_user(*, user: User, actor: Actor, at: datetime, organisation: Organisation | None = None) -> None:
    """Close a person's access: password, sessions and keys of programs end at once; their signatures stay.

    ``organisation`` is whose administrator closes it; without one it is whoever runs the installation.
    Raises: NotFound, OwnAccess, WorksElsewhere, LastAdministrator. Audit: user.deactivated.
    """
    if organisation is not None:
        user = _of_office(user, organisation, actor, alone=True)
        _another_administrator(user, organisation)
    user.is_active = False
    _forget_password(user)
    AccessToken.objects.filter(user=user, revoked_at=None).update(revoked_at=at)
    _record("user.deactivated", user, organisation, actor, at)


@action
def reactivate_user(*, user: User, organisation: Organisation, actor: Actor, at: datetime) -> None:
    """Open a closed access again; the person chooses a new password by a link.

    Raises: NotFound, OwnAccess, WorksElsewhere. Audit: user.reactivated.
    """
    user = _of_office(user, organisation, actor, alone=True)
    if user.is_active:
        nothing_to_record()
        return
    user.is_active = True
    _forget_password(user)
    _record("user.reactivated", user, organisation, actor, at)


@action
def renew_password(*, user: User, organisation: Organisation, actor: Actor, at: datetime) -> User:
    """The password and every earlier link end; the person chooses a new one by a new link.

    Raises: NotFound, OwnAccess, WorksElsewhere, AccessClosed. Audit: user.password_renewed.
    """
    user = _of_office(user, organisation, actor, alone=True)
    if not user.is_active:
        raise AccessClosed()
    _forget_password(user)
    _record("user.password_renewed", user, organisation, actor, at)
    return user


@action
def renew_visitor_password(*, user: User, organisation: Organisation, actor: Actor, at: datetime) -> User:
    """The same for a person without an office, a provider's or a recipient, of whose record the caller makes sure.

    Raises: WorksElsewhere, AccessClosed. Audit: user.password_renewed.
    """
    user = lock_rows(User.objects.filter(pk=user.pk))[0]
    if Membership.objects.filter(user=user).exclude(organisation=None).exists():
        raise WorksElsewhere()
    if not user.is_active:
        raise AccessClosed()
    _forget_password(user)
    _record("user.password_renewed", user, organisation, actor, at)
    return user


@action
def unlock_user(*, user: User, organisation: Organisation, actor: Actor, at: datetime) -> None:
    """Wrong passwords are forgotten, so that sign-in works without waiting.

    Raises: NotFound, OwnAccess. Audit: user.unlocked.
    """
    user = _of_office(user, organisation, actor)
    if not reset(username=user.username):
        nothing_to_record()
        return
    _record("user.unlocked", user, organisation, actor, at)


@action
def choose_password(*, user: User, password: str, actor: Actor, at: datetime) -> None:
    """The password that a person chose by the link; the link works no more. Audit: user.password_chosen."""
    user.set_password(password)
    user.save(update_fields=["password"])
    owner = Organisation.objects.filter(memberships__user=user).order_by("memberships__id").first()
    _record("user.password_chosen", user, owner, actor, at)


def _ordered(roles: Iterable[str]) -> list[str]:
    """Each once, in the order of the role table. Raises: RolesConflict."""
    held = set(roles)
    pair = conflict_among(held)
    if pair:
        raise RolesConflict(one=ROLE_TITLES[pair[0]], other=ROLE_TITLES[pair[1]])
    return [role for role in ROLE_TITLES if role in held]


@step
def _of_office(user: User, organisation: Organisation, actor: Actor, *, alone: bool = False) -> User:
    """The person, locked, if they work for the organisation; ``alone``: and for no other."""
    found = lock_rows(User.objects.filter(pk=user.pk))[0]
    offices = set(Membership.objects.filter(user=found).values_list("organisation_id", flat=True))
    if organisation.pk not in offices:
        raise NotFound()
    if found.pk == actor.user_id:
        raise OwnAccess()
    if alone and offices - {organisation.pk, None}:
        raise WorksElsewhere()
    return found


@step
def _another_administrator(user: User, organisation: Organisation) -> None:
    """Raises: LastAdministrator. Locks: the administrators' memberships, so that two do not close one another."""
    held = lock_rows(Membership.objects.filter(organisation=organisation, role=ADMINISTRATOR))
    holders = {membership.user_id for membership in held}
    if user.pk in holders and not User.objects.filter(pk__in=holders - {user.pk}, is_active=True).exists():
        raise LastAdministrator()


def _forget_password(user: User) -> None:
    """Sessions and links rest on the password: with it they end too."""
    user.set_unusable_password()
    user.save(update_fields=["is_active", "password"])


def _record(
    code: str, user: User, organisation: Organisation | None, actor: Actor, at: datetime, **data: list[str]
) -> None:
    chain = organisation.code if organisation else "system"
    record(code, user, actor=actor, at=at, organisation=chain, username=user.username, **data)

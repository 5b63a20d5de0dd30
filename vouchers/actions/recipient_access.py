"""A recipient's own pages: who may open them."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Membership, User
from config.accounts.people_actions import new_user
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError, NotFound
from config.locks import lock_rows
from config.roles import RECIPIENT
from vouchers.models import Recipient


class AccessGiven(DomainError):
    """One recipient, one access."""

    code = "ACCESS_GIVEN"
    message = _("This person already has access to the own pages. Make a new link, or end that access first.")


@action
def give_access(
    *, recipient: Recipient, username: str, display_name: str, language: str, actor: Actor, at: datetime
) -> User:
    """Open a recipient's own pages; the password is chosen by the link of the invitation.

    Raises: AccessGiven, UserExists. Audit: recipient.access_given.
    """
    recipient = _locked(recipient)
    if recipient.user_id is not None:
        raise AccessGiven()
    user = new_user(username=username, display_name=display_name, language=language, password=None)
    Membership.objects.create(user=user, organisation=None, role=RECIPIENT)
    recipient.user = user
    recipient.save(update_fields=["user"])
    record("recipient.access_given", recipient, user, actor=actor, at=at, username=username)
    return user


@action
def end_access(*, recipient: Recipient, actor: Actor, at: datetime) -> None:
    """Whoever opened the recipient's pages opens them no more. Raises: NotFound. Audit: recipient.access_ended."""
    recipient = _locked(recipient)
    user = recipient.user
    if user is None:
        raise NotFound()
    recipient.user = None
    recipient.save(update_fields=["user"])
    record("recipient.access_ended", recipient, user, actor=actor, at=at, username=user.username)


def _locked(recipient: Recipient) -> Recipient:
    rows = Recipient.objects.filter(pk=recipient.pk).select_related("organisation")
    return lock_rows(rows)[0]

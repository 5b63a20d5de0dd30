"""Keys of programs: how a secret looks, and whose it is."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db.models import Q

from config.accounts.models import AccessToken, User

# Tells people and scanners of leaked secrets what the text is.
PREFIX = "servisy_"
NOTED_EVERY = timedelta(minutes=1)


def new_secret() -> str:
    """A secret of 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def token_of(secret: str, now: datetime) -> AccessToken | None:
    """The key of a secret while it and its person's access last; its use is noted at most once a minute.

    Time: ``now`` is the wall clock, also where business plays in a past month.
    """
    found = AccessToken.objects.select_related("user", "organisation").filter(
        secret_sha256=fingerprint(secret), revoked_at=None, expires_at__gt=now, user__is_active=True
    )
    token = found.first()
    if token is not None and (token.last_used_at is None or token.last_used_at <= now - NOTED_EVERY):
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - NOTED_EVERY)
        AccessToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token


def tokens_of(user: User) -> list[AccessToken]:
    """A person's keys, those that open something first, then by age."""
    rows = AccessToken.objects.filter(user=user).select_related("organisation")
    return sorted(rows.order_by("-id"), key=lambda token: token.revoked_at is not None)

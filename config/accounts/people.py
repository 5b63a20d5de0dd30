"""Reads of people: who works for an office, whose access waits or rests, and the link of an invitation."""

from __future__ import annotations

from datetime import datetime, timedelta

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.tokens import default_token_generator
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Sum
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from config.accounts.models import Membership, Organisation, User
from config.roles import PERMISSIONS

ACTIVE, INVITED, LOCKED, CLOSED = "active", "invited", "locked", "closed"


def people_of(organisation: Organisation, *, now: datetime, search: str = "", state: str = "") -> QuerySet[User]:
    """People who hold a role in the organisation, by name, with those roles as ``held``.

    Time: ``now`` is the wall clock, also where business plays in a past month.
    """
    held = Membership.objects.filter(organisation=organisation).order_by("id")
    rows = User.objects.filter(Exists(held.filter(user=OuterRef("pk"))))
    rows = rows.annotate(locked=Exists(_locked(now).filter(username=OuterRef("username"))))
    rows = rows.prefetch_related(Prefetch("memberships", queryset=held, to_attr="held"))
    if search:
        rows = rows.filter(Q(username__icontains=search) | Q(display_name__icontains=search))
    return _in_state(rows, state).order_by("display_name", "username")


def people_with(organisation_id: int, permission: str) -> QuerySet[User]:
    """Active people whose role in the organisation has a permission."""
    held = {"memberships__organisation": organisation_id, "memberships__role__in": PERMISSIONS[permission]}
    return User.objects.filter(**held, is_active=True).distinct().order_by("pk")


def _in_state(rows: QuerySet[User], state: str) -> QuerySet[User]:
    wanted = {
        ACTIVE: Q(is_active=True),
        INVITED: Q(is_active=True, password__startswith=UNUSABLE_PASSWORD_PREFIX),
        LOCKED: Q(is_active=True, locked=True),
        CLOSED: Q(is_active=False),
    }
    return rows.filter(wanted.get(state, Q()))


def _locked(now: datetime) -> QuerySet[AccessAttempt, dict[str, object]]:
    """User names with too many wrong passwords from one place within the pause."""
    recent = AccessAttempt.objects.filter(attempt_time__gt=now - (get_cool_off() or timedelta()))
    counted = recent.order_by().values("username", "ip_address").annotate(wrong=Sum("failures_since_start"))
    return counted.filter(wrong__gte=settings.AXES_FAILURE_LIMIT)


def state_of(user: User) -> str:
    """In which one state a person of ``people_of`` is shown."""
    if not user.is_active:
        return CLOSED
    if not user.has_usable_password():
        return INVITED
    return LOCKED if getattr(user, "locked", False) else ACTIVE


def invitation_path(user: User) -> str:
    """Where the person chooses a password: works once, until the password is renewed or the time is over."""
    key = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("welcome", args=[key, default_token_generator.make_token(user)])


def invitation_days() -> int:
    """For how many days a link works."""
    return int(settings.PASSWORD_RESET_TIMEOUT) // 86400

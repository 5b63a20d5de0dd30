"""Who calls the interface: a program with a key, or a page of a person who is signed in. Every operation names the
permissions of which one is needed; an operation that names none lets nobody in.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone, translation
from ninja.errors import AuthenticationError
from ninja.security import APIKeyCookie, HttpBearer

from config.accounts.access import Access, access_by_token
from config.accounts.tokens import token_of
from config.errors import NotPermitted


class _Permitted:
    """Holders of any of the permissions."""

    permissions: tuple[str, ...] = ()

    def admit(self, access: Access) -> Access:
        """The access itself. Raises: NotPermitted."""
        if not any(access.may(permission) for permission in self.permissions):
            raise NotPermitted()
        return access


class Key(_Permitted, HttpBearer):
    """``Authorization: Bearer servisy_...``: a key made on the page of access keys."""

    def __init__(self, *permissions: str) -> None:
        super().__init__()
        self.permissions = permissions

    def authenticate(self, request: HttpRequest, token: str) -> Access:
        """Access of the key; the answers are in its person's language. Raises: AuthenticationError, NotPermitted."""
        found = token_of(token, timezone.now())
        if found is None:
            raise AuthenticationError()
        translation.activate(found.user.language)
        return self.admit(access_by_token(found))


class Session(_Permitted, APIKeyCookie):
    """The cookie of a signed-in person; writes need the token against forged requests as on the pages."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self, *permissions: str) -> None:
        super().__init__()
        self.permissions = permissions

    def __call__(self, request: HttpRequest) -> Access | None:
        # Who brings no session is told to sign in, before anything is said about forged requests.
        return super().__call__(request) if request.user.is_authenticated else None

    def authenticate(self, request: HttpRequest, key: str | None) -> Access:
        """Access of the person. Raises: NotPermitted."""
        return self.admit(request.access)  # type: ignore[attr-defined]


def permitted(*permissions: str) -> list[Key | Session]:
    """For holders of any of the permissions, by key or by session; of none: for nobody."""
    return [Key(*permissions), Session(*permissions)]


def opens(*permissions: str) -> dict[str, Any]:
    """``@router.get("/claims", **opens("claims.view"))``: who may call, checked and said in the description."""
    return {"auth": permitted(*permissions), "openapi_extra": {"x-permissions": list(permissions)}}


def caller(request: HttpRequest) -> Access:
    """What the caller of an operation may do."""
    held: Access = request.auth  # type: ignore[attr-defined]
    return held

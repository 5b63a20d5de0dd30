"""Municipalities: which one a command means, and the money and time of a jurisdiction."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.errors import DomainError


class Usual(NamedTuple):
    """What a municipality of a jurisdiction has unless it says otherwise."""

    currency: str
    zone: str


USUAL: dict[str, Usual] = {
    "UA": Usual("UAH", "Europe/Kyiv"),
    "RU": Usual("RUB", "Europe/Moscow"),
    "GENERIC": Usual("EUR", "UTC"),
}


class UnknownOrganisation(DomainError):
    """No such municipality, or there are several and none was named."""

    code = "ORGANISATION_UNKNOWN"
    message = _("Name one of the municipalities with --organisation: %(codes)s.")


def organisation_named(code: str) -> Organisation:
    """The municipality with that code, or the only one; of a demonstration, which has a neighbour, the one that it is
    about: its first. Raises: UnknownOrganisation.
    """
    known = list(Organisation.objects.order_by("code")[:50])
    chosen = [organisation for organisation in known if not code or organisation.code == code]
    if not code and all(organisation.is_demo for organisation in known):
        chosen = sorted(known, key=lambda organisation: organisation.pk)[:1]
    if len(chosen) != 1:
        raise UnknownOrganisation(codes=", ".join(organisation.code for organisation in known) or "—")
    return chosen[0]

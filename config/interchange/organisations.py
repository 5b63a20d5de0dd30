"""Which municipality a command means."""

from __future__ import annotations

from config.accounts.models import Organisation
from config.interchange.refusals import UnknownOrganisation


def organisation_named(code: str) -> Organisation:
    """The municipality with that code, or the only one. Raises: UnknownOrganisation."""
    known = list(Organisation.objects.order_by("code")[:50])
    chosen = [organisation for organisation in known if not code or organisation.code == code]
    if len(chosen) != 1:
        raise UnknownOrganisation(codes=", ".join(organisation.code for organisation in known) or "—")
    return chosen[0]

"""The demo accounts as the sign-in page and the start command tell them; their password is public by design."""

from __future__ import annotations

from config.accounts.models import User
from config.demo.cast import CAST, NEIGHBOURS, NEWCOMER, PASSWORD, Person
from config.demo.pins import CODE, pin_of
from config.office.models import OutboxMessage
from config.roles import ROLE_TITLES
from vouchers.models import Certificate

EVERYBODY = (*CAST, NEWCOMER, *NEIGHBOURS)


def demo_accounts() -> list[dict[str, str]]:
    """People of the cast who exist and may sign in: one query."""
    names = [person.username for person in EVERYBODY if person.roles]
    present = set(User.objects.filter(username__in=names, is_active=True).values_list("username", flat=True))
    return [_row(person) for person in EVERYBODY if person.username in present]


def expected_accounts() -> list[dict[str, str]]:
    """People whom the demo will bring."""
    return [_row(person) for person in EVERYBODY if person.roles]


def _row(person: Person) -> dict[str, str]:
    titles = ", ".join(str(ROLE_TITLES[role]) for role in person.roles)
    return {
        "username": person.username,
        "password": PASSWORD,
        "name": person.display_name,
        "role": titles,
    }


def demo_certificate() -> dict[str, str] | None:
    """Short code and PIN of Olena's certificate, for trying out a redemption; None before it is issued."""
    certificate = Certificate.objects.filter(
        organisation__is_demo=True, recipient__user__username="olena", status="active"
    ).first()
    if certificate is None or not OutboxMessage.objects.filter(code=CODE).exists():
        return None
    return {"short_code": certificate.short_code or "", "pin": pin_of(certificate)}

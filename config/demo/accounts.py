"""The demo accounts as the sign-in page and the start command tell them; their password is public by design."""

from __future__ import annotations

from config.accounts.models import User
from config.demo.cast import CAST, PASSWORD, Person
from config.roles import ROLE_TITLES


def demo_accounts() -> list[dict[str, str]]:
    """People of the cast who exist and may sign in: one query."""
    names = [person.username for person in CAST if person.roles]
    present = set(User.objects.filter(username__in=names, is_active=True).values_list("username", flat=True))
    return [_row(person) for person in CAST if person.username in present]


def _row(person: Person) -> dict[str, str]:
    titles = ", ".join(str(ROLE_TITLES[role]) for role in person.roles)
    return {
        "username": person.username,
        "password": PASSWORD,
        "name": person.display_name,
        "role": titles,
    }

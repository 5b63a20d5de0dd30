"""SQL of single figures, as the rules want them (see ``settlement.rules.facts``)."""

from __future__ import annotations

from settlement.rules.facts import FIRST_DAY, LAST_DAY


def day(value: str) -> str:
    """Days since 1970."""
    return f"({value} - DATE '1970-01-01')"


def first_day(value: str) -> str:
    """A first day; an absent one is open."""
    return f"COALESCE({day(value)}, {FIRST_DAY})"


def last_day(value: str) -> str:
    """The last day that counts of an exclusive end."""
    return f"COALESCE({day(value)} - 1, {LAST_DAY})"


def scaled(value: str, places: int, absent: int = -1) -> str:
    """A decimal as a whole number of its smallest part."""
    return f"COALESCE(({value} * {10**places})::bigint, {absent})"

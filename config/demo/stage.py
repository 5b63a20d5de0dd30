"""The stage of the demo: the municipality, the cast, the calendar of the play, and the progress it reports.

Every chapter acts through the actions that people use. A chapter killed in the middle is played again from its
start: what is already there is found by its natural key and left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Model, QuerySet

from config.accounts.models import Organisation, User
from config.audit.actors import Actor

KYIV = ZoneInfo("Europe/Kyiv")
M = TypeVar("M", bound=Model)
Report = Callable[[int, str], None]


def moment(year: int, month: int, day: int, hour: int = 10, minute: int = 0) -> datetime:
    """A moment of the play in Kyiv time."""
    return datetime(year, month, day, hour, minute, tzinfo=KYIV)


# The day on which the demo's web pages live: the settled month is November 2025.
PRESENT = moment(2025, 12, 17, 9, 30)


def ensure(found: QuerySet[M], make: Callable[[], M]) -> M:
    """The row that is there, or the one the action makes."""
    return found.first() or make()


@dataclass
class Stage:
    """What the chapters share. ``say`` reports percent and sentence."""

    organisation: Organisation
    people: dict[str, User]
    say: Report
    notes: dict[str, str] = field(default_factory=dict)

    def actor(self, username: str) -> Actor:
        """A person of the cast as an actor."""
        return self.people[username].as_actor()


def clock_offset(now: datetime) -> timedelta:
    """Offset that makes the pages live on the day of the play."""
    return PRESENT - now

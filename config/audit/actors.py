"""Who acts: a person, or the system for scheduled work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """The acting person. ``user_id`` is None for the system itself."""

    username: str
    user_id: int | None = None

    def __str__(self) -> str:
        return self.username


SYSTEM = Actor(username="system")

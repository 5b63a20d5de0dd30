"""Decisions of a competition are people's, never the system's."""

from __future__ import annotations

from config.audit.actors import Actor
from config.errors import NotPermitted


def person_id(actor: Actor) -> int:
    """Primary key of the acting person. Raises: NotPermitted for scheduled work."""
    if actor.user_id is None:
        raise NotPermitted()
    return actor.user_id

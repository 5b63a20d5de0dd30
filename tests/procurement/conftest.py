"""Fixtures of the procurement tests."""

from __future__ import annotations

import pytest

from config.accounts.models import Organisation, User
from tests.road import Road


@pytest.fixture
def road(organisation: Organisation, cast: dict[str, User]) -> Road:
    """The road through actions."""
    return Road(organisation, cast)

"""The demo, played once for the flows that look at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection

from config.demo.load import play
from config.demo.stage import Stage
from contracts.actions.reference import load_reference
from tests.conftest import AT


@pytest.fixture(scope="package")
def played(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[Stage]:
    """The demo in the test database, committed as people would; emptied when the flows are done."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        assert connection.settings_dict["NAME"].startswith("test_"), "this would empty a real database"
        call_command("flush", interactive=False, verbosity=0)
        load_reference(at=AT)
        yield play(lambda percent, sentence: None)
        call_command("flush", interactive=False, verbosity=0)

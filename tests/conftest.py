"""Shared fixtures: a real PostgreSQL, two organisations, the cast of the demo."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connection
from django.utils import translation

from config import roles
from config.accounts.models import Membership, Organisation, User
from config.demo.cast import CAST

KYIV = ZoneInfo("Europe/Kyiv")
# A moment of the settled month's aftermath; actions get their time as an argument.
AT = datetime(2025, 12, 3, 10, 0, tzinfo=KYIV)


@pytest.fixture(scope="session", autouse=True)
def _test_keys(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keys and folders of their own, so that tests never touch an installation's."""
    settings.FIELD_KEYS = "1:" + base64.b64encode(b"k" * 32).decode()
    folder = tmp_path_factory.mktemp("data")
    settings.MEDIA_ROOT = folder / "media"
    settings.CERTIFICATE_KEY_FILE = folder / "certificate.pem"
    settings.CELERY_FILESYSTEM_DIR = folder / "broker"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    os.environ.setdefault("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")


@pytest.fixture(scope="session", autouse=True)
def _truncate_in_tests() -> Iterator[None]:
    """Let the test runner empty append-only tables between transactional tests: it is the only one who may."""
    from django.db.backends.postgresql.operations import DatabaseOperations

    original = DatabaseOperations.execute_sql_flush

    def flush(self: DatabaseOperations, sql_list: list[str]) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
        try:
            original(self, sql_list)
        finally:
            with self.connection.cursor() as cursor:
                cursor.execute("SET session_replication_role = DEFAULT")

    DatabaseOperations.execute_sql_flush = flush  # type: ignore[method-assign]
    yield
    DatabaseOperations.execute_sql_flush = original  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    """The office's language in every test: a request leaves its reader's language in the thread that served it."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture
def at() -> datetime:
    """The business time given to actions in tests."""
    return AT


@pytest.fixture
def organisation(db: None) -> Organisation:
    """The municipality of the tests."""
    return Organisation.objects.create(
        code="verbivka", name="Вербівська громада", iban="UA213223130000026007233566001"
    )


@pytest.fixture
def other_organisation(db: None) -> Organisation:
    """A second municipality whose data must never be seen by the first."""
    return Organisation.objects.create(code="kalynivka", name="Калинівська громада")


@pytest.fixture
def cast(organisation: Organisation) -> dict[str, User]:
    """The people of the demo by user name, with their roles."""
    users = {}
    for person in CAST:
        user = User.objects.create(username=person.username, display_name=person.display_name)
        for role in person.roles:
            Membership.objects.create(
                user=user, role=role, organisation=organisation if person.office else None
            )
        users[person.username] = user
    return users


@pytest.fixture
def outsider(cast: dict[str, User]) -> User:
    """Signed in, holds no role, must see nothing."""
    return cast["outsider"]


@pytest.fixture
def as_owner(db: None) -> Iterator[None]:
    """Triggers off for the rest of the test, to corrupt what the database would refuse."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = DEFAULT")


__all__ = ["AT", "KYIV", "roles"]

"""What the killed installation holds: a month too large for a page, four certificates, a twin never disturbed.

Runs inside `manage.py shell` of that installation and prints the certificates' secrets as JSON.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

NOW = datetime(2025, 12, 5, 12, 0, tzinfo=ZoneInfo("Europe/Kyiv"))
LINES = 20_400  # more than a page judges by itself: a worker does
TWIN = "twin"


def build() -> None:
    """Fill the empty database, and copy it."""
    from tests.benchmarks.month_sql import generate_month
    from tests.vouchers.town import build_town

    generate_month(LINES)
    office = _office_in_december()
    town = build_town(office, _people(office))
    issued = [town.issue(full_name=f"Вигадана {name}") for name in ("Олена", "Ганна", "Марта", "Дарина")]
    secrets = [{"id": row.certificate.pk, "code": row.short_code, "pin": row.pin} for row in issued]
    _copy_database()
    print(json.dumps(secrets))


def _office_in_december() -> Any:
    from django.utils import timezone

    from config.accounts.models import Organisation

    office = Organisation.objects.get()
    office.clock_offset = NOW - timezone.now()
    office.save()
    return office


def _people(office: Any) -> dict[str, Any]:
    """Those of the cast who act here, with the password of the demo."""
    from config.accounts.models import Membership, User
    from config.demo.cast import CAST, PASSWORD

    people = {}
    for person in CAST:
        if person.username in {"halyna", "sofiia", "nadiia"}:
            user = User.objects.create_user(person.username, password=PASSWORD)
            for role in person.roles:
                Membership.objects.create(user=user, role=role, organisation=office if person.office else None)
            people[person.username] = user
    return people


def _copy_database() -> None:
    import psycopg
    from django.db import connection
    from psycopg import sql

    settings = connection.settings_dict
    name = settings["NAME"]
    connection.close()
    with psycopg.connect(dbname="postgres", user=settings["USER"], host=settings["HOST"], autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(TWIN), sql.Identifier(name)))

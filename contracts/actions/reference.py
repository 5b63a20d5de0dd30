"""Loading the reference data that ships with the product: dated parameters, calendars, CPV codes, service
lists.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM, Actor
from config.audit.recording import action, nothing_to_record, record
from config.transactions import step
from contracts.models import CalendarDay, CpvCode, Parameter, Service

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
PROFILES = ("UA", "RU", "GENERIC")
Row = dict[str, str]


@dataclass(frozen=True)
class Loaded:
    """Rows of one table: how many were read, how many of them are new and how many changed."""

    table: str
    read: int
    created: int
    changed: int


@action
def load_reference(*, at: datetime, actor: Actor = SYSTEM, folder: Path = REFERENCE) -> list[Loaded]:
    """Bring the national rows to what the files say; rows of organisations are never touched.

    Time: a row counts as known from its first day, so that past months can be computed as of their own time.
    Audit: reference.loaded, once for all tables, when anything changed.
    Idempotent: loading again changes nothing.
    """
    loaded = [
        _load_parameters(folder, at),
        _load_calendar(folder),
        _load_cpv(folder),
    ]
    changed = [item for item in loaded if item.created or item.changed]
    if not changed:
        nothing_to_record()
        return loaded
    counts = {item.table: {"created": item.created, "changed": item.changed} for item in changed}
    record("reference.loaded", _subject(changed[0].table), actor=actor, at=at, organisation="system", tables=counts)
    return loaded


def _subject(table: str) -> Parameter | CalendarDay | CpvCode:
    model = {"parameters": Parameter, "calendar_days": CalendarDay, "cpv": CpvCode}[table]
    row = model._default_manager.order_by("-pk").first()
    assert isinstance(row, Parameter | CalendarDay | CpvCode)  # rows were just written
    return row


def read_rows(name: str, *, folder: Path = REFERENCE, profiles: Sequence[str] = PROFILES) -> Iterator[Row]:
    """Rows of one file of each profile that has it."""
    for profile in profiles:
        path = folder / profile / f"{name}.csv"
        if path.exists():
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from csv.DictReader(file)


# A new figure or source of a known row is learnt now; an end, like its successor, from the first day on which it
# counts.
_LEARNT = """, changed_at = CASE WHEN (t.value, t.valid_to, t.act, t.article, t.evidence, t.note)
    IS NOT DISTINCT FROM (EXCLUDED.value, EXCLUDED.valid_to, EXCLUDED.act, EXCLUDED.article, EXCLUDED.evidence,
        EXCLUDED.note)
    THEN t.changed_at ELSE GREATEST(t.recorded_at, t.changed_at + interval '1 microsecond',
        CASE WHEN t.value = EXCLUDED.value AND t.valid_to IS DISTINCT FROM EXCLUDED.valid_to
            THEN LEAST(%(at)s, EXCLUDED.valid_to::timestamptz) ELSE %(at)s END) END"""


def _load_parameters(folder: Path, at: datetime) -> Loaded:
    rows = sorted(read_rows("parameters", folder=folder), key=lambda row: (row["key"], row["valid_from"]))
    values = [
        (
            row["jurisdiction"],
            row["key"],
            _day(row["valid_from"]),
            _after(row["valid_to"]),
            row["value"],
            row["unit"],
            row["act"],
            row["article"],
            row["evidence"],
            row["note"],
            datetime.combine(date.fromisoformat(row["valid_from"]), time(), UTC),
        )
        for row in rows
    ]
    columns = "jurisdiction key valid_from valid_to value unit act article evidence note recorded_at"
    return _upsert("parameters", Parameter._meta.db_table, columns, "parameter_once", values, learnt=_LEARNT, at=at)


def _load_calendar(folder: Path) -> Loaded:
    rows = read_rows("calendar_days", folder=folder)
    values = [(row["jurisdiction"], _day(row["date"]), row["kind"]) for row in rows]
    columns = "jurisdiction date kind"
    return _upsert("calendar_days", CalendarDay._meta.db_table, columns, "calendar_day_once", values)


def _load_cpv(folder: Path) -> Loaded:
    rows = read_rows("cpv", folder=folder)
    values = [(row["code"], row["name_uk"], row["name_ru"], row["name_en"]) for row in rows]
    table = CpvCode._meta.db_table
    return _upsert("cpv", table, "code name_uk name_ru name_en", f"{table}_pkey", values)


def _upsert(
    name: str, table: str, columns: str, constraint: str, values: list[tuple[Any, ...]], learnt: str = "", **params: Any
) -> Loaded:
    """One statement over a staging table: insert what is new, change what differs, leave the rest alone.

    Names are constants of this module, never input. ``learnt`` sets when a change became known.
    """
    names = columns.split()
    listed = ", ".join(names)
    old = ", ".join(f"t.{column}" for column in names)
    new = ", ".join(f"EXCLUDED.{column}" for column in names)
    sets = ", ".join(f"{column} = EXCLUDED.{column}" for column in names)
    # In key order, so that an earlier row is closed before its successor arrives.
    query = (
        f"INSERT INTO {table} AS t ({listed}) SELECT {listed} FROM staged ORDER BY position "  # noqa: S608
        f"ON CONFLICT ON CONSTRAINT {constraint} DO UPDATE SET {sets}{learnt} "
        f"WHERE ({old}) IS DISTINCT FROM ({new}) RETURNING xmax = 0"
    )
    with connection.cursor() as cursor:
        _stage(table, names, values)
        cursor.execute(query, params)
        fresh = [bool(created) for (created,) in cursor.fetchall()]
        cursor.execute("DROP TABLE staged")
    return Loaded(name, len(values), sum(fresh), len(fresh) - sum(fresh))


def _stage(table: str, names: list[str], values: Iterable[tuple[Any, ...]]) -> None:
    listed = ", ".join(names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMP TABLE staged ON COMMIT DROP AS "  # noqa: S608
            f"SELECT 0::bigint AS position, {listed} FROM {table} WITH NO DATA"
        )
        with cursor.copy(f"COPY staged (position, {listed}) FROM STDIN") as copy:  # type: ignore[attr-defined]
            for position, row in enumerate(values):
                copy.write_row((position, *row))


def has_service_list(organisation: Organisation) -> bool:
    """Whether the product knows the list of services of the jurisdiction."""
    return any(True for _row in read_rows("services", profiles=[organisation.jurisdiction]))


@step
def load_services(*, organisation: Organisation, folder: Path = REFERENCE) -> dict[str, Service]:
    """The service list of the organisation's jurisdiction as its own catalogue; services it already has stay.

    Idempotent. Source: seed 003, see reference/README.md.
    """
    rows = read_rows("services", folder=folder, profiles=[organisation.jurisdiction])
    services = [_service(organisation, row) for row in rows]
    Service.objects.bulk_create(services, ignore_conflicts=True)
    return {service.code: service for service in Service.objects.filter(organisation=organisation)}


def _service(organisation: Organisation, row: Row) -> Service:
    text = ("code", "name_uk", "name_ru", "name_en", "level", "form", "unit", "cpv")
    flags = ("basic", "free_for_all", "one_off", "provisional")
    numbers = ("granularity", "units_per_day_max", "units_per_month_max", "amount_per_year_max")
    return Service(
        organisation=organisation,
        group_size_max=int(row["group_size_max"]) if row["group_size_max"] else None,
        **{name: row[name] for name in text},
        **{name: row[name] == "true" for name in flags},
        **{name: Decimal(row[name]) if row[name] else None for name in numbers},
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _after(text: str) -> date | None:
    """The files write the last day that counts, the tables the first that does not."""
    return date.fromisoformat(text) + timedelta(days=1) if text else None


@action
def adopt_service_list(
    *, organisation: Organisation, limits: Mapping[str, Mapping[str, Any]], actor: Actor, at: datetime
) -> dict[str, Service]:
    """Take over the service list of the jurisdiction, with the organisation's own ceilings.

    ``limits`` maps a service code to the values the organisation sets (e.g. amount_per_year_max).
    Audit: services.adopted, none when nothing is new. Idempotent.
    """
    before = Service.objects.filter(organisation=organisation).count()
    services = load_services(organisation=organisation)
    if len(services) == before and not limits:
        nothing_to_record()
        return services
    for code, values in limits.items():
        Service.objects.filter(pk=services[code].pk).update(**values)
    record("services.adopted", organisation, actor=actor, at=at, services=len(services), limits=dict(limits))
    return {service.code: service for service in Service.objects.filter(organisation=organisation)}

"""Facts that may end or change: the database keeps what was known before, so that "as of" is true for ends as well.

A row keeps its key and its place; what it said before goes to ``EarlierVersion``, written by a trigger alone.
``changed_at`` says since when the present version is known (absent: since the row was recorded). A change that does
not move it forward is refused, and so is a deletion outside ``withdraw``.
"""

# ruff: noqa: S608  SQL is put together from names in this code; every value is a parameter.

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pgtrigger
from django.apps import apps
from django.db import connection, models
from django.db.models import Q

Row = TypeVar("Row", bound="VersionedModel")

# Two changes at one instant: the later one counts a microsecond later.
_TICK = timedelta(microseconds=1)
_WITHDRAWN_AT = "versions.withdrawn_at"

_KEEP = """
    INSERT INTO office_earlierversion (table_name, row_id, was, known_from, known_until)
    SELECT TG_TABLE_NAME, OLD.id, {was}, {since}, {until} WHERE {since} IS NULL OR {since} < {until};
"""
_RECORDED = """
IF NEW.{0} IS DISTINCT FROM OLD.{0} THEN
    RAISE EXCEPTION 'history of % is kept: the moment of recording stays', TG_TABLE_NAME;
END IF;
"""
_GUARD = """
IF TG_OP = 'DELETE' THEN
    IF COALESCE(current_setting('{setting}', true), '') = '' THEN
        RAISE EXCEPTION 'history of % is kept: a fact is withdrawn with the moment, not deleted', TG_TABLE_NAME;
    END IF;
    {withdrawn}
    RETURN OLD;
END IF;
{recorded}
IF ({new}) IS NOT DISTINCT FROM ({old}) THEN
    -- Nothing was learnt.
    NEW.changed_at := OLD.changed_at;
    RETURN NEW;
END IF;
IF NEW.changed_at IS NULL OR NEW.changed_at < {since} OR NEW.changed_at <= OLD.changed_at THEN
    RAISE EXCEPTION 'history of % is kept: a change needs the moment at which it was learnt', TG_TABLE_NAME;
END IF;
{changed}
RETURN NEW;
"""


class VersionedModel(models.Model):
    """A fact whose earlier versions stay known."""

    changed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def change(self, *, at: datetime, **values: Any) -> None:
        """Write values learnt at ``at``; never earlier than what is already known of the row."""
        for name, value in values.items():
            setattr(self, name, value)
        known = self.changed_at + _TICK if self.changed_at else getattr(self, "recorded_at", at)
        self.changed_at = max(at, known)
        self.save(update_fields=[*values, "changed_at"])

    def withdraw(self, *, at: datetime) -> None:
        """Take back a fact that never held: gone for every reader, still known as of earlier moments."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, %s, true)", [_WITHDRAWN_AT, at.isoformat()])
            self.delete()
            cursor.execute("SELECT set_config(%s, '', true)", [_WITHDRAWN_AT])


def versioned(
    name: str, *columns: str, recorded: str | None = "recorded_at", condition: pgtrigger.Condition | None = None
) -> list[pgtrigger.Trigger]:
    """The trigger that keeps earlier values of ``columns``.

    ``recorded``: the column that says when the row itself was learnt, if it has one. ``condition``: changes that count.
    """
    started = [f"OLD.{recorded}"] if recorded else []
    since = f"COALESCE({', '.join(['OLD.changed_at', *started])})"
    was = ", ".join(f"'{column}', OLD.{column}" for column in (*columns, "changed_at"))
    until = f"GREATEST(current_setting('{_WITHDRAWN_AT}')::timestamptz, {since} + interval '1 microsecond')"
    guard = _GUARD.format(
        setting=_WITHDRAWN_AT,
        recorded=_RECORDED.format(recorded) if recorded else "",
        new=", ".join(f"NEW.{column}" for column in columns),
        old=", ".join(f"OLD.{column}" for column in columns),
        since=since,
        changed=_KEEP.format(was=f"jsonb_build_object({was})", since=since, until="NEW.changed_at"),
        withdrawn=_KEEP.format(was="to_jsonb(OLD)", since=since, until=until),
    )
    return [
        pgtrigger.Trigger(
            name=f"{name}_versions",
            when=pgtrigger.Before,
            operation=pgtrigger.UpdateOf(*columns, *filter(None, [recorded]), "changed_at") | pgtrigger.Delete,
            condition=condition,
            func=guard,
        )
    ]


def as_known(table: str) -> str:
    """SQL of a versioned table as it was known at ``%(known_at)s``, whatever was changed or withdrawn since.

    Rows learnt later are still among them where the table has a time of recording: filter by it.
    """
    return f"""(
        SELECT t.* FROM {table} t WHERE t.changed_at IS NULL OR t.changed_at <= %(known_at)s
        UNION ALL
        SELECT v.* FROM office_earlierversion h LEFT JOIN {table} t ON t.id = h.row_id
        LEFT JOIN LATERAL (
            SELECT w.was FROM office_earlierversion w
            WHERE t.id IS NULL AND w.table_name = h.table_name AND w.row_id = h.row_id
            ORDER BY w.known_until DESC LIMIT 1) withdrawn ON true
        CROSS JOIN LATERAL jsonb_populate_record(t, COALESCE(withdrawn.was, '{{}}') || h.was) v
        WHERE h.table_name = '{table}' AND (h.known_from IS NULL OR h.known_from <= %(known_at)s)
          AND h.known_until > %(known_at)s)"""


def earlier_of(rows: Iterable[VersionedModel]) -> dict[tuple[str, int], list[Any]]:
    """Every earlier version of rows of any tables, by table and key: one query at most."""
    keys: dict[str, list[int]] = {}
    for row in rows:
        if row.changed_at is not None:
            keys.setdefault(row._meta.db_table, []).append(row.pk)
    if not keys:
        return {}
    wanted = Q()
    for table, found in keys.items():
        wanted |= Q(table_name=table, row_id__in=found)
    versions: dict[tuple[str, int], list[Any]] = {}
    for version in apps.get_model("office", "EarlierVersion")._default_manager.filter(wanted):
        versions.setdefault((version.table_name, version.row_id), []).append(version)
    return versions


def as_it_was(row: Row, earlier: Mapping[tuple[str, int], Iterable[Any]], known_at: datetime) -> Row | None:
    """A row as it was known at a moment; None when it was recorded later. ``earlier``: see ``earlier_of``."""
    recorded_at = getattr(row, "recorded_at", None)
    if recorded_at is not None and recorded_at > known_at:
        return None
    if row.changed_at is None or row.changed_at <= known_at:
        return row
    then = copy(row)
    for version in earlier.get((row._meta.db_table, row.pk), ()):
        if (version.known_from is None or version.known_from <= known_at) and version.known_until > known_at:
            _restore(then, version.was)
    return then


def known_rows(rows: Iterable[Row], known_at: datetime) -> list[Row]:
    """Rows with the values that were known at a moment; the given ones are those recorded by then."""
    found = list(rows)
    changed = {row.pk: row for row in found if row.changed_at is not None and row.changed_at > known_at}
    if changed:
        table = found[0]._meta.db_table
        versions = apps.get_model("office", "EarlierVersion")._default_manager.filter(
            Q(known_from=None) | Q(known_from__lte=known_at),
            known_until__gt=known_at,
            table_name=table,
            row_id__in=changed,
        )
        for version in versions:
            _restore(changed[version.row_id], version.was)
    return found


def _restore(row: VersionedModel, was: dict[str, Any]) -> None:
    for field in row._meta.concrete_fields:
        if field.column in was:
            setattr(row, field.attname, field.to_python(was[field.column]))

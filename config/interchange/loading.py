# ruff: noqa: S608 - table and column names are constants of this package; values are parameters
"""Staging: rows of a table are parsed in chunks, copied into a temporary table, checked and inserted set-based.

Nothing here loops over rows in Python except the parsing of cells and the comparison of encrypted names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.db import connection, models

from config.interchange.mapping import refused
from config.interchange.parsing import RowParser, personal_field
from config.interchange.sources import Rows
from config.interchange.specs import Loader

CHUNK = 5_000
_SQL_TYPES = {
    "date": "date",
    "month": "date",
    "time": "timestamptz",
    "int": "bigint",
    "count": "bigint",
    "bool": "boolean",
    "units": "numeric",
    "taken": "numeric",
    "rate": "numeric",
    "amount": "numeric",
    "exact": "numeric",
}


ALWAYS_KNOWN = datetime(1900, 1, 1, tzinfo=UTC)


class Stage:
    """One table on its way into the database, inside the caller's transaction."""

    def __init__(self, loader: Loader, parameters: dict[str, Any]) -> None:
        self.loader = loader
        self.parameters = parameters
        self.name = f"stage_{loader.name}"
        self.read = self.passed_over = self.kept = 0
        self._fields = loader.fields + loader.written_fields

    # -- parsing ---------------------------------------------------------------------------------------------

    def create(self) -> None:
        """The temporary table; it goes with the transaction."""
        columns = [f'"{column.name}" {self._type(column.name, column.kind)}' for column in self.loader.table.columns]
        columns += [f'"{reference.column}_id" bigint' for reference in self.loader.references]
        index = ["name_index text"] if self.loader.personal else []
        self.execute(f"DROP TABLE IF EXISTS pg_temp.{self.name}")
        self.execute(
            f"CREATE TEMP TABLE {self.name} (row_no bigint, {', '.join([*columns, *index])}, known_id bigint) "
            "ON COMMIT DROP"
        )

    def _type(self, name: str, kind: str) -> str:
        return "bytea" if name == self.loader.personal else _SQL_TYPES.get(kind, "text")

    def copy(self, rows: Rows, header: list[str], progress: Callable[[int], None]) -> None:
        """Parse and copy every row in chunks; bad cells become refusals."""
        parse = RowParser(self.loader, header)
        chunk: list[tuple[Any, ...]] = []
        for number, cells in self._wanted(enumerate(rows, start=2), header):
            if not any(cells):
                continue
            self.read += 1
            row = parse(number, cells)
            if row is not None:
                chunk.append(row)
            if len(chunk) >= CHUNK:
                self._flush(chunk, parse, progress)
        self._flush(chunk, parse, progress)
        self.execute(f"ANALYZE {self.name}")

    def _wanted(self, rows: Iterator[tuple[int, list[str]]], header: list[str]) -> Iterator[tuple[int, list[str]]]:
        """Rows without those that the table passes over; these are counted."""
        name, words = self.loader.passed_over
        if not name:
            return rows
        place = header.index(name)
        return (row for row in rows if not self._passes_over(row[1], place, words))

    def _passes_over(self, cells: list[str], place: int, words: frozenset[str]) -> bool:
        found = len(cells) > place and cells[place].strip() in words
        self.passed_over += found
        return found

    def _flush(self, chunk: list[tuple[Any, ...]], parse: RowParser, progress: Callable[[int], None]) -> None:
        names = ["row_no", *self.loader.table.names] + (["name_index"] if self.loader.personal else [])
        columns = ", ".join(f'"{name}"' for name in names)
        _copy_rows(f"COPY {self.name} ({columns}) FROM STDIN", chunk)
        record_refusals(self.loader.name, parse.refusals)
        record_refused_keys(self.loader.name, parse.refused_keys)
        progress(len(chunk) + len(parse.refused_keys))
        chunk.clear()
        parse.refusals.clear()
        parse.refused_keys.clear()

    # -- checking --------------------------------------------------------------------------------------------

    def refuse(self, code: str, column: str, rows: str) -> None:
        """Refuse the rows that the query ``rows`` (row_no, column, value) finds; ``column`` names what is meant."""
        table, key = self.loader.name, " || '/' || ".join(f"s.{name}::text" for name in self._key_columns())
        self.execute(
            f"INSERT INTO interchange_refusal SELECT '{table}', f.row_no, f.col, f.value, '{code}' FROM ({rows}) f"
        )
        self.execute(
            f"WITH gone AS (DELETE FROM {self.name} s USING interchange_refusal r "
            f"WHERE r.table_name = '{table}' AND r.row_no = s.row_no RETURNING {key} AS key) "
            f"INSERT INTO interchange_refused_key SELECT '{table}', key FROM gone"
        )

    def _key_columns(self) -> tuple[str, ...]:
        return self.loader.table.key if self.loader.name == "claim_lines" else self.loader.table.key[:1]

    def _found(self, column: str, condition: str) -> str:
        return (
            f"SELECT s.row_no, '{column}' AS col, to_jsonb(s) ->> '{column}' AS value FROM {self.name} s "
            f"WHERE {condition}"
        )

    def check(self) -> None:
        """Everything that needs other rows: keys, references, ranges, overlaps, what the database has."""
        self._refuse_duplicates()
        self._resolve()
        for check in self.loader.checks:
            self.refuse(check.code, check.column, self._found(check.column, check.condition))
        for statement in self.loader.arrange:
            self.execute(statement)
        self._find_known()
        self._refuse_differences()
        self._refuse_overlaps()

    def _refuse_duplicates(self) -> None:
        key = ", ".join(f's."{name}"' for name in self.loader.table.key)
        column = self.loader.table.key[0]
        numbered = f"SELECT s.*, row_number() OVER (PARTITION BY {key} ORDER BY s.row_no) AS copy FROM {self.name} s"
        self.refuse(
            "DUPLICATE_KEY",
            column,
            f"SELECT d.row_no, '{column}' AS col, d.\"{column}\"::text AS value FROM ({numbered}) d WHERE copy > 1",
        )

    def _resolve(self) -> None:
        self._look_up()
        for reference in self.loader.references:
            if reference.evidence:
                continue
            column = reference.column
            missing = f"s.{column} <> '' AND s.{column}_id IS NULL"
            by_parent = refused(reference.parent, f"s.{column}")
            self.refuse("PARENT_REFUSED", column, self._found(column, f"{missing} AND {by_parent}"))
            self.refuse("REFERENCE", column, self._found(column, missing))

    def _look_up(self) -> None:
        """Keys of all that the rows name, in one statement: each would write every row anew."""
        columns = [reference.column for reference in self.loader.references]
        if not columns:
            return
        joins = " ".join(
            f"LEFT JOIN {reference.rows} r{place} ON q.{column} <> '' AND r{place}.code = q.{column}"
            for place, (column, reference) in enumerate(zip(columns, self.loader.references, strict=True))
        )
        found = ", ".join(f"r{place}.id AS {column}_id" for place, column in enumerate(columns))
        written = ", ".join(f"{column}_id = x.{column}_id" for column in columns)
        self.execute(
            f"UPDATE {self.name} s SET {written} FROM (SELECT q.row_no, {found} FROM {self.name} q {joins}) x "
            "WHERE x.row_no = s.row_no"
        )

    def _find_known(self) -> None:
        target = self.loader.model._meta.db_table
        self.execute(f"UPDATE {self.name} s SET known_id = t.id FROM {target} t WHERE {self.loader.match}")

    def _refuse_differences(self) -> None:
        fields = [f for f in self._fields if f.column and f.column not in self.loader.table.key]
        cases = " ".join(f"WHEN ({f.staged_sql}) IS DISTINCT FROM ({f.known_sql}) THEN '{f.column}'" for f in fields)
        if cases:
            compared = (
                f"SELECT s.row_no, CASE {cases} END AS col, to_jsonb(s) AS cells FROM {self.name} s "
                f"JOIN {self.loader.model._meta.db_table} t ON t.id = s.known_id"
            )
            self.refuse(
                "DIFFERS",
                "",
                f"SELECT d.row_no, d.col, d.cells ->> d.col AS value FROM ({compared}) d WHERE d.col IS NOT NULL",
            )
        if self.loader.personal:
            self._refuse_other_names()
        elif self.loader.kept:
            table = self.loader.model._meta.db_table
            self.kept = self.count(f"EXISTS (SELECT 1 FROM {table} t WHERE t.id = s.known_id AND {self.loader.kept})")
        if self.loader.also_known:
            self.execute(f"UPDATE {self.name} s SET known_id = t.id {self.loader.also_known}")

    def _refuse_other_names(self) -> None:
        """Encrypted text has another cipher each time: compared by decrypting, in chunks."""
        personal, target = personal_field(self.loader), self.loader.model._meta.db_table
        sql = f"SELECT s.row_no, s.{personal.column}, t.{personal.column} FROM {self.name} s "
        sql += f"JOIN {target} t ON t.id = s.known_id"
        differing = [
            (number, personal.column, "•••", "DIFFERS")
            for number, staged, stored in stream(sql, self.parameters)
            if personal.decrypt(bytes(staged or b"")) != personal.decrypt(bytes(stored or b""))
        ]
        if self.loader.kept:
            self.kept = len(differing)
        elif differing:
            record_refusals(self.loader.name, differing)
            self.refuse("DIFFERS", personal.column, self._found(personal.column, "false"))

    def _refuse_overlaps(self) -> None:
        if not self.loader.overlap:
            return
        reached = (
            "SELECT s.row_no, s.valid_from, max(coalesce(s.valid_to, 'infinity'::date)) OVER "
            f"(PARTITION BY {self.loader.overlap} ORDER BY s.valid_from, s.row_no "
            f"ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached FROM {self.name} s"
        )
        column = "'valid_from' AS col, o.valid_from::text AS value"
        self.refuse(
            "OVERLAP", "valid_from", f"SELECT o.row_no, {column} FROM ({reached}) o WHERE o.reached >= o.valid_from"
        )
        stored = (
            f"s.known_id IS NULL AND EXISTS (SELECT 1 FROM {self.loader.model._meta.db_table} t "
            f"WHERE {self.loader.overlap_match} "
            "AND daterange(t.valid_from, t.valid_to) && daterange(s.valid_from, s.valid_to + 1))"
        )
        self.refuse("OVERLAP", "valid_from", self._found("valid_from", stored))

    def unknown_words(self) -> Iterator[tuple[int, str, str]]:
        """Row number, column and word of each staged cell that holds none of the words of its column."""
        for column in self.loader.otherwise:
            sql = f"SELECT s.row_no, '{column}', s.{column} FROM {self.name} s "
            yield from stream(f"{sql} WHERE {self.loader.unknown_word(column)} ORDER BY s.row_no", self.parameters)

    # -- writing ---------------------------------------------------------------------------------------------

    def insert(self) -> tuple[int, int]:
        """Write the new rows in key order. Returns: created, unchanged."""
        unchanged = self.count("known_id IS NOT NULL")
        for statement in self.loader.before:
            self.execute(statement)
        values = self._values()
        order = ", ".join(f's."{name}"' for name in self.loader.table.key)
        self.execute(
            f"INSERT INTO {self.loader.model._meta.db_table} ({', '.join(values)}) "
            f"SELECT {', '.join(values.values())} FROM {self.name} s WHERE s.known_id IS NULL ORDER BY {order}"
        )
        created = self.count("known_id IS NULL")
        for statement in self.loader.after:
            self.execute(statement)
        return created, unchanged

    def _values(self) -> dict[str, str]:
        values = {f'"{f.target}"': f.staged_sql for f in self._fields if f.target}
        values |= {f'"{name}"': sql for name, sql in self.loader.constants.items()}
        for model_field in self.loader.model._meta.concrete_fields:
            column = f'"{model_field.column}"'
            if column in values or model_field.primary_key:
                continue
            default = self._default(model_field)
            if default is not None:
                self.parameters[f"default_{model_field.column}"] = default
                values[column] = f"%(default_{model_field.column})s"
        return values

    def _default(self, model_field: models.Field[Any, Any]) -> Any:
        if model_field.column in ("recorded_at", "registered_at"):
            return self.parameters["known"]
        if model_field.null:
            return None
        return model_field.get_db_prep_save(model_field.get_default(), connection)

    def count(self, condition: str) -> int:
        """Staged rows under a condition."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {self.name} s WHERE {condition}", self.parameters)
            return int(cursor.fetchone()[0])

    def execute(self, sql: str) -> None:
        """Run a statement with the parameters of the import."""
        with connection.cursor() as cursor:
            cursor.execute(sql, self.parameters)


def prepare() -> None:
    """Temporary tables of refusals; they go with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.interchange_refusal, pg_temp.interchange_refused_key")
        cursor.execute(
            "CREATE TEMP TABLE interchange_refusal "
            "(table_name text, row_no bigint, col text, value text, code text) ON COMMIT DROP"
        )
        cursor.execute("CREATE TEMP TABLE interchange_refused_key (table_name text, key text) ON COMMIT DROP")
        # Unset, each row's trigger rolls a subtransaction back, which walks all references still to be checked.
        cursor.execute("SELECT set_config('pgtrigger.ignore', '{}', true)")


def record_refusals(table: str, refusals: list[tuple[int, str, str, str]]) -> None:
    """Keep refused cells: row number, column, value, code."""
    _copy_rows("COPY interchange_refusal FROM STDIN", [(table, *refusal) for refusal in refusals])


def record_refused_keys(table: str, keys: list[str] | list[None]) -> None:
    """Remember keys of refused rows, so that rows that belong to them can say so; None is the whole table."""
    _copy_rows("COPY interchange_refused_key FROM STDIN", [(table, key) for key in keys])


def _copy_rows(statement: str, rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    with connection.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[attr-defined]
        for row in rows:
            copy.write_row(row)


def stream(sql: str, parameters: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Rows of a query through a server-side cursor, in bounded memory."""
    connection.ensure_connection()
    with connection.connection.cursor(name="interchange_stream") as cursor:
        cursor.itersize = CHUNK
        cursor.execute(sql, parameters)
        yield from cursor


def business_parameters(organisation_id: int, jurisdiction: str, at: datetime) -> dict[str, Any]:
    """Named parameters that every statement of an import may use.

    A package does not say when its facts were learnt, so they count as always known: a month can then be settled as
    of any day, as it could where the package comes from. When they were imported stands in the audit trail.
    """
    return {"org": organisation_id, "jurisdiction": jurisdiction, "at": at, "known": ALWAYS_KNOWN}

# ruff: noqa: S608 - every piece of SQL here is a constant; values are parameters
"""Words in which exports say what they read: how figures are written, and what was known at the moment asked for.

Facts are those known at ``%(known_at)s``: now, or when the run that is asked for (``%(run)s``, its key) was made. Last
days instead of exclusive ends; units with 3 decimals, rates with 4, money with 2; times with the offset of the
municipality's zone.
"""

from __future__ import annotations

from dataclasses import dataclass

from config.versions import as_known


def text(column: str) -> str:
    return f"nullif({column}, '')"


def last_day(column: str) -> str:
    return f"{column} - 1"


def yes_or_no(column: str) -> str:
    return f"CASE WHEN {column} THEN 'true' ELSE 'false' END"


def moment(column: str) -> str:
    parts = f"to_char({column}, 'YYYY-MM-DD\"T\"HH24:MI:SS')"
    fraction = f"CASE WHEN date_trunc('second', {column}) = {column} THEN '' ELSE to_char({column}, '.US') END"
    return f"{parts} || {fraction} || to_char({column}, 'TZH:TZM')"


def fixed(column: str, places: int) -> str:
    return f"({column})::numeric(24,{places})"


def scaled(column: str, stored: int, places: int) -> str:
    return f"({column}::numeric / {10**stored})::numeric(24,{places})"


def minor(column: str) -> str:
    return scaled(column, 2, 2)


def pseudonym(kind: str, column: str) -> str:
    """A keyed fingerprint instead of a code when asked for; blank stays blank, equal codes stay equal."""
    hashed = f"left(encode(sha256(convert_to(%(secret)s || '{kind}' || {column}, 'UTF8')), 'hex'), 20)"
    return f"CASE WHEN {column} = '' THEN NULL WHEN %(pseudonymise)s THEN '{kind}-' || {hashed} ELSE {column} END"


def free_text(column: str) -> str:
    return f"CASE WHEN %(pseudonymise)s THEN NULL ELSE nullif({column}, '') END"


def status_word(alias: str) -> str:
    """The word that a package gave, where it is none of ours; it may say anything, so not with pseudonyms."""
    written = f"{alias}.status_written"
    return f"CASE WHEN {written} = '' OR %(pseudonymise)s THEN {alias}.status ELSE {written} END"


def known(table: str, alias: str) -> str:
    """A versioned table as it was known; rows of tables with a time of recording are still to be asked for it."""
    return f"{as_known(table)} {alias}"


def recorded(alias: str) -> str:
    return f"{alias}.recorded_at <= %(known_at)s"


@dataclass(frozen=True)
class Query:
    """Columns in the order of the table, the rest of the statement, and the sorting."""

    columns: tuple[str, ...]
    rest: str
    order: str

    @property
    def sql(self) -> str:
        """The whole statement; texts sort by code point everywhere."""
        return f"SELECT {', '.join(self.columns)} FROM {self.rest} ORDER BY {self.order}"


def by_code_point(*columns: str) -> str:
    return ", ".join(f'{column} COLLATE "C"' for column in columns)


# What was handed in at some time: a draft was not, nor one that was given up before. With a run: what it and the runs
# before it judged.
CLAIMS_SHOWN = """c.organisation_id = %(org)s AND c.status <> 'draft' AND c.submitted_at IS NOT NULL
    AND c.period <= %(until)s
    AND (%(run)s::bigint IS NULL OR EXISTS (
        SELECT 1 FROM settlement_remittance shown WHERE shown.claim_id = c.id AND shown.run_id <= %(run)s))"""

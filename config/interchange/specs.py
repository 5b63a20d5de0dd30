"""What a loader says about its table: columns, references, checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import models

from config.interchange.tables import READ_TABLES, Table


@dataclass(frozen=True)
class Field:
    """Where a package column goes. ``expression`` over ``s`` (staged), ``known`` the same figure of ``t`` (stored)."""

    column: str
    target: str
    expression: str = ""
    known: str = ""

    @property
    def staged_sql(self) -> str:
        """The staged figure in the database's terms."""
        return self.expression or f"s.{self.column}"

    @property
    def known_sql(self) -> str:
        """The stored figure in the same terms."""
        return self.known or f"t.{self.target}"


@dataclass(frozen=True)
class Reference:
    """A column that names a row of ``parent``; ``rows`` is SQL giving id and code; evidence may name nothing known."""

    column: str
    parent: str
    rows: str
    evidence: bool = False


@dataclass(frozen=True)
class Check:
    """A condition over ``s`` that refuses the row."""

    code: str
    column: str
    condition: str


@dataclass(frozen=True)
class Loader:
    """How one table becomes rows of a model."""

    name: str
    model: type[models.Model]
    fields: tuple[Field, ...]
    match: str
    references: tuple[Reference, ...] = ()
    checks: tuple[Check, ...] = ()
    overlap: str = ""
    overlap_match: str = ""
    personal: str = ""
    also_known: str = ""
    # A word of a choice column that is none of its choices is read as this one, kept as written, and told.
    otherwise: dict[str, str] = field(default_factory=dict)
    # Key column, value column, how the value of a key is read.
    refined: tuple[str, str, Callable[[str, str], str]] | None = None
    # Statements over the checked rows before they are compared with what is stored.
    arrange: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    constants: dict[str, str] = field(default_factory=dict)
    # Rows whose column holds one of these words are of no use here: they are counted, not read.
    passed_over: tuple[str, frozenset[str]] = ("", frozenset())
    # Rows (``s``) of which the stored name (``t``) stays, though it is written in another way.
    kept: str = ""

    @property
    def table(self) -> Table:
        """The package table."""
        return READ_TABLES[self.name]

    def unknown_word(self, column: str) -> str:
        """Whether a staged word is none of the choices of its column, as SQL."""
        choices = next(c.choices for c in self.table.columns if c.name == column)
        return f"s.{column} NOT IN ({', '.join(repr(word) for word in choices)})"

    @property
    def written_fields(self) -> tuple[Field, ...]:
        """Columns with words of others: how each word is read, and what was written."""
        return tuple(
            written
            for column, word in self.otherwise.items()
            for written in (
                Field(column, column, f"CASE WHEN {self.unknown_word(column)} THEN '{word}' ELSE s.{column} END"),
                Field(
                    column,
                    f"{column}_written",
                    f"CASE WHEN {self.unknown_word(column)} THEN s.{column} ELSE '' END",
                ),
            )
        )

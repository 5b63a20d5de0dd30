"""A package under construction."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from tests.oracle.columns import COLUMNS

Row = dict[str, str]


@dataclass
class Draft:
    """Tables under construction."""

    seed: int
    random: random.Random
    tables: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    months: list[str] = field(default_factory=list)
    hostility: float = 1.0

    def add(self, table: str, **values: object) -> Row:
        """Append a row; a column not given is blank."""
        row = {column: _text(values.get(column)) for column in COLUMNS[table]}
        assert set(values) <= set(COLUMNS[table]), (table, values)
        self.tables[table].append(row)
        return row

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.random.random() < probability

    def fault(self, probability: float) -> bool:
        """True with this probability, scaled by how hostile the package is."""
        return self.random.random() < probability * self.hostility

    def day(self, month: str | None = None) -> date:
        """Any day of the month, early days more often so that they collide."""
        year, number = (int(part) for part in (month or self.random.choice(self.months)).split("-"))
        return date(year, number, self.random.choice([3, 4, 5, 5, 6, 15, 26, self.random.randint(1, 28)]))

    def code(self, table: str, column: str) -> str:
        """A code that exists."""
        return self.random.choice(self.tables[table])[column]

    def rate(self) -> Decimal:
        """A unit rate, often with four places."""
        return self.random.choice([Decimal(95), Decimal("85.3333"), Decimal("96.54"), Decimal("90.005")])


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date | datetime) else str(value)

"""Columns of integers between PostgreSQL and numpy by binary COPY: no text, no object per row.

A row of int8 columns without nulls has one length, so a whole table is one ``frombuffer``.
"""

# ruff: noqa: S608  SQL is put together from names in this code; every value is a parameter.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from django.db.backends.utils import CursorWrapper

from settlement.rules.facts import NO_TIME, Ints

# Fixed signature, flags, and length of a header extension (none).
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
# PostgreSQL counts microseconds from 2000-01-01; 'infinity' is the largest int8, which is NO_TIME.
_EPOCH_2000 = 946_684_800_000_000


def _row_type(columns: Sequence[str]) -> np.dtype[Any]:
    parts: list[tuple[str, str]] = [("fields", ">i2")]
    for name in columns:
        parts += [(f"length of {name}", ">i4"), (name, ">i8")]
    return np.dtype(parts)


def read_integers(
    cursor: CursorWrapper,
    query: str,
    columns: Sequence[str],
    params: Mapping[str, Any],
    *,
    times: frozenset[str] = frozenset(),
) -> pd.DataFrame:
    """The query's columns as int64. ``times`` are timestamptz, read as microseconds since 1970; infinity is NO_TIME.

    Raises: ValueError when a value is null.
    """
    casts = ", ".join(f'"{name}"' if name in times else f'"{name}"::bigint' for name in columns)
    with cursor.copy(f"COPY (SELECT {casts} FROM ({query}) facts) TO STDOUT (FORMAT BINARY)", params) as copy:
        data = bytearray()
        for row in copy:
            # Rows gathered as objects first would cost more than the database: the collector walks them all.
            data += row
    kind = _row_type(columns)
    body = memoryview(data)[len(_HEADER) : len(data) - len(_TRAILER)]
    if len(body) % kind.itemsize:
        raise ValueError(f"null in {columns}")
    rows = np.frombuffer(body, dtype=kind)
    if any((rows[f"length of {name}"] != 8).any() for name in columns):
        raise ValueError(f"null in {columns}")
    return pd.DataFrame({name: _native(rows[name], name in times) for name in columns}, columns=list(columns))


def _native(values: np.ndarray[Any, Any], is_time: bool) -> Ints:
    native = values.astype(np.int64)
    return np.where(native == NO_TIME, NO_TIME, native + _EPOCH_2000) if is_time else native


def write_integers(
    cursor: CursorWrapper, table: str, columns: Mapping[str, Ints], texts: Mapping[str, str] | None = None
) -> None:
    """Append rows by COPY: int8 columns, and text columns with one value for all rows.

    ``table`` and the names of columns come from code, never from input.
    """
    size = len(next(iter(columns.values())))
    if not size:
        return
    words = {name: text.encode() for name, text in (texts or {}).items()}
    kind = np.dtype(
        [
            *_row_type(list(columns)).descr,
            *[part for name, word in words.items() for part in ((f"length of {name}", ">i4"), (name, f"S{len(word)}"))],
        ]
    )
    rows = np.zeros(size, dtype=kind)
    rows["fields"] = len(columns) + len(words)
    for name, values in columns.items():
        rows[f"length of {name}"], rows[name] = 8, values
    for name, word in words.items():
        rows[f"length of {name}"], rows[name] = len(word), word
    names = ", ".join(f'"{name}"' for name in (*columns, *words))
    with cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(_HEADER)
        copy.write(rows.tobytes())
        copy.write(_TRAILER)


def write_text_rows(cursor: CursorWrapper, table: str, columns: Sequence[str], rows: Sequence[str]) -> None:
    """Append rows already written in COPY's text format (tab separated, backslashes doubled)."""
    if not rows:
        return
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for start in range(0, len(rows), 20_000):
            copy.write("\n".join(rows[start : start + 20_000]) + "\n")

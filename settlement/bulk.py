"""Columns of integers between PostgreSQL and numpy by binary COPY: no text, no object per row.

A row of int8 columns without nulls has one length, so a whole table is one ``frombuffer``.
"""

# ruff: noqa: S608  SQL is put together from names in this code; every value is a parameter.

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
# Rows taken apart or put together at a time.
_BLOCK = 4096


def _row_type(columns: Sequence[str], texts: Mapping[str, bytes] | None = None) -> np.dtype[Any]:
    parts: list[tuple[str, str]] = [("fields", ">i2")]
    for name in columns:
        parts += [(f"length of {name}", ">i4"), (name, ">i8")]
    for name, word in (texts or {}).items():
        parts += [(f"length of {name}", ">i4"), (name, f"S{len(word)}")]
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
    # Past Django's wrapper: the one that writes queries down takes no parameters here.
    with cursor.cursor.copy(f"COPY (SELECT {casts} FROM ({query}) facts) TO STDOUT (FORMAT BINARY)", params) as copy:
        # Rows gathered as objects first would cost more than the database: the collector walks them all.
        blocks = list(_blocks(copy, columns))
    values = np.concatenate([np.zeros((len(columns), 0), dtype=np.int64), *blocks], axis=1)
    del blocks
    for place, name in enumerate(columns):
        if name in times:
            _since_1970(values[place])
    return pd.DataFrame(values.T, columns=list(columns), copy=False)


def _blocks(copy: Iterable[Any], columns: Sequence[str]) -> Iterator[Ints]:
    """The rows in blocks that a processor's cache holds while their columns are taken apart."""
    data, size = bytearray(), len(_HEADER) + _BLOCK * _row_type(columns).itemsize
    for row in copy:
        data += row
        if len(data) >= size:
            yield _columns_of(memoryview(data)[len(_HEADER) :], columns)
            # What follows looks as if a header stood before it.
            data = bytearray(len(_HEADER))
    yield _columns_of(memoryview(data)[len(_HEADER) : len(data) - len(_TRAILER)], columns)


def _columns_of(body: memoryview, columns: Sequence[str]) -> Ints:
    kind = _row_type(columns)
    if len(body) % kind.itemsize:
        raise ValueError(f"null in {columns}")
    rows = np.frombuffer(body, dtype=kind)
    values = np.empty((len(columns), len(rows)), dtype=np.int64)
    for place, name in enumerate(columns):
        if (rows[f"length of {name}"] != 8).any():
            raise ValueError(f"null in {columns}")
        values[place] = rows[name]
    return values


def _since_1970(times: Ints) -> None:
    times += np.where(times == NO_TIME, 0, _EPOCH_2000)


def write_integers(
    cursor: CursorWrapper, table: str, parts: Iterable[tuple[Mapping[str, Ints], Mapping[str, str]]]
) -> None:
    """Append rows by one COPY: parts of int8 columns, and text columns with one value for all rows of a part.

    All parts have the same columns. ``table`` and the names of columns come from code, never from input.
    """
    filled = [(columns, texts) for columns, texts in parts if len(next(iter(columns.values())))]
    if not filled:
        return
    names = ", ".join(f'"{name}"' for part in filled[0] for name in part)
    with cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(_HEADER)
        for columns, texts in filled:
            for block in _written(columns, {name: text.encode() for name, text in texts.items()}):
                copy.write(block)
        copy.write(_TRAILER)


def _written(columns: Mapping[str, Ints], texts: Mapping[str, bytes]) -> Iterator[bytes]:
    size = len(next(iter(columns.values())))
    rows = np.zeros(min(size, _BLOCK), dtype=_row_type(list(columns), texts))
    rows["fields"] = len(columns) + len(texts)
    for name in columns:
        rows[f"length of {name}"] = 8
    for name, word in texts.items():
        rows[f"length of {name}"], rows[name] = len(word), word
    for start in range(0, size, _BLOCK):
        part = rows[: size - start]
        for name, values in columns.items():
            part[name] = values[start : start + _BLOCK]
        yield part.tobytes()


def write_text_rows(cursor: CursorWrapper, table: str, columns: Sequence[str], rows: Sequence[str]) -> None:
    """Append rows already written in COPY's text format (tab separated, backslashes doubled)."""
    if not rows:
        return
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for start in range(0, len(rows), 20_000):
            copy.write("\n".join(rows[start : start + 20_000]) + "\n")

"""Packages as they come: a folder, a .zip, or a workbook; CSV tables or sheets of the same name. Streaming."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any
from zoneinfo import ZoneInfo

from openpyxl import load_workbook

from config.interchange.refusals import Ignored, PackageUnreadable
from config.interchange.tables import OUTPUT_TABLES, READ_TABLES

Rows = Iterator[list[str]]

csv.field_size_limit(10_000_000)

_BOOKS = (".xlsx", ".xlsm")
_DESCRIPTOR = "datapackage.json"


@dataclass(frozen=True)
class SourceTable:
    """A table of the package: the file it stands in, and how to read its rows, header first."""

    name: str
    file: str
    rows: Callable[[ZoneInfo], Rows]


class Source:
    """An opened package: its descriptor, its tables, and what in it is no table that is read.

    Close it, or use it as a context.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ignored: list[Ignored] = []
        self._stack = ExitStack()
        try:
            self.descriptor, self.tables = self._open()
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as problem:
            self.close()
            raise PackageUnreadable(path=path, reason=problem) from problem

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every file."""
        self._stack.close()

    def _open(self) -> tuple[dict[str, Any], dict[str, SourceTable]]:
        if self.path.is_dir():
            paths = sorted(self.path.iterdir())
            files: dict[str, Callable[[], IO[bytes]]] = {path.name: _opener(path) for path in paths if path.is_file()}
            self._ignore(*(f"{path.name}/" for path in paths if not path.is_file()))
        elif self.path.suffix.lower() == ".zip":
            files = self._zipped()
        else:
            files = {self.path.name: _opener(self.path)}
        return self._describe(files)

    def _zipped(self) -> dict[str, Callable[[], IO[bytes]]]:
        archive = self._stack.enter_context(zipfile.ZipFile(self.path))
        names = [name for name in archive.namelist() if not name.endswith("/")]
        roots = [PurePosixPath(name).parent for name in names if PurePosixPath(name).name == _DESCRIPTOR]
        root = min(roots, key=lambda parent: len(parent.parts), default=PurePosixPath("."))
        self._ignore(*(name for name in names if PurePosixPath(name).parent != root))
        return {
            PurePosixPath(name).name: lambda name=name: archive.open(name)  # type: ignore[misc]
            for name in names
            if PurePosixPath(name).parent == root
        }

    def _describe(self, files: dict[str, Callable[[], IO[bytes]]]) -> tuple[dict[str, Any], dict[str, SourceTable]]:
        descriptor: dict[str, Any] = {}
        if _DESCRIPTOR in files:
            with files[_DESCRIPTOR]() as file:
                descriptor = json.loads(file.read().decode("utf-8-sig"))
            if not isinstance(descriptor, dict):
                raise ValueError("datapackage.json is not an object")
        paths = _named_paths(descriptor)
        tables: dict[str, SourceTable] = {}
        for name, opener in files.items():
            if name.lower().endswith(_BOOKS):
                self._take(tables, self._sheets(name, opener, descriptor))
        named = {paths.get(table, f"{table}.csv"): table for table in READ_TABLES}
        found = {table: name for name, table in named.items() if name in files}
        self._take(tables, [SourceTable(table, name, _csv_rows(files[name])) for table, name in found.items()])
        read = {_DESCRIPTOR, *named, *(name for name in files if name.lower().endswith(_BOOKS))}
        self._ignore(*(name for name in files if name not in read), paths=paths)
        if not descriptor and not tables:
            raise ValueError("no datapackage.json and no tables")
        return descriptor, tables

    def _take(self, tables: dict[str, SourceTable], found: list[SourceTable]) -> None:
        """The last file or sheet of a table is read; another one is told."""
        for table in found:
            if table.name in tables:
                self.ignored.append(Ignored(tables[table.name].file, "TABLE_TWICE"))
            tables[table.name] = table

    def _ignore(self, *names: str, paths: dict[str, str] | None = None) -> None:
        """Tell what is not read: results of a run, and what the format does not know."""
        results = {f"{table}.csv" for table in OUTPUT_TABLES} | {(paths or {}).get(table) for table in OUTPUT_TABLES}
        self.ignored += [Ignored(name, "RESULTS" if name in results else "UNKNOWN_FILE") for name in names]

    def _sheets(self, name: str, opener: Callable[[], IO[bytes]], descriptor: dict[str, Any]) -> list[SourceTable]:
        file = self._stack.enter_context(opener())
        if not file.seekable():
            file = io.BytesIO(file.read())
        book = load_workbook(file, read_only=True, data_only=True)
        self._stack.callback(book.close)
        if "organisation" in book.sheetnames and "organisation" not in descriptor:
            header, values = list(_sheet_rows(book["organisation"], ZoneInfo("UTC")))[:2]
            descriptor["organisation"] = dict(zip(header, values, strict=False))
        for sheet in book.sheetnames:
            if sheet not in READ_TABLES and sheet != "organisation":
                self.ignored.append(Ignored(f"{name}#{sheet}", "RESULTS" if sheet in OUTPUT_TABLES else "UNKNOWN_FILE"))
        return [
            SourceTable(table, f"{name}#{table}", _reader(book[table]))
            for table in READ_TABLES
            if table in book.sheetnames
        ]


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def _named_paths(descriptor: dict[str, Any]) -> dict[str, str]:
    """File names that the descriptor gives to tables; only names beside it, never a way out of the folder."""
    resources = descriptor.get("resources")
    named = {}
    for resource in resources if isinstance(resources, list) else []:
        path = resource.get("path") if isinstance(resource, dict) else None
        if isinstance(path, str) and PurePosixPath(path).name == path:
            named[str(resource.get("name"))] = path
    return named


def _csv_rows(opener: Callable[[], IO[bytes]]) -> Callable[[ZoneInfo], Rows]:
    def rows(_zone: ZoneInfo) -> Rows:
        with opener() as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
            header = text.readline()
            delimiter = ";" if ";" in header and "," not in header else ","
            yield next(csv.reader([header], delimiter=delimiter), [])
            yield from csv.reader(text, delimiter=delimiter)

    return rows


def _reader(sheet: Any) -> Callable[[ZoneInfo], Rows]:
    return lambda zone: _sheet_rows(sheet, zone)


def _sheet_rows(sheet: Any, zone: ZoneInfo) -> Rows:
    width = 0
    for values in sheet.iter_rows(values_only=True):
        cells = [_cell_text(value, zone) for value in values]
        width = width or len("".join(f"{(cell and 1) or 0}" for cell in cells).rstrip("0"))
        # A sheet remembers formatted cells beyond the table: they are blank and no part of it.
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]
        yield cells + [""] * (width - len(cells))


def _cell_text(value: Any, zone: ZoneInfo) -> str:
    """A cell of a sheet as text. Excel's own dates with a time are times of the municipality's zone."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # 15 digits are what a sheet holds; more are the noise of binary fractions.
        return f"{value:.15g}" if "e" not in f"{value:.15g}" else f"{value:.10f}".rstrip("0")
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or zone).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)

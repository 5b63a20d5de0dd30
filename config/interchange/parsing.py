"""Rows of a table into what COPY takes; what cannot be read becomes a refusal."""

from __future__ import annotations

from functools import partial
from typing import Any

from config.fields import EncryptedTextField, blind_index
from config.interchange.cells import CellError, Parser, parse_text, parser_for
from config.interchange.specs import Loader
from config.interchange.tables import Column

WORD_LENGTH = 200


class RowParser:
    """Cells of a row into what COPY takes; refusals are collected."""

    def __init__(self, loader: Loader, header: list[str]) -> None:
        self.refusals: list[tuple[int, str, str, str]] = []
        self.refused_keys: list[str] = []
        self._width = len(header)
        self._loader = loader
        self._personal = personal_field(loader) if loader.personal else None
        positions = {name.strip(): index for index, name in enumerate(header)}
        key = loader.table.key if loader.name == "claim_lines" else loader.table.key[:1]
        self._key = [positions[name] for name in key]
        # A blank yes-or-no is no; blank text is empty; any other blank is absent.
        blanks = {"bool": "false", "text": "", "code": "", "choice": ""}
        self._plan: list[tuple[int, str, bool, str | None, Parser]] = [
            (
                positions.get(column.name, -1),
                column.name,
                column.required,
                blanks.get(column.kind),
                self._parser(column),
            )
            for column in loader.table.columns
        ]

    def __call__(self, number: int, cells: list[str]) -> tuple[Any, ...] | None:
        if len(cells) != self._width:
            self._refuse(number, [("", str(len(cells)), "CELLS")], cells)
            return None
        values: list[Any] = [number]
        problems: list[tuple[str, str, str]] = []
        for position, name, required, blank, parse in self._plan:
            cell = cells[position] if position >= 0 else ""
            if not cell or cell.isspace():
                if required:
                    problems.append((name, "", "REQUIRED"))
                values.append(blank)
                continue
            try:
                values.append(parse(cell))
            except CellError as problem:
                problems.append((name, cell, str(problem)))
        problems = problems or self._refine(values)
        if problems:
            self._refuse(number, problems, cells)
            return None
        return self._encrypted(values) if self._personal else tuple(values)

    def _parser(self, column: Column) -> Parser:
        parse = parser_for(column)
        return partial(_or_as_written, parse=parse) if column.name in self._loader.otherwise else parse

    def _refine(self, values: list[Any]) -> list[tuple[str, str, str]]:
        """Read the value that depends on its key; what is wrong with it."""
        if self._loader.refined is None:
            return []
        key, name, read = self._loader.refined
        names = self._loader.table.names
        place = 1 + names.index(name)
        try:
            values[place] = read(values[1 + names.index(key)], values[place])
        except CellError as problem:
            return [(name, values[place], str(problem))]
        return []

    def _encrypted(self, values: list[Any]) -> tuple[Any, ...]:
        place = 1 + self._loader.table.names.index(self._loader.personal)
        text = values[place]
        assert self._personal is not None
        values[place] = self._personal.encrypt(text) if text else b""
        return (*values, blind_index(" ".join(text.split()), purpose=f"{self._loader.model.__name__.lower()}.name"))

    def _refuse(self, number: int, problems: list[tuple[str, str, str]], cells: list[str]) -> None:
        shown = [
            (n, "•••" if n and n == self._loader.personal else v[:200].replace("\x00", "�"), c) for n, v, c in problems
        ]
        self.refusals += [(number, name, value, code) for name, value, code in shown]
        key = "/".join(cells[index] if index < len(cells) else "" for index in self._key)
        self.refused_keys.append(key.replace("\x00", "�"))


def _or_as_written(cell: str, parse: Parser) -> str:
    try:
        return parse(cell)
    except CellError:
        return parse_text(cell, length=WORD_LENGTH)


def personal_field(loader: Loader) -> EncryptedTextField:
    model_field = loader.model._meta.get_field(loader.personal)
    assert isinstance(model_field, EncryptedTextField)
    return model_field

"""One cell of a package: text as people and spreadsheets write it, into the canonical text that COPY takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache, partial

from config.interchange.tables import Column

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", re.ASCII)
_MIDNIGHT = re.compile(r"T00:00:00([+-]\d{2}:\d{2})?$", re.ASCII)
_FIRST_DAY = re.compile(r"(?<=\d{4}-\d{2})-01$", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_CHECK = re.compile(r"CLM-\d{2}", re.ASCII)
_WHOLE = re.compile(r"\d+", re.ASCII)
# Spaces that people and spreadsheets put between thousands: plain, no-break, narrow no-break, thin, figure.
_SPACES = str.maketrans("", "", " \u00a0\u202f\u2009\u2007\t")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")

# Digits before the point that the columns of the database hold.
_WHOLE_DIGITS = {"units": 10, "taken": 10, "rate": 9, "amount": 13, "exact": 13}
_PLACES = {"units": 3, "taken": 3, "rate": 4, "amount": 2, "exact": 4}
_INT_MAX = 2_147_483_647
_YEAR_MIN = 1000
_REMEMBERED = 4_096

Parser = Callable[[str], str]


class CellError(ValueError):
    """A cell that the import refuses; the argument is the code."""


def parser_for(column: Column) -> Parser:
    """The function that turns a non-blank cell of the column into canonical text, or raises CellError.

    Days, figures and words come again and again in a long table: those read lately are remembered.
    """
    if column.kind in ("code", "text"):
        return partial(parse_text, length=column.length)
    return lru_cache(maxsize=_REMEMBERED)(_parser_of(column))


def _parser_of(column: Column) -> Parser:
    if column.kind == "choice":
        return partial(_choice, choices=column.choices)
    if column.kind in _PLACES:
        return partial(_decimal, kind=column.kind)
    if column.kind in ("int", "count"):
        return partial(_int, minimum=1 if column.kind == "int" else 0)
    return {"date": _date, "time": _time, "month": _month, "bool": _bool, "check": _check}[column.kind]


def parse_text(cell: str, length: int) -> str:
    """Text as it stands. Raises: CellError."""
    if _CONTROL.search(cell):
        raise CellError("CHARACTER")
    if len(cell) > length:
        raise CellError("TOO_LONG")
    return cell


def _choice(cell: str, choices: tuple[str, ...]) -> str:
    if cell.strip() not in choices:
        raise CellError("CHOICE")
    return cell.strip()


def _bool(cell: str) -> str:
    if cell.strip() not in ("true", "false"):
        raise CellError("BOOLEAN")
    return cell.strip()


def _check(cell: str) -> str:
    if not _CHECK.fullmatch(cell.strip()):
        raise CellError("CHECK")
    return cell.strip()


def _date(cell: str) -> str:
    # A sheet turns dates into midnights.
    text = _MIDNIGHT.sub("", cell.strip())
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or day.year < _YEAR_MIN:
        raise CellError("DATE")
    return text


def _month(cell: str) -> str:
    text = _FIRST_DAY.sub("", _MIDNIGHT.sub("", cell.strip()))
    if not _MONTH.fullmatch(text) or int(text[:4]) < _YEAR_MIN:
        raise CellError("MONTH")
    return f"{text}-01"


def _time(cell: str) -> str:
    text = cell.strip()
    try:
        moment = datetime.fromisoformat(text) if _TIME.match(text) else None
    except ValueError:
        moment = None
    if moment is None or not _YEAR_MIN <= moment.year < 9999:
        raise CellError("TIME")
    if moment.tzinfo is None:
        raise CellError("TIME_ZONE")
    return moment.isoformat()


def clean_number(cell: str) -> str:
    """A number without spaces, its decimal comma made a point. Example: ``1 234,50`` -> ``1234.50``."""
    text = cell.translate(_SPACES)
    return text.replace(",", ".") if text.count(",") == 1 and "." not in text else text


def _int(cell: str, minimum: int) -> str:
    text = clean_number(cell)
    if not _WHOLE.fullmatch(text):
        raise CellError("INTEGER")
    if int(text) > _INT_MAX:
        raise CellError("TOO_LARGE")
    if int(text) < minimum:
        raise CellError("NOT_POSITIVE")
    return str(int(text))


def _decimal(cell: str, kind: str) -> str:
    text = clean_number(cell)
    if not _NUMBER.fullmatch(text):
        raise CellError("NUMBER")
    if len(text.partition(".")[2].rstrip("0")) > _PLACES[kind]:
        raise CellError("DECIMALS")
    value = Decimal(text)
    if kind in ("units", "rate") and value <= 0:
        raise CellError("NOT_POSITIVE")
    if kind in ("amount", "taken") and value < 0:
        raise CellError("NEGATIVE")
    if value.adjusted() >= _WHOLE_DIGITS[kind]:
        raise CellError("TOO_LARGE")
    return text

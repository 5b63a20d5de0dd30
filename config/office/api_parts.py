"""What every operation of the interface does the same way: values, pages, refusals, writes that may be repeated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from ninja import Header, Schema
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from config.accounts.access import Access
from config.accounts.api_auth import caller
from config.money import from_minor, from_units
from config.office.idempotency import answer_once

M = TypeVar("M", bound=Model)
R = TypeVar("R")

EARLIEST, LATEST = date(1990, 1, 1), date(2199, 12, 31)


def _positive(text: str) -> str:
    if not Decimal(text):
        raise ValueError("must be above zero")
    return text


def _in_our_time(moment: datetime) -> datetime:
    if not EARLIEST <= moment.date() <= LATEST:
        raise ValueError(f"must be between {EARLIEST} and {LATEST}")
    return moment


# The database takes no zero characters, nor numbers beyond eight bytes: refused here in words, not there by a crash.
_PLAIN = r"^[^\x00]*$"
Text = Annotated[str, StringConstraints(max_length=300, pattern=_PLAIN)]
Code = Annotated[str, StringConstraints(max_length=64, pattern=_PLAIN)]
RowId = Annotated[int, Field(ge=1, le=2**63 - 1)]
Limit = Annotated[int, Field(ge=1, le=100, description="Rows of a page")]
# Figures are text: a float of JSON has no 0.1. Money 2 places, rates 4, units 3.
# The sizes keep units times rate of a line, and sums of many lines, within eight bytes.
Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,4})?$")]
Rate = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}(\.[0-9]{1,4})?$"), AfterValidator(_positive)]
Units = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,4}(\.[0-9]{1,3})?$"), AfterValidator(_positive)]
Day = Annotated[date, Field(ge=EARLIEST, le=LATEST)]
Moment = Annotated[datetime, AfterValidator(_in_our_time)]
Month = Annotated[str, StringConstraints(pattern=r"^(19|20)[0-9][0-9]-(0[1-9]|1[0-2])$")]
RequestKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="Made by the caller, new for each request: a repetition gets the first answer and does nothing.",
    ),
]


class Problem(Schema):
    """A refusal (RFC 9457): ``title`` is its code, ``detail`` says what happened and what to do."""

    type: str
    title: str
    status: int
    detail: str
    params: dict[str, str] = {}
    errors: list[dict[str, Any]] = []


REFUSALS = {frozenset({400, 401, 403, 404, 409, 413, 422, 429}): Problem}


class Wish(Schema):
    """A body: unknown names are refused, for a misspelt one would be lost in silence."""

    model_config = ConfigDict(extra="forbid")


def amount_text(minor: int | None) -> str | None:
    """152000 -> "1520.00"."""
    return None if minor is None else str(from_minor(minor))


def units_text(milli: int | None) -> str | None:
    """1500 -> "1.500"."""
    return None if milli is None else str(from_units(milli))


def local(moment: datetime, zone: str) -> datetime:
    """A time that names no zone is that of the organisation."""
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))


def page_after(rows: QuerySet[M], after: int | None, limit: int) -> tuple[list[M], int | None]:
    """The next rows, newest first, and where the page after them begins; the same speed however far down."""
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk")[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else None


def in_scope(access: Access, rows: QuerySet[M]) -> QuerySet[M]:
    """Rows of the one organisation that a program's key is for."""
    return rows.filter(organisation=access.only) if access.only else rows


def written_once(
    request: HttpRequest, key: str, wish: Schema | None, call: Callable[[], R], answer: Callable[[R], dict[str, Any]]
) -> dict[str, Any]:
    """One action under the caller's key. Raises: IdempotencyConflict, and what the action raises."""
    access = caller(request)
    scope = f"api:{access.user.pk}:{access.only.pk if access.only else ''}"
    body = {"to": f"{request.method} {request.path}", "wish": wish.model_dump(mode="json") if wish else None}
    return answer_once(scope=scope, key=key, body=body, at=access.now(), call=call, answer=answer)

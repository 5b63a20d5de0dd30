"""Follow the money: from any point of the road to all others, in both directions, in one query.

Every level says how much of the trail's money went through it and how that differs from what was adjudicated as
payable; a difference is named, never hidden.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.apps import apps
from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.links import url_of
from settlement.money_trail_sql import LEVELS, STARTS, level_of, query_for

TITLES = {
    "budget": _("Budget line"),
    "set_aside": _("Set aside on the budget"),
    "competition": _("Competition"),
    "contract": _("Contract"),
    "certificate": _("Certificate"),
    "redemption": _("Redemption"),
    "claim_line": _("Claim line"),
    "claim": _("Claim"),
    "posting": _("Ledger entry"),
    "payment": _("Payment"),
    "bank": _("Bank record"),
}
# Events of the ledger in words.
EVENTS = {
    "claim.adjudicated": _("claim adjudicated"),
    "claim.reversed": _("claim taken back"),
    "payment.sent": _("payment sent"),
    "payment.confirmed": _("payment confirmed by the bank"),
    "payment.returned": _("payment returned"),
    "payment.failed": _("payment failed"),
    "receipt.explained": _("receipt explained"),
    "charge.explained": _("bank charge explained"),
}
# Why a level may carry less (or more) than was adjudicated as payable.
REASONS = {
    "budget": _("not entered as spent on the budget line"),
    "competition": _("lines without a known contract"),
    "contract": _("lines without a known contract"),
    "certificate": _("lines without a known certificate"),
    "redemption": _("lines without a known redemption"),
    "claim_line": _("not explained by lines"),
    "claim": _("not explained by claims"),
    "posting": _("not posted to the ledger"),
    "payment": _("not paid yet, or paid and returned"),
    "bank": _("not confirmed by the bank, or returned"),
}
MODELS = {name: model for _level, name, model in LEVELS}


@dataclass(frozen=True)
class Node:
    """A record on the road. ``amount`` is this trail's money in it, ``own`` its own figure; minor units.

    ``url`` is its page, ``follow`` the page of the road that begins at it; empty where there is none.
    """

    label: str
    name: str
    title: str
    status: str
    on_date: date | None
    amount: int
    own: int | None
    off: int
    url: str
    follow: str
    is_start: bool


@dataclass(frozen=True)
class Level:
    """A step of the road with its largest records; ``rest_*`` are those not shown.

    ``difference`` = total - payable; ``off`` the sum of disagreements of records with their own parts.
    """

    key: str
    title: str
    nodes: list[Node]
    count: int
    total: int
    rest_count: int
    rest_total: int
    difference: int
    reason: str
    off: int
    flows: bool


@dataclass(frozen=True)
class MoneyTrail:
    """The whole road of one start point; minor units of ``currency``."""

    start: str
    start_label: str
    currency: str
    lines: int
    claimed: int
    gross: int
    fee: int
    payable: int
    levels: list[Level]

    @property
    def agrees(self) -> bool:
        """Whether every level carries what was adjudicated and no record disagrees with its parts."""
        return all(level.difference == 0 and level.off == 0 for level in self.levels)

    def as_json(self) -> dict[str, Any]:
        """Plain data: amounts in minor units, dates as text."""
        return {**asdict(self), "agrees": self.agrees}


# start -> where its organisation stands
OWNERS = {"claim_line": "claim__organisation", "statement_line": "statement__organisation"}
# start -> the number a person knows it by
NUMBERS = {
    "budget_line": "code",
    "contract": "number",
    "certificate": "number",
    "redemption": "code",
    "claim": "number",
    "payment": "reference",
    "statement_line": "end_to_end_id",
}


def start_exists(organisation: Organisation, start: str, pk: int) -> bool:
    """Whether the organisation has this start point."""
    model = apps.get_model(STARTS[start].model)
    return model._base_manager.filter(pk=pk, **{OWNERS.get(start, "organisation"): organisation}).exists()


def starts_numbered(organisation: Organisation, number: str) -> list[dict[str, Any]]:
    """Start points known by a number: one query a kind."""
    found = []
    for start, column in NUMBERS.items():
        model = apps.get_model(STARTS[start].model)
        rows = model._base_manager.filter(
            **{OWNERS.get(start, "organisation"): organisation, f"{column}__iexact": number}
        )
        kind = TITLES[next(name for _level, name, label in LEVELS if label == STARTS[start].model)]
        found += [{"start": start, "pk": row.pk, "kind": kind, "name": str(row)} for row in rows[:5]]
    return found


def money_trail(*, organisation: Organisation, start: str, pk: int, top: int = 10) -> MoneyTrail:
    """The trail from ``start`` (a key of STARTS), which the caller has checked to belong to the organisation."""
    begin = STARTS[start]
    values: dict[str, int | str] = {
        "id": pk,
        "organisation": organisation.pk,
        "start_level": level_of(begin),
        "top": top,
        "zone": organisation.zone,
    }
    with connection.cursor() as cursor:
        cursor.execute(query_for(begin), values)
        columns = [column.name for column in cursor.description or ()]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return _trail(organisation, start, f"{begin.model}:{pk}", rows)


def _trail(organisation: Organisation, start: str, label: str, rows: list[dict[str, Any]]) -> MoneyTrail:
    sums = rows[0]  # level 0, always there
    payable = _int(sums["part"])
    by_level: dict[int, list[dict[str, Any]]] = {}
    for row in rows[1:]:
        by_level.setdefault(row["level"], []).append(row)
    levels = [_level(name, by_level.get(number, []), payable, label) for number, name, _model in LEVELS]
    return MoneyTrail(
        start=start,
        start_label=label,
        currency=organisation.currency,
        lines=sums["n"],
        claimed=_int(sums["own"]),
        gross=_int(sums["off"]),
        fee=_int(sums["off_total"]),
        payable=payable,
        levels=levels,
    )


def _int(value: Any) -> int:
    return int(value or 0)


def _level(name: str, rows: list[dict[str, Any]], payable: int, start: str) -> Level:
    flows = name != "set_aside"
    nodes = [_node(name, row, start) for row in rows]
    count = _int(rows[0]["n"]) if rows and flows else len(rows)
    total = _int(rows[0]["total"]) if rows and flows else sum(node.amount for node in nodes)
    difference = total - payable if flows else 0
    return Level(
        key=name,
        title=str(TITLES[name]),
        nodes=nodes,
        count=count,
        total=total,
        rest_count=count - len(nodes),
        rest_total=total - sum(node.amount for node in nodes),
        difference=difference,
        reason=str(REASONS[name]) if difference else "",
        off=_int(rows[0]["off_total"]) if rows and flows else 0,
        flows=flows,
    )


def _node(level: str, row: dict[str, Any], start: str) -> Node:
    label = f"{MODELS[level]}:{row['id']}" if row["id"] else ""
    return Node(
        label=label,
        name=_name(level, row),
        title=_title(level, row),
        status=row["status"],
        on_date=row["on_date"],
        amount=_int(row["part"]),
        own=None if row["own"] is None else int(row["own"]),
        off=_int(row["off"]) if level != "set_aside" else 0,
        url=url_of(MODELS[level], str(row["id"])) if row["id"] else "",
        follow=_follow(level, row["id"]) if label != start else "",
        is_start=label == start,
    )


def _follow(level: str, pk: int | None) -> str:
    start = next((start for start, begin in STARTS.items() if begin.model == MODELS[level]), "")
    return reverse("money", args=[start, pk]) if start and pk else ""


def _name(level: str, row: dict[str, Any]) -> str:
    if level == "set_aside":
        return gettext(row["name"])
    if level == "competition" and not row["id"]:
        return gettext("without a competition")
    return row["name"] or f"№ {row['id']}"


def _title(level: str, row: dict[str, Any]) -> str:
    if level == "competition" and not row["id"]:
        return gettext("providers of the register and others")
    if level == "posting":
        return str(EVENTS.get(row["title"], row["title"]))
    return row["title"]

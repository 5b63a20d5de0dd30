"""Follow the money: from any point of the road to all others, in both directions, in one query.

Every level says how much of the trail's money went through it and how that differs from what was adjudicated as
payable; every record says where its money came from and where it went, and what stayed for which reason. A difference
is named, never hidden.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import date
from functools import reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.links import url_of
from settlement.book_queries import event_title
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
    "settlement": _("Settlement of a claim in a run"),
    "posting": _("Ledger entry"),
    "advance": _("Advance"),
    "payment": _("Payment"),
    "bank": _("Bank record"),
}
# Why a level may carry less (or more) than was adjudicated as payable.
REASONS = {
    "settlement": _("not settled by a run"),
    "posting": _("not posted to the ledger"),
    "payment": _("paid in advance, not paid yet, kept or asked back, or paid and returned"),
    "bank": _("paid in advance, kept back, not confirmed by the bank, or returned"),
}
# What a record's money waits for when it has not gone on.
STAYS = {
    "claim": _("not settled by a run"),
    "settlement": _("not posted to the ledger"),
    "posting": _("not paid yet"),
    "payment": _("not confirmed by the bank yet"),
    "bank": _("not explained yet"),
}
# The place of money on a level whose record is not known.
UNKNOWN = {
    "budget": _("without a known budget line"),
    "competition": _("without a competition"),
    "contract": _("without a known contract"),
    "certificate": _("without a known certificate"),
    "redemption": _("without a known redemption"),
}
MODELS = {name: model for _level, name, model in LEVELS}
KEYS = {level: name for level, name, _model in LEVELS}
FIRST, LAST = LEVELS[0][1], LEVELS[-1][1]
# What a budget line spends beside the claims that begin at it: causes of its entries, and what visits of certificates
# of other municipalities cost it.
BESIDE_CLAIMS = {
    "guests": _("visits of certificates of other municipalities, not refunded"),
    "given_up": _("refunds of other municipalities given up"),
    "settlement.clearingrevision": _("refunds of other municipalities worked out anew"),
    "settlement.clearingstatement": _("clearing agreed: our certificates used elsewhere"),
    "settlement.clawbackcase": _("taken off by cases that ask money back"),
}
# Levels beside the flow: what they carry is not what was adjudicated.
BESIDE = ("set_aside", "advance")
# Flows of a record that a page lists; the data has all between the records it shows.
ROOM = 4


@dataclass(frozen=True)
class Flow:
    """Money between two records of neighbouring levels; ``name`` is the other one. Negative: it came back."""

    label: str
    name: str
    amount: int
    returned: bool


@dataclass(frozen=True)
class Remainder:
    """Money that did not go on, and why."""

    name: str
    amount: int


@dataclass(frozen=True)
class Node:
    """A record on the road. ``amount`` is this trail's money in it, ``own`` its own figure; minor units.

    ``came_in`` is the sum over all records before it, ``went_on`` over all after it; ``sources`` and ``targets`` are
    those that are shown. came_in = amount = went_on + stays, else ``gap`` says by how much they differ. Where the money
    was claimed, claimed = amount + taken_off. ``off``: own figure less the sum of everything that leads to the record.
    ``beside_in`` and ``beside_out``: money of advances, which left before it was claimed; no sum counts it.
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
    claimed: int
    taken_off: list[Remainder]
    came_in: int
    sources: list[Flow]
    went_on: int
    targets: list[Flow]
    stays: list[Remainder]
    gap: int
    beside_in: list[Flow]
    beside_out: list[Flow]

    @property
    def first_sources(self) -> list[Flow]:
        """The largest sources, as many as a page has room for."""
        return self.sources[:ROOM]

    @property
    def first_targets(self) -> list[Flow]:
        """The largest targets."""
        return self.targets[:ROOM]

    @property
    def more_in(self) -> int:
        """Money from all other records."""
        return self.came_in - sum(flow.amount for flow in self.first_sources)

    @property
    def more_out(self) -> int:
        """Money to all other records."""
        return self.went_on - sum(flow.amount for flow in self.first_targets)


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
class Spent:
    """How a budget line comes from the claims of its road to all that it spent; minor units.

    total = claims + beside + unnamed, and ``unnamed`` is 0 where the books agree.
    """

    claims: int
    beside: list[Remainder]
    total: int
    unnamed: int


@dataclass(frozen=True)
class MoneyTrail:
    """The whole road of one start point; minor units of ``currency``. ``spent``: of a budget line only."""

    start: str
    start_label: str
    currency: str
    lines: int
    claimed: int
    gross: int
    fee: int
    waiting: int
    payable: int
    levels: list[Level]
    spent: Spent | None

    @property
    def advances(self) -> list[Node]:
        """Advances whose money took this road; their level is left out where there is none."""
        return next((level.nodes for level in self.levels if level.key == "advance"), [])

    @property
    def agrees(self) -> bool:
        """Whether every level carries what was adjudicated and no record disagrees with its parts."""
        gaps = any(node.gap for level in self.levels for node in level.nodes)
        whole = self.spent is None or self.spent.unnamed == 0
        return whole and not gaps and all(level.difference == 0 and level.off == 0 for level in self.levels)

    def as_json(self) -> dict[str, Any]:
        """Plain data: amounts in minor units, dates as text."""
        return {**asdict(self), "agrees": self.agrees}


# start -> where its organisation stands
OWNERS = {"claim_line": "claim__organisation", "statement_line": "statement__organisation"}
# start -> the numbers a person knows it by
NUMBERS = {
    "budget_line": ("code",),
    "contract": ("number",),
    "certificate": ("number",),
    "redemption": ("code",),
    "claim": ("number",),
    "payment": ("reference",),
    "advance": ("number", "rf_reference"),
    "statement_line": ("end_to_end_id", "bank_reference"),
}


def start_exists(organisation: Organisation, start: str, pk: int) -> bool:
    """Whether the organisation has this start point."""
    model = apps.get_model(STARTS[start].model)
    return model._base_manager.filter(pk=pk, **{OWNERS.get(start, "organisation"): organisation}).exists()


def starts_numbered(organisation: Organisation, number: str) -> list[dict[str, Any]]:
    """Start points known by a number: one query a kind."""
    found = []
    for start, columns in NUMBERS.items():
        model = apps.get_model(STARTS[start].model)
        wanted = reduce(or_, (Q(**{f"{column}__iexact": number}) for column in columns))
        rows = model._base_manager.filter(wanted, **{OWNERS.get(start, "organisation"): organisation})
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
    flows = _Flows(rows)
    by_level: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows[1:]:
        if row["kind"] == "node":
            by_level[row["level"]].append(row)
    named = [(name, by_level[number]) for number, name, _model in LEVELS if by_level[number] or name != "advance"]
    levels = [_level(name, rows_of_level, payable, label, flows) for name, rows_of_level in named]
    return MoneyTrail(
        start=start,
        start_label=label,
        currency=organisation.currency,
        lines=sums["n"],
        claimed=_int(sums["claimed"]),
        gross=_int(sums["own"]),
        fee=_int(sums["fee"]),
        waiting=_int(sums["waiting"]),
        payable=payable,
        levels=levels,
        spent=_spent(payable, levels[0], rows) if STARTS[start].whole_line else None,
    )


def _spent(payable: int, budget: Level, rows: list[dict[str, Any]]) -> Spent:
    found = {row["name"]: _int(row["part"]) for row in rows if row["kind"] == "beside_claims"}
    total = sum(node.own or 0 for node in budget.nodes if node.is_start)
    beside = [Remainder(str(BESIDE_CLAIMS[name]), found[name]) for name in BESIDE_CLAIMS if name in found]
    return Spent(payable, beside, total, total - payable - sum(part.amount for part in beside))


class _Flows:
    """Flows between the records that are shown, by (level, id) of either end."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.sources: dict[tuple[int, int], list[Flow]] = defaultdict(list)
        self.targets: dict[tuple[int, int], list[Flow]] = defaultdict(list)
        self.beside_in: dict[tuple[int, int], list[Flow]] = defaultdict(list)
        self.beside_out: dict[tuple[int, int], list[Flow]] = defaultdict(list)
        ways = {"edge": (self.targets, self.sources), "beside": (self.beside_out, self.beside_in)}
        nodes = {(row["level"], row["id"]): row for row in rows if row["kind"] == "node"}
        for row in rows:
            if row["kind"] in ways:
                out, into = ways[row["kind"]]
                here, there = (row["level"], row["id"]), (row["next_level"], row["next_id"])
                out[here].append(_flow(nodes[there], row))
                into[there].append(_flow(nodes[here], row))


def _flow(other: dict[str, Any], edge: dict[str, Any]) -> Flow:
    level = KEYS[other["level"]]
    return Flow(_label(level, other), _name(level, other), _int(edge["part"]), edge["back"])


def _int(value: Any) -> int:
    return int(value or 0)


def _level(name: str, rows: list[dict[str, Any]], payable: int, start: str, flows: _Flows) -> Level:
    is_flow, is_ranked = name not in BESIDE, bool(rows) and name != "set_aside"
    nodes = [_node(name, row, start, flows) for row in rows]
    count = _int(rows[0]["n"]) if is_ranked else len(rows)
    total = _int(rows[0]["total"]) if is_ranked else sum(node.amount for node in nodes)
    difference = total - payable if is_flow else 0
    return Level(
        key=name,
        title=str(TITLES[name]),
        nodes=nodes,
        count=count,
        total=total,
        rest_count=count - len(nodes),
        rest_total=total - sum(node.amount for node in nodes),
        difference=difference,
        reason=str(REASONS.get(name, "")) if difference else "",
        off=_int(rows[0]["off_total"]) if rows and is_flow else 0,
        flows=is_flow,
    )


def _node(level: str, row: dict[str, Any], start: str, flows: _Flows) -> Node:
    label, place = _label(level, row), (row["level"], row["id"])
    came_in, went_on, kept = _int(row["part_in"]), _int(row["part_out"]), _int(row["kept"])
    stays = [Remainder(_stays(level, row), rest)] if (rest := _int(row["stays"])) else []
    advanced = _int(row["advanced"])
    stays += [Remainder(gettext("paid in advance"), advanced)] if advanced else []
    stays += [Remainder(gettext("kept back for money asked back"), kept - advanced)] if kept != advanced else []
    asked = _int(row["asked"])
    stays += [Remainder(gettext("in the debt of the month that a case asks back"), asked)] if asked else []
    amount = _int(row["part"])
    return Node(
        label=label,
        name=_name(level, row),
        title=_title(level, row),
        status=row["status"],
        on_date=row["on_date"],
        amount=amount,
        own=None if row["own"] is None else int(row["own"]),
        off=_int(row["off"]) if level not in BESIDE else 0,
        url=_url(level, row),
        follow=_follow(level, row["id"]) if label != start else "",
        is_start=label == start,
        claimed=_int(row["claimed"]),
        taken_off=_taken_off(row, amount) if level in ("claim_line", "claim") else [],
        came_in=came_in,
        sources=flows.sources[place],
        went_on=went_on,
        targets=flows.targets[place],
        stays=stays,
        gap=_gap(level, amount, came_in, went_on + sum(rest.amount for rest in stays)),
        beside_in=flows.beside_in[place],
        beside_out=flows.beside_out[place],
    )


def _stays(level: str, row: dict[str, Any]) -> str:
    if level == "payment" and row["status"] == "confirmed":
        return gettext("paid by Stripe from the balance of card payments")
    if level == "advance":
        return gettext("not paid yet") if row["status"] == "approved" else gettext("not used and not returned yet")
    return str(STAYS[level])


def _taken_off(row: dict[str, Any], amount: int) -> list[Remainder]:
    fee, waiting = _int(row["fee"]), _int(row["waiting"])
    reduced = _int(row["claimed"]) - amount - fee - waiting
    found = ((_("reduced or refused"), reduced), (_("waiting for a person"), waiting), (_("fee of recipients"), fee))
    return [Remainder(str(name), value) for name, value in found if value]


def _gap(level: str, amount: int, came_in: int, went_on: int) -> int:
    """By how much a record passes on another sum than it has; 0 at the ends of the road, which have one side only."""
    if level in BESIDE:
        return 0
    before = amount - came_in if level != FIRST else 0
    after = amount - went_on if level != LAST else 0
    return before or after


def _label(level: str, row: dict[str, Any]) -> str:
    return f"{MODELS[level]}:{row['id']}" if row["id"] else ""


def _url(level: str, row: dict[str, Any]) -> str:
    model = "settlement.claim" if level == "settlement" else MODELS[level]
    return url_of(model, str(row["page_id"])) if row["id"] else ""


def _follow(level: str, pk: int | None) -> str:
    start = next((start for start, begin in STARTS.items() if begin.model == MODELS[level]), "")
    return reverse("money", args=[start, pk]) if start and pk else ""


def _name(level: str, row: dict[str, Any]) -> str:
    if level == "set_aside":
        return gettext(row["name"])
    if not row["id"]:
        return str(UNKNOWN[level])
    return row["name"] or f"№ {row['id']}"


def _title(level: str, row: dict[str, Any]) -> str:
    if level == "competition" and not row["id"]:
        return gettext("providers of the register and others")
    if level == "posting":
        return event_title(row["title"])
    return row["title"]

"""The audit trail: all events of the office, and those that touched one object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from config.accounts.access import Access, requires
from config.accounts.models import Membership, Organisation, User
from config.audit.actors import SYSTEM
from config.audit.models import AuditEvent, ChainHead
from config.audit.queries import trail_of_label
from config.audit.recording import label_of
from config.audit.sentences import codes_matching, sentence_of
from config.audit.verification import verify_chains
from config.errors import NotFound
from config.links import PAGES, url_of_label
from config.pages.trail_words import values_of
from config.record_names import full_names_of, row_of
from procurement.models import Bid
from settlement.models import Claim

PAGE = 25
OBJECTS = 20


@dataclass(frozen=True)
class TouchedObject:
    """An object of an event: its name and where its page and its own trail are."""

    name: str
    url: str
    trail_url: str


@dataclass(frozen=True)
class ShownEvent:
    """An event as the timeline shows it."""

    sentence: str
    action: str
    actor: str
    business_at: datetime
    recorded_at: datetime | None
    chain: str
    sequence: int
    fingerprint: str
    objects: list[TouchedObject]
    values: list[tuple[str, str]]


@requires("trail.view")
def trail_list(request: HttpRequest) -> HttpResponse:
    """Events of the reader's office, newest first; ``q`` searches words, codes, actors and "app.model:pk"."""
    access: Access = request.access  # type: ignore[attr-defined]
    q = request.GET.get("q", "").strip()
    page = _page(request, _search(_visible(access), q).order_by("-id"))
    head = ChainHead.objects.filter(chain=access.office().code).first()
    return render(request, "trail/list.html", {"page": page, "events": shown(page), "q": q, "head": head})


@requires("trail.view")
def trail_check(request: HttpRequest) -> HttpResponse:
    """Whether the trail that the reader sees is whole: every event is worked out anew from its own content."""
    access: Access = request.access  # type: ignore[attr-defined]
    count, faults = verify_chains(_chains(access))
    rows = [(fault, gettext(fault.reason)) for fault in faults]
    heads = [(head, _fingerprint(head.hash)) for head in ChainHead.objects.filter(chain__in=_chains(access))]
    return render(request, "trail/check.html", {"count": count, "faults": rows, "heads": heads})


@requires("trail.view")
def trail_of_object(request: HttpRequest, model: str, pk: str) -> HttpResponse:
    """Events that touched one object or what it is a part of.

    Raises: NotFound for what left no trace here and is no record of the reader's office.
    """
    access: Access = request.access  # type: ignore[attr-defined]
    label = f"{model}:{pk}"
    row = row_of(label)
    whole = _whole(model, row)
    found = trail_of_label(label) | trail_of_label(whole) if whole else trail_of_label(label)
    page = _page(request, found.filter(chain__in=_chains(access)))
    if not page.paginator.count and not _is_record_of(access.office(), model, row):
        raise NotFound()
    names = full_names_of({label, whole} - {""})
    context = {
        "page": page,
        "events": shown(page),
        "name": names[label],
        "url": "" if label in _unreadable([label]) else url_of_label(label),
        "whole": names.get(whole, ""),
        "whole_url": url_of_label(whole),
    }
    return render(request, "trail/object.html", context)


# Parts that no event names by themselves: what happened to the whole happened to them.
WHOLES = {"settlement.claimline": "claim", "settlement.statementline": "statement"}


def _whole(model: str, row: Model | None) -> str:
    if row is None:
        return ""
    if model == "settlement.entry":
        return str(getattr(row, "label", ""))
    return label_of(getattr(row, WHOLES[model])) if model in WHOLES else ""


def _is_record_of(office: Organisation, model: str, row: Model | None) -> bool:
    """Whether the row has a page and belongs to the office; providers and national law belong to nobody alone."""
    if row is None or model not in PAGES:
        return False
    if isinstance(row, User):
        return Membership.objects.filter(user=row, organisation=office).exists()
    owner = getattr(row, WHOLES[model]) if model in WHOLES else row
    return getattr(owner, "organisation_id", office.pk) in {office.pk, None}


def _chains(access: Access) -> list[str]:
    return [access.office().code, "system"]


def _visible(access: Access) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(chain__in=_chains(access))


def _search(events: QuerySet[AuditEvent], q: str) -> QuerySet[AuditEvent]:
    if not q:
        return events
    if "." in q and ":" in q:
        return events.filter(objects_touched__contains=[q])
    return events.filter(Q(action__icontains=q) | Q(action__in=codes_matching(q)) | Q(actor__icontains=q))


def _page(request: HttpRequest, events: QuerySet[AuditEvent]) -> Any:
    return Paginator(events, PAGE).get_page(request.GET.get("page"))


def shown(events: Iterable[AuditEvent]) -> list[ShownEvent]:
    """Events with sentences, values and names; one query for the people, one per kind of object."""
    events = list(events)
    labels = {label for event in events for label in event.objects_touched[:OBJECTS]}
    people = _people({event.actor for event in events})
    names, closed, money = full_names_of(labels), _unreadable(labels), _currencies(events)
    return [_shown(event, names, closed, people, money.get(event.chain, "UAH")) for event in events]


def _people(usernames: set[str]) -> dict[str, str]:
    rows = User.objects.filter(username__in=usernames).values_list("username", "display_name")
    people = {username: name for username, name in rows if name}
    return {**people, SYSTEM.username: gettext("the system itself")}


def _currencies(events: Iterable[AuditEvent]) -> dict[str, str]:
    chains = {event.chain for event in events}
    return dict(Organisation.objects.filter(code__in=chains).values_list("code", "currency"))


def _unreadable(labels: Iterable[str]) -> set[str]:
    """Records whose page opens to nobody of the office yet: sealed bids, drafts of claims."""
    keys: dict[str, set[int]] = {}
    for label in labels:
        model, _, pk = label.partition(":")
        if pk.isdigit():
            keys.setdefault(model, set()).add(int(pk))
    rows: dict[str, QuerySet[Any]] = {
        "procurement.bid": Bid.objects.filter(tender__opened_at=None),
        "settlement.claim": Claim.objects.filter(status="draft"),
    }
    return {
        f"{model}:{pk}"
        for model, closed in rows.items()
        if model in keys
        for pk in closed.filter(pk__in=keys[model]).values_list("pk", flat=True)
    }


def _shown(
    event: AuditEvent, names: dict[str, str], closed: set[str], people: dict[str, str], currency: str
) -> ShownEvent:
    return ShownEvent(
        sentence=sentence_of(event.action),
        action=event.action,
        actor=people.get(event.actor, event.actor),
        business_at=event.business_at,
        recorded_at=event.recorded_at,
        chain=event.chain,
        sequence=event.sequence,
        fingerprint=_fingerprint(event.hash),
        objects=[_touched(label, names, closed) for label in event.objects_touched[:OBJECTS]],
        values=values_of(event.action, event.data, currency),
    )


def _fingerprint(digest: bytes | memoryview) -> str:
    return bytes(digest).hex()[:16]


def _touched(label: str, names: dict[str, str], closed: set[str]) -> TouchedObject:
    model, _, pk = label.partition(":")
    page = "" if label in closed else url_of_label(label)
    return TouchedObject(names.get(label, label), page, reverse("trail_of_object", args=[model, pk]))

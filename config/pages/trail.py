"""The audit trail: all events of the office, and those that touched one object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from config.accounts.access import Access, requires
from config.accounts.models import User
from config.audit.actors import SYSTEM
from config.audit.models import AuditEvent, ChainHead
from config.audit.queries import trail_of_label
from config.audit.sentences import codes_matching, sentence_of
from config.errors import NotFound
from config.links import url_of_label

PAGE = 25


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
    data: list[tuple[str, Any]]


@requires("trail.view")
def trail_list(request: HttpRequest) -> HttpResponse:
    """Events of the reader's office, newest first; ``q`` searches words, codes, actors and "app.model:pk"."""
    access: Access = request.access  # type: ignore[attr-defined]
    q = request.GET.get("q", "").strip()
    page = _page(request, _search(_visible(access), q).order_by("-id"))
    head = ChainHead.objects.filter(chain=access.office().code).first()
    return render(request, "trail/list.html", {"page": page, "events": shown(page), "q": q, "head": head})


@requires("trail.view")
def trail_of_object(request: HttpRequest, model: str, pk: str) -> HttpResponse:
    """Events that touched one object. Raises: NotFound for what is not a model or left no trace here."""
    access: Access = request.access  # type: ignore[attr-defined]
    label = f"{model}:{pk}"
    page = _page(request, trail_of_label(label).filter(chain__in=_chains(access)))
    if not page.paginator.count:
        raise NotFound()
    names = names_of([label])
    return render(
        request,
        "trail/object.html",
        {
            "page": page,
            "events": shown(page),
            "label": label,
            "name": names[label],
            "kind": kind_of(model),
            "url": url_of_label(label),
        },
    )


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
    """Events with sentences and names; one query for the people, one per kind of object."""
    events = list(events)
    people = _people({event.actor for event in events})
    names = names_of(label for event in events for label in event.objects_touched)
    return [_shown(event, names, people) for event in events]


def _people(usernames: set[str]) -> dict[str, str]:
    rows = User.objects.filter(username__in=usernames).values_list("username", "display_name")
    people = {username: f"{name} ({username})" for username, name in rows if name}
    return {**people, SYSTEM.username: gettext("the system itself")}


def _shown(event: AuditEvent, names: dict[str, str], people: dict[str, str]) -> ShownEvent:
    return ShownEvent(
        sentence=sentence_of(event.action),
        action=event.action,
        actor=people.get(event.actor, event.actor),
        business_at=event.business_at,
        recorded_at=event.recorded_at,
        chain=event.chain,
        sequence=event.sequence,
        fingerprint=bytes(event.hash).hex()[:16],
        objects=[_touched(label, names) for label in event.objects_touched[:20]],
        data=list(event.data.items()),
    )


def _touched(label: str, names: dict[str, str]) -> TouchedObject:
    model, _, pk = label.partition(":")
    kind = kind_of(model)
    trail = reverse("trail_of_object", args=[model, pk])
    return TouchedObject(f"{kind} {names.get(label, pk)}", url_of_label(label), trail)


def kind_of(model: str) -> str:
    """The kind of an object in words, its label when unknown."""
    try:
        name = str(apps.get_model(model)._meta.verbose_name)
    except (LookupError, ValueError):
        return model
    return gettext(name)[:1].upper() + gettext(name)[1:]


def names_of(labels: Iterable[str]) -> dict[str, str]:
    """Names of objects by label; an object that is gone keeps its key."""
    by_model: dict[str, set[str]] = defaultdict(set)
    for label in labels:
        model, _, pk = label.partition(":")
        by_model[model].add(pk)
    return {key: name for model, keys in by_model.items() for key, name in _names(model, keys).items()}


def _names(model: str, keys: set[str]) -> dict[str, str]:
    names = {f"{model}:{key}": f"№ {key}" for key in keys}
    try:
        manager = apps.get_model(model)._base_manager
    except (LookupError, ValueError):
        return names
    numbers = [int(key) for key in keys if key.isdigit()]
    names.update({f"{model}:{row.pk}": str(row) for row in manager.filter(pk__in=numbers)})
    return names

"""Who is told of what a municipality learns late of people who are served elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.db.models import F, Max, Model, Q, QuerySet

from config.accounts.models import Organisation, User
from config.accounts.people import people_with
from config.clock import local_date
from config.office.messages import tell
from config.periods import month_of
from config.transactions import step
from vouchers.models import Absence, Certificate, CertificateSuspension, FeeAssessment, PlanLine, Recipient

# Facts that decide what hosts owe, and that a package can add: recipient, first day, first day after.
_FACTS: dict[type[Model], tuple[str, str, str]] = {
    Absence: ("recipient", "from_date", "to_date"),
    CertificateSuspension: ("certificate__recipient", "from_date", "to_date"),
    FeeAssessment: ("recipient", "valid_from", "valid_to"),
    PlanLine: ("recipient", "valid_from", "valid_to"),
}


def guests_of(recipient: Recipient, since: date, until: date | None) -> QuerySet[Certificate]:
    """What other municipalities keep of the recipient's certificates that hold on days of the span."""
    rows = Certificate.objects.filter(home__recipient=recipient).order_by("pk")
    rows = rows.filter(Q(valid_to=None) | Q(valid_to__gt=since))
    return rows.filter(valid_from__lt=until) if until else rows


@step
def tell_hosts(
    recipient: Recipient, since: date, until: date | None, *, at: datetime, certificate: Certificate | None = None
) -> None:
    """When months of the span are over: who prepares corrections where the recipient was served.

    They learn neither who it is nor what happened: the days, and the certificate as they know it.
    """
    if since >= month_of(local_date(at, recipient.organisation.zone)):
        return
    last = until and (until - timedelta(days=1)).isoformat()
    told = {"home": recipient.organisation.name, "valid_from": since.isoformat(), "last_day": last}
    guests = guests_of(recipient, since, until)
    for guest in guests.filter(home=certificate) if certificate else guests:
        host = guest.organisation_id
        tell(_whom(host), host, guest, "certificate.guest_to_settle", told, at=at)


def _whom(host: int) -> QuerySet[User]:
    """Who prepares corrections; where nobody does yet, who gives people their roles: the message is what puts the month
    on the host's list.
    """
    correctors = people_with(host, "corrections.propose")
    return correctors if correctors.exists() else people_with(host, "users.manage")


def last_facts() -> dict[type[Model], int]:
    """The newest row of each kind of fact that a package can add."""
    return {model: model._default_manager.aggregate(last=Max("pk"))["last"] or 0 for model in _FACTS}


@step
def tell_hosts_of_new(organisation: Organisation, before: Mapping[type[Model], int], *, at: datetime) -> None:
    """The same for facts of the municipality's people that came after ``before`` (``last_facts``): once for each
    person, of all days from the first to the last.
    """
    spans: dict[int, list[tuple[date, date | None]]] = {}
    for model, (person, first, end) in _FACTS.items():
        rows = model._default_manager.filter(pk__gt=before[model], **{f"{person}__organisation": organisation})
        rows = rows.filter(**{f"{person}__certificates__guests__isnull": False}).distinct()
        for who, since, until in rows.values_list(F(person), first, end):
            spans.setdefault(who, []).append((since, until))
    people = Recipient.objects.select_related("organisation").in_bulk(spans)
    for who in sorted(people):
        ends = [until for _since, until in spans[who] if until is not None]
        last = max(ends) if len(ends) == len(spans[who]) else None
        tell_hosts(people[who], min(since for since, _until in spans[who]), last, at=at)

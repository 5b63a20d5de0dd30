"""Reads around visits to be verified and hints of closeness. The number of queries does not depend on the rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.periods import add_months
from contracts.models import Worker
from settlement.models import AdjudicationRun, ClosenessHint, VerificationVisit
from settlement.rules.closeness import Names, Pair
from vouchers.models import Mandate, Recipient

_PAIRS = """
SELECT l.worker_id, c.recipient_id, count(*), (sum(count(*)) OVER (PARTITION BY l.worker_id))::bigint,
    (sum(count(*)) OVER (PARTITION BY c.recipient_id))::bigint, sum(a.gross)::bigint
FROM settlement_adjudication a JOIN settlement_claimline l ON l.id = a.claim_line_id
JOIN vouchers_certificate c ON c.id = l.certificate_id
WHERE a.run_id = %s AND a.reverses_id IS NULL AND a.gross > 0 AND l.worker_id IS NOT NULL
GROUP BY l.worker_id, c.recipient_id ORDER BY l.worker_id, c.recipient_id
"""
HINT_WORDS = {
    "representative": _("The worker bears the name of the person who acts for the recipient."),
    "family": _("The worker bears the surname of the recipient or of the person who acts for the recipient."),
    "only_pair": _("The worker visits almost nobody else, and almost nobody else visits the recipient."),
}


@dataclass(frozen=True)
class Verified:
    """Drawn visits of a provider: how many, how many were looked at, how many of these were not as claimed."""

    provider: str
    drawn: int
    checked: int
    not_as_claimed: int

    @property
    def share(self) -> int:
        """Percent of those looked at, rounded down."""
        return self.not_as_claimed * 100 // self.checked if self.checked else 0


def pairs_of(run: AdjudicationRun) -> list[Pair]:
    """Workers and recipients of the allowed visits of a run: one query."""
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, [run.pk])
        return [Pair(*row) for row in cursor.fetchall()]


def names_of(run: AdjudicationRun, pairs: Iterable[Pair]) -> Names:
    """Names of the people of pairs, and who could act for the recipients in the month: three queries."""
    rows = list(pairs)
    recipients = {row.recipient for row in rows}
    held = Mandate.objects.filter(recipient__in=recipients, valid_from__lt=add_months(run.period, 1))
    held = held.exclude(valid_to__lte=run.period)
    representatives: dict[int, list[str]] = {}
    for mandate in held:
        representatives.setdefault(mandate.recipient_id, []).append(mandate.name)
    return Names(
        dict(Worker.objects.filter(pk__in={row.worker for row in rows}).values_list("pk", "name")),
        dict(Recipient.objects.filter(pk__in=recipients).values_list("pk", "name")),
        representatives,
    )


def drawn_visits(organisation: Organisation, *, q: str = "", state: str = "") -> QuerySet[VerificationVisit]:
    """Visits to be verified, newest run first. ``state``: open, or an outcome."""
    rows = VerificationVisit.objects.filter(examination__run__organisation=organisation)
    if state:
        rows = rows.filter(result=None) if state == "open" else rows.filter(result__outcome=state)
    if q:
        line = "claim_line__"
        rows = rows.filter(
            Q(**{f"{line}claim__provider__name__icontains": q})
            | Q(**{f"{line}certificate__recipient__code__icontains": q})
            | Q(**{f"{line}worker_code__icontains": q})
        )
    joined = [f"claim_line__{name}" for name in ("claim__provider", "service", "certificate__recipient", "worker")]
    return rows.select_related("examination__run", "result__checked_by", *joined).order_by(
        "-examination", "claim_line__claim__provider__name", "claim_line__service_date", "pk"
    )


def verified_by_provider(organisation: Organisation) -> list[Verified]:
    """What verification found, by provider: one query."""
    rows = VerificationVisit.objects.filter(examination__run__organisation=organisation).order_by()
    wrong = Q(result__outcome__in=("otherwise", "not_held"))
    counted = rows.values("claim_line__claim__provider__name").annotate(
        drawn=Count("pk"), checked=Count("result"), wrong=Count("result", filter=wrong)
    )
    return [
        Verified(row["claim_line__claim__provider__name"], row["drawn"], row["checked"], row["wrong"])
        for row in counted.order_by("claim_line__claim__provider__name")
    ]


def hints(organisation: Organisation, *, q: str = "", kind: str = "") -> QuerySet[ClosenessHint]:
    """Hints, newest run first, those with most visits before the others."""
    rows = ClosenessHint.objects.filter(examination__run__organisation=organisation)
    if kind:
        rows = rows.filter(kind=kind)
    if q:
        rows = rows.filter(
            Q(worker__code__icontains=q) | Q(worker__provider__name__icontains=q) | Q(recipient__code__icontains=q)
        )
    joined = ("examination__run", "worker__provider", "recipient", "feedback__given_by")
    return rows.select_related(*joined).order_by("-examination", "-visits", "pk")


def hint_counts(organisation: Organisation) -> list[dict[str, Any]]:
    """How often each kind was noted, and in how many there was nothing: one query."""
    rows = ClosenessHint.objects.filter(examination__run__organisation=organisation).order_by()
    counted = rows.values("kind").annotate(found=Count("pk"), unfounded=Count("feedback"))
    found = {row["kind"]: (row["found"], row["unfounded"]) for row in counted}
    titles = dict(ClosenessHint.KINDS)
    rows_of_kinds = ((kind, title, *found.get(kind, (0, 0))) for kind, title in titles.items())
    return [
        {"kind": kind, "title": title, "hints": count, "unfounded": nothing, "share": nothing * 100 // (count or 1)}
        for kind, title, count, nothing in rows_of_kinds
    ]

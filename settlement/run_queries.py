"""Which run of a month comes next, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Max, QuerySet
from django.db.models.functions import Coalesce

from config.accounts.models import Organisation
from settlement.models import AdjudicationRun, Claim, Clearance

SHELVED = ("draft", "returned", "withdrawn")

# Lines that wait for a person, of which a clearance names a pend of the latest adjudication.
_CLEARED = """
SELECT DISTINCT l.id, GREATEST(x.run, %(next)s)
FROM settlement_clearance x
JOIN settlement_claimline l ON l.id = x.claim_line_id
JOIN settlement_claim c ON c.id = l.claim_id
CROSS JOIN LATERAL (
    SELECT a.run_id, a.outcome FROM settlement_adjudication a
    WHERE a.claim_line_id = l.id AND a.claim_id = l.claim_id ORDER BY a.id DESC LIMIT 1
) latest
WHERE c.organisation_id = %(organisation)s AND c.period = %(period)s AND latest.outcome = 'pended'
  AND x.recorded_at <= %(known_at)s
  AND EXISTS (SELECT 1 FROM settlement_finding f WHERE f.run_id = latest.run_id AND f.claim_line_id = l.id
              AND f.check_code = x.check_code AND f.severity = 'P')
  AND NOT EXISTS (SELECT 1 FROM settlement_claim t WHERE t.reverses_id = c.id
                  AND t.status NOT IN ('draft', 'submitted', 'returned', 'withdrawn'))
"""


@dataclass(frozen=True)
class NextRun:
    """Number, ids of the claims new in it, ids of the claim lines judged again."""

    number: int
    claims: tuple[int, ...]
    cleared_lines: tuple[int, ...]


def end_of(day: date, organisation: Organisation) -> datetime:
    """The last moment of a day where the organisation is: what "as of" the day means."""
    return datetime.combine(day, time.max, ZoneInfo(organisation.zone))


def submitted_claims(organisation: Organisation, known_at: datetime) -> QuerySet[Claim]:
    """Claims that wait for a run and were submitted by a moment."""
    claims = Claim.objects.filter(organisation=organisation, status="submitted")
    return claims.alias(since=Coalesce("submitted_at", "recorded_at")).filter(since__lte=known_at)


def next_run(organisation: Organisation, period: date, known_at: datetime) -> NextRun | None:
    """The next run of a month, or None when nothing waits that was submitted or cleared by ``known_at``.

    Numbered claims and clearances go by their numbers; claims without one belong to the run after every number that
    claims of the month or their clearances carry.
    """
    done = following_number(organisation, period) - 1
    waiting: dict[int, list[int]] = {}
    loose: list[int] = []
    submitted = submitted_claims(organisation, known_at).filter(period=period).order_by("pk")
    for claim, run in submitted.values_list("pk", "run"):
        loose.append(claim) if run is None else waiting.setdefault(max(run, done + 1), []).append(claim)
    cleared = _cleared(organisation, period, done + 1, known_at)
    if waiting or cleared:
        number = min([*waiting, *cleared])
        return NextRun(number, tuple(waiting.get(number, ())), tuple(cleared.get(number, ())))
    if not loose:
        return None
    return NextRun(number_of_late_run(organisation, period), tuple(loose), ())


def number_of_late_run(organisation: Organisation, period: date) -> int:
    """The number of a run after every number that runs, claims of the month or their clearances carry."""
    done = following_number(organisation, period) - 1
    return max(done, _highest_written(organisation, period)) + 1


def following_number(organisation: Organisation, period: date) -> int:
    """The number of the run after those of a month that are done."""
    return _highest(AdjudicationRun.objects.filter(organisation=organisation, period=period), "number") + 1


def _cleared(organisation: Organisation, period: date, following: int, known_at: datetime) -> dict[int, list[int]]:
    params: dict[str, Any] = {"organisation": organisation.pk, "period": period, "next": following}
    params["known_at"] = known_at
    lines: dict[int, list[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_CLEARED, params)
        for line, run in sorted(cursor.fetchall()):
            lines.setdefault(run, []).append(line)
    return lines


def _highest_written(organisation: Organisation, period: date) -> int:
    claims = Claim.objects.filter(organisation=organisation, period=period).exclude(status__in=SHELVED)
    clearances = Clearance.objects.filter(claim_line__claim__in=claims)
    return max(_highest(claims, "run"), _highest(clearances, "run"))


def _highest(rows: QuerySet[Any], name: str) -> int:
    return rows.aggregate(highest=Max(name))["highest"] or 0

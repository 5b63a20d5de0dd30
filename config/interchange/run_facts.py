# ruff: noqa: S608 - every piece of SQL is a constant; values are parameters
"""The run whose facts a package is to carry, and whether they can still be had as they were."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.errors import DomainError
from config.interchange.export_queries import RESIDENCE
from config.versions import as_known
from settlement.models import AdjudicationRun
from settlement.replay import Replay, replay_run

# More are counted and not named.
_NAMED = 5


class RunUnknown(DomainError):
    """There is no such run."""

    code = "RUN_UNKNOWN"
    message = _("Run %(run)s was not made. Name one that is done, as 2025-11/2.")


class RunUnclear(DomainError):
    """Several months have a run of that number."""

    code = "RUN_UNCLEAR"
    message = _("Several months have a run %(run)s. Name the month too, as 2025-11/%(run)s.")


class FactsNotKept(DomainError):
    """Something that the run rested on is not on record as it was."""

    code = "FACTS_NOT_KEPT"
    message = _(
        "Run %(run)s cannot be exported with the facts that it had: judged again from them it comes out differently. "
        "%(what)s"
    )


class SeveralResidences(DomainError):
    """A package has one territory and class for a recipient."""

    code = "SEVERAL_RESIDENCES"
    message = _(
        "Run %(run)s cannot be exported exactly: a package has one territory and class for a recipient, and these "
        "lines are of days when theirs were others: %(lines)s."
    )


def run_named(organisation: Organisation, period: date | None, number: int) -> AdjudicationRun:
    """A run that is done, by its number and month; without a month the only one of that number.

    Raises: RunUnknown, RunUnclear.
    """
    runs = AdjudicationRun.objects.filter(organisation=organisation, number=number, status="done")
    found = list((runs.filter(period=period) if period else runs).select_related("organisation")[:2])
    if len(found) > 1:
        raise RunUnclear(run=number)
    if not found:
        raise RunUnknown(run=f"{period:%Y-%m}/{number}" if period else number)
    return found[0]


def require_kept(run: AdjudicationRun, parameters: dict[str, Any]) -> None:
    """Judge a run again from what an export would read, and refuse what would not be its facts.

    Rules that have changed since are no reason: the facts are right. Raises: FactsNotKept, SeveralResidences.
    """
    replay = replay_run(run)
    changed = [] if replay.digest else [change.words for change in replay.changes if change.kind != "rule"]
    if changed:
        raise FactsNotKept(run=str(run), what=" ".join(changed))
    if not replay.digest and not replay.changes:
        raise FactsNotKept(run=str(run), what=_differing(replay))
    _require_one_residence(run, parameters)


def _differing(replay: Replay) -> str:
    named = (f"{row.claim}/{row.line}: {row.words}" for row in replay.differences[:_NAMED])
    return "; ".join(named)


_ELSEWHERE = f"""
SELECT k.number, l.line
FROM settlement_adjudication a JOIN settlement_claimline l ON l.id = a.claim_line_id
JOIN settlement_claim k ON k.id = l.claim_id
JOIN vouchers_certificate c ON c.organisation_id = k.organisation_id AND c.number = l.certificate_number
LEFT JOIN {as_known("vouchers_recipientresidence")} h ON h.recipient_id = c.recipient_id
    AND h.recorded_at <= %(known_at)s AND h.valid_from <= l.service_date
    AND (h.valid_to IS NULL OR l.service_date < h.valid_to)
LEFT JOIN {RESIDENCE} y ON y.recipient_id = c.recipient_id
WHERE a.run_id = %(run)s AND a.reverses_id IS NULL
  AND (h.territory_id, COALESCE(h.recipient_class, ''))
      IS DISTINCT FROM (y.territory_id, COALESCE(y.recipient_class, ''))
ORDER BY k.number, l.line
"""


def _require_one_residence(run: AdjudicationRun, parameters: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ELSEWHERE, parameters)
        rows = cursor.fetchall()
    if rows:
        named = ", ".join(f"{claim}/{line}" for claim, line in rows[:_NAMED])
        raise SeveralResidences(run=str(run), lines=named + (" …" if len(rows) > _NAMED else ""))

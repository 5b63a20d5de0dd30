"""What the issuers of foreign certificates owe for a run or a clawback: one row a decision, set-based."""

# ruff: noqa: S608  SQL is put together from names in this code; every value is a parameter.

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from config.accounts.models import Organisation
from config.clock import local_date
from config.periods import month_of
from config.transactions import step
from settlement.models import AdjudicationRun, ClaimLine, ClawbackCase, ClearingRevision
from settlement.refund_queries import BY_NORM, DIFFERING, NORM, NOT_GIVEN_UP, STANDING, of_agreement
from settlement.run_queries import NextRun
from vouchers.actions.guests import bring_into_step
from vouchers.models import Certificate

_ANY = """
SELECT EXISTS (SELECT 1 FROM run_part p JOIN vouchers_certificate c ON c.id = p.certificate_id
               WHERE c.home_id IS NOT NULL)
"""
_COLUMNS = """organisation_id, home_id, period, certificate_id, service_id, claim_id, claim_line_id, run_id,
    adjudication_id, clawback_line_id, units_milli, payable_minor, norm_e4, due_minor, recorded_at"""
_ALLOWED = f"""
INSERT INTO settlement_clearingitem ({_COLUMNS})
SELECT g.organisation_id, h.organisation_id, %(period)s, g.id, v.id, a.claim_id, a.claim_line_id, a.run_id, a.id, NULL,
    a.units_allowed, a.payable, n.rate, CASE t.norm WHEN 'host' THEN a.payable
        ELSE LEAST(a.payable, {BY_NORM}) END, %(at)s
FROM settlement_adjudication a
JOIN run_line q ON q.id = a.claim_line_id
JOIN vouchers_certificate g ON g.id = q.certificate_id AND g.home_id IS NOT NULL
JOIN vouchers_certificate h ON h.id = g.home_id
JOIN contracts_service v ON v.id = q.service_id
JOIN contracts_clearingagreement t ON t.home_id = h.organisation_id AND t.host_id = g.organisation_id
    AND t.valid_from <= q.service_date AND (t.valid_to IS NULL OR q.service_date < t.valid_to)
    AND t.home_signed_at <= %(at)s AND t.host_signed_at <= %(at)s
{NORM}
WHERE a.run_id = %(run)s AND a.reverses_id IS NULL AND a.payable > 0
ORDER BY a.id
"""
# A decision that is taken back takes back what was due for it, with what was worked out anew since and without what was
# given up; claims with clawbacks are not reversed.
_TAKEN_BACK = f"""
INSERT INTO settlement_clearingitem ({_COLUMNS})
SELECT i.organisation_id, i.home_id, %(period)s, i.certificate_id, i.service_id, a.claim_id, a.claim_line_id, a.run_id,
    a.id, NULL, -i.units_milli, -i.payable_minor, i.norm_e4, -w.due, %(at)s
FROM settlement_adjudication a JOIN settlement_clearingitem i ON i.adjudication_id = a.reverses_id
CROSS JOIN LATERAL (SELECT COALESCE(sum(x.due_minor), 0)::bigint AS due FROM settlement_clearingitem x
    WHERE (x.id = i.id OR x.corrects_id = i.id) AND {NOT_GIVEN_UP}) w
WHERE a.run_id = %(run)s ORDER BY a.id
"""
_OF_CASE = "AND o.claim_line_id IN (SELECT claim_line_id FROM settlement_clawbackline WHERE case_id = %(case)s)"
# What stays with the provider (the sum of this case is upheld already) is due as far as it was: the issuer gets back
# what goes beyond.
_ASKED_BACK = f"""
INSERT INTO settlement_clearingitem ({_COLUMNS})
SELECT i.organisation_id, i.home_id, %(period)s, i.certificate_id, i.service_id, i.claim_id, x.claim_line_id, NULL,
    NULL, x.id, 0, -x.upheld_minor, i.norm_e4, s.kept - s.due, %(at)s
FROM settlement_clawbackline x
JOIN ({STANDING.format(_OF_CASE)}) s ON s.claim_line_id = x.claim_line_id
JOIN settlement_clearingitem i ON i.id = s.id
WHERE x.case_id = %(case)s AND x.upheld_minor > 0 AND s.due > s.kept ORDER BY x.id
"""
# The difference to what stands, so that nothing of the first refund is rewritten.
_ANEW = f"""
INSERT INTO settlement_clearingitem ({_COLUMNS}, corrects_id, revision_id)
SELECT d.organisation_id, d.home_id, d.period, d.certificate_id, d.service_id, d.claim_id, d.claim_line_id, NULL, NULL,
    NULL, 0, 0, d.known_e4, d.difference, %(at)s, d.id, %(revision)s
FROM ({DIFFERING}) d ORDER BY d.id
"""


@step
def follow_issuers(organisation: Organisation, batch: NextRun, *, at: datetime) -> None:
    """Bring what is known of foreign certificates in the claims of a run into step with their issuers."""
    _follow(organisation, Q(claim__in=batch.claims) | Q(pk__in=batch.cleared_lines), at)


@step
def follow_issuers_in_month(organisation: Organisation, month: date, *, at: datetime) -> None:
    """The same for all claims of a month. Locks: recipients."""
    _follow(organisation, Q(claim__organisation=organisation, claim__period=month), at)


@step
def _follow(organisation: Organisation, lines: Q, at: datetime) -> None:
    guests = Certificate.objects.filter(organisation=organisation, home__isnull=False)
    if guests.exists():
        claimed = ClaimLine.objects.filter(lines, certificate=OuterRef("pk"))
        bring_into_step(guests.filter(Exists(claimed)), at=at)


@step
def write_items(run: AdjudicationRun, *, at: datetime) -> None:
    """What is due for the decisions of a run whose temporary tables still stand. Money: minor units."""
    params: dict[str, Any] = {"run": run.pk, "period": run.period, "at": at}
    with connection.cursor() as cursor:
        cursor.execute(_ANY)
        if cursor.fetchone()[0]:
            cursor.execute(_ALLOWED, params)
            cursor.execute(_TAKEN_BACK, params)


@step
def write_items_of_case(case: ClawbackCase, *, at: datetime) -> None:
    """What the issuers get back of a decided clawback. Money: minor units, negative."""
    params: dict[str, Any] = {"case": case.pk, "period": month_of(local_date(at, case.organisation.zone)), "at": at}
    with connection.cursor() as cursor:
        cursor.execute(_ASKED_BACK, params)


@step
def write_items_anew(revision: ClearingRevision, *, at: datetime) -> None:
    """The differences of the refunds of an agreement to the norm costs known now. Money: minor units."""
    with connection.cursor() as cursor:
        cursor.execute(_ANEW, {**of_agreement(revision.agreement), "revision": revision.pk, "at": at})

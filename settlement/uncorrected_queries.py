# ruff: noqa: S608, S611 - the pieces of SQL here are constants of this file; values are parameters
"""Closed months touched by what two persons put right for past days, as long as no correction has followed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from config.accounts.models import Organisation
from settlement.models import Claim, ClosedMonth

# The trail's word for a month of which a person said why nothing has to be corrected.
NOT_NEEDED = "correction.not_needed"

# Messages that another municipality learnt something late of people who are served here: more is not known here.
TOLD_OF_GUESTS = ("certificate.guest_to_settle", "fee_revision.guest_to_settle")


def _in(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


# (closed month, fact, since when it is known, its reason). The event of a fact names the months with decided lines; a
# fee touches the months in which the recipient's lines were judged by what was known before, and what a neighbour told
# of a guest the months in which lines of its days were.
_OPEN = f"""
WITH office AS (SELECT %s::bigint AS id),
facts AS (
  SELECT 'norm_cost.put_right' AS action, 'contracts.normcost:' || n.id AS label, n.reason
  FROM contracts_normcost n JOIN office o ON o.id = n.organisation_id WHERE n.status = 'approved' AND n.reason <> ''
  UNION ALL
  SELECT 'contract.past_terms_approved', 'contracts.pastterms:' || t.id, t.reason
  FROM contracts_pastterms t JOIN contracts_contract k ON k.id = t.contract_id
  JOIN office o ON o.id = k.organisation_id WHERE t.status = 'approved'
  UNION ALL
  SELECT 'parameter.put_right', 'contracts.parameterproposal:' || p.id, p.reason
  FROM contracts_parameterproposal p JOIN office o ON o.id = p.organisation_id
  WHERE p.status = 'approved' AND p.reason <> ''
),
known AS (
  SELECT (m.month || '-01')::date AS month, f.label, e.business_at AS learnt_at, f.reason
  FROM facts f
  JOIN audit_auditevent e ON e.objects_touched @> jsonb_build_array(f.label) AND e.action = f.action
  CROSS JOIN LATERAL jsonb_array_elements_text(e.data -> 'months') m (month)
  UNION
  SELECT c.period, 'vouchers.feerevision:' || r.id, r.status_at, r.reason
  FROM vouchers_feerevision r JOIN office o ON o.id = r.organisation_id
  JOIN vouchers_certificate v ON v.recipient_id = r.recipient_id
  JOIN settlement_claimline l ON l.certificate_id = v.id
  JOIN settlement_claim c ON c.id = l.claim_id AND c.organisation_id = r.organisation_id
  JOIN settlement_adjudication a ON a.claim_line_id = l.id AND a.reverses_id IS NULL
  JOIN settlement_adjudicationrun n ON n.id = a.run_id AND n.known_at < r.status_at
  WHERE r.status = 'approved' AND c.reverses_id IS NULL AND c.status IN ({_in(Claim.JUDGED)})
    AND c.period >= r.valid_from AND (r.valid_to IS NULL OR c.period < r.valid_to)
  UNION
  SELECT c.period, m.label, m.created_at, m.params ->> 'home'
  FROM office_outboxmessage m JOIN office o ON o.id = m.organisation_id
  JOIN vouchers_certificate v ON m.label = 'vouchers.certificate:' || v.id
  JOIN settlement_claimline l ON l.certificate_id = v.id
  JOIN settlement_claim c ON c.id = l.claim_id
  JOIN settlement_adjudication a ON a.claim_line_id = l.id AND a.reverses_id IS NULL
  JOIN settlement_adjudicationrun n ON n.id = a.run_id AND n.known_at < m.created_at
  WHERE m.code IN ({_in(TOLD_OF_GUESTS)}) AND c.reverses_id IS NULL AND c.status IN ({_in(Claim.JUDGED)})
    AND l.service_date >= (m.params ->> 'valid_from')::date
    AND l.service_date <= COALESCE((m.params ->> 'last_day')::date, 'infinity')
)
SELECT {{columns}} FROM known w CROSS JOIN office o
JOIN settlement_closedmonth z ON z.organisation_id = o.id AND z.month = w.month
WHERE NOT EXISTS (SELECT 1 FROM settlement_correction x WHERE x.organisation_id = o.id AND x.month = w.month
    AND x.status <> 'cancelled' AND x.known_at >= w.learnt_at)
  AND NOT EXISTS (SELECT 1 FROM audit_auditevent e WHERE e.action = '{NOT_NEEDED}'
    AND e.objects_touched @> jsonb_build_array('settlement.closedmonth:' || z.id) AND e.business_at >= w.learnt_at)"""


_GROUND = {"vouchers.feerevision": "income", "vouchers.certificate": "other"}


@dataclass(frozen=True)
class Learnt:
    """A fact of past days: its record "app.model:pk", since when it is known and why only then; of a guest the
    certificate and the municipality that told.
    """

    label: str
    at: datetime
    reason: str

    @property
    def ground(self) -> str:
        """The ground of the correction that would follow (``Correction.GROUNDS``)."""
        return _GROUND.get(self.label.partition(":")[0], "norm")


def uncorrected_months(organisation: Organisation) -> QuerySet[ClosedMonth]:
    """Closed months that wait for a correction or for a person who says that none is needed; the oldest first."""
    keys = RawSQL(_OPEN.format(columns="z.id"), [organisation.pk])
    return ClosedMonth.objects.filter(organisation=organisation, pk__in=keys).order_by("month")


def learnt_of(organisation: Organisation, months: Iterable[ClosedMonth]) -> dict[int, list[Learnt]]:
    """What became known of months and waits, by the key of the month, the earliest first; one query."""
    found, wanted = defaultdict(list), {month.pk for month in months}
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_OPEN.format(columns='z.id, w.label, w.learnt_at, w.reason')} ORDER BY 3, 2", [organisation.pk]
        )
        for key, label, at, reason in cursor.fetchall():
            if key in wanted:
                found[key].append(Learnt(label, at, reason))
    return dict(found)

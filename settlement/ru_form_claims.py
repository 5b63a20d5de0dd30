"""Rows of the compensation form out of what the product holds: claims, programmes, fees due and reported, decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db import connection

from config.accounts.models import Organisation
from config.money import from_minor, from_rate, from_units, split_by_largest_remainder
from config.periods import add_months
from contracts.models import Provider
from settlement.models import Claim
from settlement.ru_form_inputs import Row

# One row for each recipient, service and price. The programme of the month is the latest version in force in it; what
# a provider reports as received is the last report of each claim.
_ROWS = """
WITH judged AS (
    SELECT claim_line_id, sum(fee) AS fee, sum(payable) AS payable FROM settlement_adjudication
    WHERE claim_id = ANY(%(claims)s) GROUP BY 1
), received AS (
    SELECT recipient_id, sum(collected_minor) AS collected FROM (
        SELECT DISTINCT ON (claim_id, recipient_id) recipient_id, collected_minor FROM settlement_feereport
        WHERE claim_id = ANY(%(claims)s) ORDER BY claim_id, recipient_id, recorded_at DESC, id DESC) last GROUP BY 1
), line AS (
    SELECT c.recipient_id, l.service_id, l.service_code, l.unit_rate_e4, sum(l.units_milli) AS units,
        COALESCE(sum(j.fee), 0) AS fee, COALESCE(sum(j.payable), 0) AS payable
    FROM settlement_claimline l LEFT JOIN judged j ON j.claim_line_id = l.id
    LEFT JOIN vouchers_certificate c ON c.id = l.certificate_id
    WHERE l.claim_id = ANY(%(claims)s) GROUP BY 1, 2, 3, 4
)
SELECT COALESCE(r.code, ''), COALESCE(NULLIF(s.name_ru, ''), s.name_uk, line.service_code), line.unit_rate_e4,
    line.units::bigint, COALESCE(p.units_per_month, 0), line.fee::bigint, line.payable::bigint,
    COALESCE(x.collected, 0)::bigint
FROM line LEFT JOIN vouchers_recipient r ON r.id = line.recipient_id
LEFT JOIN contracts_service s ON s.id = line.service_id
LEFT JOIN received x ON x.recipient_id = line.recipient_id
LEFT JOIN LATERAL (
    SELECT p.units_per_month FROM vouchers_planline p LEFT JOIN vouchers_individualplan i ON i.id = p.plan_id
    WHERE p.recipient_id = line.recipient_id AND p.service_id = line.service_id
      AND COALESCE(i.status, 'approved') IN ('approved', 'closed')
      AND p.valid_from < %(after)s AND (p.valid_to IS NULL OR p.valid_to > %(first)s)
    ORDER BY p.valid_from DESC LIMIT 1) p ON true
ORDER BY 1, 2, 3
"""


def judged_claims(organisation: Organisation, provider: Provider, period: date) -> list[Claim]:
    """The provider's claims of the month that were decided about."""
    rows = Claim.objects.filter(organisation=organisation, provider=provider, period=period, status__in=Claim.JUDGED)
    return list(rows.filter(reverses=None).exclude(run=None).order_by("id"))


def compensation_rows(claims: Sequence[Claim], period: date) -> list[Row]:
    """Rows of the form over claims of one month. The limit of a row is what the decisions allow to pay for it."""
    with connection.cursor() as cursor:
        keys = [claim.pk for claim in claims]
        cursor.execute(_ROWS, {"claims": keys, "first": period, "after": add_months(period, 1)})
        found = cursor.fetchall()
    return [row for _code, rows in groupby(found, key=lambda row: row[0]) for row in _of_recipient(list(rows))]


def _of_recipient(found: list[tuple[Any, ...]]) -> Iterable[Row]:
    """Rows of one recipient: the fee received is shared over them by their value, the programme used up in order."""
    values = [rate * units for _code, _name, rate, units, *_rest in found]
    received = split_by_largest_remainder(from_minor(found[0][-1]), values)
    left: dict[str, Decimal] = {}
    for (code, name, rate, units, programme, fee, payable, _collected), share in zip(found, received, strict=True):
        actual = from_units(units)
        volume = left.setdefault(name, programme)
        left[name] = max(volume - actual, Decimal(0))
        yield {
            "recipient": code,
            "service": name,
            "tariff": from_rate(rate),
            "programme_volume": volume,
            "actual_volume": actual,
            "fee_received": share,
            "fee_due": from_minor(fee),
            "limit": from_minor(payable),
        }


def decided_sum(rows: Iterable[Row]) -> Decimal:
    """What the decisions allow to pay for these rows, 2 places."""
    return sum((row["limit"] for row in rows), from_minor(0))

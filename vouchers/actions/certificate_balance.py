"""Steps on certificate movements and their budget reservation. Every one needs its caller's transaction.

Locks: budget lines first, then certificates, then redemptions (``config/locks.py``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.db.models import QuerySet, Sum

from config.audit.actors import Actor
from config.audit.recording import label_of
from config.clock import local_date
from config.locks import lock_by_ids, lock_rows
from config.money import to_units
from config.transactions import step
from contracts.models import BudgetEntry, BudgetLine
from vouchers.models import Certificate, CertificateEntry, CertificateLine, Redemption
from vouchers.queries import reported_units
from vouchers.rules.entitlement import kept_for_used_units

CLOSED = frozenset({"cancelled", "expired", "replaced"})
# Movement that takes what is left when a certificate ends in a state.
CLOSING_KIND = {"cancelled": "cancelled", "replaced": "cancelled", "expired": "expired"}


@step
def lock_certificates(certificates: QuerySet[Certificate]) -> list[Certificate]:
    """Lock the budget lines behind the certificates, then the certificates."""
    lines = certificates.exclude(budget_line=None).values_list("budget_line_id", flat=True)
    lock_by_ids(BudgetLine, set(lines))
    return lock_rows(certificates.select_related("recipient", "organisation", "budget_line"))


def balances_of(lines: Iterable[CertificateLine]) -> dict[int, int]:
    """Thousandths left on each line: the sum of its movements. Read it under the certificate's lock."""
    rows = (
        CertificateEntry.objects.filter(certificate_line__in=[line.pk for line in lines])
        .values_list("certificate_line_id")
        .annotate(total=Sum("units_milli"))
    )
    return defaultdict(int, dict(rows))


@step
def write_entries(
    rows: Iterable[tuple[CertificateLine | int, str, int, Redemption | None]], *, actor: Actor, at: datetime
) -> list[CertificateEntry]:
    """Movements (line, kind, thousandths, redemption) in one statement; rows of zero units are left out."""
    return CertificateEntry.objects.bulk_create(
        CertificateEntry(
            certificate_line_id=line if isinstance(line, int) else line.pk,
            kind=kind,
            units_milli=units,
            redemption=redemption,
            occurred_at=at,
            recorded_at=at,
            recorded_by_id=actor.user_id,
        )
        for line, kind, units, redemption in rows
        if units
    )


def _used_milli(lines: Sequence[CertificateLine]) -> dict[int, int]:
    used: dict[int, int] = defaultdict(int)
    moved = CertificateEntry.objects.filter(
        certificate_line__in=[line.pk for line in lines], kind__in=["held", "released", "captured", "restored"]
    )
    for line_id, total in moved.values_list("certificate_line_id").annotate(total=Sum("units_milli")):
        used[line_id] -= total
    by_service: dict[tuple[int | None, int | None], int] = {
        (line.certificate_id, line.service_id): line.pk for line in lines
    }
    certificates = Certificate.objects.filter(pk__in={line.certificate_id for line in lines})
    for (certificate_id, service_id), total in reported_units(certificates).items():
        if (certificate_id, service_id) in by_service:
            used[by_service[certificate_id, service_id]] += total
    return used


def reserved_now(certificates: Iterable[Certificate]) -> dict[int, int]:
    """Minor units still reserved for each certificate: the sum of its budget entries of that kind."""
    ids = {label_of(certificate): certificate.pk for certificate in certificates}
    rows = (
        BudgetEntry.objects.filter(label__in=list(ids), kind="reservation")
        .values_list("label")
        .annotate(total=Sum("amount_minor"))
    )
    return defaultdict(int, {ids[label]: total for label, total in rows})


@step
def write_reservations(rows: Iterable[tuple[Certificate, int]], *, actor: Actor, at: datetime) -> None:
    """Budget entries of kind reservation in one statement; zero amounts are left out."""
    BudgetEntry.objects.bulk_create(
        BudgetEntry(
            budget_line_id=certificate.budget_line_id,
            kind="reservation",
            amount_minor=amount,
            label=label_of(certificate),
            occurred_on=local_date(at, certificate.organisation.zone),
            recorded_at=at,
            recorded_by_id=actor.user_id,
        )
        for certificate, amount in rows
        if amount and certificate.budget_line_id
    )


@step
def close_certificates(
    *, certificates: QuerySet[Certificate], status: str, status_from: date, actor: Actor, at: datetime
) -> list[Certificate]:
    """End certificates: what is left of them is taken, what no used unit needs of the reservation returns.

    A hold still open stays with its provider until it is confirmed, voided or lapses; see ``sweep_closed``.
    """
    locked = lock_certificates(certificates)
    for certificate in locked:
        certificate.move_to(status, at=at, status_from=status_from)
    sweep_closed(locked, actor=actor, at=at)
    return locked


@step
def sweep_closed(certificates: Sequence[Certificate], *, actor: Actor, at: datetime) -> None:
    """Take the balance left on ended certificates and return their unneeded reservation. Safe to repeat."""
    ended = [certificate for certificate in certificates if certificate.status in CLOSED]
    lines = list(CertificateLine.objects.filter(certificate__in=ended))
    balances = balances_of(lines)
    kinds = {certificate.pk: CLOSING_KIND[certificate.status] for certificate in ended}
    write_entries([(line, kinds[line.certificate_id], -balances[line.pk], None) for line in lines], actor=actor, at=at)
    returned = _unneeded(ended, lines)
    write_reservations([(certificate, -amount) for certificate, amount in returned], actor=actor, at=at)
    for certificate, amount in returned:
        if amount:
            certificate.reserved_minor -= amount
            certificate.save(update_fields=["reserved_minor"])


def _unneeded(certificates: Sequence[Certificate], lines: Sequence[CertificateLine]) -> list[tuple[Certificate, int]]:
    """What of each reservation no used unit needs.

    Claims already settled have taken their part: ``reserved_minor`` (less what was returned) minus what is still
    reserved is what they took, so that asking again returns nothing twice.
    """
    used = _used_milli(lines)
    kept: dict[int, int] = defaultdict(int)
    for line in lines:
        kept[line.certificate_id] += kept_for_used_units(
            expected_minor=line.expected_minor, issued_milli=to_units(line.units), used_milli=used[line.pk]
        )
    remaining = reserved_now(certificates)
    answer = []
    for certificate in certificates:
        settled = certificate.reserved_minor - remaining[certificate.pk]
        still_needed = max(kept[certificate.pk] - settled, 0)
        answer.append((certificate, max(remaining[certificate.pk] - still_needed, 0)))
    return answer

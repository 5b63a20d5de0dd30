"""What happens to a certificate after it was issued: rest, end, replacement, expiry."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.clock import local_date
from config.errors import DomainError
from config.locks import lock_rows
from config.money import from_units, to_units
from config.periods import Period
from vouchers.actions.certificate_balance import (
    balances_of,
    close_certificates,
    lock_certificates,
    sweep_closed,
    write_entries,
    write_reservations,
)
from vouchers.actions.certificates import IssuedCertificate, new_certificate, new_pin
from vouchers.actions.guests import balance_lines, refuse_guest
from vouchers.actions.guests_told import tell_hosts
from vouchers.documents import payload_of
from vouchers.models import Certificate, CertificateLine, CertificateSuspension, Redemption
from vouchers.models.certificates import ENDING
from vouchers.queries import visits_on


class AlreadySuspended(DomainError):
    """It rests already."""

    code = "ALREADY_SUSPENDED"
    message = _("The certificate already rests from %(from_date)s. Resume it first.")


class NotSuspended(DomainError):
    """There is no rest to end."""

    code = "NOT_SUSPENDED"
    message = _("The certificate does not rest, so there is nothing to resume.")


class NothingToReplace(DomainError):
    """No units are left."""

    code = "NOTHING_TO_REPLACE"
    message = _("Nothing is left on this certificate. Issue a new one when the plan allows it.")


def _one(certificate: Certificate) -> Certificate:
    refuse_guest(certificate)
    return lock_certificates(Certificate.objects.filter(pk=certificate.pk))[0]


@action
def suspend_certificate(
    *, certificate: Certificate, from_date: date, reason: str, actor: Actor, at: datetime, last_day: date | None = None
) -> Certificate:
    """Let a certificate rest; ``last_day`` counts, None is open. Units stay, nothing can be redeemed.

    Raises: AlreadySuspended, InvalidMove. Audit: certificate.suspended. Source: CRT-11.
    """
    certificate = _one(certificate)
    known = certificate.suspensions.filter(Q(to_date=None) | Q(from_date=from_date)).first()
    if known is not None:
        raise AlreadySuspended(from_date=f"{known.from_date:%d.%m.%Y}")
    rest = CertificateSuspension.objects.create(
        certificate=certificate,
        from_date=from_date,
        to_date=last_day and last_day + timedelta(days=1),
        reason=reason,
        recorded_at=at,
    )
    # A rest with both ends is judged by its days alone; only an open one is also a state that a person must end.
    if last_day is None and from_date <= local_date(at, certificate.organisation.zone):
        certificate.move_to("suspended", at=at)
    tell_hosts(certificate.recipient, from_date, rest.to_date, certificate=certificate, at=at)
    record(
        "certificate.suspended", certificate, certificate.recipient, actor=actor, at=at, from_date=from_date,
        last_day=last_day, reason=reason,
    )  # fmt: skip
    return certificate


@action
def resume_certificate(*, certificate: Certificate, from_date: date, actor: Actor, at: datetime) -> Certificate:
    """End the rest: usable again from ``from_date``. Raises: NotSuspended. Audit: certificate.resumed."""
    certificate = _one(certificate)
    rest = certificate.suspensions.filter(to_date=None).first()
    if rest is None:
        raise NotSuspended()
    # A rest that never began is taken back whole: a day it would cover stays out of it.
    if from_date > rest.from_date:
        rest.change(at=at, to_date=from_date)
    else:
        rest.withdraw(at=at)
    if certificate.status == "suspended":
        certificate.move_to("active", at=at)
    tell_hosts(certificate.recipient, max(from_date, rest.from_date), None, certificate=certificate, at=at)
    record("certificate.resumed", certificate, certificate.recipient, actor=actor, at=at, from_date=from_date)
    return certificate


@action
def cancel_certificate(
    *, certificate: Certificate, status_from: date, reason: str, actor: Actor, at: datetime
) -> Certificate:
    """Cancel from a day on; units and the unneeded reservation go back.

    Raises: InvalidMove, GuestCertificate. Audit: certificate.cancelled. Source: CRT-11.
    """
    refuse_guest(certificate)
    (closed,) = close_certificates(
        certificates=Certificate.objects.filter(pk=certificate.pk),
        status="cancelled",
        status_from=status_from,
        actor=actor,
        at=at,
    )
    tell_hosts(closed.recipient, status_from, None, certificate=closed, at=at)
    record(
        "certificate.cancelled", closed, closed.recipient, actor=actor, at=at, status_from=status_from, reason=reason
    )
    return closed


@action
def replace_certificate(*, certificate: Certificate, reason: str, actor: Actor, at: datetime) -> IssuedCertificate:
    """Void a lost certificate and issue another with what is left on it and a new code, QR and PIN.

    Holds still open stay with the old one. Money: the reservation for the units left moves along.
    Raises: NothingToReplace, InvalidMove. Audit: certificate.replaced. Source: CRT-13.
    """
    old = _one(certificate)
    lines = list(old.lines.select_related("service").order_by("service__code"))
    balances = balances_of(lines)
    left = [(line, balances[line.pk]) for line in lines if balances[line.pk] > 0]
    if not left:
        raise NothingToReplace()
    today = local_date(at, old.organisation.zone)
    before = old.reserved_minor
    old.move_to("replaced", at=at, status_from=today)
    sweep_closed([old], actor=actor, at=at)
    issued = _successor(old, left, before - old.reserved_minor, today, actor, at)
    record("certificate.replaced", old, issued.certificate, old.recipient, actor=actor, at=at, reason=reason)
    return issued


def _successor(
    old: Certificate, left: list[tuple[CertificateLine, int]], returned: int, today: date, actor: Actor, at: datetime
) -> IssuedCertificate:
    pin = new_pin()
    new = new_certificate(
        recipient=old.recipient,
        budget_line=old.budget_line,
        period=Period(max(today, old.valid_from), old.valid_to),
        pin=pin,
        reserved_minor=returned,
        reservation_steps=old.reservation_steps,
        actor=actor,
        at=at,
        replaces=old,
    )
    lines = CertificateLine.objects.bulk_create(
        CertificateLine(
            certificate=new,
            service=line.service,
            units=from_units(units),
            expected_minor=line.expected_minor * units // to_units(line.units),
        )
        for line, units in left
    )
    amounts = [units for _line, units in left]
    write_entries([(line, "issued", u, None) for line, u in zip(lines, amounts, strict=True)], actor=actor, at=at)
    write_reservations([(new, returned)], actor=actor, at=at)
    return IssuedCertificate(new, pin, payload_of(new, lines))


@action
def expire_certificates(*, organisation: Organisation, actor: Actor, at: datetime) -> list[Certificate]:
    """End every certificate whose last day has passed, and give back what no used unit needs of its reservation.

    Its open holds lapse first. Idempotent: those already ended are left alone.
    Audit: certificates.expired with the numbers and the value returned. Source: CRT-16.
    """
    today = local_date(at, organisation.zone)
    due = Certificate.objects.filter(organisation=organisation, status__in=ENDING, valid_to__lte=today)
    locked = lock_certificates(due)
    if not locked:
        nothing_to_record()
        return []
    _lapse(visits_on(locked).filter(status="authorised"), actor=actor, at=at)
    before = sum(certificate.reserved_minor for certificate in locked)
    for certificate in locked:
        certificate.move_to("expired", at=at)
    sweep_closed(locked, actor=actor, at=at)
    returned = before - sum(certificate.reserved_minor for certificate in locked)
    record(
        "certificates.expired", organisation, *locked, actor=actor, at=at, organisation=organisation.code,
        count=len(locked), returned_minor=returned,
    )  # fmt: skip
    return locked


@action
def expire_holds(*, organisation: Organisation, actor: Actor, at: datetime) -> list[Redemption]:
    """Give back what was held by authorisations that nobody confirmed in time.

    Idempotent. Audit: redemptions.expired. Source: CRT-05.
    """
    due = Redemption.objects.filter(organisation=organisation, status="authorised", expires_at__lte=at)
    shown = Certificate.objects.filter(pk__in=due.values("certificate_id"))
    givers = shown.values_list(Coalesce("home_id", "pk"), flat=True)
    certificates = lock_certificates(Certificate.objects.filter(pk__in=givers))
    lapsed = _lapse(due, actor=actor, at=at)
    if not lapsed:
        nothing_to_record()
        return []
    sweep_closed(certificates, actor=actor, at=at)
    record(
        "redemptions.expired", organisation, actor=actor, at=at, organisation=organisation.code,
        codes=[redemption.code for redemption in lapsed],
        labels=[f"vouchers.redemption:{redemption.pk}" for redemption in lapsed],
    )  # fmt: skip
    return lapsed


def _lapse(redemptions: QuerySet[Redemption], *, actor: Actor, at: datetime) -> list[Redemption]:
    """Expire authorisations and release their holds, set-based."""
    locked = lock_rows(redemptions)
    lines = balance_lines(locked)
    write_entries([(lines[r.pk], "released", r.authorised_milli or 0, r) for r in locked], actor=actor, at=at)
    Redemption.objects.filter(pk__in=[r.pk for r in locked]).update(status="expired", status_at=at, units_milli=0)
    return locked

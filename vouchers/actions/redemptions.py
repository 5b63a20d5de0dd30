"""Redeeming a certificate: authorise holds units, confirm captures them, void gives them back.

One transaction each: killed anywhere, a redemption is there with its movements or not at all.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import IntegrityError
from django.db.models import Q, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.clock import local_date
from config.errors import DomainError, NotFound
from config.locks import lock_rows
from config.money import from_units, to_units
from config.office.idempotency import claim_key, keep_answer
from config.office.models import IdempotencyKey
from config.periods import add_months, month_of
from config.transactions import step
from contracts.models import ContractLine, Provider, Worker
from contracts.parameters import ParameterBook
from vouchers.actions.certificate_balance import CLOSED, balances_of, lock_certificates, sweep_closed, write_entries
from vouchers.actions.certificates import pin_matches
from vouchers.gateways.certificate_token import PREFIX, TokenInvalid, fingerprint, read_token
from vouchers.models import Certificate, CertificateLine, PlanLine, Redemption
from vouchers.queries import in_force
from vouchers.rules.certificate_code import is_well_formed, normalise_short_code
from vouchers.rules.redemption_limits import RedemptionFacts, first_refusal, is_multiple

COUNTED = ("authorised", "confirmed")

MESSAGES: dict[str, str | Promise] = {
    "CODE_MISTYPED": _("The code is mistyped: its check letter does not fit. Read it from the certificate again."),
    "QR_NOT_GENUINE": _("This QR code is not a genuine certificate. Ask for the paper and enter its short code."),
    "CERTIFICATE_UNKNOWN": _("There is no certificate with this code. Read it from the certificate again."),
    "CERTIFICATE_REPLACED": _("This certificate was replaced by a new one. Ask for the new paper."),
    "CERTIFICATE_SUSPENDED": _("The certificate rests on %(on)s. Ask the social service when it resumes."),
    "CERTIFICATE_EXHAUSTED": _("Everything on this certificate is used. Ask the social service for a new one."),
    "CERTIFICATE_NOT_ACTIVE": _("The certificate is «%(status)s» and cannot be used. Ask the social service."),
    "CERTIFICATE_OUT_OF_DATE": _("The certificate is not valid on %(on)s. Check the date of the visit."),
    "RECIPIENT_DECEASED": _("The visit is after the recipient's death on record. Contact the social service."),
    "SERVICE_NOT_ON_CERTIFICATE": _("The certificate does not include this service. Choose one that it lists."),
    "UNITS_STEP": _("%(units)s is not possible: enter a positive multiple of %(granularity)s."),
    "BALANCE_TOO_SMALL": _("%(units)s is more than the certificate has left: %(balance)s. Enter less."),
    "DAY_LIMIT": _("The limit of a day is %(limit)s; %(left)s is left for this day. Enter less."),
    "MONTH_LIMIT": _("The limit of a month is %(limit)s; %(left)s is left for this month. Enter less."),
    "PLAN_LIMIT": _("The individual plan gives %(limit)s a month; %(left)s is left for this month. Enter less."),
    "PROVIDER_NOT_ACTIVE": _(
        "Your organisation is not active on the register on %(on)s. Contact the procuring office."
    ),
    "NO_CONTRACT": _("You have no contract in force for this service on %(on)s. Contact the procuring office."),
    "WORKER_UNKNOWN": _("There is no worker %(worker)s among yours. Check the worker's code."),
    "WORKER_NOT_QUALIFIED": _("Worker %(worker)s is not qualified for this service on %(on)s. Choose another worker."),
    "PIN_WRONG": _("The PIN is wrong. Tries left: %(left)s."),
    "PIN_LOCKED": _("Too many wrong PINs. The certificate is locked until %(until)s; then try again or replace it."),
    "KEY_MISSING": _("The request has no idempotency key. Reload the page and send it again."),
    "OVER_CAPTURE": _("%(units)s is more than the %(held)s that was held. Enter at most %(held)s."),
    "HOLD_EXPIRED": _("The authorisation lapsed on %(on)s. Redeem the visit again or report it on paper."),
    "TIMES_REVERSED": _("The visit ends before it starts. Correct the time."),
    "NOT_AUTHORISED": _("This redemption is «%(status)s» and can no longer be changed. Reload the page."),
}


class RedemptionRefused(DomainError):
    """A redemption that may not happen; ``code`` says why, ``MESSAGES`` what to do."""

    def __init__(self, code: str, **params: object) -> None:
        self.code = code
        self.message = MESSAGES[code]
        super().__init__(**params)


@dataclass(frozen=True)
class _Request:
    """One wish of a provider, already in plain values."""

    provider: Provider
    worker_code: str
    service_code: str
    starts_at: datetime
    units: Decimal
    actor: Actor
    at: datetime


def authorise_redemption(
    *,
    certificate_key: str,
    pin: str,
    provider: Provider,
    worker_code: str,
    service_code: str,
    starts_at: datetime,
    units: Decimal,
    idempotency_key: str,
    actor: Actor,
    at: datetime,
) -> Redemption:
    """Hold units of a certificate for a visit. ``certificate_key``: the short code or the QR payload.

    Time: the hold lapses after ``certificate.hold_days``. Units: thousandths of the service's unit.
    Idempotent: the same key gives the first answer; with another request it is refused.
    Raises: RedemptionRefused (see MESSAGES), IdempotencyConflict, ParameterMissing.
    Locks: certificate. Audit: redemption.authorised, or certificate.pin_refused, which stays although the request is
    refused: a forgotten count of tries would make guessing free. Source: CRT-04, CRT-05, CRT-20.
    """
    if not idempotency_key:
        raise RedemptionRefused("KEY_MISSING")
    request = _Request(provider, worker_code.strip(), service_code, starts_at, units, actor, at)
    answer = _authorise(certificate_key=certificate_key, pin=pin, key=idempotency_key, request=request)
    if isinstance(answer, RedemptionRefused):
        raise answer
    return answer


@action
def _authorise(*, certificate_key: str, pin: str, key: str, request: _Request) -> Redemption | RedemptionRefused:
    scope = f"redemption:{request.provider.pk}"
    row, first = claim_key(scope=scope, key=key, body=_body(certificate_key, request), at=request.at)
    if not first:
        nothing_to_record()
        return Redemption.objects.select_related("certificate", "service").get(pk=row.answer["redemption"])
    certificate = find_certificate(certificate_key, lock=True)
    book = ParameterBook.load(certificate.organisation, "certificate.")
    refusal = _check_pin(certificate, pin, book, request)
    if refusal is not None:
        row.delete()  # the key stays free for the corrected request
        return refusal
    line, worker = _check(certificate, request)
    return _hold(certificate, line, worker, row, book, request)


def _body(certificate_key: str, request: _Request) -> dict[str, object]:
    # The fingerprint hides the certificate's code; the PIN stays out of it, having too few values to hide.
    return {
        "certificate": hashlib.sha256(certificate_key.strip().encode()).hexdigest(),
        "worker": request.worker_code,
        "service": request.service_code,
        "starts_at": request.starts_at.isoformat(),
        "units": str(request.units.normalize()),
    }


def find_certificate(key: str, *, lock: bool = False) -> Certificate:
    """The certificate of a short code or QR payload. Raises: RedemptionRefused."""
    if key.strip().upper().startswith(PREFIX):
        found = Certificate.objects.filter(token_hash=_fingerprint(key.strip()))
    else:
        code = normalise_short_code(key)
        if not is_well_formed(code):
            raise RedemptionRefused("CODE_MISTYPED")
        found = Certificate.objects.filter(short_code=code)
    found = found.select_related("recipient", "organisation")
    rows = lock_certificate(found) if lock else list(found)
    if not rows:
        raise RedemptionRefused("CERTIFICATE_UNKNOWN")
    return rows[0]


# A name of its own, so that a test can show what happens without it.
lock_certificate = lock_rows


def _fingerprint(payload: str) -> str:
    try:
        return fingerprint(read_token(payload).token_id)
    except TokenInvalid as error:
        raise RedemptionRefused("QR_NOT_GENUINE") from error


@step
def _check_pin(certificate: Certificate, pin: str, book: ParameterBook, request: _Request) -> RedemptionRefused | None:
    today = local_date(request.at, certificate.organisation.zone)
    until = certificate.pin_locked_until
    if until is not None and request.at < until:
        nothing_to_record()
        return RedemptionRefused("PIN_LOCKED", until=_clock(certificate, until))
    if pin_matches(pin, certificate.pin_hash):
        if certificate.pin_failures:
            _remember_failures(certificate, 0, None)
        return None
    failures = certificate.pin_failures + 1
    left = book.value("certificate.pin_tries", today).whole - failures
    lock_until = None
    if left <= 0:
        minutes = book.value("certificate.pin_lock_minutes", today).whole
        lock_until = request.at + timedelta(minutes=minutes)
    _remember_failures(certificate, 0 if lock_until else failures, lock_until)
    record("certificate.pin_refused", certificate, request.provider, actor=request.actor, at=request.at, left=left)
    if lock_until:
        return RedemptionRefused("PIN_LOCKED", until=_clock(certificate, lock_until))
    return RedemptionRefused("PIN_WRONG", left=left)


def _clock(certificate: Certificate, moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(certificate.organisation.zone)):%d.%m.%Y %H:%M}"


def _remember_failures(certificate: Certificate, failures: int, until: datetime | None) -> None:
    certificate.pin_failures, certificate.pin_locked_until = failures, until
    certificate.save(update_fields=["pin_failures", "pin_locked_until"])


def _check(certificate: Certificate, request: _Request) -> tuple[CertificateLine, Worker]:
    on = local_date(request.starts_at, certificate.organisation.zone)
    line = certificate.lines.filter(service__code=request.service_code).select_related("service").first()
    refusal = first_refusal(_facts(certificate, line, request.units, on))
    if refusal is not None:
        raise RedemptionRefused(refusal.code, **refusal.figures)
    assert line is not None
    _check_provider(certificate, line, request, on)
    return line, _worker(line, request, on)


def _facts(certificate: Certificate, line: CertificateLine | None, units: Decimal, on: date) -> RedemptionFacts:
    suspended = certificate.suspensions.filter(Q(to_date=None) | Q(to_date__gt=on), from_date__lte=on).exists()
    common = {
        "on": on,
        "units": units,
        "status": certificate.status,
        "valid_from": certificate.valid_from,
        "valid_to": certificate.valid_to,
        "suspended": suspended,
        "death_date": certificate.recipient.death_date,
    }
    if line is None:
        return RedemptionFacts(**common, entitled=False, granularity=Decimal(1), balance=Decimal(0))  # type: ignore[arg-type]
    service = line.service
    plan = PlanLine.objects.filter(in_force(on), recipient=certificate.recipient_id, service=service).first()
    used_day, used_month = _used(certificate, line, on)
    return RedemptionFacts(
        **common,  # type: ignore[arg-type]
        entitled=True,
        granularity=service.granularity,
        balance=from_units(balances_of([line])[line.pk]),
        used_day=used_day,
        used_month=used_month,
        day_max=service.units_per_day_max,
        month_max=service.units_per_month_max,
        plan_month_max=plan.units_per_month if plan else None,
    )


def _used(certificate: Certificate, line: CertificateLine, on: date) -> tuple[Decimal, Decimal]:
    """Units of the recipient's service held or confirmed online on the day, and in its month."""
    zone = ZoneInfo(certificate.organisation.zone)
    month = month_of(on)
    today, tomorrow = _midnight(on, zone), _midnight(on + timedelta(days=1), zone)
    rows = Redemption.objects.filter(
        certificate__recipient=certificate.recipient_id,
        service=line.service_id,
        channel="online",
        status__in=COUNTED,
        starts_at__gte=_midnight(month, zone),
        starts_at__lt=_midnight(add_months(month, 1), zone),
    )
    sums = rows.aggregate(
        month=Sum("units_milli"), day=Sum("units_milli", filter=Q(starts_at__gte=today, starts_at__lt=tomorrow))
    )
    return from_units(sums["day"] or 0), from_units(sums["month"] or 0)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _check_provider(certificate: Certificate, line: CertificateLine, request: _Request, on: date) -> None:
    provider = request.provider
    active = (provider.active_from is None or provider.active_from <= on) and (
        provider.active_to is None or on < provider.active_to
    )
    resting = provider.suspensions.filter(Q(to_date=None) | Q(to_date__gt=on), from_date__lte=on).exists()
    if not active or resting:
        raise RedemptionRefused("PROVIDER_NOT_ACTIVE", on=f"{on:%d.%m.%Y}")
    contracted = ContractLine.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=on),
        Q(valid_to=None) | Q(valid_to__gt=on),
        in_force(on, prefix="contract__"),
        contract__provider=provider,
        contract__organisation=certificate.organisation_id,
        contract__status="active",
        service=line.service_id,
    )
    if not contracted.exists():
        raise RedemptionRefused("NO_CONTRACT", on=f"{on:%d.%m.%Y}")


def _worker(line: CertificateLine, request: _Request, on: date) -> Worker:
    worker = Worker.objects.filter(code=request.worker_code, provider=request.provider).first()
    if worker is None:
        raise RedemptionRefused("WORKER_UNKNOWN", worker=request.worker_code or "—")
    if not worker.qualifications.filter(in_force(on), service=line.service_id).exists():
        raise RedemptionRefused("WORKER_NOT_QUALIFIED", worker=worker.code, on=f"{on:%d.%m.%Y}")
    return worker


@step
def _hold(
    certificate: Certificate,
    line: CertificateLine,
    worker: Worker,
    key: IdempotencyKey,
    book: ParameterBook,
    request: _Request,
) -> Redemption:
    units = to_units(request.units)
    days = book.value("certificate.hold_days", local_date(request.at, certificate.organisation.zone)).whole
    redemption = Redemption.objects.create(
        organisation=certificate.organisation,
        code=_code_of(key),
        channel="online",
        certificate_number=certificate.number,
        provider_code=request.provider.code,
        worker_code=worker.code,
        service_code=line.service.code,
        certificate=certificate,
        provider=request.provider,
        worker=worker,
        service=line.service,
        starts_at=request.starts_at,
        units_milli=units,
        authorised_milli=units,
        expires_at=request.at + timedelta(days=days),
        recorded_by_id=request.actor.user_id,
        recorded_at=request.at,
        status="authorised",
        status_at=request.at,
    )
    try:
        write_entries([(line, "held", -units, redemption)], actor=request.actor, at=request.at)
    except IntegrityError as error:  # the trigger stands behind the check
        raise RedemptionRefused("BALANCE_TOO_SMALL", units=request.units, balance="—") from error
    keep_answer(key, {"redemption": redemption.pk})
    record(
        "redemption.authorised", redemption, certificate, request.provider, actor=request.actor, at=request.at,
        code=redemption.code, units=request.units, service=line.service.code,
    )  # fmt: skip
    return redemption


def _code_of(key: IdempotencyKey) -> str:
    """Code of a redemption, from its request: the same request can never make two. 60 bits, no series to wait for."""
    digest = hashlib.sha256(f"{key.scope}\0{key.key}".encode()).digest()
    return "V-" + base64.b32encode(digest[:8]).decode()[:12]


@action
def confirm_redemption(
    *, redemption: Redemption, provider: Provider, units: Decimal, ends_at: datetime, actor: Actor, at: datetime
) -> Redemption:
    """Capture what was used of a hold, at most all of it; the rest returns to the certificate.

    Idempotent: confirming again with the same figures changes nothing.
    Raises: RedemptionRefused (OVER_CAPTURE, HOLD_EXPIRED, TIMES_REVERSED, UNITS_STEP, NOT_AUTHORISED), NotFound.
    Locks: certificate, redemption. Audit: redemption.confirmed. Source: CRT-05.
    """
    certificate, redemption = _lock(redemption, provider)
    if redemption.status == "confirmed" and (redemption.units_milli, redemption.ends_at) == (to_units(units), ends_at):
        nothing_to_record()
        return redemption
    _check_confirmation(redemption, units, ends_at, at)
    line = _line(redemption)
    held, used = redemption.authorised_milli or 0, to_units(units)
    write_entries([(line, "released", held, redemption), (line, "captured", -used, redemption)], actor=actor, at=at)
    redemption.units_milli, redemption.ends_at = used, ends_at
    redemption.save(update_fields=["units_milli", "ends_at"])
    redemption.move_to("confirmed", at=at)
    _after_movement(certificate, actor=actor, at=at)
    record(
        "redemption.confirmed", redemption, certificate, actor=actor, at=at, code=redemption.code, units=units,
        released=from_units(held - used),
    )  # fmt: skip
    return redemption


def _check_confirmation(redemption: Redemption, units: Decimal, ends_at: datetime, at: datetime) -> None:
    if redemption.status != "authorised":
        raise RedemptionRefused("NOT_AUTHORISED", status=redemption.status)
    if redemption.expires_at is not None and redemption.expires_at <= at:
        raise RedemptionRefused("HOLD_EXPIRED", on=f"{redemption.expires_at:%d.%m.%Y}")
    assert redemption.starts_at is not None and redemption.service is not None
    if ends_at <= redemption.starts_at:
        raise RedemptionRefused("TIMES_REVERSED")
    held = from_units(redemption.authorised_milli or 0)
    if units > held:
        raise RedemptionRefused("OVER_CAPTURE", units=units, held=held)
    if not is_multiple(units, redemption.service.granularity):
        raise RedemptionRefused("UNITS_STEP", units=units, granularity=redemption.service.granularity)


@action
def void_redemption(
    *, redemption: Redemption, provider: Provider, reason: str, actor: Actor, at: datetime
) -> Redemption:
    """Take back an authorisation: the hold returns to the certificate. Idempotent.

    Raises: RedemptionRefused (NOT_AUTHORISED), NotFound. Audit: redemption.voided.
    """
    certificate, redemption = _lock(redemption, provider)
    if redemption.status == "voided":
        nothing_to_record()
        return redemption
    if redemption.status != "authorised":
        raise RedemptionRefused("NOT_AUTHORISED", status=redemption.status)
    write_entries([(_line(redemption), "released", redemption.authorised_milli or 0, redemption)], actor=actor, at=at)
    redemption.units_milli = 0
    redemption.save(update_fields=["units_milli"])
    redemption.move_to("voided", at=at)
    _after_movement(certificate, actor=actor, at=at)
    record("redemption.voided", redemption, certificate, actor=actor, at=at, code=redemption.code, reason=reason)
    return redemption


@action
def reverse_redemption(*, redemption: Redemption, reason: str, actor: Actor, at: datetime) -> Redemption:
    """Undo a confirmed online redemption: its units return while the certificate is still valid.

    Raises: RedemptionRefused (NOT_AUTHORISED). Audit: redemption.reversed. Source: CRT-18.
    """
    certificate, redemption = _lock(redemption, None)
    if redemption.status != "confirmed" or redemption.channel != "online":
        raise RedemptionRefused("NOT_AUTHORISED", status=redemption.status)
    write_entries([(_line(redemption), "restored", redemption.units_milli or 0, redemption)], actor=actor, at=at)
    redemption.move_to("reversed", at=at)
    _after_movement(certificate, actor=actor, at=at)
    record("redemption.reversed", redemption, certificate, actor=actor, at=at, code=redemption.code, reason=reason)
    return redemption


@step
def _lock(redemption: Redemption, provider: Provider | None) -> tuple[Certificate, Redemption]:
    """Certificate, then redemption; a provider reaches only its own. Budget lines only of certificates that ended."""
    own = Redemption.objects.filter(pk=redemption.pk, channel="online")
    if provider is not None:
        own = own.filter(provider=provider)
    found = own.select_related("certificate").first()
    if found is None or found.certificate is None:
        raise NotFound()
    certificates = Certificate.objects.filter(pk=found.certificate.pk)
    if found.certificate.status in CLOSED:
        certificate = lock_certificates(certificates)[0]
    else:
        certificate = lock_certificate(certificates.select_related("organisation", "recipient"))[0]
    return certificate, lock_rows(own.select_related("service", "organisation"))[0]


def _line(redemption: Redemption) -> CertificateLine:
    return CertificateLine.objects.get(certificate=redemption.certificate_id, service=redemption.service_id)


@step
def _after_movement(certificate: Certificate, *, actor: Actor, at: datetime) -> None:
    """Keep the state in step with the balance: used up, usable again, or nothing left behind on an ended one."""
    if certificate.status in CLOSED:
        sweep_closed([certificate], actor=actor, at=at)
        return
    lines = list(certificate.lines.all())
    left = any(balances_of(lines).values())
    open_holds = certificate.redemptions.filter(status="authorised").exists()
    if certificate.status == "active" and not left and not open_holds:
        certificate.move_to("exhausted", at=at)
    elif certificate.status == "exhausted" and left:
        certificate.move_to("active", at=at)

"""Redeeming a certificate: authorise holds units, confirm captures them, void gives them back.

One transaction each: killed anywhere, a redemption is there with its movements or not at all.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import IntegrityError

from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.clock import local_date
from config.errors import NotFound
from config.locks import lock_rows
from config.money import from_units, to_units
from config.office.idempotency import claim_key, keep_answer
from config.office.models import IdempotencyKey
from config.transactions import step
from contracts.models import Provider
from contracts.parameters import ParameterBook
from vouchers.actions.certificate_balance import CLOSED, balances_of, lock_certificates, sweep_closed, write_entries
from vouchers.actions.certificates import pin_matches
from vouchers.actions.guests import balance_line, take_in
from vouchers.actions.redemption_checks import Admitted, RedemptionRefused, RedemptionRequest, check_redemption
from vouchers.gateways.certificate_token import PREFIX, TokenInvalid, fingerprint, read_token
from vouchers.models import Certificate, Redemption
from vouchers.queries import claim_of, visits_on
from vouchers.rules.certificate_code import is_well_formed, normalise_short_code
from vouchers.rules.redemption_limits import is_multiple


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
    request = RedemptionRequest(provider, worker_code.strip(), service_code, starts_at, units, actor, at)
    answer = _authorise(certificate_key=certificate_key, pin=pin, key=idempotency_key, request=request)
    if isinstance(answer, RedemptionRefused):
        raise answer
    return answer


@action
def _authorise(
    *, certificate_key: str, pin: str, key: str, request: RedemptionRequest
) -> Redemption | RedemptionRefused:
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
    return _hold(certificate, check_redemption(certificate, request), row, book, request)


def _body(certificate_key: str, request: RedemptionRequest) -> dict[str, object]:
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
def _check_pin(
    certificate: Certificate, pin: str, book: ParameterBook, request: RedemptionRequest
) -> RedemptionRefused | None:
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
    return _local(certificate.organisation.zone, moment)


def _local(zone: str, moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%d.%m.%Y %H:%M}"


def _remember_failures(certificate: Certificate, failures: int, until: datetime | None) -> None:
    certificate.pin_failures, certificate.pin_locked_until = failures, until
    certificate.save(update_fields=["pin_failures", "pin_locked_until"])


@step
def _hold(
    certificate: Certificate,
    admitted: Admitted,
    key: IdempotencyKey,
    book: ParameterBook,
    request: RedemptionRequest,
) -> Redemption:
    """The units leave the certificate that was shown; the visit belongs to who buys it."""
    line, service = admitted.line, admitted.service
    shown = take_in(certificate, admitted.agreement, at=request.at) if admitted.agreement else certificate
    units = to_units(request.units)
    days = book.value("certificate.hold_days", local_date(request.at, certificate.organisation.zone)).whole
    redemption = Redemption.objects.create(
        organisation=shown.organisation,
        code=_code_of(key),
        channel="online",
        certificate_number=shown.number,
        provider_code=request.provider.code,
        worker_code=admitted.worker.code,
        service_code=service.code,
        certificate=shown,
        provider=request.provider,
        worker=admitted.worker,
        service=service,
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
        code=redemption.code, units=request.units, service=service.code,
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
    Raises: RedemptionRefused (OVER_CAPTURE, HOLD_EXPIRED, TIMES_REVERSED, VISIT_NOT_OVER, UNITS_STEP, NOT_AUTHORISED),
    NotFound.
    Locks: certificate, redemption. Audit: redemption.confirmed. Source: CRT-05.
    """
    certificate, redemption = _lock(redemption, provider)
    if redemption.status == "confirmed" and _is_same(redemption, units, ends_at):
        nothing_to_record()
        return redemption
    _check_confirmation(redemption, units, ends_at, at)
    line = balance_line(redemption)
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


def _is_same(redemption: Redemption, units: Decimal, ends_at: datetime) -> bool:
    return from_units(redemption.units_milli or 0) == units and redemption.ends_at == ends_at


def _check_confirmation(redemption: Redemption, units: Decimal, ends_at: datetime, at: datetime) -> None:
    if redemption.status != "authorised":
        raise RedemptionRefused("NOT_AUTHORISED", status=redemption.status)
    if redemption.expires_at is not None and redemption.expires_at <= at:
        raise RedemptionRefused("HOLD_EXPIRED", on=f"{redemption.expires_at:%d.%m.%Y}")
    assert redemption.starts_at is not None and redemption.service is not None
    if ends_at <= redemption.starts_at:
        raise RedemptionRefused("TIMES_REVERSED")
    if ends_at > at:
        raise RedemptionRefused("VISIT_NOT_OVER", ends=_local(redemption.organisation.zone, ends_at))
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
    write_entries(
        [(balance_line(redemption), "released", redemption.authorised_milli or 0, redemption)], actor=actor, at=at
    )
    redemption.units_milli = 0
    redemption.save(update_fields=["units_milli"])
    redemption.move_to("voided", at=at)
    _after_movement(certificate, actor=actor, at=at)
    record("redemption.voided", redemption, certificate, actor=actor, at=at, code=redemption.code, reason=reason)
    return redemption


@action
def reverse_redemption(*, redemption: Redemption, reason: str, actor: Actor, at: datetime) -> Redemption:
    """Undo a confirmed online redemption: its units return while the certificate is still valid.

    Raises: RedemptionRefused (NOT_AUTHORISED, IN_A_CLAIM). Audit: redemption.reversed. Source: CRT-18.
    """
    certificate, redemption = _lock(redemption, None)
    if redemption.status != "confirmed":
        raise RedemptionRefused("NOT_AUTHORISED", status=redemption.status)
    if claim := claim_of(redemption):
        raise RedemptionRefused("IN_A_CLAIM", claim=claim)
    write_entries([(balance_line(redemption), "restored", redemption.units_milli or 0, redemption)], actor=actor, at=at)
    redemption.move_to("reversed", at=at)
    _after_movement(certificate, actor=actor, at=at)
    record("redemption.reversed", redemption, certificate, actor=actor, at=at, code=redemption.code, reason=reason)
    return redemption


@step
def _lock(redemption: Redemption, provider: Provider | None) -> tuple[Certificate, Redemption]:
    """The certificate that gives the units, then the redemption; a provider reaches only its own. Budget lines only of
    certificates that ended.
    """
    own = Redemption.objects.filter(pk=redemption.pk, channel="online")
    if provider is not None:
        own = own.filter(provider=provider)
    found = own.select_related("certificate__home").first()
    if found is None or found.certificate is None:
        raise NotFound()
    giver = found.certificate.home or found.certificate
    certificates = Certificate.objects.filter(pk=giver.pk)
    if giver.status in CLOSED:
        certificate = lock_certificates(certificates)[0]
    else:
        certificate = lock_certificate(certificates.select_related("organisation", "recipient"))[0]
    return certificate, lock_rows(own.select_related("service", "organisation"))[0]


@step
def _after_movement(certificate: Certificate, *, actor: Actor, at: datetime) -> None:
    """Keep the state in step with the balance: used up, usable again, or nothing left behind on an ended one."""
    if certificate.status in CLOSED:
        sweep_closed([certificate], actor=actor, at=at)
        return
    lines = list(certificate.lines.all())
    left = any(balances_of(lines).values())
    open_holds = visits_on([certificate]).filter(status="authorised").exists()
    if certificate.status == "active" and not left and not open_holds:
        certificate.move_to("exhausted", at=at)
    elif certificate.status == "exhausted" and left:
        certificate.move_to("active", at=at)

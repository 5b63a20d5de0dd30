"""What is checked before units are held, with the sentence of every refusal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Q, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.audit.actors import Actor
from config.clock import local_date
from config.errors import DomainError
from config.money import from_units
from config.periods import add_months, month_of
from contracts.models import ClearingAgreement, ContractLine, Provider, Service, Worker
from contracts.queries import clearing_agreements_on
from vouchers.actions.certificate_balance import balances_of
from vouchers.models import Certificate, CertificateLine, PlanLine, Redemption
from vouchers.queries import in_force
from vouchers.rules.redemption_limits import RedemptionFacts, first_refusal

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
    "VISIT_NOT_OVER": _("The visit ends at %(ends)s, and that is still to come. Confirm it when it is over."),
    "NOT_AUTHORISED": _("This redemption is «%(status)s» and can no longer be changed. Reload the page."),
    "IN_A_CLAIM": _("The redemption is part of claim %(claim)s. The claim must be withdrawn or taken back first."),
}


class RedemptionRefused(DomainError):
    """A redemption that may not happen; ``code`` says why, ``MESSAGES`` what to do."""

    def __init__(self, code: str, **params: object) -> None:
        self.code = code
        self.message = MESSAGES[code]
        super().__init__(**params)


@dataclass(frozen=True)
class RedemptionRequest:
    """One wish of a provider, already in plain values."""

    provider: Provider
    worker_code: str
    service_code: str
    starts_at: datetime
    units: Decimal
    actor: Actor
    at: datetime


@dataclass(frozen=True)
class Admitted:
    """A redemption that may happen: the line that gives the units, the service as the buyer of the visit knows it, the
    worker; ``agreement``: under which another municipality buys it, else None.
    """

    line: CertificateLine
    service: Service
    worker: Worker
    agreement: ClearingAgreement | None


def check_redemption(certificate: Certificate, request: RedemptionRequest) -> Admitted:
    """What of a redemption that may happen. Raises: RedemptionRefused.

    Read under the certificate's lock, so that what it says of the balance stays true until units are held.
    """
    on = local_date(request.starts_at, certificate.organisation.zone)
    line = certificate.lines.filter(service__code=request.service_code).select_related("service").first()
    refusal = first_refusal(_facts(certificate, line, request.units, on))
    if refusal is not None:
        raise RedemptionRefused(refusal.code, **refusal.figures)
    assert line is not None
    _check_provider(request.provider, on)
    service, agreement = _bought(certificate, line, request.provider, on)
    return Admitted(line, service, _worker(service, request, on), agreement)


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
    """Units of the recipient's service held or confirmed online on the day, and in its month, here and elsewhere."""
    zone = ZoneInfo(certificate.organisation.zone)
    month = month_of(on)
    today, tomorrow = _midnight(on, zone), _midnight(on + timedelta(days=1), zone)
    rows = Redemption.objects.filter(
        Q(certificate__recipient=certificate.recipient_id, service=line.service_id)
        | Q(certificate__home__recipient=certificate.recipient_id, service_code=line.service.code),
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


def _check_provider(provider: Provider, on: date) -> None:
    active = (provider.active_from is None or provider.active_from <= on) and (
        provider.active_to is None or on < provider.active_to
    )
    resting = provider.suspensions.filter(Q(to_date=None) | Q(to_date__gt=on), from_date__lte=on).exists()
    if not active or resting:
        raise RedemptionRefused("PROVIDER_NOT_ACTIVE", on=f"{on:%d.%m.%Y}")


def _bought(
    certificate: Certificate, line: CertificateLine, provider: Provider, on: date
) -> tuple[Service, ClearingAgreement | None]:
    """Who buys the visit: the issuer where it has a contract with the provider, else a municipality that agreed."""
    contracted = ContractLine.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=on),
        Q(valid_to=None) | Q(valid_to__gt=on),
        in_force(on, prefix="contract__"),
        contract__provider=provider,
        contract__status="active",
        service__code=line.service.code,
    ).select_related("service")
    if contracted.filter(contract__organisation=certificate.organisation_id, service=line.service_id).exists():
        return line.service, None
    # Without a budget line there is nothing that the issuer could pay its part from.
    if certificate.budget_line_id is not None:
        for agreement in clearing_agreements_on(certificate.organisation_id, on).order_by("pk"):
            found = contracted.filter(contract__organisation=agreement.host_id, service__unit=line.service.unit).first()
            if found is not None:
                return found.service, agreement
    raise RedemptionRefused("NO_CONTRACT", on=f"{on:%d.%m.%Y}")


def _worker(service: Service, request: RedemptionRequest, on: date) -> Worker:
    worker = Worker.objects.filter(code=request.worker_code, provider=request.provider).first()
    if worker is None:
        raise RedemptionRefused("WORKER_UNKNOWN", worker=request.worker_code or "—")
    if not worker.qualifications.filter(in_force(on), service=service).exists():
        raise RedemptionRefused("WORKER_NOT_QUALIFIED", worker=worker.code, on=f"{on:%d.%m.%Y}")
    return worker

"""Issuing certificates against a budget reservation."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError
from django.db.models import Max, Q
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Membership, Organisation
from config.audit.actors import Actor
from config.audit.recording import action, label_of, record
from config.errors import DomainError
from config.explanations import steps_as_rows
from config.fields import blind_index
from config.locks import lock_rows
from config.money import from_minor, to_minor, to_units
from config.office.numbering import document_number
from config.periods import Period
from config.roles import NORM_APPROVER
from config.transactions import step
from contracts.actions.budgets import refuse_closed_year
from contracts.models import BudgetLine, ContractLine, NormCost, Service
from contracts.parameters import parameter_value
from contracts.queries import lines_for_certificates, norm_cost_on, set_aside_minor
from vouchers.actions.certificate_balance import write_entries, write_reservations
from vouchers.actions.guests import refuse_guest_recipient
from vouchers.documents import payload_of
from vouchers.gateways.certificate_token import fingerprint_of
from vouchers.models import Certificate, CertificateLine, FeeAssessment, PlanLine, Recipient
from vouchers.queries import in_force
from vouchers.rules.certificate_code import make_short_code
from vouchers.rules.entitlement import (
    EntitledService,
    FeeTerms,
    ReservationOutcome,
    budget_minor,
    certificate_validity,
    expected_reservation,
)

PIN_DIGITS = 6
OPEN_STATES = ("draft", "issued", "active", "suspended", "exhausted")


class PlanMissing(DomainError):
    """No plan holds on the first day."""

    code = "PLAN_MISSING"
    message = _("No individual plan is in force on %(on)s. Approve a plan first.")


class FeeMissing(DomainError):
    """How the person pays is not decided."""

    code = "FEE_MISSING"
    message = _("No fee decision is in force on %(on)s. Decide the fee first.")


class RecipientDead(DomainError):
    """The person died."""

    code = "RECIPIENT_DECEASED"
    message = _("The date of death of this person is on record: no certificate can be issued.")


class PriceMissing(DomainError):
    """Nothing says what a unit may cost."""

    code = "PRICE_MISSING"
    message = _(
        "«%(service)s» has neither a norm cost nor a contract on %(on)s. The procurement officer writes a norm cost "
        "down, the approver of norm costs approves it; then issue the certificate."
    )


class NormUnapproved(DomainError):
    """A norm cost of the day is written down and waits for its second person."""

    code = "NORM_UNAPPROVED"
    message = _(
        "The norm cost of «%(service)s» from %(day)s is written down but not approved yet. "
        "The approver of norm costs approves it (%(people)s); then issue the certificate."
    )


class BudgetYearWrong(DomainError):
    """The line is of another year or organisation."""

    code = "BUDGET_YEAR_WRONG"
    message = _("The budget line «%(line)s» does not serve %(year)s. Choose a line of that year.")


class BudgetPurposeWrong(DomainError):
    """The money of the line is for grants."""

    code = "BUDGET_PURPOSE_WRONG"
    message = _("The budget line «%(line)s» serves grants. Choose a line of social services.")


class ValidityEmpty(DomainError):
    """Nothing is left of the plan or the year."""

    code = "VALIDITY_EMPTY"
    message = _("The plan or the budget year ends before the certificate could begin. Check the first day.")


class CertificateExists(DomainError):
    """The same service is on another open certificate."""

    code = "CERTIFICATE_EXISTS"
    message = _("Certificate %(number)s already covers «%(service)s» on these days. Replace or cancel it first.")


class BudgetExhausted(DomainError):
    """The line has less than the reservation needs."""

    code = "BUDGET_EXHAUSTED"
    message = _(
        "The budget line «%(line)s» has %(free)s left, the certificate needs %(needed)s. "
        "Put the person on the waiting list or ask finance to amend the budget."
    )


@dataclass(frozen=True)
class IssuedCertificate:
    """A certificate with its secrets, which are told once and not kept: ``pin`` and the QR ``payload``."""

    certificate: Certificate
    pin: str
    payload: str

    @property
    def short_code(self) -> str:
        """Code for phone and hand entry."""
        return self.certificate.short_code or ""


def hash_pin(pin: str) -> str:
    """Keyed fingerprint of a PIN with its own salt.

    A slow password hash would not help: a million PINs are tried in hours. The key is not in the database, so that a
    stolen database shows none; guessing at the door is stopped by the limit of tries.
    """
    salt = secrets.token_hex(8)
    return f"{salt}${blind_index(pin, purpose='certificate.pin.' + salt)}"


def pin_matches(pin: str, pin_hash: str) -> bool:
    """Whether the PIN is the right one, in constant time."""
    salt, _separator, expected = pin_hash.partition("$")
    given = blind_index(pin, purpose="certificate.pin." + salt)
    return bool(expected) and secrets.compare_digest(given, expected)


@action
def issue_certificate(
    *,
    recipient: Recipient,
    budget_line: BudgetLine,
    first_day: date,
    actor: Actor,
    at: datetime,
    units_granted: Mapping[str, Decimal] | None = None,
) -> IssuedCertificate:
    """Issue a certificate for the plan in force and reserve its expected budget part.

    ``units_granted`` maps a service code to fewer units than the plan gives over the validity.

    Money: reservation in minor units, see ``expected_reservation``; the budget line never goes below zero.
    Time: valid from ``first_day`` to the earliest of 12 months (a parameter), the plan and the budget year.
    Raises: GuestRecipient, RecipientDead, PlanMissing, FeeMissing, BudgetYearWrong, BudgetYearClosed,
    BudgetPurposeWrong, ValidityEmpty, PriceMissing, CertificateExists, BudgetExhausted, ParameterMissing.
    Locks: budget line, recipient. Audit: certificate.issued, without code and PIN. Source: CRT-02, CRT-03.
    """
    refuse_guest_recipient(recipient)
    line = lock_rows(BudgetLine.objects.filter(pk=budget_line.pk))[0]
    recipient = lock_rows(Recipient.objects.select_related("organisation").filter(pk=recipient.pk))[0]
    if recipient.death_date is not None:
        raise RecipientDead()
    plan_lines = _plan_lines(recipient, first_day)
    fee = _fee(recipient, first_day)
    period = _validity(recipient, line, plan_lines, first_day)
    _refuse_second(recipient, plan_lines, period)
    outcome = expected_reservation(
        period=period,
        services=[
            _entitled(recipient, row, first_day, (units_granted or {}).get(row.service.code)) for row in plan_lines
        ],
        fee=FeeTerms(fee.mode, fee.monthly_limit),
    )
    _check_free(line, outcome)
    issued = _create(recipient, line, period, outcome, [row.service for row in plan_lines], actor, at)
    record(
        "certificate.issued",
        issued.certificate,
        recipient,
        line,
        actor=actor,
        at=at,
        number=issued.certificate.number,
        reserved=outcome.total,
        valid_from=period.start,
        last_day=period.last_day,
    )
    return issued


def _plan_lines(recipient: Recipient, on: date) -> list[PlanLine]:
    rows = recipient.plan_lines.filter(in_force(on)).filter(Q(plan=None) | Q(plan__status="approved"))
    lines = list(rows.select_related("service").order_by("service__code"))
    if not lines:
        raise PlanMissing(on=f"{on:%d.%m.%Y}")
    return lines


def _fee(recipient: Recipient, on: date) -> FeeAssessment:
    fee = recipient.fee_assessments.filter(in_force(on)).first()
    if fee is None:
        raise FeeMissing(on=f"{on:%d.%m.%Y}")
    return fee


def _validity(recipient: Recipient, line: BudgetLine, plan_lines: Sequence[PlanLine], first_day: date) -> Period:
    refuse_closed_year(line)
    if line.year != first_day.year or line.organisation_id != recipient.organisation_id:
        raise BudgetYearWrong(line=line, year=first_day.year)
    if not lines_for_certificates(recipient.organisation, first_day).filter(pk=line.pk).exists():
        raise BudgetPurposeWrong(line=line)
    months = parameter_value(recipient.organisation, "certificate.validity_months_max", first_day).whole
    ends = [row.valid_to for row in plan_lines if row.valid_to is not None]
    period = certificate_validity(
        first_day=first_day, months_max=months, plan_end=min(ends, default=None), budget_year=line.year
    )
    if period is None:
        raise ValidityEmpty()
    return period


def _refuse_second(recipient: Recipient, plan_lines: Sequence[PlanLine], period: Period) -> None:
    other = (
        CertificateLine.objects.filter(
            Q(certificate__valid_to=None) | Q(certificate__valid_to__gt=period.start),
            certificate__recipient=recipient,
            certificate__status__in=OPEN_STATES,
            certificate__valid_from__lt=period.end,
            service__in=[row.service_id for row in plan_lines],
        )
        .select_related("certificate", "service")
        .first()
    )
    if other is not None:
        raise CertificateExists(number=other.certificate.number, service=other.service.name)


def _entitled(recipient: Recipient, plan_line: PlanLine, on: date, granted: Decimal | None) -> EntitledService:
    service = plan_line.service
    residence = recipient.residences.filter(in_force(on)).first()
    norm = norm_cost_on(
        organisation=recipient.organisation,
        service=service,
        on=on,
        territory_id=residence.territory_id if residence else None,
        recipient_class=residence.recipient_class if residence else "",
    )
    rate = norm.unit_rate if norm else _dearest_contract(service, on)
    if rate is None:
        raise _no_price(recipient.organisation, service, on)
    return EntitledService(service.code, plan_line.units_per_month, rate, service.free_for_all, granted)


def _no_price(organisation: Organisation, service: Service, on: date) -> DomainError:
    """Who has to do what before there is a price."""
    drafts = NormCost.objects.filter(in_force(on), organisation=organisation, service=service, status="draft")
    draft = drafts.order_by("valid_from").first()
    if draft is None:
        return PriceMissing(service=service.name, on=on)
    held = Membership.objects.filter(organisation=organisation, role=NORM_APPROVER, user__is_active=True)
    people = ", ".join(str(row.user) for row in held.select_related("user").order_by("id")) or "—"
    refusal = NormUnapproved(service=service.name, day=draft.valid_from, people=people)
    refusal.about = label_of(draft)
    return refusal


def _dearest_contract(service: Service, on: date) -> Decimal | None:
    """The highest contract price: the recipient may choose any provider."""
    rows = ContractLine.objects.filter(service=service, contract__status="active").filter(
        in_force(on, prefix="contract__")
    )
    rate: Decimal | None = rows.aggregate(rate=Max("unit_rate"))["rate"]
    return rate


def _check_free(line: BudgetLine, outcome: ReservationOutcome) -> None:
    free = to_minor(line.amount.amount) - set_aside_minor(line)
    if to_minor(outcome.total) > free:
        raise BudgetExhausted(line=line, free=from_minor(free), needed=outcome.total)


@step
def _create(
    recipient: Recipient,
    line: BudgetLine,
    period: Period,
    outcome: ReservationOutcome,
    services: Sequence[Service],
    actor: Actor,
    at: datetime,
) -> IssuedCertificate:
    pin = new_pin()
    certificate = new_certificate(
        recipient=recipient,
        budget_line=line,
        period=period,
        pin=pin,
        reserved_minor=to_minor(outcome.total),
        reservation_steps=steps_as_rows(outcome.steps),
        actor=actor,
        at=at,
    )
    lines = CertificateLine.objects.bulk_create(
        CertificateLine(certificate=certificate, service=service, units=row.units, expected_minor=budget_minor(row))
        for service, row in zip(services, outcome.lines, strict=True)
    )
    write_entries([(row, "issued", to_units(row.units), None) for row in lines], actor=actor, at=at)
    try:
        write_reservations([(certificate, certificate.reserved_minor)], actor=actor, at=at)
    except IntegrityError as error:  # the trigger stands behind _check_free
        raise BudgetExhausted(line=line, free="—", needed=outcome.total) from error
    return IssuedCertificate(certificate, pin, payload_of(certificate, lines))


def new_pin() -> str:
    """Random digits, told once."""
    return "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))


@step
def new_certificate(
    *,
    recipient: Recipient,
    budget_line: BudgetLine | None,
    period: Period,
    pin: str,
    reserved_minor: int,
    reservation_steps: list[dict[str, object]],
    actor: Actor,
    at: datetime,
    replaces: Certificate | None = None,
) -> Certificate:
    """The row of an issued certificate, handed over and active at once."""
    organisation = recipient.organisation
    number = document_number(organisation=organisation, kind="certificate", prefix="CT", year=period.start.year)
    return Certificate.objects.create(
        organisation=organisation,
        number=number,
        recipient=recipient,
        budget_line=budget_line,
        valid_from=period.start,
        valid_to=period.end,
        status="active",
        status_at=at,
        short_code=make_short_code(secrets.choice),
        token_hash=fingerprint_of(organisation.code, number),
        pin_hash=hash_pin(pin),
        replaces=replaces,
        issued_by_id=actor.user_id,
        issued_at=at,
        reserved_minor=reserved_minor,
        reservation_steps=reservation_steps,
    )

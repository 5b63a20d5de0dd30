"""The register of recipients: who they are, where they live, when they are away, when they die."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from stdnum.exceptions import ValidationError as NumberInvalid
from stdnum.ru import inn
from stdnum.ua import rntrc

from config.accounts.models import Organisation, User
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError
from config.fields import blind_index
from config.locks import lock_rows
from config.office.numbering import document_number
from config.periods import add_months, month_of
from contracts.models import Territory
from vouchers.actions.certificate_balance import close_certificates
from vouchers.actions.guests import refuse_guest_recipient
from vouchers.actions.guests_told import tell_hosts
from vouchers.models import Absence, Certificate, Recipient, RecipientResidence

TAX_NUMBERS = {"UA": rntrc, "RU": inn}
# Nobody has lived so long (the longest life on record is 122 years): a larger age is a slip of the pen.
AGE_BOUND = 130
# The shortest subscriber numbers of a town.
PHONE_DIGITS = 7
PHONE_SIGNS = re.compile(r"\+?[\d\s()-]*")


class TaxNumberInvalid(DomainError):
    """Its check digit is wrong."""

    code = "TAX_NUMBER_INVALID"
    message = _("The tax number is mistyped: its check digit does not fit. Compare it with the document.")


class RecipientExists(DomainError):
    """The code or the tax number is on the register already."""

    code = "RECIPIENT_EXISTS"
    message = _("A recipient with this code or tax number is already on the register. Search for the person first.")


class TerritoryUnknown(DomainError):
    """Not a territory of this organisation."""

    code = "TERRITORY_UNKNOWN"
    message = _("The territory does not belong to this organisation. Choose one from the list.")


class BirthDateImpossible(DomainError):
    """Nobody alive is born then."""

    code = "BIRTH_DATE_IMPOSSIBLE"
    message = _("The date of birth lies in the future or more than %(years)s years ago. Compare it with the document.")


class PhoneInvalid(DomainError):
    """Nobody can be called by it."""

    code = "PHONE_INVALID"
    message = _("This is no telephone number: write at least %(least)s digits; +, spaces and brackets may be used.")


class ResidenceUnchanged(DomainError):
    """A later or the same residence is on record."""

    code = "RESIDENCE_RECORDED"
    message = _("A residence from %(valid_from)s is already recorded. Check the date of the move.")


class AbsenceRecorded(DomainError):
    """The same absence was recorded before."""

    code = "ABSENCE_RECORDED"
    message = _("An absence of this kind from %(from_date)s is already recorded.")


class DatesReversed(DomainError):
    """The end lies before the beginning."""

    code = "DATES_REVERSED"
    message = _("The last day lies before the first one. Correct the dates.")


class DeathRecorded(DomainError):
    """The date of death is on record."""

    code = "DEATH_RECORDED"
    message = _("The date of death %(on)s is already recorded.")


class DeathInFuture(DomainError):
    """Nobody knows a day that has not come."""

    code = "DEATH_IN_FUTURE"
    message = _("The date of death lies in the future. Correct it.")


def name_fingerprint(full_name: str) -> str:
    """Blind index of a name: spaces in a row count once."""
    return blind_index(" ".join(full_name.split()), purpose="recipient.name")


def tax_fingerprint(tax_id: str) -> str:
    """Blind index of a tax number."""
    return blind_index(tax_id, purpose="recipient.tax_id")


@action
def register_recipient(
    *,
    organisation: Organisation,
    full_name: str,
    birth_date: date | None,
    territory: Territory | None,
    actor: Actor,
    at: datetime,
    code: str = "",
    recipient_class: str = "",
    tax_id: str = "",
    phone: str = "",
    address: str = "",
    free_category: str = "",
    user: User | None = None,
    resident_from: date | None = None,
) -> Recipient:
    """Enter a person on the register with a first residence.

    Time: the residence holds from the first day of the month of ``resident_from`` (of ``at`` when not given).
    Raises: BirthDateImpossible, PhoneInvalid, TaxNumberInvalid, RecipientExists, TerritoryUnknown.
    Audit: recipient.registered, without personal data.
    """
    today = local_date(at, organisation.zone)
    _check_birth_date(birth_date, today)
    _check_phone(phone)
    tax_id = _valid_tax_id(organisation, tax_id)
    _check_territory(organisation, territory)
    code = code or document_number(organisation=organisation, kind="recipient", prefix="R", year=today.year)
    full_name = " ".join(full_name.split())
    try:
        with transaction.atomic():
            recipient = Recipient.objects.create(
                organisation=organisation,
                code=code,
                name=full_name,
                name_index=name_fingerprint(full_name),
                birth_date=birth_date,
                tax_id=tax_id,
                tax_id_index=tax_fingerprint(tax_id),
                phone=phone,
                address=address,
                free_category=free_category,
                user=user,
                registered_at=at,
            )
    except IntegrityError as error:
        raise RecipientExists() from error
    RecipientResidence.objects.create(
        recipient=recipient,
        territory=territory,
        recipient_class=recipient_class,
        valid_from=month_of(resident_from or today),
        recorded_at=at,
    )
    record("recipient.registered", recipient, actor=actor, at=at, code=code, territory=getattr(territory, "code", ""))
    return recipient


def _check_birth_date(birth_date: date | None, today: date) -> None:
    if birth_date is not None and not add_months(today, -12 * AGE_BOUND) <= birth_date <= today:
        raise BirthDateImpossible(years=AGE_BOUND)


def _check_phone(phone: str) -> None:
    enough = sum(sign.isdigit() for sign in phone) >= PHONE_DIGITS
    if phone and not (enough and PHONE_SIGNS.fullmatch(phone)):
        raise PhoneInvalid(least=PHONE_DIGITS)


def _valid_tax_id(organisation: Organisation, tax_id: str) -> str:
    checker = TAX_NUMBERS.get(organisation.jurisdiction)
    if not tax_id.strip() or checker is None:
        return tax_id.strip()
    try:
        return str(checker.validate(tax_id))
    except NumberInvalid as error:
        raise TaxNumberInvalid() from error


def _check_territory(organisation: Organisation, territory: Territory | None) -> None:
    if territory is not None and territory.organisation_id != organisation.pk:
        raise TerritoryUnknown()


@action
def move_residence(
    *,
    recipient: Recipient,
    territory: Territory | None,
    moved_on: date,
    actor: Actor,
    at: datetime,
    recipient_class: str = "",
) -> RecipientResidence:
    """Record a move to another territory or class.

    Time: counts from the first day of the month after ``moved_on``. Raises: GuestRecipient, ResidenceUnchanged,
    TerritoryUnknown. Audit: recipient.moved.
    """
    refuse_guest_recipient(recipient)
    recipient = _lock(recipient)
    _check_territory(recipient.organisation, territory)
    valid_from = add_months(month_of(moved_on), 1)
    last = recipient.residences.order_by("-valid_from").first()
    if last is not None:
        if last.valid_from >= valid_from:
            raise ResidenceUnchanged(valid_from=f"{last.valid_from:%d.%m.%Y}")
        if last.valid_to is None or last.valid_to > valid_from:
            last.change(at=at, valid_to=valid_from)
    residence = RecipientResidence.objects.create(
        recipient=recipient,
        territory=territory,
        recipient_class=recipient_class,
        valid_from=valid_from,
        recorded_at=at,
    )
    record("recipient.moved", recipient, actor=actor, at=at, valid_from=valid_from)
    return residence


@action
def record_absence(
    *, recipient: Recipient, kind: str, from_date: date, last_day: date | None, actor: Actor, at: datetime
) -> Absence:
    """Record days in hospital, in residential care or away; ``last_day`` counts, None is open.

    Raises: GuestRecipient, DatesReversed, AbsenceRecorded. Audit: absence.recorded.
    """
    refuse_guest_recipient(recipient)
    if last_day is not None and last_day < from_date:
        raise DatesReversed()
    try:
        with transaction.atomic():
            absence = Absence.objects.create(
                recipient=recipient,
                kind=kind,
                from_date=from_date,
                to_date=last_day and last_day + timedelta(days=1),
                recorded_at=at,
            )
    except IntegrityError as error:
        raise AbsenceRecorded(from_date=f"{from_date:%d.%m.%Y}") from error
    tell_hosts(recipient, from_date, absence.to_date, at=at)
    # Which kind it was tells of a person's health: it stays on the register.
    record("absence.recorded", recipient, absence, actor=actor, at=at, from_date=from_date, last_day=last_day)
    return absence


@action
def record_death(*, recipient: Recipient, death_date: date, actor: Actor, at: datetime) -> Recipient:
    """Record a death and cancel the person's certificates from the next day on.

    Money: the reservation that no used unit needs goes back to the budget line.
    Raises: GuestRecipient, DeathInFuture, DeathRecorded. Audit: recipient.death_recorded. Locks: budget lines,
    certificates.
    """
    refuse_guest_recipient(recipient)
    if death_date > local_date(at, recipient.organisation.zone):
        raise DeathInFuture()
    if recipient.death_date is not None:
        raise DeathRecorded(on=f"{recipient.death_date:%d.%m.%Y}")
    open_ones = Certificate.objects.filter(
        recipient=recipient, status__in=["issued", "active", "suspended", "exhausted"]
    )
    closed = close_certificates(
        certificates=open_ones, status="cancelled", status_from=death_date + timedelta(days=1), actor=actor, at=at
    )
    recipient = _lock(recipient)
    recipient.death_date, recipient.death_recorded_at = death_date, at
    recipient.save(update_fields=["death_date", "death_recorded_at"])
    tell_hosts(recipient, death_date, None, at=at)
    record("recipient.death_recorded", recipient, *closed, actor=actor, at=at, on=death_date)
    return recipient


def _lock(recipient: Recipient) -> Recipient:
    return lock_rows(Recipient.objects.select_related("organisation").filter(pk=recipient.pk))[0]


@action
def read_special(
    *, recipient: Recipient, fields: list[str], actor: Actor, at: datetime, in_tables: Sequence[str] = ()
) -> dict[str, str]:
    """Show fields of a special category to a person who may see them; the reading itself is recorded.

    ``in_tables``: names of what the reader shows from rows of its own, recorded like the others.

    Audit: recipient.special_read, with the names of the fields, never their content.
    """
    known = {"free_category": recipient.free_category, "tax_id": recipient.tax_id, "phone": recipient.phone}
    known["address"] = recipient.address
    last = recipient.assessments.order_by("-assessed_on", "-id").first()
    known["findings"] = last.findings if last else ""
    record("recipient.special_read", recipient, actor=actor, at=at, fields=[*fields, *in_tables])
    return {field: known[field] or "" for field in fields}

"""The register of providers: admission, suspension, workers and their qualifications."""

from __future__ import annotations

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from stdnum import iban as iban_number
from stdnum.exceptions import ValidationError

from config.accounts.models import Membership, Organisation, User
from config.accounts.people_actions import new_user
from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.errors import DomainError, NotFound
from config.locks import lock_rows
from config.roles import PROVIDER
from config.transactions import step
from contracts.models import (
    Provider,
    ProviderSuspension,
    ProviderUser,
    Service,
    Worker,
    WorkerQualification,
)


class ProviderExists(DomainError):
    """The code is taken: providers are shared by all organisations."""

    code = "PROVIDER_EXISTS"
    message = _("A provider with the code «%(provider)s» is already on record. Open it or use another code.")


class IbanInvalid(DomainError):
    """The account number fails its check digits."""

    code = "IBAN_INVALID"
    message = _("The account number «%(iban)s» is not a valid IBAN. Compare it with the bank's document.")


class AlreadyAdmitted(DomainError):
    """The provider is on the register already."""

    code = "ALREADY_ADMITTED"
    message = _("«%(provider)s» is already on the register. Nothing has to be done.")


class AlreadySuspended(DomainError):
    """An open suspension covers the day."""

    code = "ALREADY_SUSPENDED"
    message = _("«%(provider)s» is already suspended on %(day)s. End that suspension first.")


class NotSuspended(DomainError):
    """There is no open suspension."""

    code = "NOT_SUSPENDED"
    message = _("«%(provider)s» is not suspended on %(day)s. Check the date.")


class WorkerExists(DomainError):
    """Worker codes are global."""

    code = "WORKER_EXISTS"
    message = _("A worker with the code «%(worker)s» is already on record. Use another code.")


class QualifiedAlready(DomainError):
    """The qualification is on record for these days."""

    code = "QUALIFIED_ALREADY"
    message = _("The worker «%(worker)s» is already qualified for «%(service)s» on these days. Choose other services.")


class NotForProvider(DomainError):
    """Only its own people act for a provider."""

    code = "NOT_FOR_PROVIDER"
    message = _("You do not act for «%(provider)s», so you cannot do this in its name. Ask one of its people.")
    http_status = 403


class RepresentsAnother(DomainError):
    """One person acts for one provider at a time."""

    code = "REPRESENTS_ANOTHER"
    message = _("«%(person)s» already acts for «%(provider)s». That has to end first.")


class NoProviderAccess(DomainError):
    """The person could sign in and would see nothing, or nobody can sign in so."""

    code = "NO_PROVIDER_ACCESS"
    message = _("«%(username)s» has no open access with the role of a provider. Check the name or invite the person.")


@action
def register_provider(
    *,
    organisation: Organisation,
    code: str,
    title: str,
    sector: str,
    actor: Actor,
    at: datetime,
    iban: str = "",
    registration_code: str = "",
    registered_on: date | None = None,
    vat_payer: bool = False,
) -> Provider:
    """Put a provider on record; it may serve only after admission.

    Raises: ProviderExists, IbanInvalid. Audit: provider.registered.
    """
    check_iban(iban)
    try:
        with transaction.atomic():
            provider = Provider.objects.create(
                code=code,
                name=title,
                sector=sector,
                iban=iban_number.compact(iban) if iban else "",
                registration_code=registration_code,
                registered_on=registered_on,
                vat_payer=vat_payer,
                # Not active on any day until it is admitted: the first possible day is set then.
                active_from=date.max,
            )
    except IntegrityError as error:
        raise ProviderExists(provider=code) from error
    record("provider.registered", provider, actor=actor, at=at, organisation=organisation.code, code=code)
    return provider


def check_iban(iban: str) -> None:
    """Raises: IbanInvalid unless the number is blank or passes its check digits."""
    if not iban:
        return
    try:
        iban_number.validate(iban)
    except ValidationError as error:
        raise IbanInvalid(iban=iban) from error


@action
def admit_provider(
    *, organisation: Organisation, provider: Provider, from_date: date, actor: Actor, at: datetime
) -> Provider:
    """Admit a provider to the register from a day. Raises: AlreadyAdmitted. Audit: provider.admitted."""
    provider = _locked(provider)
    if provider.admitted_at is not None:
        raise AlreadyAdmitted(provider=provider)
    provider.change(at=at, active_from=from_date, admitted_at=at)
    record("provider.admitted", provider, actor=actor, at=at, organisation=organisation.code, from_date=from_date)
    return provider


@action
def suspend_provider(
    *,
    organisation: Organisation,
    provider: Provider,
    from_date: date,
    reason: str,
    actor: Actor,
    at: datetime,
    to_date: date | None = None,
) -> ProviderSuspension:
    """Suspend a provider. Time: ``to_date`` is the first day on which it may serve again.

    Raises: AlreadySuspended. Audit: provider.suspended.
    """
    provider = _locked(provider)
    if is_suspended(provider, from_date):
        raise AlreadySuspended(provider=provider, day=from_date)
    suspension = ProviderSuspension.objects.create(
        provider=provider, from_date=from_date, to_date=to_date, reason=reason, recorded_at=at
    )
    record(
        "provider.suspended",
        provider,
        suspension,
        actor=actor,
        at=at,
        organisation=organisation.code,
        from_date=from_date,
        to_date=to_date,
        reason=reason,
    )
    return suspension


@action
def end_suspension(
    *, organisation: Organisation, provider: Provider, to_date: date, actor: Actor, at: datetime
) -> ProviderSuspension:
    """End the open suspension; ``to_date`` is the first day of service. Raises: NotSuspended.

    Audit: provider.resumed.
    """
    provider = _locked(provider)
    suspension = provider.suspensions.filter(from_date__lt=to_date, to_date=None).order_by("-from_date").first()
    if suspension is None:
        raise NotSuspended(provider=provider, day=to_date)
    suspension.change(at=at, to_date=to_date)
    record(
        "provider.resumed",
        provider,
        suspension,
        actor=actor,
        at=at,
        organisation=organisation.code,
        to_date=to_date,
    )
    return suspension


def is_suspended(provider: Provider, day: date) -> bool:
    """Whether a suspension covers the day."""
    return any(
        row.from_date <= day and (row.to_date is None or day < row.to_date) for row in provider.suspensions.all()
    )


def is_active(provider: Provider, day: date) -> bool:
    """Whether the provider is on the register and not suspended on the day."""
    begun = provider.active_from is None or provider.active_from <= day
    open_ended = provider.active_to is None or day < provider.active_to
    return begun and open_ended and not is_suspended(provider, day)


@action
def add_worker(
    *,
    organisation: Organisation,
    provider: Provider,
    code: str,
    full_name: str,
    services: list[Service],
    valid_from: date,
    actor: Actor,
    at: datetime,
    valid_to: date | None = None,
) -> Worker:
    """Put a worker and the services the person is qualified for on record.

    Raises: WorkerExists. Audit: worker.added (the name is not written into the trail).
    """
    try:
        with transaction.atomic():
            worker = Worker.objects.create(code=code, provider=provider, name=full_name)
    except IntegrityError as error:
        raise WorkerExists(worker=code) from error
    _qualify(worker, services, valid_from, valid_to, at)
    record(
        "worker.added",
        worker,
        provider,
        actor=actor,
        at=at,
        organisation=organisation.code,
        worker=code,
        services=[service.code for service in services],
    )
    return worker


@action
def qualify_worker(
    *,
    organisation: Organisation,
    worker: Worker,
    services: list[Service],
    valid_from: date,
    actor: Actor,
    at: datetime,
    valid_to: date | None = None,
) -> Worker:
    """Put further services the worker is qualified for on record, also of another municipality's catalogue.

    Raises: QualifiedAlready. Audit: worker.qualified.
    """
    worker = lock_rows(Worker.objects.filter(pk=worker.pk).select_related("provider"))[0]
    held = worker.qualifications.filter(Q(valid_to=None) | Q(valid_to__gt=valid_from), service__in=services)
    if valid_to is not None:
        held = held.filter(valid_from__lt=valid_to)
    if found := held.select_related("service").first():
        raise QualifiedAlready(worker=worker.code, service=found.service)
    _qualify(worker, services, valid_from, valid_to, at)
    record(
        "worker.qualified",
        worker,
        worker.provider,
        actor=actor,
        at=at,
        organisation=organisation.code,
        worker=worker.code,
        services=[service.code for service in services],
        valid_from=valid_from,
    )
    return worker


def _qualify(worker: Worker, services: list[Service], valid_from: date, valid_to: date | None, at: datetime) -> None:
    WorkerQualification.objects.bulk_create(
        WorkerQualification(worker=worker, service=service, valid_from=valid_from, valid_to=valid_to, recorded_at=at)
        for service in services
    )


@action
def appoint_representative(
    *, organisation: Organisation, provider: Provider, user: User, actor: Actor, at: datetime
) -> ProviderUser:
    """Let a person with the role of a provider act for one. A repeated appointment changes nothing.

    Raises: NoProviderAccess, RepresentsAnother. Audit: provider.represented.
    """
    user = lock_rows(User.objects.filter(pk=user.pk))[0]
    if not user.is_active or not Membership.objects.filter(user=user, role=PROVIDER).exists():
        raise NoProviderAccess(username=user.username)
    link = ProviderUser.objects.filter(user=user).select_related("provider").first()
    if link is None:
        return _appoint(organisation, provider, user, actor, at)
    if link.provider_id != provider.pk:
        raise RepresentsAnother(person=user, provider=link.provider)
    nothing_to_record()
    return link


@action
def invite_representative(
    *,
    organisation: Organisation,
    provider: Provider,
    username: str,
    display_name: str,
    language: str,
    actor: Actor,
    at: datetime,
) -> User:
    """Give a new person access to act for a provider; the password is chosen by the link of the invitation.

    Raises: UserExists. Audit: provider.represented.
    """
    user = new_user(username=username, display_name=display_name, language=language, password=None)
    Membership.objects.create(user=user, organisation=None, role=PROVIDER)
    _appoint(organisation, provider, user, actor, at)
    return user


@step
def _appoint(organisation: Organisation, provider: Provider, user: User, actor: Actor, at: datetime) -> ProviderUser:
    link = ProviderUser.objects.create(provider=provider, user=user, appointed_at=at)
    _record_link("provider.represented", link, organisation, actor, at)
    return link


@action
def end_representation(
    *, organisation: Organisation, provider: Provider, user_id: int, actor: Actor, at: datetime
) -> None:
    """The person acts for the provider no more; what they did stays, and that they could.

    Raises: NotFound. Audit: provider.representation_ended.
    """
    found = lock_rows(ProviderUser.objects.filter(provider=provider, user=user_id))
    if not found:
        raise NotFound()
    _record_link("provider.representation_ended", found[0], organisation, actor, at)
    found[0].withdraw(at=at)


def _record_link(code: str, link: ProviderUser, organisation: Organisation, actor: Actor, at: datetime) -> None:
    username = link.user.username
    record(code, link.provider, link.user, actor=actor, at=at, organisation=organisation.code, username=username)


def check_acts_for(provider: Provider, actor: Actor) -> None:
    """Raises: NotForProvider unless the actor is one of the provider's people."""
    if not ProviderUser.objects.filter(provider=provider, user=actor.user_id).exists():
        raise NotForProvider(provider=provider)


def _locked(provider: Provider) -> Provider:
    return lock_rows(Provider.objects.filter(pk=provider.pk))[0]

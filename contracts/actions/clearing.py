"""Agreements between municipalities: offered by one, signed by the other, ended by either."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Membership, Organisation
from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.clock import local_date
from config.errors import DomainError, FourEyes, NotFound
from config.fields import broken_constraint
from config.locks import lock_rows
from config.transactions import step
from contracts.models import ClearingAgreement, Territory
from contracts.queries import clearing_agreements


class AgreementOverlaps(DomainError):
    """One agreement a direction and day."""

    code = "AGREEMENT_OVERLAPS"
    message = _("An agreement of the same two municipalities holds in these days. End it first.")


class AgreementInPast(DomainError):
    """Visits of these days were judged without it, or with it."""

    code = "AGREEMENT_IN_PAST"
    message = _("An agreement begins and ends today or later: visits of earlier days were accepted as it was then.")
    http_status = 400


class AgreementSidesDiffer(DomainError):
    """Amounts of two currencies cannot be set off, and nobody agrees with itself."""

    code = "AGREEMENT_SIDES_DIFFER"
    message = _("An agreement needs two different municipalities with the same currency.")
    http_status = 400


@step
def refuse_stranger(organisation: Organisation, actor: Actor) -> int:
    """The person, who must work for the municipality in whose name they act. Raises: NotFound."""
    user = actor.user_id
    if user is None or not Membership.objects.filter(user=user, organisation=organisation).exists():
        raise NotFound()
    return user


@action
def offer_agreement(
    *,
    organisation: Organisation,
    home: Organisation,
    host: Organisation,
    norm: str,
    valid_from: date,
    last_day: date | None,
    actor: Actor,
    at: datetime,
    territory: Territory | None = None,
) -> ClearingAgreement:
    """Write an agreement and sign it for one side, ``organisation``; it holds once the other side signed too.

    Raises: NotFound, AgreementSidesDiffer, AgreementInPast, AgreementOverlaps. Audit: clearing_agreement.offered.
    """
    user = refuse_stranger(organisation, actor)
    if home == host or organisation not in (home, host) or home.currency != host.currency:
        raise AgreementSidesDiffer()
    if territory is not None and territory.organisation_id != host.pk:
        raise NotFound()
    if valid_from < local_date(at, organisation.zone) or (last_day is not None and last_day < valid_from):
        raise AgreementInPast()
    row = ClearingAgreement(
        home=home, host=host, norm=norm, territory=territory, valid_from=valid_from,
        valid_to=last_day and last_day + timedelta(days=1), recorded_at=at,
    )  # fmt: skip
    _sign(row, organisation, user, at)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if broken_constraint(error) != "clearing_agreement_no_overlap":
            raise
        raise AgreementOverlaps() from error
    record(
        "clearing_agreement.offered", row, actor=actor, at=at, organisation=organisation.code, home=home.code,
        host=host.code, norm=norm, valid_from=valid_from, last_day=last_day,
    )  # fmt: skip
    return row


@action
def sign_agreement(*, organisation: Organisation, agreement_id: int, actor: Actor, at: datetime) -> ClearingAgreement:
    """Sign for the other side: from then on it holds on its days. Idempotent.

    Raises: NotFound, FourEyes. Audit: clearing_agreement.signed.
    """
    user = refuse_stranger(organisation, actor)
    row = _lock(organisation, agreement_id)
    if row.signed:
        nothing_to_record()
        return row
    offered_by = row.home_signed_by_id if row.home_signed_by_id else row.host_signed_by_id
    if offered_by == user or _has_signed(row, organisation):
        raise FourEyes()
    _sign(row, organisation, user, at)
    row.save(update_fields=["home_signed_by", "home_signed_at", "host_signed_by", "host_signed_at"])
    record("clearing_agreement.signed", row, actor=actor, at=at, organisation=organisation.code, home=row.home.code,
           host=row.host.code)  # fmt: skip
    return row


@action
def end_agreement(
    *, organisation: Organisation, agreement_id: int, last_day: date, actor: Actor, at: datetime
) -> ClearingAgreement:
    """End an agreement with a day that still counts, today or later; one that would not begin is withdrawn.

    Visits of its days are cleared all the same. Raises: NotFound, AgreementInPast.
    Audit: clearing_agreement.ended.
    """
    refuse_stranger(organisation, actor)
    row = _lock(organisation, agreement_id)
    if last_day < local_date(at, organisation.zone) or (row.last_day is not None and row.last_day < last_day):
        raise AgreementInPast()
    record("clearing_agreement.ended", row, actor=actor, at=at, organisation=organisation.code, home=row.home.code,
           host=row.host.code, last_day=last_day)  # fmt: skip
    if row.signed and row.valid_from <= last_day:
        row.change(at=at, valid_to=last_day + timedelta(days=1))
    else:
        row.withdraw(at=at)
    return row


@step
def _lock(organisation: Organisation, agreement_id: int) -> ClearingAgreement:
    rows = lock_rows(clearing_agreements(organisation).filter(pk=agreement_id))
    if not rows:
        raise NotFound()
    return rows[0]


def _has_signed(row: ClearingAgreement, organisation: Organisation) -> bool:
    return (row.home_signed_by_id if organisation.pk == row.home_id else row.host_signed_by_id) is not None


@step
def _sign(row: ClearingAgreement, organisation: Organisation, user: int, at: datetime) -> None:
    if organisation.pk == row.home_id:
        row.home_signed_by_id, row.home_signed_at = user, at
    else:
        row.host_signed_by_id, row.host_signed_at = user, at

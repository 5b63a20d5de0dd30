"""Facts for checks of claims: other payers, state tasks, emergencies, complaints about visits, scans."""

from __future__ import annotations

from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError, NotFound
from config.locks import lock_rows
from contracts.actions.check_facts import kept, own
from contracts.models import Provider, Service
from vouchers.models import EmergencyCase, OtherFunding, Recipient, Redemption, StateTask, VisitComplaint, VisitScan


class AlreadyAnswered(DomainError):
    """A complaint is answered once."""

    code = "COMPLAINT_ANSWERED"
    message = _("This complaint is answered already. Reload the page to see the answer.")


class ActRecorded(DomainError):
    """An emergency has one act."""

    code = "ACT_RECORDED"
    message = _("The act of this emergency service is recorded already. Reload the page to see it.")


def _own_recipient(organisation: Organisation, recipient: Recipient | None) -> None:
    if recipient is not None and recipient.organisation_id != organisation.pk:
        raise NotFound()


@action
def record_other_funding(
    *,
    organisation: Organisation,
    recipient: Recipient,
    service: Service,
    source: str,
    reference: str,
    valid_from: date,
    valid_to: date | None,
    actor: Actor,
    at: datetime,
) -> OtherFunding:
    """Somebody else pays for a service of the recipient. Time: ``valid_to`` is exclusive.

    Raises: NotFound, DatesReversed. Audit: recipient.other_funding_recorded.
    """
    own(organisation, service)
    _own_recipient(organisation, recipient)
    row = OtherFunding(
        recipient=recipient,
        service=service,
        source=source,
        reference=reference,
        valid_from=valid_from,
        valid_to=valid_to,
        recorded_at=at,
    )
    kept(row)
    record("recipient.other_funding_recorded", recipient, row, actor=actor, at=at, service=service.code, source=source)
    return row


@action
def record_state_task(
    *,
    organisation: Organisation,
    provider: Provider,
    service: Service,
    recipient: Recipient | None,
    reference: str,
    valid_from: date,
    valid_to: date | None,
    actor: Actor,
    at: datetime,
) -> StateTask:
    """A provider serves under a state task, all recipients or one. Time: ``valid_to`` is exclusive.

    Raises: NotFound, DatesReversed. Audit: provider.state_task_recorded.
    """
    own(organisation, service)
    _own_recipient(organisation, recipient)
    row = StateTask(
        provider=provider,
        service=service,
        recipient=recipient,
        reference=reference,
        valid_from=valid_from,
        valid_to=valid_to,
        recorded_at=at,
    )
    kept(row)
    record("provider.state_task_recorded", provider, row, actor=actor, at=at, service=service.code, number=reference)
    return row


@action
def begin_emergency(
    *,
    organisation: Organisation,
    recipient: Recipient,
    service: Service,
    began_on: date,
    actor: Actor,
    at: datetime,
    act_on: date | None = None,
) -> EmergencyCase:
    """A service was begun before its papers. Raises: NotFound, FactExists. Audit: emergency.begun."""
    own(organisation, service)
    _own_recipient(organisation, recipient)
    row = kept(EmergencyCase(recipient=recipient, service=service, began_on=began_on, act_on=act_on, recorded_at=at))
    record("emergency.begun", recipient, row, actor=actor, at=at, service=service.code, from_date=began_on)
    return row


@action
def record_emergency_act(
    *, organisation: Organisation, emergency_id: int, act_on: date, actor: Actor, at: datetime
) -> EmergencyCase:
    """The act of an emergency service was drawn up. Raises: NotFound, ActRecorded. Audit: emergency.act_recorded."""
    rows = lock_rows(EmergencyCase.objects.filter(pk=emergency_id, recipient__organisation=organisation))
    if not rows:
        raise NotFound()
    if rows[0].act_on is not None:
        raise ActRecorded()
    rows[0].change(at=at, act_on=act_on)
    record("emergency.act_recorded", rows[0].recipient, rows[0], actor=actor, at=at, date=act_on)
    return rows[0]


@action
def open_complaint(
    *, organisation: Organisation, redemption: Redemption, text: str, actor: Actor, at: datetime
) -> VisitComplaint:
    """A recipient complains of a visit: its line waits until somebody answers.

    Raises: NotFound. Audit: visit.complaint_opened.
    """
    if redemption.organisation_id != organisation.pk:
        raise NotFound()
    row = kept(VisitComplaint(redemption=redemption, text=text, recorded_at=at))
    record("visit.complaint_opened", redemption, row, actor=actor, at=at, code=redemption.code)
    return row


@action
def answer_complaint(
    *, organisation: Organisation, complaint_id: int, answer: str, actor: Actor, at: datetime
) -> VisitComplaint:
    """Answer and close a complaint. Raises: NotFound, AlreadyAnswered. Audit: visit.complaint_answered."""
    rows = lock_rows(VisitComplaint.objects.filter(pk=complaint_id, redemption__organisation=organisation))
    if not rows:
        raise NotFound()
    complaint = rows[0]
    if complaint.answered_at is not None:
        raise AlreadyAnswered()
    complaint.change(at=at, answered_at=at, answer=answer, answered_by_id=actor.user_id)
    record("visit.complaint_answered", complaint.redemption, complaint, actor=actor, at=at)
    return complaint


@action
def record_scan(
    *,
    organisation: Organisation,
    redemption: Redemption,
    scanned_at: datetime,
    distance_m: int | None,
    actor: Actor,
    at: datetime,
    latitude_e5: int | None = None,
    longitude_e5: int | None = None,
) -> VisitScan:
    """When and where the recipient's code was read; places in hundred-thousandths of a degree.

    Raises: NotFound, FactExists. Audit: visit.scanned.
    """
    if redemption.organisation_id != organisation.pk:
        raise NotFound()
    row = VisitScan(
        redemption=redemption,
        scanned_at=scanned_at,
        latitude_e5=latitude_e5,
        longitude_e5=longitude_e5,
        distance_m=distance_m,
        recorded_at=at,
    )
    kept(row)
    record("visit.scanned", redemption, row, actor=actor, at=at, distance_m=distance_m)
    return row

"""Milestones of a grant agreement: reported by the provider, judged by the office."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError, FourEyes, NotPermitted
from config.locks import lock_rows
from config.office.storage import GivenFile, attach
from config.states import InvalidMove
from config.transactions import step
from contracts.models import Milestone, MilestoneNote

OPEN_STATES = ("scheduled", "partiallyMet")


class ReportMissing(DomainError):
    """Nothing to judge yet."""

    code = "REPORT_MISSING"
    message = _("«%(milestone)s» has no report of the provider yet. It is judged met after its report.")


class MilestoneNotDue(DomainError):
    """The provider still has time."""

    code = "MILESTONE_NOT_DUE"
    message = _("«%(milestone)s» is due on %(due)s. It cannot be judged not met before that day is over.")


class AgreementNotInForce(DomainError):
    """Only what both have signed is reported on."""

    code = "AGREEMENT_NOT_IN_FORCE"
    message = _("Agreement %(contract)s is not in force. Its milestones are neither reported nor judged.")


@action
def report_milestone(
    *, milestone: Milestone, text: str, files: Sequence[GivenFile], actor: Actor, at: datetime
) -> MilestoneNote:
    """Report on a milestone that is not finally judged; a later report stands beside the earlier one.

    Raises: AgreementNotInForce, InvalidMove. Audit: milestone.reported.
    """
    milestone = _open(milestone)
    note = _note(milestone, "report", text, actor, at)
    for file in files:
        attach(
            organisation=milestone.contract.organisation,
            to=note,
            kind="report",
            name=file.filename,
            content=file.content,
            content_type=file.content_type,
            uploaded_by_id=actor.user_id,
            at=at,
        )
    _record("milestone.reported", milestone, actor, at, files=len(files))
    return note


@action
def judge_milestone(*, milestone: Milestone, outcome: str, reason: str, actor: Actor, at: datetime) -> Milestone:
    """Say with a reason whether a milestone was met: ``met``, ``partiallyMet`` or ``notMet`` (OCDS).

    Met, wholly or partly, needs a report; not met needs its day to be over, or a report. A milestone partly met may
    be judged again. Raises: ReportMissing, MilestoneNotDue, AgreementNotInForce, FourEyes, InvalidMove.
    Audit: milestone.judged.
    """
    milestone = _open(milestone)
    reports = milestone.notes.filter(kind="report")
    if reports.filter(written_by_id=actor.user_id).exists():
        raise FourEyes()
    if not reports.exists():
        if outcome != "notMet":
            raise ReportMissing(milestone=milestone.title)
        if local_date(at, milestone.contract.organisation.zone) <= milestone.due_date:
            raise MilestoneNotDue(milestone=milestone.title, due=f"{milestone.due_date:%d.%m.%Y}")
    milestone.move_to(outcome, at=at)
    _note(milestone, outcome, reason, actor, at)
    _record("milestone.judged", milestone, actor, at, outcome=outcome, reason=reason)
    return milestone


@step
def _open(milestone: Milestone) -> Milestone:
    milestone = lock_rows(Milestone.objects.select_related("contract__organisation").filter(pk=milestone.pk))[0]
    if milestone.contract.status != "active":
        raise AgreementNotInForce(contract=milestone.contract)
    if milestone.status not in OPEN_STATES:
        raise InvalidMove(status=milestone.status, target="report")
    return milestone


@step
def _note(milestone: Milestone, kind: str, text: str, actor: Actor, at: datetime) -> MilestoneNote:
    if actor.user_id is None:
        raise NotPermitted()
    return MilestoneNote.objects.create(
        milestone=milestone, kind=kind, text=text, written_by_id=actor.user_id, recorded_at=at
    )


def _record(code: str, milestone: Milestone, actor: Actor, at: datetime, **data: Any) -> None:
    contract = milestone.contract
    organisation = contract.organisation.code
    record(code, milestone, contract, actor=actor, at=at, organisation=organisation, milestone=milestone.code, **data)

"""What was right on days already served and becomes known now: the same questions before a fact of any kind.

Nothing is judged anew here. A closed month is put right by a correction, which reads what is known then.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.accounts.people import people_with
from config.audit.actors import Actor
from config.clock import local_date
from config.errors import DomainError, FourEyes
from config.office.messages import tell
from config.transactions import step
from contracts.actions.check_facts import refuse_related
from contracts.settled_queries import Settled


class PastReasonMissing(DomainError):
    """Whoever changes what was already paid says why it is known only now."""

    code = "PAST_REASON_MISSING"
    message = _("Say why this is known only now: which paper came to light, or which mistake was found.")


class DayToCome(DomainError):
    """The ordinary way is meant."""

    code = "PAST_DAY_TO_COME"
    message = _("%(day)s is still to come. Leave the reason empty: days to come need no correction.")


class NothingPutRight(DomainError):
    """What is on record says the same."""

    code = "PAST_UNCHANGED"
    message = _("The same is on record for %(day)s already. Nothing has to be put right.")


def check_past_day(organisation: Organisation, day: date, reason: str, at: datetime) -> None:
    """Raises: PastReasonMissing, DayToCome."""
    if not reason.strip():
        raise PastReasonMissing()
    if day > local_date(at, organisation.zone):
        raise DayToCome(day=f"{day:%d.%m.%Y}")


def check_second_person(
    organisation: Organisation, author_id: int | None, providers: frozenset[int], actor: Actor, at: datetime
) -> None:
    """Raises: FourEyes for the author, RelatedPerson to a provider that was paid for such days."""
    if author_id == actor.user_id:
        raise FourEyes()
    refuse_related(organisation=organisation, actor=actor, providers=providers, at=at)


def touched(settled: Settled) -> dict[str, Any]:
    """What the trail and the message say of the lines that were decided otherwise known."""
    return {"lines": settled.lines, "months": [f"{row.month:%Y-%m}" for row in settled.months]}


@step
def tell_correctors(
    row: models.Model, organisation: Organisation, code: str, settled: Settled, reason: str, at: datetime
) -> None:
    """Closed months are touched: those who prepare corrections are told, with the way to the page of the fact."""
    if settled.closed:
        people = people_with(organisation.pk, "corrections.propose")
        tell(people, organisation.pk, row, code, {**touched(settled), "reason": reason}, at=at)

"""Bank lines that nobody has explained in time: the people of finance are told of each once, by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, label_of, nothing_to_record, record
from config.clock import local_date
from config.locks import lock_rows
from settlement.actions.claim_notices import tell_office
from settlement.bank_queries import overdue_lines
from settlement.models import StatementLine

# The trail knows which lines people were told of; what happened to a line since may have opened it anew.
_TOLD = """
SELECT l.id FROM unnest(%s::bigint[]) l (id) WHERE 'statement_lines.overdue' = (
    SELECT e.action FROM audit_auditevent e
    WHERE e.objects_touched @> jsonb_build_array('settlement.statementline:' || l.id) ORDER BY e.id DESC LIMIT 1)
"""


@action
def chase_overdue_lines(*, organisation: Organisation, actor: Actor, at: datetime) -> list[StatementLine]:
    """Tell everybody who may match bank lines of the open ones whose last day has passed; one message to each person.

    Time: the day after the last one by the organisation's calendar. Locks: the organisation.
    Idempotent: of a line people are told once, and again when it was taken and opened anew.
    Audit: statement_lines.overdue, one event for all.
    """
    # Two workers at once would both tell.
    lock_rows(Organisation.objects.filter(pk=organisation.pk))
    overdue = list(overdue_lines(organisation, local_date(at, organisation.zone)))
    told = _told(overdue)
    lines = [line for line in overdue if line.pk not in told]
    if not lines:
        nothing_to_record()
        return []
    said: dict[str, Any] = {"count": len(lines), "booked_on": lines[0].booked_on.isoformat()}
    tell_office(organisation.pk, lines[0], "statements.match", "statement_lines.overdue", said, at=at)
    labels = [label_of(line) for line in lines]
    record("statement_lines.overdue", organisation, labels=labels, actor=actor, at=at, **said)
    return lines


def _told(lines: Sequence[StatementLine]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, [[line.pk for line in lines]])
        return {key for (key,) in cursor.fetchall()}

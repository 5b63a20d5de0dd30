"""Background work of adjudication: one call, idempotent."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.office.jobs import job
from config.office.models import Job
from settlement.actions.adjudication import adjudicate_claims
from settlement.actions.examinations import examine_run
from settlement.actions.letters import WRITE_LETTER, write_letter
from settlement.actions.line_replays import REPLAY_LINE, keep_replay
from settlement.actions.run_orders import ADJUDICATE
from settlement.models import Claim


@job(ADJUDICATE)
def adjudicate(row: Job) -> None:
    """The next run of a month, for the person who ordered it."""
    order = row.payload
    whose: dict[str, Any] = {
        "organisation": Organisation.objects.get(pk=order["organisation_id"]),
        "actor": Actor(order["username"], order["user_id"]),
        "at": datetime.fromisoformat(order["at"]),
    }
    run = adjudicate_claims(
        **whose, period=date.fromisoformat(order["period"]), as_of=date.fromisoformat(order["as_of"])
    )
    if run is not None:
        examine_run(**whose, run_id=run.pk)


@job(WRITE_LETTER)
def letter(row: Job) -> None:
    """The letter about a decided claim, for the person who ordered it."""
    order = row.payload
    write_letter(
        claim=Claim.objects.select_related("organisation", "provider", "contract", "reverses").get(
            pk=order["claim_id"]
        ),
        actor=Actor(order["username"], order["user_id"]),
        at=datetime.fromisoformat(order["at"]),
    )


@job(REPLAY_LINE)
def replay_line(row: Job) -> None:
    """A line of a large run, judged again for the person who asked."""
    keep_replay(row)

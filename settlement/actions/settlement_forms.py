"""Drawing a settlement form: whoever takes one out leaves a trace, because its rows are of persons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, label_of, record
from config.errors import DomainError
from contracts.models import Provider
from settlement.advance_queries import advanced_for
from settlement.models import Claim
from settlement.printed_tables import PrintedTable
from settlement.ru_form_claims import compensation_rows, decided_sum, judged_claims
from settlement.ru_form_inputs import Row
from settlement.ru_form_papers import ru_paper, total_of


class NothingDecided(DomainError):
    """No visits of the month were decided about."""

    code = "FORM_NOTHING_DECIDED"
    message = _("Nothing has been decided about visits of «%(provider)s» in %(month)s. Judge its claims first.")


@action
def draw_form(
    *,
    organisation: Organisation,
    provider: Provider,
    form: str,
    period: date,
    rows: Sequence[Row],
    sha256: str,
    actor: Actor,
    at: datetime,
) -> PrintedTable:
    """A form over the rows of a person's spreadsheet; ``sha256`` is the file's, the file is not kept.

    Forms of advance subsidies are compared with the advances that are paid by the books.
    Raises: FormOfOtherLaw. Audit: settlement_form.drawn.
    """
    advanced = advanced_for(organisation, provider, period)
    paper = ru_paper(
        form, organisation=organisation, provider=provider, period=period, rows=rows, made_at=at, advanced=advanced
    )
    told = _told(paper, form, period, rows)
    record("settlement_form.drawn", provider, organisation=organisation.code, actor=actor, at=at, **told, sha256=sha256)
    return paper


@action
def draw_compensation(
    *,
    organisation: Organisation,
    provider: Provider,
    period: date,
    claim: Claim | None = None,
    actor: Actor,
    at: datetime,
) -> PrintedTable:
    """The compensation form of a provider's month, or of one claim of it, out of the decisions on its visits.

    Raises: FormOfOtherLaw, NothingDecided. Audit: settlement_form.drawn.
    """
    claims = judged_claims(organisation, provider, period) if claim is None else [claim]
    if not claims or any(row.status not in Claim.JUDGED or row.run is None or row.reverses_id for row in claims):
        raise NothingDecided(provider=provider.name, month=f"{period:%m.%Y}")
    rows = compensation_rows(claims, period)
    paper = ru_paper(
        "compensation",
        organisation=organisation,
        provider=provider,
        period=period,
        rows=rows,
        made_at=at,
        decided=decided_sum(rows),
    )
    labels = [label_of(row) for row in claims]
    told = _told(paper, "compensation", period, rows)
    record("settlement_form.drawn", provider, organisation=organisation.code, labels=labels, actor=actor, at=at, **told)
    return paper


def _told(paper: PrintedTable, form: str, period: date, rows: Sequence[Row]) -> dict[str, Any]:
    """What the trail keeps of a form: how much and of how many, and nothing of whom."""
    people = {row["recipient"] for row in rows if row["recipient"]}
    return {
        "form": form,
        "month": f"{period:%Y-%m}",
        "rows": len(rows),
        "recipients": len(people),
        "total": total_of(paper),
    }

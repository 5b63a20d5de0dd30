"""What was found afterwards: two visits of March that did not take place, asked back and kept back by a later run; a stay
in hospital learnt after October was closed, whose correction waits for the second person.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from config.demo.chapters.ground import REHAB
from config.demo.stage import Stage, ensure, moment
from settlement.actions.clawbacks import (
    LineSum,
    close_clawback,
    decide_clawback,
    notify_clawback,
    open_clawback,
    reply_to_clawback,
)
from settlement.actions.corrections import propose_correction
from settlement.models import ClaimLine, ClawbackCase, Correction
from vouchers.actions.recipients import record_absence
from vouchers.models import Recipient

FOUND_IN, NEVER_VISITED = date(2025, 3, 1), "R-0417"
CORRECTED, IN_HOSPITAL = date(2025, 10, 1), "R-0401"


def ask_money_back(stage: Stage) -> None:
    """From the finding to the decision; the provider agrees and does not pay within its term."""
    case = ensure(ClawbackCase.objects.filter(organisation=stage.organisation), lambda: _open(stage))
    office: dict[str, Any] = {"organisation": stage.organisation, "case_id": case.pk}
    if case.status == "found":
        notify_clawback(actor=stage.actor("halyna"), at=moment(2025, 6, 3, 14), **office)
        case.refresh_from_db()
    if case.status == "notified":
        reply_to_clawback(
            text="Визнаємо: два заняття перенесено, а в журналі їх позначено як проведені.",
            actor=stage.actor("roman"),
            at=moment(2025, 6, 9, 12),
            **office,
        )
        case.refresh_from_db()
    if case.status == "replied":
        decide_clawback(
            reason="Надавач визнав, що двох занять не було.",
            actor=stage.actor("ivan"),
            at=moment(2025, 6, 17, 11),
            **office,
        )


def _open(stage: Stage) -> ClawbackCase:
    visits = ClaimLine.objects.filter(
        claim__organisation=stage.organisation,
        claim__period=FOUND_IN,
        service_code=REHAB,
        certificate__recipient__code=NEVER_VISITED,
    )
    return open_clawback(
        organisation=stage.organisation,
        lines=[LineSum(key) for key in visits.order_by("line").values_list("pk", flat=True)[:2]],
        found_by="monitoring",
        finding="Під час перевірки отримувач повідомив, що двох занять у березні не було; журнал відвідувань це підтверджує.",
        ground="Договір C-2025-DRC: оплачують лише надані послуги",
        actor=stage.actor("halyna"),
        at=moment(2025, 6, 3, 11),
    )


def file_case(stage: Stage, *, at: datetime) -> None:
    """The run has kept back what was owed."""
    for case in ClawbackCase.objects.filter(organisation=stage.organisation, status="recovered"):
        close_clawback(
            organisation=stage.organisation,
            case_id=case.pk,
            reason="Утримано повністю.",
            actor=stage.actor("halyna"),
            at=at,
        )


def learn_of_hospital(stage: Stage) -> None:
    """October is closed; what changes in it is prepared and waits for approval."""
    recipient = Recipient.objects.get(organisation=stage.organisation, code=IN_HOSPITAL)
    if not recipient.absences.exists():
        record_absence(
            recipient=recipient,
            kind="hospital",
            from_date=date(2025, 10, 13),
            last_day=date(2025, 10, 17),
            actor=stage.actor("sofiia"),
            at=moment(2025, 12, 15, 15),
        )
    ensure(
        Correction.objects.filter(organisation=stage.organisation, month=CORRECTED),
        lambda: propose_correction(
            organisation=stage.organisation,
            month=CORRECTED,
            ground="attendance",
            reason="Виписка з лікарні від 12.12.2025: отримувач був у стаціонарі з 13 по 17 жовтня.",
            actor=stage.actor("halyna"),
            at=moment(2025, 12, 16, 16),
        ),
    )

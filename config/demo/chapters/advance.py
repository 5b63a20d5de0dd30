"""An advance of the pilot: granted and paid in December, used by the month's claim, the rest back after the year's end."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

from config.demo.chapters.payment import account_before, hear_movements
from config.demo.chapters.pilot import NUMBER
from config.demo.stage import Stage, ensure, moment
from config.money import from_minor
from config.office.storage import open_attachment
from contracts.models import Contract
from settlement.actions.advances import Plan, approve_advance, propose_advance
from settlement.actions.payments import mark_payments_sent, write_payment_file
from settlement.actions.reconciliation import import_statement
from settlement.actions.runs import approve_payment_run, propose_advance_run, release_payment_run
from settlement.advance_queries import with_sums
from settlement.gateways.simulated_bank import Movement, answer_payment_file
from settlement.models import Advance, PaymentRun

# 300 hours were planned and 63 agreed later: much is left.
PLANNED, GRANTED = Plan(D(300), D("90.00")), 800_000
PAID_ON, BACK_ON = date(2024, 12, 10), date(2025, 1, 28)


def pay_in_advance(stage: Stage) -> None:
    """Proposed by one person, granted by another, paid by a run of its own."""
    contract = Contract.objects.get(organisation=stage.organisation, number=NUMBER)
    advance = ensure(
        Advance.objects.filter(organisation=stage.organisation),
        lambda: propose_advance(
            organisation=stage.organisation,
            contract_id=contract.pk,
            amount_minor=GRANTED,
            purpose="Оплата праці соціальних робітників у грудні",
            use_until=date(2024, 12, 31),
            plan=PLANNED,
            actor=stage.actor("halyna"),
            at=moment(2024, 12, 5, 11),
        ),
    )
    if advance.status == "proposed":
        approve_advance(
            organisation=stage.organisation,
            advance_id=advance.pk,
            actor=stage.actor("ivan"),
            at=moment(2024, 12, 6, 10),
        )
        advance.refresh_from_db()
    if advance.status == "approved":
        _pay(stage)


def _pay(stage: Stage) -> None:
    office = stage.organisation
    run = ensure(
        PaymentRun.objects.filter(organisation=office, advance_items__isnull=False),
        lambda: propose_advance_run(organisation=office, actor=stage.actor("halyna"), at=moment(2024, 12, 6, 12)).run,
    )
    checker = stage.actor("ivan")
    if run.status == "proposed":
        seen, at = run.content_sha256, moment(2024, 12, 6, 15)
        approve_payment_run(organisation=office, run_id=run.pk, content_sha256=seen, actor=checker, at=at)
        run.refresh_from_db()
    if run.status == "approved":
        at = moment(2024, 12, 9, 10)
        release_payment_run(organisation=office, run_id=run.pk, execution_date=PAID_ON, actor=checker, at=at)
    file = write_payment_file(organisation=office, run_id=run.pk, at=moment(2024, 12, 9, 15))
    mark_payments_sent(organisation=office, run_id=run.pk, actor=checker, at=moment(2024, 12, 9, 16))
    number, opening = account_before(stage, PAID_ON)
    with open_attachment(file) as content:
        answer = answer_payment_file(content.read(), sequence=number, opening=opening, quiet=True)
    name, at = f"camt053-{PAID_ON}.xml", moment(2024, 12, 11, 9)
    import_statement(organisation=office, name=name, content=answer, actor=stage.actor("halyna"), at=at)


def bring_back(stage: Stage) -> None:
    """What the closing of the year asked back comes with its reference."""
    due = with_sums(Advance.objects.filter(organisation=stage.organisation, status="due"))
    lines = [
        Movement(
            BACK_ON,
            from_minor(row.outstanding),  # type: ignore[attr-defined]  # annotated
            row.provider.name,
            f"Повернення авансу {row.number}, {row.rf_reference}",
        )
        for row in due.select_related("provider")
    ]
    if lines:
        hear_movements(stage, lines, at=moment(2025, 1, 29, 9))

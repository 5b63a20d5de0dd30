"""Chapter 8: payment run by two people, bank file, statements, exceptions, the closed month."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from config.demo.chapters.visits import FIRST
from config.demo.stage import Stage, ensure, moment
from config.office.storage import open_attachment
from settlement.actions.bank_lines import explain_line
from settlement.actions.month_close import close_month
from settlement.actions.payments import mark_payments_sent, payment_file, write_payment_file, write_remittance_advices
from settlement.actions.reconciliation import import_statement
from settlement.actions.runs import approve_payment_run, propose_payment_run, release_payment_run
from settlement.gateways.simulated_bank import answer_payment_file
from settlement.models import ClosedMonth, PaymentRun, Statement, StatementLine

STATEMENTS = Path(__file__).resolve().parent.parent / "statements"
SECOND_BANK = STATEMENTS / "second_bank_camt.053.001.02.xml"


def pay_and_close(stage: Stage) -> None:
    """November is paid, reconciled and closed."""
    stage.say(80, "Платіжний реєстр листопада")
    run = _released_run(stage)
    stage.say(84, "Банківський файл і повідомлення про оплату")
    common = {"organisation": stage.organisation, "run_id": run.pk}
    if payment_file(run) is None:
        write_payment_file(at=moment(2025, 12, 10, 15), **common)  # type: ignore[arg-type]
        write_remittance_advices(at=moment(2025, 12, 10, 15), **common)  # type: ignore[arg-type]
    mark_payments_sent(actor=stage.actor("ivan"), at=moment(2025, 12, 10, 16), **common)  # type: ignore[arg-type]
    stage.say(90, "Банківські виписки")
    _statements(stage, run)
    if not ClosedMonth.objects.filter(organisation=stage.organisation, month=FIRST).exists():
        close_month(
            organisation=stage.organisation, month=FIRST, actor=stage.actor("ivan"), at=moment(2025, 12, 15, 17)
        )


def _released_run(stage: Stage) -> PaymentRun:
    run = ensure(
        PaymentRun.objects.filter(organisation=stage.organisation, period=FIRST).order_by("pk"),
        lambda: (
            propose_payment_run(
                organisation=stage.organisation, period=FIRST, actor=stage.actor("halyna"), at=moment(2025, 12, 9, 11)
            ).run
        ),
    )
    common = {"organisation": stage.organisation, "run_id": run.pk, "actor": stage.actor("ivan")}
    if run.status == "proposed":
        approve_payment_run(content_sha256=run.content_sha256, at=moment(2025, 12, 9, 15), **common)  # type: ignore[arg-type]
        run.refresh_from_db()
    if run.status == "approved":
        release_payment_run(execution_date=date(2025, 12, 11), at=moment(2025, 12, 10, 10), **common)  # type: ignore[arg-type]
        run.refresh_from_db()
    return run


def _statements(stage: Stage, run: PaymentRun) -> None:
    stored = payment_file(run)
    assert stored is not None
    with open_attachment(stored) as file:
        answer = answer_payment_file(file.read())
    maker = stage.actor("halyna")
    if not Statement.objects.filter(organisation=stage.organisation).exists():
        import_statement(
            organisation=stage.organisation,
            name="camt053-2025-12-11.xml",
            content=answer,
            actor=maker,
            at=moment(2025, 12, 12, 9),
        )
    for line in StatementLine.objects.filter(
        statement__organisation=stage.organisation, statement__iban=stage.organisation.iban, status="unmatched"
    ):
        explain_line(
            organisation=stage.organisation,
            line_id=line.pk,
            explanation="Помилкове зарахування від невідомого платника: запит до банку № 17 від 12.12.2025",
            actor=maker,
            at=moment(2025, 12, 12, 11),
        )
    import_statement(
        organisation=stage.organisation,
        name=SECOND_BANK.name,
        content=SECOND_BANK.read_bytes(),
        actor=maker,
        at=moment(2025, 12, 16, 9),
    )

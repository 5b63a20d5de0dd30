"""Chapter 8: payment run by two people, bank file, statements, exceptions, the closed month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from django.utils.translation import gettext_noop

from config.demo.calendar import ANSWERED, CLOSED, PROPOSED, RELEASED, MonthDays
from config.demo.chapters.visits import FIRST
from config.demo.stage import Stage, ensure, moment
from config.money import from_minor
from config.office.storage import GivenFile, open_attachment
from contracts.models import Provider, ProviderAccount
from settlement.actions.bank_lines import explain_line
from settlement.actions.month_close import close_month
from settlement.actions.payments import mark_payments_sent, write_payment_file, write_remittance_advices
from settlement.actions.provider_accounts import change_account
from settlement.actions.reconciliation import import_statement
from settlement.actions.runs import approve_payment_run, propose_payment_run, release_payment_run
from settlement.finance_queries import payment_file
from settlement.gateways.simulated_bank import Movement, answer_payment_file, write_statement
from settlement.models import ClosedMonth, PaymentRun, Statement, StatementLine

STATEMENTS = Path(__file__).resolve().parent.parent / "statements"
# On the account when the year begins: enough for its payments.
FIRST_OPENING = Decimal("2500000.00")
SECOND_BANK = STATEMENTS / "second_bank_camt.053.001.02.xml"


def pay_and_close(stage: Stage) -> None:
    """November is paid, reconciled and closed."""
    stage.say(80, gettext_noop("Payment run of November"))
    days = MonthDays.of(stage.organisation, FIRST)
    run = pay_month(stage, days)
    stage.say(84, gettext_noop("Advices of payment"))
    write_remittance_advices(organisation=stage.organisation, run_id=run.pk, at=days.at(RELEASED, 15))
    stage.say(90, gettext_noop("Bank statements"))
    hear_the_bank(stage, run, days)
    import_statement(
        organisation=stage.organisation,
        name=SECOND_BANK.name,
        content=SECOND_BANK.read_bytes(),
        actor=stage.actor("halyna"),
        at=moment(2025, 12, 16, 9),
    )
    close(stage, days)


def pay_month(stage: Stage, days: MonthDays) -> PaymentRun:
    """The first payment run of a month, sent to the bank."""
    runs = PaymentRun.objects.filter(organisation=stage.organisation, period=days.month)
    run = ensure(
        runs.order_by("pk"),
        lambda: (
            propose_payment_run(
                organisation=stage.organisation,
                period=days.month,
                actor=stage.actor("halyna"),
                at=days.at(PROPOSED, 11),
            ).run
        ),
    )
    send(stage, run, days)
    return run


def send(stage: Stage, run: PaymentRun, days: MonthDays, *, later: int = 0, reason: str = "") -> None:
    """Approved, released, written and handed to the bank; ``later``: working days after the usual ones."""
    common = {"organisation": stage.organisation, "run_id": run.pk}
    signed = common | {"actor": stage.actor("ivan")}
    if run.status == "proposed":
        at = days.at(PROPOSED + later, 15)
        approve_payment_run(content_sha256=run.content_sha256, reason=reason, at=at, **signed)  # type: ignore[arg-type]
        run.refresh_from_db()
    released = RELEASED + later
    if run.status == "approved":
        release_payment_run(execution_date=days.day(released + 1), at=days.at(released, 10), **signed)  # type: ignore[arg-type]
        run.refresh_from_db()
    if payment_file(run) is None:
        write_payment_file(at=days.at(released, 15), **common)  # type: ignore[arg-type]
    mark_payments_sent(at=days.at(released, 16), **signed)  # type: ignore[arg-type]


def hear_the_bank(stage: Stage, run: PaymentRun, days: MonthDays, *, later: int = 0, quiet: bool = False) -> None:
    """The statement of the payment day; what nobody expected is explained."""
    day = days.day(RELEASED + 1 + later)
    maker = stage.actor("halyna")
    import_statement(
        organisation=stage.organisation,
        name=f"camt053-{day}.xml",
        content=_answer(stage, run, day, quiet),
        actor=maker,
        at=days.at(ANSWERED + later, 9),
    )
    for line in StatementLine.objects.filter(
        statement__organisation=stage.organisation, booked_on=day, status="unmatched"
    ):
        at = days.at(ANSWERED + later, 11)
        explain_line(
            organisation=stage.organisation,
            line_id=line.pk,
            explanation=f"Помилкове зарахування від невідомого платника: запит до банку № 17 від {at:%d.%m.%Y}",
            actor=maker,
            at=at,
        )


def _answer(stage: Stage, run: PaymentRun, day: date, quiet: bool) -> bytes:
    """The bank's statement of a day, in line with those before."""
    stored = payment_file(run)
    assert stored is not None
    number, opening = account_before(stage, day)
    with open_attachment(stored) as file:
        return answer_payment_file(file.read(), sequence=number, opening=opening, quiet=quiet)


def account_before(stage: Stage, day: date) -> tuple[int, Decimal]:
    """Number of the statement that tells of a day on the main account, and what the account held before it."""
    before = Statement.objects.filter(
        organisation=stage.organisation, iban=stage.organisation.iban, to_date__lt=day
    ).order_by("to_date")
    last = before.last()
    opening = FIRST_OPENING if last is None or last.closing_minor is None else from_minor(last.closing_minor)
    return before.count() + 1, opening


def hear_movements(stage: Stage, movements: Sequence[Movement], *, at: datetime) -> None:
    """The statement of some days on which people and neighbours paid in, and the office paid by hand."""
    office, first = stage.organisation, movements[0].on
    if Statement.objects.filter(organisation=office, iban=office.iban, from_date=first).exists():
        return
    number, opening = account_before(stage, first)
    content = write_statement(
        movements,
        account=office.iban,
        owner=office.name,
        currency=office.currency,
        sequence=number,
        opening=opening,
    )
    name = f"camt053-{first}.xml"
    import_statement(organisation=office, name=name, content=content, actor=stage.actor("halyna"), at=at)


def close(stage: Stage, days: MonthDays, *, later: int = 0) -> None:
    """The month is closed by the second person."""
    if not ClosedMonth.objects.filter(organisation=stage.organisation, month=days.month).exists():
        close_month(
            organisation=stage.organisation,
            month=days.month,
            actor=stage.actor("ivan"),
            at=days.at(CLOSED + later, 17),
        )


def new_account(stage: Stage, provider: Provider, iban: str, at: datetime) -> None:
    """A provider writes that it has another bank account, and the officer records it."""
    letter = f"{provider.name}: просимо перераховувати кошти на рахунок {iban} (вигаданий лист)."
    change_account(
        organisation=stage.organisation,
        provider=provider,
        kind=ProviderAccount.BANK,
        iban=iban,
        reason="Лист надавача: рахунок відкрито в іншому банку.",
        paper=GivenFile("lyst-pro-rakhunok.txt", letter.encode(), "text/plain"),
        actor=stage.actor("bohdan"),
        at=at,
    )

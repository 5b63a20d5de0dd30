"""Fees of recipients: notices of two months, what came by bank, too much of it, too little, not at all; and the bank
lines that wait for a person.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal as D
from typing import Any

from django.utils.translation import gettext_noop

from config.demo.chapters.neighbours import FIRST_CLEARED, HERE, neighbour
from config.demo.chapters.payment import hear_movements, new_account
from config.demo.chapters.visits import FIRST
from config.demo.stage import Stage, moment
from config.money import from_minor, to_minor
from contracts.models import Provider
from settlement.actions.bank_lines import split_line
from settlement.actions.clearing import book_payment
from settlement.actions.fee_lines import explain_as_passed_on
from settlement.actions.fee_refunds import approve_refund, request_refund
from settlement.actions.fees import issue_fee_notices
from settlement.actions.line_parts import pay_notice_with_line
from settlement.fee_queries import fee_notices, held_for
from settlement.gateways.simulated_bank import Movement
from settlement.models import ClearingStatement, FeeNotice, FeeReceipt, FeeRefund, Payment, StatementLine

# Of October: who paid to the kopiyka, without the reference, twice, in part. R-0430 has not paid.
PAID, UNNAMED, TWICE, IN_PART = ("R-0405", "R-0410", "R-0435", "R-0440", "R-0445"), "R-0415", "R-0420", "R-0425"
# Of November: the first dozen paid, one too much; the person of the cast in part, the others not yet.
NOVEMBER_PAID = tuple(f"R-{number:04d}" for number in range(5, 65, 5))
TOO_MUCH, BEGUN = "R-0065", "R-0165"
SURPLUS, SMALL = D("100.00"), D("200.00")
BY_HAND, COMMISSION = D("1500.00"), D("25.00")
PASSED_ON_TO, NEW_ACCOUNT_OF, NEW_ACCOUNT = "TERCENTR", "OPORA", "UA553220010000026007777000001"
HAND_OVER = "Передано плату отримувачів за жовтень"


def collect_october(stage: Stage) -> None:
    """Notices of October, a fortnight of payments, the neighbour's net sum."""
    stage.say(13, gettext_noop("Fees of recipients"))
    _issue(stage, FIRST_CLEARED, moment(2025, 11, 12, 11))
    lines = [_payment(_notice(stage, code), date(2025, 11, 20 + place)) for place, code in enumerate(PAID[:2])]
    unnamed, twice, part = (_notice(stage, code) for code in (UNNAMED, TWICE, IN_PART))
    lines += [
        Movement(date(2025, 11, 21), _asked(unnamed), unnamed.recipient.name, "Плата за денний догляд за жовтень"),
        _payment(twice, date(2025, 11, 21)),
        _payment(part, date(2025, 11, 24), SMALL),
        *(_payment(_notice(stage, code), date(2025, 11, 25)) for code in PAID[2:]),
        _payment(twice, date(2025, 11, 26)),
        _cleared(stage, date(2025, 11, 26)),
    ]
    hear_movements(stage, lines, at=moment(2025, 11, 28, 9))
    open_line = _open_line(stage, lines[2])
    if open_line is not None:
        pay_notice_with_line(
            organisation=stage.organisation,
            line_id=open_line.pk,
            notice=unnamed.number,
            actor=stage.actor("halyna"),
            at=moment(2025, 11, 28, 10),
        )
    _book_clearing(stage, lines[-1])
    _give_back(stage, twice)


def _issue(stage: Stage, month: date, at: datetime) -> None:
    if not FeeNotice.objects.filter(organisation=stage.organisation, month=month).exists():
        issue_fee_notices(organisation=stage.organisation, month=month, actor=stage.actor("halyna"), at=at)


def _notice(stage: Stage, code: str, month: date = FIRST_CLEARED) -> FeeNotice:
    notice: FeeNotice = fee_notices(stage.organisation).get(recipient__code=code, month=month)
    return notice


def _asked(notice: FeeNotice) -> D:
    return from_minor(sum(notice.charges.values_list("amount_minor", flat=True)))


def _payment(notice: FeeNotice, on: date, amount: D | None = None) -> Movement:
    """A recipient pays a notice, all of it unless an amount is said, and names its reference."""
    text = f"Плата за соціальні послуги, {notice.rf_reference}"
    return Movement(on, _asked(notice) if amount is None else amount, notice.recipient.name, text)


def _open_line(stage: Stage, movement: Movement) -> StatementLine | None:
    """The line of a movement that nobody has dealt with."""
    return StatementLine.objects.filter(
        statement__organisation=stage.organisation,
        booked_on=movement.on,
        amount_minor=to_minor(movement.amount),
        remittance_text=movement.text,
        status="unmatched",
    ).first()


def _cleared(stage: Stage, on: date) -> Movement:
    """What the neighbour pays, or is paid, by the agreed statement."""
    agreed = _agreed(stage)
    other = agreed.other(stage.organisation)
    amount = -from_minor(agreed.paid_by(stage.organisation))
    return Movement(on, amount, other.name, f"Взаєморозрахунок за сертифікатами {agreed.number}", other.iban)


def _agreed(stage: Stage) -> ClearingStatement:
    return ClearingStatement.objects.get(period=FIRST_CLEARED)


def _book_clearing(stage: Stage, ours: Movement) -> None:
    """Each side finds the sum on its own statement and books it."""
    beside, agreed = neighbour(stage), _agreed(stage)
    text = f"Взаєморозрахунок за сертифікатами {agreed.number}"
    theirs = Movement(ours.on, -ours.amount, stage.organisation.name, text, stage.organisation.iban)
    hear_movements(beside, [theirs], at=moment(2025, 11, 28, 9))
    for side, movement in ((stage, ours), (beside, theirs)):
        line = _open_line(side, movement)
        if line is not None:
            book_payment(
                organisation=side.organisation,
                statement_id=agreed.pk,
                line_id=line.pk,
                actor=side.actor("halyna"),
                at=moment(2025, 11, 28, 11),
            )


def _give_back(stage: Stage, notice: FeeNotice) -> None:
    """Who paid twice gets the second payment back: asked for by one person, approved by another."""
    receipt = FeeReceipt.objects.filter(notice=notice).latest("pk")
    refund = FeeRefund.objects.filter(receipt=receipt).first() or request_refund(
        organisation=stage.organisation,
        receipt_id=receipt.pk,
        amount_minor=receipt.amount_minor,
        reason="Сплачено двічі: 21 і 26 листопада. Заява отримувача від 01.12.2025.",
        actor=stage.actor("halyna"),
        at=moment(2025, 12, 1, 11),
    )
    if refund.status == "requested":
        approve_refund(
            organisation=stage.organisation, refund_id=refund.pk, actor=stage.actor("ivan"), at=moment(2025, 12, 2, 10)
        )


def pay_by_hand(stage: Stage) -> None:
    """The first days of December: what the bank told too briefly waits for a person."""
    payment = Payment.objects.get(
        payment_run__organisation=stage.organisation, payment_run__period=FIRST_CLEARED, provider__code=HERE
    )
    provider, first = Provider.objects.get(code=PASSED_ON_TO), date(2025, 12, 2)
    told = StatementLine.objects.filter(
        statement__organisation=stage.organisation, statement__from_date=first, statement__iban=stage.organisation.iban
    )
    if not told.exists():
        hear_movements(stage, _early_december(stage, payment, provider, first), at=moment(2025, 12, 4, 9))
    by: dict[str, Any] = {"organisation": stage.organisation, "actor": stage.actor("halyna")}
    charged, passed_on = told.get(end_to_end_id=payment.reference), told.get(remittance_text=HAND_OVER)
    if charged.status == "unmatched":
        split_line(
            **by,
            line_id=charged.pk,
            payment_id=payment.pk,
            amount_minor=to_minor(BY_HAND),
            reason="Перша частина платежу; решта рядка – комісія банку, просимо пояснити.",
            at=moment(2025, 12, 4, 11),
        )
    if passed_on.status == "unmatched":
        explain_as_passed_on(**by, line_id=passed_on.pk, provider_id=provider.pk, at=moment(2025, 12, 4, 12))


def _early_december(stage: Stage, payment: Payment, provider: Provider, first: date) -> list[Movement]:
    """A payment that the bank carried out in two and charged for, the refund, fees passed on, and what nobody knows."""
    twice, second = _notice(stage, TWICE), first + timedelta(days=1)
    back = from_minor(FeeRefund.objects.get(receipt__notice=twice).amount_minor)
    held = from_minor(held_for(stage.organisation, provider))
    payee, name, iban = payment.reference, payment.provider.name, payment.iban
    rest = payment.amount.amount - BY_HAND
    return [
        Movement(first, -BY_HAND - COMMISSION, name, "Оплата частково, з комісією банку", iban, payee),
        Movement(first, D("640.00"), "Пробна Зоя", "За догляд мами за осінь"),
        Movement(second, -rest, "", "Платіжна інструкція 47, доплата"),
        Movement(second, -back, twice.recipient.name, f"Повернення зайво сплаченого, {twice.rf_reference}"),
        Movement(second, -held, provider.name, HAND_OVER, provider.iban),
    ]


def collect_november(stage: Stage) -> None:
    """Notices of November, the first payments, a refund to approve; a new account of a provider makes its money wait."""
    _issue(stage, FIRST, moment(2025, 12, 10, 15))
    surplus = _notice(stage, TOO_MUCH, FIRST)
    first, second = date(2025, 12, 15), date(2025, 12, 16)
    lines = [
        *(_payment(_notice(stage, code, FIRST), first) for code in NOVEMBER_PAID),
        _payment(surplus, second, _asked(surplus) + SURPLUS),
        _payment(_notice(stage, BEGUN, FIRST), second, SMALL),
    ]
    hear_movements(stage, lines, at=moment(2025, 12, 16, 18))
    receipt = FeeReceipt.objects.get(notice=surplus)
    if not receipt.refunds.exists():
        request_refund(
            organisation=stage.organisation,
            receipt_id=receipt.pk,
            amount_minor=to_minor(SURPLUS),
            reason="Сплачено на 100 грн більше, ніж у повідомленні; просить повернути на рахунок.",
            actor=stage.actor("halyna"),
            at=moment(2025, 12, 17, 9),
        )
    provider = Provider.objects.get(code=NEW_ACCOUNT_OF)
    if provider.iban != NEW_ACCOUNT:
        new_account(stage, provider, NEW_ACCOUNT, moment(2025, 12, 16, 12))

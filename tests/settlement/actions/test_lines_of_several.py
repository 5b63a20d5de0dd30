"""A bank line that quotes a notice or a case and something else of ours too waits for a person."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from config.money import to_minor
from settlement.actions.bank_lines import ReasonMissing, match_line
from settlement.bank_queries import naming_several
from settlement.models import ClawbackCase, ClawbackRecovery, FeeNotice, FeeReceipt, Match, Payment
from tests.settlement.actions.clawback_town import DECIDED, ClawbackTown, clawback_town
from vouchers.models import Recipient

pytestmark = pytest.mark.django_db

NOTICE = "RF18539007547034"


@pytest.fixture
def town(tmp_path: Path) -> ClawbackTown:
    return clawback_town(tmp_path)


@pytest.fixture
def case(town: ClawbackTown) -> ClawbackCase:
    return town.decided()


@pytest.fixture
def notice(town: ClawbackTown) -> FeeNotice:
    return FeeNotice.objects.create(
        organisation=town.office, recipient=Recipient.objects.earliest("pk"), month=date(2025, 11, 1),
        number="FN-2025-000009", rf_reference=NOTICE, issued_at=DECIDED,
    )  # fmt: skip


def paid() -> Payment:
    """A payment that the bank has carried out already."""
    return Payment.objects.earliest("pk")


def test_a_case_and_a_payment_in_one_line(town: ClawbackTown, case: ClawbackCase) -> None:
    both = town.receive((14_250, f"{case.rf_reference} {paid().reference}"))
    line = both.lines.get()
    assert (line.status, naming_several(both)) == ("unmatched", {line.pk})
    assert not ClawbackRecovery.objects.exists() and not Match.objects.filter(statement_line=line).exists()


def test_a_case_alone(town: ClawbackTown, case: ClawbackCase) -> None:
    alone = town.receive((14_250, f"{case.rf_reference} {case.rf_reference} 2025-11"))
    assert alone.lines.get().status == "matched" and ClawbackRecovery.objects.get().case == case


def test_a_case_and_a_notice(town: ClawbackTown, case: ClawbackCase, notice: FeeNotice) -> None:
    both = town.receive((14_250, f"{case.rf_reference} {NOTICE}"))
    assert both.lines.get().status == "unmatched" and len(naming_several(both)) == 1
    assert not ClawbackRecovery.objects.exists() and not FeeReceipt.objects.exists()


def test_a_notice_and_the_reference_of_a_payment(town: ClawbackTown, notice: FeeNotice) -> None:
    both = town.receive((500, f"{NOTICE} {paid().rf_reference}"))
    assert both.lines.get().status == "unmatched" and not FeeReceipt.objects.exists()


def test_a_notice_alone(town: ClawbackTown, notice: FeeNotice) -> None:
    alone = town.receive((500, NOTICE))
    assert alone.lines.get().status == "matched" and FeeReceipt.objects.get().amount_minor == 500


def test_a_line_that_quotes_a_notice_needs_a_reason_to_be_a_payment(town: ClawbackTown, notice: FeeNotice) -> None:
    """Its sum is that of the only payment that fits; what it quotes is something else."""
    payment = paid()
    credit = (to_minor(payment.amount.amount), f"{NOTICE} {payment.reference}")
    chosen = {"line_id": town.receive(credit).lines.get().pk, "payment_ids": [payment.pk]}
    with pytest.raises(ReasonMissing):
        match_line(reason="", **chosen, **town.who("halyna", DECIDED))
    assert match_line(reason="Виписка банку", **chosen, **town.who("halyna", DECIDED)).status == "matched"


def test_a_line_that_quotes_the_payment_alone_needs_none(town: ClawbackTown) -> None:
    payment = paid()
    back = town.receive((to_minor(payment.amount.amount), payment.reference)).lines.get()
    if back.status == "unmatched":
        match_line(line_id=back.pk, payment_ids=[payment.pk], reason="", **town.who("halyna", DECIDED))
    assert Match.objects.filter(statement_line=back, payment=payment).exists()

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from config.accounts.models import Organisation, User
from config.audit.models import AuditEvent
from config.errors import NotFound
from settlement.actions.bank_lines import LineNotOpen, ReasonMissing, SumsDiffer, explain_line, match_line
from settlement.actions.reconciliation import (
    ImportedStatement,
    StatementDiffers,
    StatementUnreadable,
    WrongAccount,
    accept_statement,
    import_statement,
    match_again,
    refuse_statement,
)
from settlement.actions.runs import propose_payment_run
from settlement.gateways.simulated_bank import answer_payment_file
from settlement.models import Claim, Match, Payment, PaymentRun, Statement, StatementLine
from tests.settlement.actions.paid import bank_file, released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, balances, ready

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
OTHER_BANK = Path(__file__).parents[1] / "gateways" / "data" / "other_bank_camt.053.001.02.xml"


@pytest.fixture
def run(organisation: Organisation, cast: Cast, at: datetime) -> PaymentRun:
    ready(at)
    adjudicated(organisation, at, (1, 24200), (2, 152000), (3, 38050))
    return released_run(organisation, cast, at)


@pytest.fixture
def statement(run: PaymentRun, at: datetime) -> bytes:
    return answer_payment_file(bank_file(run, at))


def bring(run: PaymentRun, content: bytes, cast: Cast, at: datetime) -> ImportedStatement:
    (imported,) = import_statement(
        organisation=run.organisation, name="st.xml", content=content, actor=cast["halyna"].as_actor(), at=at
    )
    return imported


def test_a_statement_confirms_returns_and_leaves_the_rest_open(
    run: PaymentRun, statement: bytes, cast: Cast, at: datetime
) -> None:
    imported = bring(run, statement, cast, at)
    assert (imported.matched, imported.open_lines, imported.repeated) == (4, 1, False)
    assert list(run.payments.order_by("reference").values_list("status", flat=True)) == [
        "confirmed",
        "confirmed",
        "returned",
    ]
    assert dict(Claim.objects.values_list("provider__code", "status")) == {
        "P1": "paid",
        "P2": "paid",
        "P3": "adjudicated",
    }
    run.refresh_from_db()
    assert run.status == "closed"
    opening = imported.statement.opening_minor
    assert balances(run.organisation) == {
        "payable:P1": 24200,
        "payable:P2": 152000,
        "payable:P3": 0,
        "clearing:bank": 0,
        f"bank:{run.organisation.iban}": opening - 176200,
        "funding:opening": -opening,
    }
    (left,) = StatementLine.objects.filter(status="unmatched")
    assert left.amount_minor == 123456


def test_importing_twice_changes_nothing(run: PaymentRun, statement: bytes, cast: Cast, at: datetime) -> None:
    first = bring(run, statement, cast, at)
    before = balances(run.organisation)
    again = bring(run, statement, cast, at)
    assert again.repeated and again.statement.pk == first.statement.pk
    assert balances(run.organisation) == before and Match.objects.count() == 4
    assert AuditEvent.objects.filter(action="statement.imported").count() == 1


def test_a_returned_payment_is_paid_by_the_next_run(
    run: PaymentRun, statement: bytes, cast: Cast, at: datetime
) -> None:
    bring(run, statement, cast, at)
    again = propose_payment_run(
        organisation=run.organisation, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at
    ).run
    assert str(again.total.amount) == "380.50"


def test_an_unknown_credit_is_explained_and_the_statement_reconciled(
    run: PaymentRun, statement: bytes, cast: Cast, at: datetime
) -> None:
    imported = bring(run, statement, cast, at)
    line = StatementLine.objects.get(status="unmatched")
    arguments = {"organisation": run.organisation, "line_id": line.pk, "actor": cast["ivan"].as_actor(), "at": at}
    with pytest.raises(ReasonMissing):
        explain_line(explanation=" ", **arguments)
    explain_line(explanation="Благодійний внесок, лист 17", **arguments)
    with pytest.raises(LineNotOpen):
        explain_line(explanation="ще раз", **arguments)
    imported.statement.refresh_from_db()
    assert imported.statement.status == "reconciled"
    found = balances(run.organisation)
    assert found["suspense:bank"] == -123456
    assert found[f"bank:{run.organisation.iban}"] == imported.statement.closing_minor


def test_a_broken_balance_waits_in_quarantine(run: PaymentRun, statement: bytes, cast: Cast, at: datetime) -> None:
    broken = statement.replace(b">242.00<", b">242.01<", 1)
    imported = bring(run, broken, cast, at)
    assert imported.statement.status == "quarantined" and imported.matched == 0
    assert imported.statement.problems[0]["code"] == "BALANCE_MISMATCH"
    assert set(Payment.objects.values_list("status", flat=True)) == {"prepared"}
    arguments = {"organisation": run.organisation, "statement_id": imported.statement.pk, "at": at}
    with pytest.raises(ReasonMissing):
        accept_statement(reason="", actor=cast["ivan"].as_actor(), **arguments)
    accepted = accept_statement(reason="Банк підтвердив листом", actor=cast["ivan"].as_actor(), **arguments)
    assert accepted.status == "imported" and Match.objects.count() > 0


def test_a_refused_statement_counts_for_nothing(run: PaymentRun, statement: bytes, cast: Cast, at: datetime) -> None:
    imported = bring(run, statement.replace(b">242.00<", b">242.01<", 1), cast, at)
    refuse_statement(
        organisation=run.organisation,
        statement_id=imported.statement.pk,
        reason="Чужий рахунок",
        actor=cast["ivan"].as_actor(),
        at=at,
    )
    assert Statement.objects.get().status == "refused" and balances(run.organisation) == {}
    corrected = bring(run, statement, cast, at)
    assert not corrected.repeated and corrected.statement.status == "imported"
    again = bring(run, statement, cast, at)
    assert again.repeated and again.statement == corrected.statement


def test_refusals(run: PaymentRun, statement: bytes, cast: Cast, at: datetime) -> None:
    with pytest.raises(StatementUnreadable):
        bring(run, b"<html/>", cast, at)
    with pytest.raises(WrongAccount):
        bring(run, OTHER_BANK.read_bytes(), cast, at)
    bring(run, statement, cast, at)
    with pytest.raises(StatementDiffers):
        bring(run, statement.replace(b"12:00", b"13:00") + b" ", cast, at)
    assert Statement.objects.count() == 1


def test_a_line_of_another_organisation_is_not_found(
    run: PaymentRun, statement: bytes, other_organisation: Organisation, cast: Cast, at: datetime
) -> None:
    bring(run, statement, cast, at)
    line = StatementLine.objects.get(status="unmatched")
    with pytest.raises(NotFound):
        explain_line(
            organisation=other_organisation,
            line_id=line.pk,
            explanation="моє",
            actor=cast["ivan"].as_actor(),
            at=at,
        )


def test_another_banks_statement_by_hand(organisation: Organisation, cast: Cast, at: datetime) -> None:
    """Another version, another bank: ids are unknown, a person matches by sum."""
    ready(at)
    organisation.iban = "UA523052992000000001234567890"
    organisation.save()
    adjudicated(organisation, at, (1, 300000), (2, 99900))
    run = released_run(organisation, cast, at)
    bank_file(run, at)
    imported = bring(run, OTHER_BANK.read_bytes(), cast, at)
    assert (imported.statement.format, imported.matched) == ("camt.053.001.02", 0)
    big = StatementLine.objects.get(amount_minor=-300000)
    ids = {p.amount.amount: p.pk for p in run.payments.all()}
    arguments = {"organisation": organisation, "line_id": big.pk, "actor": cast["ivan"].as_actor(), "at": at}
    with pytest.raises(SumsDiffer):
        match_line(payment_ids=[min(ids.values()), max(ids.values())], reason="сума", **arguments)
    right = [key for amount, key in ids.items() if amount == 3000]
    match_line(payment_ids=right, reason="Банк змінив номер", **arguments)
    assert Payment.objects.get(pk=right[0]).status == "confirmed"
    with pytest.raises(LineNotOpen):
        match_line(payment_ids=right, reason="Банк змінив номер", **arguments)


def test_a_notification_and_the_statement_after_it_count_once(
    run: PaymentRun, statement: bytes, cast: Cast, at: datetime
) -> None:
    notification = (
        statement.replace(b"camt.053.001.08", b"camt.054.001.08")
        .replace(b"BkToCstmrStmt", b"BkToCstmrDbtCdtNtfctn")
        .replace(b"<Stmt>", b"<Ntfctn>")
        .replace(b"</Stmt>", b"</Ntfctn>")
        .replace(b"<Id>ST-", b"<Id>NT-")
    )
    assert bring(run, notification, cast, at).matched == 4
    before = balances(run.organisation)
    later = bring(run, statement, cast, at)
    assert (later.matched, later.open_lines) == (0, 0)
    # Only the balance that the account had before is new: a notification does not tell it.
    opening = later.statement.opening_minor
    bank = f"bank:{run.organisation.iban}"
    assert balances(run.organisation) == before | {bank: before[bank] + opening, "funding:opening": -opening}
    assert match_again(organisation=run.organisation, actor=cast["ivan"].as_actor(), at=at) == 0

"""Money of another currency than the books: the database refuses that anything takes it, or that it is explained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Model

from config.accounts.models import Organisation, User
from settlement.actions import bank_lines, payment_postings
from settlement.actions.clearing import book_payment
from settlement.actions.fee_refunds import approve_refund, request_refund
from settlement.actions.line_parts import repay_advance_with_line
from settlement.actions.payment_postings import OtherCurrency
from settlement.actions.reconciliation import import_statement, match_again
from settlement.actions.undone_lines import (
    undo_advance_return,
    undo_clearing_payment,
    undo_fee_receipt,
    undo_refund_transfer,
    undo_repayment,
)
from settlement.models import (
    AdvanceReturn,
    ClawbackRecovery,
    ClearingPayment,
    Entry,
    FeeReceipt,
    FeeRefundTransfer,
    Match,
    Payment,
    Statement,
    StatementLine,
)
from settlement.models.statements import LIVE
from tests.settlement.actions.advance_town import GRANTED, advance_town
from tests.settlement.actions.clawback_town import DECIDED, clawback_town
from tests.settlement.actions.clearing_town import DECEMBER, bank_line, build_neighbours
from tests.settlement.actions.fee_statements import OPENING, credit, debit, statement
from tests.settlement.actions.fee_town import AT, fee_town, noticed
from tests.settlement.actions.paid import DAY, answered, released_run
from tests.settlement.actions.payables import adjudicated, ready

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
REFUSAL = "another currency than the books"


@dataclass
class Taken:
    """A row that takes a line, as an action made it, and what undoes it."""

    row: Any
    undo: Callable[[], Any]


@dataclass
class Scene:
    """What a taking is made from; the office and its people are made when they are asked for: some bring their own."""

    request: pytest.FixtureRequest
    at: datetime
    folder: Path

    @property
    def office(self) -> Organisation:
        return self.request.getfixturevalue("organisation")  # type: ignore[no-any-return]

    @property
    def other(self) -> Organisation:
        return self.request.getfixturevalue("other_organisation")  # type: ignore[no-any-return]

    @property
    def cast(self) -> Cast:
        return self.request.getfixturevalue("cast")  # type: ignore[no-any-return]

    def match(self) -> Taken:
        """Of the payment of a claim."""
        ready(self.at)
        adjudicated(self.office, self.at, (1, 24200))
        answered(released_run(self.office, self.cast, self.at), self.cast["halyna"], self.at)
        return self._taken(Match, bank_lines.undo_match, "match_id", self.office, self.cast, self.at)

    def receipt(self) -> Taken:
        """Of a recipient's fee."""
        office, cast = fee_town(self.folder)
        _bring(office, cast, statement(office, 1, credit(10_000, noticed(office, cast).rf_reference)))
        return self._taken(FeeReceipt, undo_fee_receipt, "receipt_id", office, cast, AT)

    def transfer(self) -> Taken:
        """Of a fee that goes back."""
        receipt = self.receipt().row
        office, cast = receipt.notice.organisation, {row.username: row for row in User.objects.all()}
        said = {"organisation": office, "at": AT}
        refund = request_refund(
            receipt_id=receipt.pk, amount_minor=10_000, reason="Зайве", actor=cast["halyna"].as_actor(), **said
        )
        approve_refund(refund_id=refund.pk, actor=cast["ivan"].as_actor(), **said)
        after = OPENING + 100
        _bring(office, cast, statement(office, 2, debit(10_000, receipt.notice.rf_reference), opening=after))
        return self._taken(FeeRefundTransfer, undo_refund_transfer, "transfer_id", office, cast, AT)

    def repayment(self) -> Taken:
        """Of a case."""
        town = clawback_town(self.folder)
        town.receive((14_250, town.decided().rf_reference))
        return self._taken(ClawbackRecovery, undo_repayment, "recovery_id", town.office, town.cast, DECIDED)

    def advance(self) -> Taken:
        """Of an unused advance."""
        town = advance_town(self.folder)
        row = town.paid()
        line = town.receive((500, "Повернення"), at=GRANTED).lines.get()
        repay_advance_with_line(line_id=line.pk, advance=row.number, **town.who("halyna", GRANTED))
        return self._taken(AdvanceReturn, undo_advance_return, "return_id", town.office, town.cast, GRANTED)

    def clearing(self) -> Taken:
        """Of a statement between neighbours."""
        towns = build_neighbours(self.office, self.other, self.cast)
        towns.agree()
        agreed, who = towns.agreed(), {"actor": towns.of(towns.home, "maker"), "at": DECEMBER}
        line = bank_line(self.office, -agreed.paid_by(self.office))
        book_payment(organisation=self.office, statement_id=agreed.pk, line_id=line.pk, **who)
        row = ClearingPayment.objects.get()
        return Taken(
            row,
            lambda: undo_clearing_payment(organisation=self.office, payment_id=row.pk, reason="Не той рядок", **who),
        )

    @staticmethod
    def _taken(
        model: type[Model], call: Callable[..., Any], key: str, office: Organisation, cast: Cast, at: datetime
    ) -> Taken:
        row = model._default_manager.get(**LIVE)
        who = {"organisation": office, "actor": cast["halyna"].as_actor(), "at": at}
        return Taken(row, lambda: call(**{key: row.pk}, reason="Не той рядок", **who))


def _bring(office: Organisation, cast: Cast, content: bytes) -> None:
    import_statement(organisation=office, name="s.xml", content=content, actor=cast["halyna"].as_actor(), at=AT)


@pytest.fixture
def scene(request: pytest.FixtureRequest, at: datetime, tmp_path: Path) -> Scene:
    return Scene(request, at, tmp_path)


def beside(line: StatementLine, currency: str, account: str = "UAH") -> StatementLine:
    """An open line of the same sum in a statement of its own."""
    of, count = line.statement, Statement.objects.count()
    told = Statement.objects.create(
        organisation=of.organisation, iban=of.iban, statement_id=f"O{count}", format="CSV", content_sha256=f"O{count}",
        currency=account, status="imported", imported_at=of.imported_at,
    )  # fmt: skip
    return StatementLine.objects.create(
        statement=told, position=1, booked_on=line.booked_on, amount_minor=line.amount_minor, currency=currency,
        status="unmatched",
    )  # fmt: skip


def copied(row: Any, line: StatementLine, **changed: Any) -> Any:
    """The row once more, of another line, past everything that Python asks."""
    fields = [field for field in row._meta.concrete_fields if field.name not in ("id", "undoes", "statement_line")]
    said = {field.attname: getattr(row, field.attname) for field in fields}
    with transaction.atomic():
        return type(row).objects.create(**said | changed, statement_line=line)


@pytest.mark.parametrize("of", ["match", "receipt", "transfer", "repayment", "advance", "clearing"])
def test_the_database_lets_nothing_take_money_of_another_currency(scene: Scene, of: str) -> None:
    taken: Taken = getattr(scene, of)()
    row = taken.row
    undone = taken.undo()
    assert undone.amount_minor == -row.amount_minor
    for currency, account in (("EUR", "UAH"), ("UAH", "EUR"), ("", "EUR"), ("N/A", "UAH")):
        with pytest.raises(IntegrityError, match=REFUSAL):
            copied(row, beside(row.statement_line, currency, account))
    # A line that says nothing is of ours.
    for currency, account in (("UAH", "UAH"), ("", "")):
        good = copied(row, beside(row.statement_line, currency, account))
        copied(row, good.statement_line, undoes=good, amount_minor=-row.amount_minor, reason="Не той рядок")
    assert type(row).objects.count() == 6


def in_the_past(line: StatementLine, currency: str) -> None:
    """As if the line had been taken before the database asked."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE settlement_statementline SET currency = %s WHERE id = %s", [currency, line.pk])
        cursor.execute("SET session_replication_role = DEFAULT")


def test_what_was_booked_falsely_before_can_be_undone_and_not_done_again(scene: Scene) -> None:
    taken = scene.match()
    line, payment = taken.row.statement_line, taken.row.payment
    in_the_past(line, "EUR")
    taken.undo()
    line.refresh_from_db()
    who = {"organisation": scene.office, "actor": scene.cast["ivan"].as_actor(), "at": scene.at}
    assert line.status == "unmatched" and Payment.objects.get(pk=payment.pk).status == "sent"
    with pytest.raises(OtherCurrency):
        bank_lines.match_line(line_id=line.pk, payment_ids=[payment.pk], reason="Та сама", **who)
    in_the_past(line, "UAH")
    bank_lines.match_line(line_id=line.pk, payment_ids=[payment.pk], reason="Та сама", **who)
    assert Payment.objects.get(pk=payment.pk).status == "confirmed"


def test_the_database_lets_nobody_explain_money_of_another_currency(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = scene.match().row.statement_line
    who = {"organisation": scene.office, "actor": scene.cast["ivan"].as_actor(), "at": scene.at}
    for module in (bank_lines, payment_postings):
        monkeypatch.setattr(module, "refuse_other_currency", lambda *_: None)
    before = Entry.objects.count()
    for currency, account in (("EUR", "UAH"), ("UAH", "EUR")):
        other = beside(line, currency, account)
        with pytest.raises(IntegrityError, match=REFUSAL):
            bank_lines.explain_line(line_id=other.pk, explanation="Внесок", **who)
        # Nor may it be called a repetition.
        with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
            StatementLine.objects.filter(pk=other.pk).update(status="explained", explanation="S1")
        other.refresh_from_db()
        assert (other.status, other.explanation) == ("unmatched", "")
    assert Entry.objects.count() == before
    ours = bank_lines.explain_line(line_id=beside(line, "UAH").pk, explanation="Внесок", **who)
    assert ours.status == "explained" and Entry.objects.count() == before + 1


def test_a_machine_leaves_money_of_another_currency_alone(scene: Scene) -> None:
    """It is neither matched nor taken for a repetition of what another statement tells with the bank's own number."""
    ready(scene.at)
    adjudicated(scene.office, scene.at, (1, 24200))
    payment = released_run(scene.office, scene.cast, scene.at).payments.get()
    line = bank_line(scene.office, -24200, on=DAY)
    numbered = {"end_to_end_id": payment.reference, "bank_reference": "B1"}
    who = {"organisation": scene.office, "actor": scene.cast["ivan"].as_actor(), "at": scene.at}
    others = [beside(line, currency, account).pk for currency, account in (("EUR", "UAH"), ("UAH", "EUR"))]
    StatementLine.objects.filter(pk__in=others).update(**numbered)
    assert match_again(**who) == 0
    StatementLine.objects.filter(pk=line.pk).update(**numbered)
    again = beside(line, "UAH")
    assert match_again(**who) == 1 and Match.objects.get().statement_line == line
    StatementLine.objects.filter(pk=again.pk).update(**numbered)
    assert match_again(**who) == 0
    again.refresh_from_db()
    assert (again.status, again.explanation) == ("explained", line.statement.statement_id)
    assert [row.status for row in StatementLine.objects.filter(pk__in=others)] == ["unmatched", "unmatched"]


def test_a_currency_once_told_stays(scene: Scene) -> None:
    line = scene.match().row.statement_line
    rows: list[tuple[Any, dict[str, Any]]] = [
        (StatementLine.objects.filter(pk=line.pk), {"currency": "EUR"}),
        (StatementLine.objects.filter(pk=line.pk), {"statement": beside(line, "EUR", "EUR").statement}),
        (Statement.objects.filter(pk=line.statement_id), {"currency": "EUR"}),
        (Statement.objects.filter(pk=line.statement_id), {"organisation": scene.other}),
    ]
    for found, changed in rows:
        with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
            found.update(**changed)
    assert StatementLine.objects.filter(pk=line.pk).update(counterparty_name="Одержувач") == 1

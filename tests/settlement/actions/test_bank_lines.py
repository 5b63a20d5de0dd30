"""Parts, undoing and the sums that the database keeps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from config.accounts.models import Organisation, User
from config.errors import NotFound
from settlement.actions.bank_lines import (
    LineNotOpen,
    NotToUndo,
    PaidAgain,
    PartTooLarge,
    ReasonMissing,
    ReturnFirst,
    WholeReturnsOnly,
    explain_line,
    match_line,
    split_line,
    undo_explanation,
    undo_match,
)
from settlement.actions.matching import propose_matches
from settlement.actions.payments import PartlyPaid, fail_payment
from settlement.actions.reconciliation import import_statement, match_again
from settlement.actions.runs import propose_payment_run
from settlement.bank_queries import named_payments, only_fitting
from settlement.books import verify_books
from settlement.finance_queries import exceptions
from settlement.gateways.simulated_bank import answer_payment_file
from settlement.models import Claim, Match, Payment, PaymentRun, Statement, StatementLine
from settlement.models.statements import LIVE
from settlement.month_checks import month_checks
from tests.settlement.actions.paid import DAY, bank_file, released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, balances, ready
from tests.settlement.views.town import url
from tests.signed_in import browser

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]


@pytest.fixture
def run(organisation: Organisation, cast: Cast, at: datetime) -> PaymentRun:
    ready(at)
    adjudicated(organisation, at, (1, 24200), (2, 152000))
    return released_run(organisation, cast, at)


@pytest.fixture
def says(run: PaymentRun, cast: Cast, at: datetime) -> dict[str, Any]:
    return {"organisation": run.organisation, "actor": cast["ivan"].as_actor(), "at": at}


def table(run: PaymentRun, cast: Cast, at: datetime, *rows: tuple[str, int]) -> Statement:
    """A statement of MT940 with outgoing (negative) and incoming rows, kopiykas."""
    lines = "".join(
        f":61:2512121212{'C' if money > 0 else 'D'}{abs(money) // 100},{abs(money) % 100:02d}NTRF{name}//B{place}\n"
        for place, (name, money) in enumerate(rows, 1)
    )
    closing = 100_000_000 + sum(amount for _reference, amount in rows)
    text = (
        f":20:S\n:25:{run.organisation.iban}\n:28C:1\n:60F:C251211UAH1000000,00\n{lines}"
        f":62F:C251212UAH{closing // 100},{closing % 100:02d}\n"
    )
    content, actor = text.encode(), cast["halyna"].as_actor()
    [found] = import_statement(organisation=run.organisation, name="s.sta", content=content, actor=actor, at=at)
    return found.statement


BANK_CHECKS = {
    "every entry balances",
    "payments equal the bank",
    "statement lines equal their matches",
    "bank balances equal the ledger",
}


def bank_faults() -> list[Any]:
    """What the books say against the bank; the town of these tests has no claim lines to prove the rest by."""
    return [fault for fault in verify_books() if fault.check in BANK_CHECKS]


def payment_of(run: PaymentRun, code: str) -> Payment:
    return run.payments.get(provider__code=code)


def test_a_payment_that_left_in_two_parts_is_confirmed_once(run: PaymentRun, cast: Cast, at: datetime) -> None:
    first, second = payment_of(run, "P1"), payment_of(run, "P2")
    statement = table(run, cast, at, (first.reference, -24200), (second.reference, -100000), (second.reference, -52000))
    assert statement.status == "reconciled"
    assert set(run.payments.values_list("status", flat=True)) == {"confirmed"}
    assert sorted(Match.objects.values_list("rule", "amount_minor")) == [
        ("end_to_end", -24200),
        ("parts", -100000),
        ("parts", -52000),
    ]
    assert balances(run.organisation)["clearing:bank"] == 0
    assert bank_faults() == []


def test_a_part_waits_for_a_person_and_for_the_rest(
    run: PaymentRun, cast: Cast, says: dict[str, Any], at: datetime
) -> None:
    payment = payment_of(run, "P2")
    statement = table(run, cast, at, (payment.reference, -100000))
    line = statement.lines.get()
    [proposal] = propose_matches(run.organisation, [line], on=at.date()).matches.to_dict("records")
    assert (proposal["rule"], proposal["difference"]) == ("part", 52000)
    part = {"line_id": line.pk, "payment_id": payment.pk, "reason": "перша частина"}
    with pytest.raises(ReasonMissing):
        split_line(**part | {"reason": " "}, amount_minor=100000, **says)
    with pytest.raises(PartTooLarge):
        split_line(**part, amount_minor=100001, **says)
    split_line(**part, amount_minor=60000, **says)
    line.refresh_from_db()
    payment.refresh_from_db()
    assert (line.status, payment.status) == ("partial", "sent")
    assert dict(exceptions(run.organisation).values_list("pk", "open_minor"))[line.pk] == -40000
    assert bank_faults() == []
    assert not [
        check for check in month_checks(run.organisation, NOVEMBER) if check.code == "BANK_DIFFERS" and check.count
    ]
    explain_line(line_id=line.pk, explanation="Решта — комісія", **says)
    line.refresh_from_db()
    assert line.status == "explained" and balances(run.organisation)["suspense:bank"] == 40000
    assert bank_faults() == []


def test_a_match_is_undone_by_a_row_and_made_again(
    run: PaymentRun, cast: Cast, says: dict[str, Any], at: datetime
) -> None:
    first, second = payment_of(run, "P1"), payment_of(run, "P2")
    statement = table(run, cast, at, (first.reference, -24200), (second.reference, -152000))
    run.refresh_from_db()
    assert run.status == "closed"
    match = Match.objects.get(payment=first)
    with pytest.raises(ReasonMissing):
        undo_match(match_id=match.pk, reason="", **says)
    undo_match(match_id=match.pk, reason="не той рядок", **says)
    with pytest.raises(NotFound):
        undo_match(match_id=match.pk, reason="ще раз", **says)
    for row in (first, run, statement):
        row.refresh_from_db()
    line = match.statement_line
    line.refresh_from_db()
    assert (first.status, run.status, statement.status, line.status) == ("sent", "released", "imported", "unmatched")
    assert Match.objects.filter(payment=first).count() == 2 and not Match.objects.filter(payment=first, **LIVE).exists()
    assert Claim.objects.get(provider__code="P1").status == "scheduled"
    assert bank_faults() == []
    match_line(line_id=line.pk, payment_ids=[first.pk], reason="все ж він", **says)
    first.refresh_from_db()
    run.refresh_from_db()
    assert (first.status, run.status) == ("confirmed", "closed")
    assert balances(run.organisation)["clearing:bank"] == 0 and bank_faults() == []


def test_a_payment_that_was_carried_out_in_part_has_not_failed(
    run: PaymentRun, cast: Cast, says: dict[str, Any], at: datetime
) -> None:
    payment = payment_of(run, "P2")
    line = table(run, cast, at, (payment.reference, -60000)).lines.get()
    split_line(line_id=line.pk, payment_id=payment.pk, reason="частина", amount_minor=60000, **says)
    page = browser(cast["ivan"]).get(url("payment", payment.pk)).content.decode()
    assert "Банк виконав частину" in page and url("payment_failed", payment.pk) not in page
    with pytest.raises(PartlyPaid):
        fail_payment(payment_id=payment.pk, reason="банк відмовив", **says)
    with pytest.raises(IntegrityError, match="carried out a part"), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(status="failed")
    undo_match(match_id=Match.objects.get().pk, reason="не той рядок", **says)
    failed = fail_payment(payment_id=payment.pk, reason="банк відмовив", **says)
    assert failed.status == "failed" and not failed.items.get().live
    assert bank_faults() == []


def told_of_the_failed(run: PaymentRun, cast: Cast, says: dict[str, Any], at: datetime) -> tuple[Payment, Payment, Any]:
    """A payment called failed, the one made instead, and a line that pays the first after all."""
    failed = payment_of(run, "P1")
    fail_payment(payment_id=failed.pk, reason="банк відмовив", **says)
    second = released_run(run.organisation, cast, at)
    line = StatementLine(
        end_to_end_id=failed.reference,
        amount_minor=-24200,
        currency="UAH",
        booked_on=DAY,
        counterparty_iban=failed.iban,
        remittance_text=f"за листопад, {failed.rf_reference}",
        position=1,
        status="unmatched",
        status_at=at,
    )
    return failed, second.payments.get(), line


def test_money_of_a_failed_payment_is_not_booked_on_the_one_made_instead(
    run: PaymentRun, cast: Cast, says: dict[str, Any], at: datetime
) -> None:
    failed, instead, line = told_of_the_failed(run, cast, says, at)
    line.statement = table(run, cast, at, ("NONREF", -5))
    line.position = 2
    line.save()
    match_again(**says)
    instead.refresh_from_db()
    assert instead.status != "confirmed" and not Match.objects.exists()
    [proposal] = propose_matches(run.organisation, [line], on=at.date()).matches.to_dict("records")
    assert (proposal["rule"], proposal["payment"]) == ("names_another", instead.pk)
    assert named_payments(line) == [failed] and only_fitting(line, line.amount_minor) is None
    with pytest.raises(ReasonMissing):
        match_line(line_id=line.pk, payment_ids=[instead.pk], reason="", **says)
    page = browser(cast["ivan"]).get(url("statement_line", line.pk)).content.decode()
    assert failed.reference in page
    # The same line without a name is that payment for sure.
    line.end_to_end_id = line.remittance_text = ""
    line.save()
    match_again(**says)
    instead.refresh_from_db()
    assert instead.status == "confirmed"


@pytest.mark.parametrize("text", ["оплата PAY-2025-00001", "NOTPROVIDED"])
def test_an_id_in_the_words_of_a_line_names_its_payment(
    run: PaymentRun, cast: Cast, says: dict[str, Any], at: datetime, text: str
) -> None:
    failed, instead, line = told_of_the_failed(run, cast, says, at)
    line.statement = table(run, cast, at, ("NONREF", -5))
    line.position, line.end_to_end_id = 2, ""
    line.remittance_text = text.replace("PAY-2025-00001", failed.reference)
    line.save()
    match_again(**says)
    instead.refresh_from_db()
    assert (instead.status == "confirmed") is (text == "NOTPROVIDED")


def test_a_return_is_undone_before_its_payment(run: PaymentRun, cast: Cast, says: dict[str, Any], at: datetime) -> None:
    content = answer_payment_file(bank_file(run, at))
    import_statement(
        organisation=run.organisation, name="s.xml", content=content, actor=cast["halyna"].as_actor(), at=at
    )
    returned = run.payments.get(status="returned")
    paid, back = Match.objects.filter(payment=returned).order_by("id")
    with pytest.raises(ReturnFirst):
        undo_match(match_id=paid.pk, reason="помилка", **says)
    with pytest.raises(WholeReturnsOnly):
        line = StatementLine.objects.get(status="unmatched")
        split_line(line_id=line.pk, payment_id=returned.pk, amount_minor=5, reason="частина", **says)
    undo_match(match_id=back.pk, reason="помилка", **says)
    returned.refresh_from_db()
    assert returned.status == "confirmed" and returned.items.get().live
    assert bank_faults() == []


def test_what_was_paid_again_cannot_be_called_not_returned(
    run: PaymentRun, cast: Cast, says: dict[str, Any], at: datetime
) -> None:
    content = answer_payment_file(bank_file(run, at))
    actor = cast["halyna"].as_actor()
    import_statement(organisation=run.organisation, name="s.xml", content=content, actor=actor, at=at)
    propose_payment_run(organisation=run.organisation, period=NOVEMBER, actor=actor, at=at)
    back = Match.objects.get(kind="return")
    with pytest.raises(PaidAgain):
        undo_match(match_id=back.pk, reason="помилка", **says)


def test_an_explanation_is_undone_and_given_again(
    run: PaymentRun, cast: Cast, says: dict[str, Any], at: datetime
) -> None:
    statement = table(run, cast, at, ("NONREF", 5000))
    line = statement.lines.get()
    with pytest.raises(LineNotOpen):
        undo_explanation(line_id=line.pk, reason="рано", **says)
    for words in ("внесок", "таки повернення податку"):
        explain_line(line_id=line.pk, explanation=words, **says)
        assert balances(run.organisation)["suspense:bank"] == -5000
        undo_explanation(line_id=line.pk, reason="помилка", **says)
        assert balances(run.organisation)["suspense:bank"] == 0
    line.refresh_from_db()
    assert (line.status, line.explanation, line.explained_by) == ("unmatched", "", None)
    assert bank_faults() == []


def test_the_only_payment_that_fits_needs_no_reason_and_a_choice_between_two_does(
    run: PaymentRun, cast: Cast, says: dict[str, Any], at: datetime
) -> None:
    adjudicated(run.organisation, at, (3, 30000), (4, 30000), number=2)
    twins = released_run(run.organisation, cast, at)
    plain, twin, odd = table(run, cast, at, *[("NONREF", -sum_) for sum_ in (24200, 30000, 151999)]).lines.order_by(
        "position"
    )
    maker = browser(cast["halyna"], "en")
    for line, needed in ((plain, False), (twin, True), (odd, True)):
        assert line.status == "unmatched"
        form = maker.get(url("statement_line", line.pk)).context["match_form"]
        assert form.fields["reason"].required is needed
    third = payment_of(twins, "P3")
    with pytest.raises(ReasonMissing):
        match_line(line_id=twin.pk, payment_ids=[third.pk], reason=" ", **says)
    refused = maker.post(url("statement_line", twin.pk), {"step": "match", "payments": [third.pk], "reason": ""})
    assert refused.context["form"].errors.keys() == {"reason"}
    wrong = maker.post(url("statement_line", plain.pk), {"step": "match", "payments": [third.pk], "reason": ""})
    assert wrong.context["form"].errors.keys() == {"reason"} and not Match.objects.exists()
    first = payment_of(run, "P1")
    maker.post(url("statement_line", plain.pk), {"step": "match", "payments": [first.pk], "reason": ""})
    first.refresh_from_db()
    assert (first.status, Match.objects.get().rule) == ("confirmed", "by_hand")


def test_what_the_bank_told_twice_stays_closed(run: PaymentRun, cast: Cast, says: dict[str, Any], at: datetime) -> None:
    """The same record with the bank's own number in a second table of the same days counts once."""
    table(run, cast, at, ("NONREF", 5000))
    text = (
        f":20:T\n:25:{run.organisation.iban}\n:28C:2\n:60F:C251211UAH1000000,00\n"
        ":61:2512121212C50,00NTRFNONREF//B1\n:61:2512121212C50,00NTRFNONREF//B2\n:62F:C251212UAH1000100,00\n"
    )
    [found] = import_statement(
        organisation=run.organisation, name="t.sta", content=text.encode(), actor=cast["halyna"].as_actor(), at=at
    )
    first, second = found.statement.lines.order_by("position")
    assert (first.status, second.status) == ("explained", "unmatched")
    with pytest.raises(NotToUndo):
        undo_explanation(line_id=first.pk, reason="відкрити", **says)
    # What told it first is not told twice by that: its own line still waits for a person.
    match_again(**says)
    assert StatementLine.objects.exclude(statement=found.statement).get().status == "unmatched"


def test_the_database_keeps_the_sums(run: PaymentRun, cast: Cast, at: datetime) -> None:
    first, second = payment_of(run, "P1"), payment_of(run, "P2")
    table(run, cast, at, (first.reference, -24200), (second.reference, -152000))
    match = Match.objects.get(payment=first)
    copy = {
        "statement_line": match.statement_line,
        "payment": match.payment,
        "kind": "payment",
        "rule": "by_hand",
        "confidence": 100,
        "matched_at": at,
    }
    for wrong in (
        {"amount_minor": -1},
        {"amount_minor": 24200, "undoes": match, "reason": ""},
        {"amount_minor": 24199, "undoes": match, "reason": "менше"},
        {"amount_minor": 5, "payment": second},
    ):
        with pytest.raises(IntegrityError):
            Match.objects.create(**copy | wrong)
    with pytest.raises(Exception, match="Cannot update"), connection.cursor() as cursor:
        cursor.execute("UPDATE settlement_match SET amount_minor = 1")
    assert Match.objects.count() == 2

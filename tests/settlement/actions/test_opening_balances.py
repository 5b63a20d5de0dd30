"""Each account at a bank is an account of the ledger, from the opening balance of its first statement on."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from django.db import connection

from config.accounts.models import Organisation, User
from settlement.actions.bank_lines import explain_line
from settlement.actions.month_close import close_month
from settlement.actions.reconciliation import accept_statement, import_statement
from settlement.books import verify_books
from settlement.gateways.simulated_bank import answer_payment_file
from settlement.models import Entry, PaymentRun, Posting, Statement, StatementLine
from settlement.month_checks import month_checks
from tests.settlement.actions.paid import bank_file, released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, balances, owe, ready
from tests.settlement.actions.told import SECOND, told

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]


@pytest.fixture
def office(organisation: Organisation, at: datetime) -> Organisation:
    ready(at)
    organisation.other_ibans = [SECOND]
    organisation.save()
    return organisation


def bring(office: Organisation, content: bytes, cast: Cast, at: datetime) -> None:
    import_statement(organisation=office, name="s.xml", content=content, actor=cast["halyna"].as_actor(), at=at)


def explain_all(office: Organisation, cast: Cast, at: datetime) -> None:
    for line in StatementLine.objects.filter(status="unmatched"):
        explain_line(organisation=office, line_id=line.pk, explanation="Пожертва", actor=cast["ivan"].as_actor(), at=at)


def test_each_bank_account_has_its_own_account_and_opening(office: Organisation, cast: Cast, at: datetime) -> None:
    owe(office, adjudicated(office, at, (1, 24200), (2, 152000)), at)
    run: PaymentRun = released_run(office, cast, at)
    bring(office, answer_payment_file(bank_file(run, at)), cast, at)
    bring(office, told("2025-12-15", "18250.00", "5000.00", "-119.50"), cast, at)
    assert _bank_faults() == []  # lines that wait for a person are taken into account
    explain_all(office, cast, at)
    found = balances(office)
    assert found[f"bank:{SECOND}"] == 23_130_50
    # One payment went out, the other came back, an unexpected receipt stays; the opening is what the bank said.
    assert found[f"bank:{office.iban}"] == 100_000_000 + 176_200 - 24_200 + 123_456
    assert found["funding:opening"] == -(100_000_000 + 176_200 + 18_250_00)
    assert _bank_faults() == []
    assert not [check for check in month_checks(office, NOVEMBER) if check.code == "BANK_DIFFERS" and not check.ok]
    assert Entry.objects.filter(event="opening.added").count() == 2


def test_the_opening_is_posted_on_the_first_booking_day_and_once(
    office: Organisation, cast: Cast, at: datetime
) -> None:
    bring(office, told("2025-12-12", "100.00", "5.00"), cast, at)
    bring(office, told("2025-12-15", "105.00", "7.00", sequence=2), cast, at)
    bring(office, told("2025-12-12", "100.00", "5.00"), cast, at)
    assert [entry.date for entry in Entry.objects.all()] == [date(2025, 12, 12)]
    explain_all(office, cast, at)
    assert balances(office) == {f"bank:{SECOND}": 11200, "suspense:bank": -1200, "funding:opening": -10000}
    assert _bank_faults() == []


def test_an_overdrawn_account_opens_on_the_credit_side(office: Organisation, cast: Cast, at: datetime) -> None:
    bring(office, told("2025-12-12", "-40.00", "5.00"), cast, at)
    assert balances(office) == {f"bank:{SECOND}": -4000, "funding:opening": 4000}
    assert _bank_faults() == []


def test_an_earlier_statement_that_comes_later_replaces_the_opening(
    office: Organisation, cast: Cast, at: datetime
) -> None:
    bring(office, told("2025-12-15", "105.00", "7.00", sequence=2), cast, at)
    bring(office, told("2025-12-12", "100.00", "5.00"), cast, at)
    assert balances(office) == {f"bank:{SECOND}": 10000, "funding:opening": -10000}
    assert Entry.objects.exclude(reverses=None).get().event == "opening.lowered"
    explain_all(office, cast, at)
    assert balances(office)[f"bank:{SECOND}"] == 11200
    assert _bank_faults() == []


def test_the_first_statement_that_disagrees_is_named(office: Organisation, cast: Cast, at: datetime) -> None:
    bring(office, told("2025-12-12", "100.00", "5.00"), cast, at)
    bring(office, told("2025-12-15", "105.00", "7.00", sequence=2), cast, at)
    bring(office, told("2025-12-16", "112.00", "1.00", sequence=3), cast, at)
    explain_all(office, cast, at)
    assert _bank_faults() == []
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        Posting.objects.filter(debit=700).update(debit=701)
        cursor.execute("SET session_replication_role = DEFAULT")
    assert _bank_faults() == [(f"statement S-2025-12-15-2 of {SECOND}", "11200", "11201")]
    assert "BANK_DIFFERS" in {check.code for check in month_checks(office, date(2025, 12, 1)) if not check.ok}


def test_a_missing_statement_is_noticed_by_the_next_balance(office: Organisation, cast: Cast, at: datetime) -> None:
    bring(office, told("2025-12-12", "100.00", "5.00"), cast, at)
    bring(office, told("2025-12-16", "112.00", "1.00", sequence=3), cast, at)
    waiting = Statement.objects.get(status="quarantined")
    assert [problem["code"] for problem in waiting.problems] == ["SEQUENCE_GAP", "OPENING_NOT_CLOSING"]
    assert _bank_faults() == []
    reason = "Банк підтвердив листом"
    actor = cast["ivan"].as_actor()
    accept_statement(organisation=office, statement_id=waiting.pk, reason=reason, actor=actor, at=at)
    assert _bank_faults() == [(f"statement S-2025-12-16-3 of {SECOND}", "11300", "10600")]


def mt940(day: str, opening: str, closing: str) -> bytes:
    """A statement in the other format, numbered 99, with one receipt."""
    receipt = Decimal(closing) - Decimal(opening)
    lines = (
        ":20:OTHER",
        f":25:{SECOND}",
        ":28C:99/1",
        f":60F:C{day}UAH{opening.replace('.', ',')}",
        f":61:{day}{day[2:]}C{str(receipt).replace('.', ',')}NTRFNONREF//REF99",
        f":62F:C{day}UAH{closing.replace('.', ',')}",
    )
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    ("opening", "closing", "status", "problems"),
    [
        ("105.00", "112.00", "imported", []),
        (
            "1000000.00",
            "1000007.00",
            "quarantined",
            [
                {
                    "code": "OPENING_NOT_CLOSING",
                    "severity": "block",
                    "params": {"expected": "105.00", "found": "1000000.00"},
                }
            ],
        ),
    ],
)
@pytest.mark.parametrize("day", ["251212", "251216"])
def test_balances_meet_whatever_the_format_and_the_number(
    office: Organisation,
    cast: Cast,
    at: datetime,
    day: str,
    opening: str,
    closing: str,
    status: str,
    problems: list[dict[str, object]],
) -> None:
    bring(office, told("2025-12-12", "100.00", "5.00"), cast, at)
    bring(office, mt940(day, opening, closing), cast, at)
    found = Statement.objects.get(format="MT940")
    assert (found.status, found.problems) == (status, problems)
    assert _bank_faults() == []


def test_a_late_statement_is_compared_with_the_one_before_it_alone(
    office: Organisation, cast: Cast, at: datetime
) -> None:
    bring(office, told("2025-12-10", "100.00", "5.00"), cast, at)
    bring(office, told("2025-12-16", "112.00", "1.00", sequence=3), cast, at)
    bring(office, told("2025-12-12", "105.00", "6.00", sequence=2), cast, at)
    bring(office, told("2025-12-13", "104.00", "6.00", sequence=2), cast, at)
    states = dict(Statement.objects.values_list("statement_id", "status"))
    assert states["S-2025-12-12-2"] == "imported" and states["S-2025-12-13-2"] == "quarantined"


def test_what_waits_or_was_thrown_out_is_no_measure_and_the_same_day_told_again_is_no_fault(
    office: Organisation, cast: Cast, at: datetime
) -> None:
    bring(office, told("2025-12-12", "100.00", "5.00"), cast, at)
    bring(office, mt940("251212", "100.00", "105.00"), cast, at)
    bring(office, told("2025-12-15", "1000.00", "5.00", sequence=2), cast, at)
    bring(office, told("2025-12-16", "105.00", "5.00", sequence=3), cast, at)
    states = dict(Statement.objects.values_list("statement_id", "status"))
    assert [name for name, status in states.items() if status == "quarantined"] == ["S-2025-12-15-2"]


def test_two_statements_of_one_day_are_proven_one_by_one(office: Organisation, cast: Cast, at: datetime) -> None:
    bring(office, told("2025-12-12", "100.00", "5.00"), cast, at)
    bring(office, told("2025-12-12", "105.00", "7.00", sequence=2), cast, at)
    assert _bank_faults() == []
    explain_all(office, cast, at)
    assert _bank_faults() == []


def test_the_month_closes_with_opening_balances(office: Organisation, cast: Cast, at: datetime) -> None:
    bring(office, told("2025-11-28", "100.00", "5.00"), cast, at)
    explain_all(office, cast, at)
    closed = close_month(organisation=office, month=NOVEMBER, actor=cast["ivan"].as_actor(), at=at)
    assert {row["code"]: row["count"] for row in closed.checks}["BANK_DIFFERS"] == 0


def _bank_faults() -> list[tuple[str, str, str]]:
    faults = [fault for fault in verify_books() if fault.check == "bank balances equal the ledger"]
    return [(fault.row, fault.expected, fault.found) for fault in faults]

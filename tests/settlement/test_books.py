"""The proof of the books: nothing in a whole month, and the row that was corrupted behind the triggers."""

from __future__ import annotations

import io
import json
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from contracts.actions.budgets import add_budget_line, amend_budget_line
from settlement.books import CHECKS, verify_books
from settlement.models import Payment
from tests.conftest import AT

pytestmark = pytest.mark.django_db


def test_a_whole_month_agrees(books: Organisation) -> None:
    assert sorted(Payment.objects.values_list("status", flat=True)) == ["confirmed", "returned"]
    out = io.StringIO()
    call_command("verify_books", stdout=out)
    assert f"перевірок: {len(CHECKS)}, рядків, що не сходяться: 0. Книги сходяться" in out.getvalue()
    assert verify_books() == []


_NOTICE = (
    "INSERT INTO settlement_feenotice (organisation_id, recipient_id, month, number, rf_reference, issued_at) "
    "SELECT organisation_id, id, '2025-11-01', 'FN-1', 'RF1', registered_at FROM vouchers_recipient LIMIT 1; "
)

_CLAWBACK = (
    "INSERT INTO settlement_clawbackcase (organisation_id, number, provider_id, contract_number, found_by, finding, "
    "ground, look_back_from, rf_reference, opened_by_id, opened_at, notified_at, reply_until, outcome, "
    "decision_reason, decided_by_id, decided_at, return_until, status, debt_minor) "
    "SELECT o.id, 'CB-1', min(p.id), '', 'office', 'x', 'x', '2020-01-01', 'RF1', min(u.id), now(), now(), "
    "'2026-01-01', 'whole', 'x', max(u.id), now(), '2026-01-01', 'decided', 0 "
    "FROM accounts_organisation o, accounts_user u, contracts_provider p GROUP BY o.id; "
    "INSERT INTO settlement_clawbackline (case_id, claim_line_id, amount_minor, upheld_minor) "
    "SELECT k.id, min(l.id), {amount}, {amount} FROM settlement_clawbackcase k, settlement_claimline l GROUP BY k.id"
)

_ADVANCE = (
    "INSERT INTO settlement_advance (organisation_id, number, provider_id, contract_id, budget_line_id, amount_minor, "
    "purpose, use_until, rule, rf_reference, proposed_by_id, proposed_at, approved_by_id, approved_at, status, "
    "return_reason) SELECT k.organisation_id, 'ADV-1', k.provider_id, k.id, k.budget_line_id, 5, 'x', '2025-12-31', "
    "'{}', 'RF1', min(u.id), now(), max(u.id), now(), 'paid', '' FROM contracts_contract k, accounts_user u "
    "GROUP BY k.id ORDER BY k.id LIMIT 1"
)

# tests/settlement/actions has a correction and a clearing statement to corrupt; an appropriation below.
ELSEWHERE = (
    "appropriations are what the trail says",
    "visits to be cleared equal their decisions",
    "refunds of visits equal what the norm cost leaves",
    "clearing statements equal their lines",
    "payments of clearing equal their statements",
    "neighbours equal the ledger",
    "neighbours agree with each other",
    "corrections equal what was posted",
    "corrected lines equal their decisions",
    "corrected lines were what was decided before",
)
# check, statement that corrupts one row, what the command must name
CORRUPTIONS = [
    (
        "rows are as they were sealed",
        "UPDATE contracts_contractline SET unit_rate = unit_rate + 1",
        "contracts_contractline ",
    ),
    (
        "every entry balances",
        "UPDATE settlement_posting SET debit = debit + 1 WHERE id = (SELECT min(id) FROM settlement_posting "
        "WHERE debit > 0)",
        "E-2025-",
    ),
    (
        "every posting has its entry, account and one side",
        "UPDATE settlement_posting SET account_id = 0 WHERE id = (SELECT min(id) FROM settlement_posting)",
        "posting ",
    ),
    (
        "entries are of the event that their key names",
        "UPDATE settlement_entry SET event = 'payment.returned' WHERE event = 'payment.confirmed'",
        "entry E-2025-",
    ),
    (
        "entries stand on the day of their cause",
        "UPDATE settlement_posting SET date = date - 40 WHERE entry_id IN (SELECT id FROM settlement_entry "
        "WHERE event = 'claim.adjudicated'); "
        "UPDATE settlement_entry SET date = date - 40 WHERE event = 'claim.adjudicated'",
        "entry E-2025-",
    ),
    (
        "postings name the claim or payment of their entry",
        "UPDATE settlement_posting SET claim_id = NULL WHERE id = (SELECT min(id) FROM settlement_posting "
        "WHERE claim_id IS NOT NULL)",
        "posting ",
    ),
    ("budget lines are not overspent", "UPDATE contracts_budgetline SET amount = 1", "budget line B1 2025"),
    (
        "budget spending equals the ledger",
        "UPDATE contracts_budgetentry SET amount_minor = amount_minor - 1 WHERE kind = 'spending'",
        "budget line B1 2025",
    ),
    (
        "claims' spending equals what is allowed",
        "UPDATE contracts_budgetentry SET label = 'settlement.claim:0' WHERE id = "
        "(SELECT min(id) FROM contracts_budgetentry WHERE kind = 'spending')",
        "settlement.claim:0",
    ),
    (
        "commitments stay within their agreements",
        "INSERT INTO contracts_budgetentry (budget_line_id, kind, amount_minor, label, occurred_on, recorded_at) "
        "SELECT budget_line_id, 'commitment', 5, 'contracts.contract:' || id, valid_from, now() "
        "FROM contracts_contract WHERE number = 'K2'",
        "contract K2",
    ),
    (
        "commitments equal what grants have not used",
        "UPDATE contracts_contract SET basis = 'grant', signed_at = now(), ceiling = 100000 WHERE number = 'K2'",
        "contract K2",
    ),
    (
        "certificate reservations equal the budget's",
        "UPDATE contracts_budgetentry SET amount_minor = amount_minor - 1 WHERE id = "
        "(SELECT min(id) FROM contracts_budgetentry WHERE kind = 'reservation')",
        "certificate C1",
    ),
    (
        "certificates reserve what their services expect",
        "UPDATE vouchers_certificateline SET expected_minor = 59999",
        "certificate C1",
    ),
    (
        "every reservation has its certificate",
        "UPDATE contracts_budgetentry SET label = 'vouchers.certificate:0' WHERE kind = 'reservation'",
        "vouchers.certificate:0",
    ),
    (
        "lines of closed years are at rest",
        "INSERT INTO contracts_closedbudgetline (budget_line_id, successor_id, unspent_minor, closed_at) "
        "SELECT id, 0, 0, now() FROM contracts_budgetline",
        "budget line B1 2025",
    ),
    (
        "results of closed years equal what was spent",
        "INSERT INTO settlement_yearclosing (organisation_id, year, plan, content_sha256, status, proposed_at, "
        "proposed_by_id, approved_by_id) SELECT o.id, 2025, '{}', '', 'approved', now(), min(u.id), max(u.id) "
        "FROM accounts_organisation o, accounts_user u GROUP BY o.id",
        "year 2025",
    ),
    (
        "certificate balances are possible",
        "UPDATE vouchers_certificateentry SET units_milli = -99000 WHERE kind = 'captured'",
        "certificate C1 015.1",
    ),
    (
        "certificates hold what was issued",
        "UPDATE vouchers_certificateentry SET units_milli = units_milli - 1 WHERE kind = 'issued'",
        "certificate C1 015.1",
    ),
    (
        "reported visits took what was allowed",
        "UPDATE vouchers_certificateentry SET redemption_id = NULL WHERE kind = 'captured'",
        "certificate C1 015.1",
    ),
    (
        "redemptions equal certificate movements",
        "UPDATE vouchers_certificateentry SET units_milli = -400 WHERE redemption_id IN "
        "(SELECT id FROM vouchers_redemption WHERE code = 'ON-1')",
        "redemption ON-1",
    ),
    (
        "decisions repeat what was claimed",
        "UPDATE settlement_claimline SET units_milli = units_milli + 1 WHERE id = "
        "(SELECT min(id) FROM settlement_claimline)",
        "claim A-1 line 1",
    ),
    (
        "findings explain every line",
        "UPDATE settlement_finding SET amount = amount + 1 WHERE check_code = 'CLM-16'",
        "claim A-2 line 1",
    ),
    (
        "remittances equal adjudications",
        "UPDATE settlement_adjudication SET gross = gross + 1, payable = payable + 1 WHERE id = "
        "(SELECT min(id) FROM settlement_adjudication)",
        "claim A-1 run 1",
    ),
    (
        "runs equal their remittances",
        "UPDATE settlement_adjudicationrun SET gross_minor = gross_minor + 1",
        "run 2025-11",
    ),
    (
        "runs count what they judged",
        "UPDATE settlement_adjudicationrun SET lines = lines + 1",
        "run 2025-11",
    ),
    (
        "runs equal their fingerprints",
        "UPDATE settlement_adjudication SET units_allowed = units_allowed + 1 WHERE id = "
        "(SELECT min(id) FROM settlement_adjudication)",
        "run 2025-11",
    ),
    (
        "claims equal payables",
        "UPDATE settlement_remittance SET reductions = reductions - 5, gross = gross + 5, payable = payable + 5 "
        "WHERE claim_id = (SELECT id FROM settlement_claim WHERE number = 'A-2')",
        "claim A-2",
    ),
    (
        "payment runs equal what they took",
        "UPDATE settlement_paymentrun SET total = total + 1",
        "payment run PR-2025-",
    ),
    (
        "payments equal the remittances they pay",
        "UPDATE settlement_payment SET amount = amount + 1 WHERE status = 'returned'",
        "payment PAY-2025-",
    ),
    (
        "payments equal the bank file",
        "UPDATE settlement_payment SET iban = 'UA00' WHERE status = 'returned'",
        "payment PAY-2025-",
    ),
    ("payments equal the bank", "UPDATE settlement_match SET amount_minor = amount_minor + 1 WHERE kind = 'payment'",
     "payment PAY-2025-"),
    (
        "transfers equal the balance of card payments",
        "UPDATE settlement_payment SET gateway = 'stripe' WHERE status = 'confirmed'",
        "payment PAY-2025-",
    ),
    (
        "fee notices equal the ledger",
        _NOTICE + "INSERT INTO settlement_feecharge (notice_id, provider_id, amount_minor, charged_at) "
        "SELECT n.id, p.id, 5, n.issued_at FROM settlement_feenotice n, contracts_provider p LIMIT 1",
        "fee notice FN-1",
    ),
    (
        "refunds of fees stay within receipts",
        _NOTICE
        + "INSERT INTO settlement_feereceipt (notice_id, method, amount_minor, payment, received_on, recorded_at, "
        "reason) SELECT id, 'card', 5, 'pi_1', month, issued_at, '' FROM settlement_feenotice; "
        "INSERT INTO settlement_feerefund (receipt_id, amount_minor, reason, requested_at, status, gateway_reference) "
        "SELECT id, 6, '', recorded_at, 'requested', '' FROM settlement_feereceipt",
        "receipt of fee notice FN-1",
    ),
    (
        "refunds by bank equal their bank lines",
        _NOTICE
        + "INSERT INTO settlement_feereceipt (notice_id, method, amount_minor, payment, statement_line_id, "
        "received_on, recorded_at, reason) SELECT n.id, 'bank', 5, '', l.id, n.month, n.issued_at, '' "
        "FROM settlement_feenotice n, settlement_statementline l LIMIT 1; "
        "INSERT INTO settlement_feerefund (receipt_id, amount_minor, reason, requested_at, status, gateway_reference) "
        "SELECT id, 4, '', recorded_at, 'refunded', '' FROM settlement_feereceipt",
        "refund of fee notice FN-1 of 4",
    ),
    ("clawbacks equal the ledger", _CLAWBACK.format(amount=5), "clawback CB-1 decided"),
    ("clawbacks ask for what the trail says", _CLAWBACK.format(amount=5), "clawback CB-1"),
    ("clawbacks stay within what was paid", _CLAWBACK.format(amount=9_999_999), "claim A-"),
    (
        "debts asked back are whole and in no payment",
        _CLAWBACK.format(amount=5)
        + "; UPDATE settlement_clawbackcase SET found_by = 'correction', debt_minor = 5, debt_period = '2025-11-01'",
        "clawback CB-1",
    ),
    (
        "offsets equal what advances and clawbacks got",
        "UPDATE settlement_remittance SET offsets = 5, payable = payable - 5 WHERE id = "
        "(SELECT min(id) FROM settlement_remittance)",
        "claim A-",
    ),
    ("advances equal the ledger", _ADVANCE, "advance ADV-1 paid"),
    ("advances are what the trail says", _ADVANCE, "advance ADV-1"),
    ("advances are paid as their state says", _ADVANCE, "advance ADV-1 paid"),
    (
        "claims use advances of their contract",
        _ADVANCE + "; INSERT INTO settlement_advanceuse (advance_id, remittance_id, amount_minor, used_on, "
        "recorded_at) SELECT a.id, m.id, 5, now(), now() FROM settlement_advance a JOIN settlement_remittance m "
        "ON m.provider_id = a.provider_id ORDER BY m.id LIMIT 1",
        "contract ",
    ),
    (
        "statement lines equal their matches",
        "UPDATE settlement_statementline SET amount_minor = amount_minor - 1 WHERE status = 'matched'",
        "statement line ",
    ),
    (
        "what was undone is undone as it was",
        "INSERT INTO settlement_match (statement_line_id, payment_id, kind, amount_minor, rule, confidence, reason, "
        "matched_at, undoes_id) SELECT statement_line_id, payment_id, kind, 1 - amount_minor, 'undo', 100, 'x', "
        "matched_at, id FROM settlement_match WHERE id = (SELECT min(id) FROM settlement_match)",
        "match ",
    ),
    (
        "explained lines equal what was posted",
        "UPDATE settlement_statementline SET status = 'explained', explained_by_id = (SELECT min(id) FROM "
        "accounts_user) WHERE status = 'matched' AND id = (SELECT min(id) FROM settlement_statementline); "
        "DELETE FROM settlement_match WHERE statement_line_id = (SELECT min(id) FROM settlement_statementline)",
        "statement line ",
    ),
    (
        "lines add up to the balances of their statement",
        "UPDATE settlement_statement SET opening_minor = opening_minor + 1",
        "statement ST-",
    ),
    (
        "bank balances equal the ledger",
        "UPDATE settlement_statement SET closing_minor = closing_minor + 1",
        "statement ST-",
    ),
]  # fmt: skip


def test_every_check_has_its_corruption() -> None:
    assert [check for check, *_ in CORRUPTIONS] == [check for check in CHECKS if check not in ELSEWHERE]


# A line of 0.03 that one notice takes twice: 0.01 and 0.02.
_TWICE = """
INSERT INTO settlement_feenotice (organisation_id, recipient_id, month, number, rf_reference, issued_at)
SELECT s.organisation_id, (SELECT min(id) FROM vouchers_recipient), '2025-11-01', 'FN-1', 'RF1', now()
FROM settlement_statement s ORDER BY s.id LIMIT 1;
INSERT INTO settlement_statementline (statement_id, position, booked_on, amount_minor, currency, status, end_to_end_id,
    bank_reference, counterparty_iban, counterparty_name, remittance_text, return_reason, is_return, explanation)
SELECT min(statement_id), 999, '2025-12-01', 3, 'UAH', 'matched', '', '', '', '', '', '', false, ''
FROM settlement_statementline;
INSERT INTO settlement_feereceipt (notice_id, method, payment, statement_line_id, amount_minor, received_on,
    recorded_at, reason)
SELECT n.id, 'bank', '', l.id, a.amount, l.booked_on, now(), ''
FROM settlement_feenotice n, settlement_statementline l, (VALUES (1), (2)) a (amount)
WHERE n.number = 'FN-1' AND l.position = 999
"""
# What a second look found: rows that no sum over many would notice, and the check that does.
LOOK_AGAIN = [
    ("decisions repeat what was claimed", "UPDATE settlement_claimline SET unit_rate_e4 = unit_rate_e4 + 1"),
    ("runs count what they judged",
     "UPDATE settlement_adjudicationrun SET amount_claimed_minor = amount_claimed_minor + 1"),
    ("runs equal their fingerprints", "UPDATE settlement_finding SET check_code = 'CLM-15'"),
    ("runs equal their fingerprints", "UPDATE settlement_adjudication SET outcome = 'accepted'"),
    ("postings name the claim or payment of their entry", "UPDATE settlement_posting SET payment_id = NULL"),
    ("payments equal the bank file", "UPDATE settlement_payment SET reference = 'X' WHERE status = 'returned'"),
    ("lines add up to the balances of their statement",
     "UPDATE settlement_statementline SET amount_minor = amount_minor + 1"),
    ("statement lines equal their matches", _TWICE),
    ("statement lines equal their matches",
     "UPDATE settlement_statementline SET status = 'partial' WHERE status = 'matched'"),
    ("certificates hold what was issued", "UPDATE vouchers_certificateline SET units = units + 1"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "statement"), LOOK_AGAIN)
def test_single_rows_are_proved(books: Organisation, as_owner: None, check: str, statement: str) -> None:
    assert verify_books() == []
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
    assert check in {fault.check for fault in verify_books()}


def test_an_appropriation_is_what_the_trail_says(books: Organisation) -> None:
    line = add_budget_line(organisation=books, code="B9", year=2025, amount=Decimal(100), actor=SYSTEM, at=AT)
    assert verify_books() == []
    amend_budget_line(line=line, amount=Decimal("150.50"), basis="x", actor=SYSTEM, at=AT)
    assert verify_books() == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE contracts_budgetline SET amount = amount + 1 WHERE code = 'B9'")
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    (fault,) = [fault for fault in verify_books() if fault.check == "appropriations are what the trail says"]
    assert (fault.row, fault.expected, fault.found) == ("budget line B9 2025", "150.50", "151.50")


@pytest.mark.parametrize(("check", "statement", "named"), CORRUPTIONS, ids=[check for check, *_ in CORRUPTIONS])
def test_corrupted_row_is_named(books: Organisation, as_owner: None, check: str, statement: str, named: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_books", "--json", stdout=out)
    assert ended.value.code == 1
    faults = json.loads(out.getvalue())["faults"]
    assert [fault for fault in faults if fault["check"] == check and fault["row"].startswith(named)], faults

"""The proof of the books: nothing in a whole month, and the row that was corrupted behind the triggers."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from config.accounts.models import Organisation, User
from settlement.actions.reconciliation import import_statement
from settlement.books import CHECKS, verify_books
from settlement.gateways.simulated_bank import answer_payment_file
from settlement.models import Payment
from tests.oracle.small import add, add_visit
from tests.settlement.actions.month import AT, free_visits, imported, judge, reserve
from tests.settlement.actions.paid import bank_file, released_run
from tests.settlement.actions.payables import ready
from tests.settlement.gateways.orders import account
from vouchers.models import Certificate, CertificateEntry, CertificateLine, Redemption

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(tmp_path: Path) -> Organisation:
    """Two providers, adjudicated, paid; the bank confirms one payment and returns the other."""
    tables = free_visits()
    add(tables, "providers", **(tables["providers"][0] | {"code": "P2", "name": "Інші"}))
    for number, row in enumerate(tables["providers"], 1):
        row["iban"] = account(1000 + number)
    add(tables, "workers", code="W2", provider_code="P2", name="Петро")
    add(tables, "worker_qualifications", worker_code="W2", service_code="015.1", valid_from="2024-01-01")
    add(tables, "contracts", **(tables["contracts"][0] | {"number": "K2", "provider_code": "P2"}))
    add(tables, "contract_lines", contract_number="K2", service_code="015.1", unit_rate="95")
    add(tables, "claims", **(tables["claims"][0] | {"number": "A-2", "provider_code": "P2", "contract_number": "K2"}))
    add_visit(tables, "2025-11-05", claim_number="A-2", worker_code="W2", unit_rate="100")
    tables["redemptions"][-1]["provider_code"] = "P2"
    office = imported(tables, tmp_path)
    office.iban = account(1)
    office.save()
    reserve(Certificate.objects.get(), 60_000)
    ready(AT)
    judge(office)
    people = {name: User.objects.create(username=name) for name in ("halyna", "ivan")}
    run = released_run(office, people, AT)
    content = answer_payment_file(bank_file(run, AT))
    import_statement(
        organisation=office, name="st.xml", content=content, actor=people["halyna"].as_actor(), at=AT
    )
    _redeemed_online(office)
    return office


def _redeemed_online(office: Organisation) -> None:
    """An online use of half an hour on another line of the certificate, with its movements."""
    certificate = Certificate.objects.get()
    line = CertificateLine.objects.get(certificate=certificate)
    use = Redemption.objects.create(
        organisation=office, code="ON-1", channel="online", certificate=certificate, service=line.service,
        units_milli=500, authorised_milli=500, status="confirmed", recorded_at=AT,
    )  # fmt: skip
    if not CertificateEntry.objects.filter(certificate_line=line, kind="issued").exists():
        CertificateEntry.objects.create(
            certificate_line=line, kind="issued", units_milli=16_000, occurred_at=AT, recorded_at=AT
        )
    CertificateEntry.objects.create(
        certificate_line=line, kind="captured", units_milli=-500, redemption=use, occurred_at=AT, recorded_at=AT
    )


def test_a_whole_month_agrees(books: Organisation) -> None:
    assert sorted(Payment.objects.values_list("status", flat=True)) == ["confirmed", "returned"]
    out = io.StringIO()
    call_command("verify_books", stdout=out)
    assert f"{len(CHECKS)} checks, 0 rows that disagree: the books agree" in out.getvalue()
    assert verify_books() == []


# check, statement that corrupts one row, what the command must name
CORRUPTIONS = [
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
    ("budget lines are not overspent", "UPDATE contracts_budgetline SET amount = 1", "budget line B1 2025"),
    (
        "budget spending equals the ledger",
        "UPDATE contracts_budgetentry SET amount_minor = amount_minor - 1 WHERE kind = 'spending'",
        "budget line B1 2025",
    ),
    (
        "certificate reservations equal the budget's",
        "UPDATE contracts_budgetentry SET amount_minor = amount_minor - 1 WHERE id = "
        "(SELECT min(id) FROM contracts_budgetentry WHERE kind = 'reservation')",
        "certificate C1",
    ),
    (
        "certificate balances are possible",
        "UPDATE vouchers_certificateentry SET units_milli = -99000 WHERE kind = 'captured'",
        "certificate C1 015.1",
    ),
    (
        "redemptions equal certificate movements",
        "UPDATE vouchers_certificateentry SET units_milli = -400 WHERE redemption_id IN "
        "(SELECT id FROM vouchers_redemption WHERE code = 'ON-1')",
        "redemption ON-1",
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
        "claims equal payables",
        "UPDATE settlement_remittance SET reductions = reductions - 5, gross = gross + 5, payable = payable + 5 "
        "WHERE claim_id = (SELECT id FROM settlement_claim WHERE number = 'A-2')",
        "claim A-2",
    ),
    (
        "payments equal the remittances they pay",
        "UPDATE settlement_payment SET amount = amount + 1 WHERE status = 'returned'",
        "payment PAY-2025-",
    ),
    ("payments equal the bank", "UPDATE settlement_match SET amount_minor = amount_minor + 1 WHERE kind = 'payment'",
     "payment PAY-2025-"),
    (
        "statement lines equal their matches",
        "UPDATE settlement_statementline SET amount_minor = amount_minor - 1 WHERE status = 'matched'",
        "statement line ",
    ),
]  # fmt: skip


def test_every_check_has_its_corruption() -> None:
    assert [check for check, *_ in CORRUPTIONS] == list(CHECKS)


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

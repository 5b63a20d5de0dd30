"""Reports as of a day: ages, appropriations before an amendment, spreadsheets, and the cost of a statement."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from config.accounts.models import Organisation, User
from config.audit.actors import SYSTEM
from contracts.actions.budgets import add_budget_line, amend_budget_line
from contracts.models import BudgetEntry, Provider
from settlement.age_queries import AgeRow, payable_ages, receivable_ages, unmatched_ages
from settlement.book_queries import budget_execution, statement
from settlement.models import Account, Entry, FeeNotice, Match, Posting, Statement, StatementLine
from tests.settlement.actions.payables import adjudicated, owe, provider
from vouchers.models import Recipient

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
DAY = date(2025, 12, 31)


def post(
    office: Organisation, kind: str, amount: int, on: date, *, of: Provider | None = None, label: str = "x:1"
) -> None:
    """``amount`` debits the account of the kind against the bank, a negative one credits it."""
    code = f"{kind}:{of.code if of else 'all'}"
    shared = {"organisation": office, "currency": "UAH"}
    account, _ = Account.objects.get_or_create(code=code, defaults={"kind": kind, "provider": of}, **shared)
    bank, _ = Account.objects.get_or_create(code="bank:1", defaults={"kind": "bank"}, **shared)
    number = f"E-{Entry.objects.count()}"
    entry = Entry.objects.create(
        organisation=office, number=number, key=number, date=on, event="test", label=label, recorded_at=timezone.now()
    )
    sides = [(account, amount), (bank, -amount)]
    Posting.objects.bulk_create(
        Posting(entry=entry, date=on, account=row, debit=max(minor, 0), credit=max(-minor, 0), currency="UAH")
        for row, minor in sides
    )


def test_what_is_paid_reduces_the_oldest_debt(organisation: Organisation) -> None:
    one, two = provider(1), provider(2)
    post(organisation, "payable", -1_000, date(2025, 8, 1), of=one)
    post(organisation, "payable", -500, date(2025, 11, 15), of=one)
    post(organisation, "payable", -200, DAY, of=one)
    post(organisation, "payable", 300, date(2025, 12, 20), of=one)
    post(organisation, "payable", 70, date(2025, 12, 20), of=two)
    assert payable_ages(organisation, DAY) == [
        AgeRow(one.name, (200, 500, 0, 700), 0), AgeRow(two.name, (0, 0, 0, 0), 70),
    ]  # fmt: skip
    assert payable_ages(organisation, date(2025, 12, 19)) == [AgeRow(one.name, (0, 500, 0, 1_000), 0)]
    post(organisation, "payable", 1_400, DAY, of=one)
    assert (
        payable_ages(organisation, DAY)[0] == AgeRow(one.name, (0, 0, 0, 0), 0)
        or len(payable_ages(organisation, DAY)) == 1
    )
    assert payable_ages(organisation, date(2025, 7, 1)) == []


@pytest.mark.parametrize(("days", "place"), [(0, 0), (30, 0), (31, 1), (60, 1), (61, 2), (90, 2), (91, 3)])
def test_the_edges_of_ages(organisation: Organisation, days: int, place: int) -> None:
    post(organisation, "payable", -100, DAY - timedelta(days=days), of=provider(1))
    assert payable_ages(organisation, DAY)[0].ages == tuple(100 * (place == each) for each in range(4))


def test_fees_are_told_by_month_and_others_see_nothing(
    organisation: Organisation, other_organisation: Organisation, at: datetime
) -> None:
    recipient = Recipient.objects.create(organisation=organisation, code="R1", registered_at=at)
    for month, amount, paid in ((10, 400, 400), (11, 300, 100)):
        notice = FeeNotice.objects.create(
            organisation=organisation, recipient=recipient, month=date(2025, month, 1), number=f"FN-{month}",
            rf_reference=f"RF{month}", issued_at=at,
        )  # fmt: skip
        label = f"settlement.feenotice:{notice.pk}"
        post(organisation, "receivable", amount, date(2025, month, 28), label=label)
        post(organisation, "receivable", -paid, date(2025, 12, 5), label=label)
    assert receivable_ages(organisation, DAY) == [AgeRow("11.2025", (0, 200, 0, 0), 0)]
    assert receivable_ages(organisation, date(2025, 12, 4)) == [
        AgeRow("10.2025", (0, 400, 0, 0), 0), AgeRow("11.2025", (300, 0, 0, 0), 0),
    ]  # fmt: skip
    assert receivable_ages(other_organisation, DAY) == payable_ages(other_organisation, DAY) == []


def test_bank_lines_lie_until_they_are_matched_or_explained(organisation: Organisation, at: datetime) -> None:
    kept, other = (
        Statement.objects.create(
            organisation=organisation, iban="UA1", statement_id=name, content_sha256=name, format="camt.053",
            status="imported", imported_at=at,
        )
        for name in ("S", "T")
    )  # fmt: skip
    lines = [
        StatementLine.objects.create(
            statement=kept, position=place, booked_on=date(2025, 11, 20), amount_minor=amount, currency="UAH",
            status="unmatched",
        )
        for place, amount in enumerate((-500, 200), 1)
    ]  # fmt: skip
    assert unmatched_ages(organisation, DAY) == [AgeRow("UA1", (0, 700, 0, 0), 0)]
    assert unmatched_ages(organisation, date(2025, 11, 19)) == []
    line = lines[1]
    told = {"explained_by": None, "explanation": other.statement_id}
    StatementLine.objects.filter(pk=line.pk).update(status="explained", **told)
    assert unmatched_ages(organisation, DAY) == [AgeRow("UA1", (0, 500, 0, 0), 0)]
    assert Match.objects.count() == 0


def test_the_budget_is_what_it_was_on_the_day(organisation: Organisation, at: datetime) -> None:
    shared = {"actor": SYSTEM, "at": at}
    line = add_budget_line(organisation=organisation, code="B", year=2025, amount=Decimal(100), **shared)  # type: ignore[arg-type]
    BudgetEntry.objects.create(
        budget_line=line,
        kind="spending",
        amount_minor=3_000,
        label="x:1",
        occurred_on=date(2025, 12, 10),
        recorded_at=at,
    )
    amend_budget_line(line=line, amount=Decimal(150), basis="x", actor=SYSTEM, at=at + timedelta(days=10))
    days = (at.date() - timedelta(days=1), at.date(), date(2025, 12, 10), DAY)
    seen = [
        (row.appropriation, row.spending, row.free) for day in days for row in budget_execution(organisation, 2025, day)
    ]
    assert seen == [(0, 0, 0), (10_000, 0, 10_000), (10_000, 3_000, 7_000), (15_000, 3_000, 12_000)]


@pytest.fixture
def reader(organisation: Organisation, cast: Cast, at: datetime) -> Client:
    organisation.clock_offset = at - timezone.now()
    organisation.save()
    owe(organisation, adjudicated(organisation, at, (1, 24_200), (2, 152_000)), at)
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(cast["mariia"], backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_pages_and_their_spreadsheets_say_the_same(reader: Client, organisation: Organisation, at: datetime) -> None:
    Provider.objects.filter(code="P1").update(name="=1+1")
    add_budget_line(organisation=organisation, code="B", year=2025, amount=Decimal(100), actor=SYSTEM, at=at)
    account = Account.objects.get(code="payable:P1")
    for name, arguments, figure in (
        ("ageing", [], "242"), ("trial_balance", [], "242"), ("account", [account.pk], "242"),
        ("budget_execution", [], "100"),
    ):  # fmt: skip
        address = reverse(f"settlement:{name}", args=arguments)
        assert "sheet=xlsx" in reader.get(address).content.decode()
        text = reader.get(address, {"sheet": "csv"}).content.decode("utf-8-sig")
        assert figure in text and "\n=" not in text and ",=1" not in text
        page = load_workbook(io.BytesIO(reader.get(address, {"sheet": "xlsx"}).content)).active
        cells = [cell for row in page.iter_rows() for cell in row]  # type: ignore[union-attr]
        assert page is not None and page.title != "Sheet"
        assert "f" not in {cell.data_type for cell in cells}
        assert any(cell.value is not None and figure in str(cell.value) for cell in cells)


def test_the_page_of_ages_costs_the_same(
    reader: Client, organisation: Organisation, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    address = reverse("settlement:ageing")
    assert "242.00" in reader.get(address).content.decode()
    for number in range(3, 30):
        post(organisation, "payable", -100, DAY, of=provider(number))
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        reader.get(address, {"on": "2025-12-31"})


def test_the_page_of_ages_says_what_providers_owe_of_paid_months(
    reader: Client, organisation: Organisation, at: datetime
) -> None:
    """It is in no case, so the table of what providers return cannot have it; the note has sum and link."""
    reader.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    address, said = reverse("settlement:ageing"), "of months that were put right after they were paid"
    assert said not in reader.get(address).content.decode()
    adjudicated(organisation, at, (7, -13800), number=9)
    page = reader.get(address).content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert f"1 provider owes 138.00 ₴ today {said}" in page and reverse("settlement:provider_debts") in page


def test_a_statement_reads_only_its_account(organisation: Organisation, at: datetime) -> None:
    post(organisation, "payable", -100, DAY, of=provider(1))
    account = Account.objects.get(code="payable:P1")
    other = Account.objects.create(organisation=organisation, code="payable:X", kind="payable", currency="UAH")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO settlement_entry (organisation_id, number, date, event, label, key, recorded_at) "
            "SELECT %s, 'B-' || n, '2025-12-01', 'test', 'x:1', 'B-' || n, now() FROM generate_series(1, 20000) n",
            [organisation.pk],
        )
        cursor.execute(
            "INSERT INTO settlement_posting (entry_id, date, account_id, debit, credit, currency) "
            "SELECT e.id, e.date, %s, s.d, 100 - s.d, 'UAH' FROM settlement_entry e "
            "CROSS JOIN (VALUES (0), (100)) s (d) WHERE e.number LIKE 'B-%%'",
            [other.pk],
        )
        cursor.execute("ANALYZE settlement_posting; ANALYZE settlement_entry")
    plan = statement(account, DAY)[:25].explain()
    assert "posting_account" in plan and "Seq Scan on settlement" not in plan, plan

"""Finance reports: figures of settled months, beside norms and budgets, on a page, as a spreadsheet and as a paper."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal as D
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override
from openpyxl import load_workbook
from pypdf import PdfReader

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from config.money import to_minor
from config.periods import add_months
from contracts.actions.budgets import amend_budget_line
from contracts.models import BudgetEntry, BudgetLine, NormCost, Service, Territory
from settlement.actions.claims import reverse_claim
from settlement.actions.ledger import Amounts, EntryDraft, post_entries
from settlement.book_queries import event_title
from settlement.printed_tables import PrintedTable
from settlement.report_queries import budget_months
from settlement.reports import KINDS
from tests.settlement.actions.month import AT, NOVEMBER, judge
from tests.settlement.test_documents import outloud_verdict
from tests.settlement.views.test_claims import text
from tests.settlement.views.town import Town, settled_town, url
from vouchers.models import RecipientResidence

pytestmark = pytest.mark.django_db
YEAR = [date(2025, month, 1) for month in range(1, 13)]


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return settled_town(tmp_path)


def made(kind: str, town: Town, months: list[date] = YEAR) -> PrintedTable:
    return KINDS[kind].make(town.organisation, months)


def of_place(town: Town, rate: str) -> NormCost:
    """A norm of the place where the recipient lives."""
    place = Territory.objects.create(organisation=town.organisation, code="HAI", name="Гай", kind="rural")
    RecipientResidence.objects.get().change(at=AT, territory=place)
    general = NormCost.objects.get()
    return NormCost.objects.create(
        organisation=town.organisation,
        service=general.service,
        territory=place,
        unit_rate=D(rate),
        valid_from=date(2025, 11, 1),
        act="Рішення",
        status="approved",
        status_at=AT,
        recorded_at=AT,
    )


def test_cost_stands_beside_the_norm_of_its_units(town: Town) -> None:
    ((provider, service, *figures),) = made("norms", town).rows
    # Rulebook 5.2 with room for two hours more: 18 hours at 95.00 are allowed; by the norm 96.54 they are 1 737.72.
    assert figures == [D(18), D("1710.00"), D(95), D("96.54"), D("1737.72"), D("27.72")]
    assert (provider, service) == (town.claim.provider.name, Service.objects.get(code="015.1").name)


def test_the_norm_of_the_place_comes_before_the_general_one(town: Town) -> None:
    of_place(town, "90.00")
    ((*_names, norm, by_norm, below),) = made("norms", town).rows
    assert (norm, by_norm, below) == (D(90), D("1620.00"), D("-90.00"))


def test_without_a_norm_nothing_is_compared(town: Town) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE contracts_normcost SET valid_from = '2026-01-01'")
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    report = made("norms", town)
    assert report.rows[0][4:] == (D(95), None, None, None)
    assert report.charts == []


def test_prices_of_a_unit_by_months(town: Town) -> None:
    report = made("prices", town)
    assert report.rows == [("11.2025", D(18), D("1710.00"), D(95), D("96.54"))]
    (price,) = report.charts[0].series
    assert price.values == [None] * 10 + [D(95), None]


def test_shares_of_care_at_home_and_in_institutions(town: Town) -> None:
    report = made("places", town)
    assert report.rows == [("11.2025", D(1710), D(100), D(0), D(0), D(0), D(0), D(0), D(0))]
    assert "100 %" in str(report.notes[0])
    Service.objects.filter(code="015.1").update(form="residential")
    assert made("places", town).rows[0][5:7] == (D(1710), D(100))


def test_what_was_taken_back_counts_no_more(town: Town) -> None:
    reverse_claim(
        organisation=town.organisation,
        claim_id=town.claim.pk,
        reason="помилка",
        actor=town.users["halyna"].as_actor(),
        at=AT,
    )
    judge(town.organisation)
    for kind in ("norms", "prices", "places"):
        assert made(kind, town).rows == []
        assert "There are no figures in these months" in text(town.browser("halyna").get(url("report", kind)))


@pytest.mark.parametrize("kind", ["norms", "prices", "places"])
def test_a_report_of_cost_says_each_figure_on_the_way_to_the_ledger(kind: str, town: Town) -> None:
    """Cost that no run decided stands in the ledger alone: it is named, in page, spreadsheet and paper alike."""
    halyna, line = town.browser("halyna"), BudgetLine.objects.get(organisation=town.organisation, year=2025)
    sum_ = "cost in the ledger for the same months: 1,710.00 ₴"
    assert sum_ in text(halyna.get(url("report", kind)))
    lowered = EntryDraft(
        "clawback.decided", "clawback.decided:1", "x:1",
        [Amounts({"amount": 3000, "rest": 3000, "due": 0}, town.claim.provider, line)],
    )  # fmt: skip
    post_entries(organisation=town.organisation, drafts=[lowered], on=date(2025, 12, 31), actor=SYSTEM, at=AT)
    last = made(kind, town).notes[-1]
    assert {part.split(":")[0] for part in last.split("; ")[1:-1]} == {event_title("clawback.decided")}
    page = text(halyna.get(url("report", kind)))
    assert "Money asked back: −30.00 ₴; cost in the ledger for the same months: 1,680.00 ₴" in page
    sheet = load_workbook(io.BytesIO(halyna.get(url("report", kind), {"file": "xlsx"}).content)).active
    assert sheet is not None
    assert any("1,680.00" in str(cell.value) for row in sheet.iter_rows() for cell in row)
    november = made(kind, town, [NOVEMBER]).notes[-1]
    assert "−" not in november


def test_the_budget_month_by_month(town: Town) -> None:
    line = BudgetLine.objects.get(organisation=town.organisation, year=2025)
    BudgetEntry.objects.create(
        budget_line=line, kind="reservation", amount_minor=70_000, label="x:1", occurred_on=date(2025, 3, 31),
        recorded_at=AT,
    )  # fmt: skip
    rows = {row.month: row for row in budget_months(town.organisation, YEAR)}
    judged = AT.date().replace(day=1)
    assert [rows[month].reservation for month in YEAR[:4]] == [0, 0, 70_000, 70_000]
    assert (rows[add_months(judged, -1)].spending, rows[judged].month_spent) == (0, rows[judged].spending)
    assert rows[judged].spending > 0
    for row in rows.values():
        assert row.appropriation == row.spending + row.reservation + row.commitment + row.free
    report = made("execution", town)
    assert len(report.rows) == 12 and report.charts[0].limits


def test_an_appropriation_counts_from_the_day_of_its_act(town: Town) -> None:
    line = BudgetLine.objects.get(organisation=town.organisation, year=2025)
    was = to_minor(line.amount.amount)
    amend_budget_line(
        line=line,
        amount=line.amount.amount + 100,
        basis="рішення сесії",
        actor=town.users["halyna"].as_actor(),
        at=datetime(2025, 6, 20, 12, tzinfo=AT.tzinfo),
    )
    told = {row.month.month: row.appropriation for row in budget_months(town.organisation, YEAR)}
    assert (told[5], told[6], told[12]) == (was, was + 10_000, was + 10_000)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("username", ["halyna", "ivan", "mariia", "bohdan"])
def test_finance_the_officer_and_the_auditor_read_them(town: Town, kind: str, username: str) -> None:
    page = text(town.browser(username).get(url("report", kind)))
    assert "<svg" in page and "chart-1-desc" in page


@pytest.mark.parametrize("username", ["outsider", "nadiia", "olena", "sofiia"])
def test_others_are_refused(town: Town, username: str) -> None:
    browser = town.browser(username)
    pages = [url("reports"), *(url("report", kind) for kind in KINDS)]
    assert [browser.get(page).status_code for page in pages] == [403] * len(pages)


def test_another_office_finds_nothing(town: Town) -> None:
    town.users["mariia"].memberships.update(organisation=Organisation.objects.create(code="other", name="Інша"))
    browser = town.browser("mariia")
    for kind in KINDS:
        page = text(browser.get(url("report", kind)))
        assert "There are no figures in these months" in page and "1,710.00" not in page


@pytest.mark.parametrize("kind", KINDS)
def test_the_spreadsheet_and_the_paper_are_of_the_same_table(town: Town, kind: str) -> None:
    browser, asked = town.browser("halyna"), {"first": "2025-11", "last": "2025-11"}
    book = load_workbook(io.BytesIO(browser.get(url("report", kind), asked | {"file": "xlsx"}).content))
    told = [[cell for cell in row if cell is not None] for row in book.active.iter_rows(values_only=True)]
    for row in made(kind, town, [NOVEMBER]).rows:
        assert [cell if isinstance(cell, str) else float(cell) for cell in row if cell is not None] in told
    paper = browser.get(url("report", kind), asked | {"file": "pdf"})
    assert paper["Content-Type"] == "application/pdf" and paper.content.startswith(b"%PDF")


@pytest.mark.parametrize("kind", KINDS)
def test_the_paper_shows_the_charts_of_the_page(town: Town, kind: str, tmp_path: Path) -> None:
    browser, asked = town.browser("halyna"), {"first": "2025-01", "last": "2025-12"}
    with override("en"):
        table = made(kind, town)
    paper = browser.get(url("report", kind), asked | {"file": "pdf"}).content
    code, words = outloud_verdict(paper, tmp_path)
    assert code == 0, words
    reader = PdfReader(io.BytesIO(paper))
    objects = [reader.get_object(number) for number in range(1, int(reader.trailer["/Size"]))]
    said = {str(found["/Alt"]) for found in objects if isinstance(found, dict) and "/Alt" in found}
    assert table.charts and {chart.title for chart in table.charts} <= said
    # The axis: the drawing has its own style, without it the axis would not be there.
    contents = [page.get_contents() for page in reader.pages]
    assert any(b"0.419608 0.466667 0.517647" in found.get_data() for found in contents if found is not None)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2025-11", "2025-02", "lies before the first"),
        ("x", "2025-11", "nothing to report of that month"),
        ("2025-11", "2025-11", ""),
    ],
)
def test_months_are_chosen(town: Town, first: str, last: str, said: str) -> None:
    page = text(town.browser("halyna").get(url("report", "prices"), {"first": first, "last": last}))
    assert said in page
    assert ("error" in page) is bool(said)


def test_a_report_that_is_not_there(town: Town) -> None:
    assert town.browser("halyna").get(url("report", "nothing")).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_more_months_cost_no_more_queries(town: Town, kind: str) -> None:
    browser = town.browser("halyna")
    counts = []
    for first in ("2025-11", "2025-11", "2025-01"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            browser.get(url("report", kind), {"first": first, "last": "2025-12"})
        counts.append(len(queries))
    assert counts[2] <= counts[1] <= 14

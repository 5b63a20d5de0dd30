"""The books, read only: chart of accounts, trial balance, statement of an account, entry, execution of the budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from config.accounts.access import Access, requires
from config.money import from_minor
from config.templatetags.show import iban
from contracts.views.pages import PAGE_SIZE, access_of, one_of, page_of
from settlement import age_queries, book_queries, queries
from settlement.debt_queries import owed_in_all
from settlement.forms import BalanceForm, day_asked
from settlement.models import Account
from settlement.views.sheets import sheet, sheet_asked

# Heads of the spreadsheets.
STATEMENT = (_("Date"), _("Entry"), _("Event"), _("Debit"), _("Credit"), _("Balance"))
BALANCE = (_("Code"), _("Account"), _("Debited"), _("Credited"), _("Debit balance"), _("Credit balance"))
AGES = (
    _("What is open"),
    _("Whose"),
    _("up to 30 days"),
    _("31 to 60 days"),
    _("61 to 90 days"),
    _("older"),
    _("Open in all"),
    _("Paid ahead"),
)
BUDGET = (
    _("Budget line"),
    _("Title"),
    _("Appropriation"),
    _("Committed to grants"),
    _("Reserved for certificates"),
    _("Spent"),
    _("Free"),
)


@requires("ledger.view")
def account_list(request: HttpRequest) -> HttpResponse:
    """The chart of accounts with balances."""
    q = request.GET.get("q", "").strip()
    page = page_of(request, book_queries.accounts(access_of(request).office(), q))
    rows = [book_queries.BalanceRow(account, account.debited, account.credited) for account in page]  # type: ignore[attr-defined]
    return render(request, "settlement/books/accounts.html", {"page": page, "rows": rows, "q": q})


@requires("ledger.view")
def account_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Postings of an account by the end of a day with the balance after each."""
    access = access_of(request)
    own = Account.objects.filter(organisation=access.office()).select_related("provider", "budget_line", "neighbour")
    account = one_of(own, pk)
    form, on = _day_form(request, access)
    kind = sheet_asked(request)
    if kind:
        return sheet(kind, f"account-{pk}-{on}", account.title, STATEMENT, _statement_rows(account, on))
    page = _statement_page(request, account, on)
    rows = [(posting, book_queries.event_title(posting.entry.event)) for posting in page.rows]
    balance = book_queries.balance_of(account, on)
    context = {"account": account, "form": form, "on": on, "page": page, "rows": rows, "balance": balance}
    return render(request, "settlement/books/account.html", context)


def _statement_page(request: HttpRequest, account: Account, on: date) -> book_queries.StatementPage:
    """The page that the address names by a place in the statement: after or before it, or the last one."""
    after, before = (book_queries.Place.read(request.GET.get(side, "")) for side in ("after", "before"))
    if request.GET.get("before") == "end":
        before = book_queries.Place(on, book_queries.AFTER_ALL, 0)
    page = book_queries.statement_page(account, on, after=after, before=before, size=PAGE_SIZE)
    # An address of another day may name a place where nothing stands now.
    return page if page.rows else book_queries.statement_page(account, on, size=PAGE_SIZE)


def _statement_rows(account: Account, on: date) -> Iterator[tuple[Any, ...]]:
    for row in book_queries.statement(account, on).iterator(chunk_size=2_000):
        event = book_queries.event_title(row.entry.event)
        figures = (from_minor(row.debit), from_minor(row.credit), from_minor(row.balance))  # type: ignore[attr-defined]
        yield (row.entry.date, row.entry.number, event, *figures)


@requires("ledger.view")
def trial_balance(request: HttpRequest) -> HttpResponse:
    """Balances of all accounts at the end of a day; both sides are equal or the page says so."""
    access = access_of(request)
    office = access.office()
    form, on = _day_form(request, access)
    rows = book_queries.trial_balance(office, on)
    kind = sheet_asked(request)
    if kind:
        return sheet(kind, f"trial-balance-{on}", _("Trial balance"), BALANCE, map(_balance_row, rows))
    context = {"form": form, "on": on, "rows": rows, "totals": book_queries.balance_totals(rows)}
    return render(request, "settlement/books/trial_balance.html", context)


def _balance_row(row: book_queries.BalanceRow) -> tuple[Any, ...]:
    figures = (row.debited, row.credited, row.debit, row.credit)
    return (row.account.code, row.account.title, *map(from_minor, figures))


@requires("ledger.view")
def ageing(request: HttpRequest) -> HttpResponse:
    """Debts to providers, fees to come and bank lines without an explanation at the end of a day, by age."""
    access = access_of(request)
    office = access.office()
    form, on = _day_form(request, access)
    tables = [
        (_("Owed to providers"), _("Provider"), age_queries.payable_ages(office, on)),
        (_("What providers have to return"), _("Provider"), age_queries.recovery_ages(office, on)),
        (_("Advances that are not used yet"), _("Provider"), age_queries.advance_ages(office, on)),
        (_("Fees that recipients still have to pay"), _("Month"), age_queries.receivable_ages(office, on)),
        (_("Bank lines that are not matched or explained"), _("Account"), age_queries.unmatched_ages(office, on)),
    ]
    kind = sheet_asked(request)
    if kind:
        rows = ((title, row.name, *map(from_minor, (*row.ages, row.total, row.ahead))) for title, _o, found in tables
                for row in found)  # fmt: skip
        return sheet(kind, f"ageing-{on}", _("What is open, by age"), AGES, rows)
    *others, (title, owner, found) = tables
    tables = [*others, (title, owner, [replace(row, name=iban(row.name)) for row in found])]
    context = {
        "form": form,
        "on": on,
        "tables": [(*table, _totals(table[2])) for table in tables],
        "owed": owed_in_all(office),
    }
    return render(request, "settlement/books/ageing.html", context)


def _totals(rows: list[age_queries.AgeRow]) -> age_queries.AgeRow:
    ages = [sum(column) for column in zip(*(row.ages for row in rows), strict=True)]
    return age_queries.AgeRow("", tuple(ages), sum(row.ahead for row in rows))


def _day_form(request: HttpRequest, access: Access) -> tuple[BalanceForm, date]:
    form = BalanceForm(request.GET if "on" in request.GET else None)
    on = day_asked(form, access.today())
    return (form if form.is_bound else BalanceForm(initial={"on": on})), on


@requires("ledger.view")
def entry_list(request: HttpRequest) -> HttpResponse:
    """Ledger entries, newest first."""
    q = request.GET.get("q", "").strip()
    page = page_of(request, queries.ledger_entries(access_of(request).office(), q))
    rows = [(entry, book_queries.event_title(entry.event)) for entry in page]
    return render(request, "settlement/books/entries.html", {"page": page, "rows": rows, "q": q})


@requires("ledger.view")
def entry_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """An entry with its postings and its cause."""
    entry = one_of(book_queries.entries(access_of(request).office()), pk)
    postings = list(book_queries.postings(entry))
    context = {
        "entry": entry,
        "event": book_queries.event_title(entry.event),
        "postings": postings,
        "debit": sum(row.debit for row in postings),
        "credit": sum(row.credit for row in postings),
    }
    return render(request, "settlement/books/entry.html", context)


@requires("ledger.view", "budget.view")
def budget_execution(request: HttpRequest) -> HttpResponse:
    """Appropriations of a year with what is committed, reserved, spent and free."""
    access = access_of(request)
    office = access.office()
    years = book_queries.budget_years(office)
    asked = request.GET.get("year", "")
    # The present year of the organisation's clock, so that next year's empty lines do not come first.
    wanted = int(asked) if asked.isdigit() else access.today().year
    year = wanted if wanted in years else (years[0] if years else 0)
    form, on = _day_form(request, access)
    rows = book_queries.budget_execution(office, year, on)
    kind = sheet_asked(request)
    if kind:
        title = f"{_('Execution of the budget')} {year}"
        return sheet(kind, f"budget-{year}-{on}", title, BUDGET, map(_budget_row, rows))
    advanced = book_queries.advanced_by_line(office, on)
    context = {
        "form": form,
        "on": on,
        "years": years,
        "year": year,
        "rows": rows,
        "totals": book_queries.budget_sums(rows),
        "advanced": [(row.line, advanced[row.line.pk]) for row in rows if row.line.pk in advanced],
    }
    return render(request, "settlement/books/budget.html", context)


def _budget_row(row: book_queries.BudgetRow) -> tuple[Any, ...]:
    figures = (row.appropriation, row.commitment, row.reservation, row.spending, row.free)
    return (row.line.code, row.line.name, *map(from_minor, figures))

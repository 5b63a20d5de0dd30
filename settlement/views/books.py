"""The books, read only: chart of accounts, trial balance, statement of an account, entry, execution of the budget."""

from __future__ import annotations

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.accounts.access import Access, requires
from config.clock import local_date
from contracts.views.pages import access_of, one_of, page_of
from settlement import book_queries, queries
from settlement.forms import BalanceForm, day_asked


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
    account = one_of(book_queries.accounts(access.office()), pk)
    form, on = _day_form(request, access)
    page = page_of(request, book_queries.statement(account, on))
    rows = [(posting, book_queries.event_title(posting.entry.event)) for posting in page]
    balance = book_queries.balance_of(account, on)
    context = {"account": account, "form": form, "on": on, "page": page, "rows": rows, "balance": balance}
    return render(request, "settlement/books/account.html", context)


@requires("ledger.view")
def trial_balance(request: HttpRequest) -> HttpResponse:
    """Balances of all accounts at the end of a day; both sides are equal or the page says so."""
    access = access_of(request)
    office = access.office()
    form, on = _day_form(request, access)
    rows = book_queries.trial_balance(office, on)
    context = {"form": form, "on": on, "rows": rows, "totals": book_queries.balance_totals(rows)}
    return render(request, "settlement/books/trial_balance.html", context)


def _day_form(request: HttpRequest, access: Access) -> tuple[BalanceForm, date]:
    form = BalanceForm(request.GET if "on" in request.GET else None)
    on = day_asked(form, local_date(access.now(), access.office().zone))
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
    wanted = int(asked) if asked.isdigit() else access.now().year
    year = wanted if wanted in years else (years[0] if years else 0)
    rows = book_queries.budget_execution(office, year)
    context = {"years": years, "year": year, "rows": rows, "totals": book_queries.budget_sums(rows)}
    return render(request, "settlement/books/budget.html", context)

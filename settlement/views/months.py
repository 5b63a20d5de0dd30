"""Finance pages of the month's end: months in work and closed, one month with its checks, closing it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import requires
from config.errors import NotFound
from config.periods import add_months, month_of
from config.templatetags.show import minor
from contracts.models import Provider
from contracts.views.pages import access_of, one_of, page_of, perform
from settlement import documents, finance_queries
from settlement.actions import month_close
from settlement.finance_forms import month_of_text
from settlement.models import ClosedMonth
from settlement.month_checks import Check, month_checks

FIGURES = (
    ("claimed", _("Claimed in judged claims")),
    ("reduced", _("Reduced or rejected")),
    ("waiting", _("Waits for a decision")),
    ("gross", _("Allowed")),
    ("fee", _("Recipients' fees")),
    ("payable", _("To pay")),
    ("paid", _("Paid")),
    ("returned", _("Returned by the bank")),
)


@requires("months.close", "ledger.view")
def months(request: HttpRequest) -> HttpResponse:
    """Months in work, the present one among them, and closed months."""
    office, current = access_of(request).office(), _current(request)
    q = request.GET.get("q", "").strip()
    context = {
        "page": page_of(request, finance_queries.closed_months(office, q)),
        "q": q,
        "open_months": finance_queries.months_in_work(office, current),
        "current": current,
    }
    return render(request, "settlement/finance/months.html", context)


def _current(request: HttpRequest) -> date:
    return month_of(access_of(request).today())


@requires("months.close", "ledger.view")
def month(request: HttpRequest, period: str) -> HttpResponse:
    """A month: its figures, every check with what it found, and the button when nothing blocks.

    A closed month shows what was kept at its closing and says what is different today.
    """
    access, first, current = access_of(request), _month(period), _current(request)
    office = access.office()
    closed = finance_queries.closed_months(office).filter(month=first).first()
    figures, checks = finance_queries.month_figures(office, first), month_checks(office, first)
    kept = closed if closed and closed.figures else None
    context = {
        "month": first,
        "closed": closed,
        "kept": kept,
        "changes": _changes(kept, figures, checks, office.currency) if kept else [],
        "future": first > current,
        "closes_from": add_months(first, 1) if first == current else None,
        "checks": [Check.of_row(row) for row in closed.checks] if closed else checks,
        "blocked": any(check.blocks for check in checks),
        "may_close": access.may("months.close") and closed is None and first < current,
        "rows": [(title, (kept.figures if kept else figures)[name]) for name, title in FIGURES],
        "submitted": finance_queries.waiting_claims(office, first),
        "figures": kept.figures if kept else figures,
        "providers": kept.providers if kept else finance_queries.providers_of_month(office, first),
    }
    return render(request, "settlement/finance/month.html", context)


def _changes(kept: ClosedMonth, figures: dict[str, int], checks: Sequence[Check], currency: str) -> list[str]:
    """Sentences on what is not as it was at the closing."""
    sentences = [
        _figure_sentence(str(title), kept.figures[name], figures[name], currency)
        for name, title in FIGURES
        if kept.figures[name] != figures[name]
    ]
    passed = {row["code"] for row in kept.checks if row["count"] == 0}
    return sentences + [_check_sentence(check) for check in checks if not check.ok and check.code in passed]


def _figure_sentence(what: str, then: int, now: int, currency: str) -> str:
    more = _("%(what)s: today %(now)s, which is %(difference)s more than when the month was closed.")
    less = _("%(what)s: today %(now)s, which is %(difference)s less than when the month was closed.")
    params = {"what": what, "now": minor(now, currency), "difference": minor(abs(now - then), currency)}
    return str(more if now > then else less) % params


def _check_sentence(check: Check) -> str:
    words = _("«%(check)s»: so it was when the month was closed, today it is not: %(examples)s.")
    return str(words) % {"check": check.title, "examples": ", ".join(check.examples)}


@requires("months.close", "ledger.view")
def reconciliation_act(request: HttpRequest, period: str, pk: int) -> HttpResponse:
    """The act of a month with one provider as PDF. Raises: NotFound without claims of that month."""
    access, first = access_of(request), _month(period)
    office = access.office()
    provider = one_of(Provider.objects.filter(remittances__run__organisation=office).distinct(), pk)
    pdf = documents.reconciliation_act(organisation=office, provider=provider, month=first, made_at=access.now())
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="act-{period}-{pk}.pdf"'
    return response


@require_POST
@requires("months.close")
def month_closing(request: HttpRequest, period: str) -> HttpResponse:
    """Close the month."""
    access, first = access_of(request), _month(period)
    return perform(
        request,
        lambda: month_close.close_month(organisation=access.office(), month=first, actor=access.actor, at=access.now()),
        done=_("The month is closed. Nothing can be posted into it any more."),
        to="settlement:month",
        key=period,
    )


def _month(period: str) -> date:
    first = month_of_text(period)
    if first is None:
        raise NotFound()
    return first

"""Finance pages of what the bank still owes an answer for, and of the monthly act that two people sign."""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from config.accounts.access import requires
from contracts.views.pages import access_of, one_of, page_of, perform, submitted
from settlement import bank_queries, documents
from settlement.actions import reconciliation
from settlement.actions.bank_acts import draw_bank_act, sign_bank_act
from settlement.bank_forms import BankActForm
from settlement.models import BankAct, StatementLine

AGE_WORDS = {
    "week": _("up to a week"),
    "month": _("8 to 30 days"),
    "quarter": _("31 to 90 days"),
    "older": _("more than 90 days"),
}
FIGURES = (
    ("opening", _("Opening balance")),
    ("received", _("Came in")),
    ("paid", _("Went out")),
    ("matched", _("Matched with payments")),
    ("explained", _("Explained or booked otherwise")),
    ("open", _("Not explained yet")),
    ("closing", _("Closing balance of the bank")),
    ("ledger", _("Balance in the books")),
    ("waiting", _("Bank lines that are not in the books yet")),
    ("difference", _("Difference")),
)


@requires("statements.view")
def open_items(request: HttpRequest) -> HttpResponse:
    """Bank lines without an explanation by age, and payments that the bank has not answered for."""
    access = access_of(request)
    office, today = access.office(), access.today()
    q, age = request.GET.get("q", "").strip(), request.GET.get("age", "")
    ages, days = bank_queries.ages_of_open_lines(office, today), bank_queries.open_days(office, today)
    page = page_of(request, bank_queries.open_lines(office, today, search=q, age=age))
    context = {
        "page": page,
        "lines": [(line, (today - line.booked_on).days, _last_day(line, days)) for line in page],
        "today": today,
        "days": days,
        "age": age,
        "overdue": bank_queries.overdue_lines(office, today).count(),
        "q": q,
        "ages": [row | {"words": AGE_WORDS[row["age"]]} for row in ages],
        "silent": bank_queries.silent_payments(office, today)[:50],
        "currency": office.currency,
    }
    return render(request, "settlement/finance/open_items.html", context)


def _last_day(line: StatementLine, days: int | None) -> date | None:
    return None if days is None else line.booked_on + timedelta(days=days)


@require_POST
@requires("statements.match")
def match_again(request: HttpRequest) -> HttpResponse:
    """Try the open lines once more."""
    access = access_of(request)
    found = reconciliation.match_again(organisation=access.office(), actor=access.actor, at=access.now())
    words = ngettext("%(count)d record found its payment.", "%(count)d records found their payments.", found)
    nothing = _("No further record fits a payment. What is left needs a person.")
    messages.info(request, words % {"count": found} if found else str(nothing))
    return redirect("settlement:open_bank_lines")


@requires("statements.view")
def bank_acts(request: HttpRequest) -> HttpResponse:
    """Acts of reconciliation with the bank; for those who match also the form that draws one up."""
    access = access_of(request)
    office, may_draw = access.office(), access.may("statements.match")
    form = BankActForm(request.POST if may_draw and request.method == "POST" else None, accounts=office.accounts)
    act, refusal = submitted(
        request,
        form,
        lambda: draw_bank_act(
            organisation=office,
            iban=form.cleaned_data["iban"],
            month=form.cleaned_data["month"],
            actor=access.actor,
            at=access.now(),
        ),
    )
    if act is not None:
        return redirect("settlement:bank_act", act.pk)
    page = page_of(request, bank_queries.bank_acts(office))
    context = {"page": page, "form": form, "may_draw": may_draw, "refusal": refusal}
    return render(request, "settlement/finance/bank_acts.html", context)


@requires("statements.view")
def bank_act(request: HttpRequest, pk: int) -> HttpResponse:
    """One act: its figures, who signed, and the button of the second signature."""
    access = access_of(request)
    act = one_of(bank_queries.bank_acts(access.office()), pk)
    signatures = list(act.signatures.select_related("signed_by").order_by("place"))
    others = all(row.signed_by_id != access.user.pk for row in signatures)
    context = {
        "act": act,
        "rows": [(title, act.figures[name]) for name, title in FIGURES],
        "lines": waiting_of(act),
        "signatures": signatures,
        "may_sign": access.may("statements.match") and len(signatures) == 1 and others,
        "currency": access.office().currency,
    }
    return render(request, "settlement/finance/bank_act.html", context)


def waiting_of(act: BankAct) -> list[tuple[int, str, date, int]]:
    """Lines that were open when an act was drawn up: key, statement and place, day, minor units."""
    return [(key, name, date.fromisoformat(day), left) for key, name, day, left in act.figures.get("lines", [])]


@require_POST
@requires("statements.match")
def bank_act_sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign as the second person."""
    access = access_of(request)
    return perform(
        request,
        lambda: sign_bank_act(organisation=access.office(), act_id=pk, actor=access.actor, at=access.now()),
        done=_("The act is signed by two people."),
        to="settlement:bank_act",
        key=pk,
    )


@requires("statements.view")
def bank_act_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The act as PDF, with the names of those who signed."""
    act = one_of(bank_queries.bank_acts(access_of(request).office()).select_related("organisation"), pk)
    pdf = documents.bank_act(act, [(title, act.figures[name]) for name, title in FIGURES], waiting_of(act))
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="bank-act-{act.month:%Y-%m}-{act.number}.pdf"'
    return response

"""Pages of clearing with other municipalities: monthly statements, their lines, disputes, signatures and payment."""

from __future__ import annotations

from typing import Any

from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import requires
from config.errors import NotFound
from config.templatetags.show import minor
from contracts.views.pages import access_of, one_of, page_of, perform, stepped, submitted
from settlement.actions import clearing
from settlement.clearing_papers import statement_table
from settlement.clearing_queries import bank_lines_of, clearing_statements, statement_lines, waiting_anew
from settlement.finance_forms import ClearingForm, ReasonForm
from settlement.models.clearing import OWED, ClearingLine
from settlement.models.statements import LIVE
from settlement.views.papers import table_answer

# Digits of a key that the database can hold.
LONGEST = 18


@requires("clearing.view")
def statement_list(request: HttpRequest) -> HttpResponse:
    """Statements with all neighbours, the newest first."""
    access, q = access_of(request), request.GET.get("q", "").strip()
    page = page_of(request, clearing_statements(access.office(), q))
    rows = [(row, row.other(access.office()), row.paid_by(access.office())) for row in page]
    context = {"page": page, "rows": rows, "q": q, "anew": waiting_anew(access.office())}
    return render(request, "settlement/clearing/list.html", context | {"currency": access.office().currency})


@requires("clearing.draw")
def statement_new(request: HttpRequest) -> HttpResponse:
    """Draw up the statement of a month; one that exists is shown."""
    access = access_of(request)
    form = ClearingForm(request.POST or None, office=access.office(), today=access.today())
    made, refusal = submitted(
        request,
        form,
        lambda: clearing.draw_statement(
            organisation=access.office(),
            other=form.cleaned_data["other"],
            month=form.cleaned_data["month"],
            actor=access.actor,
            at=access.now(),
        ),
    )
    if made is not None:
        return redirect("settlement:clearing_statement", made.pk)
    context: dict[str, Any] = {"form": form, "refusal": refusal, "title": _("Draw up a clearing statement")}
    context |= {"back": "settlement:clearing", "key": None, "submit": _("Draw up")}
    return render(request, "contracts/form.html", context, status=409 if refusal else 200)


@requires("clearing.view")
def statement_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Both sides' sums, signatures, lines a page at a time, and the bank line that paid."""
    access = access_of(request)
    office = access.office()
    statement = one_of(clearing_statements(office), pk)
    other = statement.other(office)
    lines = statement_lines(statement)
    payable = statement.status == "agreed" and not statement.payments.filter(organisation=office, **LIVE).exists()
    context = {
        "statement": statement,
        "office": office,
        "other": other,
        "ours": statement.first_owes_minor if office.pk == statement.first_id else statement.second_owes_minor,
        "theirs": statement.second_owes_minor if office.pk == statement.first_id else statement.first_owes_minor,
        "net": statement.paid_by(office),
        "signatures": [(side, statement.signed_by(side)) for side in (office, other)],
        "disputed": lines.exclude(disputed_at=None).aggregate(total=Sum("item__due_minor"))["total"],
        "page": page_of(request, lines),
        "payments": statement.payments.filter(**LIVE)
        .select_related("organisation", "statement_line__statement")
        .order_by("pk"),
        "bank_lines": bank_lines_of(statement, office)[:5] if payable else [],
        "payable": payable,
        "may_sign": statement.status == "drawn"
        and statement.signed_by(office) is None
        and statement.drawn_by_id != access.user.pk,
    }
    return render(request, "settlement/clearing/detail.html", context)


@requires("clearing.view")
def statement_paper(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    """The statement to print and sign (``pdf``) or as a workbook (``xlsx``)."""
    if form not in ("pdf", "xlsx"):
        raise NotFound()
    access = access_of(request)
    statement = one_of(clearing_statements(access.office()), pk)
    table = statement_table(statement, access.office())
    return table_answer(
        table, access.office(), form=form, name=f"clearing-{statement.pk}", made_at=statement.recorded_at
    )


@requires("clearing.agree")
@require_POST
def statement_agree(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign for this side; the second signature posts."""
    access = access_of(request)
    return perform(
        request,
        lambda: clearing.agree_statement(
            organisation=access.office(), statement_id=pk, actor=access.actor, at=access.now()
        ),
        done=_("The statement is signed for this municipality."),
        to="settlement:clearing_statement",
        key=pk,
    )


@requires("statements.match")
@require_POST
def statement_pay(request: HttpRequest, pk: int) -> HttpResponse:
    """Book a bank line of ours as the payment."""
    access = access_of(request)
    line = request.POST.get("line", "")
    return perform(
        request,
        lambda: clearing.book_payment(
            organisation=access.office(),
            statement_id=pk,
            line_id=int(line) if line.isdecimal() and len(line) < LONGEST else 0,
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The bank record is booked as the payment of this statement."),
        to="settlement:clearing_statement",
        key=pk,
    )


@requires("clearing.answer")
def line_dispute(request: HttpRequest, pk: int, line: int) -> HttpResponse:
    """Take a line out of the sums with a reason."""
    access = access_of(request)
    statement = one_of(clearing_statements(access.office()), pk)
    row = one_of(statement_lines(statement), line)
    if row.disputed_at is not None or statement.status != "drawn":
        return redirect("settlement:clearing_statement", pk)
    form = ReasonForm(request.POST or None)
    return stepped(
        request,
        form,
        lambda: clearing.dispute_line(
            organisation=access.office(),
            statement_id=pk,
            line_id=line,
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The line is disputed and stays out of the sums. Both municipalities sign the statement anew."),
        title=_("Dispute a line of %(statement)s") % {"statement": statement.number},
        back="settlement:clearing_statement",
        key=pk,
        submit=_("Dispute the line"),
        danger=True,
        notes=[_words(row, access.office().currency)],
    )


def _words(row: ClearingLine, currency: str) -> str:
    """Which visit a line is: claim and line, provider, day, sum."""
    item = row.item
    line, claim = item.claim_line, item.claim
    day, due = date_format(line.service_date, "SHORT_DATE_FORMAT"), minor(item.due_minor, currency)
    return f"{claim.number}, № {line.line}: {claim.provider}, {day}, {due}"


@requires("clearing.answer")
@require_POST
def line_answer(request: HttpRequest, pk: int, line: int) -> HttpResponse:
    """Give way in a dispute: the issuer owes the line after all, or the buyer gives it up."""
    access = access_of(request)
    statement = one_of(clearing_statements(access.office()), pk)
    row = one_of(statement_lines(statement), line)
    answer = OWED if row.item.home_id == access.office().pk else clearing.DROPPED
    return perform(
        request,
        lambda: clearing.answer_dispute(
            organisation=access.office(),
            statement_id=pk,
            line_id=line,
            answer=answer,
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The dispute is over."),
        to="settlement:clearing_statement",
        key=pk,
    )

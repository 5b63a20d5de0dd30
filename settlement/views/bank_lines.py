"""Dividing a bank line, undoing what was said about one, and the columns of a bank's table."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from config.accounts.access import requires
from config.money import from_minor
from config.templatetags.show import minor
from contracts.views.pages import access_of, one_of, stepped, submitted
from settlement.actions import bank_lines, undone_lines
from settlement.actions.line_parts import Part, divide_line
from settlement.actions.payment_postings import open_of
from settlement.actions.statement_layouts import save_layout
from settlement.bank_forms import LayoutForm, PartFormSet, parts_said, rows_said
from settlement.bank_queries import (
    layouts,
    live_clearings,
    live_receipts,
    live_repayments,
    live_transfers,
    quoted_parts,
)
from settlement.finance_forms import ReasonForm
from settlement.finance_queries import OPEN_LINES
from settlement.models import Match, StatementLine
from settlement.models.statements import LIVE

# Headings of a table that waits to be explained, in the session of who brought it.
HEADINGS = "statement_headings"

# By whether a person said that another statement told the line: the call that opens it, its title, and what is done.
_OPENINGS: dict[bool, tuple[Callable[..., StatementLine], Any, Any]] = {
    False: (
        bank_lines.undo_explanation,
        _("Undo the explanation"),
        _("The explanation is undone. The line waits again."),
    ),
    True: (
        undone_lines.undo_count_once,
        _("Undo that it counts once"),
        _("The line is a movement of its own and waits again."),
    ),
}


@requires("statements.import")
def statement_layout(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """What the columns of a table mean: of the file that was just refused, or of one explained before."""
    access = access_of(request)
    known = one_of(layouts(access.office()), pk) if pk else None
    headings = known.headings if known else request.session.get(HEADINGS)
    if not headings:
        return redirect("settlement:statement_new")
    initial = {"bank": known.name, "iban": known.iban, **known.columns} if known else None
    form = LayoutForm(request.POST or None, initial=initial, headings=headings, accounts=access.office().accounts)
    saved, refusal = submitted(request, form, lambda: _save(request, form, headings))
    if saved is not None:
        request.session.pop(HEADINGS, None)
        messages.success(request, str(_("The columns are remembered. Now choose the file again.")))
        return redirect(f"{reverse('settlement:statement_new')}?{urlencode({'account': saved.iban})}")
    context = {"form": form, "refusal": refusal, "headings": headings}
    return render(request, "settlement/finance/statement_layout.html", context)


def _save(request: HttpRequest, form: LayoutForm, headings: list[str]) -> Any:
    access = access_of(request)
    return save_layout(
        organisation=access.office(),
        name=form.cleaned_data["bank"],
        iban=form.cleaned_data["iban"],
        headings=headings,
        columns=form.columns(),
        actor=access.actor,
        at=access.now(),
    )


@requires("statements.match")
def match_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a match back with a reason."""
    rows = Match.objects.filter(payment__organisation=access_of(request).office(), **LIVE).select_related("payment")
    match = one_of(rows, pk)
    title = _("Undo the match with %(payment)s") % {"payment": match.payment.reference}
    return undone(request, match, partial(bank_lines.undo_match, match_id=pk), title)


@requires("statements.match")
def receipt_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a line was no money for a notice, with a reason."""
    row = one_of(live_receipts(access_of(request).office()), pk)
    title = _("Undo the receipt for the notice %(number)s") % {"number": row.notice.number}
    return undone(request, row, partial(undone_lines.undo_fee_receipt, receipt_id=pk), title)


@requires("statements.match")
def transfer_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a line was not the refund of a fee, with a reason."""
    row = one_of(live_transfers(access_of(request).office()), pk)
    title = _("Undo the refund of the notice %(number)s") % {"number": row.refund.receipt.notice.number}
    return undone(request, row, partial(undone_lines.undo_refund_transfer, transfer_id=pk), title)


@requires("statements.match")
def repayment_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a line was no money for a case, with a reason."""
    row = one_of(live_repayments(access_of(request).office()), pk)
    title = _("Undo the money for the case %(number)s") % {"number": row.case.number}
    return undone(request, row, partial(undone_lines.undo_repayment, recovery_id=pk), title)


@requires("statements.match")
def clearing_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a line was no payment of a clearing statement, with a reason."""
    row = one_of(live_clearings(access_of(request).office()), pk)
    title = _("Undo the payment of the clearing statement %(number)s") % {"number": row.statement.number}
    return undone(request, row, partial(undone_lines.undo_clearing_payment, payment_id=pk), title)


def undone(request: HttpRequest, row: Any, call: Callable[..., Any], title: Any) -> HttpResponse:
    """The page that undoes what took a line, a ``row`` with its sum: a reason, the call, and back to the line."""
    access = access_of(request)
    form = ReasonForm(request.POST or None)
    return stepped(
        request,
        form,
        lambda: call(
            organisation=access.office(),
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The match is undone. The line waits again."),
        title=title,
        back="settlement:statement_line",
        key=row.statement_line_id,
        submit=_("Undo the match"),
        danger=True,
        notes=[_line_told(row.statement_line), _taken_back(row)],
    )


def _line_told(line: StatementLine) -> str:
    """The line as the bank told it."""
    told = {
        "place": line.position,
        "statement": line.statement.statement_id,
        "day": date_format(line.booked_on, "SHORT_DATE_FORMAT"),
        "sum": minor(line.amount_minor, line.currency),
        "party": line.counterparty_name or line.remittance_text or "—",
    }
    return _("Line %(place)s of the statement %(statement)s, %(day)s, %(sum)s: %(party)s") % told


def _taken_back(row: Any) -> str:
    told = {"sum": minor(row.amount_minor, row.statement_line.currency)}
    return _("%(sum)s of it will wait for an explanation again. Nothing is deleted: the books show both steps.") % told


@requires("statements.match")
def line_divide(request: HttpRequest, pk: int) -> HttpResponse:
    """Divide an incoming line among documents; those that it quotes are written down already."""
    access = access_of(request)
    rows = StatementLine.objects.filter(statement__organisation=access.office()).select_related("statement")
    line = one_of(rows.filter(status__in=OPEN_LINES, amount_minor__gt=0), pk)
    left = open_of(line)
    # A bound formset takes no initial rows: it would drop the rows that were not changed.
    quoted = quoted_parts(line, left) if request.method != "POST" else []
    initial = [
        {"kind": kind, "number": number, "amount": from_minor(part) if part else None} for kind, number, part in quoted
    ]
    parts = PartFormSet(
        request.POST or None, prefix="parts", initial=initial, form_kwargs={"office": access_of(request).office()}
    )
    form, refusal = ReasonForm(request.POST or None), None
    if parts.is_valid():
        divided, refusal = submitted(request, form, lambda: _divide(request, line, parts_said(parts), form))
        if divided is not None:
            messages.success(request, str(_("The line is divided.")))
            return redirect("settlement:statement_line", line.pk)
        if refusal is not None and refusal.place is not None:
            row, field = refusal.place
            rows_said(parts)[row].refuse(field, refusal)
            refusal = None
    context = {"line": line, "left": left, "parts": parts, "form": form, "refusal": refusal}
    return render(request, "settlement/finance/line_divide.html", context)


def _divide(request: HttpRequest, line: StatementLine, parts: list[Part], form: ReasonForm) -> StatementLine:
    access = access_of(request)
    return divide_line(
        organisation=access.office(),
        line_id=line.pk,
        parts=parts,
        reason=form.cleaned_data["reason"],
        actor=access.actor,
        at=access.now(),
    )


@requires("statements.match")
def line_open(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an explanation, or that the line was told before, back with a reason."""
    access = access_of(request)
    line = one_of(StatementLine.objects.filter(statement__organisation=access.office()), pk)
    form = ReasonForm(request.POST or None)
    call, title, done = _OPENINGS[line.told_by_id is not None]
    return stepped(
        request,
        form,
        lambda: call(
            organisation=access.office(),
            line_id=line.pk,
            reason=form.cleaned_data["reason"],
            actor=access.actor,
            at=access.now(),
        ),
        done=done,
        title=title,
        back="settlement:statement_line",
        key=line.pk,
        submit=title,
        danger=True,
        notes=[_line_told(line), _("It is explained so: %(words)s") % {"words": line.explanation}],
    )

"""Finance pages of the bank's side: statements, matches, exceptions, the end of the month."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import requires
from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.clock import local_date
from config.errors import DomainError, NotPermitted
from config.money import to_minor
from contracts.views.pages import access_of, one_of, page_of, perform
from settlement import finance_queries
from settlement.actions import bank_lines, fee_lines, line_parts, reconciliation
from settlement.actions.line_parts import repay_advance_with_line, repay_with_line
from settlement.actions.matching import propose_matches
from settlement.actions.payment_postings import open_of, undoing_event
from settlement.actions.status_reports import Answered, import_status_report
from settlement.advance_forms import AdvanceLineForm
from settlement.advance_queries import returnable
from settlement.bank_forms import SplitForm, StatementUploadForm, ToldForm
from settlement.bank_queries import (
    found_payments,
    layouts,
    likely_payments,
    matchable_payments,
    named_payments,
    only_fitting,
    passed_on,
    takings_of,
)
from settlement.clawback_forms import RepaymentForm
from settlement.fee_queries import has_fees
from settlement.finance_forms import ExplainForm, FeeLineForm, MatchForm, ReasonForm
from settlement.gateways.pain002 import is_status_report
from settlement.models import ClawbackCase, Payment, Statement, StatementLine
from settlement.models.statements import IN_FORCE
from settlement.repeat_queries import is_used, perhaps_told_before
from settlement.statement_words import blocking_causes, lasting_causes, problem_rows
from settlement.views.bank_lines import HEADINGS


@requires("statements.view")
def statements(request: HttpRequest) -> HttpResponse:
    """Bank statements, and lines that nobody has explained."""
    office, q = access_of(request).office(), request.GET.get("q", "").strip()
    context = {
        "page": page_of(request, finance_queries.statements(office, q)),
        "q": q,
        "exceptions": finance_queries.exceptions(office)[:50],
    }
    return render(request, "settlement/finance/statements.html", context)


@requires("statements.import")
def statement_new(request: HttpRequest) -> HttpResponse:
    """Import a file of the bank; a table whose columns nobody has explained leads to the page that asks."""
    office = access_of(request).office()
    form = StatementUploadForm(
        request.POST or None,
        request.FILES or None,
        accounts=office.accounts,
        initial={"account": request.GET.get("account")},
    )
    refusal = None
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            return _take(request, file.name, file.read(), form.cleaned_data.get("account", ""))
        except reconciliation.ColumnsUnknown as unknown:
            request.session[HEADINGS] = unknown.params["headings"]
            messages.info(request, unknown.sentence)
            return redirect("settlement:statement_layout")
        except reconciliation.AccountNotSaid as error:
            form = _asking_account(office, error)
        except DomainError as error:
            refusal = error
    context = {"form": form, "refusal": refusal, "layouts": layouts(office)}
    return render(request, "settlement/finance/statement_new.html", context)


def _asking_account(office: Organisation, asked: reconciliation.AccountNotSaid) -> StatementUploadForm:
    """The form once more, with the account of the last table of these columns chosen and the question beside it."""
    form = StatementUploadForm({"account": asked.params["account"]}, accounts=office.accounts)
    form.errors.clear()
    form.add_error("account", forms.ValidationError(asked.sentence, code=asked.code))
    return form


def _take(request: HttpRequest, name: str, content: bytes, account: str) -> HttpResponse:
    """A statement, or the bank's answer to a payment file. Raises: DomainError."""
    access = access_of(request)
    office, actor, at = access.office(), access.actor, access.now()
    if is_status_report(content):
        answered = import_status_report(organisation=office, name=name, content=content, actor=actor, at=at)
        messages.info(request, _answer_message(answered))
        return redirect("settlement:payment_run", answered.run.pk)
    found = reconciliation.import_statement(
        organisation=office, name=name, content=content, actor=actor, at=at, account=account
    )
    return _imported(request, found)


def _answer_message(answered: Answered) -> str:
    if answered.repeated:
        return str(_("This answer of the bank was here already; nothing has changed."))
    words = _("The bank has answered: taken %(taken)d, refused %(refused)d, refused although paid %(against)d.")
    return words % {"taken": answered.taken, "refused": answered.refused, "against": answered.contradicted}


def _imported(request: HttpRequest, found: list[reconciliation.ImportedStatement]) -> HttpResponse:
    for item in found:
        messages.info(request, _import_message(item))
    return redirect("settlement:statement", found[0].statement.pk)


def _import_message(item: reconciliation.ImportedStatement) -> str:
    name = item.statement.statement_id
    causes = ", ".join(blocking_causes(item.statement.problems))
    if item.statement.status == "quarantined":
        return _quarantine_message(item) % {"name": name, "causes": causes}
    if item.repeated:
        return _("The statement «%(name)s» was here already; nothing has changed.") % {"name": name}
    words = ngettext(
        "The statement «%(name)s» is imported, %(count)d line is left to explain.",
        "The statement «%(name)s» is imported, %(count)d lines are left to explain.",
        item.open_lines,
    )
    return words % {"name": name, "count": item.open_lines}


def _quarantine_message(item: reconciliation.ImportedStatement) -> str:
    if item.repeated:
        return gettext(
            "The statement «%(name)s» was here already and is set aside (%(causes)s). "
            "Refuse it if the file is to be read again."
        )
    if lasting_causes(item.statement.problems):
        return gettext(
            "The statement «%(name)s» is set aside (%(causes)s). It cannot be accepted so: refuse it; what to do then "
            "stands with each finding below."
        )
    return gettext("The statement «%(name)s» is set aside (%(causes)s). Accept or refuse it.")


@requires("statements.view")
def statement(request: HttpRequest, pk: int) -> HttpResponse:
    """One statement: every line with what it was matched to, suggestions for the rest."""
    access = access_of(request)
    row = one_of(finance_queries.statements(access.office()), pk)
    lines = list(finance_queries.statement_lines(row))
    matched, taken = finance_queries.matches_of(row), takings_of(row)
    told = perhaps_told_before(row) if row.status == "imported" else {}
    context = {
        "statement": row,
        "lines": [(line, matched.get(line.pk, []), taken.get(line.pk, []), told.get(line.pk)) for line in lines],
        "passed_on": passed_on(lines),
        "problems": problem_rows(row.problems),
        "suggestions": _suggestions(row, [line for line in lines if line.status in finance_queries.OPEN_LINES]),
        "may_match": access.may("statements.match") and row.status == "imported",
        "may_decide": access.may("statements.match") and row.status == "quarantined",
        "may_refuse": access.may("statements.match") and row.status in IN_FORCE,
        "used": sum(map(is_used, lines)),
        "own": row.imported_by_id == access.user.pk,
        "lasting": lasting_causes(row.problems),
        "reason_form": ReasonForm(),
    }
    return render(request, "settlement/finance/statement.html", context)


def _suggestions(row: Statement, lines: list[StatementLine]) -> list[dict[str, Any]]:
    """Matches that the rules are not sure of, for a person to confirm."""
    if row.status != "imported" or not lines:
        return []
    result = propose_matches(row.organisation, lines, on=local_date(row.imported_at, row.organisation.zone))
    payments = Payment.objects.select_related("provider").in_bulk([int(key) for key in result.matches["payment"]])
    by_key = {line.pk: line for line in lines}
    rows: list[dict[str, Any]] = result.matches.to_dict("records")  # type: ignore[assignment]
    return [{**item, "line": by_key[item["line"]], "payment": payments[item["payment"]]} for item in rows]


@require_POST
@requires("statements.match")
def statement_decide(request: HttpRequest, pk: int, decision: str) -> HttpResponse:
    """Take a statement out of quarantine, or refuse one, also one that counts already."""
    access = access_of(request)
    calls: dict[str, Callable[..., Statement]] = {
        "accept": reconciliation.accept_statement,
        "refuse": partial(_refuse, request),
    }
    done = {"accept": _("The statement is accepted and matched."), "refuse": _("The statement is refused.")}
    return perform(
        request,
        lambda: calls[decision](
            organisation=access.office(),
            statement_id=pk,
            reason=request.POST.get("reason", ""),
            actor=access.actor,
            at=access.now(),
        ),
        done=done[decision],
        to="settlement:statement",
        key=pk,
    )


def _refuse(request: HttpRequest, *, organisation: Organisation, actor: Actor, at: datetime, **said: Any) -> Statement:
    """Throw a statement out; what counted once because of it is matched anew as far as that can be done."""
    counted = Statement.objects.filter(pk=said["statement_id"], organisation=organisation, status__in=IN_FORCE).exists()
    refused = reconciliation.refuse_statement(organisation=organisation, actor=actor, at=at, **said)
    if counted:
        try:
            reconciliation.match_again(organisation=organisation, actor=actor, at=at)
        except DomainError as error:
            messages.warning(request, error.sentence)
    return refused


@requires("statements.view")
def statement_line(request: HttpRequest, pk: int) -> HttpResponse:
    """One line: what it was matched with, and for those who may the way to match or explain an open one."""
    access = access_of(request)
    rows = StatementLine.objects.filter(statement__organisation=access.office())
    line = one_of(rows.select_related("statement", "explained_by", "told_by"), pk)
    is_open = line.status in finance_queries.OPEN_LINES and line.statement.status == "imported"
    may_match = access.may("statements.match") and is_open
    if request.method == "POST" and not access.may("statements.match"):
        raise NotPermitted()
    step = request.POST.get("step", "match") if request.method == "POST" else ""
    can, left, q = matchable_payments(line), open_of(line), request.GET.get("q", "").strip()
    proposed = _proposed(line) if may_match else []
    likely = likely_payments(line, left, proposed) if may_match else []
    found = found_payments(line, q) if may_match and q else []
    match_form = MatchForm(
        request.POST if step == "match" else None,
        can=can,
        offered=found or likely,
        plain=only_fitting(line, left) if may_match else None,
        initial={"payments": [] if found else proposed},
    )
    explain_form = ExplainForm(request.POST if step == "explain" else None)
    fee_form = FeeLineForm(request.POST if step == "fee" else None, came_in=line.amount_minor > 0)
    split_form = SplitForm(request.POST if step == "split" else None, can=can)
    repayment_form = RepaymentForm(request.POST if step == "clawback" else None)
    advance_form = AdvanceLineForm(request.POST if step == "advance" else None)
    told_form = ToldForm(request.POST if step == "told" else None)
    refusal = None
    others = {"explain": explain_form, "fee": fee_form, "split": split_form, "clawback": repayment_form}
    others |= {"advance": advance_form, "told": told_form}
    form = others.get(step, match_form)
    if request.method == "POST" and form.is_valid():
        try:
            _settle(request, line, form)
        except DomainError as error:
            refusal = error
        else:
            return redirect("settlement:statement", line.statement_id)
    context = {
        "line": line,
        "matches": finance_queries.matches_of(line.statement).get(line.pk, []),
        "may_match": may_match,
        "match_form": match_form,
        "offered": found or likely,
        "likely": likely,
        "found": found,
        "q": q,
        "any": may_match and can.exists(),
        "explain_form": explain_form,
        "split_form": split_form if line.amount_minor < 0 else None,
        "left": left,
        "told": perhaps_told_before(line.statement).get(line.pk) if may_match else None,
        "named": named_payments(line),
        "passed_on": passed_on([line]),
        "may_undo": access.may("statements.match"),
        "may_open": _may_open(line) and access.may("statements.match"),
        "may_divide": may_match and line.amount_minor > 0,
        "fee_form": fee_form if may_match and has_fees(line.statement.organisation) else None,
        "repayment_form": repayment_form if _may_repay(line) else None,
        "advance_form": advance_form if _may_bring_advance(line) else None,
        "takings": takings_of(line.statement, line).get(line.pk, []),
        "form": form,
        "refusal": refusal,
    }
    return render(request, "settlement/finance/statement_line.html", context)


def _proposed(line: StatementLine) -> list[int]:
    """Payments that the rules name for an open line, surely or not, unless it names another itself."""
    office = line.statement.organisation
    on = local_date(line.statement.imported_at, office.zone)
    found = propose_matches(office, [line], on=on).matches
    return [int(key) for key in found.loc[found["rule"] != "names_another", "payment"]]


def _may_repay(line: StatementLine) -> bool:
    """Whether the line can be money that some provider returns."""
    waiting = ClawbackCase.objects.filter(organisation=line.statement.organisation, status="decided")
    return _waits(line) and waiting.exists()


def _may_bring_advance(line: StatementLine) -> bool:
    """Whether the line can be an unused advance that a provider returns."""
    return _waits(line) and returnable(line.statement.organisation).exists()


def _may_open(line: StatementLine) -> bool:
    """Whether what a person said of the line can be taken back; a statement that was thrown out stays as it is."""
    return line.statement.status != "refused" and (line.told_by_id or undoing_event(line)) is not None


def _waits(line: StatementLine) -> bool:
    return line.status in finance_queries.OPEN_LINES and line.amount_minor > 0


def _settle(request: HttpRequest, line: StatementLine, form: forms.Form) -> None:
    access = access_of(request)
    shared = {"organisation": access.office(), "line_id": line.pk, "actor": access.actor, "at": access.now()}
    if isinstance(form, FeeLineForm):
        _book_fee(form.cleaned_data, shared)
        messages.success(request, str(_("The line is booked.")))
        return
    if isinstance(form, RepaymentForm):
        repay_with_line(case=form.cleaned_data["case"], **shared)  # type: ignore[arg-type]
        messages.success(request, str(_("The money is booked for the case.")))
        return
    if isinstance(form, AdvanceLineForm):
        repay_advance_with_line(advance=form.cleaned_data["advance"], **shared)  # type: ignore[arg-type]
        messages.success(request, str(_("The money is booked for the advance.")))
        return
    if isinstance(form, SplitForm):
        said = form.cleaned_data
        part = {"payment_id": said["payment"].pk, "amount_minor": to_minor(said["amount"]), "reason": said["reason"]}
        bank_lines.split_line(**part, **shared)  # type: ignore[arg-type]
        messages.success(request, str(_("The part is matched.")))
        return
    if isinstance(form, ToldForm):
        bank_lines.count_once(**shared)  # type: ignore[arg-type]
        messages.success(request, str(_("The line counts once.")))
        return
    if isinstance(form, ExplainForm):
        bank_lines.explain_line(explanation=form.cleaned_data["explanation"], **shared)  # type: ignore[arg-type]
        messages.success(request, str(_("The line is explained.")))
        return
    ids = [row.pk for row in form.cleaned_data["payments"]]
    bank_lines.match_line(payment_ids=ids, reason=form.cleaned_data["reason"], **shared)  # type: ignore[arg-type]
    messages.success(request, str(_("The line is matched.")))


def _book_fee(said: dict[str, Any], shared: dict[str, Any]) -> None:
    """One of three calls, as the person chose."""
    if said["kind"] == "fee":
        line_parts.pay_notice_with_line(notice=said["notice"], **shared)
    elif said["kind"] == "cards":
        fee_lines.explain_as_cards(**shared)
    else:
        fee_lines.explain_as_passed_on(provider_id=said["provider"].pk, **shared)

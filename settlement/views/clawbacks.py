"""Clawbacks: the list, a case with its steps, the provider's reply, the decision, the papers."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.clock import local_date
from config.errors import NotFound
from config.office.storage import attachments_of
from config.templatetags.show import minor
from contracts.views.pages import access_of, download, one_of, page_of, perform, perform_with_reason, stepped
from settlement import clawback_papers, clawback_queries
from settlement.actions import clawbacks as actions
from settlement.actions.clawbacks import LineSum
from settlement.clawback_forms import DecisionForm, GroundForm, LinesForm, OpenForm, ReplyForm
from settlement.debt_queries import provider_debts
from settlement.finance_forms import ReasonForm, month_of_text
from settlement.models import Claim, ClawbackCase
from settlement.models.clawbacks import CLAWBACK_STATES
from settlement.views.claims import claim_of

STATES = ["found", "notified", "replied", "decided", "recovered", "closed"]
assert set(STATES) == set(CLAWBACK_STATES.states)


@requires("clawbacks.view")
def clawback_list(request: HttpRequest) -> HttpResponse:
    """Cases of the reader's scope, open ones first."""
    access = access_of(request)
    q, state = request.GET.get("q", "").strip(), request.GET.get("status", "")
    rows = clawback_queries.cases(access, q, state if state in STATES else "")
    context = {
        "page": page_of(request, rows),
        "q": q,
        "status": state,
        # A provider knows of no case that it was not told of.
        "states": STATES[1:] if access.may("clawbacks.reply") else STATES,
        "hidden": {"status": state},
    }
    return render(request, "settlement/clawbacks/list.html", context)


def case_of(access: Access, pk: int) -> ClawbackCase:
    """A case of the reader's scope. Raises: NotFound."""
    return one_of(clawback_queries.cases(access), pk)


@requires("clawbacks.view")
def clawback_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What is asked back and why, what was said and decided, what came back, and whose turn it is."""
    access = access_of(request)
    case = case_of(access, pk)
    page = page_of(request, clawback_queries.lines_of(case))
    reply = getattr(case, "reply", None)
    today = local_date(access.now(case.organisation), case.organisation.zone)
    context = {
        "case": case,
        "page": page,
        "debts": clawback_queries.debts_of(case) if case.debt_minor else [],
        "reply": reply,
        "files": attachments_of(reply) if reply else [],
        "recoveries": clawback_queries.recoveries_of(case),
        "currency": case.organisation.currency,
        "passed": clawback_queries.passed(case, today),
        "reason_form": ReasonForm(),
        **_steps(access, case, today),
    }
    return render(request, "settlement/clawbacks/detail.html", context)


def _steps(access: Access, case: ClawbackCase, today: Any) -> dict[str, bool]:
    """Buttons of a case for this reader."""
    opens, decides = access.may("clawbacks.open"), access.may("clawbacks.decide")
    other = case.opened_by_id != access.user.pk
    undecided = case.status in ("found", "notified", "replied")
    return {
        "may_extend": opens and case.status == "found" and not case.debt_minor,
        "may_notify": opens and case.status == "found",
        "may_close": opens and case.status == "recovered",
        "may_reply": access.may("clawbacks.reply")
        and case.status == "notified"
        and not clawback_queries.passed(case, today),
        "may_decide": clawback_queries.may_decide(case, access),
        "may_drop": decides and undecided and other,
    }


@requires("clawbacks.open")
def clawback_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a case about lines of a claim; ``line`` names one beforehand."""
    access = access_of(request)
    claim = claim_of(access, pk)
    form = OpenForm(request.POST or None, initial={"lines": request.GET.get("line", "")})
    return _lines_page(
        request,
        claim,
        form,
        lambda: actions.open_clawback(
            organisation=access.office(),
            lines=_asked(claim, form),
            found_by=form.cleaned_data["found_by"],
            finding=form.cleaned_data["finding"],
            ground=form.cleaned_data["ground"],
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The case is open. The provider knows nothing of it until you send the notice."),
        title=_("Ask money back: claim %(claim)s") % {"claim": claim.number},
        back="settlement:claim",
        key=claim.pk,
        submit=_("Open the case"),
    )


@requires("clawbacks.open")
def clawback_extend(request: HttpRequest, pk: int) -> HttpResponse:
    """Rest a case on lines of a claim, the one named by ``claim`` or the first one of the case."""
    access = access_of(request)
    case = case_of(access, pk)
    number = request.GET.get("claim", "").strip()
    rows = Claim.objects.filter(organisation=access.office(), provider=case.provider)
    claim = rows.filter(number=number).first() or rows.filter(lines__clawbacks__case=case).first()
    if claim is None:
        raise NotFound()
    form = LinesForm(request.POST or None)
    return _lines_page(
        request,
        claim,
        form,
        lambda: actions.add_clawback_lines(
            organisation=access.office(),
            case_id=pk,
            lines=_asked(claim, form),
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The lines are added to the case."),
        title=_("Add lines to the case %(case)s") % {"case": case.number},
        back="settlement:clawback",
        key=case.pk,
        submit=_("Add the lines"),
        case=case,
        other_claim=number if number and claim.number != number else "",
    )


@requires("clawbacks.open")
def debt_ask_back(request: HttpRequest, provider: int, month: str) -> HttpResponse:
    """Open a case about what a provider owes of a paid month."""
    access = access_of(request)
    office, period = access.office(), month_of_text(month)
    if period is None:
        raise NotFound()
    debt = provider_debts(office).filter(provider=provider, run__period=period).first()
    if debt is None and request.method != "POST":
        raise NotFound()
    told = {"month": f"{period:%m.%Y}"}
    form = GroundForm(
        request.POST or None,
        initial={
            "finding": _("After the payment for %(month)s decisions were corrected: less is owed than was paid.") % told
        },
    )
    made: list[ClawbackCase] = []
    answer = stepped(
        request,
        form,
        lambda: made.append(
            actions.ask_debt_back(
                organisation=office,
                provider_id=provider,
                period=period,
                finding=form.cleaned_data["finding"],
                ground=form.cleaned_data["ground"],
                actor=access.actor,
                at=access.now(),
            )
        ),
        done=_("The case is open, and no payment takes this debt off. Now send the provider the notice."),
        title=_("Ask back what is owed of %(month)s") % told,
        back="settlement:provider_debts",
        key=None,
        submit=_("Open the case"),
        notes=_debt_notes(debt, office.currency),
    )
    return redirect("settlement:clawback", made[0].pk) if made else answer


def _debt_notes(debt: dict[str, Any] | None, currency: str) -> list[Any]:
    if debt is None:
        return []
    told = {"provider": debt["provider__name"], "amount": minor(debt["owed_minor"], currency)}
    return [
        _("%(provider)s owes %(amount)s.") % told,
        _(
            "Use this when the money comes back by bank, or when no later payment is large enough to take it off. "
            "Another person decides; then a bank line can be booked for the case, and after the term the next runs "
            "keep the rest back from what the provider gets."
        ),
    ]


def _lines_page(request: HttpRequest, claim: Claim, form: LinesForm, call: Any, **context: Any) -> HttpResponse:
    """The form with the lines of the claim that can be named in it."""
    q = request.GET.get("q", "").strip()
    page = page_of(request, clawback_queries.paid_lines(claim, q))
    sums = clawback_queries.claimable(line.pk for line in page)
    made: list[ClawbackCase] = []
    answer = stepped(
        request,
        form,
        lambda: made.append(call()),
        template="settlement/clawbacks/lines.html",
        claim=claim,
        page=page,
        q=q,
        rows=[(line, sums[line.pk]) for line in page],
        currency=claim.organisation.currency,
        hidden={"claim": claim.number},
        **context,
    )
    return redirect("settlement:clawback", made[0].pk) if made else answer


def _asked(claim: Claim, form: LinesForm) -> list[LineSum]:
    """The named lines. Raises: NoSuchLines."""
    named = form.cleaned_data["lines"]
    keys = dict(claim.lines.filter(line__in=named).values_list("line", "pk"))
    missing = [str(line) for line in named if line not in keys]
    if missing:
        raise actions.NoSuchLines(number=claim.number, lines=", ".join(missing))
    return [LineSum(keys[line], form.amount_minor) for line in named]


@require_POST
@requires("clawbacks.open")
def clawback_notify(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the notice."""
    access = access_of(request)
    return perform(
        request,
        lambda: actions.notify_clawback(organisation=access.office(), case_id=pk, actor=access.actor, at=access.now()),
        done=_("The provider is told, and its term for a reply has begun."),
        to="settlement:clawback",
        key=pk,
    )


@require_POST
@requires("clawbacks.open")
def clawback_close(request: HttpRequest, pk: int) -> HttpResponse:
    """File a case whose money is back."""
    access = access_of(request)
    return perform_with_reason(
        request,
        ReasonForm(request.POST),
        lambda reason: actions.close_clawback(
            organisation=access.office(),
            case_id=pk,
            reason=reason,
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The case is closed."),
        to="settlement:clawback",
        key=pk,
    )


@requires("clawbacks.reply")
def clawback_reply(request: HttpRequest, pk: int) -> HttpResponse:
    """The provider's word, once, within the term."""
    access = access_of(request)
    case = case_of(access, pk)
    form = ReplyForm(request.POST or None, request.FILES or None)
    if case.reply_until is None:
        raise NotFound()
    until = {"day": date_format(case.reply_until, "SHORT_DATE_FORMAT")}
    return stepped(
        request,
        form,
        lambda: actions.reply_to_clawback(
            organisation=case.organisation,
            case_id=pk,
            text=form.cleaned_data["text"],
            files=_files(form),
            actor=access.actor,
            at=access.now(case.organisation),
        ),
        done=_("The office has your reply. Another person than the one who opened the case decides."),
        title=_("Reply to the case %(case)s") % {"case": case.number},
        back="settlement:clawback",
        key=pk,
        submit=_("Send the reply"),
        multipart=True,
        notes=[_("You can reply once, until %(day)s.") % until],
    )


def _files(form: ReplyForm) -> list[Any]:
    file = form.cleaned_data.get("file")
    return [(str(file.name), file.read(), file.content_type or "")] if file else []


@requires("clawbacks.decide")
def clawback_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """How much of each line is upheld, by a second person."""
    access = access_of(request)
    case = case_of(access, pk)
    form = DecisionForm(request.POST or None, lines=list(clawback_queries.lines_of(case)))
    return stepped(
        request,
        form,
        lambda: actions.decide_clawback(
            organisation=access.office(),
            case_id=pk,
            reason=form.cleaned_data["reason"],
            upheld_minor=form.upheld_minor(),
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The case is decided. The provider reads the decision and its reason."),
        title=_("Decide the case %(case)s") % {"case": case.number},
        back="settlement:clawback",
        key=pk,
        submit=_("Decide"),
        template="settlement/clawbacks/decide.html",
        case=case,
        currency=case.organisation.currency,
    )


@require_POST
@requires("clawbacks.decide")
def clawback_drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Nothing is asked back."""
    access = access_of(request)
    return perform_with_reason(
        request,
        ReasonForm(request.POST),
        lambda reason: actions.decide_clawback(
            organisation=access.office(),
            case_id=pk,
            reason=reason,
            upheld_minor={},
            actor=access.actor,
            at=access.now(),
        ),
        done=_("The case is dropped and closed."),
        to="settlement:clawback",
        key=pk,
    )


@requires("clawbacks.view")
def clawback_file(request: HttpRequest, pk: int, file: int) -> HttpResponse:
    """A piece of evidence of the reply. Raises: NotFound."""
    reply = getattr(case_of(access_of(request), pk), "reply", None)
    if reply is None:
        raise NotFound()
    return download(one_of(attachments_of(reply), file))


@requires("clawbacks.view")
def clawback_paper(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The notice or the decision as PDF. Raises: NotFound before it is made."""
    case = case_of(access_of(request), pk)
    made = {"notice": case.notified_at, "decision": case.decided_at if case.notified_at else None}[kind]
    if made is None:
        raise NotFound()
    answer = HttpResponse(clawback_papers.paper(case, kind), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{case.number}-{kind}.pdf"'
    return answer

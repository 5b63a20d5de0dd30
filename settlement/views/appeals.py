"""Appeals against decisions on claims, and the files and earlier versions beside a claim."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.text import get_valid_filename
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.errors import DomainError, NotFound
from config.office.storage import attachments_of
from contracts.views.pages import access_of, download, one_of, page_of, perform, perform_with_reason, stepped
from settlement.actions import appeals as actions
from settlement.actions import claims as claim_actions
from settlement.actions.letters import LETTER
from settlement.appeal_queries import appeal_until, appealable_run, appeals, appeals_to_answer
from settlement.claim_letter import checks_in_words, explain
from settlement.finance_forms import ReasonForm
from settlement.forms import AppealForm, EvidenceForm
from settlement.line_queries import claim_lines
from settlement.models import Appeal, Claim
from settlement.views.claims import claim_of
from settlement.views.sheets import sheet


@requires("claims.view")
def appeal_list(request: HttpRequest) -> HttpResponse:
    """Appeals of the reader's claims; for the office a queue."""
    q, state = request.GET.get("q", "").strip(), request.GET.get("status", "")
    page = page_of(request, appeals(access_of(request), q, only_open=state == "open"))
    context = {"page": page, "q": q, "status": state, "hidden": {"status": state}}
    return render(request, "settlement/claims/appeals.html", context)


def _appeal(access: Access, pk: int) -> Appeal:
    return one_of(appeals(access), pk)


@requires("claims.view")
def appeal_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What is disputed and why, the evidence and the answer."""
    access = access_of(request)
    appeal = _appeal(access, pk)
    answer = getattr(appeal, "answer", None)
    answers = access.may("appeals.answer") and appeals_to_answer(access).filter(pk=pk).exists()
    line = appeal.claim_line_id
    disputed = list(claim_lines(appeal.claim).filter(pk=line)) if line else []
    context = {
        "appeal": appeal,
        "line": explain(appeal.claim, disputed)[0] if disputed else None,
        "answer": answer,
        "files": attachments_of(appeal),
        "may_answer": answers,
        "own_decision": answer is None and access.may("appeals.answer") and not answers,
    }
    return render(request, "settlement/claims/appeal.html", context)


@requires("claims.submit")
def appeal_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Dispute a decision: of the line that ``line`` names, else of the whole claim."""
    access = access_of(request)
    claim = claim_of(access, pk)
    asked = request.GET.get("line", "")
    line = claim.lines.filter(line=int(asked)).first() if asked.isdecimal() and len(asked) < 9 else None
    if request.method == "GET":
        try:
            actions.disputable(claim, line, access.now(claim.organisation))
        except DomainError as refusal:
            messages.error(request, str(refusal))
            return redirect("settlement:claim", pk)
    run = appealable_run(claim, line)
    form = AppealForm(request.POST or None, request.FILES or None)
    title = str(_("Appeal against the decision on the claim"))
    if line:
        title = _("Appeal against the decision on line %(line)s") % {"line": line.line}
    disputed = list(claim_lines(claim).filter(pk=line.pk)) if line else []
    until = {"day": date_format(appeal_until(run, line), "SHORT_DATE_FORMAT")} if run else {}
    return stepped(
        request,
        form,
        lambda: actions.submit_appeal(
            organisation=claim.organisation,
            claim_id=claim.pk,
            claim_line_id=line.pk if line else None,
            reason=form.cleaned_data["reason"],
            files=files_of(form),
            actor=access.actor,
            at=access.now(claim.organisation),
        ),
        done=_("The appeal is with the office. Another person than the one who decided answers it."),
        title=title,
        back="settlement:claim",
        key=pk,
        submit=_("Send the appeal"),
        multipart=True,
        template="settlement/claims/appeal_new.html",
        claim=claim,
        line=explain(claim, disputed)[0] if disputed else None,
        checks=checks_in_words(claim),
        notes=[_("This decision can be appealed until %(day)s.") % until] if run else [],
    )


def files_of(form: EvidenceForm) -> list[claim_actions.File]:
    """The file of a form, as actions take it."""
    file = form.cleaned_data.get("file")
    return [(str(file.name), file.read(), file.content_type or "")] if file else []


ANSWERS = {
    "uphold": (actions.uphold_appeal, _("The appeal is upheld. What was decided is judged again in the next run.")),
    "refuse": (actions.refuse_appeal, _("The appeal is refused. The provider reads your reason.")),
}


@require_POST
@requires("appeals.answer")
def appeal_answer(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Uphold or refuse, with the reason."""
    access = access_of(request)
    call, done = ANSWERS[step]
    return perform_with_reason(
        request,
        ReasonForm(request.POST),
        lambda reason: call(
            organisation=access.office(),
            appeal_id=pk,
            reason=reason,
            actor=access.actor,
            at=access.now(),
        ),
        done=done,
        to="settlement:appeal",
        key=pk,
    )


def _file_of(row: Any, file: int) -> HttpResponse:
    """A file beside a record; letters have a page of their own. Raises: NotFound."""
    return download(one_of(attachments_of(row).exclude(kind__startswith=LETTER), file))


@requires("claims.view")
def appeal_file(request: HttpRequest, pk: int, file: int) -> HttpResponse:
    """A piece of evidence of an appeal."""
    return _file_of(_appeal(access_of(request), pk), file)


@requires("claims.view")
def claim_file(request: HttpRequest, pk: int, file: int) -> HttpResponse:
    """A piece of evidence of a claim."""
    return _file_of(claim_of(access_of(request), pk), file)


@require_POST
@requires("claims.submit")
def claim_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """Put one more file beside a claim."""
    access = access_of(request)
    claim, form = claim_of(access, pk), EvidenceForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, " ".join(str(word) for words in form.errors.values() for word in words))
        return redirect("settlement:claim", pk)
    return perform(
        request,
        lambda: claim_actions.add_evidence(
            organisation=claim.organisation,
            claim_id=claim.pk,
            file=files_of(form)[0],
            actor=access.actor,
            at=access.now(claim.organisation),
        ),
        done=_("The file is kept beside the claim."),
        to="settlement:claim",
        key=pk,
    )


@requires("claims.view")
def claim_version(request: HttpRequest, pk: int, version: int) -> HttpResponse:
    """The lines of a version that was returned, as they were written."""
    claim: Claim = claim_of(access_of(request), pk)
    kept = claim.returns.filter(version=version).first()
    if kept is None:
        raise NotFound()
    name = get_valid_filename(f"claim-{claim.number}-{version}")
    rows = [["" if cell is None else cell for cell in row] for row in kept.lines]
    return sheet("csv", name, "", claim_actions.VERSION_COLUMNS, rows)

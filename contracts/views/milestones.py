"""Milestones of a grant agreement: the provider reports, the office judges."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from config.accounts.access import Access, requires
from config.audit.recording import label_of
from config.office.models import Attachment
from config.office.storage import GivenFile
from contracts.actions import milestones
from contracts.forms import MilestoneJudgementForm, MilestoneReportForm
from contracts.models import Milestone
from contracts.views.agreements import in_scope
from contracts.views.pages import access_of, download, one_of, stepped


def _milestone(access: Access, pk: int) -> Milestone:
    rows = Milestone.objects.filter(contract__in=in_scope(access))
    return one_of(rows.select_related("contract__organisation", "contract__provider"), pk)


@requires("contracts.view")
def milestone_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A milestone with its reports and judgements."""
    access = access_of(request)
    milestone = _milestone(access, pk)
    notes = list(milestone.notes.select_related("written_by").order_by("id"))
    files: dict[str, list[Attachment]] = {}
    for file in Attachment.objects.filter(label__in=[label_of(note) for note in notes]).order_by("id"):
        files.setdefault(file.label, []).append(file)
    unsettled = milestone.status in milestones.OPEN_STATES and milestone.contract.status == "active"
    context = {
        "milestone": milestone,
        "contract": milestone.contract,
        "notes": [(note, files.get(label_of(note), [])) for note in notes],
        "may_report": unsettled and access.may("milestones.report"),
        "may_judge": unsettled and access.may("contracts.edit"),
    }
    return render(request, "contracts/milestone.html", context)


@requires("milestones.report")
def milestone_report(request: HttpRequest, pk: int) -> HttpResponse:
    """Report on an own milestone."""
    access = access_of(request)
    milestone = _milestone(access, pk)
    form = MilestoneReportForm(request.POST or None, request.FILES or None)
    return stepped(
        request,
        form,
        lambda: milestones.report_milestone(
            milestone=milestone,
            text=form.cleaned_data["text"],
            files=[
                GivenFile(file.name, file.read(), file.content_type or "application/octet-stream")
                for file in form.cleaned_data["proofs"]
            ],
            actor=access.actor,
            at=access.now(milestone.contract.organisation),
        ),
        done=_("The report is handed in. The office will judge the milestone."),
        title=_("Report: %(milestone)s") % {"milestone": milestone.title},
        back="contracts:milestone",
        key=pk,
        multipart=True,
        submit=_("Hand in the report"),
    )


@requires("contracts.edit")
def milestone_judge(request: HttpRequest, pk: int) -> HttpResponse:
    """Judge a milestone."""
    access = access_of(request)
    milestone = _milestone(access, pk)
    form = MilestoneJudgementForm(request.POST or None)
    return stepped(
        request,
        form,
        lambda: milestones.judge_milestone(
            milestone=milestone, actor=access.actor, at=access.now(), **form.cleaned_data
        ),
        done=_("The milestone is judged. The provider sees the judgement and its reasons."),
        title=_("Judgement: %(milestone)s") % {"milestone": milestone.title},
        back="contracts:milestone",
        key=pk,
        submit=_("Judge"),
    )


@requires("contracts.view")
def milestone_file(request: HttpRequest, pk: int, file_pk: int) -> HttpResponse:
    """A file of a report."""
    milestone = _milestone(access_of(request), pk)
    labels = [label_of(note) for note in milestone.notes.all()]
    return download(one_of(Attachment.objects.filter(label__in=labels), file_pk))
